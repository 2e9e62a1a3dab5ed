/*
 * The verb why: which files and lines decide an object's attributes.
 */
#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "session/session.h"

/* Where the answers of explain go: lines, or members of a JSON array. */
struct explaining {
	struct mr_buf *out;
	struct mr_json json;
	bool is_json;
};

static void explain_one(void *arg, const struct mr_explained *explained)
{
	struct explaining *explaining = arg;

	if (!explaining->is_json) {
		mr_buf_printf(explaining->out, "%-16.*s ", MR_FMT(explained->attribute));
		mr_text_harmless(explained->value, explaining->out);
		if (explained->loc.path.size > 0)
			mr_buf_printf(explaining->out, "  %.*s:%u:%u", MR_FMT(explained->loc.path),
			        explained->loc.line, explained->loc.column);
		mr_buf_printf(explaining->out, "  (%s)\n", explained->origin);
		return;
	}
	mr_json_begin_object(&explaining->json);
	mr_json_member_str(&explaining->json, "attribute", explained->attribute);
	mr_json_member_str(&explaining->json, "value", explained->value);
	mr_json_member_str(&explaining->json, "file", explained->loc.path);
	mr_json_member_int(&explaining->json, "line", explained->loc.line);
	mr_json_member_int(&explaining->json, "column", explained->loc.column);
	mr_json_member_str(&explaining->json, "origin", mr_str_from(explained->origin));
	mr_json_end_object(&explaining->json);
}

/* A user that left the repository: closed on the servers, its mail kept. 1 reported, 0 none, <0. */
static int retired(struct mailreeve *session, mr_str object)
{
	const mr_str user = MR_STR("user/");
	struct mr_buf date = MR_BUF_INIT;
	mr_str home;
	int64_t when;
	int result = 0;

	if (session->state && mr_str_starts(object, user))
		result = mr_state_find_retired(session->state, mr_str_skip(object, user.size),
		        &session->arena, &home, &when);
	if (result <= 0)
		return result;
	mr_date_format(when / (24 * 60 * 60), &date);
	(void)mr_fail(&session->diags, MR_E_USAGE,
	        "object '%.*s' is not declared: it left the repository and is retired since "
	        "%s; its mail stays in '%.*s'",
	        MR_FMT(object), date.data, MR_FMT(home));
	mr_buf_done(&date);
	return 1;
}

static int not_declared(struct mailreeve *session, struct mr_desired *desired, mr_str object)
{
	mr_str nearest[3];
	size_t n;
	int code = retired(session, object);

	if (code)
		return code < 0 ? code : MR_E_USAGE;
	n = mr_desired_nearest(desired, object, &session->arena, nearest, 3);
	code = mr_fail(
	        &session->diags, MR_E_USAGE, "object '%.*s' is not declared", MR_FMT(object));
	if (n > 0)
		mr_diags_hint(&session->diags, "did you mean '%.*s'?", MR_FMT(nearest[0]));
	else
		mr_diags_hint(&session->diags,
		        "objects are named like user/alice@example.org or domain/example.org");
	return code;
}

int mailreeve_why(struct mailreeve *session, const struct mailreeve_source *source,
        const char *object, enum mailreeve_format format, struct mailreeve_text *out)
{
	struct mr_buf text = MR_BUF_INIT;
	struct explaining explaining = {.out = &text, .is_json = format == MAILREEVE_JSON};
	struct mr_wanted wanted = {0};
	int code = mr_session_only_text_or_json(session, format);

	if (!code && session->has_host)
		code = mr_session_open_state(session, false, "why");
	if (!code)
		code = mr_session_want(session, source, &wanted);
	mr_json_init(&explaining.json, &text, true);
	if (!code && explaining.is_json)
		mr_json_begin_array(&explaining.json);
	if (!code)
		code = mr_desired_explain(
		        wanted.desired, mr_str_from(object), explain_one, &explaining);
	if (code == MR_E_NOT_FOUND)
		code = not_declared(session, wanted.desired, mr_str_from(object));
	if (!code && explaining.is_json) {
		mr_json_end_array(&explaining.json);
		mr_buf_add_char(&text, '\n');
	}
	mr_wanted_done(&wanted);
	mr_session_give(&text, out);
	return mr_error_status(code);
}
