/*
 * What apply, sync and rollback share: the way from the lock to the history.
 */
#include "session/run.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "apply/apply.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "session/notifying.h"
#include "session/observing.h"

enum { REASONS_LIMIT = 4096 };

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

static bool last_run(struct mailreeve *session, struct mr_record *out)
{
	return mr_state_find_record(session->state, 0, &session->arena, out) == 0;
}

int mr_session_run_begin(struct mr_session_run *run)
{
	struct mailreeve *session = run->session;
	struct mr_record last = {0};
	int code = mr_session_open_state(session, true, run->verb);

	run->began = time(NULL);
	run->began_ms = mr_clock_ms();

	if (!code && !mr_state_is_trusted(session->state))
		code = mr_fail(&session->diags, MR_E_CONFIG,
		        "the state database in '%.*s' is damaged or older than its anchor: nothing "
		        "is applied until a "
		        "person looked at it (hint: restore it from a backup, or look at "
		        "'mailreeve plan' and say 'mailreeve trust')",
		        MR_FMT(session->host.state_directory));
	run->is_begun = !code;
	if (!code)
		code = mr_session_open_servers(session);
	if (!code) {
		code = mr_recover(&session->diags, &session->host, session->state, session->servers,
		        session->n_servers, &run->was_open);
		run->is_begun = !code; /* a failed recovery puts itself on record */
	}
	if (run->is_begun && last_run(session, &last))
		run->last_before = last.id;
	if (!code && run->was_open)
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

mr_str mr_session_reasons(struct mailreeve *session)
{
	struct mr_buf text = MR_BUF_INIT;
	mr_str result, before = {0};

	mr_vec_each (diag, &session->diags.list) {
		if (diag->severity != MR_ERROR || text.size > REASONS_LIMIT ||
		        mr_str_eq(diag->text, before))
			continue;
		before = diag->text;
		if (text.size > 0)
			mr_buf_add_text(&text, "; ");
		mr_diag_format_place(diag, &text);
		mr_text_harmless(diag->text, &text); /* words of servers and of commits */
	}
	result = mr_str_copy(&session->arena, mr_buf_str(&text));
	mr_buf_done(&text);
	return result;
}

/* Of the history: what went wrong, or what was allowed. */
static mr_str detail(struct mr_session_run *run)
{
	mr_str why = mr_session_reasons(run->session);

	return why.size > 0 ? why : allowed_text(run);
}

static void add_plan(struct mr_session_run *run, struct mr_record *record)
{
	struct mr_render_options json = {.format = MR_FORMAT_JSON};
	struct mr_buf text = MR_BUF_INIT;

	if (!run->plan)
		return;
	record->plan_digest = mr_plan_digest(run->plan);
	record->effects_digest = mr_plan_effects_digest(run->plan);
	mr_plan_summary(run->plan, &text);
	record->summary_json = mr_str_copy(&run->session->arena, mr_buf_str(&text));
	text.size = 0;
	mr_plan_render(run->plan, &json, &text);
	record->plan_json = mr_str_copy(&run->session->arena, mr_buf_str(&text));
	mr_buf_done(&text);
}

/* What a timer meets again and again is one run on record, with the time of the last. */
static void join_repeated(struct mr_record *record, const struct mr_record *last)
{
	if (!mr_str_eq(record->verb, last->verb) || !mr_str_eq(record->commit, last->commit) ||
	        !mr_str_eq(record->result, last->result) || !mr_str_eq(record->who, last->who) ||
	        !mr_str_eq(record->detail, last->detail) ||
	        !mr_str_eq(record->effects_digest, last->effects_digest))
		return;
	record->id = last->id;
	record->started = last->started;
}

static mr_str result_word(int code)
{
	if (code == MR_E_REFUSED || code == MR_E_BUSY || code == MR_E_STALE)
		return MR_STR("refused");
	return code ? MR_STR("failed") : MR_STR("unchanged");
}

/* What failed before anything was written, or was refused, stands in the history too; and that
 * things are in order when they were not. */
static void record_end(struct mr_session_run *run, int code)
{
	struct mailreeve *session = run->session;
	struct mr_record last = {0};
	struct mr_record record = {.verb = mr_str_from(run->verb),
	        .who = mr_session_who(session),
	        .ref = run->wanted.ref,
	        .commit = run->wanted.commit,
	        .tree = run->wanted.tree_id,
	        .subject = run->wanted.subject,
	        .result = result_word(code),
	        .exit_status = mr_error_status(code),
	        .detail = detail(run),
	        .started = run->began,
	        .ended = time(NULL)};
	int64_t id;

	if (last_run(session, &last) && last.id != run->last_before)
		return; /* the apply put itself on record */
	if (!code && last.exit_status == 0)
		return;
	add_plan(run, &record);
	join_repeated(&record, &last);
	if (mr_state_record(session->state, &record, &id))
		mr_diags_at(&session->diags, MR_WARNING, "MR-HISTORY", NULL,
		        "the end of this run could not be recorded in the history");
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
		options.mirror = mr_session_source_path(session, "repository.git");
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
	        .is_partial = run->how.only != NULL,
	        .version = MR_VERSION,
	        .notice = session->options.notice,
	        .progress = session->options.progress,
	        .is_stopping = session->options.is_stopping,
	        .progress_arg = session->options.arg,
	        .timing = &run->timing};
	int code = keep_directory(run);

	input.commit = run->wanted.commit;
	input.confirm_within_seconds = run->options ? run->options->confirm_within_seconds : 0;
	if (!code)
		code = mr_apply(&input, &result);
	mr_timing_end(&run->timing);
	if (!code && session->repo && run->wanted.commit.size > 0)
		code = mr_repo_keep(&session->diags, session->repo, run->wanted.commit, result.run);
	tell_result(run, &result, code);
	run->applied = result.run;
	return code;
}

int mr_session_run_execute(struct mr_session_run *run)
{
	enum mailreeve_format format = run->options ? run->options->format : MAILREEVE_TEXT;
	int code = mr_session_judge_rails(run->session, run->plan);

	mr_session_render(run->session, run->plan, format, &run->shown);
	if (!code)
		code = ask(run);
	return code ? code : carry_out(run);
}

int mr_session_run_end(struct mr_session_run *run, int code, struct mailreeve_text *out)
{
	if (run->is_begun && code != MR_E_USAGE)
		record_end(run, code);
	if (code != MR_E_USAGE)
		mr_session_observe_run(run, code);
	if (run->is_telling && run->session->state)
		mr_session_notify(run->session);
	mr_session_give(&run->shown, out);
	if (run->plan)
		mr_plan_free(run->plan);
	mr_wanted_done(&run->wanted);
	return mr_error_status(code);
}
