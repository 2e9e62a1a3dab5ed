/*
 * Which setting of 2.4 is which of 2.3, and how its value is said there.
 */
#include "dovecot/names.h"

#include <string.h>

/* clang-format off */
static const struct mr_name_pair pairs[] = {
	{"auth_allow_cleartext",           "disable_plaintext_auth",    MR_NAME_INVERTED, NULL},
	{"auth_default_domain",            "auth_default_realm",        MR_NAME_SAME,     NULL},
	{"idle_kill_interval",             "idle_kill",                 MR_NAME_SAME,     "service"},
	{"listen",                         "address",                   MR_NAME_SAME,     "inet_listener"},
	{"mail_ext_attachment_path",       "mail_attachment_dir",       MR_NAME_SAME,     NULL},
	{"restart_request_count",          "service_count",             MR_NAME_SAME,     "service"},
	{"ssl_server_ca_file",             "ssl_ca",                    MR_NAME_FILE,     NULL},
	{"ssl_server_cert_file",           "ssl_cert",                  MR_NAME_FILE,     NULL},
	{"ssl_server_dh_file",             "ssl_dh",                    MR_NAME_FILE,     NULL},
	{"ssl_server_key_file",            "ssl_key",                   MR_NAME_FILE,     NULL},
	{"ssl_server_key_password",        "ssl_key_password",          MR_NAME_SAME,     NULL},
	{"ssl_server_prefer_ciphers",      "ssl_prefer_server_ciphers", MR_NAME_SERVER,   NULL},
	{"ssl_server_request_client_cert", "ssl_verify_client_cert",    MR_NAME_SAME,     NULL},
};

static const struct {
	mr_str name;
	const char *part;
} location_parts[] = {
	{MR_STR_INIT("mail_driver"),             "driver"},
	{MR_STR_INIT("mail_path"),               ""},
	{MR_STR_INIT("mail_inbox_path"),         "INBOX"},
	{MR_STR_INIT("mail_index_path"),         "INDEX"},
	{MR_STR_INIT("mail_index_private_path"), "INDEXPVT"},
	{MR_STR_INIT("mail_control_path"),       "CONTROL"},
	{MR_STR_INIT("mail_alt_path"),           "ALT"},
	{MR_STR_INIT("mail_volatile_path"),      "VOLATILEDIR"},
	{MR_STR_INIT("mailbox_list_layout"),     "LAYOUT"},
};

static const struct {
	mr_str new_text; /* without blanks */
	mr_str new_spaced;
	mr_str old_text;
} variables[] = {
	{MR_STR_INIT("%{user}"),                MR_STR_INIT("%{user}"),                    MR_STR_INIT("%u")},
	{MR_STR_INIT("%{user|username}"),       MR_STR_INIT("%{user | username}"),         MR_STR_INIT("%n")},
	{MR_STR_INIT("%{user|domain}"),         MR_STR_INIT("%{user | domain}"),           MR_STR_INIT("%d")},
	{MR_STR_INIT("%{user|lower}"),          MR_STR_INIT("%{user | lower}"),            MR_STR_INIT("%Lu")},
	{MR_STR_INIT("%{user|username|lower}"), MR_STR_INIT("%{user | username | lower}"), MR_STR_INIT("%Ln")},
	{MR_STR_INIT("%{user|domain|lower}"),   MR_STR_INIT("%{user | domain | lower}"),   MR_STR_INIT("%Ld")},
	{MR_STR_INIT("%{home}"),                MR_STR_INIT("%{home}"),                    MR_STR_INIT("%h")},
	{MR_STR_INIT("%{protocol}"),            MR_STR_INIT("%{protocol}"),                MR_STR_INIT("%s")},
	{MR_STR_INIT("%{protocol|lower}"),      MR_STR_INIT("%{protocol | lower}"),        MR_STR_INIT("%Ls")},
};
/* clang-format on */

#define N(table) (sizeof(table) / sizeof *(table))

static bool is_within(const struct mr_name_pair *pair, mr_str section)
{
	return !pair->within ||
	       mr_str_is(mr_str_take(section, mr_str_find(section, ' ')), pair->within);
}

const struct mr_name_pair *mr_name_find_new(mr_str name, mr_str section)
{
	for (size_t i = 0; i < N(pairs); i++)
		if (mr_str_is(name, pairs[i].new_name) && is_within(&pairs[i], section))
			return &pairs[i];
	return NULL;
}

const struct mr_name_pair *mr_name_find_old(mr_str name, mr_str section)
{
	for (size_t i = 0; i < N(pairs); i++)
		if (mr_str_is(name, pairs[i].old_name) && is_within(&pairs[i], section))
			return &pairs[i];
	return NULL;
}

const char *mr_name_location_part(mr_str name)
{
	for (size_t i = 0; i < N(location_parts); i++)
		if (mr_str_eq(name, location_parts[i].name))
			return location_parts[i].part;
	return NULL;
}

mr_str mr_name_location_nth(size_t i)
{
	return i < N(location_parts) ? location_parts[i].name : (mr_str){0};
}

mr_str mr_name_location_get(struct mr_arena *arena, mr_str location, mr_str name)
{
	mr_str part = mr_str_from(mr_name_location_part(name));
	mr_str driver = mr_str_split(&location, ':');
	mr_str path = mr_str_split(&location, ':');

	(void)arena;
	if (mr_str_is(part, "driver"))
		return driver;
	if (part.size == 0)
		return path;
	while (location.data) {
		mr_str option = mr_str_split(&location, ':');
		size_t equals = mr_str_find(option, '=');

		if (equals < option.size && mr_str_eq(mr_str_take(option, equals), part))
			return mr_str_skip(option, equals + 1);
	}
	return (mr_str){0};
}

mr_str mr_name_location_join(
        struct mr_arena *arena, const struct mr_dovecot_settings *settings, mr_str scope)
{
	struct mr_buf text = MR_BUF_INIT;
	mr_str joined = {0};

	for (size_t i = 0; i < N(location_parts); i++) {
		mr_str path = mr_str_printf(
		        arena, "%.*s%.*s", MR_FMT(scope), MR_FMT(location_parts[i].name));
		const struct mr_dovecot_setting *found = mr_dovecot_settings_find(settings, path);

		if (i == 0 && !found)
			return joined; /* without a driver there is no location */
		if (i == 1)
			mr_buf_add_char(&text, ':');
		if (!found)
			continue;
		if (i > 1)
			mr_buf_printf(&text, ":%s=", location_parts[i].part);
		mr_buf_add_str(&text, found->value);
	}
	joined = mr_str_copy(arena, mr_buf_str(&text));
	mr_buf_done(&text);
	return joined;
}

/* "%{user | domain}" at the start of s: its size, and *out without the blanks. */
static size_t braced(struct mr_arena *arena, mr_str s, mr_str *out)
{
	size_t end = mr_str_find(s, '}');
	char *data;
	size_t n = 0;

	if (!mr_str_starts(s, MR_STR("%{")) || end == s.size)
		return 0;
	data = mr_alloc(arena, end + 2);
	for (size_t i = 0; i <= end; i++)
		if (s.data[i] != ' ')
			data[n++] = s.data[i];
	*out = (mr_str){data, n};
	return end + 1;
}

mr_str mr_name_variables_old(struct mr_arena *arena, mr_str value)
{
	struct mr_buf out = MR_BUF_INIT;
	mr_str result;

	if (mr_str_find(value, '%') == value.size)
		return value;
	while (value.size > 0) {
		mr_str name, text = mr_str_take(value, 1);
		size_t taken = braced(arena, value, &name);

		for (size_t i = 0; taken && i < N(variables); i++)
			if (mr_str_eq(name, variables[i].new_text))
				text = variables[i].old_text;
		mr_buf_add_str(&out, text);
		value = mr_str_skip(value, text.data == value.data ? 1 : taken);
	}
	result = mr_str_copy(arena, mr_buf_str(&out));
	mr_buf_done(&out);
	return result;
}

mr_str mr_name_variables_new(struct mr_arena *arena, mr_str value)
{
	struct mr_buf out = MR_BUF_INIT;
	mr_str result;

	if (mr_str_find(value, '%') == value.size)
		return value;
	while (value.size > 0) {
		mr_str text = mr_str_take(value, mr_str_starts(value, MR_STR("%%")) ? 2 : 1);
		size_t taken = text.size;

		for (size_t i = 0; text.size == 1 && i < N(variables); i++)
			if (mr_str_starts(value, variables[i].old_text)) {
				text = variables[i].new_spaced;
				taken = variables[i].old_text.size;
			}
		mr_buf_add_str(&out, text);
		value = mr_str_skip(value, taken);
	}
	result = mr_str_copy(arena, mr_buf_str(&out));
	mr_buf_done(&out);
	return result;
}

static mr_str inverted(mr_str value)
{
	if (mr_str_is(value, "yes"))
		return MR_STR("no");
	return mr_str_is(value, "no") ? MR_STR("yes") : value;
}

mr_str mr_name_value_old(struct mr_arena *arena, const struct mr_name_pair *pair, mr_str value)
{
	switch (pair ? pair->kind : MR_NAME_SAME) {
	case MR_NAME_INVERTED:
		return inverted(value);
	case MR_NAME_FILE:
		return value.size ? mr_str_printf(arena, "<%.*s", MR_FMT(value)) : value;
	case MR_NAME_SERVER:
		return mr_str_is(value, "server") ? MR_STR("yes") : MR_STR("no");
	case MR_NAME_SAME:
		break;
	}
	return mr_name_variables_old(arena, value);
}

mr_str mr_name_value_new(struct mr_arena *arena, const struct mr_name_pair *pair, mr_str value)
{
	switch (pair ? pair->kind : MR_NAME_SAME) {
	case MR_NAME_INVERTED:
		return inverted(value);
	case MR_NAME_FILE:
		return mr_str_starts(value, MR_STR("<")) ? mr_str_skip(value, 1) : value;
	case MR_NAME_SERVER:
		return mr_str_is(value, "yes") ? MR_STR("server") : MR_STR("client");
	case MR_NAME_SAME:
		break;
	}
	return mr_name_variables_new(arena, value);
}
