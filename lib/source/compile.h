/*
 * From files to the desired state: parse what is not cached, merge, overlay the host, default,
 * check.
 */
#ifndef MR_SOURCE_COMPILE_H
#define MR_SOURCE_COMPILE_H

#include "base/diag.h"
#include "model/desired.h"
#include "model/policy.h"
#include "source/tree.h"

struct mr_compile_options {
	const char *cache_path; /* SQLite file of rows by blob id; NULL: nothing is kept */
	mr_str host; /* host name for roles/hosts; empty: validate all hosts, take common sections
	              */
	const char *secrets_directory; /* "": the host has none; NULL: secrets are not resolved */
	int64_t today_days;            /* for expiry: days since 1970-01-01, UTC */
	bool is_host_bound;            /* an unlisted host is an error */
};

/* What was parsed and what came from the cache: shown by --verbose and asserted by tests. */
struct mr_compile_stats {
	size_t n_files, n_parsed, n_cached;
};

/* All errors of the repository go to diags, sorted; then MR_E_INVALID and no state. Warnings do not
 * fail. */
MR_CHECK int mr_compile(struct mr_diags *diags, struct mr_tree *tree,
        const struct mr_compile_options *options, struct mr_desired **out,
        struct mr_compile_stats *out_stats);
void mr_desired_close(struct mr_desired *desired);

/* A state that declares nothing: what was before the first run. */
MR_CHECK int mr_desired_open_empty(struct mr_diags *diags, struct mr_desired **out);

/* Which lines decide an object's attributes (verb why). */
struct mr_explained {
	mr_str attribute;
	mr_str value; /* "(secret)" when sensitive */
	struct mr_loc loc;
	const char *origin; /* "declared", "default of the domain", "default of the repository",
	                       "built in" */
};
/* Calls fn for each attribute, by name. MR_E_NOT_FOUND when the object is not declared. */
MR_CHECK int mr_desired_explain(struct mr_desired *desired, mr_str object,
        void (*fn)(void *arg, const struct mr_explained *explained), void *arg);
/* Nearest declared object names, for "did you mean": at most n, number returned. */
size_t mr_desired_nearest(
        struct mr_desired *desired, mr_str object, struct mr_arena *arena, mr_str *out, size_t n);

#endif
