/*
 * Two writers that fight: a value that was put back again and again, and changed again each time,
 * is left as it is and named, until it is in order by itself, a new commit changes it, or a person
 * applies.
 */
#ifndef MR_SESSION_CONTENDING_H
#define MR_SESSION_CONTENDING_H

#include "session/observed.h"

struct mr_contended {
	mr_str name;          /* as plan/field.h says: a value, or a server for all that it holds */
	int64_t heals, since; /* how often it was put back, and when first */
};
/* Those that are left as they are now; in the session's arena. */
void mr_contended_find(struct mailreeve *session, const struct mr_observed *observed,
        struct mr_contended **out, size_t *out_n);
/* The same as names for a plan that heals, and a warning for each. */
const struct mr_strs *mr_contended_names(struct mailreeve *session);

/* After a sync or a look: what was put back is counted, what is in order is forgotten. */
void mr_contended_note(struct mailreeve *session, struct mr_observed *observed,
        const struct mr_plan *plan, const struct mr_planning *how);
/* Whether one drifted value of a plan is among them. */
bool mr_contended_has(const struct mr_contended *contended, size_t n, const struct mr_plan *plan,
        size_t drift_index);
/* A person applied: what is live is what the person wants. */
void mr_contended_forget(struct mr_observed *observed);

#endif
