/*
 * Comparing what is live with what a transaction expects, item by item and attribute by attribute.
 */
#include "apply/world.h"
#include "base/attrs.h"

struct comparison {
	const struct mr_world *world;
	enum mr_side side;
	const char *what;
	size_t n_other;
	struct mr_arena *arena; /* recheck: where the fresh bodies go */
	struct mr_attrs_builder builder;
};

static void report(struct comparison *comparison, const struct mr_change *change, mr_str attribute)
{
	struct mr_diags *diags = comparison->world->diags;

	comparison->n_other++;
	if (attribute.size)
		mr_fail(diags, MR_E_CONFLICT, "'%.*s' in '%.*s' %s: attribute '%.*s' differs",
		        MR_FMT(change->object), MR_FMT(change->in->name), comparison->what,
		        MR_FMT(attribute));
	else
		mr_fail(diags, MR_E_CONFLICT, "'%.*s' in '%.*s' %s", MR_FMT(change->object),
		        MR_FMT(change->in->name), comparison->what);
	mr_diags_object(diags, change->object);
}

static bool is_same_attr(const struct comparison *comparison, const struct mr_change *change,
        const struct mr_attr *expected, const struct mr_attr *live)
{
	const struct mr_plan_server *server;
	const uint8_t *key = mr_state_seal_key(comparison->world->state);

	if (mr_attr_same(expected, live, key))
		return true;
	if ((expected->flags | live->flags) & MR_ATTR_SEALED)
		return false;
	if (mr_world_find(comparison->world, change->in, &server))
		return false;
	return server->provider->same &&
	       server->provider->same(server->backend, change->in, expected, live);
}

/* Every attribute of the expected body is live with the same values; one without values is not
 * live. */
static bool has_attrs(const struct comparison *comparison, const struct mr_change *change,
        mr_str expected, mr_str live, mr_str *out_attribute)
{
	struct mr_attr want, have;
	int more;

	while ((more = mr_attrs_next(&expected, &want)) > 0) {
		if (!mr_attrs_find(live, want.name, &have))
			have = (struct mr_attr){
			        .name = want.name, .flags = want.flags & ~(unsigned)MR_ATTR_SEALED};
		if (want.n_values == 0 && have.n_values == 0)
			continue;
		if (!is_same_attr(comparison, change, &want, &have)) {
			*out_attribute = want.name;
			return false;
		}
	}
	return more == 0;
}

/* Nothing is live that the expected body does not name. */
static bool has_no_more(mr_str expected, mr_str live, mr_str *out_attribute)
{
	struct mr_attr have, want;
	int more;

	while ((more = mr_attrs_next(&live, &have)) > 0) {
		if (have.n_values > 0 && !mr_attrs_find(expected, have.name, &want)) {
			*out_attribute = have.name;
			return false;
		}
	}
	return more == 0;
}

static bool is_as_expected(const struct comparison *comparison, const struct mr_change *change,
        mr_str expected, mr_str live, mr_str *out_attribute)
{
	*out_attribute = (mr_str){0};
	if (!expected.data || !live.data)
		return !expected.data && !live.data;
	if (!has_attrs(comparison, change, expected, live, out_attribute))
		return false;
	return (change->in->flags & MR_COLLECTION_PARTIAL) ||
	       has_no_more(expected, live, out_attribute);
}

static int compare_one(void *arg, struct mr_change *change, mr_str live)
{
	struct comparison *comparison = arg;
	mr_str attribute;
	mr_str expected = comparison->side == MR_SIDE_BEFORE ? change->before : change->after;

	if (!is_as_expected(comparison, change, expected, live, &attribute))
		report(comparison, change, attribute);
	return 0;
}

int mr_world_compare(const struct mr_world *world, struct mr_change *changes, size_t n,
        enum mr_side side, const char *what, size_t *out_n_other)
{
	struct comparison comparison = {.world = world, .side = side, .what = what};
	int code = mr_world_look(world, changes, n, compare_one, &comparison);

	if (!code)
		*out_n_other = comparison.n_other;
	return code;
}

static void add_live_attr(
        struct mr_attrs_builder *builder, mr_str live, const struct mr_attr *named)
{
	struct mr_attr attr;

	if (mr_attrs_find(live, named->name, &attr))
		mr_attrs_add_attr(builder, &attr);
	else
		mr_attrs_begin(builder, named->name, named->flags & ~(unsigned)MR_ATTR_SEALED);
}

/* The attributes that a partial update names, as they are live now: all that its undo may touch. */
static mr_str live_part(
        struct mr_attrs_builder *builder, const struct mr_change *change, mr_str live)
{
	struct mr_attr attr, seen;
	mr_str rest = change->before;

	mr_attrs_builder_clear(builder);
	while (mr_attrs_next(&rest, &attr) > 0)
		add_live_attr(builder, live, &attr);
	rest = change->after;
	while (mr_attrs_next(&rest, &attr) > 0) {
		if (!mr_attrs_find(change->before, attr.name, &seen))
			add_live_attr(builder, live, &attr);
	}
	return mr_attrs_finish(builder);
}

/* The values that stay as they are may have come from a mirror, sealed: they are written as they
 * are live. */
static mr_str unseal(struct comparison *comparison, mr_str body, mr_str live)
{
	const uint8_t *key = mr_state_seal_key(comparison->world->state);
	struct mr_attr attr, clear;
	bool has_sealed = false;
	mr_str rest = body;

	mr_attrs_builder_clear(&comparison->builder);
	while (mr_attrs_next(&rest, &attr) > 0) {
		bool is_kept = (attr.flags & MR_ATTR_SEALED) &&
		               mr_attrs_find(live, attr.name, &clear) &&
		               mr_attr_same(&attr, &clear, key);
		has_sealed = has_sealed || is_kept;
		mr_attrs_add_attr(&comparison->builder, is_kept ? &clear : &attr);
	}
	return has_sealed ? mr_str_copy(comparison->arena, mr_attrs_finish(&comparison->builder))
	                  : body;
}

static int recheck_one(void *arg, struct mr_change *change, mr_str live)
{
	struct comparison *comparison = arg;
	bool is_partial_update = (change->in->flags & MR_COLLECTION_PARTIAL) &&
	                         change->before.data && change->after.data;
	mr_str attribute;

	if (!is_as_expected(comparison, change, change->before, live, &attribute)) {
		report(comparison, change, attribute);
		return 0;
	}
	if (!live.data)
		return 0;
	change->after = unseal(comparison, change->after, live);
	if (is_partial_update)
		live = live_part(&comparison->builder, change, live);
	change->before = mr_str_copy(comparison->arena, live);
	return 0;
}

int mr_world_recheck(
        const struct mr_world *world, struct mr_arena *arena, struct mr_change *changes, size_t n)
{
	struct comparison comparison = {.world = world,
	        .side = MR_SIDE_BEFORE,
	        .what = "was changed by somebody else since the plan was made",
	        .arena = arena};

	mr_attrs_builder_init(&comparison.builder);
	int code = mr_world_look(world, changes, n, recheck_one, &comparison);
	mr_attrs_builder_done(&comparison.builder);
	if (code)
		return code;
	return comparison.n_other ? MR_E_STALE : 0;
}
