/*
 * The order in which changes reach the servers: batches.
 */
#ifndef MR_APPLY_ORDER_H
#define MR_APPLY_ORDER_H

#include "plan/change.h"

enum { MR_ORDER_WAVE = 1000 };

/* Changes of one collection that are made live by one call, in key order. */
struct mr_batch {
	const struct mr_change **changes;
	size_t n;
	bool is_late; /* only after the decision (S9) */
};

/* What is added or changed comes first, by rising rank; then what goes, by falling rank; last the
 * deletes that cannot be undone. Entries of a directory go in waves of one depth and at most
 * MR_ORDER_WAVE, parents before children and, for deletes, children before parents. */
struct mr_order {
	struct mr_arena arena;
	const struct mr_change **changes; /* all, in the order of execution */
	size_t n;
	size_t n_early; /* those before the decision */
	MR_VEC(struct mr_batch) batches;
};

/* The changes must outlive the order. */
void mr_order_make(const struct mr_change *changes, size_t n, struct mr_order *out);
/* Into the order of struct mr_changes: rank, collection, key. */
void mr_order_sort(struct mr_change *changes, size_t n);
int mr_order_cmp(const struct mr_change *a, const struct mr_change *b);
void mr_order_done(struct mr_order *order);

#endif
