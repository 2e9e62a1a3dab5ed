/*
 * What the agent that stays runs one by one, each in a process of its own: fetch, compile, recover,
 * look for drift. The apply itself is in applying.c.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "apply/apply.h"
#include "base/buf.h"
#include "base/file.h"
#include "session/observing.h"

static void copy(char *out, size_t size, mr_str text)
{
	(void)snprintf(out, size, "%.*s", MR_FMT(text));
}

void mr_session_tell(struct mailreeve *session, mr_str commit, struct mailreeve_outcome *out)
{
	copy(out->commit, sizeof out->commit, commit);
	copy(out->reason, sizeof out->reason, mr_session_reasons(session));
}

static bool is_mode(const struct mr_host *host, const char *mode, bool wanted)
{
	return (host->postfix.is_managed && mr_str_is(host->drift_mode_postfix, mode) == wanted) ||
	       (host->dovecot.is_managed && mr_str_is(host->drift_mode_dovecot, mode) == wanted) ||
	       (host->ldap.is_managed && mr_str_is(host->drift_mode_ldap, mode) == wanted);
}

bool mailreeve_get_facts(struct mailreeve *session, struct mailreeve_facts *out)
{
	const struct mr_host *host = &session->host;
	mr_str url = host->repository_url;

	if (!session->has_host)
		return false;
	if (mr_str_starts(url, MR_STR("file://")))
		url = mr_str_skip(url, strlen("file://"));
	*out = (struct mailreeve_facts){.host = mr_session_text_or_null(session, host->name),
	        .state_directory = mr_session_text_or_null(session, host->state_directory),
	        .branch = mr_session_text_or_null(session, host->repository_branch),
	        .user = mr_session_text_or_null(session, host->run_as_user),
	        .metrics_address = mr_session_text_or_null(session, host->listen_metrics),
	        .interval_seconds = host->interval_seconds,
	        .is_ldap_managed = host->ldap.is_managed,
	        .looks_for_drift = is_mode(host, "off", false),
	        .heals_drift = is_mode(host, "heal", true)};
	if (url.size > 0 && url.data[0] == '/')
		out->repository_path = mr_session_text_or_null(session, url);
	return true;
}

int mailreeve_share_source(struct mailreeve *session)
{
	const char *name = mr_session_text_or_null(session, session->host.run_as_user);
	const struct passwd *user;
	const char *folder;
	int code;

	if (!name)
		return 0;
	errno = 0;
	user = getpwnam(name);
	if (!user)
		return mr_error_status(mr_fail(&session->diags, MR_E_CONFIG,
		        "user: there is no account '%s' on this host (hint: make it, or leave "
		        "'user' out of agent.yaml)",
		        name));
	folder = mr_session_path(session, "source");
	code = mr_dir_make(&session->diags, folder, 0700);
	if (!code)
		code = mr_dir_give(&session->diags, folder, user->pw_uid, user->pw_gid);
	return mr_error_status(code);
}

int mailreeve_fetch(struct mailreeve *session, struct mailreeve_outcome *out)
{
	mr_str commit = {0};
	int code = mr_session_open_repo(session);

	*out = (struct mailreeve_outcome){0};
	if (!code)
		code = mr_repo_fetch(&session->diags, session->repo);
	if (!code)
		code = mr_repo_resolve(
		        &session->diags, session->repo, (mr_str){0}, &session->arena, &commit);
	mr_session_tell(session, commit, out);
	return mr_error_status(code);
}

int mailreeve_compile(struct mailreeve *session, const char *commit, struct mailreeve_outcome *out)
{
	struct mr_wanted wanted = {0};
	int code;

	*out = (struct mailreeve_outcome){0};
	session->is_unprivileged = true;
	code = mr_session_want_commit(session, mr_str_from(commit), &wanted);
	mr_session_tell(session, mr_str_from(commit), out);
	mr_wanted_done(&wanted);
	return mr_error_status(code);
}

int mailreeve_recover(struct mailreeve *session, struct mailreeve_outcome *out)
{
	struct mr_session_run run = {.session = session, .verb = "sync"};
	int code = mr_session_run_begin(&run);

	*out = (struct mailreeve_outcome){.is_changed = run.was_open};
	mr_session_tell(session, (mr_str){0}, out);
	return mr_error_status(code);
}

struct looking {
	void (*each)(void *arg, const struct mailreeve_drift_row *row);
	void *arg;
};

static void tell_rows(
        struct mailreeve *session, const struct mr_plan *plan, const struct looking *looking)
{
	for (size_t i = 0; i < mr_plan_drift_count(plan); i++) {
		struct mr_buf text = MR_BUF_INIT;
		mr_str object, attribute;
		struct mailreeve_drift_row row;

		mr_plan_drift_row(plan, i, &object, &attribute, &text);
		mr_buf_add_char(&text, '\0');
		row = (struct mailreeve_drift_row){
		        .object = mr_str_copy(&session->arena, object).data,
		        .attribute = mr_str_copy(&session->arena, attribute).data,
		        .text = text.data};
		looking->each(looking->arg, &row);
		mr_buf_done(&text);
	}
}

int mailreeve_look(struct mailreeve *session,
        void (*each)(void *arg, const struct mailreeve_drift_row *row), void *arg,
        struct mailreeve_outcome *out)
{
	const struct looking looking = {each, arg};
	const struct mr_planning how = {.follows_drift_mode = true, .goes_on = true};
	struct mr_wanted wanted = {0};
	struct mr_applied applied = {0};
	struct mr_plan *plan = NULL;
	int code = mr_session_open_state(session, false, "drift");

	*out = (struct mailreeve_outcome){0};
	if (!code)
		code = mr_state_applied(session->state, &session->arena, &applied);
	if (!code && applied.commit.size > 0) {
		wanted.ref = applied.ref;
		code = mr_session_want_commit(session, applied.commit, &wanted);
		if (!code)
			code = mr_session_plan(session, &wanted, &how, &plan);
	}
	if (plan) {
		out->n_drift = mr_plan_drift_count(plan);
		mr_session_observe_drift(session, plan);
		tell_rows(session, plan, &looking);
		code = mr_plan_is_part(plan) ? MR_E_UNREADABLE : 0;
		mr_plan_free(plan);
	}
	mr_session_tell(session, applied.commit, out);
	mr_wanted_done(&wanted);
	return mr_error_status(code);
}
