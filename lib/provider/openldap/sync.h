/*
 * What moved since a moment that a cookie names, and what moves from now on: content
 * synchronisation (RFC 4533).
 */
#ifndef MR_OPENLDAP_SYNC_H
#define MR_OPENLDAP_SYNC_H

#include "openldap/backend.h"

#define MR_LDAP_UUID_SIZE 16

struct mr_ldap_sync {
	mr_str dn; /* of the tree; NUL terminated */
	mr_str cookie;
	char *const *attributes;
	/* An entry that was added or changed; the message is released afterwards. */
	int (*on_entry)(void *arg, LDAPMessage *entry, mr_str uuid);
	/* The 16 bytes of an entry that is gone, or that is there as before. */
	int (*on_uuid)(void *arg, mr_str uuid, bool is_gone);
	void *arg;
	bool persists; /* the search goes on after the refresh. What is deleted then comes by
	                  on_entry, as a name without attributes */
};

/* A cookie for the moment of a suffix's contextCSNs, blank separated. */
mr_str mr_ldap_sync_cookie(struct mr_arena *arena, mr_str csns);

/* *out_names_gone: everything that is gone was named; else what was named neither as changed nor as
 * there is gone. MR_E_NOT_FOUND without a diagnostic when the server cannot tell: then the whole
 * must be read. */
MR_CHECK int mr_ldap_sync_run(
        struct mr_ldap *ldap, const struct mr_ldap_sync *sync, bool *out_names_gone);

/* A search that persists: its number among those of the connection, or MR_E_NOT_FOUND. */
MR_CHECK int mr_ldap_sync_start(struct mr_ldap *ldap, const struct mr_ldap_sync *sync, int *out_id);

enum mr_ldap_sync_step {
	MR_SYNC_GOES_ON,
	MR_SYNC_IS_REFRESHED, /* what comes next is as it happens */
	MR_SYNC_ENDED,        /* by the server; *out_result says why */
};
/* Takes one message of a search that persists. Outside the refresh on_entry is called. */
MR_CHECK int mr_ldap_sync_take(struct mr_ldap *ldap, const struct mr_ldap_sync *sync,
        LDAPMessage *message, enum mr_ldap_sync_step *out_step, int *out_result);

#endif
