/*
 * The declared domains in one place, and which tables they call for.
 */
#include "postfix/backend.h"

#include <stdlib.h>
#include <string.h>

static int fact_cmp(const void *a, const void *b)
{
	return mr_str_cmp(
	        ((const struct mr_domain_fact *)a)->name, ((const struct mr_domain_fact *)b)->name);
}

static int link_cmp(const void *a, const void *b)
{
	const struct mr_domain_link *left = a, *right = b;
	int order = mr_str_cmp(left->target, right->target);

	return order ? order : mr_str_cmp(left->alias, right->alias);
}

const struct mr_domain_fact *mr_postfix_find_domain(const struct mr_backend *backend, mr_str name)
{
	struct mr_domain_fact key = {.name = name};

	if (!backend->domains.n)
		return NULL;
	return bsearch(&key, backend->domains.items, backend->domains.n, sizeof key, fact_cmp);
}

static struct mr_loc keep_loc(struct mr_backend *backend, const struct mr_loc *loc)
{
	struct mr_loc kept = *loc;

	kept.path = mr_str_copy(&backend->arena, loc->path);
	return kept;
}

static void wire(struct mr_backend *backend, enum mr_wired wired, const struct mr_loc *loc)
{
	if (backend->is_wired[wired])
		return;
	backend->is_wired[wired] = true;
	backend->wired_loc[wired] = keep_loc(backend, loc);
}

static void wire_domain(
        struct mr_backend *backend, const struct mr_domain *domain, enum mr_domain_state state)
{
	if (state == MR_DOMAIN_CLOSED)
		return;
	if (domain->kind == MR_DOMAIN_MAILBOX) {
		wire(backend, MR_WIRED_MAILBOX_DOMAINS, &domain->loc);
		wire(backend, MR_WIRED_MAILBOX_MAPS, &domain->loc);
		wire(backend, MR_WIRED_ALIAS_MAPS, &domain->loc);
	} else if (domain->kind == MR_DOMAIN_ALIAS) {
		wire(backend, MR_WIRED_ALIAS_DOMAINS, &domain->loc);
		wire(backend, MR_WIRED_ALIAS_MAPS, &domain->loc);
	} else {
		wire(backend, MR_WIRED_RELAY_DOMAINS, &domain->loc);
		wire(backend, MR_WIRED_RELAY_RECIPIENTS, &domain->loc);
	}
	if (state == MR_DOMAIN_SUSPENDED || domain->transport.size || domain->catch_all.n)
		wire(backend, MR_WIRED_TRANSPORT, &domain->loc);
}

static void judge_domain(struct mr_backend *backend, const struct mr_domain *domain)
{
	if (domain->kind != MR_DOMAIN_RELAY || domain->recipients != MR_RECIPIENTS_PROBE)
		return;
	mr_diags_at(backend->diags, MR_ERROR, "MR-UNSUPPORTED", &domain->loc,
	        "recipients: probe of domain '%.*s' cannot be enforced yet", MR_FMT(domain->name));
	mr_diags_hint(backend->diags, "list its addresses (recipients: listed)");
	mr_diags_object(backend->diags,
	        mr_str_printf(&backend->arena, "domain/%.*s", MR_FMT(domain->name)));
}

static void add_fact(struct mr_backend *backend, const struct mr_domain *domain)
{
	struct mr_domain_fact fact = {
	        .name = mr_str_copy(&backend->arena, domain->name),
	        .kind = domain->kind,
	        .state = domain->state,
	        .has_catch_all = domain->catch_all.n > 0,
	        .alias_of = mr_str_copy(&backend->arena, domain->alias_of),
	};

	mr_vec_push(&backend->domains, fact);
	judge_domain(backend, domain);
}

/* An alias domain is never better off than its target. */
static void settle_alias_domains(struct mr_backend *backend)
{
	for (size_t i = 0; i < backend->domains.n; i++) {
		struct mr_domain_fact *fact = &backend->domains.items[i];
		const struct mr_domain_fact *target;

		if (fact->kind != MR_DOMAIN_ALIAS)
			continue;
		target = mr_postfix_find_domain(backend, fact->alias_of);
		if (target && target->state > fact->state)
			fact->state = target->state;
		if (fact->state == MR_DOMAIN_ACTIVE)
			mr_vec_push(&backend->links,
			        (struct mr_domain_link){fact->alias_of, fact->name});
	}
	if (backend->links.n)
		qsort(backend->links.items, backend->links.n, sizeof *backend->links.items,
		        link_cmp);
}

typedef void (*domain_fn)(struct mr_backend *backend, const struct mr_domain *domain);

static int each_domain(struct mr_backend *backend, struct mr_desired *desired, domain_fn fn)
{
	struct mr_iter iter;
	struct mr_domain domain;
	int code = mr_desired_begin_domain(desired, &iter);

	if (code)
		return code;
	while ((code = mr_desired_next_domain(&iter, &domain)) > 0)
		fn(backend, &domain);
	mr_desired_end(&iter);
	return code;
}

static void wire_settled(struct mr_backend *backend, const struct mr_domain *domain)
{
	const struct mr_domain_fact *fact = mr_postfix_find_domain(backend, domain->name);

	wire_domain(backend, domain, fact ? fact->state : domain->state);
}

/* The kinds of which one is enough. */
static int wire_others(struct mr_backend *backend, struct mr_desired *desired)
{
	struct mr_iter iter;
	struct mr_user user;
	struct mr_alias alias;
	struct mr_transport transport;
	int code;

	if ((code = mr_desired_begin_user(desired, &iter)))
		return code;
	if ((code = mr_desired_next_user(&iter, &user)) > 0)
		wire(backend, MR_WIRED_SENDER_LOGIN, &user.loc);
	mr_desired_end(&iter);
	if (code < 0 || (code = mr_desired_begin_alias(desired, &iter)))
		return code;
	if ((code = mr_desired_next_alias(&iter, &alias)) > 0)
		wire(backend, MR_WIRED_ALIAS_MAPS, &alias.loc);
	mr_desired_end(&iter);
	if (code < 0 || (code = mr_desired_begin_transport(desired, &iter)))
		return code;
	if ((code = mr_desired_next_transport(&iter, &transport)) > 0)
		wire(backend, MR_WIRED_TRANSPORT, &transport.loc);
	mr_desired_end(&iter);
	return code < 0 ? code : 0;
}

int mr_postfix_survey(struct mr_backend *backend, struct mr_desired *desired)
{
	size_t errors = backend->diags->n_errors;
	int code = each_domain(backend, desired, add_fact);

	if (code)
		return code;
	if (backend->domains.n)
		qsort(backend->domains.items, backend->domains.n, sizeof *backend->domains.items,
		        fact_cmp);
	settle_alias_domains(backend);
	if ((code = each_domain(backend, desired, wire_settled)) ||
	        (code = wire_others(backend, desired)))
		return code;
	backend->delivery = mr_str_copy(&backend->arena, mr_desired_accounts(desired)->delivery);
	return backend->diags->n_errors > errors ? MR_E_INVALID : 0;
}
