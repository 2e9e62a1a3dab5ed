/*
 * Entries judged by the server's schema.
 *
 * A mistake found here has the place of its declaration and leaves the directory alone; slapd would
 * find it in the middle of an apply.
 */
#include "openldap/check.h"

#include <ldap.h>

#include "openldap/compare.h"
#include "openldap/syntax.h"

#define RULE "MR-LDAP-SCHEMA"

static mr_str options_of(mr_str name)
{
	return mr_str_skip(name, mr_str_find(name, ';'));
}

static bool is_boolean_type(const struct mr_ldap_type *type)
{
	return mr_str_is(type->syntax, "1.3.6.1.4.1.1466.115.121.1.7");
}

int mr_ldap_naming_read(const struct mr_backend *backend, mr_str dn, struct mr_arena *arena,
        struct mr_ldap_naming *out)
{
	LDAPDN parsed = NULL;
	LDAPRDN rdn;
	int code = 0;

	out->n = 0;
	if (ldap_str2dn(mr_str_copy(arena, dn).data, &parsed, LDAP_DN_FORMAT_LDAPV3) || !parsed)
		return MR_E_INVALID;
	rdn = parsed[0];
	for (size_t i = 0; rdn[i] && !code; i++) {
		mr_str name = {rdn[i]->la_attr.bv_val, rdn[i]->la_attr.bv_len};
		const struct mr_ldap_type *type = mr_ldap_type_find(backend->schema, name);

		if (!type || i == MR_LDAP_NAMING_LIMIT) {
			code = MR_E_INVALID;
			continue;
		}
		if (rdn[i]->la_flags & LDAP_AVA_BINARY)
			continue; /* the value stands there in BER: only the server can tell its
			             text */
		out->items[out->n].type = type;
		out->items[out->n++].value = mr_str_copy(
		        arena, (mr_str){rdn[i]->la_value.bv_val, rdn[i]->la_value.bv_len});
	}
	ldap_dnfree(parsed);
	return code;
}

static mr_str canonical_name(struct mr_arena *arena, const struct mr_ldap_type *type, mr_str name)
{
	mr_str options = options_of(name);
	mr_str out;

	if (!options.size)
		return type->name;
	out = mr_str_printf(arena, "%.*s%.*s", MR_FMT(type->name), MR_FMT(options));
	for (size_t i = type->name.size; i < out.size; i++)
		if (out.data[i] >= 'A' && out.data[i] <= 'Z')
			((char *)out.data)[i] |= 0x20;
	return out;
}

/* YAML's true is the directory's TRUE. */
static mr_str convert_value(const struct mr_ldap_type *type, mr_str value)
{
	if (is_boolean_type(type) && mr_str_is(value, "true"))
		return MR_STR("TRUE");
	if (is_boolean_type(type) && mr_str_is(value, "false"))
		return MR_STR("FALSE");
	return value;
}

static int convert_attribute(const struct mr_ldap_type *type, const struct mr_attr *attr,
        mr_str name, struct mr_attrs_builder *builder)
{
	unsigned flags = attr->flags | (type->is_sensitive ? MR_ATTR_SENSITIVE : 0U);
	mr_str rest = attr->encoded_values;
	mr_str value;
	int code;

	mr_attrs_begin(builder, name, flags);
	while ((code = mr_attr_value_next(&rest, &value)) == 1)
		mr_attrs_value(builder, convert_value(type, value));
	return code;
}

#define ATTRIBUTE_LIMIT 512

int mr_ldap_body_convert(struct mr_backend *backend, mr_str body, struct mr_attrs_builder *builder,
        mr_str *out, mr_str *out_name)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	mr_str seen[ATTRIBUTE_LIMIT];
	size_t n_seen = 0;
	struct mr_attr attr;
	mr_str rest = body;
	int code;

	mr_attrs_builder_clear(builder);
	while ((code = mr_attrs_next(&rest, &attr)) == 1) {
		const struct mr_ldap_type *type = mr_ldap_type_find(backend->schema, attr.name);

		*out_name = attr.name;
		if (!type || n_seen == ATTRIBUTE_LIMIT)
			return MR_E_INVALID;
		seen[n_seen] = canonical_name(&arena, type, attr.name);
		for (size_t i = 0; i < n_seen; i++)
			if (mr_str_eq(seen[i], seen[n_seen]))
				return MR_E_INVALID;
		code = convert_attribute(type, &attr, seen[n_seen++], builder);
		if (code)
			return code;
	}
	if (!code)
		*out = mr_attrs_finish(builder);
	return code;
}

static void report(struct mr_backend *backend, const struct mr_ldap_entry *entry, const char *text,
        mr_str attribute)
{
	mr_diags_at(backend->diags, MR_ERROR, RULE, &entry->loc,
	        "entry '%.*s': attribute '%.*s' %s", MR_FMT(entry->dn), MR_FMT(attribute), text);
}

static void report_unknown(
        struct mr_backend *backend, const struct mr_ldap_entry *entry, mr_str attribute)
{
	mr_str nearest = mr_ldap_type_nearest(backend->schema, attribute);

	report(backend, entry, "is not in the server's schema", attribute);
	if (nearest.size)
		mr_diags_hint(backend->diags, "did you mean '%.*s'?", MR_FMT(nearest));
}

static void check_class(struct mr_backend *backend, const struct mr_ldap_entry *entry, mr_str value)
{
	mr_str nearest;

	if (mr_ldap_class_find(backend->schema, value))
		return;
	mr_diags_at(backend->diags, MR_ERROR, RULE, &entry->loc,
	        "entry '%.*s': object class '%.*s' is not in the server's schema",
	        MR_FMT(entry->dn), MR_FMT(value));
	nearest = mr_ldap_class_nearest(backend->schema, value);
	if (nearest.size)
		mr_diags_hint(backend->diags, "did you mean '%.*s'?", MR_FMT(nearest));
}

static void check_value(struct mr_backend *backend, const struct mr_ldap_entry *entry,
        const struct mr_ldap_type *type, const struct mr_attr *attr, mr_str value)
{
	const char *wanted = mr_ldap_syntax_wants(type->syntax, convert_value(type, value));
	mr_str shown = attr->flags & (MR_ATTR_SENSITIVE | MR_ATTR_BINARY) || type->is_sensitive
	                       ? MR_STR("(not shown)")
	                       : value;

	if (type->is_object_class)
		check_class(backend, entry, value);
	else if (wanted)
		mr_diags_at(backend->diags, MR_ERROR, RULE, &entry->loc,
		        "entry '%.*s': attribute '%.*s' must be %s: '%.*s'", MR_FMT(entry->dn),
		        MR_FMT(attr->name), wanted, MR_FMT(shown));
}

/* Certificates travel as "userCertificate;binary" only (RFC 4522, RFC 4523). */
static bool wants_binary_option(const struct mr_ldap_type *type)
{
	return mr_str_is(type->syntax, "1.3.6.1.4.1.1466.115.121.1.8") ||
	       mr_str_is(type->syntax, "1.3.6.1.4.1.1466.115.121.1.9") ||
	       mr_str_is(type->syntax, "1.3.6.1.4.1.1466.115.121.1.10");
}

static void check_attribute(
        struct mr_backend *backend, const struct mr_ldap_entry *entry, const struct mr_attr *attr)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	struct mr_ldap_type *type = mr_ldap_type_find(backend->schema, attr->name);
	struct mr_ldap_values values;
	mr_str rest = attr->encoded_values;
	mr_str value;

	if (!type) {
		report_unknown(backend, entry, attr->name);
		return;
	}
	/* live values of what is declared as a secret somewhere are secrets too */
	type->is_sensitive = type->is_sensitive || attr->flags & MR_ATTR_SENSITIVE;
	if (type->is_read_only)
		report(backend, entry, "is kept by the server itself and cannot be declared",
		        attr->name);
	if (type->is_single && attr->n_values > 1)
		report(backend, entry, "takes one value only", attr->name);
	if (wants_binary_option(type) && !options_of(attr->name).size)
		report(backend, entry, "must be declared with ';binary'", attr->name);
	while (mr_attr_value_next(&rest, &value) == 1)
		check_value(backend, entry, type, attr, value);
	if (attr->n_values > 1 &&
	        !mr_ldap_values_read(backend->schema, type, attr, &arena, &values) &&
	        values.n < values.n_given)
		report(backend, entry, "has two values that are the same to the server",
		        attr->name);
}

/* "cn=staff,…" must have the value staff in cn when cn is declared at all. */
static void check_naming(struct mr_backend *backend, const struct mr_ldap_entry *entry, mr_str body)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	MR_DONE(buf) struct mr_buf buf = MR_BUF_INIT;
	struct mr_ldap_naming naming;

	if (mr_ldap_naming_read(backend, entry->dn, &arena, &naming)) {
		mr_diags_at(backend->diags, MR_ERROR, RULE, &entry->loc,
		        "entry '%.*s': its name holds an attribute that is not in the server's "
		        "schema",
		        MR_FMT(entry->dn));
		return;
	}
	for (size_t i = 0; i < naming.n; i++) {
		const struct mr_ldap_type *type = naming.items[i].type;
		struct mr_ldap_values values;
		struct mr_attr attr;

		if (!mr_attrs_find(body, type->name, &attr))
			continue;
		mr_buf_clear(&buf);
		mr_ldap_value_canonical(backend->schema, type, naming.items[i].value, &buf);
		if (!mr_ldap_values_read(backend->schema, type, &attr, &arena, &values) &&
		        !mr_ldap_values_has(&values, mr_buf_str(&buf)))
			report(backend, entry, "lacks the value that the entry's name has",
			        type->name);
	}
}

int mr_ldap_check_declared(struct mr_backend *backend, const struct mr_ldap_entry *entry)
{
	struct mr_attrs_builder builder;
	size_t n_errors = backend->diags->n_errors;
	struct mr_ldap_classes classes;
	struct mr_attr attr;
	mr_str rest = entry->body;
	mr_str name = {0};
	mr_str body = {0};

	while (mr_attrs_next(&rest, &attr) == 1)
		check_attribute(backend, entry, &attr);
	mr_attrs_builder_init(&builder);
	if (backend->diags->n_errors == n_errors &&
	        mr_ldap_body_convert(backend, entry->body, &builder, &body, &name))
		report(backend, entry, "stands there twice, under two of its names", name);
	else if (backend->diags->n_errors == n_errors) {
		check_naming(backend, entry, body);
		if (mr_ldap_body_classes(backend, body, &classes) &&
		        mr_ldap_find_forbidden(backend, &classes, body, &name))
			report(backend, entry, "is allowed by none of the entry's object classes",
			        name);
	}
	mr_attrs_builder_done(&builder);
	return backend->diags->n_errors == n_errors ? 0 : MR_E_INVALID;
}
