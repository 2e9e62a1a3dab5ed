/*
 * Undoing a transaction. There is no second mechanism for it: every change is applied the other way
 * round, and a backend judges each item by what is live, so that doing it twice, or after a crash,
 * is the same as once.
 */
#include "apply/undo.h"

#include "apply/fault.h"
#include "apply/said.h"
#include "apply/settle.h"
#include "apply/wire.h"
#include "base/clock.h"
#include "base/wait.h"

enum { RETRY_TOTAL_MS = 20 * 1000, RETRY_PAUSE_MS = 250 };

struct undo {
	const struct mr_world *world;
	const struct mr_txn *txn;
	struct mr_arena arena;
	struct mr_change *begun;
	struct mr_change *reversed; /* same places as begun */
	size_t n;
	const char *point;
	int64_t deadline_ms; /* of trying again; set at the first failure, for all of the undo */
	bool is_incomplete;
};

static bool is_late(struct undo *undo)
{
	int64_t now_ms = mr_clock_ms();

	if (!undo->deadline_ms)
		undo->deadline_ms = now_ms + RETRY_TOTAL_MS;
	return now_ms >= undo->deadline_ms;
}

static bool can_wait(struct undo *undo, int code)
{
	if (code == MR_E_CONFLICT || code == MR_E_CONFIG || is_late(undo))
		return false;
	mr_wait_ms(RETRY_PAUSE_MS);
	return true;
}

static int undo_batch_once(
        struct undo *undo, const struct mr_batch *batch, const struct mr_change **reversed)
{
	const struct mr_plan_server *server;
	const struct mr_collection *in = batch->changes[0]->in;
	int code = mr_fault(undo->world->diags, undo->point);

	if (!code)
		code = mr_world_find(undo->world, in, &server);
	if (code)
		return code;
	const char *directory =
	        mr_world_work_directory(undo->world, &undo->arena, undo->txn->id, in->provider);
	return server->provider->apply(server->backend, reversed, batch->n, directory, true);
}

static void undo_batch(struct undo *undo, const struct mr_batch *batch)
{
	const struct mr_change **reversed =
	        mr_alloc_n(&undo->arena, batch->n, sizeof(const struct mr_change *));
	size_t mark = undo->world->diags->list.n;
	int code;

	for (size_t i = 0; i < batch->n; i++)
		reversed[i] = &undo->reversed[batch->changes[i] - undo->begun];
	while ((code = undo_batch_once(undo, batch, reversed)) != 0 && can_wait(undo, code))
		mr_said_rewind(undo->world->diags, mark);
	if (code)
		mr_said_soften(
		        undo->world->diags, mark); /* what is live decides, not what was said */
}

static void undo_batches(struct undo *undo)
{
	struct mr_order order;

	mr_order_make(undo->begun, undo->n, &order);
	for (size_t i = order.batches.n; i > 0; i--) {
		if (!order.batches.items[i - 1].is_late)
			undo_batch(undo, &order.batches.items[i - 1]);
		mr_world_progress(undo->world, "undoing", order.batches.n - i + 1, order.batches.n);
	}
	mr_order_done(&order);
}

static int activate_until(struct undo *undo, const struct mr_plan_server *server,
        const struct mr_change **changes, size_t n, enum mr_activation what)
{
	size_t mark = undo->world->diags->list.n;
	int code = 0;

	while (what != MR_ACTIVATE_NOTHING &&
	        (code = server->provider->activate(server->backend, changes, n, what, true)) != 0 &&
	        can_wait(undo, code))
		mr_said_rewind(undo->world->diags, mark);
	return code;
}

/* The old files are back; whether the server runs well on them is seen by asking it. */
static void activate_server(struct undo *undo, const struct mr_plan_server *server)
{
	const struct mr_provider *provider = server->provider;
	const bool *was_well = undo->world->was_well;
	size_t n, mark = undo->world->diags->list.n;
	const struct mr_change **changes =
	        mr_settle_changes_of(&undo->arena, server, undo->reversed, undo->n, &n);

	if (n == 0)
		return;
	int code = activate_until(
	        undo, server, changes, n, provider->activation(server->backend, changes, n));
	if (!code && provider->probe(server->backend)) {
		mr_said_rewind(undo->world->diags, mark);
		code = activate_until(undo, server, changes, n, MR_ACTIVATE_RESTART);
		if (!code)
			code = provider->probe(server->backend);
	}
	if (!code)
		return;
	if (was_well && was_well[server - undo->world->servers])
		undo->is_incomplete = true;
	else
		mr_said_soften(undo->world->diags, mark); /* nobody knows that it ran before */
}

/* Servers that take mail go back first, those that they ask last: the other way round than forward.
 */
static void activate(struct undo *undo)
{
	const struct mr_plan_server **servers =
	        mr_settle_server_order(undo->world, &undo->arena, undo->begun, undo->n);

	for (size_t i = undo->world->n_servers; i > 0; i--)
		activate_server(undo, servers[i - 1]);
}

static void look(struct undo *undo)
{
	size_t n_other = 0, mark = undo->world->diags->list.n;
	int code;

	while ((code = mr_world_compare(undo->world, undo->begun, undo->n, MR_SIDE_BEFORE,
	                "is not back to what it was before", &n_other)) != 0 &&
	        can_wait(undo, code))
		mr_said_rewind(undo->world->diags, mark);
	if (code || n_other)
		undo->is_incomplete = true;
}

int mr_undo(const struct mr_world *world, const struct mr_txn *txn, struct mr_change *begun,
        size_t n, const char *point)
{
	struct undo undo = {.world = world, .txn = txn, .begun = begun, .n = n, .point = point};

	if (n == 0)
		return 0;
	undo.reversed = mr_alloc_n(&undo.arena, n, sizeof *undo.reversed);
	for (size_t i = 0; i < n; i++)
		undo.reversed[i] = mr_change_reversed(&begun[i]);
	undo_batches(&undo);
	activate(&undo);
	look(&undo);
	mr_arena_done(&undo.arena);
	return undo.is_incomplete ? MR_E_STUCK : 0;
}
