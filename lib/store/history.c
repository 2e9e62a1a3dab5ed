/*
 * History: one record a run.
 */
#include "store/private.h"

static void bind_record(sqlite3_stmt *statement, const struct mr_record *record)
{
	mr_sql_bind_text(statement, 1, record->verb);
	mr_sql_bind_text(statement, 2, record->who);
	mr_sql_bind_text(statement, 3, record->ref);
	mr_sql_bind_text(statement, 4, record->commit);
	mr_sql_bind_text(statement, 5, record->tree);
	mr_sql_bind_text(statement, 6, record->subject);
	mr_sql_bind_text(statement, 7, record->plan_digest);
	mr_sql_bind_text(statement, 8, record->effects_digest);
	mr_sql_bind_text(statement, 9, record->result);
	(void)sqlite3_bind_int(statement, 10, record->exit_status);
	mr_sql_bind_text(statement, 11, record->detail);
	mr_sql_bind_text(statement, 12, record->summary_json);
	mr_sql_bind_text(statement, 13, record->plan_json);
	(void)sqlite3_bind_int64(statement, 14, record->started);
	(void)sqlite3_bind_int64(statement, 15, record->ended);
}

/* In the order of RECORD_COLUMNS. */
static struct mr_record read_record(sqlite3_stmt *statement, struct mr_arena *arena)
{
	return (struct mr_record){
	        .id = sqlite3_column_int64(statement, 0),
	        .verb = mr_sql_column_copy(statement, 1, arena),
	        .who = mr_sql_column_copy(statement, 2, arena),
	        .ref = mr_sql_column_copy(statement, 3, arena),
	        .commit = mr_sql_column_copy(statement, 4, arena),
	        .tree = mr_sql_column_copy(statement, 5, arena),
	        .subject = mr_sql_column_copy(statement, 6, arena),
	        .plan_digest = mr_sql_column_copy(statement, 7, arena),
	        .effects_digest = mr_sql_column_copy(statement, 8, arena),
	        .result = mr_sql_column_copy(statement, 9, arena),
	        .exit_status = sqlite3_column_int(statement, 10),
	        .detail = mr_sql_column_copy(statement, 11, arena),
	        .summary_json = mr_sql_column_copy(statement, 12, arena),
	        .started = sqlite3_column_int64(statement, 13),
	        .ended = sqlite3_column_int64(statement, 14),
	};
}

/* Plans are large: those of the thousand newest runs are kept. */
static int thin_out(struct mr_state *state, int64_t id)
{
	int result;
	sqlite3_stmt *statement = mr_state_write(state, STATE_RECORD_THIN, &result);

	if (!statement)
		return result;
	(void)sqlite3_bind_int64(statement, 1, id);
	return mr_sql_run(&state->sql, statement);
}

int mr_state_record(struct mr_state *state, const struct mr_record *record, int64_t *out_id)
{
	int64_t id = record->id;
	int result;
	sqlite3_stmt *statement =
	        mr_state_write(state, id ? STATE_RECORD_SET : STATE_RECORD_ADD, &result);

	if (!statement)
		return result;
	bind_record(statement, record);
	if (id)
		(void)sqlite3_bind_int64(statement, 16, id);
	result = mr_sql_run(&state->sql, statement);
	if (result < 0)
		return result;
	if (id && sqlite3_changes(state->sql.db) == 0)
		return mr_fail(state->diags, MR_E_NOT_FOUND, "%s has no run %lld", state->sql.what,
		        (long long)id);
	if (!id) {
		id = sqlite3_last_insert_rowid(state->sql.db);
		result = thin_out(state, id);
	}
	if (result == 0 && out_id)
		*out_id = id;
	return result;
}

static int find_one(struct mr_state *state, enum state_statement number, int64_t id,
        struct mr_arena *arena, struct mr_record *out)
{
	int result;
	sqlite3_stmt *statement = mr_state_read(state, number, &result);

	if (!statement)
		return result < 0 ? result : MR_E_NOT_FOUND;
	if (number != STATE_RECORD_NEWEST)
		(void)sqlite3_bind_int64(statement, 1, id);
	result = mr_sql_step(&state->sql, statement);
	if (result > 0)
		*out = read_record(statement, arena);
	(void)sqlite3_reset(statement);
	return result < 0 ? result : result > 0 ? 0 : MR_E_NOT_FOUND;
}

int mr_state_find_record(
        struct mr_state *state, int64_t id, struct mr_arena *arena, struct mr_record *out)
{
	return find_one(state, id ? STATE_RECORD_FIND : STATE_RECORD_NEWEST, id, arena, out);
}

int mr_state_record_before(
        struct mr_state *state, int64_t id, struct mr_arena *arena, struct mr_record *out)
{
	return find_one(state, STATE_RECORD_BEFORE, id, arena, out);
}

int mr_state_record_plan(struct mr_state *state, int64_t id, struct mr_arena *arena, mr_str *out)
{
	int result;
	sqlite3_stmt *statement = mr_state_read(state, STATE_RECORD_PLAN, &result);

	if (!statement)
		return result < 0 ? result : MR_E_NOT_FOUND;
	(void)sqlite3_bind_int64(statement, 1, id);
	result = mr_sql_step(&state->sql, statement);
	if (result > 0)
		*out = mr_sql_column_copy(statement, 0, arena);
	(void)sqlite3_reset(statement);
	return result < 0 ? result : result > 0 ? 0 : MR_E_NOT_FOUND;
}

int mr_state_records(struct mr_state *state, size_t limit, struct mr_arena *arena,
        struct mr_record **out, size_t *out_n)
{
	int result;
	sqlite3_stmt *statement = mr_state_read(state, STATE_RECORD_LIST, &result);
	MR_VEC(struct mr_record) records = {0};

	if (statement) {
		(void)sqlite3_bind_int64(statement, 1, (sqlite3_int64)(limit & INT64_MAX));
		while ((result = mr_sql_step(&state->sql, statement)) > 0)
			mr_vec_push(&records, read_record(statement, arena));
		(void)sqlite3_reset(statement);
	}
	if (result == 0) {
		*out_n = records.n;
		*out = mr_alloc_n(arena, records.n, sizeof(struct mr_record));
		for (size_t i = 0; i < records.n; i++)
			(*out)[i] = records.items[i];
	}
	mr_vec_done(&records);
	return result;
}
