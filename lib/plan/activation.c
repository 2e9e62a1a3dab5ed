/*
 * What must be reloaded or restarted: for the plan as a whole, and as the risk of each change.
 */
#include "plan/parts.h"

#include <stdlib.h>

static enum mr_risk risk_of(const struct mr_change *change)
{
	static const enum mr_risk risks[] = {MR_RISK_SAFE, MR_RISK_RELOAD, MR_RISK_RESTART};
	const struct mr_plan_server *server = mr_plan_collection_of(change)->server;
	enum mr_risk risk = risks[server->provider->activation(server->backend, &change, 1)];

	if ((change->in->flags & MR_COLLECTION_DELETE_LATE) && mr_change_is_delete(change))
		return MR_RISK_DATA;
	return risk;
}

static void act(
        struct mr_plan *plan, const struct mr_plan_server *server, const struct mr_change **changes)
{
	size_t n = 0;

	mr_vec_each (change, &plan->diff.changes.list)
		if (mr_plan_collection_of(change)->server == server)
			changes[n++] = change;
	if (n == 0)
		return;
	enum mr_activation activation = server->provider->activation(server->backend, changes, n);
	if (activation == MR_ACTIVATE_NOTHING)
		return;
	mr_vec_push(&plan->doc.actions,
	        (struct mr_doc_action){mr_str_from(server->provider->name),
	                activation == MR_ACTIVATE_RELOAD ? MR_STR("reload") : MR_STR("restart")});
}

void mr_plan_activations(struct mr_plan *plan)
{
	const struct mr_change **changes =
	        mr_xrealloc(NULL, plan->diff.changes.list.n + 1, sizeof *changes);

	plan->doc.actions.n = 0;
	mr_vec_each (change, &plan->diff.changes.list)
		change->risk = risk_of(change);
	for (size_t i = 0; i < plan->input.n_servers; i++)
		act(plan, &plan->input.servers[i], changes);
	free((void *)changes);
}
