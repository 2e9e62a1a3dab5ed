/*
 * A growing byte buffer. Always NUL terminated behind its size once something was added.
 */
#ifndef MR_BASE_BUF_H
#define MR_BASE_BUF_H

#include "base/str.h"

struct mr_buf {
	char *data;
	size_t size;
	size_t capacity;
};

#define MR_BUF_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}

void mr_buf_init(struct mr_buf *buf);
void mr_buf_done(struct mr_buf *buf);
/* Wipes the content before it is released: for secrets. */
void mr_buf_done_secret(struct mr_buf *buf);
void mr_buf_clear(struct mr_buf *buf);
void mr_buf_add(struct mr_buf *buf, const void *data, size_t size);
void mr_buf_add_str(struct mr_buf *buf, mr_str s);
void mr_buf_add_text(struct mr_buf *buf, const char *text);
void mr_buf_add_char(struct mr_buf *buf, char c);
void mr_buf_printf(struct mr_buf *buf, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
/* Keeps capacity for size more bytes and returns where they start; the caller adds to buf->size. */
char *mr_buf_reserve(struct mr_buf *buf, size_t size);
mr_str mr_buf_str(const struct mr_buf *buf);

#endif
