/*
 * A change against the live entry: is it done, can it be done, or did somebody else step in.
 */
#ifndef MR_OPENLDAP_JUDGE_H
#define MR_OPENLDAP_JUDGE_H

#include "openldap/backend.h"

enum mr_ldap_verdict { MR_LDAP_AS_AFTER, MR_LDAP_AS_BEFORE, MR_LDAP_NEITHER };

/* live.data == NULL: the entry is not there. out_attribute: with NEITHER, the attribute that is at
 * odds; empty when it is the entry itself. */
enum mr_ldap_verdict mr_ldap_judge(const struct mr_backend *backend, const struct mr_change *change,
        mr_str dn, mr_str live, mr_str *out_attribute);
/* Reports the conflict and returns MR_E_CONFLICT. */
int mr_ldap_report_conflict(
        struct mr_backend *backend, const struct mr_change *change, mr_str dn, mr_str attribute);

/* A change on its way. */
enum mr_ldap_state {
	MR_LDAP_TODO,
	MR_LDAP_UNDER_WAY,
	MR_LDAP_UNSURE,
	MR_LDAP_DONE,
	MR_LDAP_CONFLICT
};
struct mr_ldap_operation {
	const struct mr_change *change;
	mr_str dn; /* NUL terminated */
	size_t depth;
	enum mr_ldap_state state;
	/* the live entry as last read; data == NULL: not there */
	mr_str live;
	mr_str csn;
	bool has_children;
	/* the request */
	int message_id;
	unsigned n_tries;
	int result;
	mr_str words;
};
/* Reads the live entries of those operations that are TODO or UNSURE, into arena. */
MR_CHECK int mr_ldap_look(struct mr_backend *backend, struct mr_ldap_operation *operations,
        size_t n, struct mr_arena *arena);

#endif
