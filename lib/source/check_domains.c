/*
 * Checks of domains: what each kind may have, alias domains, open relays.
 */
#include <string.h>

#include "source/checks.h"
#include "source/load.h"

#define HOPS_LIMIT 64

static void check_fields(
        struct mr_check *check, const struct mr_object *object, const struct mr_domain *domain)
{
	static const unsigned bits[] = {MR_FIELD_MAILBOX, MR_FIELD_ALIAS, MR_FIELD_RELAY};
	const unsigned any = MR_FIELD_MAILBOX | MR_FIELD_ALIAS | MR_FIELD_RELAY;
	const struct mr_kind *kind = mr_kind_get(MR_KIND_domain);

	mr_vec_each (leaf, &object->leaves) {
		unsigned id = leaf->leaf.id;
		struct mr_loc loc = mr_leaf_loc(leaf, &check->desired->paths);
		bool is_default = id >= MR_DOMAIN_DEFAULTS && id < MR_LEAF_FREE;

		if (is_default ? domain->kind == MR_DOMAIN_MAILBOX
		               : id >= kind->n_fields || !(kind->fields[id].flags & any) ||
		                         (kind->fields[id].flags & bits[domain->kind]))
			continue;
		mr_diags_at(check->diags, MR_ERROR, "MR-KEY-KIND", &loc,
		        "domain '%.*s' is of kind %s, which has no '%s'", MR_FMT(object->key),
		        mr_domain_kind_name(domain->kind),
		        is_default ? "defaults" : kind->fields[id].name);
	}
}

/* Follows alias_of from domain to domain; true when that comes back to where it began. Reported
 * once, at the bytewise first of the domains. */
static bool is_in_cycle(
        struct mr_check *check, const struct mr_domain *domain, const struct mr_loc *loc)
{
	struct mr_buf way = MR_BUF_INIT;
	mr_str name = domain->alias_of;
	bool is_cycle = false, is_first = true;

	mr_buf_add_str(&way, domain->name);
	for (unsigned i = 0; i < HOPS_LIMIT && name.size && !is_cycle; i++) {
		const struct mr_domain_facts *facts = mr_domain_facts_find(check->desired, name);

		mr_buf_printf(&way, " -> %.*s", MR_FMT(name));
		is_cycle = mr_str_eq(name, domain->name);
		is_first &= mr_str_cmp(name, domain->name) >= 0;
		name = facts && facts->kind == MR_DOMAIN_ALIAS ? facts->alias_of : (mr_str){0};
	}
	if (is_cycle && is_first)
		mr_diags_at(check->diags, MR_ERROR, "MR-CYCLE", loc,
		        "alias domains lead back to themselves: %s", way.data);
	mr_buf_done(&way);
	return is_cycle;
}

/* The domain that an alias domain stands for must be there and have the mailboxes. */
static void check_alias_of(
        struct mr_check *check, const struct mr_domain *domain, const struct mr_loc *loc)
{
	const struct mr_domain_facts *of = mr_domain_facts_find(check->desired, domain->alias_of);

	if (!of) {
		if (!check->is_partial)
			mr_diags_at(check->diags, MR_ERROR, "MR-REF-DOMAIN", loc,
			        "domain '%.*s' is an alias of '%.*s', which is not declared",
			        MR_FMT(domain->name), MR_FMT(domain->alias_of));
	} else if (of->kind == MR_DOMAIN_ALIAS) {
		if (!is_in_cycle(check, domain, loc))
			mr_diags_at(check->diags, MR_ERROR, "MR-REF-DOMAIN", loc,
			        "domain '%.*s' is an alias of '%.*s', which is an alias itself: "
			        "name the domain that has the mailboxes",
			        MR_FMT(domain->name), MR_FMT(domain->alias_of));
	} else if (of->kind != MR_DOMAIN_MAILBOX) {
		mr_diags_at(check->diags, MR_ERROR, "MR-REF-DOMAIN", loc,
		        "domain '%.*s' is an alias of '%.*s', which is of kind %s",
		        MR_FMT(domain->name), MR_FMT(domain->alias_of),
		        mr_domain_kind_name(of->kind));
	}
}

static void check_alias_domain(
        struct mr_check *check, const struct mr_object *object, const struct mr_domain *domain)
{
	const struct mr_merged_leaf *leaf = mr_object_leaf(object, MR_F_DOMAIN_ALIAS_OF);

	if (leaf) {
		struct mr_loc loc = mr_leaf_loc(leaf, &check->desired->paths);

		check_alias_of(check, domain, &loc);
	} else if (!mr_object_leaf(object, MR_LEAF_BAD)) {
		mr_diags_at(check->diags, MR_ERROR, "MR-KEY-MISSING", &domain->loc,
		        "domain '%.*s' is of kind alias and has no 'alias_of'",
		        MR_FMT(domain->name));
	}
}

static void check_relay(
        struct mr_check *check, const struct mr_object *object, const struct mr_domain *domain)
{
	const struct mr_merged_leaf *leaf = mr_object_leaf(object, MR_F_DOMAIN_RECIPIENTS);
	struct mr_buf name = MR_BUF_INIT;

	mr_buf_printf(&name, "domain/%.*s", MR_FMT(domain->name));
	if (domain->recipients == MR_RECIPIENTS_ANY &&
	        !mr_policy_is_waived(
	                &check->desired->policy, MR_STR("MR-RELAY-ANY"), mr_buf_str(&name))) {
		struct mr_loc loc = mr_leaf_loc(leaf, &check->desired->paths);

		mr_diags_at(check->diags, MR_ERROR, "MR-RELAY-ANY", &loc,
		        "relay domain '%.*s' accepts any recipient: what the next host refuses "
		        "becomes backscatter",
		        MR_FMT(domain->name));
		mr_diags_hint(check->diags,
		        "list the addresses, or waive MR-RELAY-ANY for %s in policy.waive",
		        name.data);
	}
	leaf = mr_object_leaf(object, MR_F_DOMAIN_ADDRESSES);
	if (leaf && domain->recipients != MR_RECIPIENTS_LISTED) {
		struct mr_loc loc = mr_leaf_loc(leaf, &check->desired->paths);

		mr_diags_at(check->diags, MR_ERROR, "MR-KEY-KIND", &loc,
		        "'addresses' needs 'recipients: listed'");
	}
	mr_buf_done(&name);
}

/* Accounts and defaults: nothing to check beyond what they merge to. */
static int check_singles(struct mr_check *check)
{
	static const enum mr_kind_id kinds[] = {MR_KIND_accounts, MR_KIND_defaults};
	const struct mr_object *object;
	int result = 0;

	for (size_t i = 0; i < 2 && result >= 0; i++) {
		struct mr_objects objects;

		result = mr_check_begin(check, kinds[i], &objects);
		while (result >= 0 && (result = mr_check_next(check, &objects, &object)) > 0)
			continue;
		mr_objects_end(&objects);
	}
	return result;
}

int mr_check_domains(struct mr_check *check)
{
	const struct mr_object *object;
	struct mr_objects objects;
	struct mr_domain domain;
	int result = check_singles(check);

	if (result < 0)
		return result;
	result = mr_check_begin(check, MR_KIND_domain, &objects);
	while (result >= 0 && (result = mr_check_next(check, &objects, &object)) > 0) {
		mr_domain_from(check->desired, object, &objects.arena, &domain);
		check_fields(check, object, &domain);
		if (domain.kind == MR_DOMAIN_ALIAS)
			check_alias_domain(check, object, &domain);
		if (domain.kind == MR_DOMAIN_RELAY)
			check_relay(check, object, &domain);
	}
	mr_objects_end(&objects);
	return result;
}
