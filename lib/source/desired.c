/*
 * The desired state: what is kept in memory, and the iterators over the rest.
 */
#include "model/desired.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/attrs.h"
#include "model/values.h"
#include "source/compile.h"
#include "source/load.h"
#include "source/state.h"

struct iter_state {
	struct mr_objects objects;
	struct mr_attrs_builder builder; /* ldap entries */
	size_t ordinal;                  /* table rows */
};

const struct mr_accounts *mr_desired_accounts(const struct mr_desired *desired)
{
	return &desired->accounts;
}

struct mr_digest mr_desired_digest(const struct mr_desired *desired)
{
	return desired->digest;
}

const struct mr_policy *mr_desired_policy(const struct mr_desired *desired)
{
	return &desired->policy;
}

bool mr_secret_find(const struct mr_desired *desired, mr_str name, mr_str *out)
{
	size_t low = 0, high = desired->n_secrets;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = mr_str_cmp(desired->secrets[middle].name, name);

		if (!order) {
			*out = desired->secrets[middle].value;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static int begin(struct mr_desired *desired, enum mr_kind_id kind, mr_str prefix, bool is_exact,
        struct mr_iter *out)
{
	struct iter_state *state = mr_xrealloc(NULL, 1, sizeof *state);
	int error =
	        mr_objects_begin(mr_layers_of(desired), kind, prefix, is_exact, &state->objects);

	mr_attrs_builder_init(&state->builder);
	state->ordinal = 0;
	*out = (struct mr_iter){desired, state};
	if (error)
		mr_desired_end(out);
	return error;
}

void mr_desired_end(struct mr_iter *iter)
{
	struct iter_state *state = iter->state;

	if (!state)
		return;
	mr_objects_end(&state->objects);
	mr_attrs_builder_done(&state->builder);
	free(state);
	iter->state = NULL;
}

static int next(struct mr_iter *iter, const struct mr_object **out)
{
	struct iter_state *state = iter->state;
	int result = state ? mr_objects_next(&state->objects, out) : 0;

	if (result <= 0)
		mr_desired_end(iter);
	return result;
}

static struct mr_arena *arena_of(struct mr_iter *iter)
{
	return &((struct iter_state *)iter->state)->objects.arena;
}

/* A single value that may be a secret. */
static mr_str value_of(struct mr_iter *iter, const struct mr_object *object, bool *out_is_sensitive)
{
	const struct mr_merged_leaf *leaf = mr_object_leaf(object, MR_F_VALUE);

	*out_is_sensitive = leaf && mr_leaf_is_sensitive(&leaf->leaf);
	return leaf ? mr_leaf_value(iter->desired, arena_of(iter), &leaf->leaf) : (mr_str){0};
}

/* Where the value that is in force stands: with overlays that is not where the object was declared
 * first. */
static struct mr_loc value_loc(const struct mr_desired *desired, const struct mr_object *object)
{
	const struct mr_merged_leaf *leaf = mr_object_leaf(object, MR_F_VALUE);

	return leaf ? mr_leaf_loc(leaf, &desired->paths) : mr_object_loc(object, &desired->paths);
}

#define DEFINE_BEGIN(kind)                                                                         \
	int mr_desired_begin_##kind(struct mr_desired *desired, struct mr_iter *out)               \
	{                                                                                          \
		return begin(desired, MR_KIND_##kind, (mr_str){0}, false, out);                    \
	}
MR_DESIRED_KINDS(DEFINE_BEGIN)
#undef DEFINE_BEGIN

int mr_desired_next_domain(struct mr_iter *iter, struct mr_domain *out)
{
	const struct mr_object *object;
	int result = next(iter, &object);

	if (result > 0)
		mr_domain_from(iter->desired, object, arena_of(iter), out);
	return result;
}

int mr_desired_next_user(struct mr_iter *iter, struct mr_user *out)
{
	const struct mr_object *object;
	int result = next(iter, &object);

	if (result > 0)
		mr_user_from(iter->desired, object, arena_of(iter), out);
	return result;
}

int mr_desired_next_alias(struct mr_iter *iter, struct mr_alias *out)
{
	const struct mr_object *object;
	int result = next(iter, &object);

	if (result > 0)
		mr_alias_from(iter->desired, object, arena_of(iter), out);
	return result;
}

int mr_desired_next_transport(struct mr_iter *iter, struct mr_transport *out)
{
	const struct mr_object *object;
	int result = next(iter, &object);

	if (result <= 0)
		return result;
	*out = (struct mr_transport){.key = object->key, .loc = value_loc(iter->desired, object)};
	out->value = value_of(iter, object, &out->is_sensitive);
	return 1;
}

int mr_desired_next_parameter(struct mr_iter *iter, struct mr_parameter *out)
{
	const struct mr_object *object;
	int result = next(iter, &object);

	if (result <= 0)
		return result;
	*out = (struct mr_parameter){.name = object->key, .loc = value_loc(iter->desired, object)};
	out->value = value_of(iter, object, &out->is_sensitive);
	return 1;
}

int mr_desired_next_setting(struct mr_iter *iter, struct mr_setting *out)
{
	const struct mr_object *object;
	int result = next(iter, &object);

	if (result <= 0)
		return result;
	*out = (struct mr_setting){.path = object->key, .loc = value_loc(iter->desired, object)};
	out->value = value_of(iter, object, &out->is_sensitive);
	return 1;
}

int mr_desired_next_table(struct mr_iter *iter, struct mr_table *out)
{
	const struct mr_object *object;
	int result = next(iter, &object);
	mr_str type;

	if (result <= 0)
		return result;
	type = mr_object_text(object, MR_F_TABLE_TYPE);
	*out = (struct mr_table){.name = object->key,
	        .type = type.size ? type : MR_STR("default"),
	        .is_ordered = mr_object_leaf(object, MR_F_TABLE_ENTRIES) != NULL,
	        .loc = mr_object_loc(object, &iter->desired->paths)};
	return 1;
}

int mr_desired_begin_table_row(struct mr_desired *desired, mr_str table, struct mr_iter *out)
{
	struct mr_buf prefix = MR_BUF_INIT;
	int error;

	mr_buf_add_str(&prefix, table);
	mr_buf_add_char(&prefix, '\x01');
	error = begin(desired, MR_KIND_table_row, mr_buf_str(&prefix), false, out);
	mr_buf_done(&prefix);
	return error;
}

int mr_desired_next_table_row(struct mr_iter *iter, struct mr_table_row *out)
{
	struct iter_state *state = iter->state;
	const struct mr_object *object;
	int result = next(iter, &object);
	const struct mr_merged_leaf *pattern;

	if (result <= 0)
		return result;
	pattern = mr_object_leaf(object, MR_F_PATTERN);
	*out = (struct mr_table_row){
	        .ordinal = state->ordinal++, .loc = value_loc(iter->desired, object)};
	out->key = mr_str_skip(object->key, mr_str_find(object->key, '\x01') + 1);
	out->value = value_of(iter, object, &out->is_sensitive);
	if (pattern)
		out->key = mr_leaf_value(iter->desired, arena_of(iter), &pattern->leaf);
	out->is_key_sensitive = pattern && mr_leaf_is_sensitive(&pattern->leaf);
	return 1;
}

int mr_desired_next_ldap_tree(struct mr_iter *iter, struct mr_ldap_tree *out)
{
	const struct mr_object *object;
	int result = next(iter, &object);

	if (result > 0)
		*out = (struct mr_ldap_tree){mr_object_text(object, MR_LEAF_WRITTEN), object->key,
		        mr_str_is(mr_object_text(object, MR_F_TREE_MODE), "exclusive"),
		        mr_object_loc(object, &iter->desired->paths)};
	return result;
}

/* Attributes whose values are secrets wherever they come from. */
static bool is_password_attribute(mr_str name)
{
	static const char *const names[] = {"userPassword", "authPassword", "sambaNTPassword",
	        "sambaLMPassword", "krbPrincipalKey", "pwdHistory", "olcRootPW"};
	mr_str plain = mr_str_take(name, mr_str_find(name, ';'));

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (plain.size == strlen(names[i]) &&
		        !strncasecmp(plain.data, names[i], plain.size))
			return true;
	return false;
}

static void add_attribute(const struct mr_desired *desired, struct mr_attrs_builder *builder,
        const struct mr_leaf *leaf)
{
	unsigned flags = is_password_attribute(leaf->name) ? MR_ATTR_SENSITIVE : 0;
	struct mr_leaf_item item;
	mr_str rest = leaf->items;

	if (leaf->flags & MR_LEAF_LIVE)
		flags |= MR_ATTR_LIVE;
	while (mr_leaf_next_item(&rest, &item) > 0)
		flags |= item.form == MR_ITEM_SECRET   ? MR_ATTR_SENSITIVE
		         : item.form == MR_ITEM_BINARY ? MR_ATTR_BINARY
		                                       : 0U;
	mr_attrs_begin(builder, leaf->name, flags);
	rest = leaf->items;
	while (mr_leaf_next_item(&rest, &item) > 0) {
		mr_str value = item.text;

		if (item.form == MR_ITEM_SECRET && !mr_secret_find(desired, item.text, &value))
			value = (mr_str){0};
		mr_attrs_value(builder, value);
	}
}

int mr_desired_next_ldap_entry(struct mr_iter *iter, struct mr_ldap_entry *out)
{
	struct iter_state *state = iter->state;
	const struct mr_object *object;
	int result = next(iter, &object);

	if (result <= 0)
		return result;
	mr_attrs_builder_clear(&state->builder);
	mr_vec_each (leaf, &object->leaves)
		if (leaf->leaf.flags & MR_LEAF_NAMED)
			add_attribute(iter->desired, &state->builder, &leaf->leaf);
	*out = (struct mr_ldap_entry){mr_object_text(object, MR_LEAF_WRITTEN), object->key,
	        mr_attrs_finish(&state->builder), mr_object_loc(object, &iter->desired->paths)};
	return 1;
}

bool mr_desired_find_user(struct mr_desired *desired, mr_str address, struct mr_user *out)
{
	mr_desired_end(&desired->found_user);
	return begin(desired, MR_KIND_user, address, true, &desired->found_user) == 0 &&
	       mr_desired_next_user(&desired->found_user, out) > 0;
}

bool mr_desired_find_domain(struct mr_desired *desired, mr_str name, struct mr_domain *out)
{
	mr_desired_end(&desired->found_domain);
	return begin(desired, MR_KIND_domain, name, true, &desired->found_domain) == 0 &&
	       mr_desired_next_domain(&desired->found_domain, out) > 0;
}

void mr_desired_close(struct mr_desired *desired)
{
	if (!desired)
		return;
	mr_desired_end(&desired->found_user);
	mr_desired_end(&desired->found_domain);
	mr_rows_close(desired->rows);
	for (size_t i = 0; i < desired->n_secrets; i++)
		explicit_bzero((char *)(uintptr_t)desired->secrets[i].value.data,
		        desired->secrets[i].value.size);
	mr_arena_done(&desired->arena);
	free(desired);
}
