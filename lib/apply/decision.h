/*
 * The decision (S8) and the history of runs.
 */
#ifndef MR_APPLY_DECISION_H
#define MR_APPLY_DECISION_H

#include "apply/apply.h"
#include "apply/journal.h"
#include "apply/world.h"

/* How a run ended, for its history record. */
struct mr_outcome {
	const char *result; /* a word of struct mr_record */
	int code;
	mr_str detail;
	int64_t started;
};

/* One database transaction: the journal's decision (txn may be NULL: nothing was to be done), what
 * is owned from now on, who is retired, the applied state and the history record. steps: what was
 * carried out. */
MR_CHECK int mr_decide(const struct mr_apply_input *input, struct mr_txn *txn,
        const struct mr_changes *steps, int64_t started, int64_t *out_run);
/* The history record of a run that came to nothing. *out_run stays 0 when it cannot be written: a
 * warning. */
void mr_decide_against(
        const struct mr_apply_input *input, const struct mr_outcome *outcome, int64_t *out_run);

#endif
