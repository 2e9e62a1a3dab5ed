/*
 * Lookup tables as sorted rows: reading whole or by key, building aside, changing in place.
 *
 * A row is an item: key, and a body with `value` (ordered tables: `pattern` too; their key is the
 * ordinal in 8 digits). PATH is the file itself, suffix included. Only lmdb can be changed in
 * place.
 */
#ifndef MR_POSTFIX_TABLE_H
#define MR_POSTFIX_TABLE_H

#include "base/cursor.h"
#include "base/file.h"
#include "model/desired.h"
#include "plan/change.h"

enum mr_table_kind {
	MR_TABLE_LMDB,
	MR_TABLE_CDB,
	MR_TABLE_CIDR,
	MR_TABLE_PCRE,
	MR_TABLE_REGEXP,
	MR_TABLE_KIND_COUNT
};

/* "lmdb", as Postfix names the type. */
const char *mr_table_kind_name(enum mr_table_kind kind);
bool mr_table_kind_find(mr_str name, enum mr_table_kind *out);
static inline bool mr_table_is_ordered(enum mr_table_kind kind)
{
	return kind >= MR_TABLE_CIDR;
}
/* DIRECTORY/NAME.lmdb, DIRECTORY/NAME.cdb, DIRECTORY/NAME. */
const char *mr_table_path(
        struct mr_arena *arena, mr_str directory, mr_str name, enum mr_table_kind kind);

/* All rows in key order: one consistent snapshot. The cursor may hold a lock that writers wait for.
 * MR_E_NOT_FOUND without a diagnostic when the file is not there, MR_E_UNREADABLE when it is
 * damaged. */
MR_CHECK int mr_table_open(
        struct mr_diags *diags, const char *path, enum mr_table_kind kind, struct mr_cursor *out);
/* The rows of these keys (sorted); those not there are left out. */
MR_CHECK int mr_table_get(struct mr_diags *diags, const char *path, enum mr_table_kind kind,
        const struct mr_strs *keys, struct mr_cursor *out);

struct mr_table_build {
	const char *path;
	enum mr_table_kind kind;
	size_t limit_bytes; /* an upper bound of all keys and values together */
	struct mr_file_owner owner;
};
/* Writes a new table from rows in key order (an old file of that path goes) and fsyncs it. */
MR_CHECK int mr_table_build(struct mr_diags *diags, const struct mr_table_build *build,
        struct mr_cursor *rows, uint64_t *out_rows);

/* lmdb: changes rows in place, all or none, while Postfix reads. A row that is as after already is
 * passed over; one that is neither before nor after is MR_E_CONFLICT and nothing is changed.
 * MR_E_BUSY when Postfix's lock could not be had in time or another writer came between. Read back
 * before it returns. */
MR_CHECK int mr_lmdb_apply(
        struct mr_diags *diags, const char *path, const struct mr_change *const *changes, size_t n);
/* The same check without any write. */
MR_CHECK int mr_table_check(struct mr_diags *diags, const char *path, enum mr_table_kind kind,
        const struct mr_change *const *changes, size_t n);

/* The key as Postfix folds it (ASCII lower case, else Unicode case folding). MR_E_INVALID with
 * *out_why. */
MR_CHECK int mr_table_fold_key(
        struct mr_arena *arena, mr_str key, mr_str *out, const char **out_why);

/* Splits a line of an ordered table into pattern and value; both in the normal form that lines are
 * written and compared in. MR_E_INVALID with *out_why. */
MR_CHECK int mr_ordered_row_parse(mr_str line, enum mr_table_kind kind, mr_str *out_pattern,
        mr_str *out_value, const char **out_why);

/* For the kinds: what mr_table_* dispatch to. */
MR_CHECK int mr_lmdb_open(struct mr_diags *diags, const char *path, struct mr_cursor *out);
MR_CHECK int mr_lmdb_get(struct mr_diags *diags, const char *path, const struct mr_strs *keys,
        struct mr_cursor *out);
MR_CHECK int mr_lmdb_build(struct mr_diags *diags, const struct mr_table_build *build,
        struct mr_cursor *rows, uint64_t *out_rows);
MR_CHECK int mr_cdb_open(struct mr_diags *diags, const char *path, struct mr_cursor *out);
MR_CHECK int mr_cdb_build(struct mr_diags *diags, const struct mr_table_build *build,
        struct mr_cursor *rows, uint64_t *out_rows);
MR_CHECK int mr_ordered_open(
        struct mr_diags *diags, const char *path, enum mr_table_kind kind, struct mr_cursor *out);
MR_CHECK int mr_ordered_build(struct mr_diags *diags, const struct mr_table_build *build,
        struct mr_cursor *rows, uint64_t *out_rows);

#endif
