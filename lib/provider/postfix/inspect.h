/*
 * Postfix as it stands, for doctor.
 */
#ifndef MR_POSTFIX_INSPECT_H
#define MR_POSTFIX_INSPECT_H

#include "postfix/backend.h"

MR_CHECK int mr_postfix_inspect(struct mr_backend *backend, struct mr_inspection *out);

#endif
