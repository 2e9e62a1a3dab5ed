/*
 * Rows of the tables that mailreeve wires: domains, users, aliases and transports as Postfix looks
 * them up.
 */
#include "postfix/rows.h"

#include "model/kinds.h"

#include <stdlib.h>
#include <string.h>

void mr_row_put(struct mr_row_sink *sink, mr_str key, mr_str value)
{
	struct mr_item item = {.key = key, .object = mr_buf_str(&sink->object), .loc = sink->loc};

	mr_attrs_builder_clear(&sink->body);
	mr_attrs_add(
	        &sink->body, MR_STR("value"), sink->is_sensitive ? MR_ATTR_SENSITIVE : 0, value);
	item.body = mr_attrs_finish(&sink->body);
	mr_sorter_add(sink->sorter, &item);
}

void mr_row_of_object(
        struct mr_row_sink *sink, const char *kind, mr_str name, const struct mr_loc *loc)
{
	mr_buf_clear(&sink->object);
	mr_buf_printf(&sink->object, "%s/%.*s", kind, MR_FMT(name));
	sink->loc = *loc;
	sink->is_sensitive = false;
}

static mr_str local_of(mr_str address)
{
	return mr_str_take(address, mr_str_rfind(address, '@'));
}

static mr_str domain_of(mr_str address)
{
	return mr_str_skip(address, mr_str_rfind(address, '@') + 1);
}

bool mr_row_accepts_mail(const struct mr_user *user)
{
	return user->state == MR_USER_ACTIVE || user->state == MR_USER_NO_LOGIN ||
	       user->state == MR_USER_RECEIVE_ONLY;
}

static bool may_send(const struct mr_user *user)
{
	return user->state == MR_USER_ACTIVE || user->state == MR_USER_NO_LOGIN ||
	       user->state == MR_USER_SEND_ONLY;
}

/* "a, b, c", with own behind when it is not among them. */
static mr_str join(struct mr_row_sink *sink, const struct mr_strs *targets, mr_str own)
{
	bool has_own = !own.size;

	mr_buf_clear(&sink->list);
	for (size_t i = 0; i < targets->n; i++) {
		if (i)
			mr_buf_add_text(&sink->list, ", ");
		mr_buf_add_str(&sink->list, targets->items[i]);
		has_own = has_own || mr_str_eq(targets->items[i], own);
	}
	if (!has_own) {
		mr_buf_add_text(&sink->list, sink->list.size ? ", " : "");
		mr_buf_add_str(&sink->list, own);
	}
	return mr_buf_str(&sink->list);
}

/* The first of the alias domains of a domain. */
static const struct mr_domain_link *first_link(const struct mr_backend *backend, mr_str target)
{
	size_t low = 0, high = backend->links.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (mr_str_cmp(backend->links.items[middle].target, target) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return backend->links.items + low;
}

#define each_link(link, backend, target_name)                                                      \
	for (const struct mr_domain_link *(link) = first_link(backend, target_name);               \
	        (link) < (backend)->links.items + (backend)->links.n &&                            \
	        mr_str_eq((link)->target, target_name);                                            \
	        (link)++)

/* One row for the same local part in each alias domain, so that what is unknown there is refused
 * there. */
static void put_in_alias_domains(struct mr_row_sink *sink, mr_str address)
{
	each_link(link, sink->backend, domain_of(address))
	{
		mr_buf_clear(&sink->key);
		mr_buf_printf(
		        &sink->key, "%.*s@%.*s", MR_FMT(local_of(address)), MR_FMT(link->alias));
		mr_row_put(sink, mr_buf_str(&sink->key), address);
	}
}

/* A suspended domain has no alias rows: smtpd accepts what virtual_alias_maps knows before it looks
 * at the transport that would hold the mail off. */
static bool is_open(struct mr_row_sink *sink, mr_str address)
{
	const struct mr_domain_fact *fact =
	        mr_postfix_find_domain(sink->backend, domain_of(address));

	return fact && fact->state == MR_DOMAIN_ACTIVE;
}

static void put_alias(struct mr_row_sink *sink, mr_str address, mr_str value)
{
	if (!is_open(sink, address))
		return;
	mr_row_put(sink, address, value);
	put_in_alias_domains(sink, address);
}

static void alias_rows_of_user(struct mr_row_sink *sink, const struct mr_user *user)
{
	const struct mr_domain_fact *domain = mr_postfix_find_domain(sink->backend, user->domain);
	bool is_target = mr_row_accepts_mail(user);

	mr_row_of_object(sink, "user", user->address, &user->loc);
	if (domain && domain->state == MR_DOMAIN_ACTIVE && (is_target || domain->has_catch_all)) {
		/* In a domain with a catch-all every user needs a row of its own, or the catch-all
		 * would take it. */
		sink->is_sensitive = user->sensitive & (UINT64_C(1) << MR_F_USER_FORWARD_TO);
		if (is_target && user->forward_to.n)
			mr_row_put(sink, user->address,
			        join(sink, &user->forward_to,
			                user->forward_keep ? user->address : (mr_str){0}));
		else if (domain->has_catch_all)
			mr_row_put(sink, user->address, user->address);
		sink->is_sensitive = false;
		put_in_alias_domains(sink, user->address);
	}
	for (size_t i = 0; i < user->aliases.n && is_target; i++)
		put_alias(sink, user->aliases.items[i], user->address);
}

static void alias_rows_of_domain(struct mr_row_sink *sink, const struct mr_domain *domain)
{
	mr_row_of_object(sink, "domain", domain->name, &domain->loc);
	if (domain->state != MR_DOMAIN_ACTIVE)
		return;
	for (size_t i = 0; i < domain->addresses.n; i++)
		put_in_alias_domains(sink, domain->addresses.items[i]);
	if (!domain->catch_all.n)
		return;
	sink->is_sensitive = domain->sensitive & (UINT64_C(1) << MR_F_DOMAIN_CATCH_ALL);
	mr_buf_clear(&sink->key);
	mr_buf_printf(&sink->key, "@%.*s", MR_FMT(domain->name));
	mr_row_put(sink, mr_buf_str(&sink->key), join(sink, &domain->catch_all, (mr_str){0}));
	each_link(link, sink->backend, domain->name)
	{
		mr_buf_clear(&sink->key);
		mr_buf_printf(&sink->key, "@%.*s", MR_FMT(link->alias));
		mr_row_put(sink, mr_buf_str(&sink->key), mr_buf_str(&sink->list));
	}
}

static void alias_row(struct mr_row_sink *sink, const struct mr_alias *alias)
{
	mr_row_of_object(sink, "alias", alias->address, &alias->loc);
	sink->is_sensitive = alias->is_sensitive;
	if (!alias->is_expired && alias->to.n)
		put_alias(sink, alias->address, join(sink, &alias->to, (mr_str){0}));
}

static void mailbox_row(struct mr_row_sink *sink, const struct mr_user *user)
{
	const struct mr_domain_fact *domain = mr_postfix_find_domain(sink->backend, user->domain);

	if (!mr_row_accepts_mail(user) || !domain || domain->state == MR_DOMAIN_CLOSED)
		return;
	mr_row_of_object(sink, "user", user->address, &user->loc);
	mr_buf_clear(&sink->list);
	mr_buf_printf(&sink->list, "%.*s/%.*s/", MR_FMT(user->domain), MR_FMT(user->local));
	mr_row_put(sink, user->address, mr_buf_str(&sink->list));
}

static void login_row(struct mr_row_sink *sink, mr_str address, mr_str login)
{
	mr_buf_clear(&sink->key);
	mr_buf_add_str(&sink->key, address);
	mr_buf_add_char(&sink->key, 0);
	mr_buf_add_str(&sink->key, login);
	mr_row_put(sink, mr_buf_str(&sink->key), login);
}

/* Several users may send as one address, so rows are sorted by address and log-in and joined
 * afterwards. */
static void login_rows(struct mr_row_sink *sink, const struct mr_user *user)
{
	if (!may_send(user))
		return;
	mr_row_of_object(sink, "user", user->address, &user->loc);
	login_row(sink, user->address, user->address);
	for (size_t i = 0; i < user->aliases.n; i++)
		login_row(sink, user->aliases.items[i], user->address);
	for (size_t i = 0; i < user->send_as.n; i++) {
		bool is_own = mr_str_eq(user->send_as.items[i], user->address);

		for (size_t k = 0; k < user->aliases.n && !is_own; k++)
			is_own = mr_str_eq(user->send_as.items[i], user->aliases.items[k]);
		if (!is_own)
			login_row(sink, user->send_as.items[i], user->address);
	}
}

int mr_row_each_user(
        struct mr_row_sink *sink, void (*fn)(struct mr_row_sink *sink, const struct mr_user *user))
{
	struct mr_iter iter;
	struct mr_user user;
	int code = mr_desired_begin_user(sink->desired, &iter);

	if (code)
		return code;
	while ((code = mr_desired_next_user(&iter, &user)) > 0)
		fn(sink, &user);
	mr_desired_end(&iter);
	return code;
}

static int each_domain(struct mr_row_sink *sink,
        void (*fn)(struct mr_row_sink *sink, const struct mr_domain *domain))
{
	struct mr_iter iter;
	struct mr_domain domain;
	int code = mr_desired_begin_domain(sink->desired, &iter);

	if (code)
		return code;
	while ((code = mr_desired_next_domain(&iter, &domain)) > 0) {
		const struct mr_domain_fact *fact =
		        mr_postfix_find_domain(sink->backend, domain.name);

		domain.state = fact ? fact->state : domain.state;
		mr_row_of_object(sink, "domain", domain.name, &domain.loc);
		fn(sink, &domain);
	}
	mr_desired_end(&iter);
	return code;
}

static int each_alias(struct mr_row_sink *sink)
{
	struct mr_iter iter;
	struct mr_alias alias;
	int code = mr_desired_begin_alias(sink->desired, &iter);

	if (code)
		return code;
	while ((code = mr_desired_next_alias(&iter, &alias)) > 0)
		alias_row(sink, &alias);
	mr_desired_end(&iter);
	return code;
}

static void mailbox_domain(struct mr_row_sink *sink, const struct mr_domain *domain)
{
	if (domain->kind == MR_DOMAIN_MAILBOX && domain->state != MR_DOMAIN_CLOSED)
		mr_row_put(sink, domain->name, MR_STR("1"));
}

static void alias_domain(struct mr_row_sink *sink, const struct mr_domain *domain)
{
	if (domain->kind == MR_DOMAIN_ALIAS && domain->state != MR_DOMAIN_CLOSED)
		mr_row_put(sink, domain->name, MR_STR("1"));
}

static void relay_domain(struct mr_row_sink *sink, const struct mr_domain *domain)
{
	if (domain->kind == MR_DOMAIN_RELAY && domain->state != MR_DOMAIN_CLOSED)
		mr_row_put(sink, domain->name, MR_STR("1"));
}

static void relay_recipients(struct mr_row_sink *sink, const struct mr_domain *domain)
{
	if (domain->kind != MR_DOMAIN_RELAY || domain->state == MR_DOMAIN_CLOSED)
		return;
	for (size_t i = 0; i < domain->addresses.n && domain->recipients == MR_RECIPIENTS_LISTED;
	        i++)
		mr_row_put(sink, domain->addresses.items[i], MR_STR("1"));
	if (domain->recipients != MR_RECIPIENTS_ANY)
		return;
	mr_buf_clear(&sink->key);
	mr_buf_printf(&sink->key, "@%.*s", MR_FMT(domain->name));
	mr_row_put(sink, mr_buf_str(&sink->key), MR_STR("1"));
}

static int fill(struct mr_row_sink *sink, enum mr_wired wired)
{
	int code;

	switch (wired) {
	case MR_WIRED_MAILBOX_DOMAINS:
		return each_domain(sink, mailbox_domain);
	case MR_WIRED_MAILBOX_MAPS:
		return mr_row_each_user(sink, mailbox_row);
	case MR_WIRED_ALIAS_DOMAINS:
		return each_domain(sink, alias_domain);
	case MR_WIRED_ALIAS_MAPS:
		if ((code = mr_row_each_user(sink, alias_rows_of_user)) ||
		        (code = each_domain(sink, alias_rows_of_domain)))
			return code;
		return each_alias(sink);
	case MR_WIRED_RELAY_DOMAINS:
		return each_domain(sink, relay_domain);
	case MR_WIRED_RELAY_RECIPIENTS:
		return each_domain(sink, relay_recipients);
	case MR_WIRED_TRANSPORT:
		return mr_postfix_transport_rows(sink);
	case MR_WIRED_SENDER_LOGIN:
		return mr_row_each_user(sink, login_rows);
	default:
		return 0;
	}
}

int mr_postfix_sort(struct mr_backend *backend, struct mr_sorter *sorter, const char *what,
        struct mr_cursor *out)
{
	mr_str duplicate = {0};
	int code = mr_sorter_cursor(sorter, out, &duplicate);

	if (!code)
		return 0;
	if (code == MR_E_CONFLICT)
		code = mr_fail(backend->diags, MR_E_INVALID, "table '%s' gets two rows for '%.*s'",
		        what, MR_FMT(duplicate));
	mr_sorter_free(sorter);
	return code;
}

int mr_postfix_project_wired(struct mr_backend *backend, enum mr_wired wired,
        struct mr_desired *desired, struct mr_cursor *out)
{
	struct mr_row_sink sink = {
	        .backend = backend, .desired = desired, .sorter = mr_sorter_new()};
	struct mr_cursor rows;
	int code;

	mr_sorter_report_to(sink.sorter, backend->diags);
	mr_attrs_builder_init(&sink.body);
	code = fill(&sink, wired);
	mr_attrs_builder_done(&sink.body);
	mr_buf_done(&sink.key);
	mr_buf_done(&sink.list);
	mr_buf_done(&sink.object);
	if (code) {
		mr_sorter_free(sink.sorter);
		return code;
	}
	if ((code = mr_postfix_sort(backend, sink.sorter, mr_wirings[wired].name.data, &rows)))
		return code;
	if (wired == MR_WIRED_SENDER_LOGIN)
		mr_postfix_join_rows(&rows, out);
	else
		*out = rows;
	return 0;
}
