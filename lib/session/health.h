/*
 * How things stand, in one word.
 */
#ifndef MR_SESSION_HEALTH_H
#define MR_SESSION_HEALTH_H

#include "session/observed.h"

/* X(name, word, seconds until people are told, meaning) */
#define MR_HEALTHS(X)                                                                              \
	X(HEALTHY, "healthy", 0, "the newest commit is live, or nothing is wrong")                 \
	X(NEVER_APPLIED, "never applied", 0, "nothing was applied on this host yet")               \
	X(REFUSED, "refused", 0, "a rail, a policy, quarantine or a rewritten branch is against")  \
	X(FAILED, "failed", 0, "the last sync failed; what was live before is live")               \
	X(STUCK, "stuck", 0, "an apply failed and could not be taken back wholly")                 \
	X(INTERRUPTED, "interrupted", 0, "an apply was interrupted and is not ended yet")          \
	X(UNTRUSTED, "untrusted", 0, "the state database is damaged, or older than its anchor")    \
	X(WAITING, "waiting", 3600, "syncs wait: the repository is away, a window is closed")      \
	X(PAUSED, "paused", 0, "a person paused applies")                                          \
	X(CONTENDED, "contended", 0, "somebody else keeps changing what is put back")

enum mr_health {
#define MR_HEALTH_ID(id, word, delay, meaning) MR_HEALTH_##id,
	MR_HEALTHS(MR_HEALTH_ID)
#undef MR_HEALTH_ID
	        MR_HEALTH_COUNT
};

const char *mr_health_word(enum mr_health health);
int64_t mr_health_delay_seconds(enum mr_health health);
/* By an exit status of a sync. */
enum mr_health mr_health_of_status(int status);
/* Now: by the state that is open and what was observed. */
enum mr_health mr_session_health(struct mailreeve *session, const struct mr_observed *observed);
/* 1 paused, 0 not, -1 not known. */
int mr_session_is_paused(struct mailreeve *session);

#endif
