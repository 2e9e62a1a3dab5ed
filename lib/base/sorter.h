/*
 * The inside of a sorter, for tests that make it write runs early.
 */
#ifndef MR_BASE_SORTER_H
#define MR_BASE_SORTER_H

#include "base/cursor.h"
#include "base/spool.h"

/* The sorter's own. */
struct mr_spool *mr_sorter_spool(struct mr_sorter *sorter);

#endif
