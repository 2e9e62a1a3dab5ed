/*
 * Making a plan: read, join, and derive what people and programs want to know of it.
 */
#include "plan/known.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "plan/field.h"

static const uint8_t no_key[32];

/* What a collection that nothing describes any more has on the desired side. */
static int next_of_nothing(struct mr_cursor *cursor, struct mr_item *out)
{
	(void)cursor;
	(void)out;
	return 0;
}

static bool pre_image(void *arg, mr_str collection, mr_str key, struct mr_arena *arena, mr_str *out)
{
	return mr_state_pre_image(arg, collection, key, arena, out);
}

static void keep_relay_value(void *arg, mr_str key, mr_str body)
{
	struct mr_plan *plan = arg;

	for (int i = 0; i < MR_RELAY_PARAMETER_COUNT; i++)
		if (mr_str_is(key, mr_relay_parameters[i]))
			plan->relay.value[i] =
			        body.data ? mr_str_copy(&plan->arena,
			                            mr_attrs_get(body, MR_STR("value")))
			                  : (mr_str){0};
}

static mr_str drift_word(const struct mr_plan *plan, const char *provider)
{
	const struct mr_host *host = plan->input.host;

	if (!host)
		return (mr_str){0};
	if (mr_str_is(mr_str_from(provider), "postfix"))
		return host->drift_mode_postfix;
	if (mr_str_is(mr_str_from(provider), "dovecot"))
		return host->drift_mode_dovecot;
	return host->drift_mode_ldap;
}

static enum mr_drift_mode drift_mode(const struct mr_plan *plan, const char *provider)
{
	mr_str word = drift_word(plan, provider);

	if (!plan->input.follows_drift_mode)
		return plan->input.heals_drift ? MR_DRIFT_HEAL : MR_DRIFT_REPORT;
	if (mr_str_is(word, "off"))
		return MR_DRIFT_OFF;
	if (mr_field_has_server(plan->input.contended, mr_str_from(provider)))
		return MR_DRIFT_REPORT;
	return plan->input.heals_drift && mr_str_is(word, "heal") ? MR_DRIFT_HEAL : MR_DRIFT_REPORT;
}

static int open_cursors(
        struct mr_plan *plan, const struct mr_plan_collection *from, struct mr_cursor cursors[3])
{
	const struct mr_provider *provider = from->server->provider;
	int result = 0;

	for (int i = 0; i < 3; i++)
		cursors[i] = (struct mr_cursor){.next = next_of_nothing};
	if (!from->is_former)
		result = provider->project(
		        from->server->backend, &from->in, plan->input.desired, &cursors[0]);
	if (result == 0)
		result = provider->observe(from->server->backend, &from->in, NULL, &cursors[1]);
	/* a place of ours that is not there any more has no items */
	if (result == MR_E_NOT_FOUND && from->is_former) {
		cursors[1] = (struct mr_cursor){.next = next_of_nothing};
		result = 0;
	}
	if (result == 0 && plan->input.state)
		result = mr_state_owned(plan->input.state, from->in.name, &cursors[2]);
	return result;
}

/* What a comparison leaves behind where something is not in order. */
struct findings {
	size_t changes, drift, adoptions, diags;
};

static struct findings findings_of(const struct mr_plan *plan)
{
	return (struct findings){plan->diff.changes.list.n, plan->diff.drift.n,
	        plan->diff.adoptions.list.n, plan->input.diags->list.n};
}

static bool has_found_nothing(const struct mr_plan *plan, const struct findings *before)
{
	struct findings now = findings_of(plan);

	return now.changes == before->changes && now.drift == before->drift &&
	       now.adoptions == before->adoptions && now.diags == before->diags;
}

static int join_one(struct mr_plan *plan, struct mr_plan_collection *from)
{
	struct mr_cursor cursors[3];
	struct mr_diff_options options = {
	        .diags = plan->input.diags,
	        .in = &from->in,
	        .provider = from->server->provider,
	        .backend = from->server->backend,
	        .key = plan->key,
	        .drift_mode = drift_mode(plan, from->server->provider->name),
	        .contended = plan->input.contended,
	        .only = plan->input.only,
	        .is_handed_over = from->is_handed_over,
	        .has_passwd = plan->has_passwd,
	        .pre_image = plan->input.state ? pre_image : NULL,
	        .pre_image_arg = plan->input.state,
	        .result = mr_str_is(from->in.name, "postfix.main") ? keep_relay_value : NULL,
	        .result_arg = plan,
	        .progress = plan->input.progress,
	        .progress_arg = plan->input.progress_arg,
	};
	struct mr_diff_cursors sides = {&cursors[0], &cursors[1], &cursors[2]};
	int result = open_cursors(plan, from, cursors);

	if (result == 0)
		result = mr_diff_collection(&plan->diff, &options, &sides, &from->counts);
	for (int i = 0; i < 3; i++)
		mr_cursor_close(&cursors[i]);
	return result;
}

/* One that was in order as it is now is not joined again. Where drift is not looked at, nothing
 * found says nothing. */
static int diff_one(
        struct mr_plan *plan, const struct mr_known *known, struct mr_plan_collection *from)
{
	struct findings before = findings_of(plan);
	struct mr_known_collection seen;
	int result;

	if (mr_known_recall_collection(plan, known, from, &seen))
		return 0;
	result = join_one(plan, from);
	if (result == 0 && has_found_nothing(plan, &before) &&
	        drift_mode(plan, from->server->provider->name) != MR_DRIFT_OFF)
		mr_known_keep_collection(plan, known, from, &seen);
	return result;
}

static int diff_all(struct mr_plan *plan, const struct mr_known *known)
{
	int first = 0;

	/* one run names everything that cannot be read */
	for (size_t i = 0; i < plan->n_collections; i++) {
		struct mr_plan_collection *from = &plan->collections[i];
		int result =
		        mr_plan_has_left_out(plan, from->server) ? 0 : diff_one(plan, known, from);

		result = mr_plan_go_on(plan, from->server, result);
		if (first == 0)
			first = result;
	}
	return first;
}

static int describe(struct mr_plan *plan, const struct mr_plan_server *server)
{
	static const char *const words[] = {"complete", "partial", "failed"};
	struct mr_live_info info = {0};
	mr_str name = mr_str_from(server->provider->name);
	bool is_ldap = mr_str_is(name, "openldap");
	int result;

	if (mr_plan_has_left_out(plan, server))
		return 0;
	result = server->provider->describe(server->backend, &info);
	if (result < 0)
		return mr_plan_go_on(plan, server, result);
	mr_vec_push(&plan->doc.servers,
	        (struct mr_doc_server){
	                .name = is_ldap ? MR_STR("ldap") : name,
	                .version = mr_str_copy(&plan->arena, info.version),
	                .read = mr_str_from(words[info.read]),
	                .uri = is_ldap && plan->input.host ? plan->input.host->ldap.uri
	                                                   : (mr_str){0},
	                .entries = info.entries,
	        });
	return 0;
}

static struct mr_strs copy_strs(struct mr_arena *arena, const struct mr_strs *list)
{
	struct mr_strs copy = {mr_alloc_n(arena, list->n + 1, sizeof *copy.items), list->n};

	for (size_t i = 0; i < list->n; i++)
		copy.items[i] = mr_str_copy(arena, list->items[i]);
	return copy;
}

static const struct mr_policy *copy_policy(struct mr_arena *arena, const struct mr_policy *policy)
{
	struct mr_policy *copy = mr_alloc(arena, sizeof *copy);

	*copy = *policy;
	copy->limits = mr_alloc_n(arena, policy->n_limits + 1, sizeof *copy->limits);
	for (size_t i = 0; i < policy->n_limits; i++) {
		copy->limits[i] = policy->limits[i];
		copy->limits[i].id = mr_str_copy(arena, policy->limits[i].id);
		copy->limits[i].text = mr_str_copy(arena, policy->limits[i].text);
	}
	copy->protect = copy_strs(arena, &policy->protect);
	copy->allowed_schemes = copy_strs(arena, &policy->allowed_schemes);
	copy->waived = copy_strs(arena, &policy->waived);
	copy->windows = mr_alloc_n(arena, policy->n_windows + 1, sizeof *copy->windows);
	for (size_t i = 0; i < policy->n_windows; i++) {
		copy->windows[i] = policy->windows[i];
		copy->windows[i].action = mr_str_copy(arena, policy->windows[i].action);
		copy->windows[i].text = mr_str_copy(arena, policy->windows[i].text);
	}
	return copy;
}

/* A plan is judged again when it is narrowed, long after the call that made it: what it is judged
 * by is its own. */
static void keep_lists(struct mr_plan *plan, const struct mr_plan_input *input)
{
	struct mr_plan_server *servers =
	        mr_alloc_n(&plan->arena, input->n_servers + 1, sizeof *servers);

	for (size_t i = 0; i < input->n_servers; i++)
		servers[i] = input->servers[i];
	plan->input.servers = servers;
	plan->is_left_out =
	        mr_alloc_n(&plan->arena, input->n_servers + 1, sizeof *plan->is_left_out);
	if (input->policy)
		plan->input.policy = copy_policy(&plan->arena, input->policy);
	if (input->allow) {
		struct mr_strs *allow = mr_alloc(&plan->arena, sizeof *allow);
		*allow = copy_strs(&plan->arena, input->allow);
		plan->input.allow = allow;
	}
}

static void keep_input(struct mr_plan *plan, const struct mr_plan_input *input)
{
	plan->input = *input;
	plan->input.ref = mr_str_copy(&plan->arena, input->ref);
	plan->input.commit = mr_str_copy(&plan->arena, input->commit);
	plan->input.tree = mr_str_copy(&plan->arena, input->tree);
	plan->input.directory = mr_str_copy(&plan->arena, input->directory);
	plan->input.only = mr_str_copy(&plan->arena, input->only);
	keep_lists(plan, input);
	plan->is_keyed = input->state;
	plan->key = input->state ? mr_state_seal_key(input->state) : no_key;
}

static void describe_input(struct mr_plan *plan)
{
	struct mr_plan_doc *doc = &plan->doc;
	struct mr_buf now = MR_BUF_INIT;

	mr_time_format((int64_t)time(NULL), &now);
	doc->created = mr_str_copy(&plan->arena, mr_buf_str(&now));
	mr_buf_done(&now);
	doc->version = mr_str_from(plan->input.version);
	doc->host = plan->input.host ? plan->input.host->name : (mr_str){0};
	doc->ref = plan->input.ref;
	doc->commit = plan->input.commit;
	doc->tree = plan->input.tree;
	doc->directory = plan->input.directory;
	doc->heals_drift = plan->input.heals_drift && !plan->input.follows_drift_mode;
}

static void keep_warnings(struct mr_plan *plan)
{
	struct mr_arena *arena = &plan->arena;

	mr_vec_each (diag, &plan->input.diags->list) {
		if (diag->severity != MR_WARNING)
			continue;
		struct mr_doc_warning warning = {.rule = mr_str_copy(arena, diag->rule),
		        .text = mr_str_copy(arena, diag->text)};
		if (diag->loc.path.size > 0)
			warning.at = mr_str_printf(arena, "%.*s:%u:%u", MR_FMT(diag->loc.path),
			        diag->loc.line, diag->loc.column);
		mr_vec_push(&plan->doc.warnings, warning);
	}
}

static int compare(struct mr_plan *plan, const struct mr_known *known)
{
	int result = mr_plan_collect(plan);

	if (result == 0)
		result = diff_all(plan, known);
	for (size_t i = 0; result == 0 && i < plan->input.n_servers; i++)
		result = describe(plan, &plan->input.servers[i]);
	if (result == 0)
		result = mr_plan_link_renames(plan);
	return result;
}

static int derive(struct mr_plan *plan)
{
	int result;

	describe_input(plan);
	mr_plan_activations(plan);
	mr_plan_objects(plan);
	result = mr_plan_impact(plan);
	if (result < 0)
		return result;
	mr_plan_expect(plan);
	mr_plan_rails_evaluate(plan);
	mr_plan_digests(plan);
	keep_warnings(plan);
	return 0;
}

static int fill(struct mr_plan *plan)
{
	struct mr_known known;
	int result;

	mr_known_look(plan, &known);
	if (known.is_possible && mr_known_recall(plan, &known)) {
		describe_input(plan);
		keep_warnings(plan);
		return 0;
	}
	result = compare(plan, &known);
	if (result == 0) {
		mr_plan_trace(plan);
		result = derive(plan);
	}
	if (result == 0 && known.is_possible && !mr_plan_is_part(plan))
		mr_known_keep(plan, &known);
	return result;
}

int mr_plan_make(const struct mr_plan_input *input, struct mr_plan **out)
{
	struct mr_plan *plan = mr_xrealloc(NULL, 1, sizeof *plan);
	int result;

	memset(plan, 0, sizeof *plan);
	mr_arena_init(&plan->arena);
	mr_diff_init(&plan->diff);
	keep_input(plan, input);
	result = fill(plan);
	if (result < 0) {
		mr_plan_free(plan);
		return result;
	}
	*out = plan;
	return 0;
}

void mr_plan_free(struct mr_plan *plan)
{
	if (!plan)
		return;
	mr_diff_done(&plan->diff);
	mr_vec_done(&plan->renames);
	mr_vec_done(&plan->expectations);
	mr_plan_doc_done(&plan->doc);
	mr_arena_done(&plan->arena);
	free(plan);
}
