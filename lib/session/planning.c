/*
 * Making plans: the verbs plan and drift, and what apply, sync and rollback share with them.
 */
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "session/contending.h"
#include "session/observing.h"

/* The rails in force: those of the last applied commit, else the built-in ones. */
static int policy_in_force(
        struct mailreeve *session, struct mr_policy *storage, const struct mr_policy **out)
{
	struct mr_applied applied = {0};
	int code = session->state ? mr_state_applied(session->state, &session->arena, &applied) : 0;

	*out = mr_policy_builtin();
	if (code || applied.policy_json.size == 0)
		return code;
	code = mr_policy_parse(&session->arena, applied.policy_json, storage);
	if (code)
		return mr_fail(&session->diags, MR_E_CONFIG,
		        "the policy kept in '%.*s' cannot be read: the state database is damaged",
		        MR_FMT(session->host.state_directory));
	*out = storage;
	return 0;
}

static const struct mr_strs *list_of(struct mailreeve *session, const char *const *texts)
{
	struct mr_strs *list = mr_alloc(&session->arena, sizeof *list);
	size_t n = 0;

	while (texts && texts[n])
		n++;
	list->items = mr_alloc_n(&session->arena, n + 1, sizeof *list->items);
	for (; list->n < n; list->n++)
		list->items[list->n] = mr_str_from(texts[list->n]);
	return list;
}

static int check_allowances(struct mailreeve *session, const char *const *allow)
{
	for (size_t i = 0; allow && allow[i]; i++)
		if (!mr_plan_is_allowance(mr_str_from(allow[i])))
			return mr_fail(&session->diags, MR_E_USAGE,
			        "--allow: '%s' is not RAIL<=N with a rail that can be lifted "
			        "(hint: a refused plan prints it)",
			        allow[i]);
	return 0;
}

int mr_session_plan(struct mailreeve *session, const struct mr_wanted *wanted,
        const struct mr_planning *how, struct mr_plan **out)
{
	/* the plan looks at both as long as it lives: a saved one is judged again after it was
	 * narrowed */
	struct mr_policy *policy = mr_alloc(&session->arena, sizeof *policy);
	struct mr_plan_input input = {.diags = &session->diags,
	        .host = &session->host,
	        .desired = wanted->desired,
	        .state = session->state,
	        .ref = wanted->ref,
	        .directory = wanted->directory,
	        .commit = wanted->commit,
	        .tree = wanted->tree_id,
	        .allow = list_of(session, how->allow),
	        .only = mr_str_from(how->only),
	        .heals_drift = how->heals_drift,
	        .follows_drift_mode = how->follows_drift_mode,
	        .goes_on = how->goes_on,
	        .version = MR_VERSION,
	        .progress = session->options.progress,
	        .progress_arg = session->options.arg};
	int code = check_allowances(session, how->allow);

	if (how->heals_drift && how->follows_drift_mode)
		input.contended = mr_contended_names(session);

	if (!code)
		code = policy_in_force(session, policy, &input.policy);
	if (!code)
		code = mr_session_open_servers(session);
	if (code)
		return code;
	input.servers = session->servers;
	input.n_servers = session->n_servers;
	mr_session_progress(session, "reading the servers");
	return mr_plan_make(&input, out);
}

static int write_plan_file(struct mailreeve *session, const struct mr_plan *plan, const char *path)
{
	struct mr_render_options json = {.format = MR_FORMAT_JSON};
	struct mr_file_owner owner = {.uid = (uid_t)-1, .gid = (gid_t)-1, .mode = 0600};
	struct mr_buf text = MR_BUF_INIT;
	int code;

	mr_plan_render(plan, &json, &text);
	code = mr_file_replace(&session->diags, path, mr_buf_str(&text), &owner);
	mr_buf_done(&text);
	return code;
}

static int check_classes(
        struct mailreeve *session, const struct mr_plan *plan, const char *const *classes)
{
	int code = 0;

	for (size_t i = 0; classes && classes[i]; i++) {
		if (!mr_plan_is_class(mr_str_from(classes[i])))
			return mr_fail(&session->diags, MR_E_USAGE,
			        "--fail-on: '%s' is no class of changes", classes[i]);
		if (mr_plan_has_class(plan, mr_str_from(classes[i])))
			code = mr_fail(&session->diags, MR_E_REFUSED,
			        "refused by --fail-on: the plan has changes of class '%s'",
			        classes[i]);
	}
	return code;
}

int mr_session_judge_rails(struct mailreeve *session, const struct mr_plan *plan)
{
	size_t n = 0;
	const struct mr_rail *rails = mr_plan_rails(plan, &n);
	int result = 0;

	for (size_t i = 0; i < n; i++) {
		bool is_window = mr_str_starts(rails[i].id, MR_STR("window."));

		if (rails[i].is_passed)
			continue;
		if (result != MR_E_REFUSED)
			result = is_window ? MR_E_BUSY : MR_E_REFUSED;
		(void)mr_fail(&session->diags, is_window ? MR_E_BUSY : MR_E_REFUSED,
		        "refused by rail '%.*s': %.*s", MR_FMT(rails[i].id), MR_FMT(rails[i].text));
	}
	return result;
}

/* A window that is closed now may be open when the plan is applied: no fault of the plan. */
static int judge_plan(struct mailreeve *session, const struct mr_plan *plan)
{
	size_t n = 0;
	const struct mr_rail *rails = mr_plan_rails(plan, &n);

	for (size_t i = 0; i < n; i++)
		if (!rails[i].is_passed && !mr_str_starts(rails[i].id, MR_STR("window.")))
			return mr_session_judge_rails(session, plan);
	return 0;
}

void mr_session_render(const struct mailreeve *session, const struct mr_plan *plan,
        enum mailreeve_format format, struct mr_buf *out)
{
	struct mr_render_options options = {.format = (enum mr_format)format,
	        .has_color = session->options.has_color,
	        .is_verbose = session->options.is_verbose};

	mr_plan_render(plan, &options, out);
}

static int finish_plan(struct mailreeve *session, const struct mr_plan *plan,
        const struct mailreeve_plan_options *options, struct mailreeve_text *out)
{
	struct mr_buf text = MR_BUF_INIT;
	int code = options->out_file ? write_plan_file(session, plan, options->out_file) : 0;

	if (!code) {
		mr_session_observe_drift(session, plan);
		mr_session_render(session, plan, options->format, &text);
		mr_session_give(&text, out);
		code = check_classes(session, plan, options->fail_on);
	}
	if (!code)
		code = judge_plan(session, plan);
	if (!code && options->has_detailed_status && !mr_plan_is_empty(plan))
		return MAILREEVE_CHANGES;
	return mr_error_status(code);
}

int mailreeve_plan(struct mailreeve *session, const struct mailreeve_plan_options *options,
        struct mailreeve_text *out)
{
	struct mr_planning how = {
	        .allow = options->allow, .only = options->only, .heals_drift = true};
	struct mr_wanted wanted = {0};
	struct mr_plan *plan = NULL;
	int code = mr_session_open_state(session, false, "plan");
	int status;

	if (!code)
		code = mr_session_want(session, &options->source, &wanted);
	if (!code)
		code = mr_session_plan(session, &wanted, &how, &plan);
	status = code ? mr_error_status(code) : finish_plan(session, plan, options, out);
	if (plan)
		mr_plan_free(plan);
	mr_wanted_done(&wanted);
	return status;
}

int mailreeve_drift(struct mailreeve *session, const struct mailreeve_plan_options *options,
        struct mailreeve_text *out)
{
	struct mr_planning how = {.heals_drift = false};
	struct mr_wanted wanted = {0};
	struct mr_applied applied = {0};
	struct mr_plan *plan = NULL;
	struct mr_buf text = MR_BUF_INIT;
	int status;
	int code = mr_session_open_state(session, false, "drift");

	if (!code)
		code = mr_state_applied(session->state, &session->arena, &applied);
	if (!code && applied.commit.size == 0)
		code = mr_fail(&session->diags, MR_E_USAGE,
		        "nothing was applied yet: there is nothing to compare with");
	if (!code)
		code = mr_session_want_commit(session, applied.commit, &wanted);
	wanted.ref = applied.ref;
	if (!code)
		code = mr_session_plan(session, &wanted, &how, &plan);
	if (!code) {
		mr_session_render(session, plan, options->format, &text);
		mr_session_give(&text, out);
	}
	status = mr_error_status(code);
	if (!code && options->has_detailed_status && mr_plan_drift_count(plan) > 0)
		status = MAILREEVE_CHANGES;
	if (plan)
		mr_plan_free(plan);
	mr_wanted_done(&wanted);
	return status;
}
