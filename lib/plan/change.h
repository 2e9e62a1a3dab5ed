/*
 * Collections and changes: the one shape of all live state and of everything that is done to it.
 *
 * A collection is a set of keyed items in key order: the rows of a lookup table, the parameters of
 * main.cf, the users of a passwd-file, the entries below a directory suffix. A change is {before,
 * after} of one item; undo is the same change reversed.
 */
#ifndef MR_PLAN_CHANGE_H
#define MR_PLAN_CHANGE_H

#include "base/arena.h"
#include "base/attrs.h"
#include "base/cursor.h"
#include "base/diag.h"
#include "base/vec.h"

enum mr_collection_flags {
	MR_COLLECTION_EXCLUSIVE =
	        1, /* what is live and not desired goes; else only what we own goes */
	MR_COLLECTION_PARTIAL = 2, /* only attributes that the desired item names are compared */
	MR_COLLECTION_DELETE_LATE =
	        4, /* deletes cannot be undone exactly: done after the decision (S9) */
};

/* Ranks give the order in which collections are written when something is added; removals run the
 * other way. */
enum mr_rank {
	MR_RANK_DIRECTORY = 10,
	MR_RANK_MAILBOX = 20,
	MR_RANK_MAILBOX_SETTINGS = 30,
	MR_RANK_MAILBOX_MAP = 40,
	MR_RANK_ALIAS_MAP = 50,
	MR_RANK_OTHER_MAP = 60,
	MR_RANK_MAIN = 70,
};

struct mr_collection {
	mr_str name;   /* "postfix.main", "postfix.table/virtual_alias", "dovecot.passwd",
	                  "dovecot.settings", "ldap" */
	mr_str target; /* how a plan names it: "postfix.virtual_alias", "dovecot.passwd", "ldap" */
	const char *provider; /* "postfix", "dovecot", "openldap" */
	unsigned flags;
	enum mr_rank rank;
	mr_str scope; /* openldap: the tree's DN; else empty */
};

struct mr_collections {
	struct mr_collection *items;
	size_t n;
};

enum mr_action { MR_CREATE, MR_UPDATE, MR_RENAME, MR_DELETE, MR_ACTION_COUNT };
enum mr_reason {
	MR_REASON_DESIRED_CHANGED,
	MR_REASON_DRIFT,
	MR_REASON_NOT_IN_REPOSITORY,
	MR_REASON_RENAMED,
	MR_REASON_ADOPTED,
	MR_REASON_COUNT
};
enum mr_risk {
	MR_RISK_SAFE,
	MR_RISK_RELOAD,
	MR_RISK_RESTART,
	MR_RISK_DATA,
	MR_RISK_OFFLINE,
	MR_RISK_COUNT
};

struct mr_change {
	const struct mr_collection *in;
	mr_str key;
	mr_str before; /* body; data == NULL: not there */
	mr_str after;  /* body; data == NULL: shall not be there */
	mr_str object; /* "user/alice@example.org" */
	struct mr_loc loc;
	enum mr_reason reason;
	enum mr_risk risk;
};

/* Owns the arena its views live in. Order: collection rank, collection name, key. */
struct mr_changes {
	struct mr_arena arena;
	MR_VEC(struct mr_change) list;
};

static inline bool mr_change_is_create(const struct mr_change *change)
{
	return !change->before.data;
}

static inline bool mr_change_is_delete(const struct mr_change *change)
{
	return !change->after.data;
}

/* The same change the other way round. */
static inline struct mr_change mr_change_reversed(const struct mr_change *change)
{
	struct mr_change reversed = *change;

	reversed.before = change->after;
	reversed.after = change->before;
	return reversed;
}

#endif
