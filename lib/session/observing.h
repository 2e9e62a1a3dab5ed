/*
 * Noting what was seen, where it happens.
 */
#ifndef MR_SESSION_OBSERVING_H
#define MR_SESSION_OBSERVING_H

#include "session/run.h"

/* The end of a run: what it came to, what it changed, how long it took. */
void mr_session_observe_run(const struct mr_session_run *run, int code);
/* Whether a run of that kind puts back what others changed on that server. */
bool mr_session_heals(
        const struct mailreeve *session, const struct mr_planning *how, const char *server);
/* Drift that a plan found, row by row. */
void mr_session_observe_drift(struct mailreeve *session, const struct mr_plan *plan);

#endif
