/*
 * The state directory: opening and closing, transactions, and the statements of state.db.
 */
#include "base/file.h"
#include "store/private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD_COLUMNS                                                                             \
	"id, verb, who, ref, commit_id, tree, subject, plan_digest, effects_digest, result, "      \
	"exit_status,"                                                                             \
	" detail, summary, started, ended"

const char *const mr_state_texts[STATE_STATEMENT_COUNT] = {
        [STATE_META_GET] = "SELECT value FROM meta WHERE name = ?1",
        [STATE_META_SET] = "INSERT OR REPLACE INTO meta VALUES (?1, ?2)",
        [STATE_COLLECTION_FIND] = "SELECT id FROM collection WHERE name = ?1",
        [STATE_COLLECTION_ADD] = "INSERT INTO collection (name) VALUES (?1)",
        [STATE_COLLECTION_LIST] = "SELECT name FROM collection WHERE EXISTS (SELECT 1 FROM owned"
                                  " WHERE owned.collection = collection.id) ORDER BY name",
        [STATE_OWNED_COUNT] = "SELECT count(*) FROM owned WHERE collection ="
                              " (SELECT id FROM collection WHERE name = ?1)",
        [STATE_OWNED_PRE_IMAGE] = "SELECT pre_image FROM owned WHERE collection ="
                                  " (SELECT id FROM collection WHERE name = ?1) AND key = ?2",
        [STATE_OWN] = "INSERT INTO owned VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET"
                      " body = excluded.body, object = excluded.object",
        [STATE_DISOWN] =
                "DELETE FROM owned WHERE collection = (SELECT id FROM collection WHERE name = ?1)"
                " AND key = ?2",
        [STATE_RETIRE] = "INSERT OR REPLACE INTO retired VALUES (?1, ?2, ?3)",
        [STATE_RETIRED_FIND] = "SELECT mail_home, at FROM retired WHERE address = ?1",
        [STATE_UNRETIRE] = "DELETE FROM retired WHERE address = ?1",
        [STATE_APPLIED_GET] = "SELECT run, commit_id, tree, ref, digest, policy, at FROM applied",
        [STATE_APPLIED_SET] =
                "INSERT OR REPLACE INTO applied VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        [STATE_GENERATION_ADD] = "UPDATE meta SET value = value + 1 WHERE name = 'generation'",
        [STATE_RECORD_ADD] =
                "INSERT INTO run VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
                " ?13, ?14, ?15)",
        [STATE_RECORD_SET] =
                "UPDATE run SET (verb, who, ref, commit_id, tree, subject, plan_digest,"
                " effects_digest, result, exit_status, detail, summary, plan, started, ended) ="
                " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) WHERE id = "
                "?16",
        [STATE_RECORD_THIN] = "UPDATE run SET plan = '' WHERE id = ?1 - 1000",
        [STATE_RECORD_FIND] = "SELECT " RECORD_COLUMNS " FROM run WHERE id = ?1",
        [STATE_RECORD_NEWEST] = "SELECT " RECORD_COLUMNS " FROM run ORDER BY id DESC LIMIT 1",
        [STATE_RECORD_BEFORE] =
                "SELECT " RECORD_COLUMNS " FROM run WHERE id < ?1 AND result = 'applied'"
                " ORDER BY id DESC LIMIT 1",
        [STATE_RECORD_PLAN] = "SELECT plan FROM run WHERE id = ?1",
        [STATE_RECORD_LIST] = "SELECT " RECORD_COLUMNS " FROM run ORDER BY id DESC LIMIT ?1",
        [STATE_QUARANTINE] = "INSERT OR REPLACE INTO quarantine VALUES (?1, ?2, ?3)",
        [STATE_QUARANTINE_FIND] =
                "SELECT why FROM quarantine WHERE commit_id = ?1 OR (effects = ?2 AND ?2 <> '')",
        [STATE_QUARANTINE_COUNT] = "SELECT count(*) FROM quarantine",
        [STATE_QUARANTINE_LIST] =
                "SELECT commit_id, why FROM quarantine ORDER BY (SELECT max(id) FROM run WHERE "
                "run.commit_id = quarantine.commit_id) DESC LIMIT ?1",
        [STATE_UNQUARANTINE] = "DELETE FROM quarantine WHERE commit_id = ?1",
};

const char *mr_state_path(struct mr_state *state, const char *name)
{
	return mr_str_printf(&state->arena, "%s/%s", state->directory, name).data;
}

bool mr_state_is_trusted(const struct mr_state *state)
{
	return state->is_trusted;
}

const char *mr_state_directory(const struct mr_state *state)
{
	return state->directory;
}

const uint8_t *mr_state_seal_key(const struct mr_state *state)
{
	return state->seal_key;
}

struct mr_cache *mr_state_cache(struct mr_state *state)
{
	return &state->cache;
}

struct sqlite3 *mr_state_db(struct mr_state *state)
{
	return state->sql.db;
}

int mr_state_writable(struct mr_state *state)
{
	int code;

	if (state->is_writer && state->is_trusted)
		return 0;
	code = mr_fail(state->diags, MR_E_REFUSED, "cannot write to %s: it is %s", state->sql.what,
	        state->is_trusted ? "open for reading only" : "not trusted");
	if (!state->is_trusted)
		mr_diags_hint(state->diags, "look at it, then say 'mailreeve trust'");
	return code;
}

sqlite3_stmt *mr_state_write(struct mr_state *state, enum state_statement number, int *out_code)
{
	sqlite3_stmt *statement;

	*out_code = mr_state_writable(state);
	if (*out_code < 0)
		return NULL;
	statement = mr_sql_get(&state->sql, number);
	*out_code = statement ? 0 : MR_E_FAILED;
	return statement;
}

sqlite3_stmt *mr_state_read(struct mr_state *state, enum state_statement number, int *out_code)
{
	sqlite3_stmt *statement;

	*out_code = 0;
	if (!state->sql.db)
		return NULL;
	statement = mr_sql_get(&state->sql, number);
	if (!statement)
		*out_code = MR_E_FAILED;
	return statement;
}

/* systemd and package scripts make such folders 0755: ours is narrowed. */
static int own_folder(struct mr_state *state, mode_t mode)
{
	struct stat status;
	int code = geteuid() == 0 ? MR_E_CONFIG : MR_E_DENIED;
	int result = mr_dir_make(state->diags, state->directory, mode);

	if (result < 0)
		return result;
	if (stat(state->directory, &status) < 0)
		return mr_fail(state->diags, MR_E_CONFIG, "cannot look at '%s': %s",
		        state->directory, strerror(errno));
	if (status.st_uid != geteuid()) {
		(void)mr_fail(state->diags, code, "cannot use '%s': it belongs to user %u",
		        state->directory, status.st_uid);
		mr_diags_hint(state->diags,
		        code == MR_E_DENIED ? "run mailreeve as that user"
		                            : "give it to the user that mailreeve runs as, or set "
		                              "state_directory");
		return code;
	}
	if ((status.st_mode & 07777) != mode && chmod(state->directory, mode) < 0)
		return mr_fail(state->diags, MR_E_CONFIG, "cannot change the mode of '%s': %s",
		        state->directory, strerror(errno));
	return 0;
}

static int become_writer(struct mr_state *state, const struct mr_state_options *options)
{
	int result = own_folder(state, options->lets_pass ? 0711 : 0700);

	if (result < 0)
		return result;
	return mr_lock_take(state->diags, mr_state_path(state, "lock"), options, &state->lock_fd,
	        &state->was_left_open);
}

static struct mr_state *state_new(struct mr_diags *diags, const struct mr_state_options *options)
{
	struct mr_state *state = mr_xrealloc(NULL, 1, sizeof *state);

	*state = (struct mr_state){.diags = diags, .is_writer = options->is_writer, .lock_fd = -1};
	state->directory = mr_str_copy(&state->arena, mr_str_from(options->directory)).data;
	mr_sql_init(&state->sql, diags,
	        mr_str_printf(&state->arena, "state database '%s/state.db'", state->directory).data,
	        mr_state_texts, STATE_STATEMENT_COUNT);
	return state;
}

/* Without a key of its own on disk nothing sealed may be kept: it could not be compared later. */
static const char *cache_path(struct mr_state *state)
{
	return state->has_seal_key ? mr_state_path(state, "cache.db") : NULL;
}

int mr_state_open(
        struct mr_diags *diags, const struct mr_state_options *options, struct mr_state **out)
{
	struct mr_state *state = state_new(diags, options);
	int result = options->is_writer ? become_writer(state, options) : 0;

	if (result == 0)
		result = mr_seal_key_load(state);
	if (result == 0)
		result = mr_database_open(state);
	if (result < 0) {
		mr_state_close(state);
		return result;
	}
	mr_cache_open(&state->cache, cache_path(state));
	*out = state;
	return 0;
}

int mr_state_trust(struct mr_diags *diags, const struct mr_state_options *options)
{
	struct mr_state_options as_writer = *options;
	struct mr_state *state;
	int result;

	as_writer.is_writer = true;
	state = state_new(diags, &as_writer);
	result = become_writer(state, &as_writer);
	state->was_left_open = true; /* look at all of it */
	if (result == 0)
		result = mr_database_accept(state);
	mr_state_close(state);
	return result;
}

void mr_state_close(struct mr_state *state)
{
	if (!state)
		return;
	mr_cache_close(&state->cache);
	mr_sql_close(&state->sql); /* rolls back what was not committed */
	mr_lock_release(state->lock_fd);
	explicit_bzero(state->seal_key, sizeof state->seal_key);
	mr_arena_done(&state->arena);
	free(state);
}

int mr_state_begin(struct mr_state *state)
{
	int result = mr_state_writable(state);

	assert(!state->is_in_transaction);
	if (result == 0)
		result = mr_sql_exec(&state->sql, "BEGIN IMMEDIATE");
	state->is_in_transaction = result == 0;
	state->own_collection = (mr_str){NULL, 0};
	return result;
}

int mr_state_commit(struct mr_state *state)
{
	int result;

	assert(state->is_in_transaction);
	result = mr_sql_exec(&state->sql, "COMMIT");
	if (result < 0)
		mr_state_abort(state);
	state->is_in_transaction = false;
	return result;
}

void mr_state_abort(struct mr_state *state)
{
	if (!state->is_in_transaction)
		return;
	state->is_in_transaction = false;
	state->own_collection = (mr_str){NULL, 0};
	if (!sqlite3_get_autocommit(state->sql.db))
		(void)sqlite3_exec(state->sql.db, "ROLLBACK", NULL, NULL, NULL);
}
