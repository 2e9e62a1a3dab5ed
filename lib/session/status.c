/*
 * The verb status: what is live, since when, healthy or not, why not, and what comes next.
 */
#include "session/status.h"

#include <inttypes.h>

#include "apply/apply.h"
#include "base/buf.h"
#include "base/text.h"
#include "plan/field.h"
#include "session/reporting.h"

int mr_standing_gather(struct mailreeve *session, struct mr_standing *out)
{
	int code = mr_session_open_state(session, false, "status");
	int found;

	if (!code)
		code = mr_state_applied(session->state, &session->arena, &out->applied);
	if (!code)
		code = mr_apply_is_open(session->state, &out->is_open);
	if (!code)
		code = mr_state_quarantined(session->state, MR_STATUS_QUARANTINED, &session->arena,
		        &out->quarantined, &out->n_quarantined);
	if (code)
		return code;
	found = mr_state_find_record(session->state, 0, &session->arena, &out->last);
	if (found && found != MR_E_NOT_FOUND)
		return found;
	out->has_last = found == 0;
	out->is_applying = out->is_open && mr_state_is_locked(session->state);
	out->is_open &= !out->is_applying;
	out->is_paused = mr_pause_find(session, &out->pause) > 0;
	mr_observed_read(session, &out->observed);
	mr_contended_find(session, &out->observed, &out->contended, &out->n_contended);
	out->health = mr_session_health(session, &out->observed);
	if (out->health == MR_HEALTH_INTERRUPTED && out->is_applying)
		out->health = out->applied.run > 0 ? MR_HEALTH_HEALTHY : MR_HEALTH_NEVER_APPLIED;
	mr_agent_look(session, &out->agent);
	return 0;
}

static void add_line(struct mr_buf *out, const char *label, mr_str text)
{
	mr_buf_printf(out, "%-9s ", label);
	mr_text_harmless(text, out);
	mr_buf_add_char(out, '\n');
}

static void applied_text(const struct mr_standing *standing, struct mr_buf *out)
{
	if (standing->applied.run == 0) {
		mr_buf_add_text(out, "applied:  nothing yet\n");
		return;
	}
	mr_buf_printf(out, "applied:  %.*s (run %" PRId64 ") since ",
	        MR_FMT(mr_str_take(standing->applied.commit, 12)), standing->applied.run);
	mr_report_time(out, standing->applied.when);
	mr_buf_add_char(out, '\n');
}

static void last_text(const struct mr_standing *standing, struct mr_buf *out)
{
	const struct mr_observed *observed = &standing->observed;

	if (standing->has_last) {
		mr_buf_printf(out, "last run: %" PRId64 " %.*s: %.*s, ", standing->last.id,
		        MR_FMT(standing->last.verb), MR_FMT(standing->last.result));
		mr_report_time(out, standing->last.ended);
		mr_buf_add_char(out, '\n');
	}
	if (standing->health == MR_HEALTH_HEALTHY)
		return;
	if (observed->status != 0 && observed->reason.size > 0)
		add_line(out, "why:", observed->reason);
	else if (standing->has_last && standing->last.exit_status != 0 &&
	         standing->last.detail.size > 0)
		add_line(out, "why:", standing->last.detail);
}

static void pause_text(const struct mr_standing *standing, struct mr_buf *out)
{
	if (!standing->is_paused)
		return;
	mr_buf_add_text(out, "paused:   until ");
	if (standing->pause.until == INT64_MAX)
		mr_buf_add_text(out, "'mailreeve resume'");
	else
		mr_time_format(standing->pause.until, out);
	mr_buf_add_text(out, " by ");
	mr_text_harmless(standing->pause.who, out);
	mr_buf_add_text(out, ": ");
	mr_text_harmless(standing->pause.reason, out);
	mr_buf_add_char(out, '\n');
}

static void drift_text(const struct mr_standing *standing, struct mr_buf *out)
{
	const struct mr_observed *observed = &standing->observed;
	mr_str rest = observed->objects;

	if (observed->drifted > 0) {
		mr_buf_add_text(out, "drift:    since ");
		mr_report_time(out, observed->drifted);
		mr_buf_add_char(out, '\n');
		while (rest.size > 0)
			add_line(out, "", mr_str_split(&rest, '\n'));
	}
	for (size_t i = 0; i < standing->n_contended; i++)
		mr_buf_printf(out, "contended: %.*s, put back %" PRId64 " times and left since\n",
		        MR_FMT(standing->contended[i].name), standing->contended[i].heals);
}

static void agent_text(const struct mr_standing *standing, struct mr_buf *out)
{
	const struct mr_agent_seen *agent = &standing->agent;

	if (!agent->is_running) {
		mr_buf_add_text(out, "agent:    does not run\n");
		return;
	}
	mr_buf_printf(out, "agent:    runs (process %" PRId64 "), %.*s; next try ", agent->pid,
	        MR_FMT(agent->doing));
	mr_report_time(out, agent->next_try);
	mr_buf_add_char(out, '\n');
}

static void status_text(
        const struct mailreeve *session, const struct mr_standing *standing, struct mr_buf *out)
{
	mr_buf_printf(out, "host:     %.*s\n", MR_FMT(session->host.name));
	mr_buf_printf(out, "health:   %s\n", mr_health_word(standing->health));
	applied_text(standing, out);
	last_text(standing, out);
	if (standing->is_open)
		mr_buf_add_text(out, "open:     an apply was interrupted; the next apply or sync "
		                     "ends it first\n");
	if (standing->is_applying)
		mr_buf_add_text(out, "open:     an apply is under way\n");
	pause_text(standing, out);
	for (size_t i = 0; i < standing->n_quarantined; i++) {
		mr_buf_printf(out, "held:     %.*s in quarantine: ",
		        MR_FMT(mr_str_take(standing->quarantined[i].commit, 12)));
		mr_text_harmless(standing->quarantined[i].why, out);
		mr_buf_add_char(out, '\n');
	}
	drift_text(standing, out);
	agent_text(standing, out);
}

static void applied_json(const struct mr_standing *standing, struct mr_json *json)
{
	mr_json_name(json, "applied");
	mr_json_begin_object(json);
	mr_json_member_int(json, "run", standing->applied.run);
	mr_json_member_str(json, "commit", standing->applied.commit);
	mr_json_member_str(json, "ref", standing->applied.ref);
	mr_report_json_time(json, "since", standing->applied.when);
	mr_json_end_object(json);
	mr_json_member_bool(json, "interrupted", standing->is_open);
	mr_json_member_bool(json, "applying", standing->is_applying);
	if (!standing->has_last)
		return;
	mr_json_name(json, "last_run");
	mr_json_begin_object(json);
	mr_json_member_int(json, "run", standing->last.id);
	mr_json_member_str(json, "verb", standing->last.verb);
	mr_json_member_str(json, "result", standing->last.result);
	mr_json_member_int(json, "exit_status", standing->last.exit_status);
	mr_json_member_str(json, "detail", standing->last.detail);
	mr_report_json_time(json, "ended", standing->last.ended);
	mr_json_end_object(json);
}

static void held_json(const struct mr_standing *standing, struct mr_json *json)
{
	mr_json_name(json, "paused");
	if (standing->is_paused) {
		mr_json_begin_object(json);
		mr_json_member_str(json, "reason", standing->pause.reason);
		mr_json_member_str(json, "who", standing->pause.who);
		mr_report_json_time(json, "since", standing->pause.since);
		mr_report_json_time(json, "until",
		        standing->pause.until == INT64_MAX ? 0 : standing->pause.until);
		mr_json_end_object(json);
	} else {
		mr_json_null(json);
	}
	mr_json_name(json, "quarantine");
	mr_json_begin_array(json);
	for (size_t i = 0; i < standing->n_quarantined; i++) {
		mr_json_begin_object(json);
		mr_json_member_str(json, "commit", standing->quarantined[i].commit);
		mr_json_member_str(json, "why", standing->quarantined[i].why);
		mr_json_end_object(json);
	}
	mr_json_end_array(json);
}

static void contended_json(const struct mr_contended *contended, struct mr_json *json)
{
	mr_str object, attribute;

	mr_field_parts(contended->name, &object, &attribute);
	mr_json_begin_object(json);
	mr_json_member_str(json, "object", object);
	mr_json_member_str(json, "attribute", attribute);
	mr_json_member_int(json, "heals", contended->heals);
	mr_report_json_time(json, "since", contended->since);
	mr_json_end_object(json);
}

static void drift_json(
        struct mailreeve *session, const struct mr_standing *standing, struct mr_json *json)
{
	const struct mr_observed *observed = &standing->observed;
	mr_str rest = observed->objects;

	mr_json_name(json, "drift");
	mr_json_begin_object(json);
	mr_report_json_time(json, "looked", observed->looked);
	mr_report_json_time(json, "since", observed->drifted);
	mr_json_name(json, "servers");
	mr_json_begin_object(json);
	mr_vec_each (server, &observed->drift)
		mr_json_member_int(
		        json, mr_str_copy(&session->arena, server->name).data, server->n);
	mr_json_end_object(json);
	mr_json_name(json, "first");
	mr_json_begin_array(json);
	while (rest.size > 0)
		mr_json_str(json, mr_str_split(&rest, '\n'));
	mr_json_end_array(json);
	mr_json_end_object(json);
	mr_json_name(json, "contended");
	mr_json_begin_array(json);
	for (size_t i = 0; i < standing->n_contended; i++)
		contended_json(&standing->contended[i], json);
	mr_json_end_array(json);
}

static void agent_json(const struct mr_standing *standing, struct mr_json *json)
{
	const struct mr_agent_seen *agent = &standing->agent;

	mr_json_name(json, "agent");
	mr_json_begin_object(json);
	mr_json_member_bool(json, "running", agent->is_running);
	if (agent->is_running) {
		mr_json_member_int(json, "pid", agent->pid);
		mr_json_member_str(json, "doing", agent->doing);
		mr_json_member_str(json, "last_error", agent->last_error);
		mr_report_json_time(json, "started", agent->started);
		mr_report_json_time(json, "next_try", agent->next_try);
	}
	mr_json_end_object(json);
}

static void status_json(
        struct mailreeve *session, const struct mr_standing *standing, struct mr_buf *out)
{
	struct mr_json json;

	mr_json_init(&json, out, true);
	mr_json_begin_object(&json);
	mr_json_member_str(&json, "format", MR_STR("mailreeve.status/1"));
	mr_json_member_str(&json, "host", session->host.name);
	mr_json_member_str(&json, "health", mr_str_from(mr_health_word(standing->health)));
	mr_json_member_str(&json, "reason", standing->observed.reason);
	applied_json(standing, &json);
	held_json(standing, &json);
	drift_json(session, standing, &json);
	agent_json(standing, &json);
	mr_json_end_object(&json);
	mr_buf_add_char(out, '\n');
}

int mailreeve_get_status(
        struct mailreeve *session, enum mailreeve_format format, struct mailreeve_text *out)
{
	struct mr_standing standing = {.observed = {.lock = -1}};
	struct mr_buf text = MR_BUF_INIT;
	int code = mr_session_only_text_or_json(session, format);

	if (!code)
		code = mr_standing_gather(session, &standing);
	if (!code && format == MAILREEVE_JSON)
		status_json(session, &standing, &text);
	else if (!code)
		status_text(session, &standing, &text);
	mr_observed_done(&standing.observed);
	mr_session_give(&text, out);
	return mr_error_status(code);
}

/* "failed: REASON; 3f2a9c1d (run 12) live since …" */
static void summarise(const struct mr_standing *standing, struct mr_buf *out)
{
	mr_buf_add_text(out, mr_health_word(standing->health));
	if (standing->is_paused) {
		mr_buf_add_text(out, ": ");
		mr_text_harmless(standing->pause.reason, out);
	} else if (standing->health != MR_HEALTH_HEALTHY && standing->observed.reason.size > 0) {
		mr_buf_add_text(out, ": ");
		mr_text_harmless(mr_str_take(standing->observed.reason, 120), out);
	}
	if (standing->applied.run == 0)
		return;
	mr_buf_printf(out, "; %.*s (run %" PRId64 ") live since ",
	        MR_FMT(mr_str_take(standing->applied.commit, 8)), standing->applied.run);
	mr_report_time(out, standing->applied.when);
}

int mailreeve_summary(struct mailreeve *session, struct mailreeve_text *out)
{
	struct mr_standing standing = {.observed = {.lock = -1}};
	struct mr_buf text = MR_BUF_INIT;
	int code = mr_standing_gather(session, &standing);

	if (!code)
		summarise(&standing, &text);
	mr_observed_done(&standing.observed);
	mr_session_give(&text, out);
	return mr_error_status(code);
}
