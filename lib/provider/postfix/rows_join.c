/*
 * Joining the rows of one address: several users may send as one.
 */
#include "postfix/rows.h"

#include <stdlib.h>

/* Joins the sorted (address, log-in) rows of one address to one row. */
struct joined {
	struct mr_cursor rows;
	struct mr_item ahead; /* copied: views die with the next row */
	bool has_ahead, is_over;
	struct mr_buf key, list, object, ahead_key, ahead_login, ahead_object, path;
	struct mr_attrs_builder body;
	struct mr_diags *diags;
};

static int look_ahead(struct joined *joined)
{
	int code = mr_cursor_next(&joined->rows, &joined->ahead);

	joined->has_ahead = code > 0;
	if (code <= 0)
		return code;
	mr_buf_clear(&joined->ahead_key);
	mr_buf_clear(&joined->ahead_login);
	mr_buf_clear(&joined->ahead_object);
	mr_buf_add_str(&joined->ahead_key,
	        mr_str_take(joined->ahead.key, mr_str_find(joined->ahead.key, 0)));
	mr_buf_add_str(&joined->ahead_login, mr_attrs_get(joined->ahead.body, MR_STR("value")));
	mr_buf_add_str(&joined->ahead_object, joined->ahead.object);
	return 1;
}

static int joined_next(struct mr_cursor *cursor, struct mr_item *out)
{
	struct joined *joined = cursor->state;
	int code = 1;

	if (!joined->has_ahead && (joined->is_over || (code = look_ahead(joined)) <= 0))
		return code < 0 ? code : 0;
	mr_buf_clear(&joined->key);
	mr_buf_clear(&joined->list);
	mr_buf_clear(&joined->object);
	mr_buf_clear(&joined->path);
	mr_buf_add_str(&joined->key, mr_buf_str(&joined->ahead_key));
	mr_buf_add_str(&joined->object, mr_buf_str(&joined->ahead_object));
	mr_buf_add_str(&joined->path, joined->ahead.loc.path);
	out->loc = joined->ahead.loc;
	while (joined->has_ahead &&
	        mr_str_eq(mr_buf_str(&joined->key), mr_buf_str(&joined->ahead_key))) {
		mr_buf_add_text(&joined->list, joined->list.size ? ", " : "");
		mr_buf_add_str(&joined->list, mr_buf_str(&joined->ahead_login));
		if ((code = look_ahead(joined)) < 0)
			return code;
	}
	joined->is_over = !joined->has_ahead;
	mr_attrs_builder_clear(&joined->body);
	mr_attrs_add(&joined->body, MR_STR("value"), 0, mr_buf_str(&joined->list));
	out->key = mr_buf_str(&joined->key);
	out->object = mr_buf_str(&joined->object);
	out->loc.path = mr_buf_str(&joined->path);
	out->body = mr_attrs_finish(&joined->body);
	return 1;
}

static void joined_close(struct mr_cursor *cursor)
{
	struct joined *joined = cursor->state;
	struct mr_buf *bufs[] = {&joined->key, &joined->list, &joined->object, &joined->ahead_key,
	        &joined->ahead_login, &joined->ahead_object, &joined->path};

	mr_cursor_close(&joined->rows);
	for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
		mr_buf_done(bufs[i]);
	mr_attrs_builder_done(&joined->body);
	free(joined);
}

void mr_postfix_join_rows(struct mr_cursor *rows, struct mr_cursor *out)
{
	struct joined *joined = mr_xrealloc(NULL, 1, sizeof *joined);

	*joined = (struct joined){.rows = *rows};
	mr_attrs_builder_init(&joined->body);
	*out = (struct mr_cursor){.next = joined_next, .close = joined_close, .state = joined};
}
