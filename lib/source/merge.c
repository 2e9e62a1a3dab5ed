/*
 * Merging the rows of one key into an object.
 */
#include "source/merge.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

mr_str mr_path_of(const struct mr_paths *paths, uint32_t file)
{
	return file < paths->n ? paths->items[file] : (mr_str){0};
}

struct mr_loc mr_object_loc(const struct mr_object *object, const struct mr_paths *paths)
{
	return (struct mr_loc){mr_path_of(paths, object->file), object->line, object->column};
}

struct mr_loc mr_leaf_loc(const struct mr_merged_leaf *leaf, const struct mr_paths *paths)
{
	return (struct mr_loc){mr_path_of(paths, leaf->file), leaf->leaf.line, leaf->leaf.column};
}

const struct mr_merged_leaf *mr_object_leaf(const struct mr_object *object, unsigned id)
{
	return object->by_id[id] ? &object->leaves.items[object->by_id[id] - 1] : NULL;
}

mr_str mr_object_text(const struct mr_object *object, unsigned id)
{
	const struct mr_merged_leaf *found = mr_object_leaf(object, id);

	return found ? mr_leaf_text(&found->leaf) : (mr_str){0};
}

static bool is_in_view(const struct mr_view *view, mr_str layer)
{
	mr_str name = mr_str_skip(layer, 1);

	if (!layer.size)
		return true;
	if (layer.data[0] == '2')
		return mr_str_eq(name, view->host);
	for (size_t i = 0; i < view->roles.n; i++)
		if (mr_str_eq(view->roles.items[i], name))
			return true;
	return false;
}

static int rank_of(mr_str layer)
{
	return layer.size ? layer.data[0] : 0;
}

/* Names of directory attributes do not differ by case; all other names come here in one case or are
 * compared so. */
static bool is_same_name(enum mr_kind_id kind, mr_str a, mr_str b)
{
	if (kind == MR_KIND_ldap_entry)
		return a.size == b.size && !strncasecmp(a.data, b.data, a.size);
	return mr_str_eq(a, b);
}

static struct mr_merged_leaf *find_leaf(struct mr_object *object, const struct mr_leaf *leaf)
{
	if (!(leaf->flags & MR_LEAF_NAMED)) {
		unsigned id = leaf->id % MR_LEAF_IDS;

		return object->by_id[id] ? &object->leaves.items[object->by_id[id] - 1] : NULL;
	}
	mr_vec_each (found, &object->leaves)
		if ((found->leaf.flags & MR_LEAF_NAMED) &&
		        is_same_name(object->kind, found->leaf.name, leaf->name))
			return found;
	return NULL;
}

/* What a leaf is called in messages. */
static void leaf_name(
        const struct mr_object *object, const struct mr_leaf *leaf, char *out, size_t size)
{
	const struct mr_kind *kind = mr_kind_get(object->kind);
	unsigned id = leaf->id;

	if (leaf->flags & MR_LEAF_NAMED) {
		(void)snprintf(out, size, "'%.*s' of ", MR_FMT(leaf->name));
	} else if (object->kind == MR_KIND_domain && id >= MR_DOMAIN_DEFAULTS) {
		kind = mr_kind_get(MR_KIND_user);
		(void)snprintf(
		        out, size, "'defaults.%s' of ", kind->fields[id - MR_DOMAIN_DEFAULTS].name);
	} else if (id < kind->n_fields) {
		(void)snprintf(out, size, "'%s' of ", kind->fields[id].name);
	} else {
		out[0] = '\0';
	}
}

/* Reports at the place that comes later, naming the earlier one. */
static void report_twice(const struct mr_objects *objects, const struct mr_merged_leaf *a,
        const struct mr_merged_leaf *b)
{
	const struct mr_object *object = &objects->object;
	struct mr_loc first = mr_leaf_loc(a, objects->paths),
	              second = mr_leaf_loc(b, objects->paths);
	int order = mr_str_cmp(first.path, second.path);
	bool is_role = rank_of(a->layer) == '1' && !mr_str_eq(a->layer, b->layer);
	mr_str key = object->key;
	char name[128];

	if (order > 0 || (!order && first.line > second.line)) {
		struct mr_loc other = first;

		first = second;
		second = other;
	}
	leaf_name(object, &b->leaf, name, sizeof name);
	if (object->kind == MR_KIND_table_row)
		key = mr_str_skip(key, mr_str_find(key, '\x01') + 1);
	else if (object->kind == MR_KIND_ldap_entry || object->kind == MR_KIND_ldap_tree)
		key = (mr_str){0};
	mr_diags_at(objects->diags, MR_ERROR, is_role ? "MR-ROLE-CONFLICT" : "MR-LEAF-TWICE",
	        &second, "%s%s%s%.*s%s is given twice%s: the other place is %.*s:%u:%u", name,
	        object->kind == MR_KIND_ldap_entry ? "this entry" : mr_kind_get(object->kind)->name,
	        key.size ? " '" : "", MR_FMT(key), key.size ? "'" : "",
	        is_role ? ", differently, by two roles of this host" : "", MR_FMT(first.path),
	        first.line, first.column);
}

static void merge_leaf(struct mr_objects *objects, const struct mr_merged_leaf *leaf)
{
	struct mr_object *object = &objects->object;
	struct mr_merged_leaf *old = find_leaf(object, &leaf->leaf);

	if (!old) {
		mr_vec_push(&object->leaves, *leaf);
		if (!(leaf->leaf.flags & MR_LEAF_NAMED))
			object->by_id[leaf->leaf.id % MR_LEAF_IDS] = (uint8_t)object->leaves.n;
		return;
	}
	if (!(leaf->leaf.flags & MR_LEAF_NAMED) && leaf->leaf.id >= MR_LEAF_FREE)
		return;
	if (rank_of(leaf->layer) != rank_of(old->layer)) {
		if (rank_of(leaf->layer) > rank_of(old->layer))
			*old = *leaf;
		return;
	}
	if (!mr_str_eq(leaf->layer, old->layer) && mr_leaf_same(&leaf->leaf, &old->leaf))
		return;
	if (objects->diags)
		report_twice(objects, old, leaf);
}

static int merge_row(
        struct mr_objects *objects, const struct mr_row_key *key, mr_str body, bool is_first)
{
	struct mr_object *object = &objects->object;
	struct mr_merged_leaf leaf = {.file = key->file};
	uint32_t line, column;
	mr_str rest = mr_str_copy(&objects->arena, body);
	int result = mr_row_read_head(&rest, &line, &column);

	if (result < 0)
		return result;
	if (is_first) {
		object->file = key->file;
		object->line = line;
		object->column = column;
	}
	leaf.layer = key->layer.size ? mr_str_copy(&objects->arena, key->layer) : (mr_str){0};
	while ((result = mr_row_next_leaf(&rest, &leaf.leaf)) > 0)
		merge_leaf(objects, &leaf);
	return result;
}

int mr_objects_begin(struct mr_layers layers, enum mr_kind_id kind, mr_str prefix, bool is_exact,
        struct mr_objects *out)
{
	memset(out, 0, sizeof *out);
	out->view = layers.view;
	out->paths = layers.paths;
	out->object.kind = kind;
	mr_arena_init(&out->arena);
	return mr_scan_begin(layers.rows, kind, prefix, is_exact, &out->scan);
}

/* The next row of a layer that counts; 1, 0, <0. */
static int next_row(struct mr_objects *objects, struct mr_row_key *out_key, mr_str *out_body)
{
	int result;

	do {
		result = mr_scan_next(&objects->scan, out_key, out_body);
	} while (result > 0 && !is_in_view(objects->view, out_key->layer));
	return result;
}

static void keep_row(struct mr_objects *objects, const struct mr_row_key *key, mr_str body)
{
	mr_row_key_format(key, &objects->next_key);
	mr_buf_clear(&objects->next_body);
	mr_buf_add_str(&objects->next_body, body);
	objects->has_next = true;
}

/* The row that begins the object: the one kept, or the first of all. */
static int first_row(struct mr_objects *objects, struct mr_row_key *out_key, mr_str *out_body)
{
	if (!objects->has_next)
		return objects->is_at_end ? 0 : next_row(objects, out_key, out_body);
	objects->has_next = false;
	*out_body = mr_buf_str(&objects->next_body);
	return mr_row_key_parse(mr_buf_str(&objects->next_key), out_key) < 0 ? MR_E_FAILED : 1;
}

int mr_objects_next(struct mr_objects *objects, const struct mr_object **out)
{
	struct mr_object *object = &objects->object;
	struct mr_row_key key;
	mr_str body;
	int result = first_row(objects, &key, &body);

	if (result <= 0)
		return result;
	mr_arena_reset(&objects->arena);
	object->leaves.n = 0;
	memset(object->by_id, 0, sizeof object->by_id);
	object->key = mr_str_copy(&objects->arena, key.key);
	result = merge_row(objects, &key, body, true);
	while (result >= 0) {
		result = next_row(objects, &key, &body);
		if (result <= 0)
			break;
		if (!mr_str_eq(key.key, object->key)) {
			keep_row(objects, &key, body);
			break;
		}
		result = merge_row(objects, &key, body, false);
	}
	if (result < 0)
		return result;
	objects->is_at_end = !objects->has_next;
	*out = object;
	return 1;
}

void mr_objects_end(struct mr_objects *objects)
{
	mr_scan_end(&objects->scan);
	mr_arena_done(&objects->arena);
	mr_vec_done(&objects->object.leaves);
	mr_buf_done_secret(&objects->next_key);
	mr_buf_done_secret(&objects->next_body);
}
