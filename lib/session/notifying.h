/*
 * When receivers are told, and of what.
 */
#ifndef MR_SESSION_NOTIFYING_H
#define MR_SESSION_NOTIFYING_H

#include "session/session.h"

/* Tells each receiver of agent.yaml whatever is another state than it was told last. The state must
 * be open. What cannot be told is a warning, and tried again the next time. */
void mr_session_notify(struct mailreeve *session);

#endif
