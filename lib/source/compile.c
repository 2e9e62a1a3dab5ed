/*
 * Compiling a tree: bring the rows up to date, check what changed, open the state.
 *
 * The list of files (path and blob) and the result of the checks are kept beside the rows: a tree
 * that was checked for the same host on the same day is opened from a snapshot without looking at
 * any row.
 */
#include "source/compile.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "source/checks.h"
#include "source/record.h"
#include "source/sync.h"

struct compile {
	struct mr_diags *diags;
	struct mr_tree *tree;
	const struct mr_compile_options *options;
	struct mr_compile_stats *stats;
	struct mr_desired *desired;
	struct mr_digest list;
	char checked[80]; /* name of the record of checks */
	struct mr_sync sync;
};

static struct mr_desired *new_desired(struct mr_rows *rows, int64_t today_days)
{
	struct mr_desired *desired = mr_xrealloc(NULL, 1, sizeof *desired);

	memset(desired, 0, sizeof *desired);
	desired->rows = rows;
	desired->today_days = today_days;
	mr_arena_init(&desired->arena);
	return desired;
}

/* The name under which the checks of this host, day and way of looking are kept. */
static void name_record(struct compile *compile)
{
	struct mr_hash hash;
	struct mr_digest digest;
	struct mr_buf hex = MR_BUF_INIT;
	int64_t facts[2] = {compile->options->today_days, compile->options->is_host_bound};

	mr_hash_init(&hash);
	mr_hash_add_sized(&hash, compile->options->host);
	mr_hash_add_sized(&hash, (mr_str){(const char *)facts, sizeof facts});
	digest = mr_hash_final(&hash);
	mr_digest_format(&digest, &hex);
	memcpy(compile->checked, "checked ", 8);
	memcpy(compile->checked + 8, hex.data, 64);
	compile->checked[72] = '\0';
	mr_buf_done(&hex);
}

static struct mr_digest digest_list(struct mr_tree *tree)
{
	size_t n;
	const struct mr_tree_file *files = mr_tree_files(tree, &n);
	struct mr_hash hash;

	mr_hash_init(&hash);
	for (size_t i = 0; i < n; i++) {
		mr_hash_add_sized(&hash, files[i].path);
		mr_hash_add_sized(&hash, files[i].blob);
	}
	return mr_hash_final(&hash);
}

static bool is_list_stored(struct compile *compile)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	mr_str list;

	return mr_rows_meta(compile->desired->rows, "list", &arena, &list) &&
	       mr_str_eq(list,
	               (mr_str){(const char *)compile->list.bytes, sizeof compile->list.bytes});
}

static mr_str canonical_host(struct compile *compile)
{
	const char *why;
	mr_str host = {0};

	if (!compile->options->host.size ||
	        mr_host_parse(&compile->desired->arena, compile->options->host, 1, &host, &why) < 0)
		return compile->options->host;
	return host;
}

/* From a snapshot in which this tree was checked already: 1 opened, 0 there is none, <0. */
static int open_checked(struct compile *compile)
{
	struct mr_desired *desired = compile->desired;
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	mr_str record;
	int error = mr_rows_snapshot(desired->rows);

	if (error)
		return error;
	if (!is_list_stored(compile) ||
	        !mr_rows_meta(desired->rows, compile->checked, &arena, &record) ||
	        mr_record_read(record, &desired->digest, compile->diags) < 0) {
		mr_rows_abort(desired->rows);
		return 0;
	}
	error = mr_sync_paths(desired);
	if (!error)
		error = mr_desired_load(desired, NULL, canonical_host(compile));
	return error ? error : 1;
}

/* Within the transaction: rows, checks, records. MR_E_INVALID keeps the rows of the good files. */
static int update(struct compile *compile)
{
	struct mr_rows *rows = compile->desired->rows;
	size_t n_before = compile->diags->n_errors;
	struct mr_buf record = MR_BUF_INIT;
	struct mr_check check = {.desired = compile->desired,
	        .diags = compile->diags,
	        .is_all_hosts = !compile->options->host.size};
	int error = mr_sync_files(
	        &compile->sync, compile->desired, compile->tree, compile->diags, compile->stats);

	if (!error)
		error = mr_desired_load(compile->desired, NULL, canonical_host(compile));
	check.is_partial = compile->sync.is_partial;
	if (!error)
		error = mr_check_all(
		        &check, canonical_host(compile), compile->options->is_host_bound);
	if (!error && compile->diags->n_errors > n_before) {
		error = mr_sync_drop_bad(&compile->sync, compile->desired);
		return error ? error : MR_E_INVALID;
	}
	if (error)
		return error;
	mr_record_write(&compile->desired->digest, compile->diags, &record);
	error = mr_rows_set_meta(rows, "list",
	        (mr_str){(const char *)compile->list.bytes, sizeof compile->list.bytes});
	if (!error)
		error = mr_rows_set_meta(rows, compile->checked, mr_buf_str(&record));
	mr_buf_done(&record);
	return error;
}

static int open_updated(struct compile *compile)
{
	struct mr_rows *rows = compile->desired->rows;
	int error = mr_rows_begin(rows);

	if (error)
		return error;
	error = update(compile);
	if (error && error != MR_E_INVALID) {
		mr_rows_abort(rows);
		return error;
	}
	if (mr_rows_commit(rows) < 0)
		return MR_E_FAILED;
	if (error)
		return error;
	error = mr_rows_snapshot(rows);
	if (error)
		return error;
	/* Another process may have come between: then this is the state of another tree. */
	return is_list_stored(compile) ? 0 : MR_E_FAILED;
}

/* One attempt with one database. */
static int attempt(struct compile *compile, const char *cache_path, struct mr_desired **out)
{
	struct mr_rows *rows;
	int error = mr_rows_open(compile->diags, cache_path, &rows);

	if (error)
		return error;
	if (cache_path)
		mr_rows_forget_diags(
		        rows); /* its failures are not the caller's: a private one is next */
	compile->desired = new_desired(rows, compile->options->today_days);
	memset(&compile->sync, 0, sizeof compile->sync);
	error = open_checked(compile);
	if (!error)
		error = open_updated(compile);
	mr_sync_done(&compile->sync);
	if (error >= 0 && compile->options->secrets_directory)
		error = mr_secrets_resolve(compile->desired, compile->diags,
		        compile->options->secrets_directory, compile->tree);
	if (error >= 0 && compile->desired->n_secrets)
		error = mr_desired_load(compile->desired, NULL, canonical_host(compile));
	mr_rows_forget_diags(rows);
	if (error < 0) {
		mr_desired_close(compile->desired);
		return error;
	}
	*out = compile->desired;
	return 0;
}

int mr_compile(struct mr_diags *diags, struct mr_tree *tree,
        const struct mr_compile_options *options, struct mr_desired **out,
        struct mr_compile_stats *out_stats)
{
	struct mr_compile_stats stats = {0};
	struct compile compile = {.diags = diags,
	        .tree = tree,
	        .options = options,
	        .stats = &stats,
	        .list = digest_list(tree)};
	int error;

	name_record(&compile);
	error = attempt(&compile, options->cache_path, out);
	if (error == MR_E_FAILED && options->cache_path)
		error = attempt(&compile, NULL, out);
	mr_diags_sort(diags);
	(void)mr_tree_files(tree, &stats.n_files);
	stats.n_cached = stats.n_files - stats.n_parsed;
	if (out_stats)
		*out_stats = stats;
	return error;
}

int mr_desired_open_empty(struct mr_diags *diags, struct mr_desired **out)
{
	struct mr_rows *rows;
	struct mr_desired *desired;
	int error = mr_rows_open(diags, NULL, &rows);

	if (error)
		return error;
	desired = new_desired(rows, 0);
	desired->digest = mr_digest_of((mr_str){0});
	error = mr_desired_load(desired, NULL, (mr_str){0});
	mr_rows_forget_diags(rows);
	if (error) {
		mr_desired_close(desired);
		return error;
	}
	*out = desired;
	return 0;
}
