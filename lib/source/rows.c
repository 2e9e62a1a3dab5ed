/*
 * The store of rows in SQLite: schema, transactions, files, and the ordered scan.
 */
#include "source/rows.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#define BUSY_TIMEOUT_MS 20000

enum statement {
	STATEMENT_INSERT,
	STATEMENT_DELETE,
	STATEMENT_META,
	STATEMENT_SET_META,
	STATEMENT_PUT_FILE,
	STATEMENT_MOVE_FILE,
	STATEMENT_FILE_KEYS,
	STATEMENT_DROP_FILE,
	STATEMENT_COUNT
};

static const char *const statement_texts[STATEMENT_COUNT] = {
        [STATEMENT_INSERT] = "INSERT OR REPLACE INTO row (k, v) VALUES (?1, ?2)",
        [STATEMENT_DELETE] = "DELETE FROM row WHERE k = ?1",
        [STATEMENT_META] = "SELECT value FROM meta WHERE name = ?1",
        [STATEMENT_SET_META] = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)",
        [STATEMENT_PUT_FILE] =
                "INSERT OR REPLACE INTO file (id, path, blob, keys) VALUES (?1, ?2, ?3, ?4)",
        [STATEMENT_MOVE_FILE] = "UPDATE file SET path = ?2 WHERE id = ?1",
        [STATEMENT_FILE_KEYS] = "SELECT keys FROM file WHERE id = ?1",
        [STATEMENT_DROP_FILE] = "DELETE FROM file WHERE id = ?1",
};

static const char schema[] =
        "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT "
        "ROWID;"
        "CREATE TABLE IF NOT EXISTS file (id INTEGER PRIMARY KEY, path TEXT NOT NULL,"
        " blob TEXT NOT NULL, keys BLOB NOT NULL);"
        "CREATE TABLE IF NOT EXISTS row (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID;";

struct mr_rows {
	sqlite3 *db;
	struct mr_diags *diags;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	sqlite3_stmt *spare_scan; /* look-ups come one after the other: preparing would cost more
	                             than they do */
};

static int failed(struct mr_rows *rows, const char *what)
{
	if (!rows->diags)
		return MR_E_FAILED;
	return mr_fail(rows->diags, MR_E_FAILED, "cannot %s the store of rows: %s", what,
	        sqlite3_errmsg(rows->db));
}

static int run(struct mr_rows *rows, const char *sql, const char *what)
{
	return sqlite3_exec(rows->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(rows, what);
}

/* Text and blobs of size 0 need a place all the same: NULL would be the SQL null. */
static void bind_blob(sqlite3_stmt *statement, int at, mr_str value)
{
	(void)sqlite3_bind_blob64(
	        statement, at, value.size ? value.data : "", value.size, SQLITE_STATIC);
}

static void bind_text(sqlite3_stmt *statement, int at, mr_str value)
{
	(void)sqlite3_bind_text64(statement, at, value.size ? value.data : "", value.size,
	        SQLITE_STATIC, SQLITE_UTF8);
}

static mr_str column_bytes(sqlite3_stmt *statement, int at)
{
	const char *data = sqlite3_column_blob(statement, at);

	return (mr_str){data, data ? (size_t)sqlite3_column_bytes(statement, at) : 0};
}

static sqlite3_stmt *prepared(struct mr_rows *rows, enum statement which)
{
	sqlite3_stmt **statement = &rows->statements[which];

	if (!*statement)
		(void)sqlite3_prepare_v3(rows->db, statement_texts[which], -1,
		        SQLITE_PREPARE_PERSISTENT, statement, NULL);
	return *statement;
}

static int finish(struct mr_rows *rows, sqlite3_stmt *statement, const char *what)
{
	int result = sqlite3_step(statement) == SQLITE_DONE ? 0 : failed(rows, what);

	(void)sqlite3_reset(statement);
	return result;
}

static void close_db(struct mr_rows *rows)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		(void)sqlite3_finalize(rows->statements[i]);
		rows->statements[i] = NULL;
	}
	(void)sqlite3_finalize(rows->spare_scan);
	rows->spare_scan = NULL;
	(void)sqlite3_close(rows->db);
	rows->db = NULL;
}

/* Opens one database and brings it to the tables of this program: the code of SQLite. */
static int open_db(struct mr_rows *rows, const char *path)
{
	bool is_private = !path;
	int code;

	if (!is_private)
		mr_rows_make(path);
	code = sqlite3_open_v2(is_private ? "" : path, &rows->db,
	        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(rows->db, BUSY_TIMEOUT_MS);
	if (code == SQLITE_OK)
		code = sqlite3_exec(rows->db, "PRAGMA page_size = 8192; PRAGMA cache_size = -6144",
		        NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(rows->db,
		        is_private ? "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA "
		                     "locking_mode = EXCLUSIVE"
		                   : "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL",
		        NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(rows->db, schema, NULL, NULL, NULL);
	if (code != SQLITE_OK)
		close_db(rows);
	return code;
}

/* Empties a cache that was written with other tables. */
static int check_tables(struct mr_rows *rows)
{
	struct mr_digest digest = mr_kinds_digest();
	mr_str wanted = {(const char *)digest.bytes, sizeof digest.bytes};
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	mr_str found;
	int error;

	if (mr_rows_meta(rows, "tables", &arena, &found) && mr_str_eq(found, wanted))
		return 0;
	error = mr_rows_begin(rows);
	if (!error)
		error = run(rows, "DELETE FROM row; DELETE FROM file; DELETE FROM meta", "empty");
	if (!error)
		error = mr_rows_set_meta(rows, "tables", wanted);
	return error ? error : mr_rows_commit(rows);
}

int mr_rows_open(struct mr_diags *diags, const char *cache_path, struct mr_rows **out)
{
	struct mr_rows *rows = mr_xrealloc(NULL, 1, sizeof *rows);
	int code = SQLITE_CANTOPEN;
	int error;

	memset(rows, 0, sizeof *rows);
	rows->diags = diags;
	if (cache_path) {
		code = open_db(rows, cache_path);
		if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT) {
			mr_rows_remove(cache_path);
			code = open_db(rows, cache_path);
		}
	}
	if (code != SQLITE_OK)
		code = open_db(rows, NULL);
	error = code == SQLITE_OK ? check_tables(rows)
	                          : mr_fail(diags, MR_E_FAILED, "cannot open the store of rows: %s",
	                                    sqlite3_errstr(code));
	if (error) {
		mr_rows_close(rows);
		return error;
	}
	*out = rows;
	return 0;
}

void mr_rows_close(struct mr_rows *rows)
{
	if (!rows)
		return;
	close_db(rows);
	free(rows);
}

void mr_rows_forget_diags(struct mr_rows *rows)
{
	rows->diags = NULL;
}

int mr_rows_begin(struct mr_rows *rows)
{
	return run(rows, "BEGIN IMMEDIATE", "lock");
}

int mr_rows_commit(struct mr_rows *rows)
{
	return run(rows, "COMMIT", "write");
}

void mr_rows_abort(struct mr_rows *rows)
{
	if (!sqlite3_get_autocommit(rows->db))
		(void)sqlite3_exec(rows->db, "ROLLBACK", NULL, NULL, NULL);
}

int mr_rows_snapshot(struct mr_rows *rows)
{
	return run(rows, "BEGIN; SELECT name FROM meta LIMIT 1", "read");
}

bool mr_rows_meta(struct mr_rows *rows, const char *name, struct mr_arena *arena, mr_str *out)
{
	sqlite3_stmt *statement = prepared(rows, STATEMENT_META);
	bool is_there;

	bind_text(statement, 1, mr_str_from(name));
	is_there = sqlite3_step(statement) == SQLITE_ROW;
	if (is_there)
		*out = mr_str_copy(arena, column_bytes(statement, 0));
	(void)sqlite3_reset(statement);
	return is_there;
}

int mr_rows_set_meta(struct mr_rows *rows, const char *name, mr_str value)
{
	sqlite3_stmt *statement = prepared(rows, STATEMENT_SET_META);

	bind_text(statement, 1, mr_str_from(name));
	bind_blob(statement, 2, value);
	return finish(rows, statement, "write");
}

int mr_rows_each_file(struct mr_rows *rows,
        void (*fn)(void *arg, int64_t id, mr_str path, mr_str blob), void *arg)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(
	        rows->db, "SELECT id, path, blob FROM file ORDER BY id", -1, &statement, NULL);

	while (code == SQLITE_OK || code == SQLITE_ROW) {
		code = sqlite3_step(statement);
		if (code == SQLITE_ROW)
			fn(arg, sqlite3_column_int64(statement, 0), column_bytes(statement, 1),
			        column_bytes(statement, 2));
	}
	(void)sqlite3_finalize(statement);
	return code == SQLITE_DONE ? 0 : failed(rows, "read");
}

int mr_rows_last_file(struct mr_rows *rows, int64_t *out)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(
	        rows->db, "SELECT coalesce(max(id), 0) FROM file", -1, &statement, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*out = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	return code == SQLITE_ROW ? 0 : failed(rows, "read");
}

int mr_rows_drop_records(struct mr_rows *rows)
{
	return run(rows, "DELETE FROM meta WHERE name = 'list' OR name LIKE 'checked %'", "write");
}

int mr_rows_put_file(struct mr_rows *rows, int64_t id, mr_str path, mr_str blob, mr_str keys)
{
	sqlite3_stmt *statement = prepared(rows, STATEMENT_PUT_FILE);

	(void)sqlite3_bind_int64(statement, 1, id);
	bind_text(statement, 2, path);
	bind_text(statement, 3, blob);
	bind_blob(statement, 4, keys);
	return finish(rows, statement, "write");
}

int mr_rows_move_file(struct mr_rows *rows, int64_t id, mr_str path)
{
	sqlite3_stmt *statement = prepared(rows, STATEMENT_MOVE_FILE);

	(void)sqlite3_bind_int64(statement, 1, id);
	bind_text(statement, 2, path);
	return finish(rows, statement, "write");
}

static int delete_keys(struct mr_rows *rows, mr_str keys)
{
	sqlite3_stmt *statement = prepared(rows, STATEMENT_DELETE);
	uint32_t size;
	int error = 0;

	while (keys.size > sizeof size && !error) {
		memcpy(&size, keys.data, sizeof size);
		keys = mr_str_skip(keys, sizeof size);
		bind_blob(statement, 1, mr_str_take(keys, size));
		error = finish(rows, statement, "write");
		keys = mr_str_skip(keys, size);
	}
	return error;
}

int mr_rows_drop_file(struct mr_rows *rows, int64_t id)
{
	sqlite3_stmt *keys = prepared(rows, STATEMENT_FILE_KEYS);
	sqlite3_stmt *drop = prepared(rows, STATEMENT_DROP_FILE);
	int error = 0;

	(void)sqlite3_bind_int64(keys, 1, id);
	if (sqlite3_step(keys) == SQLITE_ROW)
		error = delete_keys(rows, column_bytes(keys, 0));
	(void)sqlite3_reset(keys);
	if (error)
		return error;
	(void)sqlite3_bind_int64(drop, 1, id);
	return finish(rows, drop, "write");
}

int mr_rows_insert(struct mr_rows *rows, mr_str row_key, mr_str body)
{
	sqlite3_stmt *statement = prepared(rows, STATEMENT_INSERT);

	bind_blob(statement, 1, row_key);
	bind_blob(statement, 2, body);
	return finish(rows, statement, "write");
}

int mr_scan_begin(struct mr_rows *rows, enum mr_kind_id kind, mr_str prefix, bool is_exact,
        struct mr_scan *out)
{
	struct mr_buf from = MR_BUF_INIT, to = MR_BUF_INIT;
	sqlite3_stmt *statement = rows->spare_scan;
	int code = SQLITE_OK;

	rows->spare_scan = NULL;
	if (!statement)
		code = sqlite3_prepare_v2(rows->db,
		        "SELECT k, v FROM row WHERE k >= ?1 AND k < ?2 ORDER BY k", -1, &statement,
		        NULL);

	mr_buf_add_char(&from, (char)kind);
	mr_buf_add_str(&from, prefix);
	if (is_exact)
		mr_buf_add_char(&from, '\0');
	mr_buf_add_str(&to, mr_buf_str(&from));
	/* The end: the last byte one higher. Neither UTF-8 nor our separators end in 0xFF. */
	to.data[to.size - 1]++;
	if (code == SQLITE_OK) {
		(void)sqlite3_bind_blob64(statement, 1, from.data, from.size, SQLITE_TRANSIENT);
		(void)sqlite3_bind_blob64(statement, 2, to.data, to.size, SQLITE_TRANSIENT);
	}
	mr_buf_done(&from);
	mr_buf_done(&to);
	*out = (struct mr_scan){rows, statement};
	return code == SQLITE_OK ? 0 : failed(rows, "read");
}

int mr_scan_next(struct mr_scan *scan, struct mr_row_key *out, mr_str *out_body)
{
	sqlite3_stmt *statement = scan->statement;
	int code;

	if (!statement)
		return 0;
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW) {
		*out_body = column_bytes(statement, 1);
		return mr_row_key_parse(column_bytes(statement, 0), out) < 0 ? MR_E_FAILED : 1;
	}
	mr_scan_end(scan);
	return code == SQLITE_DONE ? 0 : MR_E_FAILED;
}

void mr_scan_end(struct mr_scan *scan)
{
	if (!scan->statement)
		return;
	(void)sqlite3_reset(scan->statement);
	if (scan->rows->spare_scan)
		(void)sqlite3_finalize(scan->statement);
	else
		scan->rows->spare_scan = scan->statement;
	scan->statement = NULL;
}
