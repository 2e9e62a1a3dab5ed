/*
 * Dovecot 2.4: settings have the names that the language speaks, but doveconf prints some of them
 * in other places than they were written in: "ssl_server_cert_file" as a part of "ssl_server {",
 * a list as a block of words that are "yes", a member of a named block without the block's word.
 */
#include "dovecot/names.h"

#include <string.h>

#include "base/text.h"

#define HIDDEN "# hidden, use -P to show it"

static mr_str first_word(mr_str section)
{
	return mr_str_take(section, mr_str_find(section, ' '));
}

/* A section without a name of its own: a list, or settings with one beginning. */
static bool is_unnamed(mr_str section)
{
	return section.size && mr_str_find(section, ' ') == section.size;
}

static const struct mr_dovecot_setting *find_joined(struct mr_arena *arena,
        const struct mr_dovecot_settings *in, mr_str scope, mr_str begin, const char *between,
        mr_str end)
{
	return mr_dovecot_settings_find(in, mr_str_printf(arena, "%.*s%.*s%s%.*s", MR_FMT(scope),
	                                            MR_FMT(begin), between, MR_FMT(end)));
}

/* "ssl_server_cert_file" where it is printed as "ssl_server { cert_file": what stands in such a
 * block wins. */
static const struct mr_dovecot_setting *find_in_block(
        struct mr_arena *arena, const struct mr_dovecot_settings *in, const struct mr_place *place)
{
	const struct mr_dovecot_setting *found = NULL;

	for (size_t i = 1; !found && i + 1 < place->name.size; i++)
		if (place->name.data[i] == '_')
			found = find_joined(arena, in, place->scope, mr_str_take(place->name, i),
			        "/", mr_str_skip(place->name, i + 1));
	return found;
}

/* "quota x/quota_storage_size" is "quota x/storage_size" and the other way round. */
static const struct mr_dovecot_setting *find_short(
        struct mr_arena *arena, const struct mr_dovecot_settings *in, const struct mr_place *place)
{
	mr_str word = first_word(place->section);
	mr_str rest = mr_str_skip(place->name, word.size);

	if (word.size == 0 || is_unnamed(place->section))
		return NULL;
	if (mr_str_starts(place->name, word) && mr_str_starts(rest, MR_STR("_")))
		return find_joined(arena, in, place->scope, mr_str_skip(rest, 1), "", (mr_str){0});
	return find_joined(arena, in, place->scope, word, "_", place->name);
}

static const struct mr_dovecot_setting *find_here(
        struct mr_arena *arena, const struct mr_dovecot_settings *in, mr_str path)
{
	const struct mr_dovecot_setting *found;
	struct mr_place place;

	if (!mr_place_parse(path, &place))
		return NULL;
	found = find_in_block(arena, in, &place);
	if (!found)
		found = mr_dovecot_settings_find(in, path);
	return found ? found : find_short(arena, in, &place);
}

/* The words of "path { word = yes }", parted by blanks; no data when there is no such block. */
static mr_str words_of_block(
        struct mr_arena *arena, const struct mr_dovecot_settings *in, mr_str path)
{
	mr_str scope = mr_str_printf(arena, "%.*s/", MR_FMT(path));
	struct mr_buf words = MR_BUF_INIT;
	mr_str result = {0};

	mr_vec_each (setting, &in->list) {
		mr_str word = mr_str_skip(setting->path, scope.size);

		if (!mr_str_starts(setting->path, scope) || mr_str_find(word, '/') < word.size ||
		        !mr_str_is(setting->value, "yes"))
			continue;
		if (words.size)
			mr_buf_add_char(&words, ' ');
		mr_buf_add_str(&words, word);
	}
	if (words.size)
		result = mr_str_copy(arena, mr_buf_str(&words));
	mr_buf_done(&words);
	return result;
}

/* What a path is in its own section: true when something is said of it. */
static bool value_here(
        struct mr_arena *arena, const struct mr_dovecot_settings *in, mr_str path, mr_str *out)
{
	const struct mr_dovecot_setting *found = find_here(arena, in, path);
	mr_str words;

	if (found && found->value.size) {
		*out = mr_str_trim(found->value);
		return !mr_str_is(found->value, HIDDEN);
	}
	words = words_of_block(arena, in, path);
	if (words.data || found)
		*out = words.data ? words : MR_STR("");
	return words.data || found;
}

/* "mail_plugins/quota" where the list is printed as words: 1, or 0 for a list without it; -1: no
 * list. */
static int is_in_list(
        struct mr_arena *arena, const struct mr_dovecot_settings *in, const struct mr_place *place)
{
	const struct mr_dovecot_setting *list;

	(void)arena;
	if (!is_unnamed(place->section))
		return -1;
	list = mr_dovecot_settings_find(in, mr_str_take(place->scope, place->scope.size - 1));
	if (!list || list->value.size == 0)
		return -1;
	return mr_dovecot_has_word(list->value, place->name);
}

/* A setting that a filter does not name is what stands outside of it. */
static bool value_in(
        struct mr_arena *arena, const struct mr_dovecot_settings *in, mr_str path, mr_str *out)
{
	for (unsigned i = 0; i < MR_DOVECOT_DEPTH; i++) {
		struct mr_place place;
		int is_member;

		if (value_here(arena, in, path, out))
			return true;
		if (!mr_place_parse(path, &place))
			return false;
		is_member = is_in_list(arena, in, &place);
		if (is_member >= 0) {
			*out = MR_STR("yes");
			return is_member > 0;
		}
		if (place.n < 2 || !mr_place_is_filter(place.parts[0]))
			return false;
		path = mr_str_skip(path, place.parts[0].size + 1);
	}
	return false;
}

/* "ssl_server/cert_file" -> "ssl_server_cert_file", when that is a setting. */
static mr_str flat_path(
        struct mr_arena *arena, const struct mr_dovecot_settings *defaults, mr_str path)
{
	struct mr_place place;
	mr_str flat;

	if (!mr_place_parse(path, &place) || place.n != 2 || !is_unnamed(place.section))
		return path;
	flat = mr_str_printf(arena, "%.*s_%.*s", MR_FMT(place.section), MR_FMT(place.name));
	return mr_dovecot_settings_find(defaults, flat) ? flat : path;
}

static bool is_version_line(mr_str path)
{
	return mr_str_is(path, "dovecot_config_version") ||
	       mr_str_is(path, "dovecot_storage_version");
}

static void all_in(struct mr_arena *arena, const struct mr_dovecot_settings *in,
        const struct mr_dovecot_settings *defaults, struct mr_dovecot_settings *out)
{
	mr_vec_each (setting, &in->list) {
		mr_str path = flat_path(arena, defaults, setting->path);
		const struct mr_dovecot_setting *plain = mr_dovecot_settings_find(defaults, path);

		if ((plain && mr_str_eq(plain->value, setting->value)) ||
		        mr_str_is(setting->value, HIDDEN) || is_version_line(path))
			continue;
		mr_dovecot_settings_set(out, &(struct mr_dovecot_setting){.path = path,
		                                     .value = mr_str_trim(setting->value)});
	}
}

static bool begins_a_name(const struct mr_dovecot_settings *defaults, mr_str word)
{
	mr_vec_each (setting, &defaults->list)
		if (mr_str_starts(setting->path, word) && setting->path.size > word.size &&
		        (setting->path.data[word.size] == '_' ||
		                setting->path.data[word.size] == '/'))
			return true;
	return mr_dovecot_settings_find(defaults, word) != NULL;
}

/* A list, also one of names with values: "import_environment { TZ = x }". */
static bool is_list(const struct mr_dovecot_settings *defaults, mr_str path)
{
	if (mr_dovecot_settings_find(defaults, path))
		return true;
	mr_vec_each (setting, &defaults->list)
		if (mr_str_starts(setting->path, path) && setting->path.size > path.size &&
		        setting->path.data[path.size] == '/')
			return true;
	return false;
}

static bool knows_place(struct mr_arena *arena, const struct mr_dovecot_settings *defaults,
        const struct mr_place *place)
{
	mr_str word = first_word(place->section);

	for (size_t i = 0; i + 1 < place->n; i++)
		if (!mr_place_is_filter(place->parts[i]) &&
		        !begins_a_name(defaults, first_word(place->parts[i])))
			return false;
	return is_list(defaults, place->name) ||
	       (word.size && find_joined(arena, defaults, (mr_str){0}, word, "_", place->name)) ||
	       (is_unnamed(place->section) && is_list(defaults, place->section));
}

static bool knows(const struct mr_dovecot_settings *defaults, mr_str path, const char **out_hint)
{
	struct mr_arena arena = MR_ARENA_INIT;
	const struct mr_name_pair *pair;
	struct mr_place place;
	bool is_known;

	*out_hint = NULL;
	is_known = mr_place_parse(path, &place) && knows_place(&arena, defaults, &place);
	mr_arena_done(&arena);
	if (is_known || place.n == 0)
		return is_known;
	pair = mr_name_find_old(place.name, place.section);
	if (pair)
		*out_hint = pair->new_name;
	if (mr_str_is(place.name, "mail_location"))
		*out_hint = "mail_driver and mail_path";
	return false;
}

static bool has_quota(const struct mr_dovecot_settings *in)
{
	mr_vec_each (setting, &in->list)
		if (mr_str_starts(setting->path, MR_STR("quota ")))
			return true;
	return false;
}

static void render(
        struct mr_arena *arena, const struct mr_dovecot_settings *settings, struct mr_buf *out)
{
	struct mr_dovecot_settings texts = {0};

	mr_vec_each (setting, &settings->list) {
		struct mr_buf text = MR_BUF_INIT;

		mr_dovecot_conf_quote(setting->value, &text);
		mr_dovecot_settings_set(
		        &texts, &(struct mr_dovecot_setting){.path = setting->path,
		                        .value = mr_str_copy(arena, mr_buf_str(&text))});
		mr_buf_done_secret(&text);
	}
	mr_dovecot_print(&texts, true, out);
	mr_dovecot_settings_done(&texts);
}

/* 2.4 passes over userdb_quota_rule without a word. */
static void quota_fields(mr_str quota, mr_str messages, struct mr_buf *out)
{
	uint64_t bytes = 0;

	if (mr_str_is(quota, "unlimited")) {
		mr_buf_add_text(out, " userdb_quota_storage_size=0");
	} else if (quota.size && !mr_size_parse(quota, &bytes)) {
		mr_buf_add_text(out, " userdb_quota_storage_size=");
		mr_size_format(bytes, out);
		if (out->data[out->size - 1] <= '9')
			mr_buf_add_char(out, 'B');
	}
	if (messages.size)
		mr_buf_printf(out, " userdb_quota_message_count=%.*s", MR_FMT(messages));
}

static bool quota_read(mr_str name, mr_str value, struct mr_dovecot_quota *out)
{
	mr_str *to = mr_str_is(name, "userdb_quota_storage_size")    ? &out->storage
	             : mr_str_is(name, "userdb_quota_message_count") ? &out->messages
	                                                             : NULL;

	if (!to || to->data)
		return false;
	*to = value;
	return true;
}

static void twin_accounts(const char *folder, struct mr_buf *out)
{
	static const char *const kinds[] = {"passdb", "userdb"};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		mr_buf_printf(out,
		        "%s mailreeve-twin {\n  driver = passwd-file\n  passwd_file_path = "
		        "%s/users\n}\n",
		        kinds[i], folder);
}

static void twin_mail(
        const struct mr_dovecot_settings *effective, const char *folder, struct mr_buf *out)
{
	struct mr_arena arena = MR_ARENA_INIT;
	bool is_elsewhere = false;

	for (size_t i = 0; mr_name_location_nth(i).size; i++) {
		mr_str name = mr_name_location_nth(i), value;

		if (mr_str_ends(name, MR_STR("_path")) &&
		        value_in(&arena, effective, name, &value) && value.size)
			is_elsewhere |= !mr_place_is_below_home(value);
	}
	mr_arena_done(&arena);
	for (size_t i = 0; is_elsewhere && mr_name_location_nth(i).size; i++) {
		mr_str name = mr_name_location_nth(i);

		if (mr_str_is(name, "mail_driver"))
			mr_buf_add_text(out, "mail_driver = maildir\n");
		else if (mr_str_is(name, "mail_path"))
			mr_buf_printf(out, "mail_path = %s/home/Maildir\n", folder);
		else if (mr_str_ends(name, MR_STR("_path")))
			mr_buf_printf(out, "%.*s =\n", MR_FMT(name));
	}
}

static const char *const list_schemes[] = {"doveadm", "-O", "pw", "-l", NULL};

/* What 2.4.1's doveconf -d prints only when it is asked for by name. */
static const char *const more_defaults[] = {"doveconf", "-c", "/dev/null", "-d",
        "auth_policy_hash_truncate", "auth_username_translation", "base_dir",
        "dsync_hashed_headers", "imap_idle_notify_interval", "imap_max_line_length", "libexec_dir",
        "lmtp_verbose_replies", "login_greeting", "mail_full_filesystem_access",
        "mail_max_keyword_length", "mail_save_crlf", "mailbox_idle_check_interval", "mbox_md5",
        "mbox_min_index_size", "state_dir", NULL};

const struct mr_dovecot_version mr_dovecot_version_24 = {
        .prefix = "2.4.",
        .list_schemes = list_schemes,
        .more_defaults = more_defaults,
        .listener_address = "listen",
        .refused_schemes = "DES-CRYPT MD5-CRYPT PLAIN-MD5 LDAP-MD5 SMD5",
        .quota_unit = 1,
        .hides_defaults = true,
        .knows = knows,
        .value_in = value_in,
        .all_in = all_in,
        .has_quota = has_quota,
        .render = render,
        .quota_fields = quota_fields,
        .quota_read = quota_read,
        .twin_accounts = twin_accounts,
        .twin_mail = twin_mail,
};
