/*
 * The set of tables.
 */
#ifndef MR_POSTFIX_TABLES_H
#define MR_POSTFIX_TABLES_H

#include "postfix/backend.h"

/* Fills backend->tables from the wiring, the declarations and the live generation. Errors of
 * declarations go to the diagnostics; MR_E_CONFIG when the host has no type for keyed tables. */
MR_CHECK int mr_postfix_gather_tables(struct mr_backend *backend, struct mr_desired *desired);
/* Only the live generation's part of it. */
void mr_postfix_gather_live(struct mr_backend *backend);
void mr_postfix_list_collections(struct mr_backend *backend, struct mr_collections *out);

#endif
