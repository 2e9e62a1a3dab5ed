/*
 * Searches, many in flight on one connection.
 */
#ifndef MR_OPENLDAP_SEARCH_H
#define MR_OPENLDAP_SEARCH_H

#include "base/attrs.h"
#include "openldap/backend.h"

struct mr_ldap_search {
	const mr_str *dns; /* NUL terminated */
	size_t n;
	int scope;
	const char *filter;      /* NULL: every entry */
	char *const *attributes; /* NULL-terminated */
	/* One entry of the index-th DN; the message is released afterwards. <0 ends the search with
	 * that. */
	int (*on_entry)(void *arg, size_t index, LDAPMessage *entry);
	void *arg;
};

/* All n searches to their end. A base search of what is not there just gives no entry; with other
 * scopes that is MR_E_NOT_FOUND without a diagnostic. Anything but a complete answer is
 * MR_E_UNREADABLE with the server's words: limits, referrals, no right to read. A connection that
 * breaks is made again, unless entries of a larger search were handed out already. */
MR_CHECK int mr_ldap_search_run(struct mr_ldap *ldap, const struct mr_ldap_search *search);

/* An entry as a message holds it; views live as long as the message and the builder's content. */
struct mr_ldap_live {
	mr_str dn;
	mr_str body;                   /* user attributes under the server's names */
	mr_str csn, uuid, context_csn; /* empty: not asked for; of contextCSN the first */
	bool has_children;
};
MR_CHECK int mr_ldap_live_read(struct mr_backend *backend, LDAPMessage *message,
        struct mr_attrs_builder *builder, struct mr_ldap_live *out);

#endif
