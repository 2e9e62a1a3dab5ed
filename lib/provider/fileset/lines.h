/*
 * Lines of a file, one after the other, through a window of bounded size.
 */
#ifndef MR_FILESET_LINES_H
#define MR_FILESET_LINES_H

#include "base/diag.h"
#include "base/error.h"
#include "base/str.h"

#define MR_LINE_LIMIT ((size_t)1 << 20)

struct mr_lines {
	int fd; /* owned; -1: an empty file */
	char *window;
	size_t start, end, capacity;
	size_t line; /* of the line handed out last, from 1 */
	bool is_at_end;
};

/* Takes the descriptor over and reads from its beginning. */
void mr_lines_init(struct mr_lines *lines, int fd);
void mr_lines_done(struct mr_lines *lines);
/* Back to the first line. */
MR_CHECK int mr_lines_rewind(struct mr_lines *lines);
/* The next line without its line feed, valid until the next call: 1 line, 0 end, <0 error without a
 * diagnostic (MR_E_UNREADABLE: an input error, or a line over MR_LINE_LIMIT). */
MR_CHECK int mr_lines_next(struct mr_lines *lines, mr_str *out);

#endif
