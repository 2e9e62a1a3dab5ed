/*
 * Reading the passwd-file and the deny files together, in the order of addresses.
 */
#ifndef MR_DOVECOT_READER_H
#define MR_DOVECOT_READER_H

#include "dovecot/dovecot.h"
#include "fileset/lines.h"

/* One file of ours whose lines rise strictly by what is before their first ':'. */
struct mr_dovecot_source {
	struct mr_lines lines;
	mr_str key; /* of the current line, when has_line */
	bool has_line;
	bool is_there;
};

struct mr_dovecot_reader {
	struct mr_backend *backend;
	struct mr_dovecot_source users;
	struct mr_dovecot_source denied[MR_DENY_COUNT];
	mr_str line; /* the current row's */
	struct mr_dovecot_row row;
	unsigned row_denied;
};

/* Opens one file; one that is not sorted is sorted in memory. MR_E_UNREADABLE with FILE:LINE for a
 * line that is no row (rows) or an address that stands twice. An absent file is empty. */
MR_CHECK int mr_dovecot_source_open(struct mr_backend *backend, const char *path, bool holds_rows,
        struct mr_dovecot_source *out);
/* The next line into source->key: 1, 0 end, <0 reported. */
MR_CHECK int mr_dovecot_source_next(
        struct mr_backend *backend, struct mr_dovecot_source *source, mr_str *out_line);
void mr_dovecot_source_close(struct mr_dovecot_source *source);

/* users missing although our settings name it is MR_E_UNREADABLE: unknown is not empty. */
MR_CHECK int mr_dovecot_reader_open(struct mr_backend *backend, struct mr_dovecot_reader *out);
/* 1 a row, 0 end, <0 reported. */
MR_CHECK int mr_dovecot_reader_next(struct mr_dovecot_reader *reader);
void mr_dovecot_reader_close(struct mr_dovecot_reader *reader);

#endif
