/*
 * From runs and plans to what is kept of them in observed.json; and the public calls that publish
 * it.
 */
#include "session/observing.h"

#include <time.h>
#include <unistd.h>

#include "apply/timing.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "session/contending.h"
#include "session/health.h"
#include "session/metrics.h"
#include "session/notifying.h"
#include "session/observed.h"

enum { MOST_ROWS = 10, MOST_TEXT = 2000 };

/* What is told of the end of a run, whoever saw it. */
struct ending {
	const char *verb;
	int status;
	mr_str commit;
	mr_str reason;
	int64_t duration_ms;
	bool has_changed;
};

static const char *result_word(const struct ending *ending)
{
	switch (ending->status) {
	case MAILREEVE_OK:
		return ending->has_changed ? "applied" : "unchanged";
	case MAILREEVE_ROLLED_BACK:
		return "rolled_back";
	default:
		return mr_health_word(mr_health_of_status(ending->status));
	}
}

/* A person who says no, or mistypes, has not made anything worse. */
static bool tells_health(const struct ending *ending, bool is_sync)
{
	return is_sync || ending->status == MAILREEVE_OK ||
	       ending->status == MAILREEVE_ROLLED_BACK || ending->status == MAILREEVE_STUCK;
}

static void note_health(
        struct mailreeve *session, const struct ending *ending, struct mr_observed *observed)
{
	mr_str word;

	observed->ended = time(NULL);
	observed->status = ending->status;
	observed->reason = ending->status ? ending->reason : (mr_str){0};
	word = mr_str_from(mr_health_word(mr_session_health(session, observed)));
	if (observed->changed == 0 || !mr_str_eq(word, observed->health))
		observed->changed = observed->ended;
	observed->health = word;
}

static void note_sync(const struct ending *ending, struct mr_observed *observed)
{
	observed->synced = time(NULL);
	observed->sync_status = ending->status;
	if (ending->status == 0)
		observed->succeeded = observed->synced;
	if (ending->commit.size > 0 && !mr_str_eq(ending->commit, observed->head)) {
		observed->head = ending->commit;
		observed->head_seen = observed->synced;
	}
}

static void note_ending(
        struct mailreeve *session, const struct ending *ending, struct mr_observed *observed)
{
	bool is_sync = mr_str_is(mr_str_from(ending->verb), "sync");
	mr_str name = mr_str_printf(&session->arena, "%s %s", ending->verb, result_word(ending));

	(*mr_entry_of(&session->arena, &observed->runs, name))++;
	observed->duration_ms = ending->duration_ms;
	if (is_sync)
		note_sync(ending, observed);
	if (tells_health(ending, is_sync))
		note_health(session, ending, observed);
}

struct adding {
	struct mailreeve *session;
	struct mr_observed *observed;
};

static void add_change(void *arg, mr_str kind, const char *action)
{
	const struct adding *adding = arg;
	mr_str name = mr_str_printf(&adding->session->arena, "%s %.*s", action, MR_FMT(kind));

	(*mr_entry_of(&adding->session->arena, &adding->observed->changes, name))++;
}

static void note_steps(const struct mr_session_run *run, struct mr_observed *observed)
{
	observed->steps_ms.n = 0;
	for (int i = 0; i < MR_STEP_COUNT; i++)
		if (run->timing.was_in[i])
			*mr_entry_of(&run->session->arena, &observed->steps_ms,
			        mr_str_from(mr_step_name((enum mr_step)i))) = run->timing.ms[i];
}

static const struct {
	const char *server;
	size_t mode;
} modes[] = {
        {"postfix", offsetof(struct mr_host, drift_mode_postfix)},
        {"dovecot", offsetof(struct mr_host, drift_mode_dovecot)},
        {"openldap", offsetof(struct mr_host, drift_mode_ldap)},
};

/* Whether a run of that kind puts back what others changed there. */
bool mr_session_heals(
        const struct mailreeve *session, const struct mr_planning *how, const char *server)
{
	const char *host = (const char *)&session->host;

	if (!how->heals_drift || !how->follows_drift_mode)
		return how->heals_drift;
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
		if (mr_str_is(mr_str_from(server), modes[i].server))
			return mr_str_is(
			        *(const mr_str *)(const void *)(host + modes[i].mode), "heal");
	return false;
}

static void note_rows(struct mailreeve *session, const struct mr_plan *plan,
        const struct mr_planning *how, struct mr_observed *observed)
{
	struct mr_contended *contended;
	struct mr_buf rows = MR_BUF_INIT;
	size_t n_contended;
	int n = 0;

	mr_contended_find(session, observed, &contended, &n_contended);

	for (size_t i = 0; i < mr_plan_drift_count(plan); i++) {
		const char *server = mr_plan_drift_server(plan, i);
		mr_str object, attribute;

		if (mr_plan_leaves_out(plan, mr_str_from(server))) /* its last count stands */
			continue;
		if (mr_session_heals(session, how, server) &&
		        !mr_contended_has(contended, n_contended, plan, i))
			continue;
		(*mr_entry_of(&session->arena, &observed->drift, mr_str_from(server)))++;
		if (n++ >= MOST_ROWS || rows.size > MOST_TEXT)
			continue;
		mr_plan_drift_row(plan, i, &object, &attribute, &rows);
		mr_buf_add_char(&rows, '\n');
	}
	if (rows.size > 0 || !mr_plan_is_part(plan))
		observed->objects = mr_str_copy(&session->arena, mr_str_trim(mr_buf_str(&rows)));
	mr_buf_done(&rows);
}

/* After the run, if there was one: what it put back is no drift any more. */
static void note_heals(struct mailreeve *session, const struct mr_plan *plan,
        const struct mr_planning *how, struct mr_observed *observed)
{
	if (how->heals_drift && !how->follows_drift_mode)
		mr_contended_forget(observed);
	else
		mr_contended_note(session, observed, plan, how);
}

/* Of a server that could not be read what was seen last stands. */
static void forget_drift(
        struct mailreeve *session, const struct mr_plan *plan, struct mr_observed *observed)
{
	struct mr_entries *drift = &observed->drift;

	for (size_t i = drift->n; i > 0; i--)
		if (!mr_plan_leaves_out(plan, drift->items[i - 1].name))
			drift->items[i - 1] = drift->items[--drift->n];
	for (size_t i = 0; i < session->n_servers; i++)
		(void)mr_entry_of(
		        &session->arena, drift, mr_str_from(session->servers[i].provider->name));
}

static bool has_drift(const struct mr_observed *observed)
{
	mr_vec_each (entry, &observed->drift)
		if (entry->n > 0)
			return true;
	return false;
}

static void note_drift(struct mailreeve *session, const struct mr_plan *plan,
        const struct mr_planning *how, struct mr_observed *observed)
{
	observed->looked = time(NULL);
	forget_drift(session, plan, observed);
	note_rows(session, plan, how, observed);
	if (!mr_plan_is_part(plan)) /* else what is not there may be what was not read */
		note_heals(session, plan, how, observed);
	if (!has_drift(observed)) {
		observed->drifted = 0;
		observed->objects = (mr_str){0};
	} else if (observed->drifted == 0) {
		observed->drifted = observed->looked;
	}
}

/* A part of a commit says nothing of what it left out. */
static bool is_whole(const struct mr_session_run *run)
{
	return run->plan && !run->how.only && !(run->options && run->options->plan_file);
}

void mr_session_observe_run(const struct mr_session_run *run, int code)
{
	struct mailreeve *session = run->session;
	struct mr_observed observed;
	const struct ending ending = {.verb = run->verb,
	        .status = mr_error_status(code),
	        .commit = run->wanted.commit,
	        .reason = mr_session_reasons(session),
	        .duration_ms = mr_clock_ms() - run->began_ms,
	        .has_changed = !code && run->plan && !mr_plan_is_empty(run->plan)};
	struct adding adding = {session, &observed};

	if (!session->state || !mr_observed_begin(session, &observed))
		return;
	if (ending.has_changed)
		mr_plan_each_change(run->plan, add_change, &adding);
	if (run->applied > 0 && run->timing.was_in[0])
		note_steps(run, &observed);
	if (!code && is_whole(run))
		note_drift(session, run->plan, &run->how, &observed);
	note_ending(session, &ending, &observed);
	mr_observed_keep(session, &observed);
	mr_session_publish(session);
}

void mr_session_observe_drift(struct mailreeve *session, const struct mr_plan *plan)
{
	const struct mr_planning how = {.follows_drift_mode = true};
	struct mr_observed observed;

	if (geteuid() != 0 || !session->state || !mr_observed_begin(session, &observed))
		return;
	note_drift(session, plan, &how, &observed);
	mr_observed_keep(session, &observed);
}

static void publish(struct mailreeve *session, const struct mr_diags *problems)
{
	mr_session_warn(session, problems, "MR-METRICS");
}

void mr_session_publish(struct mailreeve *session)
{
	const char *textfile = mr_session_text_or_null(session, session->host.metrics_textfile);
	struct mr_buf text = MR_BUF_INIT;
	struct mr_diags problems;

	mr_diags_init(&problems);
	if (mr_session_metrics(session, MR_OPENMETRICS, &text) == 0 &&
	        mr_file_publish(&problems, mr_session_path(session, "metrics.prom"),
	                mr_buf_str(&text), 0644))
		publish(session, &problems);
	mr_diags_clear(&problems);
	mr_buf_clear(&text);
	if (textfile && mr_session_metrics(session, MR_PROMETHEUS_TEXT, &text) == 0 &&
	        mr_file_publish(&problems, textfile, mr_buf_str(&text), 0644))
		publish(session, &problems);
	mr_diags_done(&problems);
	mr_buf_done(&text);
}

int mailreeve_metrics(struct mailreeve *session, struct mailreeve_text *out)
{
	struct mr_buf text = MR_BUF_INIT;
	int code = mr_session_open_state(session, false, "metrics");

	if (!code)
		code = mr_session_open_servers(session);
	if (!code)
		code = mr_session_metrics(session, MR_OPENMETRICS, &text);
	mr_session_give(&text, out);
	return mr_error_status(code);
}

int mailreeve_note(struct mailreeve *session, int status, const struct mailreeve_outcome *outcome)
{
	const struct ending ending = {.verb = "sync",
	        .status = status,
	        .commit = mr_str_from(outcome->commit),
	        .reason = mr_str_from(outcome->reason)};
	struct mr_observed observed;
	int code = mr_session_open_state(session, false, "note");

	if (code || !mr_observed_begin(session, &observed))
		return mr_error_status(code);
	note_ending(session, &ending, &observed);
	mr_observed_keep(session, &observed);
	return MAILREEVE_OK;
}

int mailreeve_notify(struct mailreeve *session)
{
	int code = mr_session_open_state(session, false, "notify");

	if (!code)
		code = mr_session_open_servers(session);
	if (code)
		return mr_error_status(code);
	mr_session_publish(session);
	mr_session_notify(session);
	return MAILREEVE_OK;
}
