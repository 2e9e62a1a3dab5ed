/*
 * The server's own schema, read from its subschema entry (RFC 4512 4.2).
 *
 * Many attribute types have no matching rule or syntax of their own and inherit them (cn and member
 * among them), so both are resolved along SUP once at the start.
 */
#include "openldap/schema.h"

#include <stdlib.h>
#include <string.h>

#include <ldap_schema.h>

#include "base/digest.h"
#include "base/text.h"
#include "base/vec.h"

#define SUP_LIMIT  32
#define NEAR_LIMIT 2

struct name {
	mr_str text; /* lower case */
	size_t index;
};

struct names {
	struct name *items;
	size_t n;
	size_t capacity;
	const struct name **slots; /* found by hash: every attribute of every entry is looked up */
	size_t mask;
};

struct mr_ldap_schema {
	struct mr_arena *arena;
	struct mr_ldap_type *types;
	size_t n_types;
	struct mr_ldap_class *classes;
	size_t n_classes;
	struct names type_names, class_names; /* sorted; in the arena */
};

static const struct {
	const char *name;
	enum mr_ldap_rule rule;
} RULES[] = {
        {"caseIgnoreMatch", MR_LDAP_CASE_IGNORE},
        {"caseIgnoreIA5Match", MR_LDAP_CASE_IGNORE},
        {"caseIgnoreListMatch", MR_LDAP_CASE_IGNORE},
        {"caseExactMatch", MR_LDAP_CASE_EXACT},
        {"caseExactIA5Match", MR_LDAP_CASE_EXACT},
        {"numericStringMatch", MR_LDAP_NUMERIC},
        {"telephoneNumberMatch", MR_LDAP_TELEPHONE},
        {"distinguishedNameMatch", MR_LDAP_DN},
        {"uniqueMemberMatch", MR_LDAP_DN_AND_UID},
        {"objectIdentifierMatch", MR_LDAP_OID},
        {"generalizedTimeMatch", MR_LDAP_TIME},
        {"UUIDMatch", MR_LDAP_UUID},
        /* slapd accepts only the canonical form of these, so bytes are exact */
        {"integerMatch", MR_LDAP_BYTES},
        {"booleanMatch", MR_LDAP_BYTES},
        {"octetStringMatch", MR_LDAP_BYTES},
};

/* What nobody shall see, whatever the desired state says of it. */
static const char *const SENSITIVE[] = {"userPassword", "authPassword", "sambaNTPassword",
        "sambaLMPassword", "sambaPasswordHistory", "krbPrincipalKey", "krbMKey", "krbPwdHistory",
        "oathSecret", "userPKCS12", "nisSecretKey", "nisSecretkey", "pwdHistory", "olcRootPW",
        "goHardDrivePassword"};

/* Octets, certificates and pictures: no text to display. */
static const char *const BINARY_SYNTAXES[] = {"1.3.6.1.4.1.1466.115.121.1.4",
        "1.3.6.1.4.1.1466.115.121.1.5", "1.3.6.1.4.1.1466.115.121.1.8",
        "1.3.6.1.4.1.1466.115.121.1.9", "1.3.6.1.4.1.1466.115.121.1.10",
        "1.3.6.1.4.1.1466.115.121.1.23", "1.3.6.1.4.1.1466.115.121.1.28",
        "1.3.6.1.4.1.1466.115.121.1.40", "1.3.6.1.4.1.1466.115.121.1.49"};

static bool is_listed(mr_str text, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (mr_str_is(text, list[i]))
			return true;
	return false;
}

static int by_text(const void *a, const void *b)
{
	return mr_str_cmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

/* Where a name is, or the free slot where it would be. FNV-1a; half of the slots are free. */
static const struct name **slot_of(const struct names *names, mr_str lowered)
{
	uint32_t hash = 2166136261U;
	size_t at;

	for (size_t i = 0; i < lowered.size; i++)
		hash = (hash ^ (uint8_t)lowered.data[i]) * 16777619U;
	at = hash & names->mask;
	while (names->slots[at] && !mr_str_eq(names->slots[at]->text, lowered))
		at = (at + 1) & names->mask;
	return &names->slots[at];
}

static const struct name *find_name(const struct names *names, mr_str name)
{
	char lowered[128];
	struct name wanted = {.text = mr_str_take(name, mr_str_find(name, ';'))};

	if (wanted.text.size > sizeof lowered || !names->slots)
		return NULL;
	for (size_t i = 0; i < wanted.text.size; i++) {
		char c = wanted.text.data[i];

		lowered[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	wanted.text.data = lowered;
	return *slot_of(names, wanted.text);
}

static void add_names(
        struct mr_arena *arena, struct names *names, char **list, const char *oid, size_t index)
{
	for (size_t i = 0; list && list[i]; i++)
		mr_vec_push(
		        names, (struct name){mr_text_lower(arena, mr_str_from(list[i])), index});
	if (oid)
		mr_vec_push(names, (struct name){mr_text_lower(arena, mr_str_from(oid)), index});
}

/* Sorted, and from the heap into the arena. */
static void settle_names(struct mr_arena *arena, struct names *names)
{
	struct name *kept = mr_alloc_n(arena, names->n, sizeof *kept);
	size_t n_slots = 16;

	if (names->n)
		memcpy(kept, names->items, names->n * sizeof *kept);
	qsort(kept, names->n, sizeof *kept, by_text);
	free(names->items);
	names->items = kept;
	while (n_slots < 2 * names->n)
		n_slots *= 2;
	names->mask = n_slots - 1;
	names->slots = mr_alloc_n(arena, n_slots, sizeof *names->slots);
	for (size_t i = 0; i < names->n; i++)
		*slot_of(names, kept[i].text) = &kept[i];
}

static struct mr_strs copy_list(struct mr_arena *arena, char **list)
{
	struct mr_strs out = {0};

	while (list && list[out.n])
		out.n++;
	out.items = mr_alloc_n(arena, out.n, sizeof *out.items);
	for (size_t i = 0; i < out.n; i++)
		out.items[i] = mr_str_copy(arena, mr_str_from(list[i]));
	return out;
}

static struct mr_ldap_types find_types(const struct mr_ldap_schema *schema, char **list)
{
	struct mr_ldap_types out = {0};
	size_t n = 0;

	while (list && list[n])
		n++;
	out.items = mr_alloc_n(schema->arena, n, sizeof(struct mr_ldap_type *));
	for (size_t i = 0; i < n; i++) {
		const struct mr_ldap_type *type = mr_ldap_type_find(schema, mr_str_from(list[i]));

		if (type)
			out.items[out.n++] = type;
	}
	return out;
}

static mr_str first_name(struct mr_arena *arena, char **names, const char *oid)
{
	return mr_str_copy(arena, mr_str_from(names && names[0] ? names[0] : oid));
}

static void add_type(struct mr_ldap_schema *schema, const char *definition)
{
	const char *at;
	int code;
	LDAPAttributeType *parsed =
	        ldap_str2attributetype(definition, &code, &at, LDAP_SCHEMA_ALLOW_ALL);
	struct mr_ldap_type *type = &schema->types[schema->n_types];

	if (!parsed)
		return; /* what cannot be understood is unknown, which is an error where it is used
		         */
	type->name = first_name(schema->arena, parsed->at_names, parsed->at_oid);
	type->oid = mr_str_copy(schema->arena, mr_str_from(parsed->at_oid));
	type->sup = mr_str_copy(schema->arena, mr_str_from(parsed->at_sup_oid));
	type->equality = mr_str_copy(schema->arena, mr_str_from(parsed->at_equality_oid));
	type->syntax = mr_str_copy(schema->arena, mr_str_from(parsed->at_syntax_oid));
	type->is_single = parsed->at_single_value;
	type->is_read_only =
	        parsed->at_no_user_mod || parsed->at_usage != LDAP_SCHEMA_USER_APPLICATIONS;
	type->is_sensitive =
	        is_listed(type->name, SENSITIVE, sizeof SENSITIVE / sizeof SENSITIVE[0]);
	type->is_object_class = mr_str_is(type->oid, "2.5.4.0");
	add_names(schema->arena, &schema->type_names, parsed->at_names, parsed->at_oid,
	        schema->n_types++);
	ldap_attributetype_free(parsed);
}

static void add_class(struct mr_ldap_schema *schema, const char *definition)
{
	const char *at;
	int code;
	LDAPObjectClass *parsed =
	        ldap_str2objectclass(definition, &code, &at, LDAP_SCHEMA_ALLOW_ALL);
	struct mr_ldap_class *class = &schema->classes[schema->n_classes];

	if (!parsed)
		return;
	class->name = first_name(schema->arena, parsed->oc_names, parsed->oc_oid);
	class->oid = mr_str_copy(schema->arena, mr_str_from(parsed->oc_oid));
	class->kind = (enum mr_ldap_class_kind)parsed->oc_kind;
	class->sup = copy_list(schema->arena, parsed->oc_sup_oids);
	class->must = find_types(schema, parsed->oc_at_oids_must);
	class->may = find_types(schema, parsed->oc_at_oids_may);
	class->allows_all = mr_str_is(class->oid, "1.3.6.1.4.1.1466.101.120.111");
	add_names(schema->arena, &schema->class_names, parsed->oc_names, parsed->oc_oid,
	        schema->n_classes++);
	ldap_objectclass_free(parsed);
}

/* Rule and syntax from the nearest superior that has them. */
static void inherit(const struct mr_ldap_schema *schema, struct mr_ldap_type *type)
{
	mr_str sup = type->sup;

	for (size_t depth = 0; sup.size && depth < SUP_LIMIT; depth++) {
		const struct mr_ldap_type *above = mr_ldap_type_find(schema, sup);

		if (!above)
			break;
		if (!type->equality.size)
			type->equality = above->equality;
		if (!type->syntax.size)
			type->syntax = above->syntax;
		sup = above->sup;
	}
	for (size_t i = 0; i < sizeof RULES / sizeof RULES[0]; i++)
		if (mr_str_is(type->equality, RULES[i].name))
			type->rule = RULES[i].rule;
	type->is_binary = is_listed(type->syntax, BINARY_SYNTAXES,
	                          sizeof BINARY_SYNTAXES / sizeof BINARY_SYNTAXES[0]) &&
	                  !type->is_sensitive;
}

static void add_all(struct mr_ldap_schema *schema, struct berval **types, struct berval **classes)
{
	schema->types = mr_alloc_n(
	        schema->arena, (size_t)ldap_count_values_len(types), sizeof *schema->types);
	for (size_t i = 0; types && types[i]; i++)
		add_type(schema, types[i]->bv_val);
	settle_names(schema->arena, &schema->type_names);
	for (size_t i = 0; i < schema->n_types; i++)
		inherit(schema, &schema->types[i]);
	schema->classes = mr_alloc_n(
	        schema->arena, (size_t)ldap_count_values_len(classes), sizeof *schema->classes);
	for (size_t i = 0; classes && classes[i]; i++)
		add_class(schema, classes[i]->bv_val);
	settle_names(schema->arena, &schema->class_names);
}

int mr_ldap_schema_read(struct mr_ldap *ldap, mr_str subschema_dn, struct mr_arena *arena,
        struct mr_ldap_schema **out)
{
	char *attributes[] = {"attributeTypes", "objectClasses", NULL};
	LDAPMessage *answer = NULL;
	LDAPMessage *entry;
	int result = ldap_search_ext_s(ldap->handle, mr_str_copy(arena, subschema_dn).data,
	        LDAP_SCOPE_BASE, "(objectClass=subschema)", attributes, 0, NULL, NULL, NULL, 0,
	        &answer);

	entry = answer ? ldap_first_entry(ldap->handle, answer) : NULL;
	if (!result && entry) {
		struct mr_ldap_schema *schema = mr_alloc(arena, sizeof *schema);
		struct berval **types = ldap_get_values_len(ldap->handle, entry, "attributeTypes");
		struct berval **classes = ldap_get_values_len(ldap->handle, entry, "objectClasses");

		schema->arena = arena;
		add_all(schema, types, classes);
		ldap_value_free_len(types);
		ldap_value_free_len(classes);
		if (schema->n_types && schema->n_classes)
			*out = schema;
		else
			entry = NULL;
	}
	ldap_msgfree(answer);
	if (!result && entry)
		return 0;
	return mr_ldap_fail(ldap, MR_E_UNREADABLE, "read the schema", subschema_dn,
	        result ? result : LDAP_NO_RESULTS_RETURNED, NULL);
}

struct mr_ldap_type *mr_ldap_type_find(const struct mr_ldap_schema *schema, mr_str name)
{
	const struct name *found = find_name(&schema->type_names, name);

	return found ? &schema->types[found->index] : NULL;
}

const struct mr_ldap_class *mr_ldap_class_find(const struct mr_ldap_schema *schema, mr_str name)
{
	const struct name *found = find_name(&schema->class_names, name);

	return found ? &schema->classes[found->index] : NULL;
}

void mr_ldap_schema_hash_secrets(const struct mr_ldap_schema *schema, struct mr_hash *hash)
{
	for (size_t i = 0; i < schema->n_types; i++)
		if (schema->types[i].is_sensitive)
			mr_hash_add_sized(hash, schema->types[i].name);
}

static mr_str nearest(
        const struct names *names, struct mr_arena *arena, mr_str name, size_t *out_index)
{
	mr_str lowered = mr_text_lower(arena, mr_str_take(name, mr_str_find(name, ';')));
	mr_str best = {0};
	unsigned best_distance = NEAR_LIMIT + 1;

	for (size_t i = 0; i < names->n; i++) {
		unsigned distance = mr_text_distance(lowered, names->items[i].text, NEAR_LIMIT);

		if (distance >= best_distance || names->items[i].text.data[0] < 'a')
			continue;
		best_distance = distance;
		best = names->items[i].text;
		*out_index = names->items[i].index;
	}
	return best;
}

mr_str mr_ldap_type_nearest(const struct mr_ldap_schema *schema, mr_str name)
{
	size_t index = 0;

	return nearest(&schema->type_names, schema->arena, name, &index).size
	               ? schema->types[index].name
	               : (mr_str){0};
}

mr_str mr_ldap_class_nearest(const struct mr_ldap_schema *schema, mr_str name)
{
	size_t index = 0;

	return nearest(&schema->class_names, schema->arena, name, &index).size
	               ? schema->classes[index].name
	               : (mr_str){0};
}

static void add_to_closure(struct mr_ldap_classes *classes, const struct mr_ldap_class *class)
{
	for (size_t i = 0; i < classes->n; i++)
		if (classes->items[i] == class)
			return;
	if (classes->n < MR_LDAP_CLASS_LIMIT)
		classes->items[classes->n++] = class;
}

void mr_ldap_class_closure(const struct mr_ldap_schema *schema, const struct mr_ldap_class *start,
        struct mr_ldap_classes *classes)
{
	add_to_closure(classes, start);
	for (size_t i = 0; i < classes->n; i++) {
		for (size_t j = 0; j < classes->items[i]->sup.n; j++) {
			const struct mr_ldap_class *above =
			        mr_ldap_class_find(schema, classes->items[i]->sup.items[j]);

			if (above)
				add_to_closure(classes, above);
		}
	}
}
