/*
 * Who made the drift: asked of the backends for the drifted rows alone, and for not too many of
 * them.
 */
#include "plan/parts.h"

enum { MOST_TRACES = 100 };

static int64_t applied_at(const struct mr_plan *plan)
{
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_applied applied = {0};
	int code = plan->input.state ? mr_state_applied(plan->input.state, &arena, &applied) : 0;

	mr_arena_done(&arena);
	return code ? 0 : applied.when;
}

static bool is_there(const struct mr_plan *plan, const struct mr_drift *drift)
{
	/* a row of an item that is gone says so of every attribute: one that is there will do */
	mr_vec_each (other, &plan->diff.drift) {
		if (other->in == drift->in && mr_str_eq(other->key, drift->key) &&
		        other->live.n_values > 0)
			return true;
	}
	return false;
}

void mr_plan_trace(struct mr_plan *plan)
{
	int64_t when = plan->diff.drift.n > 0 ? applied_at(plan) : 0;
	size_t n = 0;

	mr_vec_each (drift, &plan->diff.drift) {
		const struct mr_plan_collection *from =
		        (const struct mr_plan_collection *)(const void *)drift->in;
		struct mr_trace_of of = {.in = drift->in,
		        .key = drift->key,
		        .attribute = drift->attribute,
		        .applied_at = when};

		if (n++ == MOST_TRACES)
			return;
		if (!from->server->provider->who)
			continue;
		of.is_live = is_there(plan, drift);
		from->server->provider->who(
		        from->server->backend, &of, &plan->arena, &drift->trace);
	}
}
