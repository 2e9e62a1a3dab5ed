/*
 * Checks of a domain as a whole: its limits, and whether it has a postmaster.
 */
#include "base/text.h"
#include "source/checks.h"

void mr_check_limits(struct mr_check *check, const struct mr_object *object,
        const struct mr_domain_totals *totals)
{
	const struct mr_merged_leaf *users = mr_object_leaf(object, MR_F_DOMAIN_LIMIT_USERS);
	const struct mr_merged_leaf *quota = mr_object_leaf(object, MR_F_DOMAIN_LIMIT_QUOTA);
	struct mr_loc loc;
	uint64_t limit;

	if (users && mr_number_parse(mr_leaf_text(&users->leaf), INT64_MAX, &limit) == 0 &&
	        totals->users > limit) {
		loc = mr_leaf_loc(users, &check->desired->paths);
		mr_diags_at(check->diags, MR_ERROR, "MR-LIMIT-USERS", &loc,
		        "domain '%.*s' has %llu users, which is over its limit of %llu",
		        MR_FMT(object->key), (unsigned long long)totals->users,
		        (unsigned long long)limit);
	}
	if (!quota || mr_size_parse(mr_leaf_text(&quota->leaf), &limit) < 0 || !totals->users)
		return;
	loc = mr_leaf_loc(quota, &check->desired->paths);
	if (totals->is_unlimited) {
		mr_diags_at(check->diags, MR_ERROR, "MR-LIMIT-QUOTA", &loc,
		        "domain '%.*s' has users without a quota, which is over its limit of %.*s",
		        MR_FMT(object->key), MR_FMT(mr_leaf_text(&quota->leaf)));
	} else if (totals->quota_bytes > limit) {
		struct mr_buf sum = MR_BUF_INIT;

		mr_size_format(totals->quota_bytes, &sum);
		mr_diags_at(check->diags, MR_ERROR, "MR-LIMIT-QUOTA", &loc,
		        "the quotas of the users of '%.*s' sum up to %s, which is over its limit "
		        "of %.*s",
		        MR_FMT(object->key), sum.data, MR_FMT(mr_leaf_text(&quota->leaf)));
		mr_buf_done(&sum);
	}
}

void mr_check_postmaster(
        struct mr_check *check, const struct mr_object *object, bool has_postmaster)
{
	struct mr_loc loc = mr_object_loc(object, &check->desired->paths);
	const struct mr_domain_facts *facts = mr_domain_facts_find(check->desired, object->key);

	if (has_postmaster || !facts || check->is_partial || mr_object_leaf(object, MR_LEAF_BAD) ||
	        facts->state == MR_DOMAIN_CLOSED || facts->kind == MR_DOMAIN_ALIAS ||
	        facts->has_catch_all ||
	        (facts->kind == MR_DOMAIN_RELAY && facts->recipients != MR_RECIPIENTS_LISTED))
		return;
	mr_diags_at(check->diags, MR_ERROR, "MR-POSTMASTER", &loc,
	        "domain '%.*s' accepts mail and has no postmaster", MR_FMT(facts->name));
	mr_diags_hint(check->diags, facts->kind == MR_DOMAIN_RELAY
	                                    ? "add postmaster to its addresses"
	                                    : "add 'postmaster: [USER]' to its aliases");
}
