/*
 * What the checks of one tree came to: the digest of the state and the warnings, as bytes.
 */
#ifndef MR_SOURCE_RECORD_H
#define MR_SOURCE_RECORD_H

#include "base/diag.h"
#include "base/digest.h"

/* Keeps the warnings of diags. */
void mr_record_write(
        const struct mr_digest *digest, const struct mr_diags *diags, struct mr_buf *out);
/* Adds the kept warnings to diags. MR_E_FAILED when the bytes are no record; nothing was added
 * then. */
MR_CHECK int mr_record_read(mr_str record, struct mr_digest *out_digest, struct mr_diags *diags);

#endif
