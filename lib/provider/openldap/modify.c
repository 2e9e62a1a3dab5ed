/*
 * From changes of items to LDAP modifications.
 *
 * The least that does it: single values are added and removed where the server can tell them apart,
 * so that a large group is not sent whole; otherwise the attribute is replaced.
 */
#include "openldap/modify.h"

#include "openldap/check.h"
#include "openldap/compare.h"

#define SPELLING_LIMIT 256

struct list {
	LDAPMod **items; /* NULL-terminated; room for two an attribute, and the naming ones */
	size_t n;
};

static size_t count_attributes(mr_str body)
{
	struct mr_attr attr;
	size_t n = 0;

	while (mr_attrs_next(&body, &attr) == 1)
		n++;
	return n;
}

static struct list list_new(struct mr_arena *arena, mr_str body)
{
	return (struct list){
	        .items = mr_alloc_n(arena, 2 * count_attributes(body) + MR_LDAP_NAMING_LIMIT + 1,
	                sizeof(LDAPMod *))};
}

/* The values of from that are not in without (NULL: all). */
static LDAPMod *modification(struct mr_arena *arena, int kind, mr_str name,
        const struct mr_ldap_values *from, const struct mr_ldap_values *without)
{
	LDAPMod *mod = mr_alloc(arena, sizeof *mod);
	struct berval **values = mr_alloc_n(arena, from->n + 1, sizeof(struct berval *));
	size_t n = 0;

	for (size_t i = 0; i < from->n; i++) {
		mr_str text = from->items[i].text;

		if (without && mr_ldap_values_has(without, from->items[i].canonical))
			continue;
		values[n] = mr_alloc(arena, sizeof *values[n]);
		*values[n++] = (struct berval){.bv_len = text.size, .bv_val = (char *)text.data};
	}
	mod->mod_op = kind | LDAP_MOD_BVALUES;
	mod->mod_type = (char *)mr_str_copy(arena, name).data;
	mod->mod_bvalues = n ? values : NULL;
	return mod;
}

static size_t count_missing(const struct mr_ldap_values *from, const struct mr_ldap_values *in)
{
	size_t n = 0;

	for (size_t i = 0; i < from->n; i++)
		n += !mr_ldap_values_has(in, from->items[i].canonical);
	return n;
}

/* Some value is written otherwise, though it means the same. */
static bool is_spelled_anew(const struct mr_ldap_values *live, const struct mr_ldap_values *wanted)
{
	size_t i = 0;

	for (size_t j = 0; j < wanted->n && wanted->n <= SPELLING_LIMIT; j++) {
		while (i < live->n &&
		        mr_str_cmp(live->items[i].canonical, wanted->items[j].canonical) < 0)
			i++;
		if (i < live->n &&
		        mr_str_eq(live->items[i].canonical, wanted->items[j].canonical) &&
		        !mr_str_eq(live->items[i].text, wanted->items[j].text))
			return true;
	}
	return false;
}

/* Superior classes are implied on both sides: what the other set implies is neither added nor
 * removed. */
static int add_implied(
        struct mr_backend *backend, struct mr_ldap_values *values, struct mr_arena *arena)
{
	struct mr_attrs_builder builder;
	struct mr_ldap_classes closure = {.n = 0};
	struct mr_attr attr = {0};
	int code = 0;

	for (size_t i = 0; i < values->n; i++) {
		const struct mr_ldap_class *class =
		        mr_ldap_class_find(backend->schema, values->items[i].text);

		if (class)
			mr_ldap_class_closure(backend->schema, class, &closure);
	}
	mr_attrs_builder_init(&builder);
	mr_attrs_begin(&builder, MR_STR("objectClass"), 0);
	for (size_t i = 0; i < closure.n; i++)
		mr_attrs_value(&builder, closure.items[i]->name);
	if (mr_attrs_find(
	            mr_str_copy(arena, mr_attrs_finish(&builder)), MR_STR("objectClass"), &attr))
		code = mr_ldap_values_read(backend->schema,
		        mr_ldap_type_find(backend->schema, attr.name), &attr, arena, values);
	mr_attrs_builder_done(&builder);
	return code;
}

static int change_classes(struct mr_backend *backend, struct mr_arena *arena, mr_str name,
        const struct mr_ldap_values *live, const struct mr_ldap_values *wanted, struct list *list)
{
	struct mr_ldap_values live_all = *live;
	struct mr_ldap_values wanted_all = *wanted;
	int code = add_implied(backend, &live_all, arena);

	if (!code)
		code = add_implied(backend, &wanted_all, arena);
	if (code)
		return code;
	if (count_missing(live, &wanted_all))
		list->items[list->n++] =
		        modification(arena, LDAP_MOD_DELETE, name, live, &wanted_all);
	if (count_missing(wanted, &live_all))
		list->items[list->n++] = modification(arena, LDAP_MOD_ADD, name, wanted, &live_all);
	return 0;
}

static int change_attribute(struct mr_backend *backend, mr_str live_body,
        const struct mr_attr *attr, bool wants_spelling, struct mr_arena *arena, struct list *list)
{
	const struct mr_ldap_type *type = mr_ldap_type_find(backend->schema, attr->name);
	struct mr_ldap_values live;
	struct mr_ldap_values wanted;
	struct mr_attr found;
	bool is_there = mr_attrs_find(live_body, attr->name, &found);
	size_t n_changes;
	bool is_respelled;

	if (mr_ldap_values_read(backend->schema, type, is_there ? &found : NULL, arena, &live) ||
	        mr_ldap_values_read(backend->schema, type, attr, arena, &wanted))
		return mr_fail(backend->diags, MR_E_FAILED, "attribute '%.*s' is damaged",
		        MR_FMT(attr->name));
	if (type && type->is_object_class && live.n && wanted.n)
		return change_classes(backend, arena, attr->name, &live, &wanted, list);
	n_changes = count_missing(&wanted, &live) + count_missing(&live, &wanted);
	is_respelled = is_spelled_anew(&live, &wanted) &&
	               (wants_spelling || (n_changes && type && type->rule != MR_LDAP_DN));
	if (!n_changes && !is_respelled)
		return 0;
	if (!type || !type->equality.size || is_respelled || n_changes >= wanted.n) {
		list->items[list->n++] =
		        modification(arena, LDAP_MOD_REPLACE, attr->name, &wanted, NULL);
		return 0;
	}
	if (count_missing(&live, &wanted))
		list->items[list->n++] =
		        modification(arena, LDAP_MOD_DELETE, attr->name, &live, &wanted);
	if (count_missing(&wanted, &live))
		list->items[list->n++] =
		        modification(arena, LDAP_MOD_ADD, attr->name, &wanted, &live);
	return 0;
}

int mr_ldap_modifications(struct mr_backend *backend, mr_str live, mr_str after,
        bool wants_spelling, struct mr_arena *arena, LDAPMod ***out)
{
	struct list list = list_new(arena, after);
	struct mr_attr attr;
	int code;

	while ((code = mr_attrs_next(&after, &attr)) == 1) {
		code = change_attribute(backend, live, &attr, wants_spelling, arena, &list);
		if (code)
			return code;
	}
	if (!code)
		*out = list.items;
	return code;
}

static int add_naming(struct mr_backend *backend, mr_str dn, mr_str after, struct mr_arena *arena,
        struct list *list)
{
	struct mr_ldap_naming naming;
	struct mr_attr attr;

	if (mr_ldap_naming_read(backend, dn, arena, &naming))
		return mr_fail(backend->diags, MR_E_FAILED,
		        "entry '%.*s' has no name the server knows", MR_FMT(dn));
	for (size_t i = 0; i < naming.n; i++) {
		struct mr_ldap_value value = {.text = naming.items[i].value};
		struct mr_ldap_values values = {.items = &value, .n = 1};

		if (!mr_attrs_find(after, naming.items[i].type->name, &attr))
			list->items[list->n++] = modification(
			        arena, LDAP_MOD_ADD, naming.items[i].type->name, &values, NULL);
	}
	return 0;
}

int mr_ldap_addition(
        struct mr_backend *backend, mr_str dn, mr_str after, struct mr_arena *arena, LDAPMod ***out)
{
	struct list list = list_new(arena, after);
	struct mr_ldap_values values;
	struct mr_attr attr;
	mr_str rest = after;

	while (mr_attrs_next(&rest, &attr) == 1) {
		const struct mr_ldap_type *type = mr_ldap_type_find(backend->schema, attr.name);

		if (!attr.n_values)
			continue;
		if (mr_ldap_values_read(backend->schema, type, &attr, arena, &values))
			return mr_fail(backend->diags, MR_E_FAILED, "attribute '%.*s' is damaged",
			        MR_FMT(attr.name));
		list.items[list.n++] = modification(arena, LDAP_MOD_ADD, attr.name, &values, NULL);
	}
	*out = list.items;
	return add_naming(backend, dn, after, arena, &list);
}
