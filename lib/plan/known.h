/*
 * What is known to be in order: an unchanged world, or an unchanged collection of it, is not
 * compared a second time.
 *
 * For the plan room alone. What is kept is the document of an empty plan, and what was counted in a
 * collection, each under a digest of everything that it was made from; it can be thrown away at any
 * time.
 */
#ifndef MR_PLAN_KNOWN_H
#define MR_PLAN_KNOWN_H

#include "base/fingerprint.h"
#include "plan/parts.h"

struct mr_known {
	struct mr_fingerprint base; /* what every comparison hangs on, whatever the server */
	bool has_base;
	struct mr_digest stamp;
	bool is_possible; /* every server can tell cheaply that nothing moved */
	bool is_settled;
};

/* Looks at the world. Nothing is read but identities. */
void mr_known_look(struct mr_plan *plan, struct mr_known *out);
/* Fills the document from the cache; false when this world was not seen before. */
bool mr_known_recall(struct mr_plan *plan, const struct mr_known *known);
/* Keeps an empty plan, if the world is still the one that was looked at. */
void mr_known_keep(struct mr_plan *plan, const struct mr_known *known);

/* A collection as it was looked at before it was compared. */
struct mr_known_collection {
	struct mr_digest stamp;
	bool is_possible, is_settled;
};
/* True when it was found in order as it is now: its counts are filled in. */
bool mr_known_recall_collection(const struct mr_plan *plan, const struct mr_known *known,
        struct mr_plan_collection *from, struct mr_known_collection *out);
/* It was found in order: keeps that, if it is still what was looked at. */
void mr_known_keep_collection(const struct mr_plan *plan, const struct mr_known *known,
        const struct mr_plan_collection *from, const struct mr_known_collection *seen);

#endif
