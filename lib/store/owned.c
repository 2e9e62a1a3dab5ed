/*
 * What we own: a row an item, with its sealed body as last applied and the body before we first
 * touched it.
 */
#include "store/private.h"

#include <assert.h>
#include <stdlib.h>

static const char list_text[] = "SELECT key, body, object FROM owned WHERE collection ="
                                " (SELECT id FROM collection WHERE name = ?1) ORDER BY key";

/* A cursor has a statement of its own: two of them may be open at once. */
struct owned_cursor {
	struct mr_sql *sql;
	sqlite3_stmt *statement;
};

static int owned_next(struct mr_cursor *cursor, struct mr_item *out)
{
	struct owned_cursor *owned = cursor->state;
	int result = mr_sql_step(owned->sql, owned->statement);

	if (result <= 0)
		return result;
	*out = (struct mr_item){
	        .key = mr_sql_column(owned->statement, 0),
	        .body = mr_sql_column(owned->statement, 1),
	        .object = mr_sql_column(owned->statement, 2),
	};
	return 1;
}

static void owned_close(struct mr_cursor *cursor)
{
	struct owned_cursor *owned = cursor->state;

	(void)sqlite3_finalize(owned->statement);
	free(owned);
}

int mr_state_owned(struct mr_state *state, mr_str collection, struct mr_cursor *out)
{
	sqlite3_stmt *statement = NULL;
	struct owned_cursor *owned;

	*out = (struct mr_cursor){0};
	if (!state->sql.db)
		return 0;
	if (sqlite3_prepare_v2(state->sql.db, list_text, -1, &statement, NULL) != SQLITE_OK)
		return mr_sql_fail(&state->sql);
	/* the name may be gone before the cursor is */
	(void)sqlite3_bind_blob64(statement, 1, collection.data, collection.size, SQLITE_TRANSIENT);
	owned = mr_xrealloc(NULL, 1, sizeof *owned);
	*owned = (struct owned_cursor){&state->sql, statement};
	*out = (struct mr_cursor){owned_next, owned_close, owned};
	return 0;
}

int mr_state_owned_count(struct mr_state *state, mr_str collection, uint64_t *out)
{
	int result;
	sqlite3_stmt *statement = mr_state_read(state, STATE_OWNED_COUNT, &result);

	if (!statement) {
		if (result == 0)
			*out = 0;
		return result;
	}
	mr_sql_bind(statement, 1, collection);
	result = mr_sql_step(&state->sql, statement);
	if (result > 0)
		*out = (uint64_t)sqlite3_column_int64(statement, 0);
	(void)sqlite3_reset(statement);
	return result < 0 ? result : 0;
}

bool mr_state_pre_image(
        struct mr_state *state, mr_str collection, mr_str key, struct mr_arena *arena, mr_str *out)
{
	int result;
	sqlite3_stmt *statement = mr_state_read(state, STATE_OWNED_PRE_IMAGE, &result);

	if (!statement)
		return false;
	mr_sql_bind(statement, 1, collection);
	mr_sql_bind(statement, 2, key);
	result = mr_sql_step(&state->sql, statement);
	if (result > 0)
		*out = mr_sql_column_copy(statement, 0, arena);
	(void)sqlite3_reset(statement);
	return result > 0;
}

int mr_state_owned_collections(struct mr_state *state, struct mr_arena *arena, struct mr_strs *out)
{
	int result;
	sqlite3_stmt *statement = mr_state_read(state, STATE_COLLECTION_LIST, &result);
	MR_VEC(mr_str) names = {0};

	if (statement) {
		while ((result = mr_sql_step(&state->sql, statement)) > 0)
			mr_vec_push(&names, mr_sql_column_copy(statement, 0, arena));
		(void)sqlite3_reset(statement);
	}
	if (result == 0) {
		out->n = names.n;
		out->items = mr_alloc_n(arena, names.n, sizeof(mr_str));
		for (size_t i = 0; i < names.n; i++)
			out->items[i] = names.items[i];
	}
	mr_vec_done(&names);
	return result;
}

static int find_collection(struct mr_state *state, mr_str name, int64_t *out)
{
	int result;
	sqlite3_stmt *statement = mr_state_write(state, STATE_COLLECTION_FIND, &result);

	if (!statement)
		return result;
	mr_sql_bind(statement, 1, name);
	result = mr_sql_step(&state->sql, statement);
	if (result > 0)
		*out = sqlite3_column_int64(statement, 0);
	(void)sqlite3_reset(statement);
	return result;
}

static int add_collection(struct mr_state *state, mr_str name, int64_t *out)
{
	int result;
	sqlite3_stmt *statement = mr_state_write(state, STATE_COLLECTION_ADD, &result);

	if (!statement)
		return result;
	mr_sql_bind(statement, 1, name);
	result = mr_sql_run(&state->sql, statement);
	if (result == 0)
		*out = sqlite3_last_insert_rowid(state->sql.db);
	return result;
}

/* The number of the collection is kept, since rows come collection by collection. */
static int own_collection(struct mr_state *state, mr_str name)
{
	int result;

	if (state->own_collection.data && mr_str_eq(state->own_collection, name))
		return 0;
	result = find_collection(state, name, &state->own_collection_id);
	if (result == 0)
		result = add_collection(state, name, &state->own_collection_id);
	if (result >= 0)
		state->own_collection = mr_str_copy(&state->arena, name);
	return result < 0 ? result : 0;
}

/* The empty view may have no data, which would be bound as NULL. */
static mr_str or_empty(mr_str s)
{
	return s.data ? s : MR_STR("");
}

int mr_state_own(
        struct mr_state *state, mr_str collection, const struct mr_item *sealed, mr_str pre_image)
{
	int result = mr_state_writable(state);
	sqlite3_stmt *statement;

	if (result < 0)
		return result;
	assert(state->is_in_transaction);
	result = own_collection(state, collection);
	if (result < 0)
		return result;
	statement = mr_state_write(state, STATE_OWN, &result);
	if (!statement)
		return result;
	(void)sqlite3_bind_int64(statement, 1, state->own_collection_id);
	mr_sql_bind(statement, 2, or_empty(sealed->key));
	mr_sql_bind(statement, 3, or_empty(sealed->body));
	mr_sql_bind(statement, 4, or_empty(sealed->object));
	mr_sql_bind(statement, 5, pre_image);
	return mr_sql_run(&state->sql, statement);
}

int mr_state_disown(struct mr_state *state, mr_str collection, mr_str key)
{
	int result;
	sqlite3_stmt *statement = mr_state_write(state, STATE_DISOWN, &result);

	if (!statement)
		return result;
	assert(state->is_in_transaction);
	mr_sql_bind(statement, 1, collection);
	mr_sql_bind(statement, 2, key);
	return mr_sql_run(&state->sql, statement);
}
