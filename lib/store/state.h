/*
 * The state directory: what is kept between runs. state.db (what we own, history, retired users),
 * cache.db (can be thrown away), the seal key, the anchor file, the lock.
 *
 * state.db and its folder belong to root alone (0600/0700). Everything but the cache is read-only
 * without is_writer. journal rows live in state.db too but in apply/journal.c.
 */
#ifndef MR_STORE_STATE_H
#define MR_STORE_STATE_H

#include "base/arena.h"
#include "base/cursor.h"
#include "base/diag.h"
#include "provider/provider.h"

struct sqlite3;
struct mr_state;

/* Rules for all that follows: problems are reported to the diags given at open, which must outlive
 * the state. A reader makes and writes nothing (but the cache); where nothing was kept yet
 * everything is empty. Writing to a state that is not trusted is MR_E_REFUSED, with what to do. */
struct mr_state_options {
	const char *directory;
	bool is_writer; /* takes the lock; MR_E_BUSY names who holds it */
	bool lets_pass; /* others may pass through the folder (0711) to what is theirs below it */
	unsigned lock_timeout_ms;
	const char *purpose; /* "apply": shown to the others while the lock is held */
};

/* A writer makes the folder and files when absent. A foreign database, or a damaged one without an
 * anchor, is MR_E_CONFIG with what to do. One that is missing, older than the anchor says or
 * damaged opens read-only (empty when it cannot be read) and mr_state_is_trusted is false. */
MR_CHECK int mr_state_open(
        struct mr_diags *diags, const struct mr_state_options *options, struct mr_state **out);
void mr_state_close(struct mr_state *state);
/* A person has looked: what is there is right from now on. A database that cannot be read is put
 * aside as state.db.damaged and an empty one made. Takes the lock for that long. */
MR_CHECK int mr_state_trust(struct mr_diags *diags, const struct mr_state_options *options);
bool mr_state_is_trusted(const struct mr_state *state);
/* Whether another writer is at work now. */
bool mr_state_is_locked(struct mr_state *state);
const char *mr_state_directory(const struct mr_state *state);
/* 32 bytes, made from the kernel's random source by the first writer; of this process only where
 * there is none. */
const uint8_t *mr_state_seal_key(const struct mr_state *state);
/* Never NULL: where the cache file cannot be used it is a temporary one of this process. */
struct mr_cache *mr_state_cache(struct mr_state *state);
/* For apply/journal.c only. NULL when nothing was kept yet (readers) or what is there cannot be
 * read. */
struct sqlite3 *mr_state_db(struct mr_state *state);

/* What we own: the sealed desired body of each item as last applied, and the body before we first
 * touched it. Item: key, body, object. In key order. */
MR_CHECK int mr_state_owned(struct mr_state *state, mr_str collection, struct mr_cursor *out);
MR_CHECK int mr_state_owned_count(struct mr_state *state, mr_str collection, uint64_t *out);
/* False: we do not own it. *out: data == NULL when it was not there. */
bool mr_state_pre_image(
        struct mr_state *state, mr_str collection, mr_str key, struct mr_arena *arena, mr_str *out);
/* Names of all collections of which we own items: so that one whose declaration went away is still
 * undone. */
MR_CHECK int mr_state_owned_collections(
        struct mr_state *state, struct mr_arena *arena, struct mr_strs *out);
/* Between mr_state_begin and mr_state_commit (one SQLite transaction that apply/ shares for the
 * decision). */
MR_CHECK int mr_state_begin(struct mr_state *state);
MR_CHECK int mr_state_commit(struct mr_state *state);
void mr_state_abort(struct mr_state *state);
/* pre_image is kept from the first put of a key; data == NULL: it was not there. */
MR_CHECK int mr_state_own(
        struct mr_state *state, mr_str collection, const struct mr_item *sealed, mr_str pre_image);
MR_CHECK int mr_state_disown(struct mr_state *state, mr_str collection, mr_str key);

/* Users that left the repository: data is kept on the servers. */
MR_CHECK int mr_state_retire(
        struct mr_state *state, mr_str address, mr_str mail_home, int64_t when);
MR_CHECK int mr_state_unretire(struct mr_state *state, mr_str address);
/* 1 retired, 0 not, <0. */
MR_CHECK int mr_state_find_retired(struct mr_state *state, mr_str address, struct mr_arena *arena,
        mr_str *out_mail_home, int64_t *out_when);

/* The last applied desired state. Empty views when nothing was applied. */
struct mr_applied {
	int64_t run;
	mr_str commit, tree, ref;
	mr_str digest; /* hex of mr_desired_digest */
	mr_str policy_json;
	int64_t when;
};
MR_CHECK int mr_state_applied(
        struct mr_state *state, struct mr_arena *arena, struct mr_applied *out);
MR_CHECK int mr_state_set_applied(struct mr_state *state, const struct mr_applied *applied);
/* Writes the anchor file after the decision was committed. */
MR_CHECK int mr_state_write_anchor(struct mr_state *state);

/* History: one record a run that reached the servers or was refused. */
struct mr_record {
	int64_t id;
	mr_str verb; /* "apply" "sync" "rollback" */
	mr_str who;  /* "root (uid 0)", sudo's user where known */
	mr_str ref, commit, tree, subject;
	mr_str plan_digest;
	mr_str effects_digest; /* for quarantine */
	mr_str result; /* "applied" "unchanged" "refused" "rolled_back" "stuck" "failed" "recovered"
	                */
	int exit_status;
	mr_str detail;       /* first error, or what was allowed and why */
	mr_str summary_json; /* the plan's summary */
	mr_str plan_json;    /* the plan as shown, without secrets; only to be written: a first
	                        apply's has a kilobyte for each user */
	int64_t started, ended;
};
/* id 0: a new record, and its number in *out_id (may be NULL); else that record is written anew. */
MR_CHECK int mr_state_record(
        struct mr_state *state, const struct mr_record *record, int64_t *out_id);
/* id 0: the newest. MR_E_NOT_FOUND. */
MR_CHECK int mr_state_find_record(
        struct mr_state *state, int64_t id, struct mr_arena *arena, struct mr_record *out);
/* Its plan_json; empty: none was kept. MR_E_NOT_FOUND. */
MR_CHECK int mr_state_record_plan(
        struct mr_state *state, int64_t id, struct mr_arena *arena, mr_str *out);
/* Newest first, at most limit. */
MR_CHECK int mr_state_records(struct mr_state *state, size_t limit, struct mr_arena *arena,
        struct mr_record **out, size_t *out_n);
/* The record of the newest applied run before id: the state that a rollback of id brings back. */
MR_CHECK int mr_state_record_before(
        struct mr_state *state, int64_t id, struct mr_arena *arena, struct mr_record *out);

/* Quarantine: commits that were rolled back, with the digest of their effects. */
MR_CHECK int mr_state_quarantine(
        struct mr_state *state, mr_str commit, mr_str effects_digest, mr_str why);
MR_CHECK int mr_state_quarantined_count(struct mr_state *state, uint64_t *out);
struct mr_quarantined {
	mr_str commit, why;
};
/* The newest ones, at most limit. */
MR_CHECK int mr_state_quarantined(struct mr_state *state, size_t limit, struct mr_arena *arena,
        struct mr_quarantined **out, size_t *out_n);
bool mr_state_is_quarantined(struct mr_state *state, mr_str commit, mr_str effects_digest,
        struct mr_arena *arena, mr_str *out_why);

#endif
