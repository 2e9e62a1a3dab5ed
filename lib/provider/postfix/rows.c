/*
 * Rows of the tables that mailreeve wires: domains, users, aliases and transports as Postfix looks them up.
 */
#include "postfix/backend.h"

#include <stdlib.h>
#include <string.h>

/* Where rows go, and what all of one object share. */
struct sink {
	struct mr_backend *backend;
	struct mr_desired *desired;
	struct mr_sorter *sorter;
	struct mr_attrs_builder body;
	struct mr_buf key, list, object;
	const struct mr_loc *loc;
};

static const char held_off[] = "retry:4.2.1 mail for this domain is held off";
static const char refused[] = "error:5.1.1 user unknown";

static void put(struct sink *sink, mr_str key, mr_str value)
{
	struct mr_item item = {.key = key, .object = mr_buf_str(&sink->object), .loc = *sink->loc};

	mr_attrs_builder_clear(&sink->body);
	mr_attrs_add(&sink->body, MR_STR("value"), 0, value);
	item.body = mr_attrs_finish(&sink->body);
	mr_sorter_add(sink->sorter, &item);
}

static void of_object(struct sink *sink, const char *kind, mr_str name, const struct mr_loc *loc)
{
	mr_buf_clear(&sink->object);
	mr_buf_printf(&sink->object, "%s/%.*s", kind, MR_FMT(name));
	sink->loc = loc;
}

static mr_str local_of(mr_str address)
{
	return mr_str_take(address, mr_str_rfind(address, '@'));
}

static mr_str domain_of(mr_str address)
{
	return mr_str_skip(address, mr_str_rfind(address, '@') + 1);
}

static bool accepts_mail(const struct mr_user *user)
{
	return user->state == MR_USER_ACTIVE || user->state == MR_USER_NO_LOGIN ||
	        user->state == MR_USER_RECEIVE_ONLY;
}

static bool may_send(const struct mr_user *user)
{
	return user->state == MR_USER_ACTIVE || user->state == MR_USER_NO_LOGIN || user->state == MR_USER_SEND_ONLY;
}

/* "a, b, c", with own behind when it is not among them. */
static mr_str join(struct sink *sink, const struct mr_strs *targets, mr_str own)
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

#define each_link(link, backend, target_name)                                                       \
	for (const struct mr_domain_link *(link) = first_link(backend, target_name);                \
	        (link) < (backend)->links.items + (backend)->links.n &&                             \
	        mr_str_eq((link)->target, target_name);                                             \
	        (link)++)

/* One row for the same local part in each alias domain, so that what is unknown there is refused there. */
static void put_in_alias_domains(struct sink *sink, mr_str address)
{
	each_link(link, sink->backend, domain_of(address)) {
		mr_buf_clear(&sink->key);
		mr_buf_printf(&sink->key, "%.*s@%.*s", MR_FMT(local_of(address)), MR_FMT(link->alias));
		put(sink, mr_buf_str(&sink->key), address);
	}
}

/* A suspended domain has no alias rows: smtpd accepts what virtual_alias_maps knows before it looks at the
 * transport that would hold the mail off. */
static bool is_open(struct sink *sink, mr_str address)
{
	const struct mr_domain_fact *fact = mr_postfix_find_domain(sink->backend, domain_of(address));

	return fact && fact->state == MR_DOMAIN_ACTIVE;
}

static void put_alias(struct sink *sink, mr_str address, mr_str value)
{
	if (!is_open(sink, address))
		return;
	put(sink, address, value);
	put_in_alias_domains(sink, address);
}

static void alias_rows_of_user(struct sink *sink, const struct mr_user *user)
{
	const struct mr_domain_fact *domain = mr_postfix_find_domain(sink->backend, user->domain);
	bool is_target = accepts_mail(user);

	of_object(sink, "user", user->address, &user->loc);
	if (domain && domain->state == MR_DOMAIN_ACTIVE && (is_target || domain->has_catch_all)) {
		/* In a domain with a catch-all every user needs a row of its own, or the catch-all would take it. */
		if (is_target && user->forward_to.n)
			put(sink, user->address,
			        join(sink, &user->forward_to, user->forward_keep ? user->address : (mr_str){0}));
		else if (domain->has_catch_all)
			put(sink, user->address, user->address);
		put_in_alias_domains(sink, user->address);
	}
	for (size_t i = 0; i < user->aliases.n && is_target; i++)
		put_alias(sink, user->aliases.items[i], user->address);
}

static void alias_rows_of_domain(struct sink *sink, const struct mr_domain *domain)
{
	of_object(sink, "domain", domain->name, &domain->loc);
	if (domain->state != MR_DOMAIN_ACTIVE)
		return;
	for (size_t i = 0; i < domain->addresses.n; i++)
		put_in_alias_domains(sink, domain->addresses.items[i]);
	if (!domain->catch_all.n)
		return;
	mr_buf_clear(&sink->key);
	mr_buf_printf(&sink->key, "@%.*s", MR_FMT(domain->name));
	put(sink, mr_buf_str(&sink->key), join(sink, &domain->catch_all, (mr_str){0}));
	each_link(link, sink->backend, domain->name) {
		mr_buf_clear(&sink->key);
		mr_buf_printf(&sink->key, "@%.*s", MR_FMT(link->alias));
		put(sink, mr_buf_str(&sink->key), mr_buf_str(&sink->list));
	}
}

static void alias_row(struct sink *sink, const struct mr_alias *alias)
{
	of_object(sink, "alias", alias->address, &alias->loc);
	if (!alias->is_expired && alias->to.n)
		put_alias(sink, alias->address, join(sink, &alias->to, (mr_str){0}));
}

static void mailbox_row(struct sink *sink, const struct mr_user *user)
{
	const struct mr_domain_fact *domain = mr_postfix_find_domain(sink->backend, user->domain);

	if (!accepts_mail(user) || !domain || domain->state == MR_DOMAIN_CLOSED)
		return;
	of_object(sink, "user", user->address, &user->loc);
	mr_buf_clear(&sink->list);
	mr_buf_printf(&sink->list, "%.*s/%.*s/", MR_FMT(user->domain), MR_FMT(user->local));
	put(sink, user->address, mr_buf_str(&sink->list));
}

/* smtpd cannot refuse an address that the catch-all matches; this at least keeps the mail from others. */
static void transport_row_of_user(struct sink *sink, const struct mr_user *user)
{
	const struct mr_domain_fact *domain = mr_postfix_find_domain(sink->backend, user->domain);

	if (accepts_mail(user) || !domain || !domain->has_catch_all || domain->state != MR_DOMAIN_ACTIVE)
		return;
	of_object(sink, "user", user->address, &user->loc);
	put(sink, user->address, MR_STR(refused));
}

static void login_row(struct sink *sink, mr_str address, mr_str login)
{
	mr_buf_clear(&sink->key);
	mr_buf_add_str(&sink->key, address);
	mr_buf_add_char(&sink->key, 0);
	mr_buf_add_str(&sink->key, login);
	put(sink, mr_buf_str(&sink->key), login);
}

/* Several users may send as one address, so rows are sorted by address and log-in and joined afterwards. */
static void login_rows(struct sink *sink, const struct mr_user *user)
{
	if (!may_send(user))
		return;
	of_object(sink, "user", user->address, &user->loc);
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

static int each_user(struct sink *sink, void (*fn)(struct sink *sink, const struct mr_user *user))
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

static int each_domain(struct sink *sink, void (*fn)(struct sink *sink, const struct mr_domain *domain))
{
	struct mr_iter iter;
	struct mr_domain domain;
	int code = mr_desired_begin_domain(sink->desired, &iter);

	if (code)
		return code;
	while ((code = mr_desired_next_domain(&iter, &domain)) > 0) {
		const struct mr_domain_fact *fact = mr_postfix_find_domain(sink->backend, domain.name);

		domain.state = fact ? fact->state : domain.state;
		of_object(sink, "domain", domain.name, &domain.loc);
		fn(sink, &domain);
	}
	mr_desired_end(&iter);
	return code;
}

static int each_alias(struct sink *sink)
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

static void mailbox_domain(struct sink *sink, const struct mr_domain *domain)
{
	if (domain->kind == MR_DOMAIN_MAILBOX && domain->state != MR_DOMAIN_CLOSED)
		put(sink, domain->name, MR_STR("1"));
}

static void alias_domain(struct sink *sink, const struct mr_domain *domain)
{
	if (domain->kind == MR_DOMAIN_ALIAS && domain->state != MR_DOMAIN_CLOSED)
		put(sink, domain->name, MR_STR("1"));
}

static void relay_domain(struct sink *sink, const struct mr_domain *domain)
{
	if (domain->kind == MR_DOMAIN_RELAY && domain->state != MR_DOMAIN_CLOSED)
		put(sink, domain->name, MR_STR("1"));
}

static void relay_recipients(struct sink *sink, const struct mr_domain *domain)
{
	if (domain->kind != MR_DOMAIN_RELAY || domain->state == MR_DOMAIN_CLOSED)
		return;
	for (size_t i = 0; i < domain->addresses.n && domain->recipients == MR_RECIPIENTS_LISTED; i++)
		put(sink, domain->addresses.items[i], MR_STR("1"));
	if (domain->recipients != MR_RECIPIENTS_ANY)
		return;
	mr_buf_clear(&sink->key);
	mr_buf_printf(&sink->key, "@%.*s", MR_FMT(domain->name));
	put(sink, mr_buf_str(&sink->key), MR_STR("1"));
}

/* Declared transports; a set of their keys decides which domains need a row to stay out of a wildcard. */
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

static int put_transports(struct sink *sink, struct declared_transports *declared)
{
	struct mr_iter iter;
	struct mr_transport transport;
	int code = mr_desired_begin_transport(sink->desired, &iter);

	if (code)
		return code;
	while ((code = mr_desired_next_transport(&iter, &transport)) > 0) {
		const struct mr_domain_fact *fact = mr_postfix_find_domain(sink->backend, transport.key);

		mr_vec_push(&declared->keys, mr_str_copy(&declared->arena, transport.key));
		declared->has_star = declared->has_star || mr_str_is(transport.key, "*");
		of_object(sink, "transport", transport.key, &transport.loc);
		if (!fact || fact->state != MR_DOMAIN_SUSPENDED)
			put(sink, transport.key, transport.value);
	}
	mr_desired_end(&iter);
	return code;
}

static void transport_row(struct sink *sink, const struct declared_transports *declared,
        const struct mr_domain *domain)
{
	bool is_declared = has_transport(declared, domain->name);

	if (domain->state == MR_DOMAIN_SUSPENDED)
		put(sink, domain->name, MR_STR(held_off));
	else if (domain->state == MR_DOMAIN_CLOSED || is_declared)
		return;
	else if (domain->kind == MR_DOMAIN_RELAY && domain->transport.size)
		put(sink, domain->name, domain->transport);
	else if (domain->kind == MR_DOMAIN_MAILBOX && is_in_wildcard(declared, domain->name))
		put(sink, domain->name, sink->backend->delivery);
}

static int transport_rows(struct sink *sink)
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
			const struct mr_domain_fact *fact = mr_postfix_find_domain(sink->backend, domain.name);

			domain.state = fact ? fact->state : domain.state;
			of_object(sink, "domain", domain.name, &domain.loc);
			transport_row(sink, &declared, &domain);
		}
		mr_desired_end(&iter);
	}
	mr_vec_done(&declared.keys);
	mr_arena_done(&declared.arena);
	return code ? code : each_user(sink, transport_row_of_user);
}

static int fill(struct sink *sink, enum mr_wired wired)
{
	int code;

	switch (wired) {
	case MR_WIRED_MAILBOX_DOMAINS:
		return each_domain(sink, mailbox_domain);
	case MR_WIRED_MAILBOX_MAPS:
		return each_user(sink, mailbox_row);
	case MR_WIRED_ALIAS_DOMAINS:
		return each_domain(sink, alias_domain);
	case MR_WIRED_ALIAS_MAPS:
		if ((code = each_user(sink, alias_rows_of_user)) ||
		        (code = each_domain(sink, alias_rows_of_domain)))
			return code;
		return each_alias(sink);
	case MR_WIRED_RELAY_DOMAINS:
		return each_domain(sink, relay_domain);
	case MR_WIRED_RELAY_RECIPIENTS:
		return each_domain(sink, relay_recipients);
	case MR_WIRED_TRANSPORT:
		return transport_rows(sink);
	case MR_WIRED_SENDER_LOGIN:
		return each_user(sink, login_rows);
	default:
		return 0;
	}
}

/* Joins the sorted (address, log-in) rows of one address to one row. */
struct joined {
	struct mr_cursor rows;
	struct mr_item ahead; /* copied: views die with the next row */
	bool has_ahead, is_over;
	struct mr_buf key, list, object, ahead_key, ahead_login, ahead_object, path;
	struct mr_attrs_builder body;
	struct mr_diags *diags;
};

static int look_ahead(struct joined *joined)
{
	int code = mr_cursor_next(&joined->rows, &joined->ahead);

	joined->has_ahead = code > 0;
	if (code <= 0)
		return code;
	mr_buf_clear(&joined->ahead_key);
	mr_buf_clear(&joined->ahead_login);
	mr_buf_clear(&joined->ahead_object);
	mr_buf_add_str(&joined->ahead_key, mr_str_take(joined->ahead.key, mr_str_find(joined->ahead.key, 0)));
	mr_buf_add_str(&joined->ahead_login, mr_attrs_get(joined->ahead.body, MR_STR("value")));
	mr_buf_add_str(&joined->ahead_object, joined->ahead.object);
	return 1;
}

static int joined_next(struct mr_cursor *cursor, struct mr_item *out)
{
	struct joined *joined = cursor->state;
	int code = 1;

	if (!joined->has_ahead && (joined->is_over || (code = look_ahead(joined)) <= 0))
		return code < 0 ? code : 0;
	mr_buf_clear(&joined->key);
	mr_buf_clear(&joined->list);
	mr_buf_clear(&joined->object);
	mr_buf_clear(&joined->path);
	mr_buf_add_str(&joined->key, mr_buf_str(&joined->ahead_key));
	mr_buf_add_str(&joined->object, mr_buf_str(&joined->ahead_object));
	mr_buf_add_str(&joined->path, joined->ahead.loc.path);
	out->loc = joined->ahead.loc;
	while (joined->has_ahead && mr_str_eq(mr_buf_str(&joined->key), mr_buf_str(&joined->ahead_key))) {
		mr_buf_add_text(&joined->list, joined->list.size ? ", " : "");
		mr_buf_add_str(&joined->list, mr_buf_str(&joined->ahead_login));
		if ((code = look_ahead(joined)) < 0)
			return code;
	}
	joined->is_over = !joined->has_ahead;
	mr_attrs_builder_clear(&joined->body);
	mr_attrs_add(&joined->body, MR_STR("value"), 0, mr_buf_str(&joined->list));
	out->key = mr_buf_str(&joined->key);
	out->object = mr_buf_str(&joined->object);
	out->loc.path = mr_buf_str(&joined->path);
	out->body = mr_attrs_finish(&joined->body);
	return 1;
}

static void joined_close(struct mr_cursor *cursor)
{
	struct joined *joined = cursor->state;
	struct mr_buf *bufs[] = {&joined->key, &joined->list, &joined->object, &joined->ahead_key,
	        &joined->ahead_login, &joined->ahead_object, &joined->path};

	mr_cursor_close(&joined->rows);
	for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
		mr_buf_done(bufs[i]);
	mr_attrs_builder_done(&joined->body);
	free(joined);
}

static void join_rows(struct mr_cursor *rows, struct mr_cursor *out)
{
	struct joined *joined = mr_xrealloc(NULL, 1, sizeof *joined);

	*joined = (struct joined){.rows = *rows};
	mr_attrs_builder_init(&joined->body);
	*out = (struct mr_cursor){.next = joined_next, .close = joined_close, .state = joined};
}

int mr_postfix_sort(struct mr_backend *backend, struct mr_sorter *sorter, const char *what, struct mr_cursor *out)
{
	mr_str duplicate = {0};
	int code = mr_sorter_cursor(sorter, out, &duplicate);

	if (!code)
		return 0;
	if (code == MR_E_CONFLICT)
		code = mr_fail(backend->diags, MR_E_INVALID, "table '%s' gets two rows for '%.*s'", what,
		        MR_FMT(duplicate));
	mr_sorter_free(sorter);
	return code;
}

int mr_postfix_project_wired(struct mr_backend *backend, enum mr_wired wired, struct mr_desired *desired,
        struct mr_cursor *out)
{
	struct mr_loc nowhere = {0};
	struct sink sink = {.backend = backend, .desired = desired, .sorter = mr_sorter_new(), .loc = &nowhere};
	struct mr_cursor rows;
	int code;

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
		join_rows(&rows, out);
	else
		*out = rows;
	return 0;
}
