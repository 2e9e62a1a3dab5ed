/*
 * Lookup tables: what is common to all kinds, and the choice of the kind's own code.
 */
#include "postfix/table.h"

#include "base/text.h"

#include <string.h>

static const struct {
	const char *name;
	const char *suffix;
} kinds[MR_TABLE_KIND_COUNT] = {
        [MR_TABLE_LMDB] = {"lmdb", ".lmdb"},
        [MR_TABLE_CDB] = {"cdb", ".cdb"},
        [MR_TABLE_CIDR] = {"cidr", ""},
        [MR_TABLE_PCRE] = {"pcre", ""},
        [MR_TABLE_REGEXP] = {"regexp", ""},
};

/* Rows picked by key out of a pass over all of them. */
struct pick {
	struct mr_cursor all;
	const struct mr_strs *keys;
	size_t next_key;
};

const char *mr_table_kind_name(enum mr_table_kind kind)
{
	return kinds[kind].name;
}

bool mr_table_kind_find(mr_str name, enum mr_table_kind *out)
{
	for (size_t i = 0; i < MR_TABLE_KIND_COUNT; i++)
		if (mr_str_is(name, kinds[i].name)) {
			*out = (enum mr_table_kind)i;
			return true;
		}
	return false;
}

const char *mr_table_path(
        struct mr_arena *arena, mr_str directory, mr_str name, enum mr_table_kind kind)
{
	return mr_str_printf(
	        arena, "%.*s/%.*s%s", MR_FMT(directory), MR_FMT(name), kinds[kind].suffix)
	        .data;
}

int mr_table_open(
        struct mr_diags *diags, const char *path, enum mr_table_kind kind, struct mr_cursor *out)
{
	if (kind == MR_TABLE_LMDB)
		return mr_lmdb_open(diags, path, out);
	if (kind == MR_TABLE_CDB)
		return mr_cdb_open(diags, path, out);
	return mr_ordered_open(diags, path, kind, out);
}

static int pick_next(struct mr_cursor *cursor, struct mr_item *out)
{
	struct pick *pick = cursor->state;
	struct mr_item row;
	int code;

	while (pick->next_key < pick->keys->n && (code = mr_cursor_next(&pick->all, &row))) {
		if (code < 0)
			return code;
		while (pick->next_key < pick->keys->n &&
		        mr_str_cmp(pick->keys->items[pick->next_key], row.key) < 0)
			pick->next_key++;
		if (pick->next_key == pick->keys->n ||
		        !mr_str_eq(pick->keys->items[pick->next_key], row.key))
			continue;
		pick->next_key++;
		*out = row;
		return 1;
	}
	return 0;
}

static void pick_close(struct mr_cursor *cursor)
{
	struct pick *pick = cursor->state;

	mr_cursor_close(&pick->all);
	free(pick);
}

int mr_table_get(struct mr_diags *diags, const char *path, enum mr_table_kind kind,
        const struct mr_strs *keys, struct mr_cursor *out)
{
	struct pick *pick;
	struct mr_cursor all;
	int code;

	if (kind == MR_TABLE_LMDB)
		return mr_lmdb_get(diags, path, keys, out);
	if ((code = mr_table_open(diags, path, kind, &all)))
		return code;
	pick = mr_xrealloc(NULL, 1, sizeof *pick);
	*pick = (struct pick){.all = all, .keys = keys};
	*out = (struct mr_cursor){.next = pick_next, .close = pick_close, .state = pick};
	return 0;
}

int mr_table_build(struct mr_diags *diags, const struct mr_table_build *build,
        struct mr_cursor *rows, uint64_t *out_rows)
{
	if (build->kind == MR_TABLE_LMDB)
		return mr_lmdb_build(diags, build, rows, out_rows);
	if (build->kind == MR_TABLE_CDB)
		return mr_cdb_build(diags, build, rows, out_rows);
	return mr_ordered_build(diags, build, rows, out_rows);
}

static int check_change(
        struct mr_diags *diags, const char *path, const struct mr_change *change, mr_str live)
{
	bool is_before =
	        change->before.data ? live.data && mr_str_eq(live, change->before) : !live.data;
	bool is_after =
	        change->after.data ? live.data && mr_str_eq(live, change->after) : !live.data;

	if (is_before || is_after)
		return 0;
	return mr_fail(diags, MR_E_CONFLICT,
	        "cannot change row '%.*s' of '%s': somebody else changed it meanwhile",
	        MR_FMT(change->key), path);
}

int mr_table_check(struct mr_diags *diags, const char *path, enum mr_table_kind kind,
        const struct mr_change *const *changes, size_t n)
{
	struct mr_cursor live = {0};
	struct mr_strs keys = {.n = n};
	struct mr_item row = {0};
	int code = 0, has_row = 0;

	if (!n)
		return 0;
	keys.items = mr_xrealloc(NULL, n, sizeof *keys.items);
	for (size_t i = 0; i < n; i++)
		keys.items[i] = changes[i]->key;
	code = mr_table_get(diags, path, kind, &keys, &live);
	if (!code)
		has_row = code = mr_cursor_next(&live, &row);
	for (size_t i = 0; i < n && code >= 0; i++) {
		bool is_there = has_row > 0 && mr_str_eq(row.key, changes[i]->key);

		code = check_change(diags, path, changes[i], is_there ? row.body : (mr_str){0});
		if (!code && is_there)
			has_row = code = mr_cursor_next(&live, &row);
	}
	mr_cursor_close(&live);
	free(keys.items);
	return code < 0 ? code : 0;
}

int mr_table_fold_key(struct mr_arena *arena, mr_str key, mr_str *out, const char **out_why)
{
	mr_str folded;

	*out_why = NULL;
	if (mr_text_fold(arena, key, &folded))
		*out_why = "it is not UTF-8";
	else if (!folded.size)
		*out_why = "it is empty";
	else if (folded.size > 510)
		*out_why = "it is longer than 510 bytes";
	else if (mr_text_check(folded, false) < folded.size)
		*out_why = "it holds a control character";
	if (*out_why)
		return MR_E_INVALID;
	*out = folded;
	return 0;
}
