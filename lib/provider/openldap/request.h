/*
 * Sending the requests of one wave, many in flight.
 */
#ifndef MR_OPENLDAP_REQUEST_H
#define MR_OPENLDAP_REQUEST_H

#include "openldap/judge.h"

struct mr_ldap_wave {
	struct mr_backend *backend;
	struct mr_ldap_operation *operations; /* no two on one entry, none above another */
	size_t n;
	struct mr_arena *arena;
	bool is_undo;
	bool is_trial;   /* with the no-op control: the server judges and does nothing; only updates
	                    are sent */
	bool is_stopped; /* a request was refused for good: no further ones were sent */
};

/* A result after which only the live entry tells whether the change is done, may be tried again or
 * is in conflict. */
bool mr_ldap_is_for_a_look(int result);

/* Sends all that are TODO and takes the answers: afterwards each is DONE or UNSURE with result and
 * words. A connection that breaks makes all that was under way UNSURE. MR_E_FAILED only for what is
 * wrong on our side. */
MR_CHECK int mr_ldap_wave_send(struct mr_ldap_wave *wave);

#endif
