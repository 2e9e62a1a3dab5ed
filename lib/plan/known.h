/*
 * Plans that are known to be empty: an unchanged world is not compared a second time.
 *
 * For the plan room alone. What is kept is the document of an empty plan, under a digest of
 * everything that it was made from; it can be thrown away at any time.
 */
#ifndef MR_PLAN_KNOWN_H
#define MR_PLAN_KNOWN_H

#include "plan/parts.h"

struct mr_known {
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

#endif
