/*
 * Looking at the world: the servers' own items beside what a transaction expects there.
 */
#include "apply/world.h"

#include <string.h>

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
