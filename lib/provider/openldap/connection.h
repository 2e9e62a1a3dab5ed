/*
 * One connection to the directory: options, TLS, bind, and what its result codes mean to us.
 */
#ifndef MR_OPENLDAP_CONNECTION_H
#define MR_OPENLDAP_CONNECTION_H

#include <ldap.h>

#include "base/arena.h"
#include "base/diag.h"
#include "provider/provider.h"

/* Success of a request that carried the no-op control. */
#define MR_LDAP_NO_OPERATION 0x410e
#define MR_LDAP_CONTROL_NOOP "1.3.6.1.4.1.4203.666.5.2"

struct mr_ldap {
	struct mr_diags *diags;
	const struct mr_host_ldap *host;
	LDAP *handle;    /* NULL: not connected */
	bool tries_once; /* a server that is away is not waited for */
};

/* Connects and binds unless that was done already. A server that is away is tried again for some
 * seconds. MR_E_UNREADABLE with its words; MR_E_CONFIG when our own configuration is at fault. */
MR_CHECK int mr_ldap_connect(struct mr_ldap *ldap);
void mr_ldap_disconnect(struct mr_ldap *ldap);

/* The server or the way to it failed for the moment: connect again and look. */
bool mr_ldap_is_transient(int result);
/* Reports "cannot WHAT 'DN' on 'URI': meaning (result): words" and returns code. words may be NULL.
 */
int mr_ldap_fail(
        struct mr_ldap *ldap, int code, const char *what, mr_str dn, int result, const char *words);

/* What a final result message says. words are copied into arena. */
struct mr_ldap_result {
	int code;
	mr_str words;
	mr_str matched;
	LDAPControl **controls; /* released by mr_ldap_result_done */
};
void mr_ldap_result_read(struct mr_ldap *ldap, LDAPMessage *message, struct mr_arena *arena,
        struct mr_ldap_result *out);
void mr_ldap_result_done(struct mr_ldap_result *result);

/* Waits a moment before the n-th new try; false when the deadline has passed. */
bool mr_ldap_pause(unsigned n_tries, int64_t deadline_ms);

#define MR_LDAP_RETRY_MS 5000

#endif
