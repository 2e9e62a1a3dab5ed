/*
 * The folder as a server.
 */
#include "files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "model/dn.h"

struct mr_backend {
	struct mr_arena arena;
	struct mr_diags *diags;
	const char *folder;
	bool is_tree;
};

struct row {
	mr_str key, name, value, note;
};
struct rows {
	struct mr_arena arena;
	MR_VEC(struct row) list;
};

const struct mr_collection files_boxes = {.name = MR_STR_INIT("boxes"),
        .target = MR_STR_INIT("files.boxes"),
        .provider = "files",
        .rank = MR_RANK_MAILBOX,
        .flags = MR_COLLECTION_EXCLUSIVE};
const struct mr_collection files_maps = {.name = MR_STR_INIT("maps"),
        .target = MR_STR_INIT("files.maps"),
        .provider = "files",
        .rank = MR_RANK_ALIAS_MAP,
        .flags = MR_COLLECTION_EXCLUSIVE};
const struct mr_collection files_tree = {.name = MR_STR_INIT("tree"),
        .target = MR_STR_INIT("tree"),
        .provider = "tree",
        .rank = MR_RANK_DIRECTORY,
        .flags = MR_COLLECTION_EXCLUSIVE | MR_COLLECTION_PARTIAL | MR_COLLECTION_DELETE_LATE,
        .scope = MR_STR_INIT("dc=example")};

static const char *path_of(struct mr_backend *backend, const char *part, mr_str name)
{
	return mr_str_printf(&backend->arena, "%s/%s/%.*s", backend->folder, part, MR_FMT(name))
	        .data;
}

static int check_up(struct mr_backend *backend)
{
	if (access(path_of(backend, ".", MR_STR("down")), F_OK) != 0)
		return 0;
	return mr_fail(
	        backend->diags, MR_E_UNREADABLE, "the server in '%s' is down", backend->folder);
}

static int cmp_row(const void *left, const void *right)
{
	return mr_str_cmp(((const struct row *)left)->key, ((const struct row *)right)->key);
}

static int load(struct mr_backend *backend, const char *part, mr_str name, struct rows *out)
{
	struct mr_buf text = MR_BUF_INIT;
	int code = mr_file_read(backend->diags, path_of(backend, part, name), 1 << 24, &text);

	*out = (struct rows){0};
	mr_str rest = mr_str_copy(&out->arena, mr_buf_str(&text));
	mr_buf_done(&text);
	if (code && code != MR_E_NOT_FOUND)
		return code;
	while (rest.size > 0) {
		mr_str line = mr_str_split(&rest, '\n');
		struct row row = {.name = mr_str_split(&line, '\t')};
		row.value = mr_str_split(&line, '\t');
		row.note = line;
		row.key = row.name;
		if (backend->is_tree && mr_dn_key(&out->arena, row.name, &row.key))
			return mr_fail(
			        backend->diags, MR_E_FAILED, "'%.*s' is no DN", MR_FMT(row.name));
		mr_vec_push(&out->list, row);
	}
	if (out->list.n > 1)
		qsort(out->list.items, out->list.n, sizeof *out->list.items, cmp_row);
	return 0;
}

static void rows_done(struct rows *rows)
{
	mr_vec_done(&rows->list);
	mr_arena_done(&rows->arena);
}

static int store(struct mr_backend *backend, mr_str name, const struct rows *rows)
{
	const struct mr_file_owner owner = {0, 0, 0600};
	struct mr_buf text = MR_BUF_INIT;

	for (size_t i = 0; i < rows->list.n; i++) {
		const struct row *row = &rows->list.items[i];
		if (row->name.data)
			mr_buf_printf(&text, "%.*s\t%.*s\t%.*s\n", MR_FMT(row->name),
			        MR_FMT(row->value), MR_FMT(row->note));
	}
	int code = mr_file_replace(
	        backend->diags, path_of(backend, "live", name), mr_buf_str(&text), &owner);
	mr_buf_done(&text);
	return code;
}

static int open_files(
        const struct mr_provider_options *options, struct mr_backend **out, bool is_tree)
{
	struct mr_backend *backend = mr_xrealloc(NULL, 1, sizeof *backend);

	*backend = (struct mr_backend){.diags = options->diags, .is_tree = is_tree};
	backend->folder = mr_str_printf(
	        &backend->arena, "%.*s.servers", MR_FMT(options->host->state_directory))
	                          .data;
	*out = backend;
	return 0;
}

static int files_open(const struct mr_provider_options *options, struct mr_backend **out)
{
	return open_files(options, out, false);
}

static int tree_open(const struct mr_provider_options *options, struct mr_backend **out)
{
	return open_files(options, out, true);
}

static void files_close(struct mr_backend *backend)
{
	mr_arena_done(&backend->arena);
	free(backend);
}

static int files_describe(struct mr_backend *backend, struct mr_live_info *out)
{
	(void)backend;
	*out = (struct mr_live_info){.version = MR_STR("1"), .read = MR_READ_COMPLETE};
	return 0;
}

static int files_collections(
        struct mr_backend *backend, struct mr_desired *desired, struct mr_collections *out)
{
	(void)desired;
	out->n = backend->is_tree ? 1 : 2;
	out->items = mr_alloc_n(&backend->arena, out->n, sizeof *out->items);
	out->items[0] = backend->is_tree ? files_tree : files_boxes;
	if (!backend->is_tree)
		out->items[1] = files_maps;
	return 0;
}

static mr_str body_of(struct mr_attrs_builder *builder, const struct row *row)
{
	mr_attrs_builder_clear(builder);
	mr_attrs_add(builder, MR_STR("value"), 0, row->value);
	if (row->note.size)
		mr_attrs_add(builder, MR_STR("note"), 0, row->note);
	return mr_attrs_finish(builder);
}

static bool is_wanted(const struct mr_strs *only, mr_str key)
{
	for (size_t i = 0; only && i < only->n; i++) {
		if (mr_str_eq(only->items[i], key))
			return true;
	}
	return !only;
}

static int cursor_of(struct mr_backend *backend, const char *part, const struct mr_collection *in,
        const struct mr_strs *only, struct mr_cursor *out)
{
	const char *prefix = backend->is_tree ? "ldap/" : "";
	struct mr_sorter *sorter = mr_sorter_new();
	struct mr_attrs_builder builder;
	struct rows rows;
	int code = load(backend, part, in->name, &rows);

	mr_attrs_builder_init(&builder);
	mr_vec_each (row, &rows.list) {
		struct mr_item item = {.key = row->key,
		        .body = body_of(&builder, row),
		        .object = mr_str_printf(&rows.arena, "%s%.*s", prefix, MR_FMT(row->name))};
		if (is_wanted(only, row->key))
			mr_sorter_add(sorter, &item);
	}
	mr_attrs_builder_done(&builder);
	rows_done(&rows);
	return code ? code : mr_sorter_cursor(sorter, out, NULL);
}

static int files_project(struct mr_backend *backend, const struct mr_collection *in,
        struct mr_desired *desired, struct mr_cursor *out)
{
	(void)desired;
	return cursor_of(backend, "desired", in, NULL, out);
}

static int files_observe(struct mr_backend *backend, const struct mr_collection *in,
        const struct mr_strs *only, struct mr_cursor *out)
{
	int code = check_up(backend);

	return code ? code : cursor_of(backend, "live", in, only, out);
}

static int files_stage(struct mr_backend *backend, const struct mr_change *const *changes, size_t n,
        const char *work_directory)
{
	(void)work_directory;
	for (size_t i = 0; i < n; i++) {
		if (mr_str_is(mr_attrs_get(changes[i]->after, MR_STR("value")), "refused"))
			return mr_fail(backend->diags, MR_E_REJECTED,
			        "the checker does not like '%.*s'", MR_FMT(changes[i]->object));
	}
	return check_up(backend);
}

static struct row *find_row(struct rows *rows, mr_str key)
{
	mr_vec_each (row, &rows->list) {
		if (row->name.data && mr_str_eq(row->key, key))
			return row;
	}
	return NULL;
}

static bool is_attr_like(mr_str body, const char *name, mr_str value, bool is_partial)
{
	struct mr_attr attr;

	if (!mr_attrs_find(body, mr_str_from(name), &attr))
		return is_partial || value.size == 0;
	return mr_str_eq(mr_attr_first(&attr), value);
}

static bool is_like(const struct mr_change *change, mr_str body, const struct row *row)
{
	bool is_partial = change->in->flags & MR_COLLECTION_PARTIAL;

	if (!row || !body.data)
		return !row && !body.data;
	return is_attr_like(body, "value", row->value, is_partial) &&
	       is_attr_like(body, "note", row->note, is_partial);
}

static void put_attr(mr_str body, const char *name, mr_str *value, bool is_partial)
{
	struct mr_attr attr;

	if (mr_attrs_find(body, mr_str_from(name), &attr))
		*value = mr_attr_first(&attr);
	else if (!is_partial)
		*value = (mr_str){0};
}

static void put(struct rows *rows, struct row *row, const struct mr_change *change)
{
	bool is_partial = change->in->flags & MR_COLLECTION_PARTIAL;

	if (!change->after.data) {
		row->name = (mr_str){0}; /* left out when written */
		return;
	}
	if (!row) {
		mr_str name = is_partial ? mr_str_skip(change->object, 5) : change->key;
		mr_vec_push(&rows->list, (struct row){.key = change->key, .name = name});
		row = &rows->list.items[rows->list.n - 1];
	}
	put_attr(change->after, "value", &row->value, is_partial);
	put_attr(change->after, "note", &row->note, is_partial);
}

static int files_apply(struct mr_backend *backend, const struct mr_change *const *changes, size_t n,
        const char *work_directory, bool is_undo)
{
	struct rows rows;
	int conflict = 0, code = check_up(backend);

	(void)work_directory;
	(void)is_undo;
	if (!code)
		code = load(backend, "live", changes[0]->in->name, &rows);
	if (code)
		return code;
	for (size_t i = 0; i < n; i++) {
		struct row *row = find_row(&rows, changes[i]->key);
		if (is_like(changes[i], changes[i]->after, row))
			continue;
		if (is_like(changes[i], changes[i]->before, row))
			put(&rows, row, changes[i]);
		else
			conflict = mr_fail(backend->diags, MR_E_CONFLICT,
			        "'%.*s' was changed by somebody else", MR_FMT(changes[i]->object));
	}
	code = store(backend, changes[0]->in->name, &rows);
	rows_done(&rows);
	return code ? code : conflict;
}

static enum mr_activation files_activation(
        struct mr_backend *backend, const struct mr_change *const *changes, size_t n)
{
	(void)changes;
	return backend->is_tree || n == 0 ? MR_ACTIVATE_NOTHING : MR_ACTIVATE_RELOAD;
}

static int files_activate(struct mr_backend *backend, const struct mr_change *const *changes,
        size_t n, enum mr_activation what, bool is_undo)
{
	const struct mr_file_owner owner = {0, 0, 0600};
	int code = check_up(backend);

	(void)what;
	(void)is_undo;
	for (size_t i = 0; i < n && !code; i++) {
		struct mr_buf text = MR_BUF_INIT;
		mr_str name = changes[i]->in->name;
		code = mr_file_read(backend->diags, path_of(backend, "live", name), 1 << 24, &text);
		if (!code)
			code = mr_file_replace(backend->diags, path_of(backend, "force", name),
			        mr_buf_str(&text), &owner);
		mr_buf_done(&text);
	}
	return code;
}

static int files_probe(struct mr_backend *backend)
{
	struct rows rows;
	int code = check_up(backend);

	if (code || backend->is_tree)
		return code;
	code = load(backend, "force", MR_STR("maps"), &rows);
	if (code)
		return code;
	mr_vec_each (row, &rows.list) {
		if (mr_str_is(row->value, "poison"))
			code = mr_fail(backend->diags, MR_E_FAILED,
			        "the daemon does not run on '%.*s'", MR_FMT(row->name));
	}
	rows_done(&rows);
	return code;
}

static int files_finish(struct mr_backend *backend, const char *work_directory, bool was_applied)
{
	(void)was_applied;
	return mr_dir_remove(backend->diags, work_directory);
}

#define FILES_PROVIDER(provider_name, open_function)                                               \
	{                                                                                          \
		.name = (provider_name), .open = (open_function), .close = files_close,            \
		.describe = files_describe, .collections = files_collections,                      \
		.project = files_project, .observe = files_observe, .stage = files_stage,          \
		.apply = files_apply, .activation = files_activation, .activate = files_activate,  \
		.probe = files_probe, .finish = files_finish,                                      \
	}

const struct mr_provider files_provider = FILES_PROVIDER("files", files_open);
const struct mr_provider tree_provider = FILES_PROVIDER("tree", tree_open);
