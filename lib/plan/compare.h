/*
 * One item on its three sides, attribute by attribute: what changes by intent, what by drift, what
 * stays.
 *
 * For the plan room alone.
 */
#ifndef MR_PLAN_COMPARE_H
#define MR_PLAN_COMPARE_H

#include "plan/diff.h"

/* The attributes of up to three bodies in one walk, by name. */
enum mr_side { MR_SIDE_DESIRED, MR_SIDE_LIVE, MR_SIDE_OWNED, MR_SIDE_COUNT };
struct mr_attr_walk {
	mr_str rest[MR_SIDE_COUNT];
	struct mr_attr at[MR_SIDE_COUNT];
	bool has[MR_SIDE_COUNT];
	bool is_started;
};
struct mr_attr_row {
	mr_str name;
	const struct mr_attr *side[MR_SIDE_COUNT]; /* NULL: not in that body */
};
/* Bodies without data count as empty. */
void mr_attr_walk_init(struct mr_attr_walk *walk, mr_str desired, mr_str live, mr_str owned);
/* 1 row, 0 end, <0 one of the bodies is damaged. Views of the row live until the next call. */
MR_CHECK int mr_attr_walk_next(struct mr_attr_walk *walk, struct mr_attr_row *out);

struct mr_comparison {
	struct mr_attrs_builder before; /* PARTIAL: only what differs */
	struct mr_attrs_builder after;
	bool is_owned_same; /* what we own is what is desired (as mr_compare_owned says) */
	bool has_intent;    /* an attribute differs because git wants it so */
	bool has_drift;     /* an attribute differs because others changed it */
	bool is_changing; /* after differs from live: healing counts, drift that is left does not */
};

void mr_comparison_init(struct mr_comparison *comparison);
void mr_comparison_done(struct mr_comparison *comparison);

/* Compares an item that is both desired and live; owned may be NULL. Appends drift records to diff.
 * Fills *out anew. MR_E_FAILED when a body is damaged. */
MR_CHECK int mr_compare(struct mr_diff *diff, const struct mr_diff_options *options,
        const struct mr_item *desired, const struct mr_item *live, const struct mr_item *owned,
        struct mr_comparison *out);
/* A shared entry that left the repository: its owned attributes go back to the pre-image. */
MR_CHECK int mr_compare_revert(const struct mr_diff_options *options, const struct mr_item *live,
        const struct mr_item *owned, mr_str pre_image, struct mr_comparison *out);
/* Whether what we own is what is desired: the sealed body against a clear one. */
MR_CHECK int mr_compare_owned(
        const struct mr_diff_options *options, mr_str desired, mr_str owned, bool *out);
/* Records each attribute of an item that is there on one side only. */
MR_CHECK int mr_compare_lone(struct mr_diff *diff, const struct mr_diff_options *options,
        const struct mr_item *item, bool is_live);
/* What becomes of such an item: it is left when each attribute of it is contended. */
enum mr_drift_mode mr_drift_mode_of_lone(
        const struct mr_diff_options *options, const struct mr_item *item);

#endif
