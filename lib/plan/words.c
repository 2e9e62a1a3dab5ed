/*
 * The table that turns rows of servers into attributes of declared objects.
 */
#include "plan/words.h"

enum which { ANY, OWN, CATCH_ALL, ELSEWHERE };

struct rule {
	const char *table;  /* NULL: any */
	const char *object; /* prefix */
	enum which which; /* the key is the object's name, begins with '@', is in another domain */
	enum mr_word_kind kind;
	const char *name;
	const char *constant;
};

/* clang-format off */
static const struct rule rules[] = {
	{"virtual_alias_maps", "user/", OWN, MR_WORD_LIST, "forward", NULL},
	{"virtual_alias_maps", "user/", ANY, MR_WORD_MEMBER, "aliases", NULL},
	{"virtual_alias_maps", "alias/", ELSEWHERE, MR_WORD_MEMBER, "alias_domains", NULL},
	{"virtual_alias_maps", "alias/", ANY, MR_WORD_LIST, "to", NULL},
	{"virtual_alias_maps", "domain/", ELSEWHERE, MR_WORD_MEMBER, "alias_domains", NULL},
	{"virtual_alias_maps", "domain/", CATCH_ALL, MR_WORD_LIST, "catch_all", NULL},
	{"virtual_alias_maps", "domain/", ANY, MR_WORD_MEMBER, "addresses", NULL},
	{"virtual_mailbox_maps", "user/", ANY, MR_WORD_CONSTANT, "mail", "accepted"},
	{"virtual_mailbox_domains", "domain/", ANY, MR_WORD_CONSTANT, "kind", "mailbox"},
	{"virtual_alias_domains", "domain/", ANY, MR_WORD_CONSTANT, "kind", "alias"},
	{"relay_domains", "domain/", ANY, MR_WORD_CONSTANT, "kind", "relay"},
	{"relay_recipient_maps", "domain/", CATCH_ALL, MR_WORD_CONSTANT, "recipients", "any"},
	{"relay_recipient_maps", "domain/", ANY, MR_WORD_MEMBER, "addresses", NULL},
	{"transport_maps", "user/", ANY, MR_WORD_HIDDEN, "", NULL},
	{"transport_maps", "domain/", ANY, MR_WORD_PLAIN, "transport", NULL},
	{"transport_maps", "transport/", ANY, MR_WORD_PLAIN, "value", NULL},
	{"smtpd_sender_login_maps", "user/", OWN, MR_WORD_LIST, "senders", NULL},
	{"smtpd_sender_login_maps", "user/", ANY, MR_WORD_MEMBER, "send_as", NULL},
	{"smtpd_sender_login_maps", "alias/", ANY, MR_WORD_LIST, "senders", NULL},
};

static const struct {
	const char *state, *means;
} states[] = {
	{"active", "accepts mail, logs in, sends"},
	{"no_login", "accepts mail, no log-in, no sending"},
	{"receive_only", "accepts mail, logs in, no sending"},
	{"send_only", "mail is refused, logs in, sends"},
	{"closed", "mail is refused, no log-in, no sending, data is kept"},
};

static const struct {
	const char *prefix, *plural;
} plurals[] = {
	{"user/", "users"}, {"domain/", "domains"}, {"alias/", "aliases"}, {"transport/", "transports"},
	{"postfix.parameter/", "parameters"}, {"postfix.table/", "tables"}, {"dovecot.setting/", "settings"},
	{"ldap/", "entries"},
};
/* clang-format on */

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

mr_str mr_words_name(mr_str object)
{
	return mr_str_skip(object, mr_str_find(object, '/') + 1);
}

mr_str mr_words_table(const struct mr_collection *in)
{
	mr_str prefix = MR_STR("postfix.table/");

	return mr_str_starts(in->name, prefix) ? mr_str_skip(in->name, prefix.size) : (mr_str){0};
}

mr_str mr_words_domain(mr_str address)
{
	return mr_str_skip(address, mr_str_rfind(address, '@') + 1);
}

static bool is_elsewhere(mr_str object, mr_str key)
{
	mr_str name = mr_words_name(object);
	mr_str home = mr_str_find(name, '@') < name.size ? mr_words_domain(name) : name;

	return mr_str_find(key, '@') < key.size && !mr_str_eq(mr_words_domain(key), home);
}

static bool fits(const struct rule *rule, mr_str table, mr_str object, mr_str key)
{
	if (!mr_str_is(table, rule->table) || !mr_str_starts(object, mr_str_from(rule->object)))
		return false;
	if (rule->which == OWN)
		return mr_str_eq(key, mr_words_name(object));
	if (rule->which == ELSEWHERE)
		return is_elsewhere(object, key);
	return rule->which == ANY || mr_str_starts(key, MR_STR("@"));
}

static void of_table(mr_str table, mr_str object, mr_str key, mr_str body, struct mr_word *out)
{
	for (size_t i = 0; i < N_OF(rules); i++) {
		const struct rule *rule = &rules[i];
		if (!fits(rule, table, object, key))
			continue;
		*out = (struct mr_word){
		        .kind = rule->kind, .name = mr_str_from(rule->name), .member = key};
		if (rule->constant)
			out->member = mr_str_from(rule->constant);
		else if (rule->which == ELSEWHERE)
			out->member = mr_words_domain(key);
		return;
	}
	struct mr_attr pattern;
	bool is_shown = mr_attrs_find(body, MR_STR("pattern"), &pattern) &&
	                !(pattern.flags & (MR_ATTR_SENSITIVE | MR_ATTR_SEALED));

	*out = (struct mr_word){
	        .kind = MR_WORD_PLAIN, .name = is_shown ? mr_attr_first(&pattern) : key};
}

void mr_words_of(const struct mr_collection *in, mr_str object, mr_str key, mr_str body,
        const struct mr_attr *attr, struct mr_word *out)
{
	mr_str table = mr_words_table(in);
	bool is_value = mr_str_is(attr->name, "value");

	*out = (struct mr_word){.kind = MR_WORD_PLAIN, .name = attr->name};
	if ((attr->flags & MR_ATTR_SILENT) || (table.size > 0 && !is_value))
		out->kind = MR_WORD_HIDDEN;
	else if (table.size > 0)
		of_table(table, object, key, body, out);
	/* a suspended domain is a transport that holds mail off */
	if (mr_str_is(table, "transport_maps") && mr_str_starts(object, MR_STR("domain/")) &&
	        mr_str_starts(mr_attr_first(attr), MR_STR("retry:")))
		*out = (struct mr_word){MR_WORD_CONSTANT, MR_STR("state"), MR_STR("suspended")};
}

bool mr_words_is_primary(const struct mr_collection *in, mr_str object, mr_str key, bool has_passwd)
{
	mr_str table = mr_words_table(in);

	if (mr_str_starts(object, MR_STR("user/"))) {
		mr_str home = has_passwd ? MR_STR("dovecot.passwd")
		                         : MR_STR("postfix.table/virtual_mailbox_maps");
		return mr_str_eq(in->name, home);
	}
	if (mr_str_starts(object, MR_STR("domain/")))
		return mr_str_ends(table, MR_STR("_domains"));
	if (mr_str_starts(object, MR_STR("alias/")))
		return mr_str_is(table, "virtual_alias_maps") &&
		       mr_str_eq(key, mr_words_name(object));
	if (mr_str_starts(object, MR_STR("transport/")))
		return mr_str_is(table, "transport_maps");
	return true;
}

const char *mr_words_state_means(mr_str state)
{
	for (size_t i = 0; i < N_OF(states); i++)
		if (mr_str_is(state, states[i].state))
			return states[i].means;
	return NULL;
}

const char *mr_words_plural(mr_str object)
{
	for (size_t i = 0; i < N_OF(plurals); i++)
		if (mr_str_starts(object, mr_str_from(plurals[i].prefix)))
			return plurals[i].plural;
	return "objects";
}
