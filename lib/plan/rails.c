/*
 * The rails: limits by count and percent, guards against an emptied source, protected objects, no
 * open relay, windows.
 *
 * Policy and what was allowed by hand come from outside; nothing of the state under judgement can
 * lift a rail.
 */
#include "plan/parts.h"

#include <stdlib.h>
#include <time.h>

#include "base/text.h"
#include "model/dn.h"
#include "plan/words.h"

/* What is measured against a limit. */
struct measure {
	const char *id;
	mr_str subject; /* "users to close", "rows of virtual_alias_maps to lose" */
	uint64_t actual, total;
};

static const struct mr_limit *find_limit(const struct mr_policy *policy, const char *id)
{
	for (size_t i = 0; policy && i < policy->n_limits; i++)
		if (mr_str_is(policy->limits[i].id, id))
			return &policy->limits[i];
	return NULL;
}

/* "users.close<=12" */
static bool find_allowed(const struct mr_plan *plan, const char *id, uint64_t *out)
{
	const struct mr_strs *allow = plan->input.allow;

	for (size_t i = 0; allow && i < allow->n; i++) {
		mr_str rest = allow->items[i];
		mr_str name = mr_str_trim(mr_str_split(&rest, '<'));
		if (mr_str_is(name, id) && mr_str_starts(rest, MR_STR("=")) &&
		        mr_number_parse(mr_str_trim(mr_str_skip(rest, 1)), UINT64_MAX, out) == 0)
			return true;
	}
	return false;
}

static void push(struct mr_plan *plan, const struct measure *measure, mr_str limit, uint64_t most)
{
	struct mr_rail rail = {.id = mr_str_from(measure->id),
	        .limit = limit,
	        .actual = measure->actual,
	        .total = measure->total};
	uint64_t allowed = 0;
	bool is_allowed = find_allowed(plan, measure->id, &allowed);

	rail.is_passed = measure->actual <= most || (is_allowed && measure->actual <= allowed);
	if (!rail.is_passed)
		rail.text = mr_str_printf(&plan->arena,
		        "%llu of %llu %.*s: over the limit of %.*s, which is %llu; if this is "
		        "meant: --allow '%s<=%llu'",
		        (unsigned long long)measure->actual, (unsigned long long)measure->total,
		        MR_FMT(measure->subject), MR_FMT(limit), (unsigned long long)most,
		        measure->id, (unsigned long long)measure->actual);
	else if (measure->actual > most)
		rail.text = mr_str_printf(&plan->arena,
		        "%llu of %llu %.*s: allowed by hand up to %llu",
		        (unsigned long long)measure->actual, (unsigned long long)measure->total,
		        MR_FMT(measure->subject), (unsigned long long)allowed);
	mr_vec_push(&plan->doc.rails, rail);
}

static void limit(struct mr_plan *plan, const struct measure *measure)
{
	const struct mr_limit *declared = find_limit(plan->input.policy, measure->id);

	if (!declared)
		declared = find_limit(mr_policy_builtin(), measure->id);
	if (declared)
		push(plan, measure, declared->text, mr_limit_allows(declared, measure->total));
}

/* A window is a limit of none while it is closed. */
static void judge_window(struct mr_plan *plan, const struct mr_window *window, bool is_closed)
{
	bool is_apply = mr_str_is(window->action, "apply");
	uint64_t actual = 0, allowed = 0;
	struct mr_rail rail = {.limit = window->text, .total = 1};

	rail.id = mr_str_printf(&plan->arena, "window.%.*s", MR_FMT(window->action));
	mr_vec_each (action, &plan->doc.actions)
		actual |= !is_apply && mr_str_eq(action->action, window->action);
	if (is_apply)
		actual = plan->diff.changes.list.n > 0;
	rail.actual = actual && is_closed;
	rail.is_passed =
	        rail.actual == 0 || (find_allowed(plan, rail.id.data, &allowed) && allowed);
	if (rail.actual > 0 && rail.is_passed)
		rail.text = mr_str_printf(&plan->arena,
		        "outside the window '%.*s': allowed by hand", MR_FMT(window->text));
	else if (rail.actual > 0)
		rail.text = mr_str_printf(&plan->arena,
		        "the window '%.*s' is closed: it waits until then; if this is meant: "
		        "--allow '%.*s<=1'",
		        MR_FMT(window->text), MR_FMT(rail.id));
	mr_vec_push(&plan->doc.rails, rail);
}

/* In the host's local time. */
static void judge_windows(struct mr_plan *plan)
{
	const struct mr_policy *policy = plan->input.policy;
	time_t now = time(NULL);
	struct tm local = {0};

	(void)localtime_r(&now, &local);
	for (size_t i = 0; policy && i < policy->n_windows; i++)
		judge_window(plan, &policy->windows[i],
		        !mr_window_is_open(&policy->windows[i], (unsigned)(local.tm_wday + 6) % 7,
		                (unsigned)(local.tm_hour * 60 + local.tm_min)));
}

static bool is_renamed(const struct mr_plan *plan, mr_str object)
{
	return !mr_str_eq(mr_plan_shown_object(plan, object), object);
}

static bool is_users_collection(const struct mr_plan *plan, const struct mr_collection *in)
{
	return mr_words_is_primary(in, MR_STR("user/"), MR_STR(""), plan->has_passwd);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void judge_users(struct mr_plan *plan)
{
	struct measure measure = {.id = "users.close", .subject = MR_STR("users to close")};

	for (size_t i = 0; i < plan->n_collections; i++)
		if (is_users_collection(plan, &plan->collections[i].in))
			measure.total += larger(plan->collections[i].counts.live,
			        plan->collections[i].counts.owned);
	mr_vec_each (change, &plan->diff.changes.list)
		measure.actual += is_users_collection(plan, change->in) &&
		                  mr_change_is_delete(change) && !is_renamed(plan, change->object);
	limit(plan, &measure);
}

static bool is_domains_collection(const struct mr_collection *in)
{
	return mr_str_ends(mr_words_table(in), MR_STR("_domains"));
}

static void judge_domains(struct mr_plan *plan)
{
	struct measure measure = {.id = "domains.close", .subject = MR_STR("domains to close")};

	for (size_t i = 0; i < plan->n_collections; i++)
		if (is_domains_collection(&plan->collections[i].in))
			measure.total += larger(plan->collections[i].counts.live,
			        plan->collections[i].counts.owned);
	mr_vec_each (object, &plan->doc.objects)
		measure.actual += object->action == MR_DELETE &&
		                  mr_str_starts(object->object, MR_STR("domain/"));
	limit(plan, &measure);
}

static void judge_directory(struct mr_plan *plan)
{
	struct measure measure = {.id = "ldap.delete", .subject = MR_STR("entries to delete")};

	for (size_t i = 0; i < plan->n_collections; i++)
		if (plan->collections[i].in.flags & MR_COLLECTION_DELETE_LATE)
			measure.total += larger(plan->collections[i].counts.live,
			        plan->collections[i].counts.owned);
	mr_vec_each (change, &plan->diff.changes.list)
		measure.actual += (change->in->flags & MR_COLLECTION_DELETE_LATE) &&
		                  mr_change_is_delete(change);
	limit(plan, &measure);
}

static bool judge_table(struct mr_plan *plan, const struct mr_plan_collection *collection)
{
	uint64_t added = 0, removed = 0;
	mr_str table = mr_words_table(&collection->in);
	struct measure measure = {.id = "postfix.table.shrink"};

	mr_vec_each (change, &plan->diff.changes.list) {
		if (change->in != &collection->in)
			continue;
		added += mr_change_is_create(change);
		removed += mr_change_is_delete(change);
	}
	if (removed <= added)
		return false;
	measure.subject = mr_str_printf(&plan->arena, "rows of table '%.*s' fewer", MR_FMT(table));
	measure.actual = removed - added;
	measure.total = larger(collection->counts.live, collection->counts.owned);
	limit(plan, &measure);
	return true;
}

/* One line a table that gets smaller; one that says so when none does. */
static void judge_tables(struct mr_plan *plan)
{
	struct measure none = {.id = "postfix.table.shrink", .subject = MR_STR("rows fewer")};
	bool has_any = false;

	for (size_t i = 0; i < plan->n_collections; i++)
		if (mr_words_table(&plan->collections[i].in).size > 0)
			has_any |= judge_table(plan, &plan->collections[i]);
	if (!has_any)
		limit(plan, &none);
}

/* A repository that lost its files must not become a wish to close everything. One lone user may
 * still leave. */
static void judge_source(struct mr_plan *plan)
{
	struct measure measure = {.id = "source.empty",
	        .subject = MR_STR("users and domains that the repository lost")};
	uint64_t users = 0, own_users = 0, domains = 0, own_domains = 0;

	for (size_t i = 0; i < plan->n_collections; i++) {
		const struct mr_plan_collection *collection = &plan->collections[i];
		if (is_users_collection(plan, &collection->in)) {
			users += collection->counts.desired;
			own_users += collection->counts.owned;
		} else if (is_domains_collection(&collection->in)) {
			domains += collection->counts.desired;
			own_domains += collection->counts.owned;
		}
	}
	measure.total = own_users + own_domains;
	if (users == 0 && (own_users > 1 || domains == 0))
		measure.actual += own_users;
	if (domains == 0)
		measure.actual += own_domains;
	/* with --only, or when nothing of it is to go, there is nothing to guard */
	if (plan->diff.changes.list.n == 0)
		measure.actual = 0;
	push(plan, &measure, MR_STR("0"), 0);
}

static bool is_named(struct mr_arena *arena, mr_str protected, mr_str object)
{
	mr_str ldap = MR_STR("ldap/"), a, b;

	if (mr_str_eq(protected, object))
		return true;
	if (!mr_str_starts(protected, ldap) || !mr_str_starts(object, ldap))
		return false;
	return mr_dn_key(arena, mr_str_skip(protected, ldap.size), &a) == 0 &&
	       mr_dn_key(arena, mr_str_skip(object, ldap.size), &b) == 0 && mr_str_eq(a, b);
}

static void judge_protected(struct mr_plan *plan)
{
	const struct mr_policy *policy = plan->input.policy;
	uint64_t n_refused = 0, total = policy ? policy->protect.n : 0;

	for (size_t i = 0; i < total; i++) {
		mr_vec_each (object, &plan->doc.objects) {
			if (object->action != MR_DELETE ||
			        !is_named(&plan->arena, policy->protect.items[i], object->object))
				continue;
			n_refused++;
			mr_str text = mr_str_printf(&plan->arena,
			        "'%.*s' is protected: take it out of policy.protect in a commit of "
			        "its own first",
			        MR_FMT(object->object));
			mr_vec_push(&plan->doc.rails, (struct mr_rail){.id = MR_STR("protect"),
			                                      .limit = MR_STR("0"),
			                                      .actual = 1,
			                                      .total = total,
			                                      .text = text});
		}
	}
	if (n_refused == 0)
		mr_vec_push(&plan->doc.rails, (struct mr_rail){.id = MR_STR("protect"),
		                                      .limit = MR_STR("0"),
		                                      .total = total,
		                                      .is_passed = true});
}

static bool touches_relaying(const struct mr_plan *plan)
{
	mr_vec_each (change, &plan->diff.changes.list) {
		if (!mr_str_is(change->in->name, "postfix.main"))
			continue;
		for (int i = 0; i < MR_RELAY_PARAMETER_COUNT; i++)
			if (mr_str_is(change->key, mr_relay_parameters[i]))
				return true;
	}
	return false;
}

/* Judged when the plan decides it; a server that others left open is no reason to refuse closing
 * it. */
static void judge_relaying(struct mr_plan *plan)
{
	struct mr_rail rail = {
	        .id = MR_STR("open_relay"), .limit = MR_STR("0"), .total = 1, .is_passed = true};
	const char *why =
	        touches_relaying(plan) ? mr_relay_judge(&plan->arena, &plan->relay) : NULL;

	if (why) {
		rail.actual = 1;
		rail.is_passed = false;
		rail.text =
		        mr_str_printf(&plan->arena, "Postfix would relay for strangers: %s", why);
	}
	mr_vec_push(&plan->doc.rails, rail);
}

void mr_plan_rails_evaluate(struct mr_plan *plan)
{
	plan->doc.rails.n = 0;
	judge_users(plan);
	judge_domains(plan);
	judge_directory(plan);
	judge_tables(plan);
	judge_source(plan);
	judge_protected(plan);
	judge_relaying(plan);
	judge_windows(plan);
}

/* The rails that can be lifted by hand: those of limits, of the source, and windows. */
bool mr_plan_is_allowance(mr_str text)
{
	mr_str rest = text, id = mr_str_trim(mr_str_split(&rest, '<'));
	uint64_t number;

	if (!mr_str_starts(rest, MR_STR("=")) ||
	        mr_number_parse(mr_str_trim(mr_str_skip(rest, 1)), UINT64_MAX, &number) < 0)
		return false;
	return mr_policy_limit_is_known(id) || mr_str_is(id, "source.empty") ||
	       mr_str_is(id, "window.restart") || mr_str_is(id, "window.apply");
}
