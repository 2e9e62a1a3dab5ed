/*
 * The diff: desired, live and owned items of one collection, joined by key.
 *
 * For the plan room alone. What is equal leaves nothing behind but a count.
 */
#ifndef MR_PLAN_DIFF_H
#define MR_PLAN_DIFF_H

#include "plan/change.h"
#include "provider/provider.h"

enum mr_drift_mode { MR_DRIFT_OFF, MR_DRIFT_REPORT, MR_DRIFT_HEAL };

/* What the diff knows of a change beyond struct mr_change; same index as the change. */
struct mr_effect {
	mr_str owned;       /* sealed body as last applied; data == NULL: we do not own it */
	size_t first_drift; /* its records in struct mr_diff.drift */
	size_t n_drift;
	bool is_declared; /* the desired side has the item */
};

/* One attribute that others changed. */
struct mr_drift {
	const struct mr_collection *in;
	mr_str key;
	mr_str object;
	mr_str attribute;       /* as the body names it */
	struct mr_attr applied; /* n_values == 0: it was not there */
	struct mr_attr live;
	struct mr_trace trace; /* mr_plan_trace; else empty */
};

/* The results of all collections. Everything lives in changes.arena; parallel lists: changes,
 * effects. */
struct mr_diff {
	struct mr_changes changes;
	MR_VEC(struct mr_effect) effects;
	MR_VEC(struct mr_drift) drift;
	struct mr_changes adoptions;
};

struct mr_diff_counts {
	uint64_t desired, live, owned;
	uint64_t primary; /* desired items that stand for an object (mr_words_is_primary) */
};

struct mr_diff_options {
	struct mr_diags *diags;
	const struct mr_collection *in;
	const struct mr_provider *provider; /* same and revert_to are used; NULL: neither */
	struct mr_backend *backend;
	const uint8_t *key; /* 32 bytes: the seal key */
	enum mr_drift_mode drift_mode;
	const struct mr_strs *contended; /* values that are not healed whatever the mode; or NULL */
	mr_str only;                     /* as in struct mr_plan_input */
	bool is_handed_over; /* another collection has these items now: what left here is only
	                        forgotten */
	bool has_passwd;     /* users are counted in dovecot.passwd */
	bool (*pre_image)(
	        void *arg, mr_str collection, mr_str key, struct mr_arena *arena, mr_str *out);
	void *pre_image_arg;
	/* Told what each item will be once the plan is carried out (data == NULL: gone); may be
	 * NULL. */
	void (*result)(void *arg, mr_str key, mr_str body);
	void *result_arg;
	void (*progress)(void *arg, const char *what, uint64_t done, uint64_t total);
	void *progress_arg;
};

struct mr_diff_cursors {
	struct mr_cursor *desired, *live, *owned;
};

void mr_diff_init(struct mr_diff *diff);
void mr_diff_done(struct mr_diff *diff);
/* Appends what differs in one collection. The cursors stay the caller's. An error of a cursor is
 * handed up; items that do not come in rising order are MR_E_FAILED. */
MR_CHECK int mr_diff_collection(struct mr_diff *diff, const struct mr_diff_options *options,
        const struct mr_diff_cursors *cursors, struct mr_diff_counts *out);
/* Whether --only takes the object: empty, its name, or a prefix that ends in '*'. */
bool mr_is_selected(mr_str only, mr_str object);

#endif
