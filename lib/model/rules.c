/*
 * The table of rules, made from model/rules.def.
 */
#include "model/rules.h"

static const struct mr_rule rules[] = {
#define RULE(id, severity, meaning) {id, severity, meaning},
#include "model/rules.def"
#undef RULE
};

const struct mr_rule *mr_rules(size_t *out_n)
{
	*out_n = sizeof rules / sizeof *rules;
	return rules;
}

const struct mr_rule *mr_rule_find(mr_str id)
{
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (mr_str_is(id, rules[i].id))
			return &rules[i];
	return NULL;
}
