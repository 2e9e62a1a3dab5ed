/*
 * What people will notice: log-ins and addresses that come and go, mail that takes another way.
 *
 * An address is accepted when any of the maps of addresses has it, or its domain's catch-all. What
 * the plan does not touch in the other maps is asked for by key, so nothing unchanged is held.
 */
#include "plan/parts.h"

#include <stdlib.h>

#include "model/kinds.h"
#include "plan/words.h"

enum map { MAP_MAILBOX, MAP_ALIAS, MAP_RELAY, MAP_COUNT };
static const char *const map_names[MAP_COUNT] = {
        "virtual_mailbox_maps", "virtual_alias_maps", "relay_recipient_maps"};

struct address {
	mr_str key;
	mr_str object; /* of a change that touches it; empty: only asked for as a catch-all */
	bool has[2][MAP_COUNT]; /* before, after */
	bool is_known[MAP_COUNT];
	mr_str targets[2]; /* of the alias row */
};

struct book {
	struct mr_plan *plan;
	MR_VEC(struct address) list; /* by key */
	mr_str last_domain; /* the answer for one domain serves the addresses that follow */
	bool is_last_held_off;
};

void mr_impact_done(struct mr_impact *impact)
{
	for (int kind = 0; kind < MR_IMPACT_COUNT; kind++)
		mr_vec_done(&impact->lists[kind]);
	mr_vec_done(&impact->routes);
}

static int map_of(const struct mr_collection *in)
{
	mr_str table = mr_words_table(in);

	for (int map = 0; map < MAP_COUNT; map++)
		if (mr_str_is(table, map_names[map]))
			return map;
	return -1;
}

static int by_key(const void *a, const void *b)
{
	const struct address *left = a, *right = b;
	int order = mr_str_cmp(left->key, right->key);

	/* the one with an object first: it stays when the others of its key go */
	return order != 0 ? order : (left->object.size == 0) - (right->object.size == 0);
}

static struct address *find(struct book *book, mr_str key)
{
	size_t low = 0, high = book->list.n;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = mr_str_cmp(book->list.items[middle].key, key);
		if (order == 0)
			return &book->list.items[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static mr_str catch_all_of(mr_str key)
{
	return mr_str_skip(key, mr_str_rfind(key, '@'));
}

static void list_addresses(struct book *book)
{
	size_t kept = 0;

	mr_vec_each (change, &book->plan->diff.changes.list) {
		if (map_of(change->in) < 0)
			continue;
		mr_vec_push(&book->list,
		        (struct address){.key = change->key, .object = change->object});
		if (catch_all_of(change->key).size > 0)
			mr_vec_push(
			        &book->list, (struct address){.key = catch_all_of(change->key)});
	}
	if (book->list.n > 0)
		qsort(book->list.items, book->list.n, sizeof *book->list.items, by_key);
	for (size_t i = 0; i < book->list.n; i++)
		if (kept == 0 ||
		        !mr_str_eq(book->list.items[i].key, book->list.items[kept - 1].key))
			book->list.items[kept++] = book->list.items[i];
	book->list.n = kept;
}

static mr_str shown_value(mr_str body)
{
	struct mr_attr value;

	if (!mr_attrs_find(body, MR_STR("value"), &value))
		return (mr_str){0};
	return value.flags & (MR_ATTR_SENSITIVE | MR_ATTR_SEALED) ? MR_STR("(secret)")
	                                                          : mr_attr_first(&value);
}

static void note_changes(struct book *book)
{
	mr_vec_each (change, &book->plan->diff.changes.list) {
		int map = map_of(change->in);
		if (map < 0)
			continue;
		struct address *address = find(book, change->key);
		address->is_known[map] = true;
		address->has[0][map] = change->before.data;
		address->has[1][map] = change->after.data;
		if (map != MAP_ALIAS)
			continue;
		address->targets[0] = shown_value(change->before);
		address->targets[1] = shown_value(change->after);
	}
}

/* The server does not know that the targets of a catch-all are secrets. */
static bool is_secret_catch_all(struct mr_plan *plan, mr_str key)
{
	struct mr_domain domain;

	return mr_str_rfind(key, '@') == 0 && plan->input.desired &&
	       mr_desired_find_domain(plan->input.desired, mr_str_skip(key, 1), &domain) &&
	       (domain.sensitive & (UINT64_C(1) << MR_F_DOMAIN_CATCH_ALL));
}

static void note_live(struct book *book, int map, const struct mr_item *item)
{
	struct address *address = find(book, item->key);

	if (!address)
		return;
	address->has[0][map] = address->has[1][map] = true;
	if (map == MAP_ALIAS)
		address->targets[0] = address->targets[1] =
		        is_secret_catch_all(book->plan, item->key)
		                ? MR_STR("(secret)")
		                : mr_str_copy(&book->plan->arena,
		                          mr_attrs_get(item->body, MR_STR("value")));
}

/* Asks one map for the addresses that the plan leaves alone in it. */
static int ask(struct book *book, const struct mr_plan_collection *from, int map)
{
	struct mr_strs only = {mr_alloc_n(&book->plan->arena, book->list.n + 1, sizeof(mr_str)), 0};
	struct mr_cursor cursor = {0};
	struct mr_item item;
	int result;

	mr_vec_each (address, &book->list)
		if (!address->is_known[map])
			only.items[only.n++] = address->key;
	if (only.n == 0 || from->counts.live == 0)
		return 0;
	result = from->server->provider->observe(from->server->backend, &from->in, &only, &cursor);
	while (result >= 0 && (result = mr_cursor_next(&cursor, &item)) == 1)
		note_live(book, map, &item);
	mr_cursor_close(&cursor);
	return result;
}

static mr_str route_of(const struct address *address, const struct address *catch_all, int when)
{
	/* a row that leads to itself only keeps the catch-all away from a mailbox */
	bool is_own =
	        address->has[when][MAP_MAILBOX] && mr_str_eq(address->targets[when], address->key);

	if (address->has[when][MAP_ALIAS] && !is_own)
		return address->targets[when];
	if (address->has[when][MAP_MAILBOX])
		return MR_STR("mailbox");
	if (address->has[when][MAP_RELAY])
		return MR_STR("relay");
	if (catch_all && catch_all != address)
		return route_of(catch_all, NULL, when);
	return (mr_str){0};
}

/* A suspended domain answers with 4xx: it neither refuses nor accepts. */
static bool is_suspended(struct mr_plan *plan, mr_str name)
{
	struct mr_domain domain;

	if (!plan->input.desired || !mr_desired_find_domain(plan->input.desired, name, &domain))
		return false;
	if (domain.state != MR_DOMAIN_ACTIVE || domain.kind != MR_DOMAIN_ALIAS)
		return domain.state == MR_DOMAIN_SUSPENDED;
	/* an alias domain is what its domain is; the view of it goes with the next look-up */
	mr_str target = mr_str_copy(&plan->arena, domain.alias_of);
	return mr_desired_find_domain(plan->input.desired, target, &domain) &&
	       domain.state == MR_DOMAIN_SUSPENDED;
}

static bool is_held_off(struct book *book, mr_str address)
{
	mr_str domain = mr_words_domain(address);

	if (!mr_str_eq(domain, book->last_domain)) {
		book->last_domain = domain;
		book->is_last_held_off = is_suspended(book->plan, domain);
	}
	return book->is_last_held_off;
}

static void judge(struct book *book, const struct address *address)
{
	struct mr_impact *impact = &book->plan->doc.impact;
	const struct address *catch_all = find(book, catch_all_of(address->key));
	mr_str before = route_of(address, catch_all, 0), after = route_of(address, catch_all, 1);
	struct mr_doc_address entry = {address->key, address->object};

	if (address->object.size == 0)
		return;
	bool is_held = !mr_str_eq(before, after) && is_held_off(book, address->key);
	if (is_held)
		mr_vec_push(&impact->routes, (struct mr_doc_route){address->key, address->object,
		                                     before, MR_STR("held off")});
	else if (before.data && !after.data)
		mr_vec_push(&impact->lists[MR_IMPACT_MAIL_REFUSED], entry);
	else if (!before.data && after.data)
		mr_vec_push(&impact->lists[MR_IMPACT_MAIL_ACCEPTED], entry);
	else if (!mr_str_eq(before, after))
		mr_vec_push(&impact->routes,
		        (struct mr_doc_route){address->key, address->object, before, after});
}

static int judge_addresses(struct mr_plan *plan)
{
	struct book book = {.plan = plan};
	int result = 0;

	list_addresses(&book);
	note_changes(&book);
	for (size_t i = 0; result >= 0 && book.list.n > 0 && i < plan->n_collections; i++) {
		int map = map_of(&plan->collections[i].in);
		if (map >= 0)
			result = ask(&book, &plan->collections[i], map);
	}
	if (result >= 0)
		mr_vec_each (address, &book.list)
			judge(&book, address);
	mr_vec_done(&book.list);
	return result < 0 ? result : 0;
}

static bool logs_in(mr_str body)
{
	struct mr_attr services;
	mr_str state = mr_attrs_get(body, MR_STR("state"));

	if (!body.data || mr_str_is(state, "no_login") || mr_str_is(state, "closed"))
		return false;
	return !mr_attrs_find(body, MR_STR("services"), &services) || services.n_values > 0;
}

static void judge_login(struct mr_plan *plan, const struct mr_change *change)
{
	struct mr_doc_address entry = {change->key, change->object};
	bool before = logs_in(change->before), after = logs_in(change->after);

	if (before && !after)
		mr_vec_push(&plan->doc.impact.lists[MR_IMPACT_LOGIN_LOST], entry);
	if (!before && after)
		mr_vec_push(&plan->doc.impact.lists[MR_IMPACT_LOGIN_GAINED], entry);
}

static void judge_transport(struct mr_plan *plan, const struct mr_change *change)
{
	mr_str before = shown_value(change->before), after = shown_value(change->after);

	mr_vec_push(&plan->doc.impact.routes,
	        (struct mr_doc_route){change->key, change->object, before, after});
}

int mr_plan_impact(struct mr_plan *plan)
{
	mr_vec_each (change, &plan->diff.changes.list) {
		if (mr_str_is(change->in->name, "dovecot.passwd"))
			judge_login(plan, change);
		else if (mr_str_is(mr_words_table(change->in), "transport_maps"))
			judge_transport(plan, change);
	}
	return judge_addresses(plan);
}

static void expect(struct mr_plan *plan, mr_str address, bool is_accepted)
{
	if (is_suspended(plan, mr_words_domain(address)))
		return;
	/* what begins with '@' is a domain's catch-all and no address to ask for */
	if (mr_str_rfind(address, '@') == 0 || mr_str_find(address, '@') == address.size)
		return;
	mr_vec_each (old, &plan->expectations)
		if (mr_str_eq(old->address, address))
			return;
	mr_vec_push(&plan->expectations, (struct mr_expectation){address, is_accepted});
}

void mr_plan_expect(struct mr_plan *plan)
{
	enum { SHARE = 6, MOST = 16 };
	const struct mr_impact *impact = &plan->doc.impact;

	plan->expectations.n = 0;
	mr_vec_each (refused, &impact->lists[MR_IMPACT_MAIL_REFUSED])
		if (plan->expectations.n < SHARE)
			expect(plan, refused->address, false);
	mr_vec_each (accepted, &impact->lists[MR_IMPACT_MAIL_ACCEPTED])
		if (plan->expectations.n < 2 * SHARE)
			expect(plan, accepted->address, true);
	mr_vec_each (route, &impact->routes)
		if (plan->expectations.n < MOST && route->before.data && route->after.data)
			expect(plan, route->address, true);
}
