/*
 * Cross checks: the order of them, the scan they share, and hosts and policy.
 */
#include "source/checks.h"

#include <string.h>

#include "base/text.h"
#include "model/rules.h"
#include "source/load.h"

#define BLOCK_BYTES (64U << 10)

int mr_check_begin(struct mr_check *check, enum mr_kind_id kind, struct mr_objects *out)
{
	int error = mr_objects_begin(mr_layers_of(check->desired), kind, (mr_str){0}, false, out);

	out->diags = check->diags;
	return error;
}

static void add_text(struct mr_buf *out, mr_str text)
{
	uint32_t size = (uint32_t)text.size;
	char *end = mr_buf_reserve(out, sizeof size + text.size);

	memcpy(end, &size, sizeof size);
	if (size)
		memcpy(end + sizeof size, text.data, size);
	out->size += sizeof size + size;
}

/* What was collected goes into the digest as a block: a digest of digests, with the faster hash
 * below. */
static void digest_block(struct mr_check *check)
{
	static const uint8_t key[32] = "rows of a desired state";
	struct mr_digest block = mr_digest_keyed(mr_buf_str(&check->bytes), key);

	mr_hash_add(&check->hash, (mr_str){(const char *)block.bytes, sizeof block.bytes});
	mr_buf_clear(&check->bytes);
}

static int compare_leaves(const struct mr_leaf *a, const struct mr_leaf *b)
{
	return a->id != b->id ? (a->id > b->id) - (a->id < b->id) : mr_str_cmp(a->name, b->name);
}

/* The next leaf in the order of id and name: objects have few, and are mostly in order. */
static const struct mr_leaf *leaf_after(
        const struct mr_object *object, const struct mr_leaf *previous)
{
	const struct mr_leaf *found = NULL;

	mr_vec_each (leaf, &object->leaves)
		if ((!previous || compare_leaves(&leaf->leaf, previous) > 0) &&
		        (!found || compare_leaves(&leaf->leaf, found) < 0))
			found = &leaf->leaf;
	return found;
}

static void digest_object(struct mr_check *check, const struct mr_object *object)
{
	struct mr_buf *bytes = &check->bytes;
	struct mr_leaf_item item;

	add_text(bytes, mr_str_from(mr_kind_get(object->kind)->name));
	add_text(bytes, object->key);
	for (const struct mr_leaf *leaf = leaf_after(object, NULL); leaf;
	        leaf = leaf_after(object, leaf)) {
		char facts[3] = {(char)leaf->id, (char)leaf->flags, (char)leaf->n_items};
		mr_str rest = leaf->items;

		if (leaf->id == MR_LEAF_KEYED)
			continue;
		add_text(bytes, (mr_str){facts, sizeof facts});
		add_text(bytes, leaf->name);
		while (mr_leaf_next_item(&rest, &item) > 0) {
			char form = (char)item.form;

			add_text(bytes, (mr_str){&form, 1});
			add_text(bytes, item.text);
		}
	}
	if (bytes->size >= BLOCK_BYTES)
		digest_block(check);
}

int mr_check_next(struct mr_check *check, struct mr_objects *objects, const struct mr_object **out)
{
	int result = mr_objects_next(objects, out);

	if (result > 0)
		digest_object(check, *out);
	return result;
}

/* Every role that a host names must be there. */
static int check_roles(struct mr_check *check, const struct mr_object *host)
{
	const struct mr_merged_leaf *roles = mr_object_leaf(host, MR_F_HOST_ROLES);
	struct mr_leaf_item item;
	mr_str rest = roles ? roles->leaf.items : (mr_str){0};
	int result = 0;

	while (roles && result >= 0 && mr_leaf_next_item(&rest, &item) > 0) {
		struct mr_objects found;
		const struct mr_object *role;
		struct mr_loc loc = {
		        mr_path_of(&check->desired->paths, roles->file), item.line, item.column};

		result = mr_objects_begin(
		        mr_layers_of(check->desired), MR_KIND_role, item.text, true, &found);
		if (result >= 0)
			result = mr_objects_next(&found, &role);
		mr_objects_end(&found);
		if (!result && !check->is_partial)
			mr_diags_at(check->diags, MR_ERROR, "MR-REF-ROLE", &loc,
			        "host '%.*s' has role '%.*s', which is not declared",
			        MR_FMT(host->key), MR_FMT(item.text));
	}
	return result < 0 ? result : 0;
}

/* Merges everything as one host sees it, for what that reports. */
static int check_layers(
        struct mr_check *check, const struct mr_object *host, struct mr_arena *arena)
{
	struct mr_view view = {.host = host->key};
	struct mr_strs roles = mr_leaf_strs(
	        check->desired, arena, mr_object_leaf(host, MR_F_HOST_ROLES), (mr_str){0}, true);
	const struct mr_object *object;
	int result = 0;

	view.roles.items = roles.items;
	view.roles.n = roles.n;
	for (enum mr_kind_id kind = MR_KIND_NONE + 1; kind < MR_KIND_policy && result >= 0;
	        kind++) {
		struct mr_objects objects;

		result = mr_objects_begin(
		        (struct mr_layers){check->desired->rows, &view, &check->desired->paths},
		        kind, (mr_str){0}, false, &objects);
		objects.diags = check->diags;
		while (result >= 0 && (result = mr_objects_next(&objects, &object)) > 0)
			continue;
		mr_objects_end(&objects);
	}
	return result;
}

int mr_check_hosts(struct mr_check *check, mr_str host, bool is_host_bound)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	const struct mr_object *object;
	struct mr_objects objects;
	bool has_hosts = false, is_listed = false;
	struct mr_loc loc = {0};
	int result = mr_check_begin(check, MR_KIND_host, &objects);

	while (result >= 0 && (result = mr_objects_next(&objects, &object)) > 0) {
		if (!has_hosts)
			loc = mr_object_loc(object, &check->desired->paths);
		has_hosts = true;
		is_listed |= mr_str_eq(object->key, host);
		result = check_roles(check, object);
		if (result >= 0 && check->is_all_hosts)
			result = check_layers(check, object, &arena);
	}
	mr_objects_end(&objects);
	if (result >= 0 && has_hosts && !is_listed && is_host_bound && !check->is_partial)
		mr_diags_at(check->diags, MR_ERROR, "MR-HOST-UNLISTED", &loc,
		        "host '%.*s' is not listed under 'hosts'", MR_FMT(host));
	return result < 0 ? result : 0;
}

static void check_waiver(struct mr_check *check, const struct mr_object *object)
{
	mr_str rule = mr_object_text(object, MR_F_WAIVER_RULE);
	const struct mr_merged_leaf *until = mr_object_leaf(object, MR_F_WAIVER_UNTIL);
	struct mr_loc loc = mr_object_loc(object, &check->desired->paths);
	int64_t days;

	if (!mr_str_is(rule, "MR-RELAY-ANY"))
		mr_diags_at(check->diags, MR_ERROR, "MR-POLICY-RULE", &loc,
		        "rule '%.*s' cannot be waived: %s", MR_FMT(rule),
		        mr_rule_find(rule) ? "only MR-RELAY-ANY can" : "there is no such rule");
	if (until && mr_date_parse(mr_leaf_text(&until->leaf), &days) == 0 &&
	        days < check->desired->today_days) {
		loc = mr_leaf_loc(until, &check->desired->paths);
		mr_diags_at(check->diags, MR_WARNING, "MR-EXPIRED", &loc,
		        "the waiver of %.*s ended on %.*s", MR_FMT(object->key),
		        MR_FMT(mr_leaf_text(&until->leaf)));
	}
}

int mr_check_policy(struct mr_check *check)
{
	static const enum mr_kind_id kinds[] = {
	        MR_KIND_policy, MR_KIND_limit, MR_KIND_window, MR_KIND_waiver};
	const struct mr_object *object;
	int result = 0;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds && result >= 0; i++) {
		struct mr_objects objects;

		result = mr_check_begin(check, kinds[i], &objects);
		while (result >= 0 && (result = mr_check_next(check, &objects, &object)) > 0)
			if (kinds[i] == MR_KIND_waiver)
				check_waiver(check, object);
		mr_objects_end(&objects);
	}
	return result;
}

int mr_check_all(struct mr_check *check, mr_str host, bool is_host_bound)
{
	int error;

	mr_hash_init(&check->hash);
	error = mr_check_hosts(check, host, is_host_bound);
	if (!error)
		error = mr_check_domains(check);
	if (!error)
		error = mr_check_members(check);
	if (!error)
		error = mr_check_servers(check);
	if (!error)
		error = mr_check_policy(check);
	digest_block(check);
	mr_buf_done_secret(&check->bytes);
	check->desired->digest = mr_hash_final(&check->hash);
	return error;
}
