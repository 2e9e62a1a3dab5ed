/*
 * The store of rows: one SQLite database, sorted by kind and key, so that the objects of a kind are
 * one index scan. It holds the rows of one tree; those of unchanged blobs are kept from one tree to
 * the next.
 *
 * The database is a cache: kept at a path it saves parsing, without one it is private and gone at
 * the end. Readers see a snapshot, whatever other processes write meanwhile.
 */
#ifndef MR_SOURCE_ROWS_H
#define MR_SOURCE_ROWS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "model/kinds.h"

struct mr_rows;

/* cache_path NULL: private. A cache that is damaged or of other tables is made anew; one that
 * cannot be used at all is replaced by a private database. */
MR_CHECK int mr_rows_open(struct mr_diags *diags, const char *cache_path, struct mr_rows **out);
void mr_rows_close(struct mr_rows *rows);
/* Errors while reading go nowhere from here on: the diagnostics given at open may be gone. */
void mr_rows_forget_diags(struct mr_rows *rows);

/* Makes the file of a cache when it is not there. */
void mr_rows_make(const char *path);
/* Removes a cache with all its files; absent is fine. */
void mr_rows_remove(const char *path);

MR_CHECK int mr_rows_begin(struct mr_rows *rows);
MR_CHECK int mr_rows_commit(struct mr_rows *rows);
void mr_rows_abort(struct mr_rows *rows);
/* Starts to read one state of the database, until close or begin. */
MR_CHECK int mr_rows_snapshot(struct mr_rows *rows);

bool mr_rows_meta(struct mr_rows *rows, const char *name, struct mr_arena *arena, mr_str *out);
MR_CHECK int mr_rows_set_meta(struct mr_rows *rows, const char *name, mr_str value);

/* The files whose rows are there, by id. */
MR_CHECK int mr_rows_each_file(struct mr_rows *rows,
        void (*fn)(void *arg, int64_t id, mr_str path, mr_str blob), void *arg);
/* The highest id. */
MR_CHECK int mr_rows_last_file(struct mr_rows *rows, int64_t *out);
/* What was noted of checks: it is void once rows change. */
MR_CHECK int mr_rows_drop_records(struct mr_rows *rows);
/* keys: the size and bytes of each row key, as mr_rows_add_key writes them. */
MR_CHECK int mr_rows_put_file(
        struct mr_rows *rows, int64_t id, mr_str path, mr_str blob, mr_str keys);
MR_CHECK int mr_rows_move_file(struct mr_rows *rows, int64_t id, mr_str path);
/* With all its rows. */
MR_CHECK int mr_rows_drop_file(struct mr_rows *rows, int64_t id);
void mr_rows_add_key(struct mr_buf *keys, mr_str row_key);
MR_CHECK int mr_rows_insert(struct mr_rows *rows, mr_str row_key, mr_str body);

/* Row keys: kind, key, NUL, layer, NUL, file. Layers sort by precedence: "" common, "1ROLE",
 * "2HOST". */
struct mr_row_key {
	enum mr_kind_id kind;
	mr_str key;
	mr_str layer;
	uint32_t file;
};
void mr_row_key_format(const struct mr_row_key *key, struct mr_buf *out);
MR_CHECK int mr_row_key_parse(mr_str bytes, struct mr_row_key *out);

/* An ordered scan of all rows of a kind whose key starts with prefix (is_exact: equals it). Views
 * live until next. */
struct mr_scan {
	struct mr_rows *rows;
	void *statement;
};
MR_CHECK int mr_scan_begin(struct mr_rows *rows, enum mr_kind_id kind, mr_str prefix, bool is_exact,
        struct mr_scan *out);
MR_CHECK int mr_scan_next(struct mr_scan *scan, struct mr_row_key *out, mr_str *out_body);
void mr_scan_end(struct mr_scan *scan);

#endif
