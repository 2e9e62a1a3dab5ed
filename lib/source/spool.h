/*
 * Sorting more rows than fit into memory: sorted runs in an unlinked file, merged once.
 */
#ifndef MR_SOURCE_SPOOL_H
#define MR_SOURCE_SPOOL_H

#include "base/diag.h"

struct mr_spool;

struct mr_spool *mr_spool_new(struct mr_diags *diags);
void mr_spool_free(struct mr_spool *spool);
MR_CHECK int mr_spool_add(struct mr_spool *spool, mr_str key, mr_str body);
/* Calls fn for every row in the order of keys; rows of one key in the order they were added. Stops
 * when fn fails. */
MR_CHECK int mr_spool_drain(
        struct mr_spool *spool, int (*fn)(void *arg, mr_str key, mr_str body), void *arg);

#endif
