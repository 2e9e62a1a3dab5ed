/*
 * Settling: what a transaction does with each of its servers as a whole, and how it ends.
 */
#ifndef MR_APPLY_SETTLE_H
#define MR_APPLY_SETTLE_H

#include "apply/journal.h"
#include "apply/world.h"

/* The changes of one server that happen before the decision, in their order. */
const struct mr_change **mr_settle_changes_of(struct mr_arena *arena,
        const struct mr_plan_server *server, const struct mr_change *changes, size_t n,
        size_t *out_n);
/* All servers, those whose changes others build upon first (directory, mailboxes, maps). */
const struct mr_plan_server **mr_settle_server_order(const struct mr_world *world,
        struct mr_arena *arena, const struct mr_change *changes, size_t n);

/* S9: the anchor, the deletes that cannot be undone, and what the servers kept for an undo. Can be
 * repeated. What cannot be reached stays open for the next start; a delete that is refused is given
 * up and reported, it will be in the next plan again. */
MR_CHECK int mr_settle(
        const struct mr_world *world, const struct mr_txn *txn, const struct mr_order *order);
/* The agent does not try this commit again by itself. A failure is a warning. */
void mr_settle_quarantine(const struct mr_world *world, const struct mr_txn *txn, mr_str why);
/* The end of a transaction that was undone or never touched anything: removes what was staged and
 * the journal. What fails is a warning: the next start does it again. */
void mr_settle_undone(const struct mr_world *world, int64_t txn);

#endif
