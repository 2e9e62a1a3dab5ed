/*
 * Cursors, and the sorter: items as rows of a spool, which keeps few in memory and many on disk.
 */
#include "base/cursor.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/sorter.h"

/* What precedes body, object and path in the body of a row. */
struct record {
	uint32_t body_size, object_size, path_size;
	uint32_t line, column;
};

struct mr_sorter {
	struct mr_spool *spool;
	struct mr_buf record;
	struct mr_buf last; /* key, while looking for one that comes twice */
};

struct mr_sorter *mr_sorter_new(void)
{
	struct mr_sorter *sorter = mr_xrealloc(NULL, 1, sizeof *sorter);

	*sorter = (struct mr_sorter){.spool = mr_spool_new(NULL)};
	return sorter;
}

void mr_sorter_report_to(struct mr_sorter *sorter, struct mr_diags *diags)
{
	mr_spool_report_to(sorter->spool, diags);
}

struct mr_spool *mr_sorter_spool(struct mr_sorter *sorter)
{
	return sorter->spool;
}

void mr_sorter_free(struct mr_sorter *sorter)
{
	if (!sorter)
		return;
	mr_spool_free(sorter->spool);
	mr_buf_done_secret(&sorter->record);
	mr_buf_done(&sorter->last);
	free(sorter);
}

void mr_sorter_add(struct mr_sorter *sorter, const struct mr_item *item)
{
	struct record record = {(uint32_t)item->body.size, (uint32_t)item->object.size,
	        (uint32_t)item->loc.path.size, item->loc.line, item->loc.column};

	mr_buf_clear(&sorter->record);
	mr_buf_add(&sorter->record, &record, sizeof record);
	mr_buf_add_str(&sorter->record, item->body);
	mr_buf_add_str(&sorter->record, item->object);
	mr_buf_add_str(&sorter->record, item->loc.path);
	if (mr_spool_add(sorter->spool, item->key, mr_buf_str(&sorter->record)))
		return; /* the spool keeps the error for mr_sorter_cursor, and takes no more */
}

static int sorter_next(struct mr_cursor *cursor, struct mr_item *out)
{
	struct mr_sorter *sorter = cursor->state;
	struct record record;
	mr_str row;
	int code = mr_spool_next(sorter->spool, &out->key, &row);

	if (code <= 0)
		return code;
	memcpy(&record, row.data, sizeof record);
	row = mr_str_skip(row, sizeof record);
	out->body = mr_str_take(row, record.body_size);
	row = mr_str_skip(row, record.body_size);
	out->object = mr_str_take(row, record.object_size);
	row = mr_str_skip(row, record.object_size);
	out->loc = (struct mr_loc){row, record.line, record.column};
	return 1;
}

static void sorter_close(struct mr_cursor *cursor)
{
	mr_sorter_free(cursor->state);
}

/* Goes through all rows once; the first key that comes twice is then in sorter->last. */
static int find_duplicate(struct mr_sorter *sorter)
{
	bool has_last = false;
	mr_str key, row;
	int code = mr_spool_sort(sorter->spool);

	while (!code && (code = mr_spool_next(sorter->spool, &key, &row)) > 0) {
		code = has_last && mr_str_eq(key, mr_buf_str(&sorter->last)) ? MR_E_CONFLICT : 0;
		mr_buf_clear(&sorter->last);
		mr_buf_add_str(&sorter->last, key);
		has_last = true;
	}
	return code;
}

int mr_sorter_cursor(struct mr_sorter *sorter, struct mr_cursor *out, mr_str *out_duplicate)
{
	int code = find_duplicate(sorter);

	if (code == MR_E_CONFLICT && out_duplicate)
		*out_duplicate = mr_buf_str(&sorter->last);
	if (!code)
		code = mr_spool_sort(sorter->spool); /* back to the first */
	if (!code)
		*out = (struct mr_cursor){sorter_next, sorter_close, sorter};
	return code;
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
