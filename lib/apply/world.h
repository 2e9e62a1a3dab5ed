/*
 * The world of one transaction: the servers it may touch, and looking at them.
 */
#ifndef MR_APPLY_WORLD_H
#define MR_APPLY_WORLD_H

#include "plan/plan.h"

struct mr_world {
	struct mr_diags *diags;
	const struct mr_host *host;
	struct mr_state *state;
	const struct mr_plan_server *servers;
	size_t n_servers;
	const bool *was_well; /* each server, before anything was touched; NULL: not known */
	void (*progress)(
	        void *arg, const char *what, uint64_t done, uint64_t total); /* may be NULL */
	void *progress_arg;
};

void mr_world_progress(
        const struct mr_world *world, const char *what, uint64_t done, uint64_t total);
/* The server behind a collection. MR_E_CONFIG, reported, when it is not managed on this host any
 * more. */
MR_CHECK int mr_world_find(const struct mr_world *world, const struct mr_collection *in,
        const struct mr_plan_server **out);
/* STATE/txn/RUN/PROVIDER, NUL terminated. */
const char *mr_world_work_directory(
        const struct mr_world *world, struct mr_arena *arena, int64_t txn, const char *provider);

/* Called for each change with the body that is live now; data == NULL: not there. */
typedef int mr_world_seen(void *arg, struct mr_change *change, mr_str live);
/* Reads the items of the changes from the servers themselves. The changes must be in the order of
 * struct mr_changes. Stops at the first result of fn that is not 0 and returns it. */
MR_CHECK int mr_world_look(const struct mr_world *world, struct mr_change *changes, size_t n,
        mr_world_seen *fn, void *arg);

enum mr_side { MR_SIDE_BEFORE, MR_SIDE_AFTER };
/* Compares what is live with one side of each change. *out_n_other counts those that differ; each
 * is an error with object and attribute. what: how the sentence begins, "is not as it was before".
 */
MR_CHECK int mr_world_compare(const struct mr_world *world, struct mr_change *changes, size_t n,
        enum mr_side side, const char *what, size_t *out_n_other);
/* Compares with the before side as planned and puts the clear body that is live in its place (in
 * arena). MR_E_STALE, each object and attribute reported, when something was changed meanwhile. */
MR_CHECK int mr_world_recheck(
        const struct mr_world *world, struct mr_arena *arena, struct mr_change *changes, size_t n);

#endif
