/*
 * Checks over all addresses: declared twice, targets that do not exist, cycles, postmasters, limits
 * of domains.
 *
 * The first pass keeps hashes only. Names and places are looked up in a second pass, when something
 * is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "source/cycles.h"
#include "source/hashes.h"
#include "source/load.h"
#include "source/references.h"

struct target {
	uint64_t hash;
	uint32_t domain; /* index of its facts */
};

/* A declaration or node that is to be reported. */
struct place {
	uint64_t hash;
	mr_str address;
	bool is_declaration;
	struct mr_loc loc;
};

struct members {
	struct mr_check *check;
	struct mr_hashes declared, twice, missing, caught, in_cycles;
	MR_VEC(struct target) targets;
	struct mr_graph graph;
	struct mr_domain_totals *totals; /* by index of the domain */
	struct mr_arena arena;
	MR_VEC(struct place) places; /* second pass */
	char resolved[400];
};

static uint32_t index_of(const struct members *members, const struct mr_domain_facts *facts)
{
	return (uint32_t)(facts - members->check->desired->domains);
}

/* The address that mail to this one really goes to: alias domain replaced, extension cut off. NULL
 * facts: elsewhere. */
static mr_str resolve(
        struct members *members, mr_str address, const struct mr_domain_facts **out_facts)
{
	const struct mr_desired *desired = members->check->desired;
	const struct mr_domain_facts *facts =
	        mr_domain_facts_find(desired, mr_address_domain(address));
	mr_str local = mr_str_take(address, mr_str_rfind(address, '@'));
	int size;

	if (facts && facts->kind == MR_DOMAIN_ALIAS)
		facts = mr_domain_facts_find(desired, facts->alias_of);
	*out_facts = facts;
	if (!facts)
		return address;
	local = mr_str_take(local, mr_str_find(local, '+'));
	size = snprintf(members->resolved, sizeof members->resolved, "%.*s@%.*s", MR_FMT(local),
	        MR_FMT(facts->name));
	return (mr_str){
	        members->resolved, (size_t)size < sizeof members->resolved ? (size_t)size : 0};
}

/* Whether the owner's address may live in its domain. */
static void check_home_domain(struct members *members, const struct mr_reference *reference)
{
	struct mr_check *check = members->check;
	mr_str domain = mr_address_domain(reference->address);
	const struct mr_domain_facts *facts = mr_domain_facts_find(check->desired, domain);

	if (!facts) {
		if (!check->is_partial)
			mr_diags_at(check->diags, MR_ERROR, "MR-REF-DOMAIN", &reference->loc,
			        "cannot add address '%.*s': domain '%.*s' is not declared",
			        MR_FMT(reference->address), MR_FMT(domain));
	} else if (facts->kind == MR_DOMAIN_ALIAS ||
	           (facts->kind == MR_DOMAIN_RELAY && reference->kind == MR_KIND_user)) {
		mr_diags_at(check->diags, MR_ERROR,
		        reference->leaf ? "MR-REF-DOMAIN" : "MR-KEY-KIND", &reference->loc,
		        "cannot add %s '%.*s': domain '%.*s' is of kind %s",
		        reference->leaf ? "address" : mr_kind_get(reference->kind)->name,
		        MR_FMT(reference->address), MR_FMT(domain),
		        mr_domain_kind_name(facts->kind));
	}
}

static void first_pass(void *arg, const struct mr_reference *reference)
{
	struct members *members = arg;
	const struct mr_domain_facts *facts;
	uint64_t hash, written;

	if (reference->use == MR_USE_DECLARED) {
		check_home_domain(members, reference);
		hash = mr_hash_text(reference->address);
		if (!mr_hashes_add(&members->declared, hash))
			(void)mr_hashes_add(&members->twice, hash);
		else if (reference->kind == MR_KIND_user && reference->leaf)
			mr_graph_add(&members->graph, hash, mr_hash_text(reference->owner));
		return;
	}
	hash = mr_hash_text(resolve(members, reference->address, &facts));
	if (!facts || (reference->kind == MR_KIND_user && hash == mr_hash_text(reference->owner)))
		return;
	mr_vec_push(&members->targets, (struct target){hash, index_of(members, facts)});
	written = mr_hash_text(reference->address);
	mr_graph_add(&members->graph, mr_hash_text(reference->owner), written);
	/* over an alias domain: a step of its own, so that a cycle is shown whole */
	if (written != hash)
		mr_graph_add(&members->graph, written, hash);
}

static void count_user(void *arg, const struct mr_object *object, const struct mr_user *user)
{
	struct members *members = arg;
	const struct mr_domain_facts *facts =
	        mr_domain_facts_find(members->check->desired, user->domain);
	struct mr_domain_totals *totals;

	mr_check_user(members->check, object, user);
	if (!facts)
		return;
	totals = &members->totals[index_of(members, facts)];
	totals->users++;
	totals->is_unlimited |= !user->has_quota || user->is_quota_unlimited;
	if (__builtin_add_overflow(totals->quota_bytes, user->quota_bytes, &totals->quota_bytes))
		totals->is_unlimited = true;
}

static void check_alias(void *arg, const struct mr_object *object)
{
	struct members *members = arg;
	struct mr_check *check = members->check;
	const struct mr_merged_leaf *expires = mr_object_leaf(object, MR_F_ALIAS_EXPIRES);
	const struct mr_merged_leaf *to = mr_object_leaf(object, MR_F_ALIAS_TO);
	struct mr_loc loc = mr_object_loc(object, &check->desired->paths);
	int64_t days;

	if ((!to || !to->leaf.n_items) && !mr_object_leaf(object, MR_LEAF_BAD))
		mr_diags_at(check->diags, MR_ERROR, "MR-KEY-MISSING", &loc,
		        "alias '%.*s' goes nowhere: 'to' names no address", MR_FMT(object->key));
	if (!expires || mr_date_parse(mr_leaf_text(&expires->leaf), &days) < 0 ||
	        days >= check->desired->today_days)
		return;
	loc = mr_leaf_loc(expires, &check->desired->paths);
	mr_diags_at(check->diags, MR_WARNING, "MR-EXPIRED", &loc,
	        "alias '%.*s' expired on %.*s and is gone", MR_FMT(object->key),
	        MR_FMT(mr_leaf_text(&expires->leaf)));
}

static void judge_targets(struct members *members)
{
	mr_vec_each (target, &members->targets) {
		const struct mr_domain_facts *facts =
		        &members->check->desired->domains[target->domain];
		char name[300];
		int size;

		if (mr_hashes_has(&members->declared, target->hash))
			continue;
		if (facts->kind == MR_DOMAIN_RELAY && facts->recipients != MR_RECIPIENTS_LISTED)
			continue;
		if (!facts->has_catch_all) {
			(void)mr_hashes_add(&members->missing, target->hash);
			continue;
		}
		size = snprintf(name, sizeof name, "@%.*s", MR_FMT(facts->name));
		if (mr_hashes_add(&members->caught, target->hash))
			mr_graph_add(&members->graph, target->hash,
			        mr_hash_text((mr_str){name, (size_t)size}));
	}
	mr_graph_search(&members->graph);
	mr_vec_each (node, &members->graph.cycles)
		if (*node)
			(void)mr_hashes_add(&members->in_cycles, *node);
}

static void note_place(struct members *members, const struct mr_reference *reference,
        mr_str address, uint64_t hash)
{
	struct place place = {hash, mr_str_copy(&members->arena, address),
	        reference->use == MR_USE_DECLARED, reference->loc};

	mr_vec_push(&members->places, place);
}

static void second_pass(void *arg, const struct mr_reference *reference)
{
	struct members *members = arg;
	struct mr_check *check = members->check;
	const struct mr_domain_facts *facts;
	uint64_t hash = mr_hash_text(reference->address);

	if (reference->use == MR_USE_DECLARED) {
		if (mr_hashes_has(&members->twice, hash) ||
		        mr_hashes_has(&members->in_cycles, hash))
			note_place(members, reference, reference->address, hash);
		return;
	}
	if (mr_hashes_has(&members->in_cycles, mr_hash_text(reference->owner)))
		note_place(members, reference, reference->owner, mr_hash_text(reference->owner));
	if (mr_hashes_has(&members->in_cycles, hash))
		note_place(members, reference, reference->address, hash);
	hash = mr_hash_text(resolve(members, reference->address, &facts));
	if (mr_hashes_has(&members->in_cycles, hash) && facts)
		note_place(members, reference,
		        (mr_str){members->resolved, strlen(members->resolved)}, hash);
	if (!facts || check->is_partial)
		return;
	if (mr_hashes_has(&members->missing, hash))
		mr_diags_at(check->diags, MR_ERROR, "MR-REF-TARGET", &reference->loc,
		        "target '%.*s' does not exist: domain '%.*s' has no such user, alias or "
		        "address",
		        MR_FMT(reference->address), MR_FMT(facts->name));
	else if (mr_hashes_has(&members->caught, hash))
		mr_diags_at(check->diags, MR_WARNING, "MR-TARGET-CATCH-ALL", &reference->loc,
		        "target '%.*s' does not exist: only the catch-all of '%.*s' takes it",
		        MR_FMT(reference->address), MR_FMT(facts->name));
}

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	order = mr_str_cmp(x->loc.path, y->loc.path);
	if (order)
		return order;
	if (x->loc.line != y->loc.line)
		return x->loc.line < y->loc.line ? -1 : 1;
	return (x->loc.column > y->loc.column) - (x->loc.column < y->loc.column);
}

static void report_twice(struct members *members)
{
	const struct place *first = NULL;

	mr_vec_each (place, &members->places) {
		if (!place->is_declaration || !mr_hashes_has(&members->twice, place->hash))
			continue;
		if (!first || first->hash != place->hash) {
			first = place;
			continue;
		}
		mr_diags_at(members->check->diags, MR_ERROR, "MR-ADDRESS-TWICE", &place->loc,
		        "address '%.*s' is declared twice: the other place is %.*s:%u:%u",
		        MR_FMT(place->address), MR_FMT(first->loc.path), first->loc.line,
		        first->loc.column);
	}
}

static const struct place *find_place(const struct members *members, uint64_t hash)
{
	mr_vec_each (place, &members->places)
		if (place->hash == hash)
			return place;
	return NULL;
}

/* One cycle, begun at its bytewise first address so that it reads the same every time. */
static void report_cycle(struct members *members, const uint64_t *nodes, size_t n)
{
	const struct place *first = NULL;
	struct mr_buf way = MR_BUF_INIT;
	size_t start = 0;

	for (size_t i = 0; i < n; i++) {
		const struct place *place = find_place(members, nodes[i]);

		if (place && (!first || mr_str_cmp(place->address, first->address) < 0)) {
			first = place;
			start = i;
		}
	}
	for (size_t i = 0; n && i <= n; i++) {
		const struct place *place = find_place(members, nodes[(start + i) % n]);
		mr_str name = place ? place->address : MR_STR("?");

		mr_buf_printf(&way, "%s%.*s", i ? " -> " : "", MR_FMT(name));
	}
	mr_diags_at(members->check->diags, MR_ERROR, "MR-CYCLE", first ? &first->loc : NULL,
	        "mail goes in a circle: %s", way.data);
	mr_buf_done(&way);
}

static void report_cycles(struct members *members)
{
	const uint64_t *nodes = members->graph.cycles.items;
	size_t n = members->graph.cycles.n, start = 0;

	for (size_t i = 0; i < n; i++) {
		if (nodes[i])
			continue;
		report_cycle(members, nodes + start, i - start);
		start = i + 1;
	}
}

static int report(struct members *members)
{
	struct mr_references references = {
	        .check = members->check, .on_reference = second_pass, .arg = members};
	int result;

	if (!members->twice.n && !members->missing.n && !members->caught.n && !members->in_cycles.n)
		return 0;
	result = mr_references_each(&references);
	if (members->places.n)
		qsort(members->places.items, members->places.n, sizeof *members->places.items,
		        compare_places);
	report_twice(members);
	report_cycles(members);
	return result;
}

static int check_each_domain(struct members *members)
{
	struct mr_desired *desired = members->check->desired;
	const struct mr_object *object;
	struct mr_objects objects;
	size_t i = 0;
	int result = mr_objects_begin(
	        mr_layers_of(desired), MR_KIND_domain, (mr_str){0}, false, &objects);

	while (result >= 0 && (result = mr_objects_next(&objects, &object)) > 0 &&
	        i < desired->n_domains) {
		size_t size = (size_t)snprintf(members->resolved, sizeof members->resolved,
		        "postmaster@%.*s", MR_FMT(object->key));
		bool has_postmaster = mr_hashes_has(
		        &members->declared, mr_hash_text((mr_str){members->resolved, size}));

		mr_check_limits(members->check, object, &members->totals[i]);
		mr_check_postmaster(members->check, object, has_postmaster);
		i++;
	}
	mr_objects_end(&objects);
	return result < 0 ? result : 0;
}

int mr_check_members(struct mr_check *check)
{
	struct members members = {.check = check};
	struct mr_references references = {.check = check,
	        .is_first = true,
	        .on_reference = first_pass,
	        .on_user = count_user,
	        .on_alias = check_alias,
	        .arg = &members};
	int result;

	members.totals =
	        mr_alloc_n(&members.arena, check->desired->n_domains + 1, sizeof *members.totals);
	result = mr_references_each(&references);
	if (result >= 0) {
		judge_targets(&members);
		result = report(&members);
	}
	if (result >= 0)
		result = check_each_domain(&members);
	mr_hashes_done(&members.declared);
	mr_hashes_done(&members.twice);
	mr_hashes_done(&members.missing);
	mr_hashes_done(&members.caught);
	mr_hashes_done(&members.in_cycles);
	mr_graph_done(&members.graph);
	mr_vec_done(&members.targets);
	mr_vec_done(&members.places);
	mr_arena_done(&members.arena);
	return result;
}
