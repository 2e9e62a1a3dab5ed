/*
 * The Postfix backend behind the contract of provider/provider.h.
 */
#include "fileset/newest.h"
#include "postfix/apply.h"
#include "postfix/control.h"
#include "postfix/inspect.h"
#include "postfix/observe.h"
#include "postfix/queue.h"
#include "postfix/tables.h"

#include <stdlib.h>
#include <string.h>

static int postfix_open(const struct mr_provider_options *options, struct mr_backend **out)
{
	struct mr_backend *backend = mr_xrealloc(NULL, 1, sizeof *backend);
	mr_str directory = options->host->postfix.config_directory;

	*backend = (struct mr_backend){
	        .host = options->host, .diags = options->diags, .cache = options->cache};
	mr_arena_init(&backend->arena);
	if (!directory.size)
		directory = MR_STR("/etc/postfix");
	while (directory.size > 1 && directory.data[directory.size - 1] == '/')
		directory.size--;
	backend->config_directory = mr_str_copy(&backend->arena, directory).data;
	backend->main_path = mr_postfix_path(backend, "%s/main.cf", backend->config_directory);
	backend->own_directory =
	        mr_postfix_path(backend, "%s/mailreeve", backend->config_directory);
	*out = backend;
	return 0;
}

static void postfix_close(struct mr_backend *backend)
{
	if (!backend)
		return;
	if (backend->has_main)
		mr_maincf_done(&backend->main);
	if (backend->has_postconf)
		mr_postconf_done(&backend->postconf);
	mr_buf_done(&backend->main_text);
	mr_vec_done(&backend->domains);
	mr_vec_done(&backend->links);
	mr_vec_done(&backend->tables);
	mr_vec_done(&backend->sensitive);
	mr_vec_done(&backend->collections);
	mr_arena_done(&backend->arena);
	free(backend);
}

static int postfix_describe(struct mr_backend *backend, struct mr_live_info *out)
{
	int code = mr_postfix_know_host(backend);

	if (code)
		return code;
	*out = (struct mr_live_info){
	        .version = backend->postconf.version, .read = MR_READ_COMPLETE};
	return 0;
}

static int postfix_collections(
        struct mr_backend *backend, struct mr_desired *desired, struct mr_collections *out)
{
	size_t errors = backend->diags->n_errors;
	int code;

	if ((code = mr_postfix_read_main(backend)) || (code = mr_postfix_know_host(backend)))
		return code;
	code = mr_postfix_survey(backend, desired);
	if (!code || code == MR_E_INVALID)
		code = mr_postfix_gather_tables(backend, desired);
	if (!code)
		code = mr_postfix_judge(backend, desired);
	if (!code && backend->diags->n_errors > errors)
		code = MR_E_INVALID;
	if (!code)
		mr_postfix_list_collections(backend, out);
	return code;
}

static int no_such_collection(struct mr_backend *backend, const struct mr_collection *in)
{
	return mr_fail(
	        backend->diags, MR_E_FAILED, "Postfix has no collection '%.*s'", MR_FMT(in->name));
}

static int postfix_project(struct mr_backend *backend, const struct mr_collection *in,
        struct mr_desired *desired, struct mr_cursor *out)
{
	mr_str name = mr_postfix_table_name(in->name);
	const struct mr_postfix_table *table = mr_postfix_find_table(backend, name);

	if (!name.size)
		return mr_postfix_project_main(backend, desired, out);
	if (!table)
		return no_such_collection(backend, in);
	if (table->is_desired && table->wired >= 0)
		return mr_postfix_project_wired(backend, (enum mr_wired)table->wired, desired, out);
	return mr_postfix_project_table(backend, table, desired, out);
}

static int postfix_observe(struct mr_backend *backend, const struct mr_collection *in,
        const struct mr_strs *only, struct mr_cursor *out)
{
	mr_str name = mr_postfix_table_name(in->name);
	struct mr_postfix_table *table = mr_postfix_find_table(backend, name),
	                        other = {.wired = -1};

	if (!name.size)
		return mr_postfix_observe_main(backend, only, out);
	if (table)
		return mr_postfix_observe_table(backend, table, only, out);
	/* A recovery reads back tables that it has not been told of. */
	other.name = mr_str_copy(&backend->arena, name);
	for (int i = 0; i < MR_WIRED_COUNT; i++)
		if (mr_str_eq(mr_wirings[i].name, name))
			other.wired = i;
	mr_vec_push(&backend->tables, other);
	return mr_postfix_observe_table(
	        backend, &backend->tables.items[backend->tables.n - 1], only, out);
}

/* A parameter goes back to what it was, or to its default; a row of a table of ours goes. */
static mr_str postfix_revert_to(
        struct mr_backend *backend, const struct mr_collection *in, mr_str key, mr_str pre_image)
{
	(void)backend;
	(void)key;
	return mr_postfix_table_name(in->name).size ? (mr_str){0} : pre_image;
}

static enum mr_activation postfix_activation(
        struct mr_backend *backend, const struct mr_change *const *changes, size_t n)
{
	struct mr_postfix_shape shape;

	mr_postfix_shape_of(backend, changes, n, &shape);
	if (shape.needs_restart)
		return MR_ACTIVATE_RESTART;
	return shape.needs_reload || backend->is_flip_staged ? MR_ACTIVATE_RELOAD
	                                                     : MR_ACTIVATE_NOTHING;
}

static int postfix_activate(struct mr_backend *backend, const struct mr_change *const *changes,
        size_t n, enum mr_activation what, bool is_undo)
{
	(void)changes;
	(void)n;
	return mr_postfix_activate(backend, what, is_undo);
}

/* main.cf and master.cf, what they may name in Postfix's own folder, our tables of all generations,
 * the programs. */
static bool postfix_fingerprint(struct mr_backend *backend, struct mr_fingerprint *print)
{
	mr_fingerprint_folder(print, backend->config_directory, 0);
	mr_fingerprint_folder(print, backend->own_directory, 1);
	mr_fingerprint_folder(print, "/etc/postfix/dynamicmaps.cf.d", 0);
	mr_fingerprint_file(print, "/etc/postfix/dynamicmaps.cf");
	mr_fingerprint_file(print, "/usr/sbin/postconf");
	return true;
}

static void add_number(struct mr_fingerprint *print, int number)
{
	mr_hash_add(&print->hash, (mr_str){(const char *)&number, sizeof number});
}

/* A table that is keyed: its file, and how its rows are made. The others are small. */
static bool postfix_fingerprint_of(
        struct mr_backend *backend, const struct mr_collection *in, struct mr_fingerprint *print)
{
	const struct mr_postfix_table *table =
	        mr_postfix_find_table(backend, mr_postfix_table_name(in->name));

	if (!table || !table->is_live || mr_table_is_ordered(table->live_kind))
		return false;
	mr_fingerprint_file(print,
	        mr_table_path(&backend->arena, backend->generation, table->name, table->live_kind));
	mr_fingerprint_file(print, "/usr/sbin/postconf");
	mr_hash_add_sized(&print->hash, backend->generation);
	mr_hash_add_sized(&print->hash, backend->delivery);
	add_number(print, (int)table->live_kind);
	add_number(print, (int)table->kind);
	add_number(print, table->wired);
	add_number(print, table->is_desired);
	return true;
}

/* The live generation alone: what others change in an old one is in force nowhere. */
static int postfix_watched(struct mr_backend *backend,
        void (*each)(void *arg, const char *folder, const char *name), void *arg)
{
	int code;

	each(arg, backend->config_directory, "main.cf");
	each(arg, backend->config_directory, "master.cf");
	code = mr_postfix_read_main(backend);
	if (!code && backend->generation.size > 0)
		each(arg, mr_str_copy(&backend->arena, backend->generation).data, NULL);
	return code;
}

/* The file that holds the parameter or the row. */
static void postfix_who(struct mr_backend *backend, const struct mr_trace_of *of,
        struct mr_arena *arena, struct mr_trace *out)
{
	struct mr_fileset_newest newest = {.arena = arena};
	mr_str name = mr_postfix_table_name(of->in->name);
	const struct mr_postfix_table *table = mr_postfix_find_table(backend, name);

	if (!name.size)
		mr_fileset_newest_add(&newest, backend->main_path);
	else if (table && table->is_live)
		mr_fileset_newest_add(
		        &newest, mr_table_path(arena, backend->generation, name, table->live_kind));
	mr_fileset_newest_trace(&newest, of->applied_at, out);
}

const struct mr_provider mr_provider_postfix = {
        .name = "postfix",
        .open = postfix_open,
        .close = postfix_close,
        .describe = postfix_describe,
        .inspect = mr_postfix_inspect,
        .fingerprint = postfix_fingerprint,
        .fingerprint_of = postfix_fingerprint_of,
        .watched = postfix_watched,
        .who = postfix_who,
        .collections = postfix_collections,
        .project = postfix_project,
        .observe = postfix_observe,
        .revert_to = postfix_revert_to,
        .stage = mr_postfix_stage,
        .apply = mr_postfix_apply,
        .activation = postfix_activation,
        .activate = postfix_activate,
        .probe = mr_postfix_probe,
        .measure = mr_postfix_measure,
        .finish = mr_postfix_finish,
};
