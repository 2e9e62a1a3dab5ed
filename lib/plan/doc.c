/*
 * The plan's document: its words, its release, its forms.
 */
#include "plan/doc.h"

void mr_plan_doc_done(struct mr_plan_doc *doc)
{
	mr_vec_done(&doc->servers);
	mr_vec_done(&doc->actions);
	mr_impact_done(&doc->impact);
	mr_vec_done(&doc->rails);
	mr_vec_done(&doc->objects);
	mr_vec_done(&doc->drift);
	mr_vec_done(&doc->warnings);
}

const char *mr_action_word(enum mr_action action, mr_str object)
{
	static const char *const words[MR_ACTION_COUNT] = {[MR_CREATE] = "create",
	        [MR_UPDATE] = "update",
	        [MR_RENAME] = "rename",
	        [MR_DELETE] = "delete"};

	if (action == MR_DELETE && mr_str_starts(object, MR_STR("user/")))
		return "close";
	return words[action];
}

const char *mr_reason_word(enum mr_reason reason)
{
	static const char *const words[MR_REASON_COUNT] = {
	        [MR_REASON_DESIRED_CHANGED] = "desired_changed",
	        [MR_REASON_DRIFT] = "drift",
	        [MR_REASON_NOT_IN_REPOSITORY] = "not_in_repository",
	        [MR_REASON_RENAMED] = "renamed",
	        [MR_REASON_ADOPTED] = "adopted",
	};

	return words[reason];
}

const char *mr_risk_word(enum mr_risk risk)
{
	static const char *const words[MR_RISK_COUNT] = {
	        [MR_RISK_SAFE] = "safe",
	        [MR_RISK_RELOAD] = "reload",
	        [MR_RISK_RESTART] = "restart",
	        [MR_RISK_DATA] = "data",
	        [MR_RISK_OFFLINE] = "offline",
	};

	return words[risk];
}

const char *mr_impact_word(enum mr_impact_kind kind)
{
	static const char *const words[MR_IMPACT_COUNT] = {
	        [MR_IMPACT_LOGIN_LOST] = "login_lost",
	        [MR_IMPACT_LOGIN_GAINED] = "login_gained",
	        [MR_IMPACT_MAIL_REFUSED] = "mail_refused",
	        [MR_IMPACT_MAIL_ACCEPTED] = "mail_accepted",
	};

	return words[kind];
}

void mr_doc_render(
        const struct mr_plan_doc *doc, const struct mr_render_options *options, struct mr_buf *out)
{
	switch (options->format) {
	case MR_FORMAT_JSON:
		mr_doc_json(doc, out);
		break;
	case MR_FORMAT_MARKDOWN:
		mr_doc_markdown(doc, options, out);
		break;
	case MR_FORMAT_HTML:
		mr_doc_html(doc, options, out);
		break;
	case MR_FORMAT_TEXT:
		mr_doc_text(doc, options, out);
		break;
	}
}
