/*
 * A person's word that nothing is to be applied for a while. It stands in a file of its own, so
 * that it can be said while an apply is under way, and when the state database is damaged.
 */
#ifndef MR_SESSION_PAUSING_H
#define MR_SESSION_PAUSING_H

#include "session/session.h"

struct mr_pause {
	mr_str reason, who;
	int64_t since, until; /* seconds since 1970 */
};
/* 1 paused, and *out (views into the session's arena); 0 not, or not any more; -1: this process may
 * not know. A file that cannot be understood counts as a pause without an end. */
int mr_pause_find(struct mailreeve *session, struct mr_pause *out);
/* MR_E_BUSY, with who said so, why and until when. */
MR_CHECK int mr_pause_check(struct mailreeve *session);

#endif
