/*
 * Dovecot 2.3: settings and user rows in its words.
 */
#include "dovecot/names.h"

#include <string.h>

#include "base/text.h"

#define HIDDEN "# hidden, use -P to show it"

/* What the words of a list attribute of 2.4 ("mail_plugins { quota = yes }") are members of. */
static bool is_plugin_member(const struct mr_place *place)
{
	return mr_str_is(place->section, "mail_plugins");
}

static bool is_quota_root(const struct mr_place *place)
{
	return place->n == 2 && mr_str_starts(place->section, MR_STR("quota ")) &&
	       mr_str_is(place->name, "driver");
}

/* A setting that a filter does not name is what stands outside of it. */
static const struct mr_dovecot_setting *effective(const struct mr_dovecot_settings *in, mr_str path)
{
	const struct mr_dovecot_setting *found = mr_dovecot_settings_find(in, path);
	struct mr_place place;

	for (unsigned i = 0; !found && i < MR_DOVECOT_DEPTH; i++) {
		if (!mr_place_parse(path, &place) || place.n < 2 ||
		        !mr_place_is_filter(place.parts[0]))
			return NULL;
		path = mr_str_skip(path, place.parts[0].size + 1);
		found = mr_dovecot_settings_find(in, path);
	}
	return found && !mr_str_is(found->value, HIDDEN) ? found : NULL;
}

static mr_str joined(struct mr_arena *arena, mr_str scope, const char *name)
{
	return mr_str_printf(arena, "%.*s%s", MR_FMT(scope), name);
}

static bool plugin_member_in(struct mr_arena *arena, const struct mr_dovecot_settings *in,
        const struct mr_place *place, mr_str *out)
{
	mr_str scope = mr_str_take(place->scope, place->scope.size - strlen("mail_plugins/"));
	const struct mr_dovecot_setting *found =
	        effective(in, joined(arena, scope, "mail_plugins"));

	if (!found || !mr_dovecot_has_word(found->value, place->name))
		return false;
	*out = MR_STR("yes");
	return true;
}

/* plugin { quota = count:User quota } */
static bool quota_root_in(
        const struct mr_dovecot_settings *in, const struct mr_place *place, mr_str *out)
{
	const struct mr_dovecot_setting *found =
	        mr_dovecot_settings_find(in, MR_STR("plugin/quota"));
	mr_str rest = found ? found->value : (mr_str){0};
	mr_str driver = mr_str_split(&rest, ':');

	if (!found || !mr_str_eq(rest, mr_str_skip(place->section, strlen("quota "))))
		return false;
	*out = driver;
	return true;
}

static bool value_in(
        struct mr_arena *arena, const struct mr_dovecot_settings *in, mr_str path, mr_str *out)
{
	const struct mr_dovecot_setting *found;
	const struct mr_name_pair *pair;
	struct mr_place place;

	if (!mr_place_parse(path, &place))
		return false;
	if (is_plugin_member(&place))
		return plugin_member_in(arena, in, &place, out);
	if (is_quota_root(&place))
		return quota_root_in(in, &place, out);
	if (mr_name_location_part(place.name)) {
		found = effective(in, joined(arena, place.scope, "mail_location"));
		if (found)
			*out = mr_name_location_get(arena, found->value, place.name);
		return found && out->size;
	}
	pair = mr_name_find_new(place.name, place.section);
	found = effective(in, pair ? joined(arena, place.scope, pair->old_name) : path);
	if (!found)
		return false;
	*out = mr_name_value_new(arena, pair, mr_str_trim(found->value));
	return true;
}

static void add(struct mr_dovecot_settings *out, mr_str path, mr_str value)
{
	mr_dovecot_settings_set(out, &(struct mr_dovecot_setting){.path = path, .value = value});
}

static void add_location(
        struct mr_arena *arena, mr_str scope, mr_str location, struct mr_dovecot_settings *out)
{
	for (size_t i = 0; mr_name_location_nth(i).size; i++) {
		mr_str name = mr_name_location_nth(i);
		mr_str value = mr_name_location_get(arena, location, name);

		if (value.size)
			add(out, mr_str_printf(arena, "%.*s%.*s", MR_FMT(scope), MR_FMT(name)),
			        value);
	}
}

static void all_in(struct mr_arena *arena, const struct mr_dovecot_settings *in,
        const struct mr_dovecot_settings *defaults, struct mr_dovecot_settings *out)
{
	mr_vec_each (setting, &in->list) {
		const struct mr_dovecot_setting *plain =
		        mr_dovecot_settings_find(defaults, setting->path);
		const struct mr_name_pair *pair;
		struct mr_place place;

		if ((plain && mr_str_eq(plain->value, setting->value)) ||
		        mr_str_is(setting->value, HIDDEN) || !mr_place_parse(setting->path, &place))
			continue;
		if (mr_str_is(place.name, "mail_location")) {
			add_location(arena, place.scope, setting->value, out);
			continue;
		}
		pair = mr_name_find_old(place.name, place.section);
		add(out, pair ? joined(arena, place.scope, pair->new_name) : setting->path,
		        mr_name_value_new(arena, pair, mr_str_trim(setting->value)));
	}
}

/* The same kind of section under any name, "service x/inet_listener y" as "service /inet_listener
 * ". */
static mr_str shape_of(struct mr_arena *arena, mr_str path)
{
	mr_str parts[MR_DOVECOT_DEPTH];
	size_t n = mr_dovecot_path_split(path, parts, MR_DOVECOT_DEPTH);
	struct mr_buf out = MR_BUF_INIT;
	mr_str shape;

	for (size_t i = 0; i < n; i++) {
		size_t blank = mr_str_find(parts[i], ' ');

		if (i > 0)
			mr_buf_add_char(&out, '/');
		mr_buf_add_str(
		        &out, mr_str_take(parts[i], blank < parts[i].size ? blank + 1 : blank));
	}
	shape = mr_str_copy(arena, mr_buf_str(&out));
	mr_buf_done(&out);
	return shape;
}

/* What the defaults have no example of. */
static bool is_known_shape(mr_str shape)
{
	static const mr_str shapes[] = {MR_STR_INIT("namespace /disabled"),
	        MR_STR_INIT("namespace /hidden"), MR_STR_INIT("namespace /inbox"),
	        MR_STR_INIT("namespace /list"), MR_STR_INIT("namespace /location"),
	        MR_STR_INIT("namespace /order"), MR_STR_INIT("namespace /prefix"),
	        MR_STR_INIT("namespace /separator"), MR_STR_INIT("namespace /subscriptions"),
	        MR_STR_INIT("namespace /type"), MR_STR_INIT("namespace /ignore_on_failure"),
	        MR_STR_INIT("namespace /mailbox /auto"),
	        MR_STR_INIT("namespace /mailbox /autoexpunge"),
	        MR_STR_INIT("namespace /mailbox /autoexpunge_max_mails"),
	        MR_STR_INIT("namespace /mailbox /comment"),
	        MR_STR_INIT("namespace /mailbox /special_use"),
	        MR_STR_INIT("service /fifo_listener /mode"),
	        MR_STR_INIT("service /fifo_listener /user"),
	        MR_STR_INIT("service /fifo_listener /group"),
	        MR_STR_INIT("service /inet_listener /haproxy"),
	        MR_STR_INIT("service /inet_listener /reuse_port")};

	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		if (mr_str_eq(shape, shapes[i]))
			return true;
	return false;
}

static bool has_shape(const struct mr_dovecot_settings *defaults, mr_str path)
{
	struct mr_arena arena = MR_ARENA_INIT;
	mr_str shape = shape_of(&arena, path);
	bool is_known = is_known_shape(shape);

	for (size_t i = 0; !is_known && i < defaults->list.n; i++)
		is_known = mr_str_find(defaults->list.items[i].path, '/') <
		                   defaults->list.items[i].path.size &&
		           mr_str_eq(shape_of(&arena, defaults->list.items[i].path), shape);
	mr_arena_done(&arena);
	return is_known;
}

static bool knows_old(struct mr_arena *arena, const struct mr_dovecot_settings *defaults,
        mr_str path, const char **out_hint)
{
	struct mr_place place;
	const struct mr_name_pair *pair;
	mr_str inner = path;

	while (mr_place_parse(inner, &place) && place.n > 1 && mr_place_is_filter(place.parts[0]))
		inner = mr_str_skip(inner, place.parts[0].size + 1);
	if (!mr_place_parse(inner, &place))
		return false;
	if (mr_name_location_part(place.name) && place.n == 1)
		return true;
	if (mr_str_starts(inner, MR_STR("plugin/")) || is_quota_root(&place) ||
	        (is_plugin_member(&place) && place.n == 2))
		return true;
	pair = mr_name_find_old(place.name, place.section);
	if (pair)
		*out_hint = pair->new_name;
	if (mr_str_is(place.name, "mail_location"))
		*out_hint = "mail_driver and mail_path";
	if (*out_hint)
		return false;
	pair = mr_name_find_new(place.name, place.section);
	if (pair)
		inner = joined(arena, place.scope, pair->old_name);
	return place.n > 1 ? has_shape(defaults, inner)
	                   : mr_dovecot_settings_find(defaults, inner) != NULL;
}

static bool knows(const struct mr_dovecot_settings *defaults, mr_str path, const char **out_hint)
{
	struct mr_arena arena = MR_ARENA_INIT;
	bool is_known;

	*out_hint = NULL;
	is_known = knows_old(&arena, defaults, path, out_hint);
	mr_arena_done(&arena);
	return is_known;
}

/* 2.3 counts kilobytes when no unit is given. */
static void quota_fields(mr_str quota, mr_str messages, struct mr_buf *out)
{
	uint64_t bytes = 0;

	if (quota.size == 0 && messages.size == 0)
		return;
	mr_buf_add_text(out, " userdb_quota_rule=*");
	if (mr_str_is(quota, "unlimited")) {
		mr_buf_add_text(out, ":storage=0");
	} else if (quota.size && !mr_size_parse(quota, &bytes)) {
		mr_buf_add_text(out, ":storage=");
		mr_size_format(bytes, out);
		if (out->data[out->size - 1] <= '9')
			mr_buf_add_char(out, 'B');
	}
	if (messages.size)
		mr_buf_printf(out, ":messages=%.*s", MR_FMT(messages));
}

static bool quota_read(mr_str name, mr_str value, struct mr_dovecot_quota *out)
{
	struct mr_dovecot_quota quota = {0};

	if (!mr_str_is(name, "userdb_quota_rule") || out->storage.data || out->messages.data ||
	        !mr_str_is(mr_str_split(&value, ':'), "*"))
		return false;
	while (value.size > 0) {
		mr_str limit = mr_str_split(&value, ':');
		mr_str word = mr_str_split(&limit, '=');

		if (mr_str_is(word, "storage"))
			quota.storage = limit;
		else if (mr_str_is(word, "messages"))
			quota.messages = limit;
		else
			return false;
	}
	*out = quota;
	return true;
}

static bool has_quota(const struct mr_dovecot_settings *in)
{
	return mr_dovecot_settings_find(in, MR_STR("plugin/quota")) != NULL;
}

static void twin_accounts(const char *folder, struct mr_buf *out)
{
	mr_buf_printf(out,
	        "passdb {\n  driver = passwd-file\n  args = %s/users\n}\n"
	        "userdb {\n  driver = passwd-file\n  args = %s/users\n}\n",
	        folder, folder);
}

/* "driver:PATH:OPTION=PATH": all of its paths. Debian's own keeps the INBOX in /var/mail. */
static bool is_all_below_home(mr_str location)
{
	bool is_below = mr_place_is_below_home(location);

	(void)mr_str_split(&location, ':');
	while (location.size > 0) {
		mr_str part = mr_str_split(&location, ':');

		if (mr_str_find(part, '/') < part.size && !mr_place_is_below_home(part))
			is_below = false;
	}
	return is_below;
}

static void twin_mail(
        const struct mr_dovecot_settings *effective, const char *folder, struct mr_buf *out)
{
	const struct mr_dovecot_setting *location =
	        mr_dovecot_settings_find(effective, MR_STR("mail_location"));

	if (location && !is_all_below_home(location->value))
		mr_buf_printf(out, "mail_location = maildir:%s/home/Maildir\n", folder);
}

static const char *const list_schemes[] = {"doveadm", "-c", "/dev/null", "pw", "-l", NULL};

void mr_dovecot_render_23(
        struct mr_arena *arena, const struct mr_dovecot_settings *settings, struct mr_buf *out);

const struct mr_dovecot_version mr_dovecot_version_23 = {
        .prefix = "2.3.",
        .knows = knows,
        .value_in = value_in,
        .all_in = all_in,
        .has_quota = has_quota,
        .render = mr_dovecot_render_23,
        .quota_fields = quota_fields,
        .quota_read = quota_read,
        .quota_unit = 1024,
        .twin_accounts = twin_accounts,
        .twin_mail = twin_mail,
        .list_schemes = list_schemes,
        .listener_address = "address",
        .has_one_location = true,
};
