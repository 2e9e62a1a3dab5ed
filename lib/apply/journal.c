/*
 * The journal's tables in state.db: txn, txn_collection, txn_step.
 */
#include "apply/journal.h"

#include <sqlite3.h>
#include <time.h>

static const char schema[] =
        "CREATE TABLE IF NOT EXISTS txn (id INTEGER PRIMARY KEY AUTOINCREMENT, state INTEGER NOT "
        "NULL,"
        " n_begun INTEGER NOT NULL, verb TEXT, who TEXT, ref TEXT, commit_id TEXT, tree TEXT, "
        "subject TEXT,"
        " plan_digest TEXT, effects_digest TEXT, why TEXT, started INTEGER NOT NULL);"
        "CREATE TABLE IF NOT EXISTS txn_collection (txn INTEGER NOT NULL, id INTEGER NOT NULL,"
        " provider TEXT NOT NULL, name TEXT NOT NULL, target TEXT NOT NULL, flags INTEGER NOT NULL,"
        " rank INTEGER NOT NULL, scope TEXT NOT NULL, PRIMARY KEY (txn, id)) WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS txn_step (txn INTEGER NOT NULL, seq INTEGER NOT NULL,"
        " collection INTEGER NOT NULL, key BLOB NOT NULL, object TEXT NOT NULL, reason INTEGER NOT "
        "NULL,"
        " before BLOB, after BLOB, PRIMARY KEY (txn, seq)) WITHOUT ROWID;";

static int fail(struct mr_diags *diags, struct mr_state *state, const char *what)
{
	struct sqlite3 *db = mr_state_db(state);
	int code = sqlite3_errcode(db) == SQLITE_BUSY ? MR_E_BUSY : MR_E_FAILED;

	return mr_fail(diags, code, "cannot %s in '%s/state.db': %s", what,
	        mr_state_directory(state), sqlite3_errmsg(db));
}

static void finalize(sqlite3_stmt **statement)
{
	(void)sqlite3_finalize(*statement); /* repeats an error that was seen at the step */
}
#define STATEMENT __attribute__((cleanup(finalize))) sqlite3_stmt *

static sqlite3_stmt *prepare(struct mr_state *state, const char *sql)
{
	sqlite3_stmt *statement = NULL;

	(void)sqlite3_prepare_v2(
	        mr_state_db(state), sql, -1, &statement, NULL); /* NULL fails at its step */
	return statement;
}

static void bind_text(sqlite3_stmt *statement, int at, mr_str value)
{
	(void)sqlite3_bind_text64(statement, at, value.data ? value.data : "", value.size,
	        SQLITE_STATIC, SQLITE_UTF8);
}

static void bind_bytes(sqlite3_stmt *statement, int at, mr_str value)
{
	if (value.data)
		(void)sqlite3_bind_blob64(statement, at, value.data, value.size, SQLITE_STATIC);
	else
		(void)sqlite3_bind_null(statement, at);
}

static mr_str column(sqlite3_stmt *statement, int at, struct mr_arena *arena)
{
	if (sqlite3_column_type(statement, at) == SQLITE_NULL)
		return (mr_str){0};
	const char *data = sqlite3_column_blob(statement, at);
	return mr_str_copy(
	        arena, (mr_str){data ? data : "", (size_t)sqlite3_column_bytes(statement, at)});
}

/* One step of a statement that gives no rows; it can be used again. */
static bool is_done(sqlite3_stmt *statement)
{
	bool is_fine = statement && sqlite3_step(statement) == SQLITE_DONE;

	if (statement)
		(void)sqlite3_reset(statement);
	return is_fine;
}

int mr_journal_prepare(struct mr_diags *diags, struct mr_state *state)
{
	if (!mr_state_db(state) || !mr_state_is_trusted(state)) {
		mr_fail(diags, MR_E_REFUSED,
		        "cannot keep a journal in '%s': its database is not trusted",
		        mr_state_directory(state));
		mr_diags_hint(diags, "look at it, then say 'mailreeve trust'");
		return MR_E_REFUSED;
	}
	if (sqlite3_exec(mr_state_db(state), schema, NULL, NULL, NULL) != SQLITE_OK)
		return fail(diags, state, "make the journal");
	return 0;
}

int mr_journal_open(struct mr_diags *diags, struct mr_state *state, struct mr_txn *txn)
{
	STATEMENT insert =
	        prepare(state, "INSERT INTO txn (state, n_begun, verb, who, ref, commit_id, tree,"
	                       " subject, plan_digest, effects_digest, why, started) VALUES "
	                       "(?,0,?,?,?,?,?,?,?,?,'',?)");
	const mr_str texts[] = {txn->verb, txn->who, txn->ref, txn->commit, txn->tree, txn->subject,
	        txn->plan_digest, txn->effects_digest};

	(void)sqlite3_bind_int(insert, 1, MR_TXN_STAGING);
	for (int i = 0; i < 8; i++)
		bind_text(insert, 2 + i, texts[i]);
	(void)sqlite3_bind_int64(insert, 10, txn->started);
	if (!is_done(insert))
		return fail(diags, state, "open a transaction");
	txn->id = sqlite3_last_insert_rowid(mr_state_db(state));
	txn->state = MR_TXN_STAGING;
	txn->n_begun = 0;
	return 0;
}

static bool put_collection(
        sqlite3_stmt *insert, int64_t txn, int id, const struct mr_collection *in)
{
	(void)sqlite3_bind_int64(insert, 1, txn);
	(void)sqlite3_bind_int(insert, 2, id);
	bind_text(insert, 3, mr_str_from(in->provider));
	bind_text(insert, 4, in->name);
	bind_text(insert, 5, in->target);
	(void)sqlite3_bind_int64(insert, 6, in->flags);
	(void)sqlite3_bind_int(insert, 7, (int)in->rank);
	bind_text(insert, 8, in->scope);
	return is_done(insert);
}

static bool put_step(sqlite3_stmt *insert, int64_t txn, size_t seq, int collection,
        const struct mr_change *change)
{
	(void)sqlite3_bind_int64(insert, 1, txn);
	(void)sqlite3_bind_int64(insert, 2, (int64_t)seq);
	(void)sqlite3_bind_int(insert, 3, collection);
	bind_bytes(insert, 4, change->key.data ? change->key : MR_STR(""));
	bind_text(insert, 5, change->object);
	(void)sqlite3_bind_int(insert, 6, (int)change->reason);
	bind_bytes(insert, 7, change->before);
	bind_bytes(insert, 8, change->after);
	return is_done(insert);
}

/* The number of a collection, which is written down when it is met first. */
static int number_of(
        const struct mr_collection **known, size_t *n_known, const struct mr_collection *in)
{
	for (size_t i = 0; i < *n_known; i++) {
		if (mr_str_eq(known[i]->name, in->name))
			return (int)i;
	}
	known[*n_known] = in;
	return (int)(*n_known)++;
}

static bool put_steps(struct mr_state *state, int64_t txn, const struct mr_order *order)
{
	STATEMENT put_in = prepare(state, "INSERT INTO txn_collection VALUES (?,?,?,?,?,?,?,?)");
	STATEMENT put = prepare(state, "INSERT INTO txn_step VALUES (?,?,?,?,?,?,?,?)");
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	const struct mr_collection **known =
	        mr_alloc_n(&arena, order->batches.n, sizeof(const struct mr_collection *));
	size_t n_known = 0, seq = 0;

	mr_vec_each (batch, &order->batches) {
		size_t n_before = n_known;
		int number = number_of(known, &n_known, batch->changes[0]->in);
		if (n_known > n_before &&
		        !put_collection(put_in, txn, number, batch->changes[0]->in))
			return false;
		for (size_t i = 0; i < batch->n; i++) {
			if (!put_step(put, txn, seq++, number, batch->changes[i]))
				return false;
		}
	}
	return true;
}

static bool put_state(
        struct mr_state *state, const struct mr_txn *txn, enum mr_txn_state to, mr_str why)
{
	STATEMENT update = prepare(state, "UPDATE txn SET state = ?, why = ? WHERE id = ?");

	(void)sqlite3_bind_int(update, 1, (int)to);
	bind_text(update, 2, why);
	(void)sqlite3_bind_int64(update, 3, txn->id);
	return is_done(update);
}

int mr_journal_intend(struct mr_diags *diags, struct mr_state *state, struct mr_txn *txn,
        const struct mr_order *order)
{
	int code = mr_state_begin(state);

	if (code)
		return code;
	if (!put_steps(state, txn->id, order) ||
	        !put_state(state, txn, MR_TXN_INTENT, MR_STR(""))) {
		code = fail(diags, state, "write the journal");
		mr_state_abort(state);
		return code;
	}
	code = mr_state_commit(state);
	if (!code)
		txn->state = MR_TXN_INTENT;
	return code;
}

int mr_journal_begin_steps(
        struct mr_diags *diags, struct mr_state *state, struct mr_txn *txn, size_t n_begun)
{
	STATEMENT update = prepare(state, "UPDATE txn SET n_begun = ? WHERE id = ?");

	(void)sqlite3_bind_int64(update, 1, (int64_t)n_begun);
	(void)sqlite3_bind_int64(update, 2, txn->id);
	if (!is_done(update))
		return fail(diags, state, "write the journal");
	txn->n_begun = n_begun;
	return 0;
}

int mr_journal_set_state(struct mr_diags *diags, struct mr_state *state, struct mr_txn *txn,
        enum mr_txn_state to, mr_str why)
{
	if (!put_state(state, txn, to, why))
		return fail(diags, state, "write the journal");
	txn->state = to;
	txn->why = why;
	return 0;
}

static bool delete_of(struct mr_state *state, const char *sql, int64_t id)
{
	STATEMENT remove = prepare(state, sql);

	(void)sqlite3_bind_int64(remove, 1, id);
	return is_done(remove);
}

int mr_journal_close(struct mr_diags *diags, struct mr_state *state, int64_t id)
{
	int code = mr_state_begin(state);

	if (code)
		return code;
	if (delete_of(state, "DELETE FROM txn_step WHERE txn = ?", id) &&
	        delete_of(state, "DELETE FROM txn_collection WHERE txn = ?", id) &&
	        delete_of(state, "DELETE FROM txn WHERE id = ?", id))
		return mr_state_commit(state);
	code = fail(diags, state, "close the journal");
	mr_state_abort(state);
	return code;
}

/* Readers may meet a database that no writer has prepared yet. */
static bool has_journal(struct mr_state *state)
{
	STATEMENT find =
	        prepare(state, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'txn'");

	return find && sqlite3_step(find) == SQLITE_ROW;
}

int mr_journal_find(
        struct mr_diags *diags, struct mr_state *state, struct mr_arena *arena, struct mr_txn *out)
{
	if (!mr_state_db(state) || !has_journal(state))
		return 0;
	STATEMENT find = prepare(state,
	        "SELECT id, state, n_begun, started, verb, who, ref, commit_id, tree,"
	        " subject, plan_digest, effects_digest, why FROM txn ORDER BY id LIMIT 1");
	int row = find ? sqlite3_step(find) : SQLITE_ERROR;
	if (row == SQLITE_DONE)
		return 0;
	if (row != SQLITE_ROW)
		return fail(diags, state, "read the journal");

	*out = (struct mr_txn){.id = sqlite3_column_int64(find, 0),
	        .state = (enum mr_txn_state)sqlite3_column_int(find, 1),
	        .n_begun = (size_t)sqlite3_column_int64(find, 2),
	        .started = sqlite3_column_int64(find, 3)};
	mr_str *texts[] = {&out->verb, &out->who, &out->ref, &out->commit, &out->tree,
	        &out->subject, &out->plan_digest, &out->effects_digest, &out->why};
	for (int i = 0; i < 9; i++)
		*texts[i] = column(find, 4 + i, arena);
	return 1;
}

static int load_collections(struct mr_diags *diags, struct mr_state *state,
        const struct mr_txn *txn, struct mr_arena *arena, struct mr_collections *out)
{
	STATEMENT count = prepare(state, "SELECT count(*) FROM txn_collection WHERE txn = ?");
	STATEMENT find = prepare(state, "SELECT id, provider, name, target, flags, rank, scope"
	                                " FROM txn_collection WHERE txn = ? ORDER BY id");

	(void)sqlite3_bind_int64(count, 1, txn->id);
	(void)sqlite3_bind_int64(find, 1, txn->id);
	if (!count || !find || sqlite3_step(count) != SQLITE_ROW)
		return fail(diags, state, "read the journal");
	*out = (struct mr_collections){.n = (size_t)sqlite3_column_int64(count, 0)};
	out->items = mr_alloc_n(arena, out->n, sizeof *out->items);
	for (size_t i = 0; i < out->n; i++) {
		if (sqlite3_step(find) != SQLITE_ROW || (size_t)sqlite3_column_int64(find, 0) != i)
			return fail(diags, state, "read the collections of the journal");
		out->items[i] = (struct mr_collection){.provider = column(find, 1, arena).data,
		        .name = column(find, 2, arena),
		        .target = column(find, 3, arena),
		        .flags = (unsigned)sqlite3_column_int64(find, 4),
		        .rank = (enum mr_rank)sqlite3_column_int(find, 5),
		        .scope = column(find, 6, arena)};
	}
	return 0;
}

static bool load_step(sqlite3_stmt *find, const struct mr_collections *in, struct mr_changes *out)
{
	size_t number = (size_t)sqlite3_column_int64(find, 0);

	if (number >= in->n)
		return false;
	struct mr_change change = {.in = &in->items[number],
	        .key = column(find, 1, &out->arena),
	        .object = column(find, 2, &out->arena),
	        .reason = (enum mr_reason)sqlite3_column_int(find, 3),
	        .before = column(find, 4, &out->arena),
	        .after = column(find, 5, &out->arena)};
	mr_vec_push(&out->list, change);
	return true;
}

int mr_journal_load(struct mr_diags *diags, struct mr_state *state, const struct mr_txn *txn,
        bool all, struct mr_changes *out)
{
	STATEMENT find = prepare(state,
	        "SELECT s.collection, s.key, s.object, s.reason, s.before, s.after"
	        " FROM txn_step s JOIN txn_collection c ON c.txn = s.txn AND c.id = s.collection"
	        " WHERE s.txn = ?1 AND (?2 OR s.seq < ?3) ORDER BY c.rank, c.name, s.key");
	struct mr_collections in = {0};
	int row = SQLITE_DONE;
	int code = load_collections(diags, state, txn, &out->arena, &in);

	if (code)
		return code;
	(void)sqlite3_bind_int64(find, 1, txn->id);
	(void)sqlite3_bind_int(find, 2, all);
	(void)sqlite3_bind_int64(find, 3, (int64_t)txn->n_begun);
	while (find && (row = sqlite3_step(find)) == SQLITE_ROW) {
		if (!load_step(find, &in, out))
			return mr_fail(diags, MR_E_CONFIG,
			        "cannot read the journal: a step names no collection");
	}
	return find && row == SQLITE_DONE ? 0 : fail(diags, state, "read the journal");
}
