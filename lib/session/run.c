/*
 * What apply, sync and rollback share: the way from the lock to the history.
 */
#include "session/run.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply/apply.h"
#include "base/buf.h"
#include "base/file.h"

/* Who is on record in the history: the user, and who became root by sudo. */
mr_str mr_session_who(struct mailreeve *session)
{
	const struct passwd *entry = getpwuid(getuid());
	const char *sudo = getenv("SUDO_USER");

	if (sudo && sudo[0])
		return mr_str_printf(&session->arena, "%s (by sudo from %s)",
		        entry ? entry->pw_name : "?", sudo);
	return mr_str_printf(
	        &session->arena, "%s (uid %u)", entry ? entry->pw_name : "?", (unsigned)getuid());
}

int mr_session_run_begin(struct mr_session_run *run)
{
	struct mailreeve *session = run->session;
	bool was_open = false;
	int code = mr_session_open_state(session, true, run->verb);

	if (!code && !mr_state_is_trusted(session->state))
		code = mr_fail(&session->diags, MR_E_CONFIG,
		        "the state database in '%.*s' is damaged or older than its anchor: nothing "
		        "is applied until a "
		        "person looked at it (hint: restore it from a backup, or move the folder "
		        "away to start anew)",
		        MR_FMT(session->host.state_directory));
	if (!code)
		code = mr_session_open_servers(session);
	if (!code)
		code = mr_recover(&session->diags, &session->host, session->state, session->servers,
		        session->n_servers, &was_open);
	if (!code && was_open)
		mr_diags_at(&session->diags, MR_WARNING, "MR-RECOVERED", NULL,
		        "an interrupted apply was found and ended before this one began: see "
		        "'mailreeve history'");
	return code;
}

static int ask(struct mr_session_run *run)
{
	const struct mailreeve_apply_options *options = run->options;
	struct mr_buf plan = MR_BUF_INIT;
	bool is_given;

	if (!options || !options->consent || mr_plan_is_empty(run->plan))
		return 0;
	mr_session_render(run->session, run->plan, MAILREEVE_TEXT, &plan);
	mr_buf_add_char(&plan, '\0');
	is_given = options->consent(options->consent_arg, plan.data);
	mr_buf_done(&plan);
	if (is_given)
		return 0;
	return mr_fail(&run->session->diags, MR_E_REFUSED,
	        "no consent: nothing was changed (hint: --yes gives it where nobody can be asked)");
}

static mr_str allowed_text(struct mr_session_run *run)
{
	struct mr_buf text = MR_BUF_INIT;
	mr_str result;

	for (size_t i = 0; run->how.allow && run->how.allow[i]; i++)
		mr_buf_printf(&text, "%s--allow %s", i > 0 ? " " : "", run->how.allow[i]);
	result = mr_str_copy(&run->session->arena, mr_buf_str(&text));
	mr_buf_done(&text);
	return result;
}

/* The refusal, and why, stands in the history too. */
static void record_refusal(struct mr_session_run *run, int code)
{
	struct mailreeve *session = run->session;
	struct mr_buf summary = MR_BUF_INIT;
	struct mr_record record = {.verb = mr_str_from(run->verb),
	        .who = mr_session_who(session),
	        .ref = run->wanted.ref,
	        .commit = run->wanted.commit,
	        .tree = run->wanted.tree_id,
	        .subject = run->wanted.subject,
	        .plan_digest = mr_plan_digest(run->plan),
	        .effects_digest = mr_plan_effects_digest(run->plan),
	        .result = MR_STR("refused"),
	        .exit_status = mr_error_status(code),
	        .detail = allowed_text(run)};
	int64_t id;

	if (session->diags.list.n > 0)
		record.detail = session->diags.list.items[session->diags.list.n - 1].text;
	mr_plan_summary(run->plan, &summary);
	record.summary_json = mr_buf_str(&summary);
	if (mr_state_record(session->state, &record, &id))
		mr_diags_at(&session->diags, MR_WARNING, "MR-HISTORY", NULL,
		        "the refusal could not be recorded in the history");
	mr_buf_done(&summary);
}

/* A folder is kept as a commit of the mirror, so that what was applied can be brought back. */
static int keep_directory(struct mr_session_run *run)
{
	struct mailreeve *session = run->session;
	struct mr_repo_options options = {0};
	int code = 0;

	if (run->wanted.directory.size == 0)
		return 0;
	if (!session->repo) {
		options.mirror = mr_session_path(session, "repository.git");
		options.branch = session->host.repository_branch;
		options.url = session->host.repository_url;
		code = mr_repo_open(&session->diags, &options, &session->repo);
	}
	if (!code)
		code = mr_repo_store_tree(&session->diags, session->repo, run->wanted.tree,
		        &session->arena, &run->wanted.commit);
	run->wanted.ref = run->wanted.directory;
	return code;
}

static void tell_result(struct mr_session_run *run, const struct mr_apply_result *result, int code)
{
	struct mr_buf *out = &run->shown;

	if (run->options && run->options->format != MAILREEVE_TEXT)
		return;
	if (code == MR_E_ROLLED_BACK)
		mr_buf_printf(out,
		        "Not applied (run %" PRId64
		        "): the servers were read again and are as before.\n",
		        result->run);
	else if (code == MR_E_STUCK)
		mr_buf_printf(out,
		        "NOT ROLLED BACK (run %" PRId64
		        "): what is neither as before nor as planned is listed above.\n",
		        result->run);
	else if (!code && mr_plan_is_empty(run->plan))
		mr_buf_printf(
		        out, "Nothing was to do; on record as run %" PRId64 ".\n", result->run);
	else if (!code)
		mr_buf_printf(
		        out, "Applied as run %" PRId64 ": read back and probed.\n", result->run);
}

static int carry_out(struct mr_session_run *run)
{
	struct mailreeve *session = run->session;
	struct mr_apply_result result = {0};
	struct mr_apply_input input = {.diags = &session->diags,
	        .host = &session->host,
	        .state = session->state,
	        .plan = run->plan,
	        .desired = run->wanted.desired,
	        .servers = session->servers,
	        .n_servers = session->n_servers,
	        .verb = mr_str_from(run->verb),
	        .who = mr_session_who(session),
	        .ref = run->wanted.ref,
	        .subject = run->wanted.subject,
	        .tree = run->wanted.tree_id,
	        .allowed = allowed_text(run),
	        .version = MR_VERSION,
	        .notice = session->options.notice,
	        .progress = session->options.progress,
	        .progress_arg = session->options.arg};
	int code = keep_directory(run);

	input.commit = run->wanted.commit;
	input.confirm_within_seconds = run->options ? run->options->confirm_within_seconds : 0;
	if (!code)
		code = mr_apply(&input, &result);
	if (!code && session->repo && run->wanted.commit.size > 0)
		code = mr_repo_keep(&session->diags, session->repo, run->wanted.commit, result.run);
	tell_result(run, &result, code);
	return code;
}

int mr_session_run_execute(struct mr_session_run *run)
{
	enum mailreeve_format format = run->options ? run->options->format : MAILREEVE_TEXT;
	int code = mr_session_judge_rails(run->session, run->plan);

	mr_session_render(run->session, run->plan, format, &run->shown);
	if (!code)
		code = ask(run);
	if (code) {
		record_refusal(run, code);
		return code;
	}
	return carry_out(run);
}

int mr_session_run_end(struct mr_session_run *run, int code, struct mailreeve_text *out)
{
	mr_session_give(&run->shown, out);
	if (run->plan)
		mr_plan_free(run->plan);
	mr_wanted_done(&run->wanted);
	return mr_error_status(code);
}
