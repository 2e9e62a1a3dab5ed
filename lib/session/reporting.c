/*
 * The verbs that only tell: status, history, show.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply/apply.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "session/session.h"

enum { HISTORY_LIMIT = 1000 };

static void add_time(struct mr_buf *out, int64_t seconds)
{
	if (seconds > 0)
		mr_time_format(seconds, out);
	else
		mr_buf_add_text(out, "-");
}

static void json_time(struct mr_json *json, const char *name, int64_t seconds)
{
	struct mr_buf text = MR_BUF_INIT;

	mr_json_name(json, name);
	if (seconds > 0) {
		mr_time_format(seconds, &text);
		mr_json_str(json, mr_buf_str(&text));
	} else {
		mr_json_null(json);
	}
	mr_buf_done(&text);
}

/* What status tells, gathered before it is written. */
struct standing {
	struct mr_applied applied;
	struct mr_record last;
	bool has_last;
	bool is_open;
	bool is_trusted;
	/* "healthy", "refused", "failed", "stuck", "interrupted", "untrusted", "never applied" */
	const char *health;
};

static const char *health_of(const struct standing *standing)
{
	if (!standing->is_trusted)
		return "untrusted";
	if (standing->is_open)
		return "interrupted";
	if (standing->has_last && standing->last.exit_status == MAILREEVE_STUCK)
		return "stuck";
	if (standing->has_last && standing->last.exit_status != 0)
		return standing->last.exit_status == MAILREEVE_ROLLED_BACK ||
		                       !mr_str_is(standing->last.result, "refused")
		               ? "failed"
		               : "refused";
	return standing->applied.run > 0 ? "healthy" : "never applied";
}

static int gather(struct mailreeve *session, struct standing *out)
{
	int code = mr_session_open_state(session, false, "status");
	int found;

	if (!code)
		code = mr_state_applied(session->state, &session->arena, &out->applied);
	if (!code)
		code = mr_apply_is_open(session->state, &out->is_open);
	if (code)
		return code;
	found = mr_state_find_record(session->state, 0, &session->arena, &out->last);
	if (found && found != MR_E_NOT_FOUND)
		return found;
	out->has_last = found == 0;
	out->is_trusted = mr_state_is_trusted(session->state);
	out->health = health_of(out);
	return 0;
}

static void status_text(
        const struct mailreeve *session, const struct standing *standing, struct mr_buf *out)
{
	mr_buf_printf(out, "host:     %.*s\n", MR_FMT(session->host.name));
	mr_buf_printf(out, "health:   %s\n", standing->health);
	if (standing->applied.run > 0) {
		mr_buf_printf(out, "applied:  %.*s (run %" PRId64 ") since ",
		        MR_FMT(mr_str_take(standing->applied.commit, 12)), standing->applied.run);
		add_time(out, standing->applied.when);
		mr_buf_add_char(out, '\n');
	} else {
		mr_buf_add_text(out, "applied:  nothing yet\n");
	}
	if (standing->has_last) {
		mr_buf_printf(out, "last run: %" PRId64 " %.*s: %.*s, ", standing->last.id,
		        MR_FMT(standing->last.verb), MR_FMT(standing->last.result));
		add_time(out, standing->last.ended);
		mr_buf_add_char(out, '\n');
		if (standing->last.exit_status != 0 && standing->last.detail.size > 0)
			mr_buf_printf(out, "why:      %.*s\n", MR_FMT(standing->last.detail));
	}
	if (standing->is_open)
		mr_buf_add_text(out, "open:     an apply was interrupted; the next apply or sync "
		                     "ends it first\n");
}

static void status_json(
        const struct mailreeve *session, const struct standing *standing, struct mr_buf *out)
{
	struct mr_json json;

	mr_json_init(&json, out, true);
	mr_json_begin_object(&json);
	mr_json_member_str(&json, "format", MR_STR("mailreeve.status/1"));
	mr_json_member_str(&json, "host", session->host.name);
	mr_json_member_str(&json, "health", mr_str_from(standing->health));
	mr_json_name(&json, "applied");
	mr_json_begin_object(&json);
	mr_json_member_int(&json, "run", standing->applied.run);
	mr_json_member_str(&json, "commit", standing->applied.commit);
	mr_json_member_str(&json, "ref", standing->applied.ref);
	json_time(&json, "since", standing->applied.when);
	mr_json_end_object(&json);
	mr_json_member_bool(&json, "interrupted", standing->is_open);
	if (standing->has_last) {
		mr_json_name(&json, "last_run");
		mr_json_begin_object(&json);
		mr_json_member_int(&json, "run", standing->last.id);
		mr_json_member_str(&json, "verb", standing->last.verb);
		mr_json_member_str(&json, "result", standing->last.result);
		mr_json_member_int(&json, "exit_status", standing->last.exit_status);
		mr_json_member_str(&json, "detail", standing->last.detail);
		json_time(&json, "ended", standing->last.ended);
		mr_json_end_object(&json);
	}
	mr_json_end_object(&json);
	mr_buf_add_char(out, '\n');
}

int mr_session_only_text_or_json(struct mailreeve *session, enum mailreeve_format format)
{
	if (format == MAILREEVE_TEXT || format == MAILREEVE_JSON)
		return 0;
	return mr_fail(&session->diags, MR_E_USAGE, "this verb knows the formats text and json");
}

int mailreeve_get_status(
        struct mailreeve *session, enum mailreeve_format format, struct mailreeve_text *out)
{
	struct standing standing = {0};
	struct mr_buf text = MR_BUF_INIT;
	int code = mr_session_only_text_or_json(session, format);

	if (!code)
		code = gather(session, &standing);
	if (!code && format == MAILREEVE_JSON)
		status_json(session, &standing, &text);
	else if (!code)
		status_text(session, &standing, &text);
	mr_session_give(&text, out);
	return mr_error_status(code);
}

static void record_text(const struct mr_record *record, struct mr_buf *out)
{
	mr_buf_printf(out, "%4" PRId64 "  ", record->id);
	add_time(out, record->ended);
	mr_buf_printf(out, "  %-8.*s  %-11.*s  %-12.*s  %.*s", MR_FMT(record->verb),
	        MR_FMT(record->result), MR_FMT(mr_str_take(record->commit, 12)),
	        MR_FMT(record->who));
	if (record->subject.size > 0) {
		mr_buf_add_text(out, "  ");
		mr_text_harmless(record->subject, out);
	}
	mr_buf_add_char(out, '\n');
}

static void record_json(const struct mr_record *record, struct mr_json *json)
{
	mr_json_begin_object(json);
	mr_json_member_int(json, "run", record->id);
	mr_json_member_str(json, "verb", record->verb);
	mr_json_member_str(json, "who", record->who);
	mr_json_member_str(json, "ref", record->ref);
	mr_json_member_str(json, "commit", record->commit);
	mr_json_member_str(json, "subject", record->subject);
	mr_json_member_str(json, "result", record->result);
	mr_json_member_int(json, "exit_status", record->exit_status);
	mr_json_member_str(json, "detail", record->detail);
	mr_json_member_str(json, "plan_digest", record->plan_digest);
	json_time(json, "started", record->started);
	json_time(json, "ended", record->ended);
	mr_json_end_object(json);
}

static void records_json(const struct mr_record *records, size_t n, struct mr_buf *out)
{
	struct mr_json json;

	mr_json_init(&json, out, true);
	mr_json_begin_object(&json);
	mr_json_member_str(&json, "format", MR_STR("mailreeve.history/1"));
	mr_json_name(&json, "runs");
	mr_json_begin_array(&json);
	for (size_t i = 0; i < n; i++)
		record_json(&records[i], &json);
	mr_json_end_array(&json);
	mr_json_end_object(&json);
	mr_buf_add_char(out, '\n');
}

static int find_records(
        struct mailreeve *session, int64_t run, struct mr_record **out, size_t *out_n)
{
	int code;

	if (run == 0)
		return mr_state_records(session->state, HISTORY_LIMIT, &session->arena, out, out_n);
	*out = mr_alloc(&session->arena, sizeof **out);
	*out_n = 1;
	code = mr_state_find_record(session->state, run, &session->arena, *out);
	if (code == MR_E_NOT_FOUND)
		return mr_fail(
		        &session->diags, MR_E_USAGE, "run %" PRId64 " is not in the history", run);
	return code;
}

int mailreeve_history(struct mailreeve *session, int64_t run, enum mailreeve_format format,
        struct mailreeve_text *out)
{
	struct mr_record *records = NULL;
	struct mr_buf text = MR_BUF_INIT;
	size_t n = 0;
	int code = mr_session_only_text_or_json(session, format);

	if (!code)
		code = mr_session_open_state(session, false, "history");
	if (!code)
		code = find_records(session, run, &records, &n);
	if (!code && format == MAILREEVE_JSON)
		records_json(records, n, &text);
	for (size_t i = 0; !code && format == MAILREEVE_TEXT && i < n; i++) {
		record_text(&records[i], &text);
		if ((run > 0 || session->options.is_verbose) && records[i].detail.size > 0)
			mr_buf_printf(&text, "      %.*s\n", MR_FMT(records[i].detail));
	}
	if (!code && format == MAILREEVE_TEXT && n == 0)
		mr_buf_add_text(&text, "No runs yet.\n");
	mr_session_give(&text, out);
	return mr_error_status(code);
}

/* A number is a run, anything else a file. */
static int load_shown(struct mailreeve *session, const char *what, struct mr_buf *out)
{
	struct mr_record record = {0};
	uint64_t run = 0;
	int code;

	if (mr_number_parse(mr_str_from(what), INT64_MAX, &run) || access(what, F_OK) == 0) {
		code = mr_file_read(&session->diags, what, (size_t)256 << 20, out);
		return code ? mr_fail(&session->diags, MR_E_USAGE,
		                      "'%s' is neither a saved plan nor a run", what)
		            : 0;
	}
	code = mr_session_open_state(session, false, "show");
	if (!code)
		code = mr_state_find_record(session->state, (int64_t)run, &session->arena, &record);
	if (code == MR_E_NOT_FOUND || (!code && run == 0))
		return mr_fail(&session->diags, MR_E_USAGE, "run %s is not in the history", what);
	if (!code && record.plan_json.size == 0)
		return mr_fail(&session->diags, MR_E_USAGE,
		        "run %s kept no plan: see 'mailreeve history %s'", what, what);
	mr_buf_add_str(out, record.plan_json);
	return code;
}

int mailreeve_show(struct mailreeve *session, const char *what, enum mailreeve_format format,
        struct mailreeve_text *out)
{
	struct mr_render_options options = {.format = (enum mr_format)format,
	        .has_color = session->options.has_color,
	        .is_verbose = true};
	struct mr_saved_plan *saved = NULL;
	struct mr_buf json = MR_BUF_INIT;
	struct mr_buf text = MR_BUF_INIT;
	int code = load_shown(session, what, &json);

	if (!code)
		code = mr_saved_plan_parse(&session->diags, mr_buf_str(&json), &saved);
	if (!code && format == MAILREEVE_JSON)
		mr_buf_add_str(&text, mr_buf_str(&json));
	else if (!code)
		code = mr_saved_plan_render(saved, &options, &text);
	if (saved)
		mr_saved_plan_free(saved);
	mr_session_give(&text, out);
	mr_buf_done(&json);
	return mr_error_status(code);
}
