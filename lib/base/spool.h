/*
 * Sorting more rows than fit into memory: sorted runs in an unlinked file, merged on reading. Few
 * rows never touch the disk.
 */
#ifndef MR_BASE_SPOOL_H
#define MR_BASE_SPOOL_H

#include "base/diag.h"

struct mr_spool;

/* diags is told of errors of the temporary file; NULL tells nobody, the codes remain. */
struct mr_spool *mr_spool_new(struct mr_diags *diags);
void mr_spool_report_to(struct mr_spool *spool, struct mr_diags *diags);
/* Wipes what it still holds in memory. */
void mr_spool_free(struct mr_spool *spool);
/* For tests: how many bytes of rows are held in memory before a run is written. */
void mr_spool_limit(struct mr_spool *spool, size_t bytes);

/* Copies the row. An error stays: every later call returns it, so that no row is lost unseen. */
MR_CHECK int mr_spool_add(struct mr_spool *spool, mr_str key, mr_str body);
/* Ends adding and stands before the first row; called again, it goes back there. */
MR_CHECK int mr_spool_sort(struct mr_spool *spool);
/* The next row in the order of keys, rows of one key in the order they were added: 1, 0 at the end,
 * <0. The views are valid until the next call. */
MR_CHECK int mr_spool_next(struct mr_spool *spool, mr_str *out_key, mr_str *out_body);
/* Sorts and calls fn for every row. Stops when fn fails. */
MR_CHECK int mr_spool_drain(
        struct mr_spool *spool, int (*fn)(void *arg, mr_str key, mr_str body), void *arg);

#endif
