/*
 * What moved since a moment that a cookie names: the refresh stage of content synchronisation (RFC
 * 4533).
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
};

/* *out_names_gone: everything that is gone was named; else what was named neither as changed nor as
 * there is gone. MR_E_NOT_FOUND without a diagnostic when the server cannot tell: then the whole
 * must be read. */
MR_CHECK int mr_ldap_sync_run(
        struct mr_ldap *ldap, const struct mr_ldap_sync *sync, bool *out_names_gone);

#endif
