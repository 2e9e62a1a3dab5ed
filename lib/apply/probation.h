/*
 * S7: a change that a person must confirm, or it takes itself back.
 *
 * The apply that wrote the change waits itself, on the boot clock. What is agreed upon between it
 * and `mailreeve confirm` are two small files in the state directory. When the waiting process
 * dies, the transaction is open and undecided: the next start undoes it, so that silence always
 * means undo.
 */
#ifndef MR_APPLY_PROBATION_H
#define MR_APPLY_PROBATION_H

#include "apply/world.h"

/* Waits for the confirmation of the run that will be the next in the history. 0 confirmed;
 * MR_E_TIMEOUT nobody did; MR_E_STOPPED a signal asked to end. notice (may be NULL) is told once
 * how to confirm. */
MR_CHECK int mr_probation_wait(const struct mr_world *world, uint64_t seconds,
        void (*notice)(void *arg, const char *text), void *notice_arg);

/* After a crash: nobody waits any more. */
MR_CHECK int mr_probation_forget(const struct mr_world *world);

#endif
