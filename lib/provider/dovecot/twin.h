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

/* twin_ports.c: a port of this machine that nobody listened at a moment ago; 0 when there is none.
 */
unsigned mr_twin_free_port(void);
/* MR_E_REJECTED when a listener that the live configuration does not have wants a port that another
 * program holds: a reload would lose the listener without a word. */
MR_CHECK int mr_twin_check_ports(struct mr_twin *twin, const struct mr_dovecot_settings *effective);

#endif
