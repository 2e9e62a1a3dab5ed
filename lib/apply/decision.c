/*
 * The one row after which a change stands, and all bookkeeping that must agree with it.
 */
#include "apply/decision.h"

#include <stdlib.h>
#include <time.h>

#include "apply/fault.h"
#include "apply/said.h"
#include "apply/timing.h"

/* The plan's summary, and what the steps took so far. */
static void write_summary(const struct mr_apply_input *input, struct mr_buf *out)
{
	struct mr_json json;

	mr_plan_summary(input->plan, out);
	if (!input->timing || out->size == 0 || out->data[out->size - 1] != '}')
		return;
	out->size--;
	mr_buf_add_text(out, ", \"steps_ms\": ");
	mr_json_init(&json, out, false);
	mr_timing_json(input->timing, &json);
	mr_buf_add_char(out, '}');
}

static int put_record(
        const struct mr_apply_input *input, const struct mr_outcome *outcome, int64_t *out_run)
{
	const struct mr_render_options json = {.format = MR_FORMAT_JSON};
	struct mr_buf plan = MR_BUF_INIT, summary = MR_BUF_INIT;

	mr_plan_render(input->plan, &json, &plan);
	write_summary(input, &summary);
	struct mr_record record = {.verb = input->verb,
	        .who = input->who,
	        .ref = input->ref,
	        .commit = input->commit,
	        .tree = input->tree,
	        .subject = input->subject,
	        .plan_digest = mr_plan_digest(input->plan),
	        .effects_digest = mr_plan_effects_digest(input->plan),
	        .result = mr_str_from(outcome->result),
	        .exit_status = mr_error_status(outcome->code),
	        .detail = outcome->detail,
	        .summary_json = mr_buf_str(&summary),
	        .plan_json = mr_buf_str(&plan),
	        .started = outcome->started,
	        .ended = time(NULL)};
	int code = mr_state_record(input->state, &record, out_run);
	mr_buf_done(&plan);
	mr_buf_done(&summary);
	return code;
}

static int cmp_search(const void *key, const void *item)
{
	return mr_order_cmp(key, item);
}

/* A delete that comes after the decision: its item stays ours until it is gone. */
static bool is_still_to_go(const struct mr_changes *steps, const struct mr_change *row)
{
	return (row->in->flags & MR_COLLECTION_DELETE_LATE) && steps->list.n > 0 &&
	       bsearch(row, steps->list.items, steps->list.n, sizeof *steps->list.items,
	               cmp_search);
}

static int put_ownership(const struct mr_apply_input *input, const struct mr_changes *steps)
{
	const struct mr_changes *rows = mr_plan_adoptions(input->plan);
	int code = 0;

	for (size_t i = 0; i < rows->list.n && !code; i++) {
		const struct mr_change *row = &rows->list.items[i];
		const struct mr_item sealed = {
		        .key = row->key, .body = row->after, .object = row->object};
		if (row->after.data)
			code = mr_state_own(input->state, row->in->name, &sealed, row->before);
		else if (!is_still_to_go(steps, row))
			code = mr_state_disown(input->state, row->in->name, row->key);
	}
	return code;
}

/* A mailbox that goes leaves its mail behind: when its user is not declared any more he is
 * remembered. */
static int put_retired(const struct mr_apply_input *input, const struct mr_changes *steps)
{
	const mr_str user = MR_STR("user/");
	struct mr_user declared;
	int code = 0;

	for (size_t i = 0; i < steps->list.n && !code; i++) {
		const struct mr_change *step = &steps->list.items[i];
		if (step->in->rank != MR_RANK_MAILBOX || !mr_str_starts(step->object, user))
			continue;
		mr_str address = mr_str_skip(step->object, user.size);
		if (mr_change_is_create(step))
			code = mr_state_unretire(input->state, address);
		else if (mr_change_is_delete(step) && step->reason != MR_REASON_RENAMED &&
		         !mr_desired_find_user(input->desired, address, &declared))
			code = mr_state_retire(input->state, address,
			        mr_attrs_get(step->before, MR_STR("mail_home")), time(NULL));
	}
	return code;
}

/* A part of a commit moves what we own and nothing else: its policy is not in force yet. */
static int put_applied_in_part(const struct mr_apply_input *input, int64_t run)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	struct mr_applied applied = {0};
	int code = mr_state_applied(input->state, &arena, &applied);

	if (code)
		return code;
	applied.run = run;
	applied.when = time(NULL);
	return mr_state_set_applied(input->state, &applied);
}

static int put_applied(const struct mr_apply_input *input, int64_t run)
{
	const struct mr_digest digest = mr_desired_digest(input->desired);
	struct mr_buf hex = MR_BUF_INIT, policy = MR_BUF_INIT;

	mr_digest_format(&digest, &hex);
	mr_policy_format(mr_desired_policy(input->desired), &policy);
	const struct mr_applied applied = {.run = run,
	        .commit = input->commit,
	        .tree = input->tree,
	        .ref = input->ref,
	        .digest = mr_buf_str(&hex),
	        .policy_json = mr_buf_str(&policy),
	        .when = time(NULL)};
	int code = mr_state_set_applied(input->state, &applied);
	mr_buf_done(&hex);
	mr_buf_done(&policy);
	return code;
}

static int put_all(const struct mr_apply_input *input, struct mr_txn *txn,
        const struct mr_changes *steps, int64_t started, int64_t *out_run)
{
	const struct mr_outcome outcome = {.result = txn ? "applied" : "unchanged",
	        .detail = input->allowed,
	        .started = started};
	int code = put_ownership(input, steps);

	if (!code)
		code = put_retired(input, steps);
	if (!code)
		code = put_record(input, &outcome, out_run);
	if (!code)
		code = input->is_partial ? put_applied_in_part(input, *out_run)
		                         : put_applied(input, *out_run);
	if (!code)
		code = mr_fault(input->diags, "S8:rows");
	if (!code && txn)
		code = mr_journal_set_state(
		        input->diags, input->state, txn, MR_TXN_DECIDED, MR_STR(""));
	return code;
}

int mr_decide(const struct mr_apply_input *input, struct mr_txn *txn,
        const struct mr_changes *steps, int64_t started, int64_t *out_run)
{
	int code = mr_state_begin(input->state);

	if (!code) {
		code = put_all(input, txn, steps, started, out_run);
		if (!code)
			code = mr_state_commit(input->state);
		if (code)
			mr_state_abort(input->state);
	}
	if (code)
		mr_fail(input->diags, code, "cannot record the decision in '%s/state.db'",
		        mr_state_directory(input->state));
	return code;
}

void mr_decide_against(
        const struct mr_apply_input *input, const struct mr_outcome *outcome, int64_t *out_run)
{
	size_t mark = input->diags->list.n;

	if (put_record(input, outcome, out_run)) {
		mr_fail(input->diags, MR_E_FAILED, "cannot record this run in '%s/state.db'",
		        mr_state_directory(input->state));
		mr_said_soften(input->diags, mark);
	}
}
