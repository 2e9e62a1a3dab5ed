/*
 * What is inside a plan, and the steps that fill it. For the plan room alone.
 */
#ifndef MR_PLAN_PARTS_H
#define MR_PLAN_PARTS_H

#include "plan/diff.h"
#include "plan/doc.h"

/* A collection with where it comes from and what was counted. */
struct mr_plan_collection {
	struct mr_collection in; /* first: struct mr_change.in points here */
	const struct mr_plan_server *server;
	bool is_former;      /* no longer described by its backend: what we own of it is undone */
	bool is_handed_over; /* a former tree inside one that is declared: its entries are that
	                        one's now */
	struct mr_diff_counts counts;
};

struct mr_rename {
	mr_str from, to; /* object names */
};

/* The parameters of Postfix that decide whether it relays for strangers, as they will be. */
enum mr_relay_parameter {
	MR_RELAY_MYNETWORKS,
	MR_RELAY_MYNETWORKS_STYLE,
	MR_RELAY_RELAY_RESTRICTIONS,
	MR_RELAY_RECIPIENT_RESTRICTIONS,
	MR_RELAY_DOMAINS,
	MR_RELAY_PARAMETER_COUNT
};
struct mr_relay_result {
	mr_str value[MR_RELAY_PARAMETER_COUNT]; /* data == NULL: not set */
};
extern const char *const mr_relay_parameters[MR_RELAY_PARAMETER_COUNT];

struct mr_plan {
	struct mr_arena arena;
	struct mr_plan_input input; /* lists and strings copied */
	bool *is_left_out;          /* by server: it could not be read */
	const uint8_t *key;         /* seal key */
	bool is_keyed;              /* a real key; else digests leave secrets out */
	struct mr_plan_collection *collections;
	size_t n_collections;
	bool has_passwd;
	struct mr_diff diff;
	MR_VEC(struct mr_rename) renames; /* by from */
	struct mr_relay_result relay;
	struct mr_plan_doc doc;
	MR_VEC(struct mr_expectation) expectations;
};

static inline const struct mr_plan_collection *mr_plan_collection_of(const struct mr_change *change)
{
	return (const struct mr_plan_collection *)(const void *)change->in;
}

bool mr_plan_has_left_out(const struct mr_plan *plan, const struct mr_plan_server *server);
/* What that code of a server comes to: 0 when the plan goes on without it. */
MR_CHECK int mr_plan_go_on(struct mr_plan *plan, const struct mr_plan_server *server, int code);
/* Fills in->collections, sorted by rank and name. */
MR_CHECK int mr_plan_collect(struct mr_plan *plan);
/* Users that were renamed: pairs the leaving row with the new one and carries over a password of
 * the user's own. */
MR_CHECK int mr_plan_link_renames(struct mr_plan *plan);
/* NULL or the name under which an object's items are shown. */
mr_str mr_plan_shown_object(const struct mr_plan *plan, mr_str object);
/* Asks the backends who made the drift, up to a number of rows. */
void mr_plan_trace(struct mr_plan *plan);
/* risk of every change, and the actions of the plan. */
void mr_plan_activations(struct mr_plan *plan);
/* doc.objects, doc.drift and the counts. */
void mr_plan_objects(struct mr_plan *plan);
/* doc.impact; asks the backends for the few addresses that change. */
MR_CHECK int mr_plan_impact(struct mr_plan *plan);
void mr_plan_expect(struct mr_plan *plan);
/* doc.rails, anew each time. */
void mr_plan_rails_evaluate(struct mr_plan *plan);
/* NULL, or why the result would be an open relay. */
const char *mr_relay_judge(struct mr_arena *arena, const struct mr_relay_result *result);
/* Digests of the plan (doc.digest, doc.effects_digest). */
void mr_plan_digests(struct mr_plan *plan);
/* Adds one change to a digest: collection, key, both sides sealed. */
void mr_digest_change(const struct mr_plan *plan, struct mr_attrs_builder *seal,
        const struct mr_change *change, struct mr_hash *hash);
/* Keeps only the changes of these objects (sorted) and fills the document anew. */
void mr_plan_narrow(struct mr_plan *plan, const struct mr_strs *objects);

/* The attributes of one object out of its changes (indices into plan->diff). */
struct mr_object_parts {
	const struct mr_plan *plan;
	struct mr_arena *arena;
	const size_t *changes;
	size_t n;
	mr_str object;
	enum mr_action action;
	enum mr_reason reason;
};
void mr_object_attributes(const struct mr_object_parts *parts, struct mr_doc_object *out);
/* The values of an attribute as they are shown: binary ones by their size. */
struct mr_strs mr_shown_values(struct mr_arena *arena, const struct mr_attr *attr, bool splits);

#endif
