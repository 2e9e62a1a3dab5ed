/*
 * The last step of a transaction, and the cleaning up of one that came to nothing.
 */
#include "apply/settle.h"

#include <string.h>
#include <unistd.h>

#include "apply/fault.h"
#include "apply/said.h"
#include "base/file.h"

static bool is_late(const struct mr_change *change)
{
	return mr_change_is_delete(change) && (change->in->flags & MR_COLLECTION_DELETE_LATE);
}

const struct mr_change **mr_settle_changes_of(struct mr_arena *arena,
        const struct mr_plan_server *server, const struct mr_change *changes, size_t n,
        size_t *out_n)
{
	const struct mr_change **found = mr_alloc_n(arena, n, sizeof(const struct mr_change *));
	size_t n_found = 0;

	for (size_t i = 0; i < n; i++) {
		if (!is_late(&changes[i]) &&
		        strcmp(changes[i].in->provider, server->provider->name) == 0)
			found[n_found++] = &changes[i];
	}
	*out_n = n_found;
	return found;
}

static int lowest_rank(
        const struct mr_plan_server *server, const struct mr_change *changes, size_t n)
{
	int lowest = MR_RANK_MAIN + 1;

	for (size_t i = 0; i < n; i++) {
		if ((int)changes[i].in->rank < lowest &&
		        strcmp(changes[i].in->provider, server->provider->name) == 0)
			lowest = (int)changes[i].in->rank;
	}
	return lowest;
}

const struct mr_plan_server **mr_settle_server_order(const struct mr_world *world,
        struct mr_arena *arena, const struct mr_change *changes, size_t n)
{
	const struct mr_plan_server **order =
	        mr_alloc_n(arena, world->n_servers, sizeof(const struct mr_plan_server *));
	int *ranks = mr_alloc_n(arena, world->n_servers, sizeof *ranks);

	for (size_t i = 0; i < world->n_servers; i++) {
		int rank = lowest_rank(&world->servers[i], changes, n);
		size_t at = i;
		for (; at > 0 && ranks[at - 1] > rank; at--) {
			ranks[at] = ranks[at - 1];
			order[at] = order[at - 1];
		}
		ranks[at] = rank;
		order[at] = &world->servers[i];
	}
	return order;
}

static int delete_batch(
        const struct mr_world *world, const struct mr_txn *txn, const struct mr_batch *batch)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	const struct mr_collection *in = batch->changes[0]->in;
	const struct mr_plan_server *server;
	int code = mr_fault(world->diags, "S9:batch");

	if (!code)
		code = mr_world_find(world, in, &server);
	if (code)
		return code;
	return server->provider->apply(server->backend, batch->changes, batch->n,
	        mr_world_work_directory(world, &arena, txn->id, in->provider), false);
}

static int forget_one(void *arg, struct mr_change *change, mr_str live)
{
	const struct mr_world *world = arg;

	if (!live.data)
		return mr_state_disown(world->state, change->in->name, change->key);
	mr_fail(world->diags, MR_E_FAILED, "'%.*s' in '%.*s' could not be deleted",
	        MR_FMT(change->object), MR_FMT(change->in->name));
	mr_diags_object(world->diags, change->object);
	mr_diags_hint(world->diags,
	        "the rest of the change is applied; the next plan has this delete again");
	return 0;
}

/* What is really gone is not owned any more. */
static int forget(const struct mr_world *world, const struct mr_order *order)
{
	size_t n = order->n - order->n_early;
	struct mr_changes late = {0};
	int code = mr_state_begin(world->state);

	if (code)
		return code;
	for (size_t i = 0; i < n; i++)
		mr_vec_push(&late.list, *order->changes[order->n_early + i]);
	mr_order_sort(late.list.items, n);
	code = mr_world_look(world, late.list.items, n, forget_one, (void *)world);
	mr_vec_done(&late.list);
	if (!code)
		code = mr_state_commit(world->state);
	if (code)
		mr_state_abort(world->state);
	return code;
}

static bool is_out_of_reach(int code)
{
	return code == MR_E_UNREADABLE || code == MR_E_BUSY || code == MR_E_TIMEOUT ||
	       code == MR_E_CONFIG;
}

static int delete_late(
        const struct mr_world *world, const struct mr_txn *txn, const struct mr_order *order)
{
	int worst = 0;

	if (order->n == order->n_early)
		return 0;
	mr_vec_each (batch, &order->batches) {
		int code = batch->is_late ? delete_batch(world, txn, batch) : 0;
		if (is_out_of_reach(code))
			return code;
		if (code)
			worst = code;
	}
	int code = forget(world, order);
	return code ? code : worst;
}

static void finish(const struct mr_world *world, int64_t txn, bool was_applied)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	size_t mark = world->diags->list.n;

	for (size_t i = 0; i < world->n_servers; i++) {
		const struct mr_plan_server *server = &world->servers[i];
		const char *directory =
		        mr_world_work_directory(world, &arena, txn, server->provider->name);
		if (access(directory, F_OK) == 0)
			mr_said_enough(
			        server->provider->finish(server->backend, directory, was_applied));
	}
	const char *all = mr_world_work_directory(world, &arena, txn, "");
	mr_said_enough(mr_dir_remove(world->diags, all));
	mr_said_soften(world->diags, mark);
}

int mr_settle(const struct mr_world *world, const struct mr_txn *txn, const struct mr_order *order)
{
	int code = mr_state_write_anchor(world->state);

	if (!code)
		code = mr_fault(world->diags, "S9");
	if (code)
		return code;
	code = delete_late(world, txn, order);
	if (is_out_of_reach(code)) {
		mr_diags_hint(world->diags,
		        "the change is applied; the next run does the deletes that are left");
		return code;
	}
	finish(world, txn->id, true);
	int closed = mr_journal_close(world->diags, world->state, txn->id);
	return code ? MR_E_FAILED : closed;
}

void mr_settle_undone(const struct mr_world *world, int64_t txn)
{
	size_t mark = world->diags->list.n;

	finish(world, txn, false);
	mr_said_enough(mr_journal_close(
	        world->diags, world->state, txn)); /* the next start undoes nothing */
	mr_said_soften(world->diags, mark);
}

void mr_settle_quarantine(const struct mr_world *world, const struct mr_txn *txn, mr_str why)
{
	size_t mark = world->diags->list.n;

	if (mr_state_quarantine(world->state, txn->commit, txn->effects_digest, why) == 0)
		return;
	mr_fail(world->diags, MR_E_FAILED, "cannot put commit '%.*s' into quarantine",
	        MR_FMT(txn->commit));
	mr_said_soften(world->diags, mark);
}
