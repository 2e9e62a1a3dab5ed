/*
 * The rows of a tree: which files are new, which are gone, and parsing what is new.
 */
#include "source/sync.h"

#include <stdlib.h>
#include <string.h>

#include "source/load.h"

/* A file whose rows are there. */
struct stored {
	mr_str blob;
	mr_str path;
	uint32_t id;
	bool is_claimed;
};

struct work {
	struct mr_sync *sync;
	struct mr_desired *desired;
	struct mr_tree *tree;
	struct mr_diags *diags;
	struct mr_compile_stats *stats;
	struct mr_arena arena;
	MR_VEC(struct stored) stored; /* by blob */
	uint32_t *id_of_file;         /* of the tree's files; 0: to be parsed */
	bool *is_used;                /* by id */
	size_t n_ids;
	struct mr_spool *spool;
	struct mr_buf previous_key; /* of the row that was inserted last */
	uint32_t previous_line;
};

void mr_sync_done(struct mr_sync *sync)
{
	mr_vec_done(&sync->bad);
}

static void add_stored(void *arg, int64_t id, mr_str path, mr_str blob)
{
	struct work *work = arg;
	struct stored stored = {mr_str_copy(&work->arena, blob), mr_str_copy(&work->arena, path),
	        (uint32_t)id, false};

	mr_vec_push(&work->stored, stored);
	if ((size_t)id >= work->n_ids)
		work->n_ids = (size_t)id + 1;
}

static int compare_stored(const void *a, const void *b)
{
	const struct stored *x = a, *y = b;
	int order = mr_str_cmp(x->blob, y->blob);

	return order ? order : mr_str_cmp(x->path, y->path);
}

/* The stored file of this blob that is free, one of the same path before others. */
static struct stored *claim(struct work *work, const struct mr_tree_file *file)
{
	struct stored *found = NULL;
	size_t low = 0, high = work->stored.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (mr_str_cmp(work->stored.items[middle].blob, file->blob) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < work->stored.n && mr_str_eq(work->stored.items[low].blob, file->blob); low++) {
		struct stored *stored = &work->stored.items[low];

		if (stored->is_claimed)
			continue;
		if (mr_str_eq(stored->path, file->path)) {
			found = stored;
			break;
		}
		if (!found)
			found = stored;
	}
	if (found)
		found->is_claimed = true;
	return found;
}

/* Gives every file of the tree whose rows are there its id, and follows renames. */
static int claim_all(struct work *work)
{
	size_t n;
	const struct mr_tree_file *files = mr_tree_files(work->tree, &n);
	int error = mr_rows_each_file(work->desired->rows, add_stored, work);

	if (work->stored.n)
		qsort(work->stored.items, work->stored.n, sizeof *work->stored.items,
		        compare_stored);
	work->id_of_file = mr_alloc_n(&work->arena, n + 1, sizeof *work->id_of_file);
	work->is_used = mr_alloc_n(&work->arena, work->n_ids + n + 2, sizeof *work->is_used);
	for (size_t i = 0; i < n && !error; i++) {
		struct stored *stored = claim(work, &files[i]);

		/* What the root file may hold depends on its name: it is never taken from or for
		 * another. */
		if (stored && !mr_str_eq(stored->path, files[i].path) &&
		        (mr_str_is(files[i].path, MR_ROOT_FILE) ||
		                mr_str_is(stored->path, MR_ROOT_FILE))) {
			stored->is_claimed = false;
			stored = NULL;
		}
		if (!stored)
			continue;
		work->id_of_file[i] = stored->id;
		work->is_used[stored->id] = true;
		if (!mr_str_eq(stored->path, files[i].path))
			error = mr_rows_move_file(work->desired->rows, stored->id, files[i].path);
	}
	return error;
}

static int drop_gone(struct work *work)
{
	int error = 0;

	for (size_t i = 0; i < work->stored.n && !error; i++)
		if (!work->stored.items[i].is_claimed)
			error = mr_rows_drop_file(work->desired->rows, work->stored.items[i].id);
	return error;
}

static uint32_t free_id(struct work *work)
{
	size_t id = 1; /* 0 says "none" */

	while (work->is_used[id])
		id++;
	work->is_used[id] = true;
	return (uint32_t)id;
}

static void set_path(struct mr_desired *desired, uint32_t id, mr_str path)
{
	desired->paths.items[id] = mr_str_copy(&desired->arena, path);
}

static int parse_file(struct work *work, size_t index, const struct mr_tree_file *file)
{
	struct mr_buf bytes = MR_BUF_INIT, keys = MR_BUF_INIT;
	uint32_t id = work->id_of_file[index];
	size_t n_before = work->diags->n_errors;
	bool is_broken = false;
	int error = mr_tree_read(work->tree, index, &bytes);

	if (!error) {
		struct mr_load_input input = {
		        id, work->desired->paths.items[id], mr_buf_str(&bytes)};

		error = mr_load_file(work->diags, work->spool, &input, &keys, &is_broken);
	}
	if (!error)
		error = mr_rows_put_file(
		        work->desired->rows, id, file->path, file->blob, mr_buf_str(&keys));
	work->sync->is_partial |= is_broken;
	if (work->diags->n_errors > n_before)
		mr_vec_push(&work->sync->bad, id);
	mr_buf_done_secret(&bytes);
	mr_buf_done(&keys);
	work->stats->n_parsed++;
	return error;
}

/* Two spellings of one name in one mapping of one file come as two rows of one key. */
static void report_spelling(struct work *work, const struct mr_row_key *key, mr_str body)
{
	struct mr_loc loc = {.path = work->desired->paths.items[key->file]};
	mr_str name = key->key;
	uint32_t id = key->file;

	if (mr_row_read_head(&body, &loc.line, &loc.column) < 0)
		return;
	if (key->kind == MR_KIND_ldap_entry || key->kind == MR_KIND_ldap_tree)
		mr_diags_at(work->diags, MR_ERROR, "MR-NAME-TWICE", &loc,
		        "this distinguished name stands twice in the file, spelled differently: "
		        "the other place is line %u",
		        work->previous_line);
	else
		mr_diags_at(work->diags, MR_ERROR, "MR-NAME-TWICE", &loc,
		        "%s '%.*s' is declared twice in this file, spelled differently: the other "
		        "place is line %u",
		        mr_kind_get(key->kind)->name, MR_FMT(name), work->previous_line);
	mr_vec_push(&work->sync->bad, id);
}

static int insert_row(void *arg, mr_str row_key, mr_str body)
{
	struct work *work = arg;
	struct mr_row_key key;
	uint32_t column;
	mr_str head = body;

	if (mr_str_eq(row_key, mr_buf_str(&work->previous_key))) {
		if (mr_row_key_parse(row_key, &key) == 0 && key.kind != MR_KIND_secret)
			report_spelling(work, &key, body);
		return 0;
	}
	mr_buf_clear(&work->previous_key);
	mr_buf_add_str(&work->previous_key, row_key);
	if (mr_row_read_head(&head, &work->previous_line, &column) < 0)
		return MR_E_FAILED;
	return mr_rows_insert(work->desired->rows, row_key, body);
}

static int parse_new(struct work *work)
{
	size_t n;
	const struct mr_tree_file *files = mr_tree_files(work->tree, &n);
	bool has_root = false;
	int error = 0;

	work->desired->paths.n = work->n_ids + n + 2;
	work->desired->paths.items = mr_alloc_n(
	        &work->desired->arena, work->desired->paths.n, sizeof *work->desired->paths.items);
	work->spool = mr_spool_new(work->diags);
	for (size_t i = 0; i < n && !error; i++) {
		bool is_new = !work->id_of_file[i];

		if (is_new)
			work->id_of_file[i] = free_id(work);
		set_path(work->desired, work->id_of_file[i], files[i].path);
		has_root |= mr_str_is(files[i].path, MR_ROOT_FILE);
		if (is_new)
			error = parse_file(work, i, &files[i]);
	}
	if (!error)
		error = mr_spool_drain(work->spool, insert_row, work);
	if (!has_root) {
		struct mr_loc loc = {MR_STR(MR_ROOT_FILE), 1, 1};

		mr_diags_at(work->diags, MR_ERROR, "MR-ROOT-MISSING", &loc,
		        "there is no " MR_ROOT_FILE ": it must begin with 'mailreeve: 1'");
	}
	return error;
}

int mr_sync_files(struct mr_sync *sync, struct mr_desired *desired, struct mr_tree *tree,
        struct mr_diags *diags, struct mr_compile_stats *stats)
{
	struct work work = {
	        .sync = sync, .desired = desired, .tree = tree, .diags = diags, .stats = stats};
	int error = mr_rows_drop_records(desired->rows);

	stats->n_parsed = 0;
	if (!error)
		error = claim_all(&work);
	if (!error)
		error = drop_gone(&work);
	if (!error)
		error = parse_new(&work);
	mr_spool_free(work.spool);
	mr_buf_done(&work.previous_key);
	mr_vec_done(&work.stored);
	mr_arena_done(&work.arena);
	return error;
}

int mr_sync_drop_bad(struct mr_sync *sync, struct mr_desired *desired)
{
	int error = 0;

	for (size_t i = 0; i < sync->bad.n && !error; i++)
		error = mr_rows_drop_file(desired->rows, sync->bad.items[i]);
	return error;
}

static void note_path(void *arg, int64_t id, mr_str path, mr_str blob)
{
	struct mr_desired *desired = arg;

	(void)blob;
	if (id > 0 && (size_t)id < desired->paths.n)
		set_path(desired, (uint32_t)id, path);
}

int mr_sync_paths(struct mr_desired *desired)
{
	int64_t last = 0;
	int error = mr_rows_last_file(desired->rows, &last);

	if (error)
		return error;
	desired->paths.n = (size_t)last + 1;
	desired->paths.items =
	        mr_alloc_n(&desired->arena, desired->paths.n, sizeof *desired->paths.items);
	return mr_rows_each_file(desired->rows, note_path, desired);
}
