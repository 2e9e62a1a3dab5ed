/*
 * state.db: opening, making, judging whether it is whole and the one that the anchor speaks of.
 */
#include "base/file.h"
#include "base/text.h"
#include "store/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 0x6d727631 /* "mrv1" */
#define SCHEMA_VERSION 1

static const char setup[] =
        "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA foreign_keys=ON;"
        "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0; PRAGMA cache_size=-8192;";
/* TRUNCATE is as durable as DELETE, and spares two of the folder's fsyncs a transaction. */
static const char writer_setup[] =
        "PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=EXTRA; PRAGMA secure_delete=ON;";

static const char schema[] =
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
        "CREATE TABLE collection (id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE);"
        "CREATE TABLE owned (collection INTEGER NOT NULL REFERENCES collection, key BLOB NOT NULL,"
        " body BLOB NOT NULL, object BLOB NOT NULL, pre_image BLOB, PRIMARY KEY (collection, key)) "
        "WITHOUT ROWID;"
        "CREATE TABLE retired (address TEXT PRIMARY KEY, mail_home TEXT NOT NULL, at INTEGER NOT "
        "NULL) WITHOUT ROWID;"
        "CREATE TABLE applied (id INTEGER PRIMARY KEY CHECK (id = 1), run INTEGER NOT NULL, "
        "commit_id TEXT NOT NULL,"
        " tree TEXT NOT NULL, ref TEXT NOT NULL, digest TEXT NOT NULL, policy TEXT NOT NULL, at "
        "INTEGER NOT NULL);"
        "CREATE TABLE run (id INTEGER PRIMARY KEY AUTOINCREMENT, verb TEXT NOT NULL, who TEXT NOT "
        "NULL,"
        " ref TEXT NOT NULL, commit_id TEXT NOT NULL, tree TEXT NOT NULL, subject TEXT NOT NULL,"
        " plan_digest TEXT NOT NULL, effects_digest TEXT NOT NULL, result TEXT NOT NULL, "
        "exit_status INTEGER NOT NULL,"
        " detail TEXT NOT NULL, summary TEXT NOT NULL, plan TEXT NOT NULL, started INTEGER NOT "
        "NULL,"
        " ended INTEGER NOT NULL);"
        "CREATE TABLE quarantine (commit_id TEXT PRIMARY KEY, effects TEXT NOT NULL, why TEXT NOT "
        "NULL) WITHOUT ROWID;"
        "CREATE INDEX quarantine_effects ON quarantine (effects);"
        "INSERT INTO meta VALUES ('generation', 0);";

enum judgement { IS_GOOD, IS_EMPTY, IS_DAMAGED, IS_FOREIGN, IS_NEWER, IS_UNREADABLE };

int mr_meta_get(struct mr_state *state, const char *name, struct mr_arena *arena, mr_str *out)
{
	int result;
	sqlite3_stmt *statement = mr_state_read(state, STATE_META_GET, &result);

	if (!statement)
		return result < 0 ? result : MR_E_NOT_FOUND;
	mr_sql_bind_text(statement, 1, mr_str_from(name));
	result = mr_sql_step(&state->sql, statement);
	if (result > 0)
		*out = mr_sql_column_copy(statement, 0, arena);
	(void)sqlite3_reset(statement);
	return result < 0 ? result : result > 0 ? 0 : MR_E_NOT_FOUND;
}

static int64_t pragma_number(sqlite3 *db, const char *text, int *out_code)
{
	sqlite3_stmt *statement = NULL;
	int64_t number = 0;

	*out_code = sqlite3_prepare_v2(db, text, -1, &statement, NULL);
	if (*out_code == SQLITE_OK)
		*out_code = sqlite3_step(statement);
	if (*out_code == SQLITE_ROW) {
		number = sqlite3_column_int64(statement, 0);
		*out_code = SQLITE_OK;
	}
	(void)sqlite3_finalize(statement);
	return number;
}

static bool is_whole(sqlite3 *db)
{
	sqlite3_stmt *statement = NULL;
	bool is_ok = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL) ==
	                     SQLITE_OK &&
	             sqlite3_step(statement) == SQLITE_ROW &&
	             strcmp((const char *)sqlite3_column_text(statement, 0), "ok") == 0;

	(void)sqlite3_finalize(statement);
	return is_ok;
}

static enum judgement judge_code(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
		return IS_GOOD;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
	case SQLITE_ERROR: /* no such table: not what we made */
		return IS_DAMAGED;
	default:
		return IS_UNREADABLE;
	}
}

static enum judgement judge(struct mr_state *state)
{
	sqlite3 *db = state->sql.db;
	int code;
	int64_t application = pragma_number(db, "PRAGMA application_id", &code);
	int64_t version = code == SQLITE_OK ? pragma_number(db, "PRAGMA user_version", &code) : 0;
	int64_t tables = code == SQLITE_OK
	                         ? pragma_number(db, "SELECT count(*) FROM sqlite_schema", &code)
	                         : 0;

	if (code != SQLITE_OK)
		return judge_code(code);
	if (application == 0 && version == 0 && tables == 0)
		return IS_EMPTY;
	if (application != APPLICATION_ID)
		return IS_FOREIGN;
	if (version > SCHEMA_VERSION)
		return IS_NEWER;
	if (state->is_writer && state->was_left_open && !is_whole(db))
		return IS_DAMAGED;
	(void)pragma_number(db, "SELECT value FROM meta WHERE name = 'uuid'", &code);
	return code == SQLITE_OK ? IS_GOOD : code == SQLITE_DONE ? IS_DAMAGED : judge_code(code);
}

static void close_database(struct mr_state *state)
{
	const char *what = state->sql.what;

	mr_sql_close(&state->sql);
	mr_sql_init(&state->sql, state->diags, what, mr_state_texts, STATE_STATEMENT_COUNT);
}

static enum judgement open_with(struct mr_state *state, int flags)
{
	int code = mr_sql_open(&state->sql, mr_state_path(state, "state.db"), flags, setup);

	if (code != SQLITE_OK)
		return judge_code(code);
	(void)sqlite3_db_config(state->sql.db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return judge(state);
}

/* A reader opens read-only; but what a crash left half done has to be rolled back by somebody
 * before it can be read, and SQLite does that under its own locks. */
static enum judgement open_and_judge(struct mr_state *state)
{
	enum judgement judgement;

	if (state->is_writer)
		return open_with(state, SQLITE_OPEN_READWRITE);
	judgement = open_with(state, SQLITE_OPEN_READONLY);
	if (judgement != IS_UNREADABLE)
		return judgement;
	close_database(state);
	return open_with(state, SQLITE_OPEN_READWRITE);
}

static int make_uuid(struct mr_state *state)
{
	uint8_t bytes[16];
	struct mr_buf script = MR_BUF_INIT;
	int result;

	if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
		return mr_fail(
		        state->diags, MR_E_FAILED, "cannot make an identity: %s", strerror(errno));
	mr_buf_add_text(&script, "INSERT INTO meta VALUES ('uuid', '");
	for (size_t i = 0; i < sizeof bytes; i++)
		mr_buf_printf(&script, "%02x", bytes[i]);
	mr_buf_printf(&script, "'); PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT;",
	        APPLICATION_ID, SCHEMA_VERSION);
	result = mr_sql_exec(&state->sql, script.data);
	mr_buf_done(&script);
	return result;
}

/* The file is made first so that its mode is right from the start. */
static int make_database(struct mr_state *state)
{
	const char *path = mr_state_path(state, "state.db");
	MR_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int result;

	if (fd < 0)
		return mr_fail(
		        state->diags, MR_E_CONFIG, "cannot make '%s': %s", path, strerror(errno));
	close_database(state);
	(void)open_with(state, SQLITE_OPEN_READWRITE);
	result = mr_sql_exec(&state->sql, writer_setup);
	if (result == 0)
		result = mr_sql_exec(&state->sql, "BEGIN IMMEDIATE;");
	if (result == 0)
		result = mr_sql_exec(&state->sql, schema);
	return result < 0 ? result : make_uuid(state);
}

static int distrust(struct mr_state *state, const char *why)
{
	state->is_trusted = false;
	mr_diags_at(state->diags, MR_WARNING, NULL, NULL,
	        "%s %s: it is only read, and nothing is deleted", state->sql.what, why);
	mr_diags_hint(state->diags, "look at it, then say 'mailreeve trust'");
	return 0;
}

static int fail_config(struct mr_state *state, const char *why, const char *hint)
{
	(void)mr_fail(state->diags, MR_E_CONFIG, "cannot use %s: %s", state->sql.what, why);
	mr_diags_hint(state->diags, "%s", hint);
	return MR_E_CONFIG;
}

/* Older than the anchor, or another database: only what the anchor knows is right. A newer one is
 * right as well: the anchor is written after the decision. */
static int compare(struct mr_state *state, const struct mr_anchor *anchor)
{
	mr_str uuid = {NULL, 0}, generation = {NULL, 0};
	uint64_t number = 0;
	int result = mr_meta_get(state, "uuid", &state->arena, &uuid);

	if (result == 0)
		result = mr_meta_get(state, "generation", &state->arena, &generation);
	if (result < 0)
		return result == MR_E_NOT_FOUND ? distrust(state, "is incomplete") : result;
	if (!mr_str_eq(uuid, anchor->uuid))
		return distrust(state, "is another one than its anchor names");
	if (mr_number_parse(generation, INT64_MAX, &number) < 0 || number < anchor->generation)
		return distrust(state, "is older than its anchor says");
	return 0;
}

static int without_anchor(struct mr_state *state, enum judgement judgement)
{
	switch (judgement) {
	case IS_GOOD:
		return 0;
	case IS_EMPTY:
		if (state->is_writer)
			return make_database(state);
		close_database(state);
		return 0;
	default:
		close_database(state);
		return fail_config(state, "it is damaged",
		        "put it back from a copy, or say 'mailreeve trust' to begin anew");
	}
}

static int with_anchor(struct mr_state *state, enum judgement judgement, bool is_anchor_good,
        const struct mr_anchor *anchor)
{
	if (judgement != IS_GOOD) {
		close_database(state);
		return distrust(state, judgement == IS_EMPTY ? "is missing" : "is damaged");
	}
	return is_anchor_good ? compare(state, anchor) : distrust(state, "has a damaged anchor");
}

static int decide(struct mr_state *state, enum judgement judgement)
{
	struct mr_anchor anchor = {0};
	const char *path = mr_state_path(state, "anchor");
	int result = mr_anchor_read(state->diags, path, &state->arena, &anchor);

	if (result == MR_E_NOT_FOUND)
		result = without_anchor(state, judgement);
	else if (result == 0 || result == MR_E_INVALID)
		result = with_anchor(state, judgement, result == 0, &anchor);
	if (result < 0 || !state->sql.db)
		return result;
	if (state->is_writer && state->is_trusted)
		return mr_sql_exec(&state->sql, writer_setup);
	return mr_sql_exec(&state->sql, "PRAGMA query_only=ON");
}

int mr_database_open(struct mr_state *state)
{
	struct stat status;
	enum judgement judgement = IS_EMPTY;

	state->is_trusted = true;
	if (lstat(mr_state_path(state, "state.db"), &status) == 0)
		judgement = open_and_judge(state);
	else if (errno != ENOENT)
		return mr_fail(state->diags, MR_E_CONFIG, "cannot open %s: %s", state->sql.what,
		        strerror(errno));
	switch (judgement) {
	case IS_FOREIGN:
		return fail_config(
		        state, "another program made it", "move it away, or set state_directory");
	case IS_NEWER:
		return fail_config(
		        state, "a newer mailreeve made it", "install that version again");
	case IS_UNREADABLE:
		return mr_sql_fail(&state->sql);
	default:
		return decide(state, judgement);
	}
}

static int put_aside(struct mr_state *state)
{
	const char *path = mr_state_path(state, "state.db");

	close_database(state);
	if (rename(path, mr_state_path(state, "state.db.damaged")) < 0 && errno != ENOENT)
		return mr_fail(
		        state->diags, MR_E_FAILED, "cannot rename '%s': %s", path, strerror(errno));
	/* its journal would be played back into the new one */
	return mr_file_remove(state->diags, mr_state_path(state, "state.db-journal"));
}

int mr_database_accept(struct mr_state *state)
{
	enum judgement judgement = open_and_judge(state);
	int result = 0;

	state->is_trusted = true;
	if (judgement == IS_UNREADABLE && access(mr_state_path(state, "state.db"), F_OK) == 0)
		return mr_sql_fail(&state->sql);
	if (judgement != IS_GOOD) {
		result = put_aside(state);
		if (result == 0)
			result = make_database(state);
	} else {
		result = mr_sql_exec(&state->sql, writer_setup);
	}
	return result < 0 ? result : mr_state_write_anchor(state);
}
