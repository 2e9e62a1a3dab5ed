/*
 * Recovery: what a run that ended in the middle left behind. Works from the journal alone.
 */
#include <time.h>

#include "apply/apply.h"
#include "apply/fault.h"
#include "apply/journal.h"
#include "apply/probation.h"
#include "apply/said.h"
#include "apply/settle.h"
#include "apply/undo.h"

static void record(const struct mr_world *world, const struct mr_txn *txn, const char *result,
        int code, mr_str detail)
{
	const struct mr_record record = {.verb = txn->verb,
	        .who = txn->who,
	        .ref = txn->ref,
	        .commit = txn->commit,
	        .tree = txn->tree,
	        .subject = txn->subject,
	        .plan_digest = txn->plan_digest,
	        .effects_digest = txn->effects_digest,
	        .result = mr_str_from(result),
	        .exit_status = mr_error_status(code),
	        .detail = detail,
	        .started = txn->started,
	        .ended = time(NULL)};
	int64_t run;
	size_t mark = world->diags->list.n;

	if (mr_state_record(world->state, &record, &run)) {
		mr_fail(world->diags, MR_E_FAILED, "cannot record the recovery in '%s/state.db'",
		        mr_state_directory(world->state));
		mr_said_soften(world->diags, mark);
	}
}

static int take_back(const struct mr_world *world, const struct mr_txn *txn)
{
	struct mr_changes begun = {0};
	size_t mark = world->diags->list.n;
	int code = mr_journal_load(world->diags, world->state, txn, false, &begun);

	if (!code)
		code = mr_undo(world, txn, begun.list.items, begun.list.n, "recover:batch");
	mr_vec_done(&begun.list);
	mr_arena_done(&begun.arena);
	if (code) {
		mr_diags_hint(world->diags,
		        "nothing is applied until these objects are as they were before; "
		        "the next run tries again; 'mailreeve trust' lets what is live stand");
		return code == MR_E_CONFIG ? code : MR_E_STUCK;
	}
	mr_said_soften(world->diags, mark);
	if (txn->state == MR_TXN_UNDOING)
		mr_settle_quarantine(world, txn, txn->why);
	record(world, txn, "recovered", MR_E_ROLLED_BACK,
	        txn->why.size ? txn->why : MR_STR("the run ended in the middle and was undone"));
	code = mr_fault(world->diags, "recover:close");
	if (!code)
		mr_settle_undone(world, txn->id);
	return code;
}

static int complete(const struct mr_world *world, const struct mr_txn *txn)
{
	struct mr_changes steps = {0};
	struct mr_order order;
	int code = mr_journal_load(world->diags, world->state, txn, true, &steps);

	if (!code) {
		mr_order_make(steps.list.items, steps.list.n, &order);
		code = mr_settle(world, txn, &order);
		mr_order_done(&order);
	}
	mr_vec_done(&steps.list);
	mr_arena_done(&steps.arena);
	return code;
}

static int recover_one(const struct mr_world *world, const struct mr_txn *txn)
{
	if (txn->state == MR_TXN_DECIDED)
		return complete(world, txn);
	if (txn->state == MR_TXN_STAGING) {
		mr_settle_undone(world, txn->id);
		return 0;
	}
	return take_back(world, txn);
}

int mr_recover(struct mr_diags *diags, const struct mr_host *host, struct mr_state *state,
        const struct mr_plan_server *servers, size_t n_servers, bool *out_was_open)
{
	const struct mr_world world = {.diags = diags,
	        .host = host,
	        .state = state,
	        .servers = servers,
	        .n_servers = n_servers};
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	struct mr_txn txn;
	int64_t last = 0;
	int found, code = mr_journal_prepare(diags, state);

	*out_was_open = false;
	while (!code && (found = mr_journal_find(diags, state, &arena, &txn)) != 0) {
		if (found < 0)
			return found;
		if (txn.id == last) /* could not be closed, which was reported */
			return MR_E_FAILED;
		last = txn.id;
		*out_was_open = *out_was_open || txn.state != MR_TXN_STAGING;
		code = recover_one(&world, &txn);
	}
	return code || !*out_was_open ? code : mr_probation_forget(&world);
}

int mr_recover_accept(struct mr_diags *diags, const struct mr_host *host, struct mr_state *state,
        const struct mr_plan_server *servers, size_t n_servers, mr_str who)
{
	const struct mr_world world = {.diags = diags,
	        .host = host,
	        .state = state,
	        .servers = servers,
	        .n_servers = n_servers};
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	struct mr_txn txn = {0};
	int code = mr_journal_prepare(diags, state);
	int found = code ? code : mr_journal_find(diags, state, &arena, &txn);

	if (found <= 0)
		return found;
	if (txn.state == MR_TXN_DECIDED || txn.state == MR_TXN_STAGING)
		return recover_one(&world, &txn);
	mr_settle_quarantine(&world, &txn, txn.why);
	record(&world, &txn, "recovered", 0,
	        mr_str_printf(&arena, "what is live was let stand by %.*s", MR_FMT(who)));
	mr_settle_undone(&world, txn.id);
	return 0;
}

int mr_apply_is_open(struct mr_state *state, bool *out)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	struct mr_diags diags MR_DONE(diags);
	struct mr_txn txn;

	mr_diags_init(&diags);
	int found = mr_journal_find(&diags, state, &arena, &txn);
	if (found < 0)
		return found;
	*out = found && txn.state != MR_TXN_STAGING;
	return 0;
}
