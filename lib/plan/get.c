/*
 * What others ask a plan for.
 */
#include "plan/field.h"
#include "plan/parts.h"
#include "plan/view.h"

#include <stdlib.h>

bool mr_plan_is_empty(const struct mr_plan *plan)
{
	return plan->diff.changes.list.n == 0;
}

bool mr_plan_is_part(const struct mr_plan *plan)
{
	for (size_t i = 0; i < plan->input.n_servers; i++)
		if (plan->is_left_out[i])
			return true;
	return false;
}

bool mr_plan_leaves_out(const struct mr_plan *plan, mr_str server)
{
	for (size_t i = 0; i < plan->input.n_servers; i++)
		if (plan->is_left_out[i] &&
		        mr_str_is(server, plan->input.servers[i].provider->name))
			return true;
	return false;
}

const struct mr_changes *mr_plan_changes(const struct mr_plan *plan)
{
	return &plan->diff.changes;
}

const struct mr_changes *mr_plan_adoptions(const struct mr_plan *plan)
{
	return &plan->diff.adoptions;
}

const struct mr_rail *mr_plan_rails(const struct mr_plan *plan, size_t *out_n)
{
	*out_n = plan->doc.rails.n;
	return plan->doc.rails.items;
}

bool mr_plan_is_refused(const struct mr_plan *plan)
{
	mr_vec_each (rail, &plan->doc.rails)
		if (!rail->is_passed)
			return true;
	return false;
}

mr_str mr_plan_digest(const struct mr_plan *plan)
{
	return plan->doc.digest;
}

mr_str mr_plan_effects_digest(const struct mr_plan *plan)
{
	return plan->doc.effects_digest;
}

size_t mr_plan_drift_count(const struct mr_plan *plan)
{
	return plan->doc.drift.n;
}

const char *mr_plan_drift_server(const struct mr_plan *plan, size_t index)
{
	return plan->doc.drift.items[index].server;
}

void mr_plan_each_change(const struct mr_plan *plan,
        void (*add)(void *arg, mr_str kind, const char *action), void *arg)
{
	mr_vec_each (object, &plan->doc.objects)
		add(arg, mr_str_take(object->object, mr_str_find(object->object, '/')),
		        mr_action_word(object->action, object->object));
}

void mr_plan_drift_field(const struct mr_plan *plan, size_t index, struct mr_buf *out)
{
	const struct mr_doc_drift *drift = &plan->doc.drift.items[index];

	mr_field_name(drift->object, drift->attribute, out);
}

bool mr_plan_drift_is(const struct mr_plan *plan, size_t index, mr_str field)
{
	const struct mr_doc_drift *drift = &plan->doc.drift.items[index];

	return mr_str_is(field, drift->server) ||
	       mr_field_is(field, drift->object, drift->attribute);
}

void mr_plan_drift_row(const struct mr_plan *plan, size_t index, mr_str *out_object,
        mr_str *out_attribute, struct mr_buf *text)
{
	const struct mr_doc_drift *drift = &plan->doc.drift.items[index];

	*out_object = drift->object;
	*out_attribute = drift->attribute;
	mr_view_drift(drift, text);
}

static bool has_address(const struct mr_plan *plan, enum mr_impact_kind kind, mr_str address)
{
	mr_vec_each (one, &plan->doc.impact.lists[kind])
		if (mr_str_eq(one->address, address))
			return true;
	return false;
}

bool mr_plan_takes_from(const struct mr_plan *plan, mr_str address)
{
	return has_address(plan, MR_IMPACT_LOGIN_LOST, address) ||
	       has_address(plan, MR_IMPACT_MAIL_REFUSED, address);
}

bool mr_plan_gives_login(const struct mr_plan *plan, mr_str address)
{
	return has_address(plan, MR_IMPACT_LOGIN_GAINED, address);
}

const struct mr_expectation *mr_plan_expectations(const struct mr_plan *plan, size_t *out_n)
{
	*out_n = plan->expectations.n;
	return plan->expectations.items;
}

void mr_plan_render(
        const struct mr_plan *plan, const struct mr_render_options *options, struct mr_buf *out)
{
	mr_doc_render(&plan->doc, options, out);
}

void mr_plan_summary(const struct mr_plan *plan, struct mr_buf *out)
{
	mr_doc_summary_json(&plan->doc, out);
}

static int by_text(const void *a, const void *b)
{
	return mr_str_cmp(*(const mr_str *)a, *(const mr_str *)b);
}

static bool is_kept(const struct mr_plan *plan, const struct mr_strs *objects, mr_str object)
{
	mr_str shown = mr_plan_shown_object(plan, object);

	return objects->n > 0 && bsearch(&shown, objects->items, objects->n, sizeof shown, by_text);
}

static void narrow_changes(struct mr_plan *plan, const struct mr_strs *objects)
{
	struct mr_diff *diff = &plan->diff;
	size_t kept = 0;

	for (size_t i = 0; i < diff->changes.list.n; i++) {
		if (!is_kept(plan, objects, diff->changes.list.items[i].object))
			continue;
		diff->changes.list.items[kept] = diff->changes.list.items[i];
		diff->effects.items[kept++] = diff->effects.items[i];
	}
	diff->changes.list.n = diff->effects.n = kept;
}

/* In the order of changes: collections stand in one array, sorted. */
static int by_place(const void *a, const void *b)
{
	const struct mr_change *left = a, *right = b;

	if (left->in != right->in)
		return left->in < right->in ? -1 : 1;
	return mr_str_cmp(left->key, right->key);
}

/* Bookkeeping of what is in order already goes on; that of changes which are not made must not. */
static void narrow_adoptions(struct mr_plan *plan, const struct mr_strs *objects)
{
	struct mr_changes *adoptions = &plan->diff.adoptions;
	const struct mr_changes *changes = &plan->diff.changes;
	size_t kept = 0;

	for (size_t i = 0; i < adoptions->list.n; i++) {
		const struct mr_change *row = &adoptions->list.items[i];
		bool is_changed =
		        changes->list.n > 0 &&
		        bsearch(row, changes->list.items, changes->list.n, sizeof *row, by_place);
		if (!is_changed || is_kept(plan, objects, row->object))
			adoptions->list.items[kept++] = *row;
	}
	adoptions->list.n = kept;
}

static void narrow_impact(struct mr_plan *plan, const struct mr_strs *objects)
{
	struct mr_impact *impact = &plan->doc.impact;
	size_t kept = 0;

	for (int kind = 0; kind < MR_IMPACT_COUNT; kind++) {
		size_t n = 0;
		mr_vec_each (address, &impact->lists[kind])
			if (is_kept(plan, objects, address->object))
				impact->lists[kind].items[n++] = *address;
		impact->lists[kind].n = n;
	}
	mr_vec_each (route, &impact->routes)
		if (is_kept(plan, objects, route->object))
			impact->routes.items[kept++] = *route;
	impact->routes.n = kept;
}

void mr_plan_narrow(struct mr_plan *plan, const struct mr_strs *objects)
{
	narrow_adoptions(plan, objects);
	narrow_changes(plan, objects);
	narrow_impact(plan, objects);
	mr_plan_activations(plan);
	mr_plan_objects(plan);
	mr_plan_expect(plan);
	mr_plan_rails_evaluate(plan);
	mr_plan_digests(plan);
}
