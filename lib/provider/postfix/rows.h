/*
 * Making the rows of wired tables, shared by rows.c, rows_join.c and rows_transport.c.
 */
#ifndef MR_POSTFIX_ROWS_H
#define MR_POSTFIX_ROWS_H

#include "postfix/backend.h"

/* Where rows go, and what all of one object share. */
struct mr_row_sink {
	struct mr_backend *backend;
	struct mr_desired *desired;
	struct mr_sorter *sorter;
	struct mr_attrs_builder body;
	struct mr_buf key, list, object;
	struct mr_loc loc;
	bool is_sensitive; /* the values of the next rows hold a secret */
};

/* Says which object the next rows belong to. */
void mr_row_of_object(
        struct mr_row_sink *sink, const char *kind, mr_str name, const struct mr_loc *loc);
void mr_row_put(struct mr_row_sink *sink, mr_str key, mr_str value);
bool mr_row_accepts_mail(const struct mr_user *user);
MR_CHECK int mr_row_each_user(
        struct mr_row_sink *sink, void (*fn)(struct mr_row_sink *sink, const struct mr_user *user));

MR_CHECK int mr_postfix_transport_rows(struct mr_row_sink *sink);
/* Rows keyed ADDRESS NUL LOG-IN, sorted, become one row an address; *rows moves into *out. */
void mr_postfix_join_rows(struct mr_cursor *rows, struct mr_cursor *out);

#endif
