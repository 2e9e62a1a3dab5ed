/*
 * The cache: mirrors of live collections, an ordered table of items a space.
 */
#include "base/buf.h"
#include "store/cache.h"

#include <assert.h>
#include <stdlib.h>

static const char list_text[] = "SELECT key, body FROM mirror WHERE space ="
                                " (SELECT id FROM space WHERE name = ?1) ORDER BY key";

static mr_str or_empty(mr_str s)
{
	return s.data ? s : MR_STR("");
}

/* 1 there, 0 not there, <0. */
static int find_space(struct cache *cache, mr_str name, struct mr_arena *arena, mr_str *out_stamp)
{
	sqlite3_stmt *statement = mr_cache_statement(cache, CACHE_SPACE_FIND);
	int result;

	if (!statement)
		return MR_E_FAILED;
	mr_sql_bind(statement, 1, name);
	result = mr_sql_step(&cache->sql, statement);
	if (result > 0) {
		cache->space = sqlite3_column_int64(statement, 0);
		if (arena)
			*out_stamp = mr_sql_column_copy(statement, 1, arena);
	}
	(void)sqlite3_reset(statement);
	return result;
}

static int set_space(struct cache *cache, mr_str name, mr_str stamp)
{
	sqlite3_stmt *statement = mr_cache_statement(cache, CACHE_SPACE_SET);

	if (!statement)
		return MR_E_FAILED;
	mr_sql_bind(statement, 1, name);
	mr_sql_bind(statement, 2, or_empty(stamp));
	return mr_sql_run(&cache->sql, statement);
}

static int clear_space(struct cache *cache)
{
	sqlite3_stmt *statement = mr_cache_statement(cache, CACHE_MIRROR_CLEAR);

	if (!statement)
		return MR_E_FAILED;
	(void)sqlite3_bind_int64(statement, 1, cache->space);
	return mr_sql_run(&cache->sql, statement);
}

static int begin_space(struct cache *cache, mr_str space, bool is_update)
{
	int result = cache->sql.db ? mr_sql_exec(&cache->sql, "BEGIN IMMEDIATE") : MR_E_FAILED;

	if (result == 0)
		result = find_space(cache, space, NULL, NULL);
	if (result == 0) {
		result = set_space(cache, space, MR_STR(""));
		if (result == 0)
			result = find_space(cache, space, NULL, NULL);
	}
	if (result > 0 && !is_update)
		result = clear_space(cache);
	return result < 0 ? result : 0;
}

static void mirror_abort(struct mr_cache *face)
{
	struct cache *cache = face->state;

	if (cache->sql.db && !sqlite3_get_autocommit(cache->sql.db))
		(void)sqlite3_exec(cache->sql.db, "ROLLBACK", NULL, NULL, NULL);
	free((char *)cache->space_name.data);
	cache->space_name = (mr_str){NULL, 0};
}

/* An update needs what is in the file; a new mirror can as well go to a temporary one. */
static int mirror_begin(struct mr_cache *face, mr_str space, bool is_update)
{
	struct cache *cache = face->state;
	int result = begin_space(cache, space, is_update);
	struct mr_buf name = MR_BUF_INIT;

	if (result < 0) {
		mirror_abort(face);
		if (is_update)
			return result;
		mr_cache_give_up(cache);
		result = begin_space(cache, space, false);
		if (result < 0)
			return result;
	}
	mr_buf_add_str(&name, space);
	cache->space_name = mr_buf_str(&name);
	return 0;
}

static int mirror_put(struct mr_cache *face, mr_str key, mr_str body)
{
	struct cache *cache = face->state;
	sqlite3_stmt *statement = mr_cache_statement(cache, CACHE_MIRROR_PUT);

	assert(cache->space_name.data);
	if (!statement)
		return MR_E_FAILED;
	(void)sqlite3_bind_int64(statement, 1, cache->space);
	mr_sql_bind(statement, 2, or_empty(key));
	mr_sql_bind(statement, 3, or_empty(body));
	return mr_sql_run(&cache->sql, statement);
}

static int mirror_remove(struct mr_cache *face, mr_str key)
{
	struct cache *cache = face->state;
	sqlite3_stmt *statement = mr_cache_statement(cache, CACHE_MIRROR_REMOVE);

	assert(cache->space_name.data);
	if (!statement)
		return MR_E_FAILED;
	(void)sqlite3_bind_int64(statement, 1, cache->space);
	mr_sql_bind(statement, 2, or_empty(key));
	return mr_sql_run(&cache->sql, statement);
}

static int mirror_commit(struct mr_cache *face, mr_str stamp)
{
	struct cache *cache = face->state;
	int result;

	assert(cache->space_name.data);
	result = set_space(cache, cache->space_name, stamp);
	if (result == 0)
		result = mr_sql_exec(&cache->sql, "COMMIT");
	mirror_abort(face);
	return result;
}

static bool mirror_stamp(struct mr_cache *face, mr_str space, struct mr_arena *arena, mr_str *out)
{
	return find_space(face->state, space, arena, out) > 0;
}

struct mirror_cursor {
	struct mr_sql *sql;
	sqlite3_stmt *statement;
};

static int mirror_next(struct mr_cursor *cursor, struct mr_item *out)
{
	struct mirror_cursor *mirror = cursor->state;
	int result = mr_sql_step(mirror->sql, mirror->statement);

	if (result <= 0)
		return result;
	*out = (struct mr_item){
	        .key = mr_sql_column(mirror->statement, 0),
	        .body = mr_sql_column(mirror->statement, 1),
	};
	return 1;
}

static void mirror_close(struct mr_cursor *cursor)
{
	struct mirror_cursor *mirror = cursor->state;

	(void)sqlite3_finalize(mirror->statement);
	free(mirror);
}

static int mirror_read(struct mr_cache *face, mr_str space, struct mr_cursor *out)
{
	struct cache *cache = face->state;
	struct mirror_cursor *mirror;
	sqlite3_stmt *statement = NULL;

	if (!cache->sql.db ||
	        sqlite3_prepare_v2(cache->sql.db, list_text, -1, &statement, NULL) != SQLITE_OK)
		return MR_E_FAILED;
	(void)sqlite3_bind_blob64(statement, 1, space.data, space.size, SQLITE_TRANSIENT);
	mirror = mr_xrealloc(NULL, 1, sizeof *mirror);
	*mirror = (struct mirror_cursor){&cache->sql, statement};
	*out = (struct mr_cursor){mirror_next, mirror_close, mirror};
	return 0;
}

void mr_cache_add_mirrors(struct mr_cache *face)
{
	face->mirror_begin = mirror_begin;
	face->mirror_put = mirror_put;
	face->mirror_remove = mirror_remove;
	face->mirror_commit = mirror_commit;
	face->mirror_abort = mirror_abort;
	face->mirror_stamp = mirror_stamp;
	face->mirror_read = mirror_read;
}
