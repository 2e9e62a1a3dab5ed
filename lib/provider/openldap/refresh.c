/*
 * Mirrors brought up to date: only what moved is read.
 *
 * Deletions come by UUID, either named or by what is left; so the rows of the mirror carry theirs.
 * A renamed subtree is told of by its root alone. Whatever could hide one makes the refresh give
 * up, and the whole is read.
 */
#include <stdlib.h>
#include <string.h>

#include "model/dn.h"
#include "openldap/mirror.h"
#include "openldap/search.h"
#include "openldap/sync.h"

#define CHANGED_LIMIT 20000

struct uuid {
	uint8_t bytes[MR_LDAP_UUID_SIZE];
};

struct moved {
	struct uuid uuid;
	struct mr_item item; /* key.data == NULL: it belongs to another tree now */
	mr_str uuid_text;
	bool has_children;
	bool was_there;
};

struct uuids {
	struct uuid *items;
	size_t n;
	size_t capacity;
};

struct refresh {
	struct mr_backend *backend;
	const struct mr_ldap_tree_info *tree;
	struct mr_arena arena;
	struct mr_attrs_builder builder;
	MR_VEC(struct moved) moved;
	struct uuids gone, present;
	MR_VEC(mr_str) removed; /* keys, in order */
	bool names_gone;
};

static int by_uuid(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct uuid));
}

static bool has_uuid(const struct uuids *uuids, const struct uuid *uuid)
{
	return uuids->n && bsearch(uuid, uuids->items, uuids->n, sizeof *uuid, by_uuid);
}

static void sort_uuids(struct uuids *uuids)
{
	if (uuids->n)
		qsort(uuids->items, uuids->n, sizeof *uuids->items, by_uuid);
}

static int on_uuid(void *arg, mr_str uuid, bool is_gone)
{
	struct refresh *refresh = arg;
	struct uuid copy;

	memcpy(copy.bytes, uuid.data, sizeof copy.bytes);
	if (is_gone)
		mr_vec_push(&refresh->gone, copy);
	else
		mr_vec_push(&refresh->present, copy);
	return 0;
}

static int on_entry(void *arg, LDAPMessage *message, mr_str uuid)
{
	struct refresh *refresh = arg;
	struct moved moved = {0};
	struct mr_ldap_live live;
	mr_str key;

	if (refresh->moved.n == CHANGED_LIMIT ||
	        mr_ldap_live_read(refresh->backend, message, &refresh->builder, &live) ||
	        mr_dn_key(&refresh->arena, live.dn, &key))
		return MR_E_NOT_FOUND;
	memcpy(moved.uuid.bytes, uuid.data, sizeof moved.uuid.bytes);
	moved.has_children = live.has_children;
	if (mr_ldap_tree_has(refresh->backend, refresh->tree, key)) {
		moved.item.key = key;
		moved.item.body = mr_str_copy(&refresh->arena, live.body);
		moved.item.object = mr_str_printf(&refresh->arena, "ldap/%.*s", MR_FMT(live.dn));
		moved.uuid_text = mr_str_copy(&refresh->arena, live.uuid);
	}
	mr_vec_push(&refresh->moved, moved);
	return 0;
}

/* "2 CSN CSN … UUID DIGEST": the CSNs, when all the rest is as in stamp. */
static bool read_csns(mr_str kept, mr_str stamp, mr_str *out)
{
	size_t end = mr_str_rfind(stamp, ' ');
	size_t tail = mr_str_rfind(mr_str_take(stamp, end), ' ');
	mr_str rest = mr_str_skip(stamp, tail);
	size_t head = mr_str_find(stamp, ' ') + 1;

	if (tail <= head || !mr_str_ends(kept, rest) ||
	        !mr_str_starts(kept, mr_str_take(stamp, head)) || kept.size <= head + rest.size)
		return false;
	*out = mr_str_take(mr_str_skip(kept, head), kept.size - head - rest.size);
	return true;
}

static struct moved *find_moved(struct refresh *refresh, const struct uuid *uuid)
{
	/* sorted by their first member */
	return refresh->moved.n ? bsearch(uuid, refresh->moved.items, refresh->moved.n,
	                                  sizeof *refresh->moved.items, by_uuid)
	                        : NULL;
}

static bool is_removed(const struct refresh *refresh, const struct uuid *uuid)
{
	return refresh->names_gone ? has_uuid(&refresh->gone, uuid)
	                           : !has_uuid(&refresh->present, uuid);
}

static int by_bytes(const void *a, const void *b)
{
	return mr_str_cmp(*(const mr_str *)a, *(const mr_str *)b);
}

/* Rows come in key order, so that what is above a row was judged before it. */
static bool is_below_removed(const struct refresh *refresh, mr_str key)
{
	if (!refresh->removed.n)
		return false;
	for (mr_str above = mr_dn_key_parent(key); above.size; above = mr_dn_key_parent(above))
		if (bsearch(&above, refresh->removed.items, refresh->removed.n, sizeof above,
		            by_bytes))
			return true;
	return false;
}

/* One row of the old mirror. MR_E_NOT_FOUND when it shows a rename, here or out of the tree. */
static int judge_row(struct refresh *refresh, const struct mr_item *row)
{
	struct moved *moved;
	struct uuid uuid;

	if (!mr_ldap_mirror_uuid(row->body, uuid.bytes))
		return MR_E_NOT_FOUND;
	moved = find_moved(refresh, &uuid);
	if (!moved && is_removed(refresh, &uuid)) {
		mr_vec_push(&refresh->removed, mr_str_copy(&refresh->arena, row->key));
		return 0;
	}
	if (moved && !(moved->item.key.data && mr_str_eq(moved->item.key, row->key)))
		return MR_E_NOT_FOUND;
	if (moved)
		moved->was_there = true;
	return is_below_removed(refresh, row->key) ? MR_E_NOT_FOUND : 0;
}

static int judge_rows(struct refresh *refresh, mr_str space)
{
	struct mr_cache *cache = refresh->backend->cache;
	struct mr_cursor rows;
	struct mr_item row;
	int code = cache->mirror_read(cache, space, &rows);

	if (code)
		return MR_E_NOT_FOUND;
	while ((code = mr_cursor_next(&rows, &row)) == 1) {
		code = judge_row(refresh, &row);
		if (code)
			break;
	}
	mr_cursor_close(&rows);
	/* an entry that came with children may be a subtree that was moved here, whose inside
	 * nobody tells of */
	mr_vec_each (moved, &refresh->moved) {
		if (moved->has_children && !moved->was_there)
			return MR_E_NOT_FOUND;
	}
	return code ? MR_E_NOT_FOUND : 0;
}

static int write_rows(struct refresh *refresh, mr_str space, mr_str stamp)
{
	struct mr_cache *cache = refresh->backend->cache;
	int code = cache->mirror_begin(cache, space, true);

	if (code)
		return MR_E_NOT_FOUND;
	for (size_t i = 0; i < refresh->removed.n && !code; i++)
		code = cache->mirror_remove(cache, refresh->removed.items[i]);
	for (size_t i = 0; i < refresh->moved.n && !code; i++) {
		const struct moved *moved = &refresh->moved.items[i];

		if (moved->item.key.data)
			code = mr_ldap_mirror_put(refresh->backend, &moved->item, moved->uuid_text,
			        &refresh->builder);
	}
	if (!code)
		code = cache->mirror_commit(cache, stamp);
	else
		cache->mirror_abort(cache);
	return code ? MR_E_NOT_FOUND : 0;
}

static int run(struct refresh *refresh, mr_str space, mr_str cookie, mr_str stamp)
{
	static char *const ATTRIBUTES[] = {
	        LDAP_ALL_USER_ATTRIBUTES, "entryUUID", "hasSubordinates", NULL};
	struct mr_ldap_sync sync = {.dn = refresh->tree->dn,
	        .cookie = cookie,
	        .attributes = ATTRIBUTES,
	        .on_entry = on_entry,
	        .on_uuid = on_uuid,
	        .arg = refresh};
	int code = mr_ldap_sync_run(&refresh->backend->ldap, &sync, &refresh->names_gone);

	if (code)
		return MR_E_NOT_FOUND;
	sort_uuids(&refresh->gone);
	sort_uuids(&refresh->present);
	if (refresh->moved.n)
		qsort(refresh->moved.items, refresh->moved.n, sizeof *refresh->moved.items,
		        by_uuid);
	code = judge_rows(refresh, space);
	return code ? code : write_rows(refresh, space, stamp);
}

int mr_ldap_mirror_refresh(struct mr_backend *backend, const struct mr_ldap_tree_info *tree,
        mr_str space, mr_str stamp)
{
	struct refresh refresh = {.backend = backend, .tree = tree};
	mr_str kept;
	mr_str csns;
	int code = MR_E_NOT_FOUND;

	mr_attrs_builder_init(&refresh.builder);
	if (backend->cache && stamp.size &&
	        backend->cache->mirror_stamp(backend->cache, space, &refresh.arena, &kept) &&
	        read_csns(kept, stamp, &csns))
		code = run(&refresh, space, mr_ldap_sync_cookie(&refresh.arena, csns), stamp);
	mr_vec_done(&refresh.moved);
	mr_vec_done(&refresh.removed);
	mr_vec_done(&refresh.gone);
	mr_vec_done(&refresh.present);
	mr_attrs_builder_done(&refresh.builder);
	mr_arena_done(&refresh.arena);
	return code;
}
