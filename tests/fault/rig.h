/*
 * What the fault tests stand on: a state directory and the two file servers of files.h, in a folder
 * of their own.
 */
#ifndef MR_TESTS_FAULT_RIG_H
#define MR_TESTS_FAULT_RIG_H

#include "apply/apply.h"
#include "store/state.h"

struct rig {
	char folder[64];
	struct mr_arena arena;
	struct mr_diags diags;
	struct mr_host host;
	struct mr_state *state;
	struct mr_plan_server servers[2];
};

int rig_setup(void **state);
int rig_teardown(void **state);
/* Another one, with nothing in it. */
void rig_recreate(struct rig **rig);

/* part: "live", "desired", "force". */
void rig_write(struct rig *rig, const char *part, const char *name, const char *text);
void rig_remove(struct rig *rig, const char *part, const char *name);
void rig_expect(struct rig *rig, const char *part, const char *name, const char *text);

/* Takes the lock and opens the servers; closes all of it. */
void rig_open(struct rig *rig);
void rig_close(struct rig *rig);
/* mr_recover in a state of its own. */
int rig_recover(struct rig *rig, bool *out_was_open);
/* Whether some diagnostic holds the text. */
bool rig_said(struct rig *rig, const char *text);
/* Result of the newest history record, "" when there is none. */
const char *rig_last_result(struct rig *rig);

#endif
