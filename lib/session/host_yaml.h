/*
 * agent.yaml as located pairs: the file is two levels deep, so that is all that is read.
 */
#ifndef MR_SESSION_HOST_YAML_H
#define MR_SESSION_HOST_YAML_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/vec.h"

struct mr_host_pair {
	mr_str section; /* empty for keys of the top level */
	mr_str key;
	mr_str value; /* empty with is_section for "postfix: {}" or "postfix:" */
	bool is_section;
	bool is_plain;
	struct mr_loc loc; /* of the key */
};

struct mr_host_pairs {
	MR_VEC(struct mr_host_pair) list;
};

/* Reports every structural error; MR_E_CONFIG. The pairs' views live in the arena. */
MR_CHECK int mr_host_pairs_load(struct mr_diags *diags, struct mr_arena *arena, const char *path,
        struct mr_host_pairs *out);

#endif
