/*
 * Lines of a file through a window: what is needed of a large file stays small in memory.
 */
#include "fileset/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"

#define WINDOW_BYTES ((size_t)256 * 1024)

void mr_lines_init(struct mr_lines *lines, int fd)
{
	*lines = (struct mr_lines){.fd = fd, .is_at_end = fd < 0};
}

void mr_lines_done(struct mr_lines *lines)
{
	if (lines->fd >= 0)
		(void)close(lines->fd); /* it was only read */
	free(lines->window);
	*lines = (struct mr_lines){.fd = -1, .is_at_end = true};
}

int mr_lines_rewind(struct mr_lines *lines)
{
	lines->start = lines->end = lines->line = 0;
	lines->is_at_end = lines->fd < 0;
	if (lines->fd >= 0 && lseek(lines->fd, 0, SEEK_SET) != 0)
		return MR_E_UNREADABLE;
	return 0;
}

/* Makes room behind what is still unread and reads more. */
static int fill(struct mr_lines *lines)
{
	ssize_t n;

	if (lines->start > 0) {
		memmove(lines->window, lines->window + lines->start, lines->end - lines->start);
		lines->end -= lines->start;
		lines->start = 0;
	}
	if (lines->end == lines->capacity) {
		size_t capacity = lines->capacity ? lines->capacity * 2 : WINDOW_BYTES;

		if (capacity > 2 * MR_LINE_LIMIT)
			return MR_E_UNREADABLE;
		lines->window = mr_xrealloc(lines->window, capacity, 1);
		lines->capacity = capacity;
	}
	do
		n = read(lines->fd, lines->window + lines->end, lines->capacity - lines->end);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return MR_E_UNREADABLE;
	lines->end += (size_t)n;
	lines->is_at_end = n == 0;
	return 0;
}

int mr_lines_next(struct mr_lines *lines, mr_str *out)
{
	size_t searched = 0;

	for (;;) {
		char *from = lines->end > lines->start ? lines->window + lines->start : NULL;
		size_t size = lines->end - lines->start;
		char *feed = from ? memchr(from + searched, '\n', size - searched) : NULL;
		int code;

		if (feed || (lines->is_at_end && size > 0)) {
			*out = (mr_str){from, feed ? (size_t)(feed - from) : size};
			lines->start += out->size + (feed ? 1 : 0);
			lines->line++;
			return 1;
		}
		if (lines->is_at_end)
			return 0;
		searched = size;
		code = fill(lines);
		if (code)
			return code;
	}
}
