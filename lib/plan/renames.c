/*
 * Renamed users: the row that leaves and the one that comes are one person.
 */
#include "plan/parts.h"

#include <stdlib.h>

#include "plan/words.h"

static int by_from(const void *a, const void *b)
{
	const struct mr_rename *left = a, *right = b;

	return mr_str_cmp(left->from, right->from);
}

static bool is_user_row(const struct mr_plan *plan, const struct mr_change *change)
{
	return mr_str_starts(change->object, MR_STR("user/")) &&
	       mr_words_is_primary(change->in, change->object, change->key, plan->has_passwd);
}

/* The leaving row of an address; changes of one collection are one run in key order. */
static struct mr_change *find_leaving(
        struct mr_plan *plan, const struct mr_collection *in, mr_str key)
{
	size_t low = 0, high = plan->diff.changes.list.n;
	struct mr_change *list = plan->diff.changes.list.items;

	while (low < high && list[low].in != in)
		low++;
	while (high > low && list[high - 1].in != in)
		high--;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = mr_str_cmp(list[middle].key, key);
		if (order == 0)
			return mr_change_is_delete(&list[middle]) ? &list[middle] : NULL;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* A password that the user may change stays the old row's, unless git's own value changed. */
static bool keeps(const struct mr_plan *plan, const struct mr_attr *desired,
        const struct mr_attr *live, mr_str owned)
{
	struct mr_attr last;

	if (!(desired->flags & MR_ATTR_LIVE) || live->n_values == 0)
		return false;
	return !owned.data || !mr_attrs_find(owned, desired->name, &last) ||
	       mr_attr_same(&last, desired, plan->key);
}

static int carry_over(struct mr_plan *plan, const struct mr_change *old, struct mr_change *new)
{
	mr_str owned = plan->diff.effects.items[old - plan->diff.changes.list.items].owned;
	struct mr_attrs_builder builder;
	struct mr_attr attr, live;
	mr_str rest = new->after;
	int result = 0;

	mr_attrs_builder_init(&builder);
	while (rest.size > 0 && (result = mr_attrs_next(&rest, &attr)) == 1) {
		bool is_kept = mr_attrs_find(old->before, attr.name, &live) &&
		               keeps(plan, &attr, &live, owned);
		mr_attrs_add_attr(&builder, is_kept ? &live : &attr);
	}
	if (result >= 0)
		new->after = mr_str_copy(&plan->diff.changes.arena, mr_attrs_finish(&builder));
	mr_attrs_builder_done(&builder);
	return result < 0 ? mr_fail(plan->input.diags, MR_E_FAILED,
	                            "cannot carry over '%.*s': its bytes are damaged",
	                            MR_FMT(old->key))
	                  : 0;
}

static int link_one(struct mr_plan *plan, struct mr_change *change)
{
	struct mr_user user;
	struct mr_change *old;

	if (!mr_desired_find_user(plan->input.desired, mr_words_name(change->object), &user) ||
	        user.renamed_from.size == 0)
		return 0;
	old = find_leaving(plan, change->in, user.renamed_from);
	if (!old)
		return 0;
	old->reason = change->reason = MR_REASON_RENAMED;
	mr_vec_push(&plan->renames, (struct mr_rename){old->object, change->object});
	return carry_over(plan, old, change);
}

static bool has_leaving(const struct mr_plan *plan)
{
	mr_vec_each (change, &plan->diff.changes.list)
		if (mr_change_is_delete(change) && is_user_row(plan, change))
			return true;
	return false;
}

int mr_plan_link_renames(struct mr_plan *plan)
{
	int result = 0;

	/* a look-up for each new user is worth it only where somebody leaves */
	if (!plan->input.desired || !has_leaving(plan))
		return 0;
	mr_vec_each (change, &plan->diff.changes.list) {
		if (!mr_change_is_create(change) || !is_user_row(plan, change))
			continue;
		result = link_one(plan, change);
		if (result < 0)
			return result;
	}
	if (plan->renames.n > 0)
		qsort(plan->renames.items, plan->renames.n, sizeof *plan->renames.items, by_from);
	return 0;
}
