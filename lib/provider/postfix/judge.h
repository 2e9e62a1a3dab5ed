/*
 * What Postfix types, by the server's own defaults and a few tables of our own.
 */
#ifndef MR_POSTFIX_JUDGE_H
#define MR_POSTFIX_JUDGE_H

#include "postfix/backend.h"

/* NULL when the value is fine or cannot be judged; else why not (static text). */
const char *mr_postfix_value_problem(const struct mr_postconf *postconf, mr_str name, mr_str value);
/* Whether name is a restriction of smtpd(8) that stands in a *_restrictions list;
 * *out_takes_argument. */
bool mr_postfix_is_restriction(mr_str word, bool *out_takes_argument);
/* The nearest restriction's name, or the empty view. */
mr_str mr_postfix_nearest_restriction(mr_str word);
/* Whether the parameter holds a list of restrictions. */
bool mr_postfix_is_restriction_list(mr_str name);

/* Errors of a declared table's rows go to the diagnostics. */
MR_CHECK int mr_postfix_judge_rows(struct mr_backend *backend, struct mr_desired *desired,
        const struct mr_postfix_table *table);

#endif
