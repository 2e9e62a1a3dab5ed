/*
 * The host's configuration: the table host.def against the pairs of agent.yaml.
 */
#include "session/host.h"

#include <limits.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "session/host_yaml.h"

enum { LARGEST_COUNT = 1000000 };

enum key_type { KEY_TEXT, KEY_ADDRESS, KEY_PATH, KEY_FLAG, KEY_DURATION, KEY_COUNT, KEY_CHOICE };

struct key {
	const char *section;
	const char *name;
	enum key_type type;
	size_t offset;
	const char *
	        otherwise; /* the default; of a CHOICE the words, the default first (blank: none) */
	const char *meaning;
};

static const struct key keys[] = {
#define MR_KEY(section, name, type, member, otherwise, meaning)                                    \
	{section, name, KEY_##type, offsetof(struct mr_host, member), otherwise, meaning},
#include "session/host.def"
#undef MR_KEY
};

enum { N_KEYS = sizeof keys / sizeof keys[0] };

struct loading {
	struct mr_diags *diags;
	struct mr_arena *arena;
	struct mr_host *host;
};

/* The first word of a list of words; the list begins with a blank when there is no default. */
static mr_str first_word(const char *words)
{
	return mr_str_take(mr_str_from(words), strcspn(words, " "));
}

static bool has_word(const char *words, mr_str word)
{
	mr_str rest = mr_str_from(words);

	while (rest.data)
		if (mr_str_eq(mr_str_split(&rest, ' '), word))
			return word.size > 0;
	return false;
}

static void *member_of(const struct loading *loading, const struct key *key)
{
	return (char *)loading->host + key->offset;
}

/* A CHOICE whose member is a flag is true for the words that it is named after. */
static bool is_flag_choice(const struct key *key)
{
	return key->offset == offsetof(struct mr_host, ldap.is_external_bind) ||
	       key->offset == offsetof(struct mr_host, services_are_direct);
}

static const char *store_choice(const struct loading *loading, const struct key *key, mr_str value)
{
	if (value.size > 0 && !has_word(key->otherwise, value))
		return "is none of the words that are known here";
	if (is_flag_choice(key))
		*(bool *)member_of(loading, key) =
		        mr_str_is(value, "external") || mr_str_is(value, "direct");
	else
		*(mr_str *)member_of(loading, key) = value;
	return NULL;
}

/* HOST:PORT; the host may be an IPv6 address in brackets. */
static bool is_address(mr_str value)
{
	size_t colon = mr_str_rfind(value, ':');
	uint64_t port = 0;

	return colon > 0 && colon < value.size &&
	       mr_number_parse(mr_str_skip(value, colon + 1), 65535, &port) == 0 && port > 0;
}

/* NULL, or why the value does not fit. */
static const char *store(const struct loading *loading, const struct key *key, mr_str value)
{
	switch (key->type) {
	case KEY_ADDRESS:
		*(mr_str *)member_of(loading, key) = value;
		return value.size == 0 || is_address(value) ? NULL : "is no HOST:PORT";
	case KEY_PATH:
		if (value.size > 0 && value.data[0] != '/')
			return "is no absolute path";
		/* fall through */
	case KEY_TEXT:
		*(mr_str *)member_of(loading, key) = value;
		return NULL;
	case KEY_FLAG:
		*(bool *)member_of(loading, key) = mr_str_is(value, "true");
		return mr_str_is(value, "true") || mr_str_is(value, "false")
		               ? NULL
		               : "is neither true nor false";
	case KEY_DURATION:
		return mr_duration_parse(value, member_of(loading, key))
		               ? "is no duration like 30s, 5m or 12h"
		               : NULL;
	case KEY_COUNT:
		return mr_number_parse(value, LARGEST_COUNT, member_of(loading, key))
		               ? "is no number"
		               : NULL;
	case KEY_CHOICE:
		return store_choice(loading, key, value);
	}
	return NULL;
}

static const struct key *find_key(mr_str section, mr_str name)
{
	for (size_t i = 0; i < N_KEYS; i++)
		if (mr_str_is(section, keys[i].section) && mr_str_is(name, keys[i].name))
			return &keys[i];
	return NULL;
}

static bool is_section(mr_str name)
{
	for (size_t i = 0; i < N_KEYS; i++)
		if (keys[i].section[0] && mr_str_is(name, keys[i].section))
			return true;
	return false;
}

static const char *nearest(mr_str section, mr_str name)
{
	const char *best = NULL;
	unsigned best_distance = 3;

	for (size_t i = 0; i < N_KEYS; i++) {
		bool is_here = mr_str_is(section, keys[i].section);
		const char *word = is_here ? keys[i].name : keys[i].section;
		unsigned distance = mr_text_distance(name, mr_str_from(word), best_distance);

		if ((is_here || section.size == 0) && word[0] && distance < best_distance) {
			best = word;
			best_distance = distance;
		}
	}
	return best;
}

static void complain_unknown(const struct loading *loading, const struct mr_host_pair *pair)
{
	const char *word = nearest(pair->section, pair->key);

	mr_diags_at(loading->diags, MR_ERROR, "MR-AGENT-KEY", &pair->loc, "unknown key '%.*s'",
	        MR_FMT(pair->key));
	if (word)
		mr_diags_hint(loading->diags, "did you mean '%s'?", word);
	else
		mr_diags_hint(loading->diags, "see mailreeve-agent.yaml(5)");
}

/* A section that is written, even empty, makes its server a managed one. */
static void note_section(struct mr_host *host, mr_str section)
{
	if (mr_str_is(section, "postfix"))
		host->postfix.is_managed = true;
	if (mr_str_is(section, "dovecot"))
		host->dovecot.is_managed = true;
	if (mr_str_is(section, "ldap"))
		host->ldap.is_managed = true;
}

static bool is_repeated(const struct mr_host_pairs *pairs, const struct mr_host_pair *pair)
{
	for (const struct mr_host_pair *other = pairs->list.items; other < pair; other++)
		if (mr_str_eq(other->section, pair->section) && mr_str_eq(other->key, pair->key))
			return true;
	return false;
}

static void take_pair(const struct loading *loading, const struct mr_host_pairs *pairs,
        const struct mr_host_pair *pair)
{
	bool is_mapping = pair->is_section && !pair->is_plain;
	const struct key *key = is_mapping ? NULL : find_key(pair->section, pair->key);
	const char *why;

	if (is_repeated(pairs, pair)) {
		mr_diags_at(loading->diags, MR_ERROR, "MR-AGENT-TWICE", &pair->loc,
		        "key '%.*s' is written twice", MR_FMT(pair->key));
		return;
	}
	if (pair->is_section && is_section(pair->key)) {
		note_section(loading->host, pair->key);
		return;
	}
	if (!key && pair->section.size == 0 && is_section(pair->key)) {
		mr_diags_at(loading->diags, MR_ERROR, "MR-AGENT-VALUE", &pair->loc,
		        "'%.*s' is a section, not a value", MR_FMT(pair->key));
		mr_diags_hint(loading->diags, "write %.*s: {KEY: VALUE}", MR_FMT(pair->key));
		return;
	}
	if (!key) {
		complain_unknown(loading, pair);
		return;
	}
	why = store(loading, key, pair->value);
	if (why) {
		mr_diags_at(loading->diags, MR_ERROR, "MR-AGENT-VALUE", &pair->loc, "'%.*s' %s",
		        MR_FMT(pair->value), why);
		mr_diags_hint(loading->diags, "%s: %s", key->name, key->meaning);
	}
}

static void store_defaults(const struct loading *loading)
{
	for (size_t i = 0; i < N_KEYS; i++) {
		mr_str value = keys[i].type == KEY_CHOICE ? first_word(keys[i].otherwise)
		                                          : mr_str_from(keys[i].otherwise);

		(void)store(loading, &keys[i],
		        value); /* the table's own defaults fit; a test says so */
	}
}

/* The fully qualified name where the resolver knows one, else what the kernel says. */
static mr_str system_host_name(struct mr_arena *arena)
{
	char name[HOST_NAME_MAX + 1] = "localhost";
	struct addrinfo hints = {.ai_flags = AI_CANONNAME};
	struct addrinfo *found = NULL;
	mr_str result;

	(void)gethostname(name, sizeof name - 1);
	if (!strchr(name, '.') && getaddrinfo(name, NULL, &hints, &found) == 0 &&
	        found->ai_canonname)
		result = mr_str_copy(arena, mr_str_from(found->ai_canonname));
	else
		result = mr_str_copy(arena, mr_str_from(name));
	if (found)
		freeaddrinfo(found);
	return result;
}

/* bind: may be left out where bind_dn says how. */
static void settle_bind(const struct loading *loading, const struct mr_host_pairs *pairs)
{
	bool is_written = false;

	mr_vec_each (pair, &pairs->list)
		is_written |= mr_str_is(pair->section, "ldap") && mr_str_is(pair->key, "bind");
	if (loading->host->ldap.bind_dn.size == 0 || !loading->host->ldap.is_external_bind)
		return;
	if (is_written)
		(void)mr_fail(loading->diags, MR_E_CONFIG,
		        "ldap: 'bind: external' and 'bind_dn' are both in agent.yaml (hint: leave "
		        "one of them out)");
	loading->host->ldap.is_external_bind = false;
}

static void complete(const struct loading *loading)
{
	struct mr_host *host = loading->host;

	if (host->name.size == 0)
		host->name = system_host_name(loading->arena);
	if (host->drift_mode_postfix.size == 0)
		host->drift_mode_postfix = host->drift_mode;
	if (host->drift_mode_dovecot.size == 0)
		host->drift_mode_dovecot = host->drift_mode;
	if (host->drift_mode_ldap.size == 0)
		host->drift_mode_ldap = host->drift_mode;
	if (host->ldap.is_managed && !host->ldap.is_external_bind &&
	        (host->ldap.bind_dn.size == 0 || host->ldap.password_file.size == 0))
		(void)mr_fail(loading->diags, MR_E_CONFIG,
		        "ldap: 'bind: simple' needs 'bind_dn' and 'password_file' in agent.yaml");
	if (host->probe_imap.size > 0 && host->probe_mailbox.size > 0 &&
	        host->probe_password_file.size == 0)
		mr_diags_at(loading->diags, MR_WARNING, "MR-AGENT-PROBE", NULL,
		        "probes: no 'password_file' for mailbox '%.*s': log-in and delivery are "
		        "not probed",
		        MR_FMT(host->probe_mailbox));
}

int mr_host_load(
        struct mr_diags *diags, struct mr_arena *arena, const char *path, struct mr_host *out)
{
	struct loading loading = {.diags = diags, .arena = arena, .host = out};
	struct mr_host_pairs pairs = {0};
	size_t n_errors = diags->n_errors;
	int code;

	*out = (struct mr_host){0};
	store_defaults(&loading);
	code = mr_host_pairs_load(diags, arena, path, &pairs);
	if (!code) {
		mr_vec_each (pair, &pairs.list)
			take_pair(&loading, &pairs, pair);
		settle_bind(&loading, &pairs);
		complete(&loading);
	}
	mr_vec_done(&pairs.list);
	return code || diags->n_errors > n_errors ? MR_E_CONFIG : 0;
}

static void write_key(struct mr_buf *out, const struct key *key, const char *indent)
{
	mr_str value =
	        key->type == KEY_CHOICE ? first_word(key->otherwise) : mr_str_from(key->otherwise);

	mr_buf_printf(out, "#%s%s%s\n", indent, indent[0] ? "# " : " ", key->meaning);
	mr_buf_printf(out, "#%s%s: %.*s\n", indent, key->name, MR_FMT(value));
}

void mr_host_write_template(struct mr_buf *out)
{
	const char *section = "";

	mr_buf_add_text(out, "# The host's configuration: mailreeve-agent.yaml(5). What is "
	                     "commented out stands at its default.\n"
	                     "# A server whose section is left out is not managed on this host.\n");
	for (size_t i = 0; i < N_KEYS; i++) {
		if (strcmp(section, keys[i].section) != 0 && keys[i].section[0])
			mr_buf_printf(out, "\n#%s:\n", keys[i].section);
		section = keys[i].section;
		write_key(out, &keys[i], section[0] ? "  " : "");
	}
}
