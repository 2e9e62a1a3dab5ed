/*
 * Looking on while others write: what the files of the watch share.
 */
#ifndef MR_OPENLDAP_WATCH_H
#define MR_OPENLDAP_WATCH_H

#include "openldap/backend.h"

/* What a tree was at the last scan; zero before the first. */
struct mr_ldap_scan {
	bool is_known;
	uint64_t sum; /* over names and entryCSNs, in whatever order they come */
	char newest[64];
	int64_t next_ms; /* when to look again */
};

/* Blocks until it is stopped. */
MR_CHECK int mr_ldap_watch(struct mr_backend *backend, const struct mr_provider_watch *options);
/* Reads names and entryCSNs of a tree and tells what moved since the last scan. */
MR_CHECK int mr_ldap_watch_scan(struct mr_backend *backend, const struct mr_provider_watch *options,
        mr_str dn, struct mr_ldap_scan *scan);
/* Tells of an entry: its name, and its modifiersName where that came with it. */
void mr_ldap_watch_tell(
        LDAP *handle, const struct mr_provider_watch *options, LDAPMessage *message, mr_str dn);

#endif
