/*
 * The inside of a desired state: rows, the view of one host, and the few things that are kept in
 * memory.
 */
#ifndef MR_SOURCE_STATE_H
#define MR_SOURCE_STATE_H

#include "model/desired.h"
#include "model/policy.h"
#include "source/merge.h"

/* What users need to know of their domain. */
struct mr_domain_facts {
	mr_str name;
	enum mr_domain_kind kind;
	enum mr_domain_state state;
	struct mr_merged_leaf *defaults; /* ids are those of a user */
	size_t n_defaults;
	bool has_catch_all;
	mr_str alias_of;
	enum mr_recipients recipients;
};

struct mr_secret {
	mr_str name;
	mr_str value;
};

struct mr_desired {
	struct mr_rows *rows;
	struct mr_paths paths;
	struct mr_view view;
	int64_t today_days;
	struct mr_accounts accounts;
	struct mr_policy policy;
	struct mr_digest digest;
	struct mr_domain_facts *domains; /* by name */
	size_t n_domains;
	struct mr_merged_leaf *defaults; /* of the repository, for every user */
	size_t n_defaults;
	struct mr_secret *secrets; /* by name */
	size_t n_secrets;
	struct mr_iter found_user, found_domain; /* of the last look-ups */
	struct mr_arena arena;
};

/* The rows as the host of this state sees them. */
static inline struct mr_layers mr_layers_of(const struct mr_desired *desired)
{
	return (struct mr_layers){desired->rows, &desired->view, &desired->paths};
}

/* What a user's leaf is when all defaults are in: NULL when nobody says anything. */
const struct mr_merged_leaf *mr_user_leaf(const struct mr_desired *desired,
        const struct mr_domain_facts *domain, const struct mr_object *object, unsigned id,
        const char **out_origin);
const struct mr_domain_facts *mr_domain_facts_find(const struct mr_desired *desired, mr_str name);
/* The domain of an address. */
mr_str mr_address_domain(mr_str address);

/* Typed objects out of merged ones; views live in the arena and as long as the object. */
void mr_user_from(const struct mr_desired *desired, const struct mr_object *object,
        struct mr_arena *arena, struct mr_user *out);
void mr_alias_from(const struct mr_desired *desired, const struct mr_object *object,
        struct mr_arena *arena, struct mr_alias *out);
void mr_domain_from(const struct mr_desired *desired, const struct mr_object *object,
        struct mr_arena *arena, struct mr_domain *out);

/* Reads what is kept in memory: view of the host, accounts, defaults, domains, policy. Reports what
 * does not merge when diags is given. */
MR_CHECK int mr_desired_load(struct mr_desired *desired, struct mr_diags *diags, mr_str host);
/* The value of a resolved secret; false when it is not there. */
bool mr_secret_find(const struct mr_desired *desired, mr_str name, mr_str *out);

/* Whether a secret stands in the leaf. */
bool mr_leaf_is_sensitive(const struct mr_leaf *leaf);
/* A leaf with a single value: its parts in one, secrets resolved; empty when one of them is not. */
mr_str mr_leaf_value(
        const struct mr_desired *desired, struct mr_arena *arena, const struct mr_leaf *leaf);
/* The items of a list leaf, local parts completed; sorted and without repetitions when is_set.
 * Secrets that are not resolved are left out. */
struct mr_strs mr_leaf_strs(const struct mr_desired *desired, struct mr_arena *arena,
        const struct mr_merged_leaf *leaf, mr_str domain, bool is_set);

#endif
