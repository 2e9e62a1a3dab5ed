/*
 * Rows: what one file says of one object, as bytes. A head with the place of the object's key, then
 * its leaves, each with its place and its values in canonical form.
 */
#ifndef MR_SOURCE_ROW_H
#define MR_SOURCE_ROW_H

#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

enum mr_leaf_flags {
	MR_LEAF_LIST = 1,
	MR_LEAF_NAMED = 2, /* it has a name of its own instead of an id */
	MR_LEAF_LIVE = 4,  /* owner: live */
};

enum mr_item_form { MR_ITEM_TEXT, MR_ITEM_SECRET, MR_ITEM_BINARY };

/* Leaf ids that are no fields and may stand in several files: the first counts. */
#define MR_LEAF_WRITTEN 127 /* the key as it was written */
#define MR_LEAF_KEYED   126 /* a table has entries given as a mapping */
#define MR_LEAF_BAD     125 /* something of the object was refused: what is missing may stand there */
#define MR_LEAF_FREE    120 /* from here on */

struct mr_leaf {
	uint8_t id;
	uint8_t flags;
	mr_str name;
	uint32_t line, column;
	size_t n_items;
	mr_str items;
};

struct mr_leaf_item {
	enum mr_item_form form;
	uint32_t line, column;
	mr_str text;
};

/* Writing: the head, then each leaf followed by exactly n_items items. */
void mr_row_head(struct mr_buf *body, uint32_t line, uint32_t column);
void mr_row_leaf(struct mr_buf *body, const struct mr_leaf *leaf);
void mr_row_item(struct mr_buf *body, const struct mr_leaf_item *item);

/* Reading. Rows come from our own store, but a damaged one must not lead astray: <0 for bytes that
 * are no row. */
MR_CHECK int mr_row_read_head(mr_str *rest, uint32_t *out_line, uint32_t *out_column);
/* 1 leaf, 0 end, <0 damaged. */
MR_CHECK int mr_row_next_leaf(mr_str *rest, struct mr_leaf *out);
/* *rest starts as leaf.items. 1 item, 0 end, <0 damaged. */
MR_CHECK int mr_leaf_next_item(mr_str *rest, struct mr_leaf_item *out);
/* The text of the first item; the empty view when there is none or it is a secret. */
mr_str mr_leaf_text(const struct mr_leaf *leaf);
/* Same values, places aside. */
bool mr_leaf_same(const struct mr_leaf *a, const struct mr_leaf *b);

#endif
