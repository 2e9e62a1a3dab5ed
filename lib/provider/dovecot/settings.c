/*
 * dovecot.settings as a collection: what is declared and wired, what is in force, and our file with
 * changes carried out.
 */
#include "dovecot/dovecot.h"

#include <stdlib.h>
#include <unistd.h>

/* A list of settings handed out as items. */
struct stream {
	struct mr_arena arena;
	struct mr_dovecot_settings list;
	size_t at;
	struct mr_attrs_builder builder;
	struct mr_buf object;
};

static mr_str body_of(struct mr_attrs_builder *builder, const struct mr_dovecot_setting *setting)
{
	mr_attrs_builder_clear(builder);
	mr_attrs_add(builder, MR_STR("value"), setting->is_sensitive ? MR_ATTR_SENSITIVE : 0,
	        setting->value);
	return mr_attrs_finish(builder);
}

static int stream_next(struct mr_cursor *cursor, struct mr_item *out)
{
	struct stream *stream = cursor->state;
	const struct mr_dovecot_setting *setting;

	if (stream->at == stream->list.list.n)
		return 0;
	setting = &stream->list.list.items[stream->at++];
	mr_buf_clear(&stream->object);
	mr_buf_add_text(&stream->object, "dovecot.setting/");
	mr_buf_add_str(&stream->object, setting->path);
	*out = (struct mr_item){.key = setting->path,
	        .body = body_of(&stream->builder, setting),
	        .object = mr_buf_str(&stream->object),
	        .loc = setting->loc};
	return 1;
}

static void stream_close(struct mr_cursor *cursor)
{
	struct stream *stream = cursor->state;

	mr_dovecot_settings_done(&stream->list);
	mr_attrs_builder_done(&stream->builder);
	mr_buf_done(&stream->object);
	mr_arena_done(&stream->arena);
	free(stream);
}

static struct stream *stream_new(struct mr_cursor *out)
{
	struct stream *stream = mr_xrealloc(NULL, 1, sizeof *stream);

	*stream = (struct stream){0};
	mr_attrs_builder_init(&stream->builder);
	*out = (struct mr_cursor){.next = stream_next, .close = stream_close, .state = stream};
	return stream;
}

int mr_dovecot_settings_project(struct mr_backend *backend, struct mr_cursor *out)
{
	struct stream *stream = stream_new(out);

	mr_vec_each (setting, &backend->desired.list)
		mr_dovecot_settings_set(&stream->list, setting);
	return 0;
}

static bool is_secret_name(mr_str path)
{
	return mr_str_ends(path, MR_STR("password")) || mr_str_ends(path, MR_STR("api_key"));
}

/* doveconf does not print these. */
static bool is_hidden(const struct mr_dovecot_setting *setting)
{
	return setting->is_sensitive || is_secret_name(setting->path) ||
	       mr_str_is(setting->path, "ssl_server_key_file");
}

/* Dovecot fails every log-in when it starts without a file that a passdb names; one whose name
 * holds a variable may be. Users that are missing are an error of their own collection. */
static bool names_missing_file(struct mr_backend *backend, mr_str path, mr_str value)
{
	struct mr_arena arena = MR_ARENA_INIT;
	bool is_missing = mr_str_ends(path, MR_STR("/passwd_file_path")) &&
	                  mr_str_find(value, '%') == value.size &&
	                  !mr_str_is(value, backend->users_path) &&
	                  access(mr_str_copy(&arena, value).data, F_OK) != 0;

	mr_arena_done(&arena);
	return is_missing;
}

/* What is in force for one path; false when nothing is. */
static bool look_up(struct mr_backend *backend, struct mr_arena *arena,
        const struct mr_dovecot_own *own, mr_str path, struct mr_dovecot_setting *out)
{
	const struct mr_dovecot_setting *ours = mr_dovecot_settings_find(&own->settings, path);
	mr_str value = ours ? ours->value : (mr_str){0};
	mr_str live;

	if (mr_dovecot_is_database(path)) {
		if (!ours || own->is_edited || names_missing_file(backend, path, value))
			return false;
	} else if (backend->version->value_in(arena, &backend->live, path, &live)) {
		if (!ours || !mr_dovecot_value_same(value, live))
			value = live; /* else in the words it was declared in */
	} else if (!ours || own->is_edited || !is_hidden(ours)) {
		return false;
	}
	*out = (struct mr_dovecot_setting){.path = mr_str_copy(arena, path),
	        .value = mr_str_copy(arena, value),
	        .is_sensitive = is_secret_name(path) || (ours && ours->is_sensitive)};
	return true;
}

static void look_up_all(struct mr_backend *backend, struct stream *stream,
        const struct mr_dovecot_own *own, const struct mr_dovecot_settings *paths)
{
	mr_vec_each (wanted, &paths->list) {
		struct mr_dovecot_setting found;

		if (look_up(backend, &stream->arena, own, wanted->path, &found))
			mr_dovecot_settings_set(&stream->list, &found);
	}
}

static void observe_all(
        struct mr_backend *backend, struct stream *stream, const struct mr_dovecot_own *own)
{
	struct mr_dovecot_settings explicit_ones = {0};

	backend->version->all_in(
	        &stream->arena, &backend->live, &backend->defaults, &explicit_ones);
	look_up_all(backend, stream, own, &explicit_ones);
	look_up_all(backend, stream, own, &own->settings);
	look_up_all(backend, stream, own, &backend->desired);
	mr_dovecot_settings_done(&explicit_ones);
}

static int learn(struct mr_backend *backend)
{
	int code = mr_dovecot_learn_version(backend);

	if (!code)
		code = mr_dovecot_learn_defaults(backend);
	if (!code)
		code = mr_dovecot_learn_base(backend);
	return code ? code : mr_dovecot_learn_live(backend);
}

int mr_dovecot_settings_observe(
        struct mr_backend *backend, const struct mr_strs *only, struct mr_cursor *out)
{
	struct mr_dovecot_own own = {0};
	struct stream *stream;
	int code;

	mr_dovecot_forget_live(backend);
	code = learn(backend);
	if (code)
		return code;
	stream = stream_new(out);
	code = mr_dovecot_own_read(backend, &stream->arena, &own);
	if (!code && only) {
		struct mr_dovecot_settings paths = {0};

		for (size_t i = 0; i < only->n; i++)
			mr_dovecot_settings_set(
			        &paths, &(struct mr_dovecot_setting){.path = only->items[i]});
		look_up_all(backend, stream, &own, &paths);
		mr_dovecot_settings_done(&paths);
	} else if (!code) {
		observe_all(backend, stream, &own);
	}
	mr_dovecot_settings_done(&own.settings);
	if (code)
		mr_cursor_close(out);
	return code;
}

mr_str mr_dovecot_settings_revert(struct mr_backend *backend, mr_str path, mr_str pre_image)
{
	struct mr_dovecot_setting setting = {.path = path, .is_sensitive = is_secret_name(path)};
	struct mr_attrs_builder builder;
	mr_str body;

	if (mr_dovecot_is_database(path))
		return (mr_str){0};
	if (mr_dovecot_learn_version(backend) || mr_dovecot_learn_base(backend))
		return pre_image;
	if (!backend->version->value_in(&backend->arena, &backend->base, path, &setting.value))
		return (mr_str){0};
	mr_attrs_builder_init(&builder);
	body = mr_str_copy(&backend->arena, body_of(&builder, &setting));
	mr_attrs_builder_done(&builder);
	return body;
}

static bool body_is(mr_str body, bool is_there, mr_str value)
{
	struct mr_attr attr;

	if (!body.data || !mr_attrs_find(body, MR_STR("value"), &attr))
		return !is_there;
	return is_there && mr_dovecot_value_same(mr_attr_first(&attr), value);
}

static int check_before(struct mr_backend *backend, struct mr_arena *arena,
        const struct mr_dovecot_own *own, const struct mr_change *change)
{
	struct mr_dovecot_setting now = {0};
	bool is_there = look_up(backend, arena, own, change->key, &now);

	if (body_is(change->before, is_there, now.value) ||
	        body_is(change->after, is_there, now.value))
		return 0;
	return mr_fail(backend->diags, MR_E_CONFLICT,
	        "cannot change Dovecot's setting '%.*s': somebody else changed it",
	        MR_FMT(change->key));
}

static void carry_out(struct mr_backend *backend, struct mr_arena *arena,
        const struct mr_change *change, struct mr_dovecot_settings *out)
{
	struct mr_dovecot_setting setting = {.path = change->key};
	struct mr_attr attr;
	mr_str base;
	bool is_there = change->after.data && mr_attrs_find(change->after, MR_STR("value"), &attr);

	if (is_there) {
		setting.value = mr_attr_first(&attr);
		setting.is_sensitive = (attr.flags & MR_ATTR_SENSITIVE) != 0;
	}
	/* what the others say already needs no word of ours */
	if (!is_there ||
	        (!mr_dovecot_is_database(setting.path) &&
	                backend->version->value_in(arena, &backend->base, setting.path, &base) &&
	                mr_dovecot_value_same(base, setting.value)))
		mr_dovecot_settings_remove(out, setting.path);
	else
		mr_dovecot_settings_set(out, &setting);
}

int mr_dovecot_settings_edit(struct mr_backend *backend, struct mr_arena *arena,
        const struct mr_change *const *changes, size_t n, bool is_undo,
        struct mr_dovecot_settings *out)
{
	struct mr_dovecot_own own = {0};
	int code;

	mr_dovecot_forget_live(backend);
	code = is_undo ? mr_dovecot_learn_version(backend) : learn(backend);
	if (!code && is_undo)
		code = mr_dovecot_learn_base(backend);
	if (!code)
		code = mr_dovecot_own_read(backend, arena, &own);
	for (size_t i = 0; !code && !is_undo && i < n; i++)
		code = check_before(backend, arena, &own, changes[i]);
	for (size_t i = 0; !code && i < n; i++)
		carry_out(backend, arena, changes[i], &own.settings);
	if (code)
		mr_dovecot_settings_done(&own.settings);
	else
		*out = own.settings;
	return code;
}
