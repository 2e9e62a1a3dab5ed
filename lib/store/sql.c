/*
 * SQLite with our error style.
 */
#include "store/sql.h"

#include <assert.h>
#include <stdlib.h>

void mr_sql_init(struct mr_sql *sql, struct mr_diags *diags, const char *what,
        const char *const *texts, size_t n_texts)
{
	*sql = (struct mr_sql){
	        .diags = diags, .what = what, .texts = texts, .n_statements = n_texts};
	sql->statements = mr_xrealloc(NULL, n_texts, sizeof(sqlite3_stmt *));
	for (size_t i = 0; i < n_texts; i++)
		sql->statements[i] = NULL;
}

int mr_sql_open(struct mr_sql *sql, const char *path, int flags, const char *setup)
{
	int result;

	assert(!sql->db);
	result = sqlite3_open_v2(
	        path, &sql->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	/* before the script: some pragmas read the file, and a commit of another process takes a
	 * moment */
	if (result == SQLITE_OK)
		result = sqlite3_busy_timeout(sql->db, MR_SQL_BUSY_TIMEOUT_MS);
	if (result == SQLITE_OK)
		result = sqlite3_exec(sql->db, setup, NULL, NULL, NULL);
	return result;
}

void mr_sql_close(struct mr_sql *sql)
{
	for (size_t i = 0; i < sql->n_statements; i++) {
		(void)sqlite3_finalize(sql->statements[i]);
		sql->statements[i] = NULL;
	}
	free(sql->statements);
	sql->statements = NULL;
	sql->n_statements = 0;
	(void)sqlite3_close_v2(sql->db);
	sql->db = NULL;
}

int mr_sql_fail(struct mr_sql *sql)
{
	int result = sqlite3_errcode(sql->db) & 0xff;

	if (!sql->diags)
		return MR_E_FAILED;
	if (result == SQLITE_BUSY || result == SQLITE_LOCKED)
		return mr_fail(sql->diags, MR_E_BUSY, "%s is in use by another process", sql->what);
	return mr_fail(sql->diags, MR_E_FAILED, "%s: %s", sql->what, sqlite3_errmsg(sql->db));
}

int mr_sql_exec(struct mr_sql *sql, const char *script)
{
	return sqlite3_exec(sql->db, script, NULL, NULL, NULL) == SQLITE_OK ? 0 : mr_sql_fail(sql);
}

sqlite3_stmt *mr_sql_get(struct mr_sql *sql, size_t number)
{
	assert(number < sql->n_statements);
	if (sql->statements[number]) {
		(void)sqlite3_reset(sql->statements[number]);
		return sql->statements[number];
	}
	if (sqlite3_prepare_v3(sql->db, sql->texts[number], -1, SQLITE_PREPARE_PERSISTENT,
	            &sql->statements[number], NULL) != SQLITE_OK)
		(void)mr_sql_fail(sql);
	return sql->statements[number];
}

void mr_sql_bind(sqlite3_stmt *statement, int at, mr_str bytes)
{
	if (bytes.data)
		(void)sqlite3_bind_blob64(statement, at, bytes.data, bytes.size, SQLITE_STATIC);
	else
		(void)sqlite3_bind_null(statement, at);
}

void mr_sql_bind_text(sqlite3_stmt *statement, int at, mr_str text)
{
	(void)sqlite3_bind_text64(
	        statement, at, text.data ? text.data : "", text.size, SQLITE_STATIC, SQLITE_UTF8);
}

int mr_sql_step(struct mr_sql *sql, sqlite3_stmt *statement)
{
	switch (sqlite3_step(statement)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return mr_sql_fail(sql);
	}
}

int mr_sql_run(struct mr_sql *sql, sqlite3_stmt *statement)
{
	int result;

	do
		result = mr_sql_step(sql, statement);
	while (result > 0);
	(void)sqlite3_reset(statement);
	return result;
}

mr_str mr_sql_column(sqlite3_stmt *statement, int at)
{
	const char *bytes = sqlite3_column_blob(statement, at);
	int size = sqlite3_column_bytes(statement, at);

	if (!bytes && sqlite3_column_type(statement, at) != SQLITE_NULL)
		bytes = "";
	return (mr_str){bytes, (size_t)size};
}

mr_str mr_sql_column_copy(sqlite3_stmt *statement, int at, struct mr_arena *arena)
{
	mr_str view = mr_sql_column(statement, at);

	return view.data ? mr_str_copy(arena, view) : view;
}
