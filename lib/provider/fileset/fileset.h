/*
 * Files as collections: replacing one as a step of a transaction, and taking that back.
 *
 * A transaction has a private folder. Before a file is touched for the first time its bytes, owner
 * and mode are kept there under a name, and every state that the transaction makes is recorded.
 * Putting back restores the kept bytes exactly, but only while the file still is one that the
 * transaction wrote: what somebody else wrote since is never lost.
 */
#ifndef MR_FILESET_FILESET_H
#define MR_FILESET_FILESET_H

#include "base/buf.h"
#include "base/diag.h"
#include "base/file.h"

struct mr_fileset {
	struct mr_diags *diags;
	const char *work; /* the transaction's folder */
};

struct mr_fileset_file {
	const char *name; /* in the folder; unique in the transaction */
	const char *path;
	const struct mr_file_owner *owner; /* of a file that is new; NULL: root:root 0644 */
	bool sets_owner;                   /* of one that is there as well */
};

/* Replaces the file by rename; content.data == NULL removes it. The new file's time is later than
 * the old one's by a whole second at least, since Dovecot sees a change of same size only so. Owner
 * and mode of an existing file stay. Symbolic links are refused. */
MR_CHECK int mr_fileset_put(
        const struct mr_fileset *set, const struct mr_fileset_file *file, mr_str content);

/* Whether the transaction touched it. */
bool mr_fileset_has(const struct mr_fileset *set, const char *name);

/* The bytes that were there before the transaction: 1 and appended to *out; 0 when there was no
 * file; MR_E_NOT_FOUND without a diagnostic when the transaction did not touch it. */
MR_CHECK int mr_fileset_before(const struct mr_fileset *set, const char *name, struct mr_buf *out);

/* Whether the file is the one that the transaction found, or one that it put there (or none, where
 * it removed it or found none); false when the transaction did not touch it. */
MR_CHECK int mr_fileset_is_ours(
        const struct mr_fileset *set, const struct mr_fileset_file *file, bool *out);

#endif
