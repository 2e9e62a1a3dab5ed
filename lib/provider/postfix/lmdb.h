/*
 * What the reading and the writing half of the lmdb code share: Postfix's lock, opening, the
 * trailing NUL.
 */
#ifndef MR_POSTFIX_LMDB_H
#define MR_POSTFIX_LMDB_H

#include "postfix/table.h"

#include <lmdb.h>

/* An open environment under a whole-file lock on a descriptor of its own. Zeroed: nothing is held.
 */
struct mr_lmdb {
	int lock_fd;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	const char *path; /* the caller's */
};

/* Waits for the lock (F_RDLCK, F_WRLCK) at most 5 s: MR_E_BUSY. Open file description locks
 * conflict with Postfix's own and, unlike those, do not get lost when another descriptor of the
 * file is closed. */
MR_CHECK int mr_lmdb_lock(struct mr_diags *diags, struct mr_lmdb *db, short type);
/* Opens under RDLCK with a read transaction. MR_E_NOT_FOUND without a diagnostic. */
MR_CHECK int mr_lmdb_begin_read(struct mr_diags *diags, const char *path, struct mr_lmdb *out);
/* Aborts what is open and unlocks; safe on a half-open one. */
void mr_lmdb_end(struct mr_lmdb *db);
MR_CHECK int mr_lmdb_fail(
        struct mr_diags *diags, int code, const struct mr_lmdb *db, const char *what, int rc);

/* Postfix on Debian ends keys and values by one NUL (mixing forms in one file is not allowed). */
mr_str mr_lmdb_text(MDB_val value);
/* key + NUL in buf. */
MDB_val mr_lmdb_val(struct mr_buf *buf, mr_str text);

/* Guard A: somebody committed since our transaction began (postmap -i, which locks nothing). */
bool mr_lmdb_is_overtaken(const struct mr_lmdb *db);
/* Guard B: a writer waits for our lock (a bulk postmap, whose transaction began on the old rows).
 */
bool mr_lmdb_is_writer_waiting(const struct mr_lmdb *db);

/* Number of rows of the open transaction. */
MR_CHECK int mr_lmdb_count(struct mr_lmdb *db, size_t *out);

#endif
