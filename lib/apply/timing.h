/*
 * How long the steps of a transaction took.
 */
#ifndef MR_APPLY_TIMING_H
#define MR_APPLY_TIMING_H

#include "base/buf.h"
#include "base/json.h"

/* X(name, what is done in it) */
#define MR_STEPS(X)                                                                                \
	X(S0, "look again")                                                                        \
	X(S1, "stage and check")                                                                   \
	X(S2, "journal")                                                                           \
	X(S3, "directory")                                                                         \
	X(S4, "files and tables")                                                                  \
	X(S5, "activate")                                                                          \
	X(S6, "read back and probe")                                                               \
	X(S7, "wait for a person")                                                                 \
	X(S8, "decide")                                                                            \
	X(S9, "late deletes")                                                                      \
	X(undo, "take back")

enum mr_step {
#define MR_STEP_ID(name, what) MR_STEP_##name,
	MR_STEPS(MR_STEP_ID)
#undef MR_STEP_ID
	        MR_STEP_COUNT
};

/* Zeroed: nothing was begun. */
struct mr_timing {
	int64_t ms[MR_STEP_COUNT];
	bool was_in[MR_STEP_COUNT];
	int64_t since_ms;
	enum mr_step current;
	bool is_running;
};

const char *mr_step_name(enum mr_step step);
/* The step that runs ends, and that of this point begins: "S3", "S3:wave". A point of no step
 * changes nothing. timing may be NULL. */
void mr_timing_enter(struct mr_timing *timing, const char *point);
void mr_timing_end(struct mr_timing *timing);
/* {"S0": MILLISECONDS, …} of the steps that were entered; what runs counts up to now. */
void mr_timing_json(const struct mr_timing *timing, struct mr_json *json);

#endif
