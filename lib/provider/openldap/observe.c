/*
 * The live entries of a tree as items, in key order.
 *
 * slapd gives entries in the order of its own numbers, so they are sorted on the way: through the
 * cache where there is one (which makes the next read cheap), else in a sorter.
 */
#include <string.h>

#include "model/dn.h"
#include "openldap/mirror.h"
#include "openldap/search.h"

#define SCAN_TRIES 2

/* Where entries go on their way to a cursor: the mirror, or a sorter when there is no cache. */
struct sink {
	struct mr_backend *backend;
	const struct mr_ldap_tree_info *tree; /* NULL: what was asked for by key */
	const struct mr_strs *only;
	struct mr_sorter *sorter;
	struct mr_arena arena;
	struct mr_attrs_builder builder, sealed;
	struct mr_buf object;
	bool is_cache_broken; /* a full disk, most likely: no reason not to read the directory */
};

static void sink_init(struct sink *sink, struct mr_backend *backend)
{
	memset(sink, 0, sizeof *sink);
	sink->backend = backend;
	mr_arena_init(&sink->arena);
	mr_attrs_builder_init(&sink->builder);
	mr_attrs_builder_init(&sink->sealed);
}

static struct mr_sorter *sorter_new(const struct sink *sink)
{
	struct mr_sorter *sorter = mr_sorter_new();

	mr_sorter_report_to(sorter, sink->backend->diags);
	return sorter;
}

static void sink_done(struct sink *sink)
{
	mr_sorter_free(sink->sorter);
	mr_arena_done(&sink->arena);
	mr_attrs_builder_done(&sink->builder);
	mr_attrs_builder_done(&sink->sealed);
	mr_buf_done(&sink->object);
}

static int sink_put(struct sink *sink, mr_str key, const struct mr_ldap_live *live)
{
	struct mr_item item = {.key = key, .body = live->body};
	int code;

	mr_buf_clear(&sink->object);
	mr_buf_add_text(&sink->object, "ldap/");
	mr_buf_add_str(&sink->object, live->dn);
	item.object = mr_buf_str(&sink->object);
	if (!sink->sorter) {
		code = mr_ldap_mirror_put(sink->backend, &item, live->uuid, &sink->sealed);
		sink->is_cache_broken = code != 0;
		return code;
	}
	mr_sorter_add(sink->sorter, &item);
	sink->backend->n_entries += sink->tree ? 1 : 0;
	return 0;
}

static int on_entry(void *arg, size_t index, LDAPMessage *message)
{
	struct sink *sink = arg;
	struct mr_ldap_live live;
	mr_str key;
	int code = mr_ldap_live_read(sink->backend, message, &sink->builder, &live);

	if (code)
		return code;
	if (!sink->tree)
		return sink_put(sink, sink->only->items[index], &live);
	mr_arena_reset(&sink->arena);
	if (mr_dn_key(&sink->arena, live.dn, &key))
		return mr_fail(sink->backend->diags, MR_E_UNREADABLE,
		        "cannot read the name of entry '%.*s'", MR_FMT(live.dn));
	return mr_ldap_tree_has(sink->backend, sink->tree, key) ? sink_put(sink, key, &live) : 0;
}

static int sorted(struct sink *sink, struct mr_cursor *out)
{
	mr_str key;
	int code = mr_sorter_cursor(sink->sorter, out, &key);

	if (!code)
		sink->sorter = NULL; /* the cursor's now */
	else if (code == MR_E_CONFLICT)
		return mr_fail(sink->backend->diags, MR_E_UNREADABLE,
		        "two live entries have names that differ in spelling only: '%.*s'",
		        MR_FMT(mr_ldap_dn_of_key(sink->backend, &sink->arena, key)));
	return code;
}

static int search_tree(struct sink *sink)
{
	static char *const ATTRIBUTES[] = {LDAP_ALL_USER_ATTRIBUTES, "entryUUID", NULL};
	struct mr_ldap_search search = {.dns = &sink->tree->dn,
	        .n = 1,
	        .scope = LDAP_SCOPE_SUBTREE,
	        .attributes = ATTRIBUTES,
	        .on_entry = on_entry,
	        .arg = sink};
	int code = mr_ldap_search_run(&sink->backend->ldap, &search);

	/* the suffix was there just now, so the tree is truly not made yet */
	return code == MR_E_NOT_FOUND ? 0 : code;
}

/* One scan. *stamp moves on to what stands after it; *out_is_still tells whether nothing was
 * written meanwhile. */
static int scan_once(struct sink *sink, struct mr_arena *arena, mr_str *stamp, bool *out_is_still)
{
	struct mr_ldap_suffix suffix;
	mr_str before = *stamp;
	int code = search_tree(sink);

	if (!code)
		code = mr_ldap_suffix_read(sink->backend, sink->tree->key, arena, &suffix);
	if (code)
		return code;
	*stamp = mr_ldap_mirror_stamp(sink->backend, sink->tree, &suffix, arena);
	*out_is_still = mr_str_eq(before, *stamp);
	return 0;
}

/* Reads the tree again when something was written during the first scan: an entry that is renamed
 * meanwhile can be missed. A directory that never rests is taken as last seen, and its mirror
 * proves nothing. */
static int scan(struct sink *sink, mr_str space, mr_str stamp, struct mr_cursor *out)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	struct mr_cache *cache = sink->is_cache_broken ? NULL : sink->backend->cache;
	bool is_still = false;
	int code = 0;

	for (size_t n = 1; n <= SCAN_TRIES && !is_still && !code; n++) {
		bool is_mirrored = cache && !cache->mirror_begin(cache, space, false);

		mr_sorter_free(sink->sorter);
		sink->sorter = is_mirrored ? NULL : sorter_new(sink);
		code = scan_once(sink, &arena, &stamp, &is_still);
		if (is_mirrored && !code && (is_still || n == SCAN_TRIES)) {
			code = cache->mirror_commit(cache, is_still ? stamp : (mr_str){0});
			sink->is_cache_broken = code != 0;
		} else if (is_mirrored) {
			cache->mirror_abort(cache);
		}
	}
	if (code && cache && sink->is_cache_broken)
		return scan(sink, space, stamp, out); /* once more, without the cache */
	if (code)
		return code;
	return sink->sorter ? sorted(sink, out) : mr_ldap_mirror_open(sink->backend, space, out);
}

/* A server whose suffix entry is not made yet, and shall be by us. */
static int judge_missing_suffix(struct mr_backend *backend, const struct mr_ldap_tree_info *tree,
        const struct mr_ldap_suffix *suffix)
{
	size_t context = mr_ldap_context_of(backend, tree->key);

	if (mr_ldap_is_holder_declared(backend, backend->context_keys[context]))
		return 0;
	mr_ldap_fail(&backend->ldap, MR_E_UNREADABLE, "read the suffix", suffix->dn,
	        LDAP_NO_SUCH_OBJECT, "it is not there, or may not be read");
	mr_diags_hint(backend->diags, "declare the entry '%.*s' when it is to be made",
	        MR_FMT(suffix->dn));
	return MR_E_UNREADABLE;
}

static int empty(struct mr_cursor *out)
{
	return mr_sorter_cursor(mr_sorter_new(), out, NULL);
}

static int observe_tree(struct mr_backend *backend, const struct mr_collection *in,
        const struct mr_ldap_tree_info *tree, struct mr_cursor *out)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	struct mr_ldap_suffix suffix;
	struct sink sink;
	mr_str stamp;
	int code = mr_ldap_suffix_read(backend, tree->key, &arena, &suffix);

	if (!code && !suffix.is_there)
		code = judge_missing_suffix(backend, tree, &suffix);
	if (code)
		return code;
	if (!suffix.is_there)
		return empty(out);
	stamp = mr_ldap_mirror_stamp(backend, tree, &suffix, &arena);
	if (mr_ldap_mirror_holds(backend, in->name, stamp))
		return mr_ldap_mirror_open(backend, in->name, out);
	if (!mr_ldap_mirror_refresh(backend, tree, in->name, stamp))
		return mr_ldap_mirror_open(backend, in->name, out);
	sink_init(&sink, backend);
	sink.tree = tree;
	code = scan(&sink, in->name, stamp, out);
	sink_done(&sink);
	return code;
}

static int observe_keys(struct mr_backend *backend, const struct mr_ldap_tree_info *tree,
        const struct mr_strs *only, struct mr_cursor *out)
{
	static char *const ATTRIBUTES[] = {LDAP_ALL_USER_ATTRIBUTES, NULL};
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	mr_str *dns = mr_alloc_n(&arena, only->n, sizeof *dns);
	struct mr_ldap_suffix suffix;
	struct sink sink;
	struct mr_ldap_search search = {.dns = dns,
	        .n = only->n,
	        .scope = LDAP_SCOPE_BASE,
	        .attributes = ATTRIBUTES,
	        .on_entry = on_entry,
	        .arg = &sink};
	int code = mr_ldap_suffix_read(backend, tree->key, &arena, &suffix);

	if (code)
		return code;
	for (size_t i = 0; i < only->n; i++)
		dns[i] = mr_ldap_dn_of_key(backend, &arena, only->items[i]);
	sink_init(&sink, backend);
	sink.only = only;
	sink.sorter = sorter_new(&sink);
	code = mr_ldap_search_run(&backend->ldap, &search);
	if (!code)
		code = sorted(&sink, out);
	sink_done(&sink);
	return code;
}

int mr_ldap_observe(struct mr_backend *backend, const struct mr_collection *in,
        const struct mr_strs *only, struct mr_cursor *out)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	struct mr_ldap_tree_info tree;
	int code = mr_ldap_ready(backend);

	if (!code)
		code = mr_ldap_tree_find(backend, in, &arena, &tree);
	if (!code)
		code = only ? observe_keys(backend, &tree, only, out)
		            : observe_tree(backend, in, &tree, out);
	backend->read = code ? MR_READ_FAILED : MR_READ_COMPLETE;
	return code;
}
