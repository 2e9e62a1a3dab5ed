/*
 * Judging the rows of declared tables: what Postfix would drop with a warning, or not at all.
 */
#include "postfix/judge.h"

static const char *row_problem(const struct mr_postfix_table *table, const struct mr_table_row *row,
        struct mr_arena *arena)
{
	mr_str line, pattern, value;
	const char *why = NULL;

	if (!mr_table_is_ordered(table->kind)) {
		if (mr_table_fold_key(arena, row->key, &line, &why))
			return why;
		return mr_str_trim(row->value).size ? NULL : "its value is empty";
	}
	line = mr_str_printf(arena, "%.*s %.*s", MR_FMT(row->key), MR_FMT(row->value));
	return mr_ordered_row_parse(line, table->kind, &pattern, &value, &why) ? why : NULL;
}

int mr_postfix_judge_rows(struct mr_backend *backend, struct mr_desired *desired,
        const struct mr_postfix_table *table)
{
	struct mr_arena arena;
	struct mr_iter iter;
	struct mr_table_row row;
	int code = mr_desired_begin_table_row(desired, table->name, &iter);

	if (code)
		return code;
	mr_arena_init(&arena);
	while ((code = mr_desired_next_table_row(&iter, &row)) > 0) {
		const char *why = row_problem(table, &row, &arena);

		if (why)
			mr_diags_at(backend->diags, MR_ERROR, "MR-TABLE-ROW", &row.loc,
			        "row '%.*s' of table '%.*s' cannot be written: %s", MR_FMT(row.key),
			        MR_FMT(table->name), why);
		mr_arena_reset(&arena);
	}
	mr_arena_done(&arena);
	mr_desired_end(&iter);
	return code;
}
