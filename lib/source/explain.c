/*
 * Why an object is as it is: each attribute with its value, the place that decides it and where it
 * comes from. And the names of objects that are nearest to one that is not there.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/dn.h"
#include "source/compile.h"
#include "source/load.h"
#include "source/state.h"

#define SECRET "(secret)"

struct explaining {
	struct mr_desired *desired;
	const struct mr_object *object;
	struct mr_arena arena;
	void (*fn)(void *arg, const struct mr_explained *explained);
	void *arg;
};

/* How object names begin, and which kind they are. */
static const struct {
	mr_str prefix;
	enum mr_kind_id kind;
} object_kinds[] = {
        {MR_STR_INIT("user/"), MR_KIND_user},
        {MR_STR_INIT("domain/"), MR_KIND_domain},
        {MR_STR_INIT("alias/"), MR_KIND_alias},
        {MR_STR_INIT("transport/"), MR_KIND_transport},
        {MR_STR_INIT("postfix.parameter/"), MR_KIND_parameter},
        {MR_STR_INIT("postfix.table/"), MR_KIND_table},
        {MR_STR_INIT("dovecot.setting/"), MR_KIND_setting},
        {MR_STR_INIT("ldap/"), MR_KIND_ldap_entry},
};

static enum mr_kind_id split_object(mr_str object, mr_str *out_key)
{
	for (size_t i = 0; i < sizeof object_kinds / sizeof *object_kinds; i++)
		if (mr_str_starts(object, object_kinds[i].prefix)) {
			*out_key = mr_str_skip(object, object_kinds[i].prefix.size);
			return object_kinds[i].kind;
		}
	return MR_KIND_NONE;
}

/* All values of a leaf in one line; secrets are not shown. */
static mr_str leaf_value(
        struct explaining *explaining, const struct mr_leaf *leaf, bool is_sensitive)
{
	struct mr_buf joined = MR_BUF_INIT;
	struct mr_leaf_item item;
	mr_str rest = leaf->items, value;
	size_t n = 0;

	while (mr_leaf_next_item(&rest, &item) > 0) {
		bool is_hidden = is_sensitive || item.form == MR_ITEM_SECRET;

		mr_buf_printf(&joined, "%s",
		        n++ && (leaf->flags & (MR_LEAF_LIST | MR_LEAF_NAMED)) ? ", " : "");
		mr_buf_add_str(&joined, is_hidden                     ? MR_STR(SECRET)
		                        : item.form == MR_ITEM_BINARY ? MR_STR("(binary)")
		                                                      : item.text);
	}
	value = mr_str_copy(&explaining->arena, mr_buf_str(&joined));
	mr_buf_done(&joined);
	return value;
}

static void emit(struct explaining *explaining, mr_str attribute, mr_str value,
        const struct mr_merged_leaf *leaf, const char *origin)
{
	struct mr_explained explained = {attribute, value, {{0}, 0, 0}, origin};

	if (leaf)
		explained.loc = mr_leaf_loc(leaf, &explaining->desired->paths);
	explaining->fn(explaining->arg, &explained);
}

static const char *origin_of(const struct mr_merged_leaf *leaf, const char *otherwise)
{
	if (!leaf->layer.size)
		return otherwise;
	return leaf->layer.data[0] == '2' ? "declared for this host" : "declared for a role";
}

static mr_str builtin_of(struct explaining *explaining, enum mr_kind_id kind, size_t id)
{
	if (kind == MR_KIND_domain)
		return id == MR_F_DOMAIN_KIND    ? MR_STR("mailbox")
		       : id == MR_F_DOMAIN_STATE ? MR_STR("active")
		                                 : (mr_str){0};
	switch (id) {
	case MR_F_USER_STATE:
		return MR_STR("active");
	case MR_F_USER_SERVICES:
		return MR_STR("imap, pop3, submission, sieve");
	case MR_F_USER_PASSWORD_OWNER:
		return MR_STR("user");
	case MR_F_USER_MAIL_HOME:
		return explaining->desired->accounts.is_home_sensitive
		               ? MR_STR(SECRET)
		               : explaining->desired->accounts.mail_home;
	default:
		return (mr_str){0};
	}
}

static int compare_names(const void *a, const void *b, void *arg)
{
	const struct mr_kind *kind = arg;

	return strcmp(kind->fields[*(const size_t *)a].name, kind->fields[*(const size_t *)b].name);
}

/* Kinds with fields, in the order of their names; users with what stands behind them. */
static void explain_fields(struct explaining *explaining)
{
	const struct mr_object *object = explaining->object;
	const struct mr_kind *kind = mr_kind_get(object->kind);
	const struct mr_domain_facts *facts =
	        mr_domain_facts_find(explaining->desired, mr_address_domain(object->key));
	size_t *order = mr_alloc_n(&explaining->arena, kind->n_fields, sizeof *order);

	for (size_t i = 0; i < kind->n_fields; i++)
		order[i] = i;
	qsort_r(order, kind->n_fields, sizeof *order, compare_names, (void *)(uintptr_t)kind);
	for (size_t i = 0; i < kind->n_fields; i++) {
		unsigned id = (unsigned)order[i];
		const char *origin = "declared";
		const struct mr_merged_leaf *leaf =
		        object->kind == MR_KIND_user
		                ? mr_user_leaf(explaining->desired, facts, object, id, &origin)
		                : mr_object_leaf(object, id);
		mr_str builtin =
		        leaf || object->kind == MR_KIND_alias || object->kind == MR_KIND_table
		                ? (mr_str){0}
		                : builtin_of(explaining, object->kind, id);

		if (leaf)
			emit(explaining, mr_str_from(kind->fields[id].name),
			        leaf_value(explaining, &leaf->leaf,
			                kind->fields[id].type == MR_TYPE_PASSWORD),
			        leaf, origin_of(leaf, origin));
		else if (builtin.size)
			emit(explaining, mr_str_from(kind->fields[id].name), builtin, NULL,
			        "built in");
	}
}

static int compare_leaves(const void *a, const void *b)
{
	const struct mr_merged_leaf *x = *(const struct mr_merged_leaf *const *)a;
	const struct mr_merged_leaf *y = *(const struct mr_merged_leaf *const *)b;

	return mr_str_cmp(x->leaf.name, y->leaf.name);
}

static bool is_hidden(mr_str attribute)
{
	static const char *const parts[] = {"assw", "Assw", "ASSW", "PW", "ecret"};

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (attribute.size &&
		        memmem(attribute.data, attribute.size, parts[i], strlen(parts[i])))
			return true;
	return false;
}

static void explain_named(struct explaining *explaining)
{
	const struct mr_object *object = explaining->object;
	const struct mr_merged_leaf **order =
	        mr_alloc_n(&explaining->arena, object->leaves.n + 1, sizeof(void *));
	size_t n = 0;

	mr_vec_each (leaf, &object->leaves)
		if (leaf->leaf.flags & MR_LEAF_NAMED)
			order[n++] = leaf;
	qsort(order, n, sizeof *order, compare_leaves);
	for (size_t i = 0; i < n; i++) {
		mr_str name = order[i]->leaf.name;
		mr_str value = leaf_value(explaining, &order[i]->leaf, is_hidden(name));

		emit(explaining, name, order[i]->leaf.n_items ? value : MR_STR("(must be absent)"),
		        order[i], origin_of(order[i], "declared"));
	}
}

static void explain_value(struct explaining *explaining)
{
	const struct mr_merged_leaf *leaf = mr_object_leaf(explaining->object, MR_F_VALUE);

	if (leaf)
		emit(explaining, MR_STR("value"),
		        leaf_value(explaining, &leaf->leaf, is_hidden(explaining->object->key)),
		        leaf, origin_of(leaf, "declared"));
}

int mr_desired_explain(struct mr_desired *desired, mr_str object,
        void (*fn)(void *arg, const struct mr_explained *explained), void *arg)
{
	struct explaining explaining = {.desired = desired, .fn = fn, .arg = arg};
	struct mr_objects objects;
	mr_str key;
	enum mr_kind_id kind = split_object(object, &key);
	int result;

	if (!kind || (kind == MR_KIND_ldap_entry && mr_dn_key(&explaining.arena, key, &key) < 0)) {
		mr_arena_done(&explaining.arena);
		return MR_E_NOT_FOUND;
	}
	result = mr_objects_begin(mr_layers_of(desired), kind, key, true, &objects);
	if (!result)
		result = mr_objects_next(&objects, &explaining.object);
	if (result > 0 && explaining.object) {
		if (kind == MR_KIND_ldap_entry)
			explain_named(&explaining);
		else if (mr_kind_get(kind)->fields)
			explain_fields(&explaining);
		else
			explain_value(&explaining);
	}
	mr_objects_end(&objects);
	mr_arena_done(&explaining.arena);
	return result > 0 ? 0 : result < 0 ? result : MR_E_NOT_FOUND;
}

/* The best names so far, nearest first. */
struct nearest {
	mr_str wanted;
	struct mr_arena *arena;
	mr_str *names;
	unsigned distances[16];
	size_t n, limit;
};

static void consider(struct nearest *nearest, mr_str name)
{
	unsigned far = nearest->wanted.size > 12 ? 4 : 2;
	unsigned distance = mr_text_distance(nearest->wanted, name, far);
	size_t at = nearest->n;

	if (distance > far)
		return;
	while (at && nearest->distances[at - 1] > distance)
		at--;
	if (at == nearest->limit)
		return;
	if (nearest->n < nearest->limit)
		nearest->n++;
	for (size_t i = nearest->n - 1; i > at; i--) {
		nearest->names[i] = nearest->names[i - 1];
		nearest->distances[i] = nearest->distances[i - 1];
	}
	nearest->names[at] = mr_str_copy(nearest->arena, name);
	nearest->distances[at] = distance;
}

size_t mr_desired_nearest(
        struct mr_desired *desired, mr_str object, struct mr_arena *arena, mr_str *out, size_t n)
{
	struct nearest nearest = {
	        .wanted = object, .arena = arena, .names = out, .limit = n < 16 ? n : 16};
	const struct mr_object *found;
	struct mr_buf name = MR_BUF_INIT;

	for (size_t i = 0; i < sizeof object_kinds / sizeof *object_kinds && nearest.limit; i++) {
		enum mr_kind_id kind = object_kinds[i].kind;
		struct mr_objects objects;
		int result =
		        mr_objects_begin(mr_layers_of(desired), kind, (mr_str){0}, false, &objects);

		while (!result && mr_objects_next(&objects, &found) > 0) {
			mr_buf_clear(&name);
			mr_buf_add_str(&name, object_kinds[i].prefix);
			mr_buf_add_str(&name, kind == MR_KIND_ldap_entry
			                              ? mr_object_text(found, MR_LEAF_WRITTEN)
			                              : found->key);
			consider(&nearest, mr_buf_str(&name));
		}
		mr_objects_end(&objects);
	}
	mr_buf_done(&name);
	return nearest.n;
}
