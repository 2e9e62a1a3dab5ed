/*
 * Cursors, and the sorter: items in one buffer with an index of offsets that is sorted by key.
 */
#include "base/cursor.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

struct record {
	size_t key_size, body_size, object_size;
	size_t path_at, path_size; /* shared with the record before when equal */
	uint32_t line, column;
};

struct entry {
	uint64_t prefix; /* first eight bytes of the key, most significant first: decides most
	                    comparisons */
	size_t at;       /* of the record in the buffer */
};

struct mr_sorter {
	struct mr_buf buf;
	MR_VEC(struct entry) index;
	size_t last_path_at, last_path_size;
	size_t position;
	bool is_unsorted;
};

static uint64_t prefix_of(mr_str key)
{
	uint64_t prefix = 0;

	for (size_t i = 0; i < 8; i++)
		prefix = prefix << 8 | (i < key.size ? (uint8_t)key.data[i] : 0);
	return prefix;
}

static struct record record_get(const char *base, size_t at)
{
	struct record record;

	memcpy(&record, base + at, sizeof record);
	return record;
}

static mr_str key_get(const char *base, size_t at)
{
	return (mr_str){base + at + sizeof(struct record), record_get(base, at).key_size};
}

static int entry_cmp(const void *left, const void *right, void *base)
{
	const struct entry *a = left;
	const struct entry *b = right;

	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	return mr_str_cmp(key_get(base, a->at), key_get(base, b->at));
}

static void add_path(struct mr_sorter *sorter, mr_str path)
{
	mr_str last = {sorter->buf.data ? sorter->buf.data + sorter->last_path_at : NULL,
	        sorter->last_path_size};

	if (mr_str_eq(last, path))
		return;
	sorter->last_path_at = sorter->buf.size;
	sorter->last_path_size = path.size;
	mr_buf_add_str(&sorter->buf, path);
}

struct mr_sorter *mr_sorter_new(void)
{
	struct mr_sorter *sorter = mr_xrealloc(NULL, 1, sizeof *sorter);

	*sorter = (struct mr_sorter){0};
	return sorter;
}

void mr_sorter_free(struct mr_sorter *sorter)
{
	if (!sorter)
		return;
	mr_buf_done_secret(&sorter->buf);
	mr_vec_done(&sorter->index);
	free(sorter);
}

void mr_sorter_add(struct mr_sorter *sorter, const struct mr_item *item)
{
	struct record record = {item->key.size, item->body.size, item->object.size, 0, 0,
	        item->loc.line, item->loc.column};
	struct entry entry = {prefix_of(item->key), 0};

	add_path(sorter, item->loc.path);
	record.path_at = sorter->last_path_at;
	record.path_size = sorter->last_path_size;
	entry.at = sorter->buf.size;
	mr_buf_add(&sorter->buf, &record, sizeof record);
	mr_buf_add_str(&sorter->buf, item->key);
	mr_buf_add_str(&sorter->buf, item->body);
	mr_buf_add_str(&sorter->buf, item->object);
	if (sorter->index.n && !sorter->is_unsorted)
		sorter->is_unsorted = entry_cmp(&sorter->index.items[sorter->index.n - 1], &entry,
		                              sorter->buf.data) >= 0;
	mr_vec_push(&sorter->index, entry);
}

static int sorter_next(struct mr_cursor *cursor, struct mr_item *out)
{
	struct mr_sorter *sorter = cursor->state;
	const char *base = sorter->buf.data;
	struct record record;
	size_t at;

	if (sorter->position == sorter->index.n)
		return 0;
	at = sorter->index.items[sorter->position++].at;
	record = record_get(base, at);
	out->key = key_get(base, at);
	out->body = (mr_str){out->key.data + record.key_size, record.body_size};
	out->object = (mr_str){out->body.data + record.body_size, record.object_size};
	out->loc = (struct mr_loc){
	        {base + record.path_at, record.path_size}, record.line, record.column};
	return 1;
}

static void sorter_close(struct mr_cursor *cursor)
{
	mr_sorter_free(cursor->state);
}

int mr_sorter_cursor(struct mr_sorter *sorter, struct mr_cursor *out, mr_str *out_duplicate)
{
	const char *base = sorter->buf.data;

	if (sorter->is_unsorted)
		qsort_r(sorter->index.items, sorter->index.n, sizeof *sorter->index.items,
		        entry_cmp, sorter->buf.data);
	for (size_t i = 1; sorter->is_unsorted && i < sorter->index.n; i++) {
		mr_str key = key_get(base, sorter->index.items[i].at);

		if (!mr_str_eq(key_get(base, sorter->index.items[i - 1].at), key))
			continue;
		if (out_duplicate)
			*out_duplicate = key;
		return MR_E_CONFLICT;
	}
	*out = (struct mr_cursor){sorter_next, sorter_close, sorter};
	return 0;
}

int mr_cursor_next(struct mr_cursor *cursor, struct mr_item *out)
{
	return cursor->next ? cursor->next(cursor, out) : 0;
}

void mr_cursor_close(struct mr_cursor *cursor)
{
	if (cursor->close)
		cursor->close(cursor);
	*cursor = (struct mr_cursor){0};
}
