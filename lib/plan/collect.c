/*
 * The collections of a plan: those that the backends describe, and former ones of which we still
 * own items.
 */
#include "plan/parts.h"

#include <stdlib.h>

#include "model/dn.h"
#include "plan/words.h"

/* What a collection is by its name alone, when no backend describes it any more. */
struct former {
	const char *prefix, *provider, *target;
	unsigned flags;
	enum mr_rank rank;
};

/* clang-format off */
static const struct former formers[] = {
	{"postfix.table/", "postfix", "postfix.", MR_COLLECTION_EXCLUSIVE, MR_RANK_OTHER_MAP},
	{"postfix.main", "postfix", "postfix.main", 0, MR_RANK_MAIN},
	{"dovecot.passwd", "dovecot", "dovecot.passwd", MR_COLLECTION_EXCLUSIVE, MR_RANK_MAILBOX},
	{"dovecot.settings", "dovecot", "dovecot.settings", 0, MR_RANK_MAILBOX_SETTINGS},
	{"ldap/", "openldap", "ldap", MR_COLLECTION_PARTIAL | MR_COLLECTION_DELETE_LATE, MR_RANK_DIRECTORY},
};
/* clang-format on */

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

struct list {
	MR_VEC(struct mr_plan_collection) items;
};

static const struct former *find_former(mr_str name)
{
	for (size_t i = 0; i < N_OF(formers); i++) {
		mr_str prefix = mr_str_from(formers[i].prefix);
		bool is_family = mr_str_ends(prefix, MR_STR("/"));
		if (is_family ? mr_str_starts(name, prefix) : mr_str_eq(name, prefix))
			return &formers[i];
	}
	return NULL;
}

bool mr_plan_has_left_out(const struct mr_plan *plan, const struct mr_plan_server *server)
{
	return plan->is_left_out[server - plan->input.servers];
}

int mr_plan_go_on(struct mr_plan *plan, const struct mr_plan_server *server, int code)
{
	if (code != MR_E_UNREADABLE || !plan->input.goes_on)
		return code;
	plan->is_left_out[server - plan->input.servers] = true;
	return 0;
}

static const struct mr_plan_server *find_server(const struct mr_plan *plan, const char *provider)
{
	for (size_t i = 0; i < plan->input.n_servers; i++) {
		const struct mr_plan_server *server = &plan->input.servers[i];

		if (mr_str_is(mr_str_from(server->provider->name), provider))
			return mr_plan_has_left_out(plan, server) ? NULL : server;
	}
	return NULL;
}

static bool is_listed(const struct list *list, mr_str name)
{
	mr_vec_each (collection, &list->items)
		if (mr_str_eq(collection->in.name, name))
			return true;
	return false;
}

/* Deleting from a former tree what a wider one still declares would lose it. */
static bool is_inside_another(struct mr_plan *plan, const struct list *list, mr_str scope)
{
	mr_str key, other;

	if (mr_dn_key(&plan->arena, scope, &key) < 0)
		return false;
	mr_vec_each (collection, &list->items)
		if (!collection->is_former && collection->in.rank == MR_RANK_DIRECTORY &&
		        mr_dn_key(&plan->arena, collection->in.scope, &other) == 0 &&
		        mr_dn_key_is_within(key, other))
			return true;
	return false;
}

static enum mr_rank rank_of(const struct former *former, mr_str table)
{
	if (mr_str_is(table, "virtual_mailbox_maps"))
		return MR_RANK_MAILBOX_MAP;
	if (mr_str_is(table, "virtual_alias_maps"))
		return MR_RANK_ALIAS_MAP;
	return former->rank;
}

static void add_former(struct mr_plan *plan, struct list *list, mr_str name)
{
	const struct former *former = find_former(name);
	const struct mr_plan_server *server = former ? find_server(plan, former->provider) : NULL;
	struct mr_collection in = {.name = mr_str_copy(&plan->arena, name)};

	/* a server that is not managed on this host any more, or cannot be read, is left as it is
	 */
	if (!server || is_listed(list, name))
		return;
	mr_str rest = mr_str_skip(in.name, mr_str_from(former->prefix).size);
	in.target = mr_str_from(former->target);
	if (former->rank == MR_RANK_OTHER_MAP)
		in.target = mr_str_printf(&plan->arena, "%s%.*s", former->target, MR_FMT(rest));
	if (former->rank == MR_RANK_DIRECTORY)
		in.scope = rest;
	in.provider = former->provider;
	in.flags = former->flags;
	in.rank = rank_of(former, rest);
	/* asked before the push: that makes room in the list, with nothing in it yet */
	struct mr_plan_collection collection = {.in = in, .server = server, .is_former = true};
	collection.is_handed_over =
	        former->rank == MR_RANK_DIRECTORY && is_inside_another(plan, list, in.scope);
	mr_vec_push(&list->items, collection);
}

static int add_described(
        struct mr_plan *plan, struct list *list, const struct mr_plan_server *server)
{
	struct mr_collections described = {0};
	int result =
	        server->provider->collections(server->backend, plan->input.desired, &described);

	for (size_t i = 0; result == 0 && i < described.n; i++)
		mr_vec_push(&list->items,
		        (struct mr_plan_collection){.in = described.items[i], .server = server});
	return mr_plan_go_on(plan, server, result);
}

static int by_rank(const void *a, const void *b)
{
	const struct mr_plan_collection *left = a, *right = b;

	if (left->in.rank != right->in.rank)
		return left->in.rank < right->in.rank ? -1 : 1;
	return mr_str_cmp(left->in.name, right->in.name);
}

static void keep(struct mr_plan *plan, struct list *list)
{
	plan->n_collections = list->items.n;
	plan->collections = mr_alloc_n(&plan->arena, list->items.n + 1, sizeof *plan->collections);
	if (list->items.n > 0)
		qsort(list->items.items, list->items.n, sizeof *list->items.items, by_rank);
	for (size_t i = 0; i < list->items.n; i++) {
		plan->collections[i] = list->items.items[i];
		if (mr_str_is(plan->collections[i].in.name, "dovecot.passwd"))
			plan->has_passwd = true;
	}
}

int mr_plan_collect(struct mr_plan *plan)
{
	struct list list = {0};
	struct mr_strs owned = {0};
	int first = 0;

	/* all servers judge the desired state, so that one run tells everything */
	for (size_t i = 0; i < plan->input.n_servers; i++) {
		int result = add_described(plan, &list, &plan->input.servers[i]);
		if (first == 0)
			first = result;
	}
	if (first == 0 && plan->input.state)
		first = mr_state_owned_collections(plan->input.state, &plan->arena, &owned);
	for (size_t i = 0; first == 0 && i < owned.n; i++)
		add_former(plan, &list, owned.items[i]);
	if (first == 0)
		keep(plan, &list);
	mr_vec_done(&list.items);
	return first;
}
