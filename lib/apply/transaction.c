/*
 * The transaction: from a plan to servers that are exactly as planned, or exactly as before.
 *
 * S0 check that live is what the plan was made from; S1 stage and let the servers' own checkers
 * judge; S2 journal the intent; S3 the directory; S4 files; S5 activate; S6 read back and probe; S7
 * wait for a person where that was asked for; S8 decide; S9 what only destroys. Every failure
 * between S2 and S8 leads to undo_all().
 */
#include "apply/apply.h"

#include <time.h>

#include "apply/decision.h"
#include "apply/fault.h"
#include "apply/journal.h"
#include "apply/order.h"
#include "apply/probation.h"
#include "apply/probe.h"
#include "apply/said.h"
#include "apply/settle.h"
#include "apply/timing.h"
#include "apply/undo.h"
#include "base/file.h"

struct run {
	const struct mr_apply_input *input;
	struct mr_world world;
	struct mr_changes steps; /* the plan's changes with what is live as their before */
	struct mr_order order;
	struct mr_txn txn;
	struct mr_probe *probe;
	size_t mark; /* diagnostics of before this run */
	int64_t started;
	int64_t id; /* of the history record */
	bool is_stopped;
};

static void run_init(struct run *run, const struct mr_apply_input *input)
{
	const struct mr_changes *changes = mr_plan_changes(input->plan);

	*run = (struct run){.input = input,
	        .world = {.diags = input->diags,
	                .host = input->host,
	                .state = input->state,
	                .servers = input->servers,
	                .n_servers = input->n_servers,
	                .progress = input->progress,
	                .progress_arg = input->progress_arg},
	        .mark = input->diags->list.n,
	        .started = time(NULL)};
	run->txn = (struct mr_txn){.verb = input->verb,
	        .who = input->who,
	        .ref = input->ref,
	        .commit = input->commit,
	        .tree = input->tree,
	        .subject = input->subject,
	        .plan_digest = mr_plan_digest(input->plan),
	        .effects_digest = mr_plan_effects_digest(input->plan),
	        .started = run->started};
	for (size_t i = 0; i < changes->list.n; i++)
		mr_vec_push(&run->steps.list, changes->list.items[i]);
	mr_order_sort(run->steps.list.items, run->steps.list.n);
}

static void run_done(struct run *run)
{
	mr_probe_free(run->probe);
	mr_order_done(&run->order);
	mr_vec_done(&run->steps.list);
	mr_arena_done(&run->steps.arena);
}

static int record(struct run *run, const char *result, int code)
{
	const struct mr_outcome outcome = {.result = result,
	        .code = code,
	        .detail = mr_said_first(run->input->diags, run->mark),
	        .started = run->started};

	mr_decide_against(run->input, &outcome, &run->id);
	return code;
}

/* A point between two steps, or within one: where time is taken and faults are asked for. */
static int pass(struct run *run, const char *point)
{
	mr_timing_enter(run->input->timing, point);
	return mr_fault(run->world.diags, point);
}

/* The caller may want to end. Nobody is to blame then: the commit is not quarantined. */
static int go_on(struct run *run, const char *point)
{
	int code = pass(run, point);

	if (code || !run->input->is_stopping)
		return code;
	run->is_stopped = run->input->is_stopping(run->input->progress_arg);
	if (run->is_stopped)
		code = mr_fail(run->world.diags, MR_E_STOPPED,
		        "asked to end in the middle of the run: what was begun is taken back");
	return code;
}

/* S0 */
static int check_live(struct run *run)
{
	int code = go_on(run, "S0");

	if (!code)
		code = mr_journal_prepare(run->world.diags, run->world.state);
	mr_world_progress(&run->world, "checking", 0, run->steps.list.n);
	if (!code)
		code = mr_world_recheck(
		        &run->world, &run->steps.arena, run->steps.list.items, run->steps.list.n);
	return code;
}

static int stage_server(struct run *run, const struct mr_plan_server *server)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	size_t n = 0;
	const struct mr_change **changes =
	        mr_alloc_n(&arena, run->steps.list.n, sizeof(const struct mr_change *));
	const char *directory =
	        mr_world_work_directory(&run->world, &arena, run->txn.id, server->provider->name);

	mr_vec_each (step, &run->steps.list) {
		if (mr_str_is(mr_str_from(step->in->provider), server->provider->name))
			changes[n++] = step;
	}
	if (n == 0)
		return 0;
	int code = mr_dir_make(run->world.diags, directory, 0700);
	return code ? code : server->provider->stage(server->backend, changes, n, directory);
}

/* S1 */
static int stage(struct run *run)
{
	int code = mr_journal_open(run->world.diags, run->world.state, &run->txn);

	if (!code)
		code = go_on(run, "S1");
	for (size_t i = 0; i < run->world.n_servers && !code; i++) {
		mr_world_progress(&run->world, "staging", i, run->world.n_servers);
		code = stage_server(run, &run->world.servers[i]);
		if (!code)
			code = go_on(run, "S1:server");
	}
	return code;
}

/* S2 */
static int journal(struct run *run)
{
	int code = go_on(run, "S2");

	mr_order_make(run->steps.list.items, run->steps.list.n, &run->order);
	return code ? code
	            : mr_journal_intend(run->world.diags, run->world.state, &run->txn, &run->order);
}

static int apply_batch(struct run *run, const struct mr_batch *batch)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	const struct mr_collection *in = batch->changes[0]->in;
	const struct mr_plan_server *server;
	size_t end = (size_t)(batch->changes - run->order.changes) + batch->n;
	bool is_wave = in->rank == MR_RANK_DIRECTORY;
	int code = mr_world_find(&run->world, in, &server);

	if (!code)
		code = mr_journal_begin_steps(run->world.diags, run->world.state, &run->txn, end);
	if (!code)
		code = go_on(run, is_wave ? "S3:wave" : "S4:batch");
	if (code)
		return code;
	code = server->provider->apply(server->backend, batch->changes, batch->n,
	        mr_world_work_directory(&run->world, &arena, run->txn.id, in->provider), false);
	mr_world_progress(&run->world, is_wave ? "writing the directory" : "writing files", end,
	        run->order.n_early);
	return code;
}

/* S3, S4 */
static int apply_batches(struct run *run)
{
	bool is_in_files = false;
	int code = go_on(run, "S3");

	for (size_t i = 0; i < run->order.batches.n && !code; i++) {
		const struct mr_batch *batch = &run->order.batches.items[i];
		if (batch->is_late)
			break;
		if (!is_in_files && batch->changes[0]->in->rank != MR_RANK_DIRECTORY) {
			is_in_files = true;
			code = go_on(run, "S4");
		}
		if (!code)
			code = apply_batch(run, batch);
	}
	return code;
}

static int activate_server(struct run *run, const struct mr_plan_server *server)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	size_t n;
	const struct mr_change **changes =
	        mr_settle_changes_of(&arena, server, run->steps.list.items, run->steps.list.n, &n);
	enum mr_activation what =
	        n ? server->provider->activation(server->backend, changes, n) : MR_ACTIVATE_NOTHING;

	if (what == MR_ACTIVATE_NOTHING)
		return 0;
	return server->provider->activate(server->backend, changes, n, what, false);
}

/* S5: the servers that others hand mail to come first. */
static int activate(struct run *run)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	const struct mr_plan_server **servers = mr_settle_server_order(
	        &run->world, &arena, run->steps.list.items, run->steps.list.n);
	int code = go_on(run, "S5");

	for (size_t i = 0; i < run->world.n_servers && !code; i++) {
		mr_world_progress(&run->world, "activating", i, run->world.n_servers);
		code = activate_server(run, servers[i]);
		if (!code)
			code = mr_fault(run->world.diags, "S5:server");
	}
	return code;
}

/* The changes before the decision, compared with one side of them. */
static int compare_early(struct run *run, enum mr_side side, const char *what)
{
	struct mr_changes early = {0};
	size_t n_other = 0;

	for (size_t i = 0; i < run->order.n_early; i++)
		mr_vec_push(&early.list, *run->order.changes[i]);
	mr_order_sort(early.list.items, early.list.n);
	int code =
	        mr_world_compare(&run->world, early.list.items, early.list.n, side, what, &n_other);
	mr_vec_done(&early.list);
	return code ? code : n_other ? MR_E_CONFLICT : 0;
}

/* S6 */
static int verify(struct run *run)
{
	int code = pass(run, "S6");

	mr_world_progress(&run->world, "reading back", 0, run->order.n_early);
	if (!code)
		code = compare_early(run, MR_SIDE_AFTER, "is not as planned after it was written");
	mr_world_progress(&run->world, "probing", 0, 1);
	if (!code)
		code = mr_probe_after(&run->world, run->input->plan, run->probe);
	return code;
}

/* S7 */
static int wait_for_person(struct run *run)
{
	const struct mr_apply_input *input = run->input;
	int code = pass(run, "S7");

	if (code || input->confirm_within_seconds == 0)
		return code;
	return mr_probation_wait(
	        &run->world, input->confirm_within_seconds, input->notice, input->progress_arg);
}

/* S8. When the answer of the database is lost or an error, the row itself tells. */
static int decide(struct run *run)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	struct mr_txn seen;
	int code = pass(run, "S8");

	if (!code)
		code = mr_decide(run->input, &run->txn, &run->steps, run->started, &run->id);
	if (code && mr_journal_find(run->world.diags, run->world.state, &arena, &seen) == 1 &&
	        seen.id == run->txn.id && seen.state == MR_TXN_DECIDED)
		code = 0;
	return code;
}

/* Something failed while nothing live was touched yet. */
static int abandon(struct run *run, int cause)
{
	size_t n_other = 0;

	if (run->txn.id)
		mr_settle_undone(&run->world, run->txn.id);
	if (cause == MR_E_CONFLICT || cause == MR_E_STALE)
		return record(run, "refused", MR_E_STALE);
	if (cause == MR_E_UNREADABLE || cause == MR_E_BUSY || !run->txn.id)
		return record(run, "failed", cause);
	if (mr_world_compare(&run->world, run->steps.list.items, run->steps.list.n, MR_SIDE_BEFORE,
	            "was changed by somebody else meanwhile", &n_other) ||
	        n_other)
		return record(run, "failed", n_other ? MR_E_STALE : MR_E_UNREADABLE);
	if (cause == MR_E_REJECTED)
		mr_settle_quarantine(
		        &run->world, &run->txn, mr_said_first(run->world.diags, run->mark));
	return record(run, cause == MR_E_REJECTED ? "refused" : "failed", MR_E_ROLLED_BACK);
}

static int undo_all(struct run *run)
{
	struct mr_changes begun = {0};
	mr_str why = mr_said_first(run->world.diags, run->mark);
	size_t mark = run->world.diags->list.n;

	mr_timing_enter(run->input->timing, "undo");
	/* An undo goes on without this row: then a restart merely knows less. */
	if (!run->is_stopped)
		mr_said_enough(mr_journal_set_state(
		        run->world.diags, run->world.state, &run->txn, MR_TXN_UNDOING, why));
	mr_said_soften(run->world.diags, mark);
	for (size_t i = 0; i < run->txn.n_begun; i++)
		mr_vec_push(&begun.list, *run->order.changes[i]);
	mr_order_sort(begun.list.items, begun.list.n);
	int code = mr_undo(&run->world, &run->txn, begun.list.items, begun.list.n, "undo:batch");
	mr_vec_done(&begun.list);
	if (!run->is_stopped)
		mr_settle_quarantine(&run->world, &run->txn, why);
	if (code)
		return record(run, "stuck", MR_E_STUCK);
	mr_fault_point("undo:close");
	record(run, "rolled_back", MR_E_ROLLED_BACK);
	mr_settle_undone(&run->world, run->txn.id);
	return MR_E_ROLLED_BACK;
}

static int carry_out(struct run *run)
{
	int code = check_live(run);

	if (!code)
		code = stage(run);
	if (!code) {
		run->probe = mr_probe_before(&run->world, run->input->plan);
		run->world.was_well = mr_probe_well(run->probe);
		code = journal(run);
	}
	if (code)
		return abandon(run, code);
	code = apply_batches(run);
	if (!code)
		code = activate(run);
	if (!code)
		code = verify(run);
	if (!code)
		code = wait_for_person(run);
	if (!code)
		code = decide(run);
	if (code)
		return undo_all(run);
	mr_fault_point("S8:decided");
	mr_timing_enter(run->input->timing, "S9");
	return mr_settle(&run->world, &run->txn, &run->order);
}

/* Nothing to do on the servers: only bookkeeping, and that only when it says something new. */
static int keep(struct run *run)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	struct mr_applied applied;
	int code = mr_state_applied(run->world.state, &arena, &applied);

	if (code)
		return code;
	run->id = applied.run;
	if (mr_plan_adoptions(run->input->plan)->list.n == 0 &&
	        (run->input->is_partial ||
	                (applied.run && mr_str_eq(applied.commit, run->input->commit) &&
	                        mr_str_eq(applied.tree, run->input->tree))))
		return 0;
	code = mr_decide(run->input, NULL, &run->steps, run->started, &run->id);
	return code ? code : mr_state_write_anchor(run->world.state);
}

int mr_apply(const struct mr_apply_input *input, struct mr_apply_result *out)
{
	struct run run;

	run_init(&run, input);
	int code = mr_plan_is_empty(input->plan) ? keep(&run) : carry_out(&run);
	*out = (struct mr_apply_result){.run = run.id, .code = code};
	run_done(&run);
	return code;
}
