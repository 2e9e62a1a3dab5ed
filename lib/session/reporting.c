/*
 * The verbs that tell of runs: history, show.
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
#include "session/reporting.h"

enum { HISTORY_LIMIT = 1000 };

void mr_report_time(struct mr_buf *out, int64_t seconds)
{
	if (seconds > 0)
		mr_time_format(seconds, out);
	else
		mr_buf_add_text(out, "-");
}

void mr_report_json_time(struct mr_json *json, const char *name, int64_t seconds)
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

int mr_session_only_text_or_json(struct mailreeve *session, enum mailreeve_format format)
{
	if (format == MAILREEVE_TEXT || format == MAILREEVE_JSON)
		return 0;
	return mr_fail(&session->diags, MR_E_USAGE, "this verb knows the formats text and json");
}

static void record_text(const struct mr_record *record, struct mr_buf *out)
{
	mr_buf_printf(out, "%4" PRId64 "  ", record->id);
	mr_report_time(out, record->ended);
	mr_buf_printf(out, "  %-8.*s  %-11.*s  %-12.*s  %.*s", MR_FMT(record->verb),
	        MR_FMT(record->result), MR_FMT(mr_str_take(record->commit, 12)),
	        MR_FMT(record->who));
	if (record->subject.size > 0) {
		mr_buf_add_text(out, "  ");
		mr_text_harmless(record->subject, out);
	}
	mr_buf_add_char(out, '\n');
}

/* What its steps took, as the summary keeps it: nothing for runs that never came to a step. */
static void steps_json(
        struct mailreeve *session, const struct mr_record *record, struct mr_json *json)
{
	struct mr_json_value *summary = NULL;
	const struct mr_json_value *steps, *step;

	if (record->summary_json.size == 0 ||
	        mr_json_parse(&session->arena, record->summary_json, &summary, NULL))
		return;
	steps = mr_json_find(summary, "steps_ms");
	if (!steps)
		return;
	mr_json_name(json, "steps_ms");
	mr_json_begin_object(json);
	for (step = steps->first_child; step; step = step->next) {
		const char *name = mr_str_copy(&session->arena, step->name).data;

		mr_json_member_int(json, name, mr_json_get_int(steps, name, 0));
	}
	mr_json_end_object(json);
}

static void record_json(
        struct mailreeve *session, const struct mr_record *record, struct mr_json *json)
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
	mr_report_json_time(json, "started", record->started);
	mr_report_json_time(json, "ended", record->ended);
	steps_json(session, record, json);
	mr_json_end_object(json);
}

static void records_json(
        struct mailreeve *session, const struct mr_record *records, size_t n, struct mr_buf *out)
{
	struct mr_json json;

	mr_json_init(&json, out, true);
	mr_json_begin_object(&json);
	mr_json_member_str(&json, "format", MR_STR("mailreeve.history/1"));
	mr_json_name(&json, "runs");
	mr_json_begin_array(&json);
	for (size_t i = 0; i < n; i++)
		record_json(session, &records[i], &json);
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
		records_json(session, records, n, &text);
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
	mr_str plan = {0};
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
		code = mr_state_record_plan(session->state, (int64_t)run, &session->arena, &plan);
	if (code == MR_E_NOT_FOUND || (!code && run == 0))
		return mr_fail(&session->diags, MR_E_USAGE, "run %s is not in the history", what);
	if (!code && plan.size == 0)
		return mr_fail(&session->diags, MR_E_USAGE,
		        "run %s kept no plan: see 'mailreeve history %s'", what, what);
	mr_buf_add_str(out, plan);
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
