/*
 * A mailreeve.conf for Dovecot 2.3 out of settings in 2.4's words.
 */
#include "dovecot/names.h"

#include <string.h>

void mr_dovecot_render_23(
        struct mr_arena *arena, const struct mr_dovecot_settings *settings, struct mr_buf *out);

/* What is being made: 2.3's paths with the very text that stands behind "name = ". */
struct render {
	struct mr_arena *arena;
	const struct mr_dovecot_settings *from;
	struct mr_dovecot_settings texts;
};

static void add_text(struct render *render, mr_str path, mr_str text)
{
	mr_dovecot_settings_set(
	        &render->texts, &(struct mr_dovecot_setting){.path = path, .value = text});
}

static mr_str quoted(struct render *render, mr_str value)
{
	struct mr_buf text = MR_BUF_INIT;
	mr_str result;

	mr_dovecot_conf_quote(value, &text);
	result = mr_str_copy(render->arena, mr_buf_str(&text));
	mr_buf_done(&text);
	return result;
}

/* mail_plugins { a = yes } adds to what was there; as a list it replaces that. */
static void add_plugin(struct render *render, mr_str list, mr_str name)
{
	const struct mr_dovecot_setting *found = mr_dovecot_settings_find(&render->texts, list);

	add_text(render, list,
	        mr_str_printf(render->arena, "%.*s %.*s",
	                MR_FMT(found ? found->value : MR_STR("$mail_plugins")), MR_FMT(name)));
}

static mr_str value_of(const struct render *render, mr_str section, const char *name)
{
	const struct mr_dovecot_setting *found = mr_dovecot_settings_find(
	        render->from, mr_str_printf(render->arena, "%.*s/%s", MR_FMT(section), name));

	return found ? found->value : (mr_str){0};
}

/* passdb and userdb of kind passwd-file: their settings are words of one. */
static void add_database(struct render *render, mr_str section)
{
	struct mr_buf args = MR_BUF_INIT;
	mr_str scheme = value_of(render, section, "default_password_scheme");
	mr_str format = mr_name_variables_old(
	        render->arena, value_of(render, section, "auth_username_format"));
	mr_str path =
	        mr_name_variables_old(render->arena, value_of(render, section, "passwd_file_path"));

	if (scheme.size)
		mr_buf_printf(&args, "scheme=%.*s ", MR_FMT(scheme));
	if (format.size)
		mr_buf_printf(&args, "username_format=%.*s ", MR_FMT(format));
	mr_buf_add_str(&args, path);
	add_text(render, mr_str_printf(render->arena, "%.*s/args", MR_FMT(section)),
	        quoted(render, mr_buf_str(&args)));
	add_text(render, mr_str_printf(render->arena, "%.*s/driver", MR_FMT(section)),
	        quoted(render, value_of(render, section, "driver")));
	if (mr_str_is(value_of(render, section, "deny"), "yes"))
		add_text(render, mr_str_printf(render->arena, "%.*s/deny", MR_FMT(section)),
		        MR_STR("yes"));
	mr_buf_done(&args);
}

static void add_location(struct render *render, mr_str scope)
{
	mr_str path = mr_str_printf(render->arena, "%.*smail_location", MR_FMT(scope));
	mr_str location = mr_name_location_join(render->arena, render->from, scope);

	if (location.size)
		add_text(render, path,
		        quoted(render, mr_name_variables_old(render->arena, location)));
}

static void add_quota(struct render *render, mr_str section, mr_str driver)
{
	mr_str root = mr_str_printf(render->arena, "%.*s:%.*s", MR_FMT(driver),
	        MR_FMT(mr_str_skip(section, strlen("quota "))));

	add_text(render, MR_STR("plugin/quota"), quoted(render, root));
	if (mr_str_is(driver, "count"))
		add_text(render, MR_STR("plugin/quota_vsizes"), MR_STR("yes"));
}

static void add_setting(struct render *render, const struct mr_dovecot_setting *setting)
{
	mr_str parts[MR_DOVECOT_DEPTH];
	size_t n = mr_dovecot_path_split(setting->path, parts, MR_DOVECOT_DEPTH);
	mr_str name = n ? parts[n - 1] : setting->path;
	mr_str section = n > 1 ? parts[n - 2] : (mr_str){0};
	mr_str scope = mr_str_take(setting->path, setting->path.size - name.size);
	const struct mr_name_pair *pair = mr_name_find_new(name, section);
	mr_str value = mr_name_value_old(render->arena, pair, setting->value);

	if (mr_dovecot_is_database(setting->path)) {
		add_database(render, parts[0]);
	} else if (mr_str_is(section, "mail_plugins")) {
		if (mr_str_is(setting->value, "yes"))
			add_plugin(render, mr_str_take(scope, scope.size - 1), name);
	} else if (mr_str_starts(section, MR_STR("quota "))) {
		add_quota(render, section, setting->value);
	} else if (mr_name_location_part(name)) {
		add_location(render, scope);
	} else {
		bool is_file = pair && pair->kind == MR_NAME_FILE && value.size;

		add_text(render,
		        mr_str_printf(render->arena, "%.*s%s", MR_FMT(scope),
		                pair ? pair->old_name : mr_str_copy(render->arena, name).data),
		        is_file ? value : quoted(render, value));
	}
}

void mr_dovecot_render_23(
        struct mr_arena *arena, const struct mr_dovecot_settings *settings, struct mr_buf *out)
{
	struct render render = {.arena = arena, .from = settings};

	mr_vec_each (setting, &settings->list)
		add_setting(&render, setting);
	mr_dovecot_print(&render.texts, false, out);
	mr_dovecot_settings_done(&render.texts);
}
