/*
 * The Postfix backend: opening, main.cf as last read, values in force.
 */
#include "postfix/backend.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAIN_LIMIT_BYTES ((size_t)16 << 20)
#define EXPAND_DEPTH     32

const struct mr_wiring mr_wirings[MR_WIRED_COUNT] = {
        [MR_WIRED_MAILBOX_DOMAINS] = {MR_STR_INIT("virtual_mailbox_domains"), MR_RANK_OTHER_MAP,
                true, "domain"},
        [MR_WIRED_MAILBOX_MAPS] = {MR_STR_INIT("virtual_mailbox_maps"), MR_RANK_MAILBOX_MAP, false,
                "user"},
        [MR_WIRED_ALIAS_DOMAINS] = {MR_STR_INIT("virtual_alias_domains"), MR_RANK_OTHER_MAP, true,
                "domain"},
        [MR_WIRED_ALIAS_MAPS] = {MR_STR_INIT("virtual_alias_maps"), MR_RANK_ALIAS_MAP, false,
                "alias"},
        [MR_WIRED_RELAY_DOMAINS] = {MR_STR_INIT("relay_domains"), MR_RANK_OTHER_MAP, true,
                "domain"},
        [MR_WIRED_RELAY_RECIPIENTS] = {MR_STR_INIT("relay_recipient_maps"), MR_RANK_MAILBOX_MAP,
                false, "domain"},
        [MR_WIRED_TRANSPORT] = {MR_STR_INIT("transport_maps"), MR_RANK_OTHER_MAP, true,
                "transport"},
        [MR_WIRED_SENDER_LOGIN] = {MR_STR_INIT("smtpd_sender_login_maps"), MR_RANK_OTHER_MAP, false,
                "user"},
};

const char *mr_postfix_path(struct mr_backend *backend, const char *format, ...)
{
	struct mr_buf path = MR_BUF_INIT;
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format,
	        arguments); /* what does not fit is no file that we made */
	va_end(arguments);
	mr_buf_add_text(&path, text);
	format = mr_str_copy(&backend->arena, mr_buf_str(&path)).data;
	mr_buf_done(&path);
	return format;
}

int mr_postfix_read_main(struct mr_backend *backend)
{
	const struct mr_maincf_entry *own;
	size_t line = 0;
	int code;

	if (backend->has_main)
		mr_maincf_done(&backend->main);
	backend->has_main = false;
	mr_buf_clear(&backend->main_text);
	code = mr_file_read(
	        backend->diags, backend->main_path, MAIN_LIMIT_BYTES, &backend->main_text);
	if (code == MR_E_NOT_FOUND)
		return mr_fail(backend->diags, MR_E_UNREADABLE, "cannot read '%s': it is not there",
		        backend->main_path);
	if (code)
		return MR_E_UNREADABLE;
	code = mr_maincf_parse(mr_buf_str(&backend->main_text), &backend->main, &line);
	backend->has_main = true;
	if (code)
		return mr_fail(backend->diags, MR_E_UNREADABLE,
		        "cannot read '%s': line %zu is not 'name = value'", backend->main_path,
		        line);
	own = mr_maincf_find(&backend->main, MR_STR("mailreeve"));
	backend->generation = own ? mr_str_copy(&backend->arena, own->value) : (mr_str){0};
	return 0;
}

int mr_postfix_know_host(struct mr_backend *backend)
{
	static const enum mr_table_kind keyed[] = {MR_TABLE_LMDB, MR_TABLE_CDB};
	int code;

	if (backend->has_postconf)
		return 0;
	code = mr_postconf_load(
	        backend->diags, backend->cache, backend->config_directory, &backend->postconf);
	if (code) {
		mr_postconf_done(&backend->postconf);
		return code;
	}
	backend->has_postconf = true;
	for (size_t i = 0; i < sizeof keyed / sizeof *keyed && !backend->has_keyed_kind; i++)
		if (mr_postconf_has_type(
		            &backend->postconf, mr_str_from(mr_table_kind_name(keyed[i])))) {
			backend->has_keyed_kind = true;
			backend->keyed_kind = keyed[i];
		}
	return 0;
}

struct mr_postfix_table *mr_postfix_find_table(struct mr_backend *backend, mr_str name)
{
	for (size_t i = 0; i < backend->tables.n; i++)
		if (mr_str_eq(backend->tables.items[i].name, name))
			return &backend->tables.items[i];
	return NULL;
}

mr_str mr_postfix_table_name(mr_str collection)
{
	mr_str prefix = MR_STR("postfix.table/");

	return mr_str_starts(collection, prefix) ? mr_str_skip(collection, prefix.size)
	                                         : (mr_str){0};
}

mr_str mr_postfix_value(struct mr_backend *backend, mr_str name)
{
	const struct mr_maincf_entry *entry = mr_maincf_find(&backend->main, name);
	const mr_str *value;

	if (entry)
		return entry->value;
	if (mr_str_is(name, "config_directory"))
		return mr_str_from(backend->config_directory);
	value = backend->has_postconf ? mr_postconf_default(&backend->postconf, name) : NULL;
	return value ? *value : (mr_str){0};
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* The name after a '$' at the start of s; *out_size is how much of s the whole reference takes. */
static mr_str reference_name(mr_str s, size_t *out_size)
{
	char close = s.size > 1 && s.data[1] == '{'   ? '}'
	             : s.size > 1 && s.data[1] == '(' ? ')'
	                                              : 0;
	size_t start = close ? 2 : 1, i = start;

	while (i < s.size && is_name_char(s.data[i]))
		i++;
	*out_size = i;
	if (close) {
		size_t end = mr_str_find(mr_str_skip(s, i), close);

		*out_size = i + end + (i + end < s.size ? 1 : 0);
	}
	return (mr_str){s.data + start, i - start};
}

static int expand(struct mr_backend *backend, mr_str value, struct mr_buf *out, int depth)
{
	size_t i = 0;

	if (!depth)
		return MR_E_INVALID;
	while (i < value.size) {
		mr_str rest = mr_str_skip(value, i), name;
		size_t size;

		if (rest.data[0] != '$') {
			mr_buf_add_char(out, rest.data[0]);
			i++;
			continue;
		}
		if (rest.size > 1 && rest.data[1] == '$') {
			mr_buf_add_char(out, '$');
			i += 2;
			continue;
		}
		name = reference_name(rest, &size);
		if (name.size && expand(backend, mr_postfix_value(backend, name), out, depth - 1))
			return MR_E_INVALID;
		i += size;
	}
	return 0;
}

int mr_postfix_expand(struct mr_backend *backend, mr_str value, struct mr_buf *out)
{
	return expand(backend, value, out, EXPAND_DEPTH);
}

struct mr_file_owner mr_postfix_table_owner(struct mr_backend *backend)
{
	struct mr_file_owner owner = {.uid = geteuid(), .gid = getegid(), .mode = 0640};
	struct mr_buf name = MR_BUF_INIT;
	struct passwd *user = NULL;

	if (!mr_postfix_expand(backend, mr_postfix_value(backend, MR_STR("mail_owner")), &name) &&
	        name.size)
		user = getpwnam(name.data);
	if (user && !owner.uid)
		owner.gid = user->pw_gid;
	else
		owner.mode = 0644;
	mr_buf_done(&name);
	return owner;
}
