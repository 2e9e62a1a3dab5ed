/*
 * The verbs pause and resume, and the question whether somebody paused.
 */
#include "session/pausing.h"

#include <inttypes.h>
#include <time.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

enum { LARGEST_FILE = 65536, LONGEST_REASON = 500 };

static const char file_name[] = "paused.json";

static void add_time(struct mr_buf *out, int64_t seconds)
{
	if (seconds == INT64_MAX)
		mr_buf_add_text(out, "somebody says 'mailreeve resume'");
	else
		mr_time_format(seconds, out);
}

static void understand(struct mailreeve *session, mr_str text, struct mr_pause *out)
{
	struct mr_json_value *value = NULL;

	*out = (struct mr_pause){.reason = MR_STR("the file of the pause cannot be understood"),
	        .who = MR_STR("somebody"),
	        .until = INT64_MAX};
	if (mr_json_parse(&session->arena, text, &value, NULL) || !mr_json_find(value, "until"))
		return;
	out->reason = mr_json_get_str(value, "reason");
	out->who = mr_json_get_str(value, "who");
	out->since = mr_json_get_int(value, "since", 0);
	out->until = mr_json_get_int(value, "until", INT64_MAX);
}

int mr_pause_find(struct mailreeve *session, struct mr_pause *out)
{
	struct mr_diags silent;
	struct mr_buf text = MR_BUF_INIT;
	int code;

	mr_diags_init(&silent);
	code = mr_file_read(&silent, mr_session_path(session, file_name), LARGEST_FILE, &text);
	mr_diags_done(&silent);
	if (!code)
		understand(session, mr_str_copy(&session->arena, mr_buf_str(&text)), out);
	mr_buf_done(&text);
	if (code)
		return code == MR_E_NOT_FOUND ? 0 : -1;
	return out->until > time(NULL) ? 1 : 0;
}

int mr_pause_check(struct mailreeve *session)
{
	struct mr_pause pause;
	struct mr_buf until = MR_BUF_INIT;
	int code = 0;

	if (mr_pause_find(session, &pause) <= 0)
		return 0;
	add_time(&until, pause.until);
	code = mr_fail(&session->diags, MR_E_BUSY,
	        "paused by %.*s until %.*s: %.*s (hint: 'mailreeve resume' ends it)",
	        MR_FMT(pause.who), MR_FMT(mr_buf_str(&until)), MR_FMT(pause.reason));
	mr_buf_done(&until);
	return code;
}

/* A duration from now, the beginning of a day in UTC, or a time with its zone. */
static int parse_until(struct mailreeve *session, mr_str text, int64_t now, int64_t *out)
{
	uint64_t seconds = 0;
	int64_t days = 0;

	if (mr_duration_parse(text, &seconds) == 0 && seconds < (uint64_t)INT64_MAX / 2)
		*out = now + (int64_t)seconds;
	else if (mr_date_parse(text, &days) == 0)
		*out = days * 86400;
	else if (mr_time_parse(text, out))
		return mr_fail(&session->diags, MR_E_USAGE,
		        "--until: '%.*s' is no time (hint: 2h, 2026-11-28, or 2026-11-28T06:00Z)",
		        MR_FMT(text));
	if (*out > now)
		return 0;
	return mr_fail(&session->diags, MR_E_USAGE, "--until: '%.*s' is past", MR_FMT(text));
}

static int write_pause(struct mailreeve *session, const struct mr_pause *pause)
{
	struct mr_file_owner owner = {.uid = (uid_t)-1, .gid = (gid_t)-1, .mode = 0600};
	struct mr_buf text = MR_BUF_INIT;
	struct mr_json json;
	int code;

	mr_json_init(&json, &text, true);
	mr_json_begin_object(&json);
	mr_json_member_str(&json, "reason", pause->reason);
	mr_json_member_str(&json, "who", pause->who);
	mr_json_member_int(&json, "since", pause->since);
	mr_json_member_int(&json, "until", pause->until);
	mr_json_end_object(&json);
	mr_buf_add_char(&text, '\n');
	code = mr_file_replace(
	        &session->diags, mr_session_path(session, file_name), mr_buf_str(&text), &owner);
	mr_buf_done(&text);
	return code;
}

/* The state must be there already, with its owner and mode: what is made first is not a pause. */
static int need_state(struct mailreeve *session, const char *purpose)
{
	int code = mr_session_open_state(session, false, purpose);

	if (!code)
		code = mr_dir_make(&session->diags,
		        mr_session_text_or_null(session, session->host.state_directory),
		        session->host.run_as_user.size > 0 ? 0711 : 0700);
	return code;
}

int mailreeve_pause(struct mailreeve *session, const char *reason, const char *until,
        struct mailreeve_text *out)
{
	struct mr_pause pause = {.reason = mr_str_trim(mr_str_from(reason)), .since = time(NULL)};
	struct mr_buf text = MR_BUF_INIT;
	int code = 0;

	if (pause.reason.size == 0 || pause.reason.size > LONGEST_REASON)
		code = mr_fail(&session->diags, MR_E_USAGE,
		        "--reason: say why in 1 to %d bytes, for whoever meets the pause",
		        LONGEST_REASON);
	if (!code)
		code = parse_until(session, mr_str_from(until), pause.since, &pause.until);
	if (!code)
		code = need_state(session, "pause");
	pause.who = mr_session_who(session);
	if (!code)
		code = write_pause(session, &pause);
	if (!code) {
		mr_buf_add_text(&text, "Paused until ");
		add_time(&text, pause.until);
		mr_buf_add_text(
		        &text, ": nothing is applied; an apply that is under way goes on.\n");
	}
	mr_session_give(&text, out);
	return mr_error_status(code);
}

int mailreeve_resume(struct mailreeve *session, struct mailreeve_text *out)
{
	struct mr_pause pause;
	struct mr_buf text = MR_BUF_INIT;
	int code = mr_session_open_state(session, false, "resume");
	bool was_paused = !code && mr_pause_find(session, &pause) != 0;

	if (!code)
		code = mr_file_remove(&session->diags, mr_session_path(session, file_name));
	if (!code)
		mr_buf_add_text(
		        &text, was_paused ? "Resumed: applies go on.\n" : "There was no pause.\n");
	mr_session_give(&text, out);
	return mr_error_status(code);
}
