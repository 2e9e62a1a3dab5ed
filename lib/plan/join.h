/*
 * The state of one merge join and what is decided for one key. For diff.c and decide.c alone.
 */
#ifndef MR_PLAN_JOIN_H
#define MR_PLAN_JOIN_H

#include "plan/compare.h"

struct mr_join_side {
	struct mr_cursor *cursor;
	struct mr_item item;
	struct mr_buf last; /* the key before: cursors that fall back would turn into deletes */
	bool has;
	uint64_t n;
};

struct mr_join {
	struct mr_diff *diff;
	const struct mr_diff_options *options;
	struct mr_join_side sides[MR_SIDE_COUNT];
	struct mr_comparison comparison;
	struct mr_attrs_builder seal;
	struct mr_buf last_primary;
	mr_str scope_key;
	bool was_applied; /* we own something of it already: what others add is drift */
	bool is_selected; /* by --only: the item in hand */
	uint64_t n_primary;
};

/* Decides for one key; absent sides are NULL. Views of the items need not outlive the call. */
MR_CHECK int mr_join_decide(struct mr_join *join, const struct mr_item *desired,
        const struct mr_item *live, const struct mr_item *owned);

#endif
