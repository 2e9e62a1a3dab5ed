/*
 * SQLite with our error style: statements prepared once, bound by views, stepped with diagnostics.
 * Private to the store.
 */
#ifndef MR_STORE_SQL_H
#define MR_STORE_SQL_H

#include "base/arena.h"
#include "base/diag.h"

#include <sqlite3.h>

struct mr_sql {
	sqlite3 *db;
	struct mr_diags *diags;   /* NULL: errors are silent (the cache) */
	const char *what;         /* "state database '/var/lib/…'" is made of it; the owner's */
	const char *const *texts; /* of the statements, by number */
	sqlite3_stmt **statements;
	size_t n_statements;
};

/* texts and what stay the caller's. */
void mr_sql_init(struct mr_sql *sql, struct mr_diags *diags, const char *what,
        const char *const *texts, size_t n_texts);
/* How long others are waited for. */
enum { MR_SQL_BUSY_TIMEOUT_MS = 10000 };
/* Opens with the given SQLITE_OPEN flags and runs the setup script. Returns the SQLite result code.
 */
int mr_sql_open(struct mr_sql *sql, const char *path, int flags, const char *setup);
void mr_sql_close(struct mr_sql *sql);

/* Reports the connection's last error. */
int mr_sql_fail(struct mr_sql *sql);
MR_CHECK int mr_sql_exec(struct mr_sql *sql, const char *script);
/* The statement of that number, reset, prepared at first use. NULL: reported. */
sqlite3_stmt *mr_sql_get(struct mr_sql *sql, size_t number);
/* data == NULL binds NULL. The bytes must stay until the statement was run. */
void mr_sql_bind(sqlite3_stmt *statement, int at, mr_str bytes);
void mr_sql_bind_text(sqlite3_stmt *statement, int at, mr_str text);
/* 1 a row, 0 done, <0 reported. */
MR_CHECK int mr_sql_step(struct mr_sql *sql, sqlite3_stmt *statement);
/* Steps to the end and resets. */
MR_CHECK int mr_sql_run(struct mr_sql *sql, sqlite3_stmt *statement);
/* A view that is valid until the next step; data == NULL for NULL, else never NULL. */
mr_str mr_sql_column(sqlite3_stmt *statement, int at);
mr_str mr_sql_column_copy(sqlite3_stmt *statement, int at, struct mr_arena *arena);

#endif
