/*
 * From keys back to names, and which tree or naming context holds a key.
 */
#include <stdlib.h>
#include <string.h>

#include "model/dn.h"
#include "openldap/backend.h"

#define OBJECT_PREFIX "ldap/"

/* One byte of a value as RFC 4514 2.4 wants it. */
static void add_escaped(struct mr_buf *out, char c, bool is_edge)
{
	if (!c || (unsigned char)c < 0x20 || c == 0x7f)
		mr_buf_printf(out, "\\%02X", (unsigned char)c);
	else if (strchr("\\\",+;<>=", c) || (is_edge && (c == ' ' || c == '#')))
		mr_buf_printf(out, "\\%c", c);
	else
		mr_buf_add_char(out, c);
}

/* "cn=a,b" of a key as "cn=a\,b". Keys mark their own bytes by \3, and a sharp s by a private
 * character. */
static void add_ava(struct mr_buf *out, mr_str ava)
{
	size_t equals = mr_str_find(ava, '=');
	mr_str value = mr_str_skip(ava, equals + 1);

	mr_buf_add_str(out, mr_str_take(ava, equals + 1));
	for (size_t i = 0; i < value.size; i++) {
		char c = value.data[i];

		if (c == '\x03' && i + 1 < value.size) {
			add_escaped(out, (char)(value.data[++i] - '@'), false);
		} else if (mr_str_starts(mr_str_skip(value, i), MR_STR("\xee\x83\x9f"))) {
			mr_buf_add_text(out, "\xc3\x9f");
			i += 2;
		} else {
			add_escaped(out, c, i == 0 || i + 1 == value.size);
		}
	}
}

static void add_rdn(struct mr_buf *out, mr_str rdn)
{
	bool is_first = true;

	while (rdn.data) {
		if (!is_first)
			mr_buf_add_char(out, '+');
		is_first = false;
		add_ava(out, mr_str_split(&rdn, '\x02'));
	}
}

static int by_key(const void *a, const void *b)
{
	return mr_str_cmp(((const struct mr_ldap_exact_dn *)a)->key,
	        ((const struct mr_ldap_exact_dn *)b)->key);
}

static const struct mr_ldap_exact_dn *find_exact(const struct mr_backend *backend, mr_str key)
{
	struct mr_ldap_exact_dn wanted = {.key = key};

	if (!backend->exact_dns.n)
		return NULL;
	return bsearch(
	        &wanted, backend->exact_dns.items, backend->exact_dns.n, sizeof wanted, by_key);
}

mr_str mr_ldap_dn_of_key(const struct mr_backend *backend, struct mr_arena *arena, mr_str key)
{
	MR_DONE(buf) struct mr_buf buf = MR_BUF_INIT;
	const struct mr_ldap_exact_dn *exact = find_exact(backend, key);

	if (exact)
		return mr_str_copy(arena, exact->dn);
	while (key.size) {
		mr_str above = mr_dn_key_parent(key);

		if (buf.size)
			mr_buf_add_char(&buf, ',');
		add_rdn(&buf, mr_str_take(mr_str_skip(key, above.size), key.size - above.size - 1));
		key = above;
	}
	return mr_str_copy(arena, mr_buf_str(&buf));
}

mr_str mr_ldap_dn_of_change(
        const struct mr_backend *backend, struct mr_arena *arena, const struct mr_change *change)
{
	if (mr_str_starts(change->object, MR_STR(OBJECT_PREFIX)))
		return mr_str_copy(arena, mr_str_skip(change->object, strlen(OBJECT_PREFIX)));
	return mr_ldap_dn_of_key(backend, arena, change->key);
}

size_t mr_ldap_context_of(const struct mr_backend *backend, mr_str key)
{
	size_t best = backend->contexts.n;

	for (size_t i = 0; i < backend->contexts.n; i++)
		if (mr_dn_key_is_within(key, backend->context_keys[i]) &&
		        (best == backend->contexts.n ||
		                backend->context_keys[i].size > backend->context_keys[best].size))
			best = i;
	return best;
}

size_t mr_ldap_tree_of(const struct mr_backend *backend, mr_str key)
{
	size_t best = backend->trees.n;

	for (size_t i = 0; i < backend->trees.n; i++)
		if (mr_dn_key_is_within(key, backend->trees.items[i].key) &&
		        (best == backend->trees.n || backend->trees.items[i].key.size >
		                                             backend->trees.items[best].key.size))
			best = i;
	return best;
}

static int by_bytes(const void *a, const void *b)
{
	return mr_str_cmp(*(const mr_str *)a, *(const mr_str *)b);
}

bool mr_ldap_is_holder_declared(const struct mr_backend *backend, mr_str key)
{
	return backend->holders.n &&
	       bsearch(&key, backend->holders.items, backend->holders.n, sizeof key, by_bytes);
}

bool mr_ldap_tree_has(
        const struct mr_backend *backend, const struct mr_ldap_tree_info *tree, mr_str key)
{
	size_t owner = mr_ldap_tree_of(backend, key);

	if (owner < backend->trees.n && !mr_str_eq(backend->trees.items[owner].key, tree->key))
		return false;
	if (!tree->is_exclusive || mr_ldap_is_holder_declared(backend, key))
		return true;
	for (size_t i = 0; i < backend->trees.n; i++)
		if (mr_dn_key_is_within(backend->trees.items[i].key, key))
			return false;
	return true;
}

int mr_ldap_tree_find(struct mr_backend *backend, const struct mr_collection *in,
        struct mr_arena *arena, struct mr_ldap_tree_info *out)
{
	mr_str dn = in->scope.size ? in->scope : mr_str_skip(in->name, strlen(OBJECT_PREFIX));
	mr_str key;

	if (mr_dn_key(arena, dn, &key))
		return mr_fail(backend->diags, MR_E_FAILED, "collection '%.*s' names no tree",
		        MR_FMT(in->name));
	for (size_t i = 0; i < backend->trees.n; i++) {
		if (mr_str_eq(backend->trees.items[i].key, key)) {
			*out = backend->trees.items[i];
			return 0;
		}
	}
	*out = (struct mr_ldap_tree_info){.dn = mr_str_copy(arena, dn), .key = key};
	return 0;
}
