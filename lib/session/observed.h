/*
 * What was seen last, for metrics and notices: kept in STATE/observed.json beside the history, and
 * no loss when it goes. Unlike the state database any part that may write there can add to it.
 */
#ifndef MR_SESSION_OBSERVED_H
#define MR_SESSION_OBSERVED_H

#include "session/session.h"

/* X(name, meaning); times are seconds since 1970, 0: never. */
#define MR_OBSERVED_NUMBERS(X)                                                                     \
	X(ended, "of the last run that says how things stand")                                     \
	X(status, "its exit status")                                                               \
	X(changed, "since when health is as it is")                                                \
	X(synced, "end of the last sync")                                                          \
	X(sync_status, "its exit status")                                                          \
	X(succeeded, "end of the last sync that went well")                                        \
	X(duration_ms, "of the last run")                                                          \
	X(head_seen, "when the head was first seen")                                               \
	X(looked, "when drift was looked for")                                                     \
	X(drifted, "since when there is drift; 0: there is none")
#define MR_OBSERVED_TEXTS(X)                                                                       \
	X(health, "the word of the last run")                                                      \
	X(head, "commit that the branch stood at in the last sync")                                \
	X(reason, "why the last run failed, one line")                                             \
	X(objects, "the first drifted values, one a line")
/* Maps of names to numbers. */
#define MR_OBSERVED_COUNTS(X)                                                                      \
	X(runs, "verb result")                                                                     \
	X(changes, "action kind")                                                                  \
	X(drift, "server")                                                                         \
	X(steps_ms, "step of the last apply")                                                      \
	X(heals, "value (plan/field.h): how often a sync put it back since heals_since")           \
	X(heals_since, "value: when it was put back first")

struct mr_entry {
	mr_str name;
	int64_t n;
};
struct mr_entries {
	struct mr_entry *items;
	size_t n, capacity;
};
struct mr_told {
	mr_str name; /* "webhook health" */
	mr_str value;
};

struct mr_observed {
#define MR_OBSERVED_NUMBER(name, meaning) int64_t name;
#define MR_OBSERVED_TEXT(name, meaning)   mr_str name;
#define MR_OBSERVED_COUNT(name, meaning)  struct mr_entries name;
	MR_OBSERVED_NUMBERS(MR_OBSERVED_NUMBER)
	MR_OBSERVED_TEXTS(MR_OBSERVED_TEXT)
	MR_OBSERVED_COUNTS(MR_OBSERVED_COUNT)
#undef MR_OBSERVED_NUMBER
#undef MR_OBSERVED_TEXT
#undef MR_OBSERVED_COUNT
	struct {
		struct mr_told *items;
		size_t n, capacity;
	} told; /* what each receiver was told last */
	int lock;
};

/* What is kept, in *out; views live in the session's arena. Nothing kept, or nothing readable: all
 * zero. The lock is held until mr_observed_done. False: this process may not write there. */
bool mr_observed_begin(struct mailreeve *session, struct mr_observed *out);
/* The same to read only. */
void mr_observed_read(struct mailreeve *session, struct mr_observed *out);
/* Keeps it, and lets go of the lock. What cannot be kept is a warning. */
void mr_observed_keep(struct mailreeve *session, struct mr_observed *observed);
/* Lets go of the lock and the memory. */
void mr_observed_done(struct mr_observed *observed);

/* The number behind that name, made when it is not there; name is copied into the arena. */
int64_t *mr_entry_of(struct mr_arena *arena, struct mr_entries *entries, mr_str name);
/* The empty view: not told yet. */
mr_str mr_told_get(const struct mr_observed *observed, mr_str name);
void mr_told_set(struct mr_arena *arena, struct mr_observed *observed, mr_str name, mr_str value);

/* Problems that must not change how a run ends: as warnings of that rule. */
void mr_session_warn(struct mailreeve *session, const struct mr_diags *problems, const char *rule);

#endif
