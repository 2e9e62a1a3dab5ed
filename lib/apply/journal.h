/*
 * The journal: what a transaction intends, on disk before anything is touched.
 *
 * It lives in state.db (0600, root alone), since the bodies in it are clear, and only while the
 * transaction is open: closing deletes the rows, and the database overwrites what is deleted.
 */
#ifndef MR_APPLY_JOURNAL_H
#define MR_APPLY_JOURNAL_H

#include "apply/order.h"
#include "base/diag.h"
#include "store/state.h"

enum mr_txn_state {
	MR_TXN_STAGING, /* nothing live was touched */
	MR_TXN_INTENT,  /* its steps may be done up to n_begun; undone when found open */
	MR_TXN_UNDOING, /* as INTENT, and the reason is known: the commit will be quarantined */
	MR_TXN_DECIDED, /* it stands; what is late may still be to do */
	MR_TXN_STATE_COUNT
};

struct mr_txn {
	int64_t id;
	enum mr_txn_state state;
	size_t n_begun; /* steps, in the order of execution, that may have been touched */
	mr_str verb, who, ref, commit, tree, subject, plan_digest, effects_digest;
	mr_str why; /* of UNDOING */
	int64_t started;
};

/* Makes the tables when absent. For writers, before anything else here. */
MR_CHECK int mr_journal_prepare(struct mr_diags *diags, struct mr_state *state);
/* Opens a transaction in state STAGING; sets txn->id. */
MR_CHECK int mr_journal_open(struct mr_diags *diags, struct mr_state *state, struct mr_txn *txn);
/* S2: all steps and the state INTENT, durable at once or not at all. */
MR_CHECK int mr_journal_intend(struct mr_diags *diags, struct mr_state *state, struct mr_txn *txn,
        const struct mr_order *order);
/* Before a batch: from now on its steps may have been touched. */
MR_CHECK int mr_journal_begin_steps(
        struct mr_diags *diags, struct mr_state *state, struct mr_txn *txn, size_t n_begun);
/* Inside the caller's mr_state_begin/commit for DECIDED; by itself for UNDOING. */
MR_CHECK int mr_journal_set_state(struct mr_diags *diags, struct mr_state *state,
        struct mr_txn *txn, enum mr_txn_state to, mr_str why);
/* Removes the transaction and its bodies. */
MR_CHECK int mr_journal_close(struct mr_diags *diags, struct mr_state *state, int64_t id);

/* The oldest open transaction: 1 with *out filled (views in arena), 0 none. Also for readers. */
MR_CHECK int mr_journal_find(
        struct mr_diags *diags, struct mr_state *state, struct mr_arena *arena, struct mr_txn *out);
/* The steps of a transaction in the order of struct mr_changes; only those below n_begun unless
 * all. The collections are rebuilt from their names. */
MR_CHECK int mr_journal_load(struct mr_diags *diags, struct mr_state *state,
        const struct mr_txn *txn, bool all, struct mr_changes *out);

#endif
