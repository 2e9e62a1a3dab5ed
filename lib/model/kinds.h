/*
 * The tables of the language: every kind of object, its attributes, their types and what they mean.
 *
 * One .def file a kind (model/kinds/) is the only place where an attribute is named. Parsing, "did
 * you mean", display, the JSON Schema and the reference page are made from it.
 */
#ifndef MR_MODEL_KINDS_H
#define MR_MODEL_KINDS_H

#include "base/digest.h"
#include "base/str.h"

/* X(type, what a message says it must be, JSON Schema definition) */
#define MR_TYPES(X)                                                                                \
	X(TEXT, "one line of text", "line")                                                        \
	X(LINES, "text", "text")                                                                   \
	X(BOOL, "true or false", "bool")                                                           \
	X(COUNT, "a whole number", "count")                                                        \
	X(SIZE, "a size such as 512M or 5G", "size")                                               \
	X(QUOTA, "a size such as 512M or 5G, or unlimited", "quota")                               \
	X(DURATION, "a duration such as 12h or 90d", "duration")                                   \
	X(DATE, "a date such as 2027-03-31", "date")                                               \
	X(WORD, "one of", "word")                                                                  \
	X(WORDS, "a list of", "words")                                                             \
	X(HOST, "a host name of at least two labels", "host")                                      \
	X(ADDRESS, "a local part or a mail address", "address")                                    \
	X(ADDRESSES, "a list of local parts or mail addresses", "addresses")                       \
	X(NETS, "a list of networks such as 192.0.2.0/24", "nets")                                 \
	X(OWNER, "a user and a group such as vmail:vmail", "owner")                                \
	X(PATH, "an absolute path", "path")                                                        \
	X(PASSWORD, "{SCHEME}hash or {secret: NAME}", "password")                                  \
	X(TRANSPORT, "transport:nexthop", "transport")                                             \
	X(NAMES, "a list of names", "names")                                                       \
	X(ANY, "anything", "any")

enum mr_type {
#define MR_TYPE_VALUE(name, what, schema) MR_TYPE_##name,
	MR_TYPES(MR_TYPE_VALUE)
#undef MR_TYPE_VALUE
	        MR_TYPE_COUNT_
};

enum mr_field_flags {
	MR_FIELD_OPEN = 1,       /* no {secret: NAME}: its value is a name that is shown, or decides
	                            what else may be said */
	MR_FIELD_UNENFORCED = 2, /* known, but no configured backend can enforce it */
	MR_FIELD_UNSUPPORTED = 4, /* known, but not in this version */
	MR_FIELD_MAILBOX = 8,     /* only for domains of these kinds */
	MR_FIELD_ALIAS = 16,
	MR_FIELD_RELAY = 32,
	MR_FIELD_REQUIRED = 64,
};

/* One attribute. Nested mappings are written with a dot: "forward.to". */
struct mr_field {
	const char *name;
	enum mr_type type;
	unsigned flags;
	const char *words; /* WORD and WORDS: separated by blanks, '!' before one that this version
	                      does not support; BOOL: NULL, or which of the two is supported */
	const char *meaning;
};

#define MR_FIELD_ID(member, type, name, flags, words, meaning) MR_F_##member,
enum mr_user_field {
#include "model/kinds/user.def"
	MR_USER_FIELDS
};
enum mr_domain_field {
#include "model/kinds/domain.def"
	MR_DOMAIN_FIELDS
};
enum mr_alias_field {
#include "model/kinds/alias.def"
	MR_ALIAS_FIELDS
};
enum mr_accounts_field {
#include "model/kinds/accounts.def"
	MR_ACCOUNTS_FIELDS
};
enum mr_table_field {
#include "model/kinds/table.def"
	MR_TABLE_FIELDS
};
enum mr_tree_field {
#include "model/kinds/tree.def"
	MR_TREE_FIELDS
};
enum mr_host_field {
#include "model/kinds/host.def"
	MR_HOST_FIELDS
};
enum mr_waiver_field {
#include "model/kinds/waiver.def"
	MR_WAIVER_FIELDS
};
#undef MR_FIELD_ID

/* In a domain's own leaves: the attributes of its "defaults" stand behind its own. */
#define MR_DOMAIN_DEFAULTS 64

/* X(name, what the key of one is, title): the order is that of the rows in the store. */
#define MR_KINDS(X)                                                                                \
	X(accounts, "", "where users live on the servers")                                         \
	X(defaults, "", "attributes for the users of every domain")                                \
	X(domain, "domain", "a mail domain")                                                       \
	X(user, "local part", "a mailbox and its log-in")                                          \
	X(alias, "local part", "an address that stands for others")                                \
	X(transport, "transport(5) key", "a route")                                                \
	X(parameter, "parameter name", "a parameter of main.cf")                                   \
	X(table, "table name", "a further lookup table")                                           \
	X(table_row, "lookup key", "a row of a lookup table")                                      \
	X(setting, "setting path", "a setting of Dovecot")                                         \
	X(ldap_tree, "distinguished name", "a part of the directory that may be touched")          \
	X(ldap_entry, "distinguished name", "an entry of the directory")                           \
	X(role, "role name", "an overlay that hosts name")                                         \
	X(host, "host name", "a host and its overlay")                                             \
	X(policy, "", "the rails")                                                                 \
	X(limit, "rail", "how much one change may do")                                             \
	X(waiver, "", "a rule that is waived for one object")                                      \
	X(window, "action", "when something may be done")                                          \
	X(secret, "secret name", "a secret that is referred to")

enum mr_kind_id {
	MR_KIND_NONE,
#define MR_KIND_VALUE(name, key, title) MR_KIND_##name,
	MR_KINDS(MR_KIND_VALUE)
#undef MR_KIND_VALUE
	        MR_KIND_COUNT
};

struct mr_kind {
	const char *name;
	const char *key; /* what its key is; empty: there is one of it */
	const char *title;
	const struct mr_field *fields; /* NULL: a single value, or names of its own */
	size_t n_fields;
};

const struct mr_kind *mr_kind_get(enum mr_kind_id id);
/* Whether {secret: NAME} may stand for the field. */
bool mr_field_may_be_secret(const struct mr_field *field);
/* Index of the field, or n_fields. */
size_t mr_kind_find(const struct mr_kind *kind, mr_str name);
/* The word of a blank-separated list that is nearest; the empty view when none is near. */
mr_str mr_words_nearest(const char *words, mr_str name);
/* Position of word in the list, or -1; *out_unsupported tells whether it carries a '!'. */
int mr_words_find(const char *words, mr_str word, bool *out_unsupported);
/* What a value of this type must be, for messages. */
const char *mr_type_text(enum mr_type type);
/* Name of the type's definition in the JSON Schema. */
const char *mr_type_schema(enum mr_type type);
/* Digest of all tables and of the program's version: part of the key of cached rows. */
struct mr_digest mr_kinds_digest(void);

#endif
