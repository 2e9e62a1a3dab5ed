/*
 * What the files of the store share.
 */
#ifndef MR_STORE_PRIVATE_H
#define MR_STORE_PRIVATE_H

#include "store/sql.h"
#include "store/state.h"

/* The statements of state.db, by their use. */
enum state_statement {
	STATE_META_GET,
	STATE_META_SET,
	STATE_COLLECTION_FIND,
	STATE_COLLECTION_ADD,
	STATE_COLLECTION_LIST,
	STATE_OWNED_COUNT,
	STATE_OWNED_PRE_IMAGE,
	STATE_OWN,
	STATE_DISOWN,
	STATE_RETIRE,
	STATE_RETIRED_FIND,
	STATE_UNRETIRE,
	STATE_APPLIED_GET,
	STATE_APPLIED_SET,
	STATE_GENERATION_ADD,
	STATE_RECORD_ADD,
	STATE_RECORD_SET,
	STATE_RECORD_THIN,
	STATE_RECORD_FIND,
	STATE_RECORD_NEWEST,
	STATE_RECORD_BEFORE,
	STATE_RECORD_PLAN,
	STATE_RECORD_LIST,
	STATE_QUARANTINE,
	STATE_QUARANTINE_FIND,
	STATE_QUARANTINE_COUNT,
	STATE_QUARANTINE_LIST,
	STATE_UNQUARANTINE,
	STATE_STATEMENT_COUNT
};

/* What the anchor file says. */
struct mr_anchor {
	mr_str uuid;
	uint64_t generation;
	int64_t run;
	mr_str commit;
};

struct mr_state {
	struct mr_arena arena;
	struct mr_diags *diags;
	const char *directory;
	bool is_writer;
	bool is_trusted;
	bool is_in_transaction;
	bool was_left_open; /* the last writer did not end in order */
	int lock_fd;
	uint8_t seal_key[32];
	bool has_seal_key; /* that is kept on disk */
	struct mr_sql sql; /* sql.db == NULL: nothing was kept yet */
	struct mr_cache cache;
	mr_str own_collection; /* of the last mr_state_own, and its number */
	int64_t own_collection_id;
};

/* "DIR/name" in the state's arena. */
const char *mr_state_path(struct mr_state *state, const char *name);

/* lock.c: was_left_open tells that the holder before us did not end in order. MR_E_BUSY names the
 * holder. */
MR_CHECK int mr_lock_take(struct mr_diags *diags, const char *path,
        const struct mr_state_options *options, int *out_fd, bool *out_was_left_open);
void mr_lock_release(int fd);

/* anchor.c: MR_E_NOT_FOUND without a diagnostic; MR_E_INVALID for a damaged one, likewise. */
MR_CHECK int mr_anchor_read(
        struct mr_diags *diags, const char *path, struct mr_arena *arena, struct mr_anchor *out);
MR_CHECK int mr_anchor_write(
        struct mr_diags *diags, const char *path, const struct mr_anchor *anchor);

/* seal.c */
MR_CHECK int mr_seal_key_load(struct mr_state *state);

/* database.c: opens state.db as far as it can be, sets is_trusted. */
MR_CHECK int mr_database_open(struct mr_state *state);
/* For mr_state_trust: puts aside what cannot be read, and anchors what is there. */
MR_CHECK int mr_database_accept(struct mr_state *state);
MR_CHECK int mr_meta_get(
        struct mr_state *state, const char *name, struct mr_arena *arena, mr_str *out);
extern const char *const mr_state_texts[STATE_STATEMENT_COUNT];

/* 0, or reported: whether the state may be written. */
MR_CHECK int mr_state_writable(struct mr_state *state);
/* A statement to write with; NULL and *out_code: reported. */
sqlite3_stmt *mr_state_write(struct mr_state *state, enum state_statement number, int *out_code);
/* A statement to read with; NULL and *out_code == 0: nothing was kept yet. */
sqlite3_stmt *mr_state_read(struct mr_state *state, enum state_statement number, int *out_code);

/* cache.c: path NULL: a temporary one. */
void mr_cache_open(struct mr_cache *face, const char *path);
void mr_cache_close(struct mr_cache *face);

#endif
