/*
 * Probes: the mail system asked from outside, before and after a change.
 */
#ifndef MR_APPLY_PROBE_H
#define MR_APPLY_PROBE_H

#include "apply/world.h"

/* What was seen before anything was touched: an old fault does not block, only a new one reverts.
 */
struct mr_probe;

/* Asks everything; faults that are there already become warnings. Never fails. */
struct mr_probe *mr_probe_before(const struct mr_world *world, const struct mr_plan *plan);
/* Asks again. MR_E_FAILED for what was well before and is not now, or is not as the plan says;
 * reported. */
MR_CHECK int mr_probe_after(
        const struct mr_world *world, const struct mr_plan *plan, const struct mr_probe *before);
/* Which servers said that they were well, each in the order of world->servers. */
const bool *mr_probe_well(const struct mr_probe *probe);
void mr_probe_free(struct mr_probe *probe);

#endif
