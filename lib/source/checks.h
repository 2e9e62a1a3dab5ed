/*
 * Cross checks: what can only be judged when all files are known. All of them report everything
 * they find.
 *
 * Every kind is scanned exactly once; the same scan merges (and reports what does not merge),
 * checks, and digests what is declared, places aside.
 */
#ifndef MR_SOURCE_CHECKS_H
#define MR_SOURCE_CHECKS_H

#include "base/digest.h"
#include "source/state.h"

struct mr_check {
	struct mr_desired *desired;
	struct mr_diags *diags;
	bool is_partial;   /* the syntax of some file is lost: do not report what may stand in it */
	bool is_all_hosts; /* no host was given: judge the layers of all of them */
	struct mr_hash hash;
	struct mr_buf bytes; /* to be digested */
};

/* All checks in their order; <0 only when the store failed. The digest goes into the state. */
MR_CHECK int mr_check_all(struct mr_check *check, mr_str host, bool is_host_bound);

/* A scan for checking: mr_objects that reports, and digests each object. */
MR_CHECK int mr_check_begin(struct mr_check *check, enum mr_kind_id kind, struct mr_objects *out);
MR_CHECK int mr_check_next(
        struct mr_check *check, struct mr_objects *objects, const struct mr_object **out);

/* The parts. */
MR_CHECK int mr_check_hosts(struct mr_check *check, mr_str host, bool is_host_bound);
MR_CHECK int mr_check_domains(struct mr_check *check);
MR_CHECK int mr_check_members(struct mr_check *check);
MR_CHECK int mr_check_servers(struct mr_check *check);
MR_CHECK int mr_check_policy(struct mr_check *check);

/* What the users of a domain come to. */
struct mr_domain_totals {
	uint64_t users;
	uint64_t quota_bytes;
	bool is_unlimited;
};
void mr_check_limits(struct mr_check *check, const struct mr_object *object,
        const struct mr_domain_totals *totals);
void mr_check_postmaster(
        struct mr_check *check, const struct mr_object *object, bool has_postmaster);

/* One user by itself: password, folder. */
void mr_check_user(
        struct mr_check *check, const struct mr_object *object, const struct mr_user *user);
/* Reports a password whose scheme may not be used. */
void mr_check_password(struct mr_desired *desired, struct mr_diags *diags, const struct mr_loc *loc,
        mr_str object, mr_str password);

/* secrets.c: resolves every secret that this host needs, reporting those that are missing.
 * MR_E_INVALID then. */
struct mr_tree;
MR_CHECK int mr_secrets_resolve(struct mr_desired *desired, struct mr_diags *diags,
        const char *directory, struct mr_tree *tree);

#endif
