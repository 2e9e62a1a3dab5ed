/*
 * Reading live items.
 */
#ifndef MR_POSTFIX_OBSERVE_H
#define MR_POSTFIX_OBSERVE_H

#include "postfix/backend.h"

/* All that main.cf sets, our own `mailreeve` aside. */
MR_CHECK int mr_postfix_observe_main(
        struct mr_backend *backend, const struct mr_strs *only, struct mr_cursor *out);
/* Rows of the live generation; none when main.cf names no generation, or not this table. Sets
 * table->is_live and live_kind. MR_E_UNREADABLE when main.cf uses the table and its file is not
 * there. */
MR_CHECK int mr_postfix_observe_table(struct mr_backend *backend, struct mr_postfix_table *table,
        const struct mr_strs *only, struct mr_cursor *out);

/* Whether some value of main.cf says ${mailreeve}/NAME. */
bool mr_postfix_names_table(const struct mr_maincf *main, mr_str name);
/* Which file of a generation holds the table; kind is what it is declared as, or -1. */
bool mr_postfix_find_live_kind(struct mr_backend *backend, mr_str generation, mr_str name, int kind,
        enum mr_table_kind *out);

#endif
