/*
 * Object classes against attributes: what an entry must and may have (RFC 4512 2.4).
 */
#include "openldap/check.h"

#define RULE "MR-LDAP-SCHEMA"

/* Classes as the body declares them; false when it declares none or one is unknown. */
bool mr_ldap_body_classes(struct mr_backend *backend, mr_str body, struct mr_ldap_classes *out)
{
	struct mr_attr attr;
	mr_str value;

	out->n = 0;
	if (!mr_attrs_find(body, MR_STR("objectClass"), &attr) || !attr.n_values)
		return false;
	while (mr_attr_value_next(&attr.encoded_values, &value) == 1) {
		const struct mr_ldap_class *class = mr_ldap_class_find(backend->schema, value);

		if (!class)
			return false;
		mr_ldap_class_closure(backend->schema, class, out);
	}
	return true;
}

static bool lists(const struct mr_ldap_types *types, const struct mr_ldap_type *type)
{
	for (size_t i = 0; i < types->n; i++)
		if (types->items[i] == type)
			return true;
	return false;
}

static bool allows(const struct mr_ldap_classes *classes, const struct mr_ldap_type *type)
{
	for (size_t i = 0; i < classes->n; i++)
		if (classes->items[i]->allows_all || lists(&classes->items[i]->must, type) ||
		        lists(&classes->items[i]->may, type))
			return true;
	return type->is_object_class;
}

/* The first attribute with values that no class allows. */
bool mr_ldap_find_forbidden(
        struct mr_backend *backend, const struct mr_ldap_classes *classes, mr_str body, mr_str *out)
{
	struct mr_attr attr;

	while (mr_attrs_next(&body, &attr) == 1) {
		const struct mr_ldap_type *type = mr_ldap_type_find(backend->schema, attr.name);

		if (!type || !attr.n_values || type->is_read_only || allows(classes, type))
			continue;
		*out = attr.name;
		return true;
	}
	return false;
}

static bool has_values(mr_str body, const struct mr_ldap_type *type)
{
	struct mr_attr attr;

	while (mr_attrs_next(&body, &attr) == 1) {
		mr_str base = mr_str_take(attr.name, mr_str_find(attr.name, ';'));

		if (attr.n_values && mr_str_eq(base, type->name))
			return true;
	}
	return false;
}

static const struct mr_ldap_type *find_missing(const struct mr_ldap_classes *classes, mr_str body)
{
	for (size_t i = 0; i < classes->n; i++) {
		const struct mr_ldap_types *must = &classes->items[i]->must;

		for (size_t j = 0; j < must->n; j++)
			if (!has_values(body, must->items[j]))
				return must->items[j];
	}
	return NULL;
}

/* The most derived structural class must have all other structural ones above it. */
static bool has_one_structure(struct mr_backend *backend, const struct mr_ldap_classes *classes)
{
	size_t n_structural = 0;

	for (size_t i = 0; i < classes->n; i++)
		n_structural += classes->items[i]->kind == MR_LDAP_STRUCTURAL;
	for (size_t i = 0; i < classes->n; i++) {
		struct mr_ldap_classes above = {.n = 0};
		size_t n_above = 0;

		if (classes->items[i]->kind != MR_LDAP_STRUCTURAL)
			continue;
		mr_ldap_class_closure(backend->schema, classes->items[i], &above);
		for (size_t j = 0; j < above.n; j++)
			n_above += above.items[j]->kind == MR_LDAP_STRUCTURAL;
		if (n_above == n_structural)
			return true;
	}
	return false;
}

static int reject(struct mr_backend *backend, const struct mr_change *change, mr_str dn,
        const char *what, mr_str name)
{
	mr_diags_at(backend->diags, MR_ERROR, RULE, &change->loc,
	        "entry '%.*s' would be refused: %s%s%.*s%s", MR_FMT(dn), what,
	        name.size ? " '" : "", MR_FMT(name), name.size ? "'" : "");
	return MR_E_REJECTED;
}

int mr_ldap_check_whole(
        struct mr_backend *backend, const struct mr_change *change, mr_str dn, mr_str body)
{
	struct mr_ldap_classes classes;
	const struct mr_ldap_type *missing;
	mr_str name;

	if (!mr_ldap_body_classes(backend, body, &classes))
		return reject(backend, change, dn, "it has no object class that the server knows",
		        MR_STR(""));
	if (!has_one_structure(backend, &classes))
		return reject(backend, change, dn,
		        "its object classes need exactly one structural class", MR_STR(""));
	missing = find_missing(&classes, body);
	if (missing)
		return reject(
		        backend, change, dn, "its object classes need attribute", missing->name);
	if (mr_ldap_find_forbidden(backend, &classes, body, &name))
		return reject(
		        backend, change, dn, "its object classes do not allow attribute", name);
	return 0;
}
