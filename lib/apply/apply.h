/*
 * The transaction: S0 to S9, undo, recovery (docs/architecture.md, "How a change reaches the
 * servers").
 */
#ifndef MR_APPLY_APPLY_H
#define MR_APPLY_APPLY_H

#include "plan/plan.h"

struct mr_timing;

struct mr_apply_input {
	struct mr_diags *diags;
	const struct mr_host *host;
	struct mr_state *state; /* opened as writer: S0 */
	struct mr_plan *plan;
	struct mr_desired *desired; /* for its policy at the decision */
	const struct mr_plan_server *servers;
	size_t n_servers;
	mr_str verb, who, ref, commit, tree, subject, allowed;
	bool is_partial; /* --only: what was applied before stays the last applied commit */
	const char *version;
	uint64_t confirm_within_seconds; /* S7: 0 for none */
	void (*notice)(void *arg,
	        const char *text); /* told at once what a person must know; may be NULL */
	void (*progress)(void *arg, const char *what, uint64_t done, uint64_t total);
	/* Asked between steps until everything is written: true undoes what was begun. May be NULL
	 */
	bool (*is_stopping)(void *arg);
	void *progress_arg;
	struct mr_timing *timing; /* what the steps took; may be NULL */
};

struct mr_apply_result {
	int64_t run; /* its history record */
	int code;    /* 0, MR_E_ROLLED_BACK, MR_E_STUCK, MR_E_REJECTED (nothing touched), … */
};

/* Carries the plan out. On failure after S2 everything done is undone, read back and compared.
 * Writes the history record in every case. The return value is result.code. */
MR_CHECK int mr_apply(const struct mr_apply_input *input, struct mr_apply_result *out);

/* Before anything else of a writer: undoes an open transaction without a decision, finishes one
 * with it. *out_was_open tells whether there was one. MR_E_STUCK when an item is neither before nor
 * after: listed in diags. */
MR_CHECK int mr_recover(struct mr_diags *diags, const struct mr_host *host, struct mr_state *state,
        const struct mr_plan_server *servers, size_t n_servers, bool *out_was_open);
/* A person says that what is live now stands: forgets a transaction that is stuck, without touching
 * any item. Its commit stays in quarantine and the history keeps who said so. Without one nothing
 * is done. */
MR_CHECK int mr_recover_accept(struct mr_diags *diags, const struct mr_host *host,
        struct mr_state *state, const struct mr_plan_server *servers, size_t n_servers, mr_str who);
/* A person's word that the change on probation stays. MR_E_USAGE when this run is not on probation.
 */
MR_CHECK int mr_confirm(struct mr_diags *diags, const char *directory, int64_t run);
/* Whether a transaction is open (for readers: status). */
MR_CHECK int mr_apply_is_open(struct mr_state *state, bool *out);

/* Fault injection for the tests: MAILREEVE_CRASH_AT=S3:2 in the environment kills the process
 * (SIGKILL to itself) at the second passing of that point, MAILREEVE_STOP_AT halts it there
 * (SIGSTOP) until somebody continues it. Only in builds with MR_FAULT_POINTS. */
void mr_fault_point(const char *step);

#endif
