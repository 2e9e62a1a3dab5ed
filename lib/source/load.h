/*
 * From the bytes of one file to its rows.
 */
#ifndef MR_SOURCE_LOAD_H
#define MR_SOURCE_LOAD_H

#include "base/spool.h"
#include "source/tree.h"

#define MR_ROOT_FILE "mailreeve.yaml"

/* Leaves of kinds without fields. */
#define MR_F_VALUE          0
#define MR_F_PATTERN        1
#define MR_F_POLICY_PROTECT 0
#define MR_F_POLICY_SCHEMES 1
#define MR_F_SECRET_USE     0

struct mr_load_input {
	uint32_t file; /* id for row keys */
	mr_str path;
	mr_str bytes;
};

/* Adds the file's rows to the spool and their keys to keys (mr_rows_add_key). Mistakes in the file
 * are diagnostics, not failures; *out_is_broken: its syntax is lost, so that rows may be missing.
 * <0: the spool failed. */
MR_CHECK int mr_load_file(struct mr_diags *diags, struct mr_spool *spool,
        const struct mr_load_input *input, struct mr_buf *keys, bool *out_is_broken);

#endif
