/*
 * The 3-way merge join of one collection: desired, live and owned items in key order.
 */
#include "plan/diff.h"

#include <stdio.h>

#include "model/dn.h"
#include "plan/join.h"
#include "plan/words.h"

void mr_diff_init(struct mr_diff *diff)
{
	*diff = (struct mr_diff){0};
	mr_arena_init(&diff->changes.arena);
	mr_arena_init(&diff->adoptions.arena);
}

void mr_diff_done(struct mr_diff *diff)
{
	mr_vec_done(&diff->changes.list);
	mr_vec_done(&diff->effects);
	mr_vec_done(&diff->drift);
	mr_vec_done(&diff->adoptions.list);
	mr_arena_done(&diff->changes.arena);
	mr_arena_done(&diff->adoptions.arena);
}

bool mr_is_selected(mr_str only, mr_str object)
{
	if (only.size == 0)
		return true;
	if (mr_str_ends(only, MR_STR("*")))
		return mr_str_starts(object, mr_str_take(only, only.size - 1));
	return mr_str_eq(only, object);
}

static int advance(struct mr_join *join, enum mr_side which)
{
	struct mr_join_side *side = &join->sides[which];
	int result = mr_cursor_next(side->cursor, &side->item);

	side->has = result == 1;
	if (result != 1)
		return result;
	if (side->n > 0 && mr_str_cmp(side->item.key, mr_buf_str(&side->last)) <= 0)
		return mr_fail(join->options->diags, MR_E_FAILED,
		        "cannot compare %.*s: '%.*s' does not come in key order",
		        MR_FMT(join->options->in->name), MR_FMT(side->item.key));
	mr_buf_clear(&side->last);
	mr_buf_add_str(&side->last, side->item.key);
	side->n++;
	return 0;
}

/* Distinct objects: one primary item each; rows of a table that all belong to it follow one
 * another. */
static void count_primary(struct mr_join *join, const struct mr_item *desired)
{
	if (!mr_words_is_primary(
	            join->options->in, desired->object, desired->key, join->options->has_passwd))
		return;
	if (join->n_primary > 0 && mr_str_eq(mr_buf_str(&join->last_primary), desired->object))
		return;
	mr_buf_clear(&join->last_primary);
	mr_buf_add_str(&join->last_primary, desired->object);
	join->n_primary++;
}

static void report_progress(const struct mr_join *join)
{
	char what[256];

	if (!join->options->progress)
		return;
	(void)snprintf(what, sizeof what, "%.*s", MR_FMT(join->options->in->name));
	join->options->progress(join->options->progress_arg, what, join->sides[MR_SIDE_LIVE].n, 0);
}

static bool least_key(const struct mr_join *join, mr_str *out)
{
	bool has = false;

	for (int side = 0; side < MR_SIDE_COUNT; side++) {
		if (!join->sides[side].has ||
		        (has && mr_str_cmp(join->sides[side].item.key, *out) >= 0))
			continue;
		*out = join->sides[side].item.key;
		has = true;
	}
	return has;
}

static int step(struct mr_join *join, mr_str key)
{
	const struct mr_item *items[MR_SIDE_COUNT] = {0};
	int result;

	for (int side = 0; side < MR_SIDE_COUNT; side++)
		if (join->sides[side].has && mr_str_eq(join->sides[side].item.key, key))
			items[side] = &join->sides[side].item;
	if (items[MR_SIDE_DESIRED])
		count_primary(join, items[MR_SIDE_DESIRED]);
	result = mr_join_decide(
	        join, items[MR_SIDE_DESIRED], items[MR_SIDE_LIVE], items[MR_SIDE_OWNED]);
	for (int side = 0; side < MR_SIDE_COUNT && result == 0; side++)
		if (items[side])
			result = advance(join, (enum mr_side)side);
	return result;
}

static int run(struct mr_join *join)
{
	uint64_t n = 0;
	mr_str key = {0};
	int result = 0;

	for (int side = 0; side < MR_SIDE_COUNT && result == 0; side++)
		result = advance(join, (enum mr_side)side);
	join->was_applied = join->sides[MR_SIDE_OWNED].has;
	while (result == 0 && least_key(join, &key)) {
		result = step(join, key);
		if ((++n & 0xffff) == 0)
			report_progress(join);
	}
	report_progress(join);
	return result;
}

static int init(struct mr_join *join, const struct mr_diff_cursors *cursors)
{
	struct mr_cursor *list[MR_SIDE_COUNT] = {cursors->desired, cursors->live, cursors->owned};

	for (int side = 0; side < MR_SIDE_COUNT; side++) {
		join->sides[side].cursor = list[side];
		mr_buf_init(&join->sides[side].last);
	}
	mr_comparison_init(&join->comparison);
	mr_attrs_builder_init(&join->seal);
	mr_buf_init(&join->last_primary);
	if (join->options->in->scope.size == 0)
		return 0;
	return mr_dn_key(&join->diff->changes.arena, join->options->in->scope, &join->scope_key);
}

static void done(struct mr_join *join)
{
	for (int side = 0; side < MR_SIDE_COUNT; side++)
		mr_buf_done(&join->sides[side].last);
	mr_comparison_done(&join->comparison);
	mr_attrs_builder_done(&join->seal);
	mr_buf_done(&join->last_primary);
}

int mr_diff_collection(struct mr_diff *diff, const struct mr_diff_options *options,
        const struct mr_diff_cursors *cursors, struct mr_diff_counts *out)
{
	struct mr_join join = {.diff = diff, .options = options};
	int result;

	result = init(&join, cursors);
	if (result < 0)
		(void)mr_fail(options->diags, result,
		        "cannot compare '%.*s': '%.*s' is no distinguished name",
		        MR_FMT(options->in->name), MR_FMT(options->in->scope));
	else
		result = run(&join);
	if (result == 0)
		*out = (struct mr_diff_counts){join.sides[MR_SIDE_DESIRED].n,
		        join.sides[MR_SIDE_LIVE].n, join.sides[MR_SIDE_OWNED].n, join.n_primary};
	done(&join);
	return result;
}
