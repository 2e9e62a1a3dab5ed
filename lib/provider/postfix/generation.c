/*
 * Building the next set of tables aside, and clearing old ones away.
 */
#include "postfix/generation.h"

#include "postfix/observe.h"

#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROW_OVERHEAD_BYTES  64
#define GENERATIONS_AT_MOST 1000

/* Live rows with the changes of one table worked in; both come in key order. */
struct merge {
	struct mr_cursor live;
	struct mr_item row;
	int has_row; /* 1 a row is waiting, 0 live is at its end, <0 error */
	const struct mr_change *const *changes;
	size_t n, next;
};

static int merge_next(struct mr_cursor *cursor, struct mr_item *out)
{
	struct merge *merge = cursor->state;

	for (;;) {
		const struct mr_change *change =
		        merge->next < merge->n ? merge->changes[merge->next] : NULL;
		int order;

		if (merge->has_row == 2) /* the row handed out last is used up */
			merge->has_row = mr_cursor_next(&merge->live, &merge->row);
		if (merge->has_row < 0)
			return merge->has_row;
		if (!change && !merge->has_row)
			return 0;
		order = !change           ? -1
		        : !merge->has_row ? 1
		                          : mr_str_cmp(merge->row.key, change->key);
		if (order < 0) {
			*out = merge->row;
			merge->has_row = 2;
			return 1;
		}
		merge->next++;
		if (!order)
			merge->has_row = 2;
		if (!change->after.data)
			continue;
		*out = (struct mr_item){.key = change->key, .body = change->after};
		return 1;
	}
}

/* The run of changes that belong to one table. */
static void changes_of(mr_str table, const struct mr_change *const *changes, size_t n,
        size_t *out_start, size_t *out_n)
{
	size_t start = 0, end;

	while (start < n && !mr_str_eq(mr_postfix_table_name(changes[start]->in->name), table))
		start++;
	end = start;
	while (end < n && mr_str_eq(mr_postfix_table_name(changes[end]->in->name), table))
		end++;
	*out_start = start;
	*out_n = end - start;
}

static size_t limit_of(const char *live_path, const struct merge *merge)
{
	struct stat status;
	size_t limit = 0;

	if (live_path && !stat(live_path, &status))
		limit = (size_t)status.st_size;
	for (size_t i = 0; i < merge->n; i++)
		limit += merge->changes[i]->key.size + merge->changes[i]->after.size +
		         ROW_OVERHEAD_BYTES;
	return limit;
}

static int count_rows(struct mr_backend *backend, const struct mr_table_build *build, uint64_t *out)
{
	struct mr_cursor rows;
	struct mr_item row;
	uint64_t n = 0;
	int code = mr_table_open(backend->diags, build->path, build->kind, &rows);

	if (code)
		return code;
	while ((code = mr_cursor_next(&rows, &row)) > 0)
		n++;
	mr_cursor_close(&rows);
	*out = n;
	return code;
}

static int build_rows(struct mr_backend *backend, struct mr_table_build *build, struct merge *merge)
{
	struct mr_cursor rows = {.next = merge_next, .state = merge};
	uint64_t written = 0, there = 0;
	int code = mr_table_build(backend->diags, build, &rows, &written);

	if (!code)
		code = count_rows(backend, build, &there);
	if (!code && there != written)
		code = mr_fail(backend->diags, MR_E_REJECTED,
		        "'%s' holds %llu rows and not the %llu written", build->path,
		        (unsigned long long)there, (unsigned long long)written);
	return code;
}

static int build_table(struct mr_backend *backend, const struct mr_postfix_table *table,
        mr_str generation, const struct mr_change *const *changes, size_t n)
{
	enum mr_table_kind kind = table->is_desired ? table->kind : table->live_kind;
	struct mr_table_build build = {.kind = kind, .owner = mr_postfix_table_owner(backend)};
	struct merge merge = {.has_row = 0};
	const char *live_path = NULL;
	size_t start;
	int code = 0;

	changes_of(table->name, changes, n, &start, &merge.n);
	merge.changes = changes + start;
	if (table->is_live) {
		live_path = mr_table_path(
		        &backend->arena, backend->generation, table->name, table->live_kind);
		if ((code = mr_table_open(
		             backend->diags, live_path, table->live_kind, &merge.live)))
			return code == MR_E_NOT_FOUND
			               ? mr_fail(backend->diags, MR_E_UNREADABLE,
			                         "table '%s' is not there", live_path)
			               : code;
		merge.has_row = 2;
	}
	build.path = mr_table_path(&backend->arena, generation, table->name, kind);
	build.limit_bytes = limit_of(live_path, &merge);
	code = build_rows(backend, &build, &merge);
	mr_cursor_close(&merge.live);
	return code;
}

/* The number of "gen-N", or 0. */
static uint64_t generation_number(const char *name)
{
	uint64_t number = 0;

	if (strncmp(name, "gen-", 4) != 0 ||
	        mr_number_parse(mr_str_from(name + 4), UINT32_MAX, &number))
		return 0;
	return number;
}

static uint64_t highest_generation(struct mr_backend *backend)
{
	DIR *dir = opendir(backend->own_directory);
	struct dirent *entry;
	uint64_t highest = 0;

	while (dir && (entry = readdir(dir))) {
		uint64_t number = generation_number(entry->d_name);

		highest = number > highest ? number : highest;
	}
	if (dir)
		(void)closedir(dir);
	return highest;
}

static bool belongs_in(const struct mr_postfix_table *table, const struct mr_maincf *staged)
{
	return table->is_desired || (table->is_live && mr_postfix_names_table(staged, table->name));
}

int mr_postfix_build_generation(struct mr_backend *backend, const struct mr_change *const *changes,
        size_t n, const struct mr_maincf *staged, mr_str *out_path)
{
	const char *path = mr_postfix_path(backend, "%s/gen-%llu", backend->own_directory,
	        (unsigned long long)highest_generation(backend) + 1);
	size_t tables = 0;
	int code = 0;

	*out_path = (mr_str){0};
	for (size_t i = 0; i < backend->tables.n; i++)
		tables += belongs_in(&backend->tables.items[i], staged);
	if (!tables)
		return 0;
	if ((code = mr_dir_make(backend->diags, path, 0755)))
		return code;
	for (size_t i = 0; i < backend->tables.n && !code; i++)
		if (belongs_in(&backend->tables.items[i], staged))
			code = build_table(
			        backend, &backend->tables.items[i], mr_str_from(path), changes, n);
	if (!code)
		code = mr_dir_sync(backend->diags, path);
	if (!code)
		code = mr_dir_sync(backend->diags, backend->own_directory);
	if (code && mr_dir_remove(backend->diags, path))
		return code; /* what stays is swept by a later transaction */
	if (!code)
		*out_path = mr_str_from(path);
	return code;
}

/* Whether one process has a file below path open. */
static bool process_holds(const char *process, mr_str path)
{
	char fds[64], link[4096];
	struct dirent *entry;
	bool holds = false;
	DIR *dir;

	snprintf(fds, sizeof fds, "/proc/%.20s/fd", process);
	dir = opendir(fds);
	while (dir && !holds && (entry = readdir(dir))) {
		ssize_t size = readlinkat(dirfd(dir), entry->d_name, link, sizeof link);
		mr_str target = {link, size > 0 ? (size_t)size : 0};

		holds = mr_str_starts(target, path) && target.size > path.size &&
		        target.data[path.size] == '/';
	}
	if (dir)
		(void)closedir(dir);
	return holds;
}

static bool is_held(mr_str path)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	bool holds = !dir;

	while (dir && !holds && (entry = readdir(dir)))
		holds = entry->d_name[0] >= '0' && entry->d_name[0] <= '9' &&
		        process_holds(entry->d_name, path);
	if (dir)
		(void)closedir(dir);
	return holds;
}

int mr_postfix_sweep_generations(struct mr_backend *backend, mr_str keep)
{
	DIR *dir = opendir(backend->own_directory);
	struct dirent *entry;
	int code = 0;

	for (int n = 0; dir && !code && (entry = readdir(dir)) && n < GENERATIONS_AT_MOST; n++) {
		mr_str path;

		if (!generation_number(entry->d_name))
			continue;
		path = mr_str_from(
		        mr_postfix_path(backend, "%s/%s", backend->own_directory, entry->d_name));
		if (!mr_str_eq(path, keep) && !mr_str_eq(path, backend->generation) &&
		        !is_held(path))
			code = mr_dir_remove(backend->diags, path.data);
	}
	if (dir)
		(void)closedir(dir);
	return code;
}
