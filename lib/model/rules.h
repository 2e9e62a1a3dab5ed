/*
 * The rules of the language: one table of ids, severities and meanings.
 */
#ifndef MR_MODEL_RULES_H
#define MR_MODEL_RULES_H

#include "base/diag.h"

struct mr_rule {
	const char *id;
	enum mr_severity severity;
	const char *meaning;
};

const struct mr_rule *mr_rules(size_t *out_n);
/* NULL when there is no such rule. */
const struct mr_rule *mr_rule_find(mr_str id);

#endif
