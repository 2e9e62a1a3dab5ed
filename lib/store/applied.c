/*
 * What is in force: the last applied desired state and its anchor, retired users, quarantined
 * commits.
 */
#include "base/text.h"
#include "store/private.h"

int mr_state_applied(struct mr_state *state, struct mr_arena *arena, struct mr_applied *out)
{
	int result;
	sqlite3_stmt *statement = mr_state_read(state, STATE_APPLIED_GET, &result);
	struct mr_applied applied = {0};

	if (statement) {
		result = mr_sql_step(&state->sql, statement);
		if (result > 0)
			applied = (struct mr_applied){
			        .run = sqlite3_column_int64(statement, 0),
			        .commit = mr_sql_column_copy(statement, 1, arena),
			        .tree = mr_sql_column_copy(statement, 2, arena),
			        .ref = mr_sql_column_copy(statement, 3, arena),
			        .digest = mr_sql_column_copy(statement, 4, arena),
			        .policy_json = mr_sql_column_copy(statement, 5, arena),
			        .when = sqlite3_column_int64(statement, 6),
			};
		(void)sqlite3_reset(statement);
	}
	if (result >= 0)
		*out = applied;
	return result < 0 ? result : 0;
}

int mr_state_set_applied(struct mr_state *state, const struct mr_applied *applied)
{
	int result;
	sqlite3_stmt *statement = mr_state_write(state, STATE_APPLIED_SET, &result);

	if (!statement)
		return result;
	(void)sqlite3_bind_int64(statement, 1, applied->run);
	mr_sql_bind_text(statement, 2, applied->commit);
	mr_sql_bind_text(statement, 3, applied->tree);
	mr_sql_bind_text(statement, 4, applied->ref);
	mr_sql_bind_text(statement, 5, applied->digest);
	mr_sql_bind_text(statement, 6, applied->policy_json);
	(void)sqlite3_bind_int64(statement, 7, applied->when);
	result = mr_sql_run(&state->sql, statement);
	if (result < 0)
		return result;
	statement = mr_state_write(state, STATE_GENERATION_ADD, &result);
	return statement ? mr_sql_run(&state->sql, statement) : result;
}

int mr_state_write_anchor(struct mr_state *state)
{
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_anchor anchor = {0};
	struct mr_applied applied = {0};
	mr_str generation = {NULL, 0};
	int result = mr_state_writable(state);

	if (result == 0)
		result = mr_state_applied(state, &arena, &applied);
	if (result == 0)
		result = mr_meta_get(state, "uuid", &arena, &anchor.uuid);
	if (result == 0)
		result = mr_meta_get(state, "generation", &arena, &generation);
	if (result == 0 && mr_number_parse(generation, INT64_MAX, &anchor.generation) < 0)
		result =
		        mr_fail(state->diags, MR_E_FAILED, "%s has no generation", state->sql.what);
	anchor.run = applied.run;
	anchor.commit = applied.commit;
	if (result == 0)
		result = mr_anchor_write(state->diags, mr_state_path(state, "anchor"), &anchor);
	mr_arena_done(&arena);
	return result;
}

int mr_state_retire(struct mr_state *state, mr_str address, mr_str mail_home, int64_t when)
{
	int result;
	sqlite3_stmt *statement = mr_state_write(state, STATE_RETIRE, &result);

	if (!statement)
		return result;
	mr_sql_bind_text(statement, 1, address);
	mr_sql_bind_text(statement, 2, mail_home);
	(void)sqlite3_bind_int64(statement, 3, when);
	return mr_sql_run(&state->sql, statement);
}

int mr_state_unretire(struct mr_state *state, mr_str address)
{
	int result;
	sqlite3_stmt *statement = mr_state_write(state, STATE_UNRETIRE, &result);

	if (!statement)
		return result;
	mr_sql_bind_text(statement, 1, address);
	return mr_sql_run(&state->sql, statement);
}

int mr_state_find_retired(struct mr_state *state, mr_str address, struct mr_arena *arena,
        mr_str *out_mail_home, int64_t *out_when)
{
	int result;
	sqlite3_stmt *statement = mr_state_read(state, STATE_RETIRED_FIND, &result);

	if (!statement)
		return result;
	mr_sql_bind_text(statement, 1, address);
	result = mr_sql_step(&state->sql, statement);
	if (result > 0) {
		*out_mail_home = mr_sql_column_copy(statement, 0, arena);
		*out_when = sqlite3_column_int64(statement, 1);
	}
	(void)sqlite3_reset(statement);
	return result;
}

int mr_state_quarantine(struct mr_state *state, mr_str commit, mr_str effects_digest, mr_str why)
{
	int result;
	sqlite3_stmt *statement = mr_state_write(state, STATE_QUARANTINE, &result);

	if (!statement)
		return result;
	mr_sql_bind_text(statement, 1, commit);
	mr_sql_bind_text(statement, 2, effects_digest);
	mr_sql_bind_text(statement, 3, why);
	return mr_sql_run(&state->sql, statement);
}

int mr_state_quarantined_count(struct mr_state *state, uint64_t *out)
{
	int result;
	sqlite3_stmt *statement = mr_state_read(state, STATE_QUARANTINE_COUNT, &result);

	*out = 0;
	if (!statement)
		return result;
	result = mr_sql_step(&state->sql, statement);
	if (result > 0)
		*out = (uint64_t)sqlite3_column_int64(statement, 0);
	(void)sqlite3_reset(statement);
	return result < 0 ? result : 0;
}

int mr_state_quarantined(struct mr_state *state, size_t limit, struct mr_arena *arena,
        struct mr_quarantined **out, size_t *out_n)
{
	int result;
	sqlite3_stmt *statement = mr_state_read(state, STATE_QUARANTINE_LIST, &result);

	*out_n = 0;
	*out = mr_alloc_n(arena, limit, sizeof **out);
	if (!statement)
		return result;
	(void)sqlite3_bind_int64(statement, 1, (int64_t)limit);
	while (*out_n < limit && (result = mr_sql_step(&state->sql, statement)) > 0)
		(*out)[(*out_n)++] =
		        (struct mr_quarantined){mr_sql_column_copy(statement, 0, arena),
		                mr_sql_column_copy(statement, 1, arena)};
	(void)sqlite3_reset(statement);
	return result < 0 ? result : 0;
}

bool mr_state_is_quarantined(struct mr_state *state, mr_str commit, mr_str effects_digest,
        struct mr_arena *arena, mr_str *out_why)
{
	int result;
	sqlite3_stmt *statement = mr_state_read(state, STATE_QUARANTINE_FIND, &result);

	if (!statement)
		return false;
	mr_sql_bind_text(statement, 1, commit);
	mr_sql_bind_text(statement, 2, effects_digest);
	result = mr_sql_step(&state->sql, statement);
	if (result > 0)
		*out_why = mr_sql_column_copy(statement, 0, arena);
	(void)sqlite3_reset(statement);
	return result > 0;
}
