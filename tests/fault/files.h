/*
 * A backend whose server is a folder of files: small enough to be killed at every step, in
 * milliseconds.
 *
 * DIR/live/NAME holds the rows of a collection, "key<TAB>value<TAB>note" each. DIR/desired/NAME
 * what is wanted. Activation copies live to DIR/force/NAME: what the "daemon" runs on. A value
 * "refused" is not let through by staging; a value "poison" in force makes the probe fail; a file
 * DIR/down makes every call fail.
 */
#ifndef MR_TESTS_FAULT_FILES_H
#define MR_TESTS_FAULT_FILES_H

#include "provider/provider.h"

extern const struct mr_provider files_provider; /* collections "boxes", "maps" */
extern const struct mr_provider tree_provider;  /* collection "tree": partial, deletes come late */

/* Both are opened on the folder host->state_directory/.. "servers"; see files.c. */
extern const struct mr_collection files_boxes, files_maps, files_tree;

#endif
