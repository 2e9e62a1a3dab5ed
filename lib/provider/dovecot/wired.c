/*
 * Settings that follow from accounts: where Dovecot finds the users and their mail, and where it
 * takes mail.
 */
#include "dovecot/dovecot.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define MAIN_CF_LIMIT ((size_t)4 << 20)
#define MANY_USERS    200000 /* from here on auth needs more memory than its default allows */

struct wiring {
	struct mr_backend *backend;
	const struct mr_accounts *accounts;
};

/* Declared ones win. */
static void wire(struct wiring *wiring, mr_str path, mr_str value)
{
	struct mr_backend *backend = wiring->backend;

	if (mr_dovecot_settings_find(&backend->desired, path))
		return;
	mr_dovecot_settings_set(&backend->desired,
	        &(struct mr_dovecot_setting){.path = mr_str_copy(&backend->arena, path),
	                .value = mr_str_copy(&backend->arena, value),
	                .loc = wiring->accounts->loc});
}

static mr_str base_value(struct wiring *wiring, mr_str path)
{
	struct mr_backend *backend = wiring->backend;
	mr_str value;

	return backend->version->value_in(&backend->arena, &backend->base, path, &value)
	               ? value
	               : (mr_str){0};
}

struct block {
	const char *section;
	const char *file;
	bool is_denial;
};

/* In the order of their names, which is the order they are asked in. */
static const struct block blocks[] = {
        {"passdb mailreeve-1-denied", "denied", true},
        {"passdb mailreeve-2-denied-service", "denied.%{protocol | lower}", true},
        {"passdb mailreeve-3-users", "users", false},
        {"userdb mailreeve-users", "users", false},
};

static void wire_part(struct wiring *wiring, const char *section, const char *name, mr_str value)
{
	wire(wiring, mr_str_printf(&wiring->backend->arena, "%s/%s", section, name), value);
}

static void wire_databases(struct wiring *wiring)
{
	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
		const struct block *block = &blocks[i];
		bool is_passdb = mr_str_starts(mr_str_from(block->section), MR_STR("passdb"));

		wire_part(wiring, block->section, "driver", MR_STR("passwd-file"));
		wire_part(
		        wiring, block->section, "auth_username_format", MR_STR("%{user | lower}"));
		wire_part(wiring, block->section, "passwd_file_path",
		        mr_str_printf(&wiring->backend->arena, "%s/%s",
		                wiring->backend->own_directory, block->file));
		if (block->is_denial)
			wire_part(wiring, block->section, "deny", MR_STR("yes"));
		else if (is_passdb)
			wire_part(wiring, block->section, "default_password_scheme",
			        MR_STR("SHA512-CRYPT"));
	}
}

static void wire_location(struct wiring *wiring)
{
	mr_str rest = wiring->accounts->mail_path;
	mr_str driver = mr_str_split(&rest, ':');
	mr_str path = mr_str_split(&rest, ':');

	if (driver.size == 0)
		return;
	wire(wiring, MR_STR("mail_driver"), driver);
	if (path.size)
		wire(wiring, MR_STR("mail_path"), path);
	while (rest.data) {
		static const struct {
			const char *option;
			mr_str name;
		} options[] = {{"INDEX", MR_STR_INIT("mail_index_path")},
		        {"CONTROL", MR_STR_INIT("mail_control_path")},
		        {"INBOX", MR_STR_INIT("mail_inbox_path")},
		        {"LAYOUT", MR_STR_INIT("mailbox_list_layout")},
		        {"ALT", MR_STR_INIT("mail_alt_path")}};
		mr_str value = mr_str_split(&rest, ':');
		mr_str option = mr_str_split(&value, '=');

		for (size_t i = 0; i < sizeof options / sizeof *options; i++)
			if (mr_str_is(option, options[i].option))
				wire(wiring, options[i].name, value);
	}
}

static void wire_uid(struct wiring *wiring)
{
	mr_str value = base_value(wiring, MR_STR("first_valid_uid"));
	uint64_t first;

	if (!mr_number_parse(value, UINT32_MAX, &first) && wiring->backend->uid < first)
		wire(wiring, MR_STR("first_valid_uid"),
		        mr_str_printf(
		                &wiring->backend->arena, "%u", (unsigned)wiring->backend->uid));
}

/* Postfix's own parameter, as far as a plain line of main.cf says it. */
static mr_str postfix_parameter(struct wiring *wiring, const char *name, mr_str otherwise)
{
	struct mr_arena *arena = &wiring->backend->arena;
	mr_str folder = wiring->backend->options->host->postfix.config_directory;
	struct mr_buf text = MR_BUF_INIT;
	mr_str rest, found = otherwise;

	if (folder.size == 0)
		folder = MR_STR("/etc/postfix");
	if (mr_file_read(wiring->backend->diags,
	            mr_str_printf(arena, "%.*s/main.cf", MR_FMT(folder)).data, MAIN_CF_LIMIT,
	            &text))
		return otherwise;
	rest = mr_buf_str(&text);
	while (rest.size > 0) {
		mr_str line = mr_str_split(&rest, '\n');
		size_t equals = mr_str_find(line, '=');

		if (line.size && line.data[0] != ' ' &&
		        mr_str_is(mr_str_trim(mr_str_take(line, equals)), name))
			found = mr_str_copy(arena, mr_str_trim(mr_str_skip(line, equals + 1)));
	}
	mr_buf_done(&text);
	return found;
}

static bool has_listener(const struct mr_dovecot_settings *in, mr_str section, const char *leaf)
{
	struct mr_arena arena = MR_ARENA_INIT;
	bool is_there = mr_dovecot_settings_find(in,
	                        mr_str_printf(&arena, "%.*s/%s", MR_FMT(section), leaf)) != NULL;

	mr_arena_done(&arena);
	return is_there;
}

static void wire_unix_listener(struct wiring *wiring, mr_str path)
{
	struct mr_arena *arena = &wiring->backend->arena;
	mr_str user = postfix_parameter(wiring, "mail_owner", MR_STR("postfix"));
	struct passwd *account = getpwnam(mr_str_copy(arena, user).data);
	struct group *group = account ? getgrgid(account->pw_gid) : NULL;
	mr_str section;

	if (path.size && path.data[0] != '/')
		path = mr_str_printf(arena, "%.*s/%.*s",
		        MR_FMT(postfix_parameter(
		                wiring, "queue_directory", MR_STR("/var/spool/postfix"))),
		        MR_FMT(path));
	section = mr_str_printf(arena, "service lmtp/unix_listener %.*s", MR_FMT(path));
	if (has_listener(&wiring->backend->base, section, "mode"))
		return;
	wire_part(wiring, section.data, "mode", MR_STR("0600"));
	if (account)
		wire_part(wiring, section.data, "user", user);
	if (group)
		wire_part(wiring, section.data, "group", mr_str_from(group->gr_name));
}

/* Whether some listener of lmtp is on this port already. */
static bool listens_at(const struct mr_dovecot_settings *in, mr_str port)
{
	mr_vec_each (setting, &in->list)
		if (mr_str_starts(setting->path, MR_STR("service lmtp/inet_listener ")) &&
		        mr_str_ends(setting->path, MR_STR("/port")) &&
		        mr_str_eq(setting->value, port))
			return true;
	return false;
}

static void wire_inet_listener(struct wiring *wiring, mr_str host, mr_str port)
{
	static const char section[] = "service lmtp/inet_listener mailreeve";

	if (port.size == 0 || listens_at(&wiring->backend->base, port) ||
	        listens_at(&wiring->backend->desired, port))
		return;
	if (mr_str_is(host, "localhost"))
		host = MR_STR("127.0.0.1");
	if (host.size)
		wire_part(wiring, section, "listen", host);
	wire_part(wiring, section, "port", port);
}

static mr_str without_brackets(mr_str host)
{
	if (host.size >= 2 && host.data[0] == '[' && host.data[host.size - 1] == ']')
		return mr_str_take(mr_str_skip(host, 1), host.size - 2);
	return host;
}

static void wire_lmtp_protocol(struct wiring *wiring)
{
	mr_str protocols = base_value(wiring, MR_STR("protocols")), rest = protocols;

	while (rest.size > 0)
		if (mr_str_is(mr_str_split(&rest, ' '), "lmtp"))
			return;
	wire(wiring, MR_STR("protocols"),
	        mr_str_printf(&wiring->backend->arena, "%.*s lmtp", MR_FMT(protocols)));
}

/* Debian 13 has LMTP look users up without their domain, which finds none of ours. */
static void wire_recipients(struct wiring *wiring)
{
	static const mr_str path = MR_STR_INIT("protocol lmtp/auth_username_format");
	static const char word[] = "username";
	mr_str format;

	if (!mr_dovecot_settings_find(&wiring->backend->base, path))
		return;
	format = base_value(wiring, path);
	if (format.size && memmem(format.data, format.size, word, sizeof word - 1))
		wire(wiring, path, MR_STR("%{user | lower}"));
}

static void wire_delivery(struct wiring *wiring)
{
	mr_str rest = wiring->accounts->delivery;
	size_t colon;

	if (!mr_str_starts(rest, MR_STR("lmtp:")))
		return;
	rest = mr_str_skip(rest, 5);
	wiring->backend->is_delivered_to = true;
	wire_lmtp_protocol(wiring);
	wire_recipients(wiring);
	if (mr_str_starts(rest, MR_STR("unix:"))) {
		wire_unix_listener(wiring, mr_str_skip(rest, 5));
		return;
	}
	if (mr_str_starts(rest, MR_STR("inet:")))
		rest = mr_str_skip(rest, 5);
	colon = mr_str_rfind(rest, ':');
	wire_inet_listener(wiring, without_brackets(mr_str_take(rest, colon)),
	        colon < rest.size ? mr_str_skip(rest, colon + 1) : MR_STR("24"));
}

static void wire_quota(struct wiring *wiring)
{
	/* plugins are named protocol by protocol: an outer list does not reach a protocol that has
	 * its own */
	static const char *const plugins[] = {"protocol imap/mail_plugins/quota",
	        "protocol imap/mail_plugins/imap_quota", "protocol pop3/mail_plugins/quota",
	        "protocol lmtp/mail_plugins/quota", "protocol lda/mail_plugins/quota",
	        "protocol doveadm/mail_plugins/quota"};
	struct mr_arena *arena = &wiring->backend->arena;

	for (size_t i = 0; i < sizeof plugins / sizeof *plugins; i++)
		if (base_value(wiring, mr_str_from(plugins[i])).size == 0)
			wire(wiring, mr_str_printf(arena, "%s", plugins[i]), MR_STR("yes"));
	if (!wiring->backend->version->has_quota(&wiring->backend->base))
		wire(wiring, MR_STR("quota User quota/driver"), MR_STR("count"));
}

static void wire_memory(struct wiring *wiring, uint64_t n_users)
{
	/* about 500 bytes a user, and as much again while a new file is read */
	uint64_t megabytes = 256 + n_users / 1024;

	if (n_users > MANY_USERS)
		wire(wiring, MR_STR("service auth/vsz_limit"),
		        mr_str_printf(
		                &wiring->backend->arena, "%llu M", (unsigned long long)megabytes));
}

int mr_dovecot_wire(
        struct mr_backend *backend, struct mr_desired *desired, bool has_quota, uint64_t n_users)
{
	struct wiring wiring = {backend, mr_desired_accounts(desired)};

	if (!wiring.accounts || !wiring.accounts->is_declared)
		return 0;
	wire_databases(&wiring);
	wire_location(&wiring);
	wire_uid(&wiring);
	wire_delivery(&wiring);
	if (has_quota)
		wire_quota(&wiring);
	wire_memory(&wiring, n_users);
	return 0;
}
