/*
 * The verbs that change servers: apply, sync, rollback. Each says what is wanted; run.c does the
 * rest.
 */
#include <inttypes.h>

#include "apply/apply.h"
#include "base/buf.h"
#include "base/file.h"
#include "session/pausing.h"
#include "session/run.h"

enum { RECORDS_LIMIT = 10000 };

/* A pause holds back what would change something; what was interrupted is ended all the same. */
static int begin(struct mr_session_run *run)
{
	int code = mr_session_run_begin(run);

	return code ? code : mr_pause_check(run->session);
}

/* A saved plan is made anew from its own commit or folder and must come out the same for the
 * objects it touches. */
static int plan_from_file(struct mr_session_run *run, const char *path)
{
	struct mailreeve *session = run->session;
	struct mr_buf text = MR_BUF_INIT;
	struct mr_saved_plan *saved = NULL;
	struct mailreeve_source source = {0};
	int code = mr_file_read(&session->diags, path, (size_t)256 << 20, &text);

	if (code)
		code = mr_fail(
		        &session->diags, MR_E_USAGE, "cannot read the saved plan '%s'", path);
	else
		code = mr_saved_plan_parse(&session->diags, mr_buf_str(&text), &saved);
	if (!code) {
		source.directory = mr_session_text_or_null(session, mr_saved_plan_directory(saved));
		code = source.directory ? mr_session_want(session, &source, &run->wanted)
		                        : mr_session_want_commit(session,
		                                  mr_saved_plan_commit(saved), &run->wanted);
	}
	if (saved)
		run->wanted.ref = mr_str_copy(&session->arena, mr_saved_plan_ref(saved));
	if (!code && !mr_str_eq(run->wanted.tree_id, mr_saved_plan_tree(saved)))
		code = mr_fail(&session->diags, MR_E_STALE,
		        "the saved plan is stale: the files of '%s' changed since it was made "
		        "(hint: plan again)",
		        source.directory ? source.directory : "the commit");
	if (!code)
		code = mr_session_plan(session, &run->wanted, &run->how, &run->plan);
	if (!code)
		code = mr_saved_plan_check(&session->diags, saved, run->plan);
	if (saved)
		mr_saved_plan_free(saved);
	mr_buf_done(&text);
	return code;
}

static int plan_now(struct mr_session_run *run)
{
	int code = mr_session_want(run->session, &run->options->source, &run->wanted);

	return code ? code : mr_session_plan(run->session, &run->wanted, &run->how, &run->plan);
}

int mailreeve_apply(struct mailreeve *session, const struct mailreeve_apply_options *options,
        struct mailreeve_text *out)
{
	struct mr_session_run run = {.session = session,
	        .options = options,
	        .verb = "apply",
	        .how = {.allow = options->allow, .only = options->only, .heals_drift = true}};
	int code = begin(&run);

	session->wants_signature = true;
	if (!code)
		code = options->plan_file ? plan_from_file(&run, options->plan_file)
		                          : plan_now(&run);
	if (!code)
		code = mr_session_run_execute(&run);
	return mr_session_run_end(&run, code, out);
}

/* Only a descendant of the last applied commit is applied without a person: a rewritten history
 * stops here. */
static int check_descent(struct mr_session_run *run)
{
	struct mailreeve *session = run->session;
	struct mr_applied applied = {0};
	bool is_descendant = true;
	int code = mr_state_applied(session->state, &session->arena, &applied);

	if (!code && applied.commit.size > 0 && !mr_str_is(applied.ref, "") &&
	        applied.ref.data[0] != '/')
		code = mr_repo_is_descendant(&session->diags, session->repo, run->wanted.commit,
		        applied.commit, &is_descendant);
	if (code || is_descendant)
		return code;
	return mr_fail(&session->diags, MR_E_REFUSED,
	        "commit %.12s does not descend from the last applied commit %.12s: the branch was "
	        "rewritten or set back "
	        "(hint: look at it, then 'mailreeve apply' as a person)",
	        run->wanted.commit.data, applied.commit.data);
}

static int check_quarantine(struct mr_session_run *run)
{
	struct mailreeve *session = run->session;
	mr_str why;

	if (!mr_state_is_quarantined(session->state, run->wanted.commit,
	            mr_plan_effects_digest(run->plan), &session->arena, &why))
		return 0;
	return mr_fail(&session->diags, MR_E_REFUSED,
	        "commit %.12s is quarantined: %.*s (hint: push a commit that changes its effects, "
	        "or 'mailreeve apply' it "
	        "as a person)",
	        run->wanted.commit.data, MR_FMT(why));
}

/* commit: one that was fetched and compiled before; NULL: the head of the branch, fetched now. */
static int plan_sync(struct mr_session_run *run, const char *commit)
{
	int code;

	if (!commit)
		return plan_now(run);
	run->wanted.ref = run->session->host.repository_branch;
	code = mr_session_want_commit(run->session, mr_str_from(commit), &run->wanted);
	return code ? code : mr_session_plan(run->session, &run->wanted, &run->how, &run->plan);
}

static void tell_outcome(const struct mr_session_run *run, struct mailreeve_outcome *out)
{
	if (!out)
		return;
	out->run = run->applied;
	out->is_changed = run->applied > 0 && !mr_plan_is_empty(run->plan);
	out->n_drift = run->plan ? mr_plan_drift_count(run->plan) : 0;
}

static int sync_to(struct mr_session_run *run, const char *commit, struct mailreeve_text *text,
        struct mailreeve_outcome *out)
{
	struct mailreeve *session = run->session;
	int code;

	session->wants_signature = true;
	code = begin(run);
	if (!code)
		code = plan_sync(run, commit);
	if (!code)
		code = check_descent(run);
	if (!code)
		code = check_quarantine(run);
	if (!code)
		code = mr_session_run_execute(run);
	tell_outcome(run, out);
	return mr_session_run_end(run, code, text);
}

int mailreeve_sync(
        struct mailreeve *session, enum mailreeve_format format, struct mailreeve_text *out)
{
	struct mailreeve_apply_options options = {.format = format};
	struct mr_session_run run = {.session = session,
	        .options = &options,
	        .verb = "sync",
	        .how = {.heals_drift = true, .follows_drift_mode = true},
	        .is_telling = true};

	return sync_to(&run, NULL, out, NULL);
}

int mailreeve_sync_commit(struct mailreeve *session, const char *commit,
        struct mailreeve_text *text, struct mailreeve_outcome *out)
{
	struct mailreeve_apply_options options = {.format = MAILREEVE_TEXT};
	struct mr_session_run run = {.session = session,
	        .options = &options,
	        .verb = "sync",
	        .how = {.heals_drift = true, .follows_drift_mode = true}};
	int status;

	*out = (struct mailreeve_outcome){0};
	status = sync_to(&run, commit, text, out);
	mr_session_tell(session, mr_str_from(commit), out);
	return status;
}

/* The newest run that changed something, or 0. */
static int last_applied_run(struct mailreeve *session, int64_t *out)
{
	struct mr_record *records = NULL;
	size_t n = 0;
	int code = mr_state_records(session->state, RECORDS_LIMIT, &session->arena, &records, &n);

	*out = 0;
	for (size_t i = 0; i < n && !code && *out == 0; i++)
		if (mr_str_is(records[i].result, "applied"))
			*out = records[i].id;
	if (!code && *out == 0)
		code = mr_fail(&session->diags, MR_E_USAGE,
		        "nothing was applied yet: there is nothing to roll back");
	return code;
}

/* The commit that was in force before the run; empty when nothing was. */
static int commit_before(struct mr_session_run *run, int64_t id, mr_str *out)
{
	struct mailreeve *session = run->session;
	struct mr_record record = {0};
	int code = id > 0 ? 0 : last_applied_run(session, &id);

	if (code)
		return code;
	code = mr_state_find_record(session->state, id, &session->arena, &record);
	if (code)
		return mr_fail(
		        &session->diags, MR_E_USAGE, "run %" PRId64 " is not in the history", id);
	code = mr_state_record_before(session->state, id, &session->arena, &record);
	*out = code == MR_E_NOT_FOUND ? (mr_str){0} : record.commit;
	return code == MR_E_NOT_FOUND ? 0 : code;
}

static int quarantine_left(struct mr_session_run *run, mr_str left)
{
	if (left.size == 0 || mr_str_eq(left, run->wanted.commit))
		return 0;
	return mr_state_quarantine(
	        run->session->state, left, (mr_str){0}, MR_STR("rolled back by a person"));
}

int mailreeve_rollback(struct mailreeve *session, int64_t id,
        const struct mailreeve_apply_options *options, struct mailreeve_text *out)
{
	struct mr_session_run run = {.session = session,
	        .options = options,
	        .verb = "rollback",
	        .how = {.allow = options->allow, .heals_drift = true}};
	struct mr_applied left = {0};
	mr_str commit = {0};
	int code = begin(&run);

	if (!code)
		code = mr_state_applied(session->state, &session->arena, &left);
	if (!code)
		code = commit_before(&run, id, &commit);
	run.wanted.ref = MR_STR("rollback");
	if (!code)
		code = mr_session_want_commit(session, commit, &run.wanted);
	if (!code)
		code = mr_session_plan(session, &run.wanted, &run.how, &run.plan);
	if (!code)
		code = mr_session_run_execute(&run);
	if (!code)
		code = quarantine_left(&run, left.commit);
	return mr_session_run_end(&run, code, out);
}

int mailreeve_confirm(struct mailreeve *session, int64_t run, struct mailreeve_text *out)
{
	struct mr_buf text = MR_BUF_INIT;
	const char *directory = mr_session_text_or_null(session, session->host.state_directory);
	int code = mr_confirm(&session->diags, directory, run);

	if (!code)
		mr_buf_printf(
		        &text, "Run %" PRId64 " is confirmed: the waiting apply keeps it.\n", run);
	mr_session_give(&text, out);
	return mr_error_status(code);
}
