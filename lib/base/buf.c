/*
 * A growing byte buffer, NUL terminated behind its size.
 */
#include "base/buf.h"

#include "base/arena.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mr_buf_init(struct mr_buf *buf)
{
	*buf = (struct mr_buf)MR_BUF_INIT;
}

void mr_buf_done(struct mr_buf *buf)
{
	free(buf->data);
	mr_buf_init(buf);
}

void mr_buf_done_secret(struct mr_buf *buf)
{
	if (buf->data)
		sodium_memzero(buf->data, buf->capacity);
	mr_buf_done(buf);
}

void mr_buf_clear(struct mr_buf *buf)
{
	buf->size = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

char *mr_buf_reserve(struct mr_buf *buf, size_t size)
{
	size_t needed;

	if (__builtin_add_overflow(buf->size, size, &needed) || needed >= SIZE_MAX / 2)
		abort();
	if (needed >= buf->capacity) {
		size_t capacity = buf->capacity * 2;

		if (capacity < needed + 1)
			capacity = needed + 1;
		if (capacity < 64)
			capacity = 64;
		buf->data = mr_xrealloc(buf->data, capacity, 1);
		buf->capacity = capacity;
	}
	return buf->data + buf->size;
}

void mr_buf_add(struct mr_buf *buf, const void *data, size_t size)
{
	char *end = mr_buf_reserve(buf, size);

	if (size)
		memcpy(end, data, size);
	buf->size += size;
	buf->data[buf->size] = '\0';
}

void mr_buf_add_str(struct mr_buf *buf, mr_str s)
{
	mr_buf_add(buf, s.data, s.size);
}

void mr_buf_add_text(struct mr_buf *buf, const char *text)
{
	mr_buf_add(buf, text, strlen(text));
}

void mr_buf_add_char(struct mr_buf *buf, char c)
{
	mr_buf_add(buf, &c, 1);
}

void mr_buf_printf(struct mr_buf *buf, const char *format, ...)
{
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (size < 0)
		abort();
	(void)mr_buf_reserve(buf, (size_t)size + 1);
	va_start(arguments, format);
	(void)vsnprintf(buf->data + buf->size, (size_t)size + 1, format, arguments);
	va_end(arguments);
	buf->size += (size_t)size;
}

mr_str mr_buf_str(const struct mr_buf *buf)
{
	return (mr_str){buf->data ? buf->data : "", buf->size};
}
