/*
 * policy: the rails as declared, and the built-in ones.
 */
#ifndef MR_MODEL_POLICY_H
#define MR_MODEL_POLICY_H

#include "base/arena.h"
#include "base/diag.h"
#include "model/desired.h"

/* "5 or 2%": the larger of the two counts. */
struct mr_limit {
	mr_str id;   /* "users.close" */
	mr_str text; /* as written */
	uint64_t count;
	uint64_t percent_hundredths; /* 2% = 200 */
};

/* "Sat 02:00-05:00": when an action may be done, in the host's local time. An end before the start
 * is on the next day. */
struct mr_window {
	mr_str action;                       /* "restart" "apply" */
	mr_str text;                         /* as written */
	unsigned days;                       /* bit 0 Monday … bit 6 Sunday */
	unsigned start_minutes, end_minutes; /* since midnight */
};

struct mr_policy {
	struct mr_limit
	        *limits; /* declared ones and, for what is not declared, the built-in ones; by id */
	size_t n_limits;
	struct mr_strs protect; /* object names */
	struct mr_strs allowed_schemes;
	struct mr_strs waived;     /* "RULE OBJECT", those not past their end */
	struct mr_window *windows; /* by action */
	size_t n_windows;
};

/* The ids a policy may name: users.close, domains.close, ldap.delete, postfix.table.shrink, … (one
 * table). */
const char *const *mr_policy_limit_ids(void); /* ended by NULL */
bool mr_policy_limit_is_known(mr_str id);
/* The largest number that passes, of total objects. */
uint64_t mr_limit_allows(const struct mr_limit *limit, uint64_t total);
MR_CHECK int mr_limit_parse(mr_str text, struct mr_limit *out);
/* "Sat 02:00-05:00", "Mon-Fri 22:00-04:00", "Sat,Sun 00:00-24:00", "02:00-05:00" (every day). */
MR_CHECK int mr_window_parse(mr_str text, struct mr_window *out);
/* weekday: 0 Monday … 6 Sunday; minutes since midnight. */
bool mr_window_is_open(const struct mr_window *window, unsigned weekday, unsigned minutes);
/* Whether the policy waives this rule for this object. */
bool mr_policy_is_waived(const struct mr_policy *policy, mr_str rule, mr_str object);
/* Fills in the built-in limits for what is not among the declared ones; result sorted by id, in the
 * arena. */
void mr_policy_complete(struct mr_arena *arena, struct mr_policy *policy);

/* What this desired state declares (it takes force once applied). */
const struct mr_policy *mr_desired_policy(const struct mr_desired *desired);
/* The rails before anything was applied. */
const struct mr_policy *mr_policy_builtin(void);
/* Kept in the state directory between runs: JSON. */
void mr_policy_format(const struct mr_policy *policy, struct mr_buf *out);
MR_CHECK int mr_policy_parse(struct mr_arena *arena, mr_str json, struct mr_policy *out);

#endif
