/*
 * Bringing the rows to the files of a tree: rows of blobs that are there stay, the others go, new
 * ones are parsed.
 */
#ifndef MR_SOURCE_SYNC_H
#define MR_SOURCE_SYNC_H

#include "source/compile.h"
#include "source/state.h"

struct mr_sync {
	bool is_partial;      /* the syntax of some file is lost */
	MR_VEC(uint32_t) bad; /* files with mistakes: their rows serve the checks and then go */
};
void mr_sync_done(struct mr_sync *sync);

/* Within a transaction. Mistakes in files are diagnostics. Fills desired->paths. */
MR_CHECK int mr_sync_files(struct mr_sync *sync, struct mr_desired *desired, struct mr_tree *tree,
        struct mr_diags *diags, struct mr_compile_stats *stats);
/* Takes out the rows of files with mistakes, so that they are parsed again, and reported again,
 * next time. */
MR_CHECK int mr_sync_drop_bad(struct mr_sync *sync, struct mr_desired *desired);
/* Fills desired->paths for rows that are those of the tree already. */
MR_CHECK int mr_sync_paths(struct mr_desired *desired);

#endif
