/*
 * Checks of what goes to the servers: parameters that are wired, tables that parameters refer to,
 * directory entries outside of every tree.
 */
#include <string.h>

#include "model/dn.h"
#include "model/wired.h"
#include "source/checks.h"
#include "source/load.h"

/* The merged table of this name is there: 1, 0, <0. */
static int has_table(struct mr_check *check, mr_str name)
{
	const struct mr_object *object;
	struct mr_objects objects;
	int result =
	        mr_objects_begin(mr_layers_of(check->desired), MR_KIND_table, name, true, &objects);

	if (!result)
		result = mr_objects_next(&objects, &object);
	mr_objects_end(&objects);
	return result;
}

/* Every ${mailreeve}/NAME in a value must be a table. */
static int check_references(struct mr_check *check, const struct mr_object *object)
{
	static const mr_str marker = MR_STR_INIT("${mailreeve}/");
	const struct mr_merged_leaf *leaf = mr_object_leaf(object, MR_F_VALUE);
	mr_str text = leaf ? mr_leaf_text(&leaf->leaf) : (mr_str){0};
	int result = 0;

	for (size_t i = 0; i < text.size && result >= 0; i++) {
		mr_str name = mr_str_skip(text, i);
		struct mr_loc loc;

		if (!mr_str_starts(name, marker))
			continue;
		name = mr_str_skip(name, marker.size);
		name = mr_str_take(name, strcspn(name.data, " ,\t{}") < name.size
		                                 ? strcspn(name.data, " ,\t{}")
		                                 : name.size);
		if (mr_wired_parameter(name))
			continue;
		result = has_table(check, name);
		if (result || check->is_partial)
			continue;
		loc = mr_leaf_loc(leaf, &check->desired->paths);
		mr_diags_at(check->diags, MR_ERROR, "MR-REF-TABLE", &loc,
		        "parameter '%.*s' refers to table '%.*s', which is not declared",
		        MR_FMT(object->key), MR_FMT(name));
	}
	return result < 0 ? result : 0;
}

static int check_parameters(struct mr_check *check)
{
	const struct mr_object *object;
	struct mr_objects objects;
	int result = mr_check_begin(check, MR_KIND_parameter, &objects);

	while (result >= 0 && (result = mr_check_next(check, &objects, &object)) > 0) {
		struct mr_loc loc = mr_object_loc(object, &check->desired->paths);
		const char *from = mr_wired_parameter(object->key);

		if (from) {
			mr_diags_at(check->diags, MR_ERROR, "MR-PARAMETER-WIRED", &loc,
			        "parameter '%.*s' is set by mailreeve itself", MR_FMT(object->key));
			mr_diags_hint(check->diags, "it follows from %s", from);
		}
		result = check_references(check, object);
	}
	mr_objects_end(&objects);
	return result;
}

static void check_table(struct mr_check *check, const struct mr_object *object)
{
	mr_str type = mr_object_text(object, MR_F_TABLE_TYPE);
	const struct mr_merged_leaf *list = mr_object_leaf(object, MR_F_TABLE_ENTRIES);
	const struct mr_merged_leaf *keyed = mr_object_leaf(object, MR_LEAF_KEYED);
	bool is_ordered =
	        mr_str_is(type, "cidr") || mr_str_is(type, "pcre") || mr_str_is(type, "regexp");
	const struct mr_merged_leaf *wrong = is_ordered ? keyed : list;
	struct mr_loc loc = mr_object_loc(object, &check->desired->paths);

	if (mr_wired_parameter(object->key))
		mr_diags_at(check->diags, MR_ERROR, "MR-NAME-TABLE", &loc,
		        "table '%.*s' has the name of one that mailreeve makes itself",
		        MR_FMT(object->key));
	if (!wrong)
		return;
	loc = mr_leaf_loc(wrong, &check->desired->paths);
	mr_diags_at(check->diags, MR_ERROR, "MR-TABLE-TYPE", &loc,
	        "table '%.*s' is of type %.*s, whose entries are %s", MR_FMT(object->key),
	        MR_FMT(type.size ? type : MR_STR("default")),
	        is_ordered ? "a list of pairs" : "a mapping");
}

/* Trees are few: kept while the entries stream by. */
static int load_trees(struct mr_check *check, struct mr_arena *arena, mr_str **out, size_t *out_n)
{
	MR_VEC(mr_str) trees = {0};
	const struct mr_object *object;
	struct mr_objects objects;
	int result = mr_check_begin(check, MR_KIND_ldap_tree, &objects);

	while (result >= 0 && (result = mr_check_next(check, &objects, &object)) > 0)
		mr_vec_push(&trees, mr_str_copy(arena, object->key));
	mr_objects_end(&objects);
	*out = mr_alloc_n(arena, trees.n + 1, sizeof **out);
	if (trees.n)
		memcpy(*out, trees.items, trees.n * sizeof **out);
	*out_n = trees.n;
	mr_vec_done(&trees);
	return result;
}

static int check_directory(struct mr_check *check)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	const struct mr_object *object;
	struct mr_objects objects;
	mr_str *trees;
	size_t n;
	int result = load_trees(check, &arena, &trees, &n);

	if (result < 0)
		return result;
	result = mr_check_begin(check, MR_KIND_ldap_entry, &objects);
	while (result >= 0 && (result = mr_check_next(check, &objects, &object)) > 0) {
		bool is_inside = n == 0 ? check->is_partial : false;

		for (size_t i = 0; i < n && !is_inside; i++)
			is_inside = mr_dn_key_is_within(object->key, trees[i]);
		if (!is_inside && !check->is_partial) {
			struct mr_loc loc = mr_object_loc(object, &check->desired->paths);

			mr_diags_at(check->diags, MR_ERROR, "MR-LDAP-OUTSIDE", &loc,
			        "entry '%.*s' is in none of the declared trees",
			        MR_FMT(mr_object_text(object, MR_LEAF_WRITTEN)));
			mr_diags_hint(
			        check->diags, "declare its part of the directory in ldap.trees");
		}
	}
	mr_objects_end(&objects);
	return result;
}

int mr_check_servers(struct mr_check *check)
{
	static const enum mr_kind_id kinds[] = {
	        MR_KIND_transport, MR_KIND_table, MR_KIND_table_row, MR_KIND_setting};
	const struct mr_object *object;
	int result = check_parameters(check);

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds && result >= 0; i++) {
		struct mr_objects objects;

		result = mr_check_begin(check, kinds[i], &objects);
		while (result >= 0 && (result = mr_check_next(check, &objects, &object)) > 0)
			if (kinds[i] == MR_KIND_table)
				check_table(check, object);
		mr_objects_end(&objects);
	}
	return result < 0 ? result : check_directory(check);
}
