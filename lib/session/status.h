/*
 * What status tells, gathered before it is written.
 */
#ifndef MR_SESSION_STATUS_H
#define MR_SESSION_STATUS_H

#include "session/contending.h"
#include "session/health.h"
#include "session/pausing.h"

enum { MR_STATUS_QUARANTINED = 10 };

/* The agent that stays, as its own note says. */
struct mr_agent_seen {
	bool is_running;
	int64_t pid, started, next_try;
	mr_str doing, last_error;
};

struct mr_standing {
	struct mr_applied applied;
	struct mr_record last;
	bool has_last;
	bool is_open;     /* an apply was interrupted: nobody is at work on it */
	bool is_applying; /* somebody is */
	enum mr_health health;
	bool is_paused;
	struct mr_pause pause;
	struct mr_quarantined *quarantined;
	size_t n_quarantined;
	struct mr_contended *contended;
	size_t n_contended;
	struct mr_observed observed;
	struct mr_agent_seen agent;
};

/* Release with mr_observed_done(&out->observed). */
MR_CHECK int mr_standing_gather(struct mailreeve *session, struct mr_standing *out);
/* agent_note.c */
void mr_agent_look(struct mailreeve *session, struct mr_agent_seen *out);

#endif
