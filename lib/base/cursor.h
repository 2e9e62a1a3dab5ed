/*
 * Items and cursors: every stream in the program.
 */
#ifndef MR_BASE_CURSOR_H
#define MR_BASE_CURSOR_H

#include "base/diag.h"
#include "base/error.h"
#include "base/str.h"

struct mr_item {
	mr_str key;        /* sort key, bytewise unique in its collection */
	mr_str body;       /* base/attrs.h */
	mr_str object;     /* "user/alice@example.org" that it belongs to; empty when live only */
	struct mr_loc loc; /* where it was declared; empty when live */
};

/* Views in an item stay valid until the next call. Items come in strictly rising key order. */
struct mr_cursor {
	int (*next)(struct mr_cursor *cursor, struct mr_item *out); /* 1 item, 0 end, <0 error */
	void (*close)(struct mr_cursor *cursor); /* releases state; may be NULL */
	void *state;
};

MR_CHECK int mr_cursor_next(struct mr_cursor *cursor, struct mr_item *out);
/* Safe on a zeroed cursor and twice. */
void mr_cursor_close(struct mr_cursor *cursor);

/* Collects items, sorts them and hands them out: for sources that are unsorted. Few are kept in
 * memory, many go through an unlinked temporary file that nobody else can open. */
struct mr_sorter;
struct mr_sorter *mr_sorter_new(void);
/* Tells diags, which must outlive sorter and cursor, when the temporary file fails. */
void mr_sorter_report_to(struct mr_sorter *sorter, struct mr_diags *diags);
void mr_sorter_free(struct mr_sorter *sorter);
/* Copies the item. When it cannot be kept, mr_sorter_cursor fails. */
void mr_sorter_add(struct mr_sorter *sorter, const struct mr_item *item);
/* Moves the sorter into *out; closing that releases it. On an error it stays the caller's.
 * MR_E_CONFLICT when two items have one key: *out_duplicate (may be NULL) is then the key, valid
 * until mr_sorter_free. MR_E_FAILED when the temporary file fails; the cursor's next may say so,
 * too. */
MR_CHECK int mr_sorter_cursor(
        struct mr_sorter *sorter, struct mr_cursor *out, mr_str *out_duplicate);

#endif
