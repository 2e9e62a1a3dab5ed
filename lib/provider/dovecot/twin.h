/*
 * The twin's own types; see twin.c.
 */
#ifndef MR_DOVECOT_TWIN_H
#define MR_DOVECOT_TWIN_H

#include "dovecot/dovecot.h"

struct mr_twin {
	struct mr_backend *backend;
	struct mr_arena arena;
	char folder[64]; /* "" until it was made */
	const char *config;
	const char *user;
	char password[33];
	uid_t uid;
	gid_t gid;
	unsigned imap_port;
	bool has_imap, has_lmtp, has_own_users;
};

/* talk.c: log-in and SELECT by IMAP, RCPT by LMTP. MR_E_REJECTED with what the twin said. */
MR_CHECK int mr_twin_speak(struct mr_twin *twin);

#endif
