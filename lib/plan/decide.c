/*
 * What is decided for one key of a collection: create, update, heal, revert, delete, adopt or
 * forget.
 */
#include "plan/join.h"

#include "model/dn.h"

static bool is_exclusive(const struct mr_join *join)
{
	return join->options->in->flags & MR_COLLECTION_EXCLUSIVE;
}

static bool is_partial(const struct mr_join *join)
{
	return join->options->in->flags & MR_COLLECTION_PARTIAL;
}

static mr_str copy_body(struct mr_arena *arena, mr_str body)
{
	/* an empty body is not the same as none */
	return body.data ? mr_str_copy(arena, body) : (mr_str){0};
}

static mr_str object_of(
        const struct mr_item *desired, const struct mr_item *live, const struct mr_item *owned)
{
	if (desired && desired->object.size > 0)
		return desired->object;
	if (owned && owned->object.size > 0)
		return owned->object;
	return live ? live->object : (mr_str){0};
}

struct found {
	const struct mr_item *desired, *live, *owned;
	mr_str before, after;
	enum mr_reason reason;
	size_t first_drift;
};

static bool was_secret(const struct mr_attr *attr, mr_str owned)
{
	struct mr_attr ours;

	return !(attr->flags & (MR_ATTR_SENSITIVE | MR_ATTR_SEALED)) &&
	       mr_attrs_find(owned, attr->name, &ours) &&
	       (ours.flags & (MR_ATTR_SENSITIVE | MR_ATTR_SEALED));
}

/* A copy of the live body. The server does not know that a value came from a secret; what we own
 * does, and it stays one when it leaves the repository. */
static mr_str copy_live(struct mr_join *join, mr_str body, mr_str owned)
{
	struct mr_arena *arena = &join->diff->changes.arena;
	bool has_secret = false;
	struct mr_attr attr;
	mr_str rest = body;

	while (owned.size && mr_attrs_next(&rest, &attr) > 0)
		has_secret |= was_secret(&attr, owned);
	if (!has_secret)
		return copy_body(arena, body);
	mr_attrs_builder_clear(&join->seal);
	rest = body;
	while (mr_attrs_next(&rest, &attr) > 0) {
		if (was_secret(&attr, owned))
			attr.flags |= MR_ATTR_SENSITIVE;
		mr_attrs_add_attr(&join->seal, &attr);
	}
	return copy_body(arena, mr_attrs_finish(&join->seal));
}

static void push_change(struct mr_join *join, const struct found *found)
{
	struct mr_diff *diff = join->diff;
	struct mr_arena *arena = &diff->changes.arena;
	const struct mr_item *any = found->desired ? found->desired : found->live;
	struct mr_change change = {
	        .in = join->options->in,
	        .key = mr_str_copy(arena, any->key),
	        .before = copy_live(
	                join, found->before, found->owned ? found->owned->body : (mr_str){0}),
	        .after = copy_body(arena, found->after),
	        .object = mr_str_copy(arena, object_of(found->desired, found->live, found->owned)),
	        .reason = found->reason,
	};
	struct mr_effect effect = {
	        .owned = found->owned ? copy_body(arena, found->owned->body) : (mr_str){0},
	        .first_drift = found->first_drift,
	        .n_drift = diff->drift.n - found->first_drift,
	        .is_declared = found->desired,
	};

	if (found->desired) {
		change.loc = found->desired->loc;
		change.loc.path = mr_str_copy(arena, change.loc.path);
	}
	mr_vec_push(&diff->changes.list, change);
	mr_vec_push(&diff->effects, effect);
}

/* Bookkeeping: own the desired body, or forget the item. */
static void adopt(struct mr_join *join, const struct mr_item *desired, const struct mr_item *live,
        const struct mr_item *owned)
{
	struct mr_arena *arena = &join->diff->adoptions.arena;
	const struct mr_item *any = desired ? desired : owned;
	struct mr_change change = {
	        .in = join->options->in,
	        /* cppcheck-suppress nullPointerRedundantCheck ; one of the two is there */
	        .key = mr_str_copy(arena, any->key),
	        .object = mr_str_copy(arena, object_of(desired, live, owned)),
	};

	if (desired) {
		change.after = copy_body(
		        arena, mr_attrs_seal(&join->seal, desired->body, join->options->key));
		if (live && !owned && !is_exclusive(join))
			change.before = copy_body(
			        arena, mr_attrs_seal(&join->seal, live->body, join->options->key));
		change.loc = desired->loc;
		change.loc.path = mr_str_copy(arena, change.loc.path);
	}
	mr_vec_push(&join->diff->adoptions.list, change);
}

static int adopt_if_new(struct mr_join *join, const struct mr_item *desired,
        const struct mr_item *live, const struct mr_item *owned)
{
	bool is_same = false;

	if (owned) {
		int result = mr_compare_owned(join->options, desired->body, owned->body, &is_same);
		if (result < 0)
			return result;
	}
	if (!is_same)
		adopt(join, desired, live, owned);
	return 0;
}

static void tell_result(struct mr_join *join, mr_str key, mr_str body)
{
	if (join->options->result)
		join->options->result(join->options->result_arg, key, body);
}

/* An empty body is a body: only none at all means "not there". */
static mr_str finished(struct mr_attrs_builder *builder)
{
	mr_str body = mr_attrs_finish(builder);

	return body.data ? body : MR_STR("");
}

static int both(struct mr_join *join, const struct mr_item *desired, const struct mr_item *live,
        const struct mr_item *owned)
{
	struct mr_comparison *comparison = &join->comparison;
	struct found found = {desired, live, owned, .first_drift = join->diff->drift.n};
	int result;

	if (mr_str_eq(desired->body, live->body)) {
		/* the common case: nothing is touched */
		tell_result(join, live->key, live->body);
		return owned && mr_str_eq(owned->body, desired->body)
		               ? 0
		               : adopt_if_new(join, desired, live, owned);
	}
	result = mr_compare(join->diff, join->options, desired, live, owned, comparison);
	if (result < 0)
		return result;
	/* what --only leaves out is neither changed nor shown; what is in order is ours all the
	 * same */
	if (!join->is_selected)
		join->diff->drift.n = found.first_drift;
	if (!comparison->is_changing || !join->is_selected) {
		tell_result(join, live->key, live->body);
		if (!comparison->is_changing && !comparison->is_owned_same)
			adopt(join, desired, live, owned);
		return 0;
	}
	found.before = is_partial(join) ? finished(&comparison->before) : live->body;
	found.after = finished(&comparison->after);
	found.reason = !comparison->has_intent ? MR_REASON_DRIFT
	               : owned                 ? MR_REASON_DESIRED_CHANGED
	                                       : MR_REASON_ADOPTED;
	tell_result(join, live->key, found.after);
	push_change(join, &found);
	if (!comparison->is_owned_same)
		adopt(join, desired, live, owned);
	return 0;
}

static int desired_only(
        struct mr_join *join, const struct mr_item *desired, const struct mr_item *owned)
{
	struct found found = {
	        desired, NULL, owned, .after = desired->body, .first_drift = join->diff->drift.n};
	bool is_drift = false;
	int result;

	if (owned) {
		result = mr_compare_owned(join->options, desired->body, owned->body, &is_drift);
		if (result < 0)
			return result;
	}
	if (is_drift && join->options->drift_mode != MR_DRIFT_OFF) {
		result = mr_compare_lone(join->diff, join->options, desired, false);
		if (result < 0)
			return result;
	}
	if (is_drift && mr_drift_mode_of_lone(join->options, desired) != MR_DRIFT_HEAL)
		return 0;
	found.reason = is_drift ? MR_REASON_DRIFT : MR_REASON_DESIRED_CHANGED;
	tell_result(join, desired->key, desired->body);
	push_change(join, &found);
	if (!is_drift)
		adopt(join, desired, NULL, owned);
	return 0;
}

/* A subtree is one run of keys: a declared entry below is the next desired one. */
static bool has_declared_below(const struct mr_join *join, mr_str key)
{
	const struct mr_join_side *desired = &join->sides[MR_SIDE_DESIRED];

	return is_partial(join) && desired->has && mr_dn_key_is_within(desired->item.key, key);
}

/* The root of a tree, and what stands above declared entries, is never taken away as "not
 * declared". */
static bool is_scaffold(const struct mr_join *join, mr_str key)
{
	return is_partial(join) &&
	       (mr_str_eq(key, join->scope_key) || has_declared_below(join, key));
}

static int foreign(struct mr_join *join, const struct mr_item *live)
{
	struct found found = {
	        NULL, live, NULL, .before = live->body, .first_drift = join->diff->drift.n};
	bool is_drift = join->was_applied && !is_partial(join);
	int result;

	if (!is_exclusive(join) || is_scaffold(join, live->key)) {
		tell_result(join, live->key, live->body);
		return 0;
	}
	found.reason = is_drift ? MR_REASON_DRIFT : MR_REASON_NOT_IN_REPOSITORY;
	if (is_drift && join->options->drift_mode != MR_DRIFT_OFF) {
		result = mr_compare_lone(join->diff, join->options, live, true);
		if (result < 0)
			return result;
	}
	if (!is_drift || mr_drift_mode_of_lone(join->options, live) == MR_DRIFT_HEAL)
		push_change(join, &found);
	return 0;
}

static mr_str pre_image_of(struct mr_join *join, mr_str key)
{
	const struct mr_diff_options *options = join->options;
	mr_str body = {0};

	if (options->pre_image && !options->pre_image(options->pre_image_arg, options->in->name,
	                                  key, &join->diff->changes.arena, &body))
		return (mr_str){0};
	return body;
}

/* What a shared item that we own and that left the repository goes back to. */
static int revert(struct mr_join *join, struct found *found)
{
	const struct mr_diff_options *options = join->options;
	mr_str pre_image = pre_image_of(join, found->live->key);
	int result;

	if (is_partial(join) && pre_image.data) {
		result = mr_compare_revert(
		        options, found->live, found->owned, pre_image, &join->comparison);
		if (result < 0)
			return result;
		found->before = finished(&join->comparison.before);
		found->after = finished(&join->comparison.after);
	} else if (!is_partial(join) && options->provider && options->provider->revert_to) {
		found->after = options->provider->revert_to(
		        options->backend, options->in, found->live->key, pre_image);
	}
	return 0;
}

static int leaving(struct mr_join *join, const struct mr_item *live, const struct mr_item *owned)
{
	struct found found = {
	        NULL, live, owned, .before = live->body, .first_drift = join->diff->drift.n};
	int result;

	found.reason = MR_REASON_NOT_IN_REPOSITORY;
	if (!is_exclusive(join)) {
		result = revert(join, &found);
		if (result < 0)
			return result;
	}
	tell_result(
	        join, live->key, is_partial(join) && found.after.data ? live->body : found.after);
	adopt(join, NULL, live, owned);
	/* an entry above declared ones stays where it is, no longer ours */
	if (has_declared_below(join, live->key) || join->options->is_handed_over)
		return 0;
	if (!found.after.data || !mr_str_eq(found.before, found.after))
		push_change(join, &found);
	return 0;
}

int mr_join_decide(struct mr_join *join, const struct mr_item *desired, const struct mr_item *live,
        const struct mr_item *owned)
{
	join->is_selected = mr_is_selected(join->options->only, object_of(desired, live, owned));
	if (desired && live)
		return both(join, desired, live, owned);
	if (!join->is_selected) {
		if (live)
			tell_result(join, live->key, live->body);
		return 0;
	}
	if (desired)
		return desired_only(join, desired, owned);
	if (!live) {
		adopt(join, NULL, NULL, owned);
		return 0;
	}
	return owned ? leaving(join, live, owned) : foreign(join, live);
}
