/*
 * Looking at the world: the servers' own items beside what a transaction expects there.
 */
#include "apply/world.h"

#include <string.h>

#include "base/attrs.h"

void mr_world_progress(
        const struct mr_world *world, const char *what, uint64_t done, uint64_t total)
{
	if (world->progress)
		world->progress(world->progress_arg, what, done, total);
}

int mr_world_find(const struct mr_world *world, const struct mr_collection *in,
        const struct mr_plan_server **out)
{
	for (size_t i = 0; i < world->n_servers; i++) {
		if (strcmp(world->servers[i].provider->name, in->provider) == 0) {
			*out = &world->servers[i];
			return 0;
		}
	}
	mr_fail(world->diags, MR_E_CONFIG,
	        "cannot reach '%.*s': server '%s' is not managed on this host", MR_FMT(in->name),
	        in->provider);
	mr_diags_hint(world->diags,
	        "put its section back into agent.yaml until this transaction is closed");
	return MR_E_CONFIG;
}

const char *mr_world_work_directory(
        const struct mr_world *world, struct mr_arena *arena, int64_t txn, const char *provider)
{
	return mr_str_printf(
	        arena, "%s/txn/%lld/%s", mr_state_directory(world->state), (long long)txn, provider)
	        .data;
}

static bool is_same_collection(const struct mr_collection *a, const struct mr_collection *b)
{
	return a == b || mr_str_eq(a->name, b->name);
}

/* Hands out the live body of each change: both sides are in key order. */
static int merge(
        struct mr_cursor *live, struct mr_change *changes, size_t n, mr_world_seen *fn, void *arg)
{
	struct mr_item item = {0};
	int more = mr_cursor_next(live, &item);
	int code = 0;

	for (size_t i = 0; i < n && !code && more >= 0; i++) {
		while (more > 0 && mr_str_cmp(item.key, changes[i].key) < 0)
			more = mr_cursor_next(live, &item);
		if (more < 0)
			break;
		bool is_there = more > 0 && mr_str_eq(item.key, changes[i].key);
		code = fn(arg, &changes[i], is_there ? item.body : (mr_str){0});
	}
	return more < 0 ? more : code;
}

static int look_at_collection(const struct mr_world *world, struct mr_change *changes, size_t n,
        mr_world_seen *fn, void *arg)
{
	const struct mr_plan_server *server;
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	struct mr_cursor live = {0};
	struct mr_strs only = {.items = mr_alloc_n(&arena, n, sizeof *only.items), .n = n};
	int code = mr_world_find(world, changes[0].in, &server);

	if (code)
		return code;
	for (size_t i = 0; i < n; i++)
		only.items[i] = changes[i].key;
	code = server->provider->observe(server->backend, changes[0].in, &only, &live);
	if (!code)
		code = merge(&live, changes, n, fn, arg);
	mr_cursor_close(&live);
	return code;
}

int mr_world_look(const struct mr_world *world, struct mr_change *changes, size_t n,
        mr_world_seen *fn, void *arg)
{
	for (size_t first = 0, end; first < n; first = end) {
		end = first + 1;
		while (end < n && is_same_collection(changes[first].in, changes[end].in))
			end++;
		int code = look_at_collection(world, changes + first, end - first, fn, arg);
		if (code)
			return code;
	}
	return 0;
}

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
