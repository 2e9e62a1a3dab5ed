/*
 * Rows of transport_maps: declared transports, relay domains, and what holds mail off or keeps it
 * at home.
 */
#include "postfix/rows.h"

#include "model/kinds.h"

static const char held_off[] = "retry:4.2.1 mail for this domain is held off";
static const char refused[] = "error:5.1.1 user unknown";

/* smtpd cannot refuse an address that the catch-all matches; this at least keeps the mail from
 * others. */
static void transport_row_of_user(struct mr_row_sink *sink, const struct mr_user *user)
{
	const struct mr_domain_fact *domain = mr_postfix_find_domain(sink->backend, user->domain);

	if (mr_row_accepts_mail(user) || !domain || !domain->has_catch_all ||
	        domain->state != MR_DOMAIN_ACTIVE)
		return;
	mr_row_of_object(sink, "user", user->address, &user->loc);
	mr_row_put(sink, user->address, MR_STR(refused));
}

/* Declared transports; a set of their keys decides which domains need a row to stay out of a
 * wildcard. */
struct declared_transports {
	struct mr_arena arena;
	MR_VEC(mr_str) keys; /* by key */
	bool has_star;
};

static bool has_transport(const struct declared_transports *declared, mr_str key)
{
	size_t low = 0, high = declared->keys.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = mr_str_cmp(declared->keys.items[middle], key);

		if (!order)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* Whether "*" or ".parent" would take a mailbox domain's mail away from its mailboxes. */
static bool is_in_wildcard(const struct declared_transports *declared, mr_str domain)
{
	bool is_taken = declared->has_star;

	for (size_t dot = mr_str_find(domain, '.'); dot < domain.size && !is_taken;) {
		mr_str parent = mr_str_skip(domain, dot);

		is_taken = has_transport(declared, parent);
		dot += 1 + mr_str_find(mr_str_skip(parent, 1), '.');
	}
	return is_taken;
}

static int put_transports(struct mr_row_sink *sink, struct declared_transports *declared)
{
	struct mr_iter iter;
	struct mr_transport transport;
	int code = mr_desired_begin_transport(sink->desired, &iter);

	if (code)
		return code;
	while ((code = mr_desired_next_transport(&iter, &transport)) > 0) {
		const struct mr_domain_fact *fact =
		        mr_postfix_find_domain(sink->backend, transport.key);

		mr_vec_push(&declared->keys, mr_str_copy(&declared->arena, transport.key));
		declared->has_star = declared->has_star || mr_str_is(transport.key, "*");
		mr_row_of_object(sink, "transport", transport.key, &transport.loc);
		sink->is_sensitive = transport.is_sensitive;
		if (!fact || fact->state != MR_DOMAIN_SUSPENDED)
			mr_row_put(sink, transport.key, transport.value);
	}
	mr_desired_end(&iter);
	return code;
}

static void transport_row(struct mr_row_sink *sink, const struct declared_transports *declared,
        const struct mr_domain *domain)
{
	bool is_declared = has_transport(declared, domain->name);

	if (domain->state == MR_DOMAIN_SUSPENDED)
		mr_row_put(sink, domain->name, MR_STR(held_off));
	else if (domain->state == MR_DOMAIN_CLOSED || is_declared)
		return;
	else if (domain->kind == MR_DOMAIN_RELAY && domain->transport.size) {
		sink->is_sensitive = domain->sensitive & (UINT64_C(1) << MR_F_DOMAIN_TRANSPORT);
		mr_row_put(sink, domain->name, domain->transport);
	} else if (domain->kind == MR_DOMAIN_MAILBOX && is_in_wildcard(declared, domain->name))
		mr_row_put(sink, domain->name, sink->backend->delivery);
}

int mr_postfix_transport_rows(struct mr_row_sink *sink)
{
	struct declared_transports declared = {0};
	struct mr_iter iter;
	struct mr_domain domain;
	int code;

	mr_arena_init(&declared.arena);
	code = put_transports(sink, &declared);
	if (!code)
		code = mr_desired_begin_domain(sink->desired, &iter);
	if (!code) {
		while ((code = mr_desired_next_domain(&iter, &domain)) > 0) {
			const struct mr_domain_fact *fact =
			        mr_postfix_find_domain(sink->backend, domain.name);

			domain.state = fact ? fact->state : domain.state;
			mr_row_of_object(sink, "domain", domain.name, &domain.loc);
			transport_row(sink, &declared, &domain);
		}
		mr_desired_end(&iter);
	}
	mr_vec_done(&declared.keys);
	mr_arena_done(&declared.arena);
	return code ? code : mr_row_each_user(sink, transport_row_of_user);
}
