/*
 * Undo: the steps that may have been done, reversed, last first; then looking whether it worked.
 */
#ifndef MR_APPLY_UNDO_H
#define MR_APPLY_UNDO_H

#include "apply/journal.h"
#include "apply/world.h"

/* begun: what may have been touched, in the order of struct mr_changes. Servers that do not answer
 * are tried again for a while. 0: live was read again and equals the state before. MR_E_STUCK: not
 * so, or not known; each object is an error. point: the fault point before each batch. */
MR_CHECK int mr_undo(const struct mr_world *world, const struct mr_txn *txn,
        struct mr_change *begun, size_t n, const char *point);

#endif
