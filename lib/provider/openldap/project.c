/*
 * The declared entries as items: which tree each belongs to, judged by the server's schema, under
 * the server's own attribute names.
 */
#include <stdlib.h>
#include <string.h>

#include "model/dn.h"
#include "openldap/backend.h"
#include "openldap/check.h"

#define RULE_TREE "MR-LDAP-TREE"

static void add_tree(struct mr_backend *backend, mr_str key, bool is_exclusive)
{
	struct mr_ldap_tree_info tree = {
	        .key = mr_str_copy(&backend->arena, key), .is_exclusive = is_exclusive};

	/* one spelling, so that what we own is found again when the declaration is spelled anew */
	tree.dn = mr_ldap_dn_of_key(backend, &backend->arena, key);
	mr_vec_push(&backend->trees, tree);
}

static void report_no_context(
        struct mr_backend *backend, const char *what, mr_str dn, const struct mr_loc *loc)
{
	MR_DONE(buf) struct mr_buf buf = MR_BUF_INIT;

	for (size_t i = 0; i < backend->contexts.n; i++)
		mr_buf_printf(&buf, "%s'%.*s'", i ? ", " : "", MR_FMT(backend->contexts.items[i]));
	mr_diags_at(backend->diags, MR_ERROR, RULE_TREE, loc,
	        "%s '%.*s' is below no suffix of the server", what, MR_FMT(dn));
	mr_diags_hint(backend->diags,
	        buf.size ? "the server has %s" : "the server has none that may be seen%s",
	        buf.size ? buf.data : "");
}

static int read_trees(struct mr_backend *backend, struct mr_desired *desired)
{
	struct mr_iter iter;
	struct mr_ldap_tree tree;
	int code = mr_desired_begin_ldap_tree(desired, &iter);

	if (code)
		return code;
	while ((code = mr_desired_next_ldap_tree(&iter, &tree)) == 1) {
		code = mr_ldap_ready(backend);
		if (code)
			break;
		if (mr_ldap_context_of(backend, tree.key) == backend->contexts.n)
			report_no_context(backend, "tree", tree.dn, &tree.loc);
		else
			add_tree(backend, tree.key, tree.is_exclusive);
	}
	mr_desired_end(&iter);
	return code;
}

/* Whether the key alone gives a DN that the server takes for the same. */
static bool is_folded_alike(struct mr_backend *backend, mr_str key)
{
	while (key.size) {
		mr_str rdn = mr_str_split(&key, '\x01');

		while (rdn.size) {
			mr_str ava = mr_str_split(&rdn, '\x02');
			const struct mr_ldap_type *type = mr_ldap_type_find(
			        backend->schema, mr_str_take(ava, mr_str_find(ava, '=')));

			if (!type || type->rule != MR_LDAP_CASE_IGNORE)
				return false;
		}
	}
	return true;
}

static bool carries_tree(const struct mr_backend *backend, mr_str key)
{
	for (size_t i = 0; i < backend->trees.n; i++)
		if (mr_dn_key_is_within(backend->trees.items[i].key, key))
			return true;
	return false;
}

static void read_entry(struct mr_backend *backend, const struct mr_ldap_entry *entry)
{
	size_t tree = mr_ldap_tree_of(backend, entry->key);
	size_t context = mr_ldap_context_of(backend, entry->key);

	if (mr_ldap_check_declared(backend, entry))
		return; /* reported; the others are judged all the same */
	if (context == backend->contexts.n) {
		report_no_context(backend, "entry", entry->dn, &entry->loc);
		return;
	}
	if (tree == backend->trees.n)
		add_tree(backend, backend->context_keys[context], false);
	if (carries_tree(backend, entry->key))
		mr_vec_push(&backend->holders, mr_str_copy(&backend->arena, entry->key));
	if (!is_folded_alike(backend, entry->key))
		mr_vec_push(&backend->exact_dns,
		        (struct mr_ldap_exact_dn){.key = mr_str_copy(&backend->arena, entry->key),
		                .dn = mr_str_copy(&backend->arena, entry->dn)});
}

static int read_entries(struct mr_backend *backend, struct mr_desired *desired)
{
	struct mr_iter iter;
	struct mr_ldap_entry entry;
	int code = mr_desired_begin_ldap_entry(desired, &iter);

	if (code)
		return code;
	while ((code = mr_desired_next_ldap_entry(&iter, &entry)) == 1) {
		code = mr_ldap_ready(backend);
		if (code)
			break;
		read_entry(backend, &entry);
	}
	mr_desired_end(&iter);
	return code;
}

int mr_ldap_collections(
        struct mr_backend *backend, struct mr_desired *desired, struct mr_collections *out)
{
	size_t n_errors = backend->diags->n_errors;
	int code = read_trees(backend, desired);

	if (!code)
		code = read_entries(backend, desired);
	if (code)
		return code;
	if (backend->diags->n_errors > n_errors)
		return MR_E_INVALID;
	mr_vec_each (tree, &backend->trees) {
		struct mr_collection collection = {
		        .name = mr_str_printf(&backend->arena, "ldap/%.*s", MR_FMT(tree->dn)),
		        .target = MR_STR("ldap"),
		        .provider = "openldap",
		        .flags = MR_COLLECTION_PARTIAL | MR_COLLECTION_DELETE_LATE |
		                 (tree->is_exclusive ? MR_COLLECTION_EXCLUSIVE : 0U),
		        .rank = MR_RANK_DIRECTORY,
		        .scope = tree->dn,
		};

		mr_vec_push(&backend->collections, collection);
	}
	*out = (struct mr_collections){
	        .items = backend->collections.items, .n = backend->collections.n};
	return 0;
}

struct projection {
	struct mr_backend *backend;
	struct mr_iter iter;
	mr_str tree_key;
	struct mr_attrs_builder builder;
	struct mr_buf object;
};

static bool belongs(const struct projection *projection, mr_str key)
{
	size_t tree = mr_ldap_tree_of(projection->backend, key);

	return tree < projection->backend->trees.n &&
	       mr_str_eq(projection->backend->trees.items[tree].key, projection->tree_key);
}

static int projection_next(struct mr_cursor *cursor, struct mr_item *out)
{
	struct projection *projection = cursor->state;
	struct mr_ldap_entry entry;
	mr_str name;
	int code;

	do {
		code = mr_desired_next_ldap_entry(&projection->iter, &entry);
		if (code != 1)
			return code;
	} while (!belongs(projection, entry.key));
	*out = (struct mr_item){.key = entry.key, .loc = entry.loc};
	code = mr_ldap_body_convert(
	        projection->backend, entry.body, &projection->builder, &out->body, &name);
	if (code)
		return mr_fail(projection->backend->diags, code,
		        "entry '%.*s' was not judged before it is used", MR_FMT(entry.dn));
	mr_buf_clear(&projection->object);
	mr_buf_add_text(&projection->object, "ldap/");
	mr_buf_add_str(&projection->object, entry.dn);
	out->object = mr_buf_str(&projection->object);
	return 1;
}

static void projection_close(struct mr_cursor *cursor)
{
	struct projection *projection = cursor->state;

	if (!projection)
		return;
	mr_desired_end(&projection->iter);
	mr_attrs_builder_done(&projection->builder);
	mr_buf_done(&projection->object);
	free((char *)projection->tree_key.data);
	free(projection);
	cursor->state = NULL;
}

int mr_ldap_project(struct mr_backend *backend, const struct mr_collection *in,
        struct mr_desired *desired, struct mr_cursor *out)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	struct projection *projection;
	struct mr_ldap_tree_info tree;
	char *key;
	int code = mr_ldap_tree_find(backend, in, &arena, &tree);

	if (code)
		return code;
	projection = mr_xrealloc(NULL, 1, sizeof *projection);
	memset(projection, 0, sizeof *projection);
	key = mr_xrealloc(NULL, 1, tree.key.size);
	memcpy(key, tree.key.data, tree.key.size);
	projection->backend = backend;
	projection->tree_key = (mr_str){key, tree.key.size};
	mr_attrs_builder_init(&projection->builder);
	*out = (struct mr_cursor){
	        .next = projection_next, .close = projection_close, .state = projection};
	code = mr_desired_begin_ldap_entry(desired, &projection->iter);
	if (code)
		mr_cursor_close(out);
	return code;
}
