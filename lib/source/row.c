/*
 * The bytes of a row: numbers as base-128 varints, texts with their size before them.
 */
#include "source/row.h"

#include <string.h>

/* Writes at most 10 bytes behind end and returns the new end. */
static char *write_number(char *end, uint64_t number)
{
	while (number >= 0x80) {
		*end++ = (char)(number | 0x80);
		number >>= 7;
	}
	*end++ = (char)number;
	return end;
}

static void put_number(struct mr_buf *out, uint64_t number)
{
	char *start = mr_buf_reserve(out, 10);

	out->size += (size_t)(write_number(start, number) - start);
}

static bool get_number(mr_str *rest, uint64_t *out)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 64 && rest->size; shift += 7) {
		unsigned char byte = (unsigned char)*rest->data;

		rest->data++;
		rest->size--;
		number |= (uint64_t)(byte & 0x7F) << shift;
		if (!(byte & 0x80)) {
			*out = number;
			return true;
		}
	}
	return false;
}

static bool get_u32(mr_str *rest, uint32_t *out)
{
	uint64_t number;

	if (!get_number(rest, &number) || number > UINT32_MAX)
		return false;
	*out = (uint32_t)number;
	return true;
}

static bool get_byte(mr_str *rest, uint8_t *out)
{
	if (!rest->size)
		return false;
	*out = (uint8_t)*rest->data;
	rest->data++;
	rest->size--;
	return true;
}

static bool get_text(mr_str *rest, mr_str *out)
{
	uint64_t size;

	if (!get_number(rest, &size) || size > rest->size)
		return false;
	*out = mr_str_take(*rest, (size_t)size);
	*rest = mr_str_skip(*rest, (size_t)size);
	return true;
}

void mr_row_head(struct mr_buf *body, uint32_t line, uint32_t column)
{
	put_number(body, line);
	put_number(body, column);
}

void mr_row_leaf(struct mr_buf *body, const struct mr_leaf *leaf)
{
	bool is_named = leaf->flags & MR_LEAF_NAMED;
	size_t name_size = is_named ? leaf->name.size : 0;
	char *start = mr_buf_reserve(body, name_size + 42), *end = start;

	*end++ = (char)leaf->id;
	*end++ = (char)leaf->flags;
	if (is_named) {
		end = write_number(end, name_size);
		memcpy(end, leaf->name.data, name_size);
		end += name_size;
	}
	end = write_number(end, leaf->line);
	end = write_number(end, leaf->column);
	end = write_number(end, leaf->n_items);
	body->size += (size_t)(end - start);
}

void mr_row_item(struct mr_buf *body, const struct mr_leaf_item *item)
{
	char *start = mr_buf_reserve(body, item->text.size + 31), *end = start;

	*end++ = (char)item->form;
	end = write_number(end, item->line);
	end = write_number(end, item->column);
	end = write_number(end, item->text.size);
	if (item->text.size)
		memcpy(end, item->text.data, item->text.size);
	body->size += (size_t)(end - start) + item->text.size;
}

int mr_row_read_head(mr_str *rest, uint32_t *out_line, uint32_t *out_column)
{
	return get_u32(rest, out_line) && get_u32(rest, out_column) ? 0 : MR_E_FAILED;
}

int mr_leaf_next_item(mr_str *rest, struct mr_leaf_item *out)
{
	uint8_t form;

	if (!rest->size)
		return 0;
	if (!get_byte(rest, &form) || form > MR_ITEM_BINARY || !get_u32(rest, &out->line) ||
	        !get_u32(rest, &out->column) || !get_text(rest, &out->text))
		return MR_E_FAILED;
	out->form = (enum mr_item_form)form;
	return 1;
}

int mr_row_next_leaf(mr_str *rest, struct mr_leaf *out)
{
	struct mr_leaf_item item;
	uint64_t n;
	mr_str start;

	if (!rest->size)
		return 0;
	*out = (struct mr_leaf){0};
	if (!get_byte(rest, &out->id) || !get_byte(rest, &out->flags))
		return MR_E_FAILED;
	if ((out->flags & MR_LEAF_NAMED) && !get_text(rest, &out->name))
		return MR_E_FAILED;
	if (!get_u32(rest, &out->line) || !get_u32(rest, &out->column) || !get_number(rest, &n) ||
	        n > rest->size)
		return MR_E_FAILED;
	start = *rest;
	for (uint64_t i = 0; i < n; i++)
		if (mr_leaf_next_item(rest, &item) <= 0)
			return MR_E_FAILED;
	out->n_items = (size_t)n;
	out->items = mr_str_take(start, start.size - rest->size);
	return 1;
}

mr_str mr_leaf_text(const struct mr_leaf *leaf)
{
	struct mr_leaf_item item;
	mr_str rest = leaf->items;

	return mr_leaf_next_item(&rest, &item) > 0 && item.form != MR_ITEM_SECRET ? item.text
	                                                                          : (mr_str){0};
}

bool mr_leaf_same(const struct mr_leaf *a, const struct mr_leaf *b)
{
	struct mr_leaf_item x, y;
	mr_str rest_a = a->items, rest_b = b->items;

	if (a->flags != b->flags || a->n_items != b->n_items)
		return false;
	while (mr_leaf_next_item(&rest_a, &x) > 0 && mr_leaf_next_item(&rest_b, &y) > 0)
		if (x.form != y.form || !mr_str_eq(x.text, y.text))
			return false;
	return true;
}
