/*
 * dovecot.passwd as a collection: what is declared and what the files say.
 */
#include "dovecot/dovecot.h"

#include <stdlib.h>

#include "dovecot/reader.h"

struct stream {
	struct mr_backend *backend;
	struct mr_dovecot_reader reader;
	const struct mr_strs *only;
	size_t only_at;
	struct mr_iter users; /* declared ones */
	struct mr_attrs_builder builder;
	struct mr_buf object;
};

static struct stream *stream_new(struct mr_backend *backend)
{
	struct stream *stream = mr_xrealloc(NULL, 1, sizeof *stream);

	*stream = (struct stream){.backend = backend};
	mr_attrs_builder_init(&stream->builder);
	return stream;
}

static void stream_free(struct stream *stream)
{
	mr_attrs_builder_done(&stream->builder);
	mr_buf_done(&stream->object);
	free(stream);
}

static mr_str object_of(struct stream *stream, mr_str address)
{
	mr_buf_clear(&stream->object);
	mr_buf_add(&stream->object, "user/", 5);
	mr_buf_add_str(&stream->object, address);
	return mr_buf_str(&stream->object);
}

static bool is_wanted(struct stream *stream, mr_str address)
{
	const struct mr_strs *only = stream->only;

	if (!only)
		return true;
	while (stream->only_at < only->n && mr_str_cmp(only->items[stream->only_at], address) < 0)
		stream->only_at++;
	return stream->only_at < only->n && mr_str_eq(only->items[stream->only_at], address);
}

static int live_next(struct mr_cursor *cursor, struct mr_item *out)
{
	struct stream *stream = cursor->state;
	struct mr_dovecot_reader *reader = &stream->reader;
	int code;

	do
		code = mr_dovecot_reader_next(reader);
	while (code > 0 && !is_wanted(stream, reader->row.address));
	if (code <= 0)
		return code;
	*out = (struct mr_item){.key = reader->row.address,
	        .body = mr_dovecot_row_body(stream->backend->version, &stream->builder,
	                &reader->row, reader->row_denied),
	        .object = object_of(stream, reader->row.address)};
	return 1;
}

static void live_close(struct mr_cursor *cursor)
{
	struct stream *stream = cursor->state;

	mr_dovecot_reader_close(&stream->reader);
	stream_free(stream);
}

int mr_dovecot_rows_observe(
        struct mr_backend *backend, const struct mr_strs *only, struct mr_cursor *out)
{
	struct stream *stream = stream_new(backend);
	int code = mr_dovecot_learn_version(backend);

	if (!code)
		code = mr_dovecot_reader_open(backend, &stream->reader);
	stream->only = only;
	if (code) {
		stream_free(stream);
		return code;
	}
	*out = (struct mr_cursor){.next = live_next, .close = live_close, .state = stream};
	return 0;
}

static int desired_next(struct mr_cursor *cursor, struct mr_item *out)
{
	struct stream *stream = cursor->state;
	struct mr_user user;
	int code;

	do
		code = mr_desired_next_user(&stream->users, &user);
	while (code > 0 && user.state == MR_USER_CLOSED);
	if (code <= 0)
		return code;
	*out = (struct mr_item){.key = user.address,
	        .body = mr_dovecot_user_body(stream->backend, &stream->builder, &user),
	        .object = object_of(stream, user.address),
	        .loc = user.loc};
	return 1;
}

static void desired_close(struct mr_cursor *cursor)
{
	struct stream *stream = cursor->state;

	mr_desired_end(&stream->users);
	stream_free(stream);
}

int mr_dovecot_rows_project(
        struct mr_backend *backend, struct mr_desired *desired, struct mr_cursor *out)
{
	struct stream *stream = stream_new(backend);
	int code = mr_desired_begin_user(desired, &stream->users);

	if (code) {
		stream_free(stream);
		return code;
	}
	*out = (struct mr_cursor){.next = desired_next, .close = desired_close, .state = stream};
	return 0;
}
