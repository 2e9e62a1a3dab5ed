/*
 * One run of a verb that changes servers: take the lock, recover, make a plan, let the rails judge
 * it, ask, carry it out.
 */
#ifndef MR_SESSION_RUN_H
#define MR_SESSION_RUN_H

#include "apply/timing.h"
#include "session/session.h"

struct mr_session_run {
	struct mailreeve *session;
	const struct mailreeve_apply_options *options;
	const char *verb;
	struct mr_planning how;
	struct mr_wanted wanted;
	struct mr_plan *plan;
	struct mr_buf shown; /* the plan as text in the asked format */
	int64_t began;       /* time of day */
	int64_t began_ms;    /* monotonic */
	struct mr_timing timing;
	bool is_telling;     /* receivers of notices are told at the end */
	int64_t last_before; /* the newest run on record when this one began, or 0 */
	bool is_begun;
	bool was_open;   /* an interrupted transaction was found and ended */
	int64_t applied; /* the run that the apply put on record, or 0 */
};

/* S0 and recovery: nothing else is done while a transaction is open. */
MR_CHECK int mr_session_run_begin(struct mr_session_run *run);
/* From a made plan to the servers. */
MR_CHECK int mr_session_run_execute(struct mr_session_run *run);
/* Puts on record what failed or was refused, gives the result, releases everything, and turns the
 * code into an exit status. */
int mr_session_run_end(struct mr_session_run *run, int code, struct mailreeve_text *out);

#endif
