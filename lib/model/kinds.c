/*
 * The tables of the language, made from model/kinds, and looking things up in them.
 */
#include "model/kinds.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define MR_FIELD_ID(member, type, name, flags, words, meaning)                                     \
	{name, MR_TYPE_##type, flags, words, meaning},
static const struct mr_field user_fields[] = {
#include "model/kinds/user.def"
};
static const struct mr_field domain_fields[] = {
#include "model/kinds/domain.def"
};
static const struct mr_field alias_fields[] = {
#include "model/kinds/alias.def"
};
static const struct mr_field accounts_fields[] = {
#include "model/kinds/accounts.def"
};
static const struct mr_field table_fields[] = {
#include "model/kinds/table.def"
};
static const struct mr_field ldap_tree_fields[] = {
#include "model/kinds/tree.def"
};
static const struct mr_field host_fields[] = {
#include "model/kinds/host.def"
};
static const struct mr_field waiver_fields[] = {
#include "model/kinds/waiver.def"
};
#undef MR_FIELD_ID

/* The fields of each kind; a kind without a line here has none. */
#define FIELDS_accounts   accounts_fields, sizeof accounts_fields / sizeof *accounts_fields
#define FIELDS_defaults   user_fields, sizeof user_fields / sizeof *user_fields
#define FIELDS_domain     domain_fields, sizeof domain_fields / sizeof *domain_fields
#define FIELDS_user       user_fields, sizeof user_fields / sizeof *user_fields
#define FIELDS_alias      alias_fields, sizeof alias_fields / sizeof *alias_fields
#define FIELDS_transport  NULL, 0
#define FIELDS_parameter  NULL, 0
#define FIELDS_table      table_fields, sizeof table_fields / sizeof *table_fields
#define FIELDS_table_row  NULL, 0
#define FIELDS_setting    NULL, 0
#define FIELDS_ldap_tree  ldap_tree_fields, sizeof ldap_tree_fields / sizeof *ldap_tree_fields
#define FIELDS_ldap_entry NULL, 0
#define FIELDS_role       NULL, 0
#define FIELDS_host       host_fields, sizeof host_fields / sizeof *host_fields
#define FIELDS_policy     NULL, 0
#define FIELDS_limit      NULL, 0
#define FIELDS_waiver     waiver_fields, sizeof waiver_fields / sizeof *waiver_fields
#define FIELDS_window     NULL, 0
#define FIELDS_secret     NULL, 0
static const struct mr_kind kinds[MR_KIND_COUNT] = {
#define KIND(name, key, title) [MR_KIND_##name] = {#name, key, title, FIELDS_##name},
        MR_KINDS(KIND)
#undef KIND
};

static const char *const type_texts[MR_TYPE_COUNT_] = {
#define TEXT(name, what, schema) [MR_TYPE_##name] = (what),
        MR_TYPES(TEXT)
#undef TEXT
};

static const char *const type_schemas[MR_TYPE_COUNT_] = {
#define SCHEMA(name, what, schema) [MR_TYPE_##name] = (schema),
        MR_TYPES(SCHEMA)
#undef SCHEMA
};

_Static_assert(
        (int)MR_USER_FIELDS < MR_DOMAIN_DEFAULTS && (int)MR_DOMAIN_FIELDS < MR_DOMAIN_DEFAULTS,
        "leaf ids of a domain and of its defaults must not meet");

const struct mr_kind *mr_kind_get(enum mr_kind_id id)
{
	return &kinds[id];
}

bool mr_field_may_be_secret(const struct mr_field *field)
{
	switch (field->type) {
	case MR_TYPE_WORD:
	case MR_TYPE_WORDS:
	case MR_TYPE_NAMES:
	case MR_TYPE_HOST:
		return false;
	default:
		return !(field->flags & MR_FIELD_OPEN);
	}
}

size_t mr_kind_find(const struct mr_kind *kind, mr_str name)
{
	for (size_t i = 0; i < kind->n_fields; i++) {
		const char *field = kind->fields[i].name;

		if (name.size && field[0] == name.data[0] && mr_str_is(name, field))
			return i;
	}
	return kind->n_fields;
}

/* How far a word may be from what was written to be worth naming; letters in the wrong order count
 * twice. */
static unsigned nearness_limit(mr_str name)
{
	return name.size < 4 ? 1 : name.size < 9 ? 2 : name.size > 12 ? 4 : 3;
}

mr_str mr_words_nearest(const char *words, mr_str name)
{
	unsigned best = nearness_limit(name) + 1;
	mr_str rest = mr_str_from(words), found = {0};

	while (rest.data) {
		mr_str word = mr_str_split(&rest, ' ');
		unsigned distance;

		if (mr_str_starts(word, MR_STR("!")))
			word = mr_str_skip(word, 1);
		distance = mr_text_distance(name, word, best);
		if (distance < best) {
			best = distance;
			found = word;
		}
	}
	return found;
}

int mr_words_find(const char *words, mr_str word, bool *out_unsupported)
{
	mr_str rest = mr_str_from(words);

	for (int i = 0; rest.data; i++) {
		mr_str known = mr_str_split(&rest, ' ');
		bool is_unsupported = mr_str_starts(known, MR_STR("!"));

		if (is_unsupported)
			known = mr_str_skip(known, 1);
		if (mr_str_eq(known, word)) {
			if (out_unsupported)
				*out_unsupported = is_unsupported;
			return i;
		}
	}
	return -1;
}

const char *mr_type_text(enum mr_type type)
{
	return type_texts[type];
}

const char *mr_type_schema(enum mr_type type)
{
	return type_schemas[type];
}

struct mr_digest mr_kinds_digest(void)
{
	struct mr_hash hash;

	mr_hash_init(&hash);
	mr_hash_add_sized(&hash, MR_STR(MR_VERSION " rows 1"));
	for (enum mr_kind_id id = MR_KIND_NONE + 1; id < MR_KIND_COUNT; id++) {
		const struct mr_kind *kind = mr_kind_get(id);

		mr_hash_add_sized(&hash, mr_str_from(kind->name));
		for (size_t i = 0; i < kind->n_fields; i++) {
			const struct mr_field *field = &kind->fields[i];
			char numbers[32];

			(void)snprintf(
			        numbers, sizeof numbers, "%d %u", (int)field->type, field->flags);
			mr_hash_add_sized(&hash, mr_str_from(field->name));
			mr_hash_add_sized(&hash, mr_str_from(numbers));
			mr_hash_add_sized(&hash, mr_str_from(field->words));
		}
	}
	return mr_hash_final(&hash);
}
