/*
 * The cache: blobs by name and mirrors of live collections, in cache.db. It can be lost at any
 * time: a damaged file, or one of an earlier boot (it is never synced, so a power loss may have
 * torn it), is thrown away. A file that cannot be written gives way to a temporary one of this
 * process, so that nothing here is a failure.
 */
#include "store/cache.h"
#include "base/buf.h"
#include "base/file.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define CACHE_VERSION 1

static const char *const texts[CACHE_STATEMENT_COUNT] = {
        [CACHE_BOOT_GET] = "SELECT value FROM blob WHERE name = x''",
        [CACHE_BOOT_SET] = "INSERT OR REPLACE INTO blob VALUES (x'', ?1)",
        [CACHE_GET] = "SELECT value FROM blob WHERE name = ?1",
        [CACHE_PUT] = "INSERT OR REPLACE INTO blob VALUES (?1, ?2)",
        [CACHE_SPACE_FIND] = "SELECT id, stamp FROM space WHERE name = ?1",
        [CACHE_SPACE_SET] = ("INSERT INTO space (name, stamp) VALUES (?1, ?2)"
                             " ON CONFLICT DO UPDATE SET stamp = excluded.stamp"),
        [CACHE_MIRROR_CLEAR] = "DELETE FROM mirror WHERE space = ?1",
        [CACHE_MIRROR_PUT] = "INSERT OR REPLACE INTO mirror VALUES (?1, ?2, ?3)",
        [CACHE_MIRROR_REMOVE] = "DELETE FROM mirror WHERE space = ?1 AND key = ?2",
};

static const char setup[] = "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA "
                            "synchronous=OFF; PRAGMA temp_store=FILE;"
                            "PRAGMA cache_size=-8192; PRAGMA mmap_size=0; PRAGMA "
                            "trusted_schema=OFF; PRAGMA cell_size_check=ON;"
                            "CREATE TABLE IF NOT EXISTS blob (name BLOB PRIMARY KEY, value BLOB "
                            "NOT NULL) WITHOUT ROWID;"
                            "CREATE TABLE IF NOT EXISTS space (id INTEGER PRIMARY KEY, name BLOB "
                            "NOT NULL UNIQUE, stamp BLOB NOT NULL);"
                            "CREATE TABLE IF NOT EXISTS mirror (space INTEGER NOT NULL, key BLOB "
                            "NOT NULL, body BLOB NOT NULL,"
                            " PRIMARY KEY (space, key)) WITHOUT ROWID;";

static void remove_files(const char *path)
{
	static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
	struct mr_buf name = MR_BUF_INIT;

	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		mr_buf_clear(&name);
		mr_buf_printf(&name, "%s%s", path, endings[i]);
		(void)unlink(name.data); /* most are not there */
	}
	mr_buf_done(&name);
}

static void close_sql(struct cache *cache)
{
	mr_sql_close(&cache->sql);
	mr_sql_init(&cache->sql, NULL, "cache", texts, CACHE_STATEMENT_COUNT);
}

/* Made here so that its mode is right from the start. */
static bool open_file(struct cache *cache)
{
	MR_CLOSE int fd = open(cache->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || mr_sql_open(&cache->sql, cache->path, SQLITE_OPEN_READWRITE, "") != SQLITE_OK)
		return false;
	return mr_sql_exec(&cache->sql, setup) == 0;
}

static void open_temporary(struct cache *cache)
{
	free(cache->path);
	cache->path = NULL;
	close_sql(cache);
	/* an empty name: a file that nobody sees, gone when it is closed */
	if (mr_sql_open(&cache->sql, "", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, setup) !=
	        SQLITE_OK)
		close_sql(cache);
}

static void boot_id(struct mr_buf *out)
{
	struct mr_diags diags = {0};

	if (mr_file_read(&diags, "/proc/sys/kernel/random/boot_id", 64, out) < 0)
		mr_buf_clear(out);
	mr_diags_done(&diags);
	mr_buf_printf(out, "%d", CACHE_VERSION);
}

static bool is_of_this_boot(struct cache *cache, mr_str boot)
{
	sqlite3_stmt *statement = mr_sql_get(&cache->sql, CACHE_BOOT_GET);
	int result = statement ? mr_sql_step(&cache->sql, statement) : MR_E_FAILED;
	bool is_same = result > 0 && mr_str_eq(mr_sql_column(statement, 0), boot);

	(void)sqlite3_reset(statement);
	if (result != 0)
		return is_same;
	statement = mr_sql_get(&cache->sql, CACHE_BOOT_SET);
	if (!statement)
		return false;
	mr_sql_bind(statement, 1, boot);
	return mr_sql_run(&cache->sql, statement) == 0;
}

static bool open_path(struct cache *cache, mr_str boot)
{
	/* an empty blob table, made a moment ago, is marked as of this boot */
	return open_file(cache) && is_of_this_boot(cache, boot);
}

static bool is_busy(const struct cache *cache)
{
	return cache->sql.db && (sqlite3_errcode(cache->sql.db) & 0xff) == SQLITE_BUSY;
}

static void open_any(struct cache *cache)
{
	struct mr_buf boot = MR_BUF_INIT;
	bool is_open;

	boot_id(&boot);
	is_open = cache->path && open_path(cache, mr_buf_str(&boot));
	if (cache->path && !is_open && !is_busy(cache)) {
		close_sql(cache);
		remove_files(cache->path);
		is_open = open_path(cache, mr_buf_str(&boot));
	}
	mr_buf_done(&boot);
	if (!is_open)
		open_temporary(cache);
}

/* After a failed call: goes on with an empty cache. What the file holds is removed when it is
 * damaged. */
void mr_cache_give_up(struct cache *cache)
{
	int code = cache->sql.db ? sqlite3_errcode(cache->sql.db) & 0xff : SQLITE_OK;

	if (cache->path && (code == SQLITE_CORRUPT || code == SQLITE_NOTADB))
		remove_files(cache->path);
	open_temporary(cache);
}

sqlite3_stmt *mr_cache_statement(struct cache *cache, enum cache_statement number)
{
	return cache->sql.db ? mr_sql_get(&cache->sql, number) : NULL;
}

static bool cache_get(struct mr_cache *face, mr_str name, struct mr_arena *arena, mr_str *out)
{
	struct cache *cache = face->state;
	sqlite3_stmt *statement = mr_cache_statement(cache, CACHE_GET);
	int result;

	assert(name.size > 0);
	if (!statement)
		return false;
	mr_sql_bind(statement, 1, name);
	result = mr_sql_step(&cache->sql, statement);
	if (result > 0)
		*out = mr_sql_column_copy(statement, 0, arena);
	(void)sqlite3_reset(statement);
	return result > 0;
}

static void cache_put(struct mr_cache *face, mr_str name, mr_str value)
{
	struct cache *cache = face->state;
	sqlite3_stmt *statement = mr_cache_statement(cache, CACHE_PUT);

	assert(name.size > 0);
	if (!statement)
		return;
	mr_sql_bind(statement, 1, name);
	mr_sql_bind(statement, 2, value.data ? value : MR_STR(""));
	if (mr_sql_run(&cache->sql, statement) < 0)
		return; /* it will be computed again */
}

void mr_cache_open(struct mr_cache *face, const char *path)
{
	struct cache *cache = mr_xrealloc(NULL, 1, sizeof *cache);
	struct mr_buf copy = MR_BUF_INIT;

	*cache = (struct cache){0};
	mr_sql_init(&cache->sql, NULL, "cache", texts, CACHE_STATEMENT_COUNT);
	if (path) {
		mr_buf_add_text(&copy, path);
		cache->path = copy.data;
	}
	open_any(cache);
	*face = (struct mr_cache){.get = cache_get, .put = cache_put, .state = cache};
	mr_cache_add_mirrors(face);
}

void mr_cache_close(struct mr_cache *face)
{
	struct cache *cache = face->state;

	if (!cache)
		return;
	free((char *)cache->space_name.data);
	mr_sql_close(&cache->sql);
	free(cache->path);
	free(cache);
	face->state = NULL;
}
