/*
 * The state of the OpenLDAP backend, and what its files share.
 */
#ifndef MR_OPENLDAP_BACKEND_H
#define MR_OPENLDAP_BACKEND_H

#include "base/vec.h"
#include "openldap/connection.h"
#include "openldap/schema.h"
#include "provider/provider.h"

struct mr_ldap_tree_info {
	mr_str dn;
	mr_str key;
	bool is_exclusive;
};

/* A DN whose spelling cannot be had from its key, since its naming attribute knows upper from lower
 * case. */
struct mr_ldap_exact_dn {
	mr_str key;
	mr_str dn;
};

struct mr_backend {
	struct mr_ldap ldap;
	struct mr_diags *diags;
	struct mr_cache *cache;
	uint8_t seal_key[32];
	struct mr_arena arena;
	struct mr_ldap_schema *schema; /* NULL before the first contact */
	struct mr_strs contexts;       /* naming contexts, as the server writes them */
	mr_str *context_keys;
	mr_str version;
	bool has_assertion;
	MR_VEC(struct mr_ldap_tree_info) trees;
	MR_VEC(struct mr_collection) collections;
	MR_VEC(struct mr_ldap_exact_dn) exact_dns; /* in key order */
	MR_VEC(mr_str)
	holders; /* keys of declared entries that are a tree's root or above one; in key order */
	bool has_asked_who; /* both below were asked for */
	mr_str identity;    /* who the server takes us for; empty: not known */
	mr_str log;         /* the suffix of its log of accesses; empty: none that we may read */
	uint64_t n_entries;
	enum mr_completeness read;
};

/* Connects, and at the first contact reads root DSE and schema. */
MR_CHECK int mr_ldap_ready(struct mr_backend *backend);

/* The naming context that holds the key: an index, or contexts.n. */
size_t mr_ldap_context_of(const struct mr_backend *backend, mr_str key);
/* The most specific declared tree that holds the key: an index, or trees.n. */
size_t mr_ldap_tree_of(const struct mr_backend *backend, mr_str key);
/* Whether the live entry of that key is an item of the tree: not if a more specific tree holds it,
 * nor if it only carries trees and is not declared, for then it must stay. */
bool mr_ldap_tree_has(
        const struct mr_backend *backend, const struct mr_ldap_tree_info *tree, mr_str key);
/* The tree of a collection, whether it is declared or only owned. */
MR_CHECK int mr_ldap_tree_find(struct mr_backend *backend, const struct mr_collection *in,
        struct mr_arena *arena, struct mr_ldap_tree_info *out);

/* A DN that the server understands for a key; NUL terminated. */
mr_str mr_ldap_dn_of_key(const struct mr_backend *backend, struct mr_arena *arena, mr_str key);
/* The DN of a change; NUL terminated. */
mr_str mr_ldap_dn_of_change(
        const struct mr_backend *backend, struct mr_arena *arena, const struct mr_change *change);

/* The declared entry of that key is a tree's root or above one. */
bool mr_ldap_is_holder_declared(const struct mr_backend *backend, mr_str key);

/* The operations of the contract, by file. */
int mr_ldap_collections(
        struct mr_backend *backend, struct mr_desired *desired, struct mr_collections *out);
int mr_ldap_project(struct mr_backend *backend, const struct mr_collection *in,
        struct mr_desired *desired, struct mr_cursor *out);
int mr_ldap_observe(struct mr_backend *backend, const struct mr_collection *in,
        const struct mr_strs *only, struct mr_cursor *out);
void mr_ldap_who(struct mr_backend *backend, const struct mr_trace_of *of, struct mr_arena *arena,
        struct mr_trace *out);
int mr_ldap_stage(struct mr_backend *backend, const struct mr_change *const *changes, size_t n,
        const char *work_directory);
int mr_ldap_apply(struct mr_backend *backend, const struct mr_change *const *changes, size_t n,
        const char *work_directory, bool is_undo);

#endif
