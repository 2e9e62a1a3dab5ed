/*
 * The stream of addresses: domains (relay addresses, catch-alls), users, aliases.
 */
#include "source/references.h"

#include "source/load.h"

static int begin(
        const struct mr_references *references, enum mr_kind_id kind, struct mr_objects *out)
{
	struct mr_check *check = references->check;
	int error = mr_check_begin(check, kind, out);

	if (!references->is_first || kind == MR_KIND_domain)
		out->diags = NULL;
	return error;
}

static int next(const struct mr_references *references, struct mr_objects *objects,
        const struct mr_object **out)
{
	/* domains were merged, digested and checked by themselves before */
	if (references->is_first && objects->object.kind != MR_KIND_domain)
		return mr_check_next(references->check, objects, out);
	return mr_objects_next(objects, out);
}

/* Each item of a list leaf as a reference of the owner. */
static void each_item(const struct mr_references *references, struct mr_arena *arena,
        struct mr_reference *reference, mr_str domain)
{
	const struct mr_merged_leaf *leaf = reference->leaf;
	mr_str rest = leaf ? leaf->leaf.items : (mr_str){0};
	struct mr_leaf_item item;

	if (!leaf)
		return;
	reference->loc.path = mr_path_of(&references->check->desired->paths, leaf->file);
	while (mr_leaf_next_item(&rest, &item) > 0) {
		bool is_local = mr_str_find(item.text, '@') == item.text.size;

		if (item.form == MR_ITEM_SECRET)
			continue;
		reference->address = is_local ? mr_str_printf(arena, "%.*s@%.*s", MR_FMT(item.text),
		                                        MR_FMT(domain))
		                              : item.text;
		reference->loc.line = item.line;
		reference->loc.column = item.column;
		references->on_reference(references->arg, reference);
	}
}

static void user_references(const struct mr_references *references, const struct mr_object *object,
        struct mr_arena *arena)
{
	const struct mr_desired *desired = references->check->desired;
	mr_str domain = mr_address_domain(object->key);
	const struct mr_domain_facts *facts = mr_domain_facts_find(desired, domain);
	struct mr_reference reference = {MR_USE_DECLARED, MR_KIND_user, object->key, object->key,
	        NULL, mr_object_loc(object, &desired->paths)};

	references->on_reference(references->arg, &reference);
	reference.leaf = mr_user_leaf(desired, facts, object, MR_F_USER_ALIASES, NULL);
	each_item(references, arena, &reference, domain);
	reference.use = MR_USE_TARGET;
	reference.leaf = mr_user_leaf(desired, facts, object, MR_F_USER_FORWARD_TO, NULL);
	each_item(references, arena, &reference, domain);
}

static int each_user(const struct mr_references *references)
{
	const struct mr_object *object;
	struct mr_objects objects;
	struct mr_user user;
	int result = begin(references, MR_KIND_user, &objects);

	while (result >= 0 && (result = next(references, &objects, &object)) > 0) {
		if (references->on_user) {
			mr_user_from(references->check->desired, object, &objects.arena, &user);
			references->on_user(references->arg, object, &user);
		}
		user_references(references, object, &objects.arena);
	}
	mr_objects_end(&objects);
	return result;
}

static int each_alias(const struct mr_references *references)
{
	const struct mr_desired *desired = references->check->desired;
	const struct mr_object *object;
	struct mr_objects objects;
	int result = begin(references, MR_KIND_alias, &objects);

	while (result >= 0 && (result = next(references, &objects, &object)) > 0) {
		struct mr_reference reference = {MR_USE_DECLARED, MR_KIND_alias, object->key,
		        object->key, NULL, mr_object_loc(object, &desired->paths)};

		if (references->on_alias)
			references->on_alias(references->arg, object);
		references->on_reference(references->arg, &reference);
		reference.use = MR_USE_TARGET;
		reference.leaf = mr_object_leaf(object, MR_F_ALIAS_TO);
		each_item(references, &objects.arena, &reference, mr_address_domain(object->key));
	}
	mr_objects_end(&objects);
	return result;
}

static int each_domain(const struct mr_references *references)
{
	const struct mr_object *object;
	struct mr_objects objects;
	int result = begin(references, MR_KIND_domain, &objects);

	while (result >= 0 && (result = next(references, &objects, &object)) > 0) {
		struct mr_reference reference = {MR_USE_DECLARED, MR_KIND_domain, object->key,
		        object->key, NULL, {{0}, 0, 0}};

		reference.leaf = mr_object_leaf(object, MR_F_DOMAIN_ADDRESSES);
		each_item(references, &objects.arena, &reference, object->key);
		reference.use = MR_USE_TARGET;
		reference.owner = mr_str_printf(&objects.arena, "@%.*s", MR_FMT(object->key));
		reference.leaf = mr_object_leaf(object, MR_F_DOMAIN_CATCH_ALL);
		each_item(references, &objects.arena, &reference, object->key);
	}
	mr_objects_end(&objects);
	return result;
}

int mr_references_each(const struct mr_references *references)
{
	int result = each_domain(references);

	if (result >= 0)
		result = each_user(references);
	if (result >= 0)
		result = each_alias(references);
	return result;
}
