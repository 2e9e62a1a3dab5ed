/*
 * Order: which changes go together, and what comes first.
 */
#include "apply/order.h"

#include <stdlib.h>

#include "model/dn.h"

enum phase { PHASE_ADD, PHASE_REMOVE, PHASE_LATE };

struct entry {
	const struct mr_change *change;
	enum phase phase;
	size_t depth; /* of a directory entry; else 0 */
};

static struct entry entry_of(const struct mr_change *change)
{
	struct entry entry = {.change = change, .phase = PHASE_ADD};

	if (mr_change_is_delete(change))
		entry.phase =
		        (change->in->flags & MR_COLLECTION_DELETE_LATE) ? PHASE_LATE : PHASE_REMOVE;
	if (change->in->rank == MR_RANK_DIRECTORY)
		entry.depth = mr_dn_key_depth(change->key);
	return entry;
}

static int cmp_size(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int cmp_entry(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int direction = a->phase == PHASE_ADD ? 1 : -1;
	int order;

	if (a->phase != b->phase)
		return a->phase < b->phase ? -1 : 1;
	order = direction * cmp_size(a->change->in->rank, b->change->in->rank);
	if (!order)
		order = direction * cmp_size(a->depth, b->depth);
	if (!order)
		order = mr_str_cmp(a->change->in->name, b->change->in->name);
	return order ? order : mr_str_cmp(a->change->key, b->change->key);
}

static bool is_same_batch(const struct entry *first, const struct entry *entry, size_t n)
{
	if (first->phase != entry->phase || first->depth != entry->depth ||
	        !mr_str_eq(first->change->in->name, entry->change->in->name))
		return false;
	return first->change->in->rank != MR_RANK_DIRECTORY || n < MR_ORDER_WAVE;
}

static void cut(struct mr_order *order, const struct entry *entries)
{
	for (size_t first = 0, end; first < order->n; first = end) {
		for (end = first; end < order->n; end++) {
			if (end > first &&
			        !is_same_batch(&entries[first], &entries[end], end - first))
				break;
			order->changes[end] = entries[end].change;
		}
		mr_vec_push(
		        &order->batches, (struct mr_batch){.changes = order->changes + first,
		                                 .n = end - first,
		                                 .is_late = entries[first].phase == PHASE_LATE});
		if (entries[first].phase != PHASE_LATE)
			order->n_early = end;
	}
}

void mr_order_make(const struct mr_change *changes, size_t n, struct mr_order *out)
{
	*out = (struct mr_order){.n = n};
	struct entry *entries = mr_alloc_n(&out->arena, n, sizeof *entries);
	out->changes = mr_alloc_n(&out->arena, n, sizeof(const struct mr_change *));

	for (size_t i = 0; i < n; i++)
		entries[i] = entry_of(&changes[i]);
	if (n > 1)
		qsort(entries, n, sizeof *entries, cmp_entry);
	cut(out, entries);
}

int mr_order_cmp(const struct mr_change *a, const struct mr_change *b)
{
	int order = cmp_size(a->in->rank, b->in->rank);

	if (!order)
		order = mr_str_cmp(a->in->name, b->in->name);
	return order ? order : mr_str_cmp(a->key, b->key);
}

static int cmp_change(const void *left, const void *right)
{
	return mr_order_cmp(left, right);
}

void mr_order_sort(struct mr_change *changes, size_t n)
{
	if (n > 1)
		qsort(changes, n, sizeof *changes, cmp_change);
}

void mr_order_done(struct mr_order *order)
{
	mr_vec_done(&order->batches);
	mr_arena_done(&order->arena);
}
