/*
 * Mirrors of trees.
 *
 * The proof is contextCSN: slapd with the syncprov overlay moves it with every write. An equal one
 * on the same suffix entry means that the tree is as it was read; anything else means to read it
 * again.
 */
#include "openldap/mirror.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "openldap/search.h"

#define FORMAT       "2"
#define SYNC_SECONDS 20

struct suffix_read {
	struct mr_backend *backend;
	struct mr_arena *arena;
	struct mr_ldap_suffix *out;
};

static int by_bytes(const void *a, const void *b)
{
	return mr_str_cmp(*(const mr_str *)a, *(const mr_str *)b);
}

/* All values: one a server that ever wrote. */
static mr_str all_csns(struct suffix_read *read, LDAPMessage *message)
{
	MR_DONE(buf) struct mr_buf buf = MR_BUF_INIT;
	struct berval **values =
	        ldap_get_values_len(read->backend->ldap.handle, message, "contextCSN");
	size_t n = (size_t)ldap_count_values_len(values);
	mr_str *sorted = mr_alloc_n(read->arena, n, sizeof *sorted);

	for (size_t i = 0; i < n; i++)
		sorted[i] = (mr_str){values[i]->bv_val, values[i]->bv_len};
	qsort(sorted, n, sizeof *sorted, by_bytes);
	for (size_t i = 0; i < n; i++) {
		mr_buf_add_str(&buf, sorted[i]);
		mr_buf_add_char(&buf, ' ');
	}
	ldap_value_free_len(values);
	return mr_str_copy(read->arena, mr_buf_str(&buf));
}

static int on_suffix(void *arg, size_t index, LDAPMessage *message)
{
	struct suffix_read *read = arg;
	struct mr_attrs_builder builder;
	struct mr_ldap_live live;
	int code;

	(void)index;
	mr_attrs_builder_init(&builder);
	code = mr_ldap_live_read(read->backend, message, &builder, &live);
	if (!code) {
		read->out->is_there = true;
		read->out->uuid = mr_str_copy(read->arena, live.uuid);
		read->out->csn = all_csns(read, message);
	}
	mr_attrs_builder_done(&builder);
	return code;
}

/* A suffix entry seen once must stay: its absence is a lost right or a moved database sooner than a
 * deletion. */
static int judge_absence(struct mr_backend *backend, const struct mr_ldap_suffix *suffix)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	mr_str name = mr_str_printf(&arena, "openldap/suffix/%.*s", MR_FMT(suffix->dn));
	mr_str known = {0};
	bool is_known = backend->cache && backend->cache->get(backend->cache, name, &arena, &known);

	if (suffix->is_there) {
		if (backend->cache && !(is_known && mr_str_eq(known, suffix->uuid)))
			backend->cache->put(backend->cache, name, suffix->uuid);
		return 0;
	}
	if (!is_known)
		return 0;
	return mr_ldap_fail(&backend->ldap, MR_E_UNREADABLE, "read the suffix", suffix->dn,
	        LDAP_NO_SUCH_OBJECT,
	        "it was there at an earlier run; a lost right to read looks just the same");
}

/* contextCSN stays behind in the database, and stands still, when the overlay is taken away. Only a
 * server with the overlay at this suffix takes a critical Sync Request (here: refreshOnly). */
static bool is_moving(struct mr_backend *backend, mr_str dn)
{
	static char request[] = "\x30\x03\x0a\x01\x01";
	static char *attributes[] = {LDAP_NO_ATTRS, NULL};
	LDAPControl control = {
	        LDAP_CONTROL_SYNC, {sizeof request - 1, request}, .ldctl_iscritical = 1};
	LDAPControl *controls[] = {&control, NULL};
	struct timeval limit = {.tv_sec = SYNC_SECONDS};
	LDAPMessage *answer = NULL;
	int result = ldap_search_ext_s(backend->ldap.handle, dn.data, LDAP_SCOPE_BASE,
	        "(!(objectClass=*))", attributes, 0, controls, NULL, &limit, LDAP_NO_LIMIT,
	        &answer);

	(void)ldap_msgfree(answer);
	return result == LDAP_SUCCESS;
}

int mr_ldap_suffix_read(struct mr_backend *backend, mr_str tree_key, struct mr_arena *arena,
        struct mr_ldap_suffix *out)
{
	static char *const ATTRIBUTES[] = {"entryUUID", "contextCSN", NULL};
	size_t context = mr_ldap_context_of(backend, tree_key);
	struct suffix_read read = {.backend = backend, .arena = arena, .out = out};
	struct mr_ldap_search search = {.n = 1,
	        .scope = LDAP_SCOPE_BASE,
	        .attributes = ATTRIBUTES,
	        .on_entry = on_suffix,
	        .arg = &read};
	int code;

	memset(out, 0, sizeof *out);
	if (context == backend->contexts.n) {
		mr_str dn = mr_ldap_dn_of_key(backend, arena, tree_key);

		return mr_ldap_fail(&backend->ldap, MR_E_UNREADABLE, "find the suffix of", dn,
		        LDAP_NO_SUCH_OBJECT, "no naming context of the server holds it any more");
	}
	out->dn = backend->contexts.items[context];
	search.dns = &out->dn;
	code = mr_ldap_search_run(&backend->ldap, &search);
	if (!code && out->csn.size > 0 && !is_moving(backend, out->dn))
		out->csn = (mr_str){0};
	return code ? code : judge_absence(backend, out);
}

mr_str mr_ldap_mirror_stamp(const struct mr_backend *backend, const struct mr_ldap_tree_info *tree,
        const struct mr_ldap_suffix *suffix, struct mr_arena *arena)
{
	MR_DONE(buf) struct mr_buf buf = MR_BUF_INIT;
	struct mr_digest digest;
	struct mr_hash hash;

	if (!suffix->csn.size || !suffix->uuid.size)
		return (mr_str){0};
	mr_hash_init(&hash);
	mr_hash_add_sized(&hash, tree->key);
	mr_hash_add_sized(&hash, tree->is_exclusive ? MR_STR("exclusive") : MR_STR("shared"));
	for (size_t i = 0; i < backend->trees.n; i++)
		mr_hash_add_sized(&hash, backend->trees.items[i].key);
	for (size_t i = 0; i < backend->holders.n; i++)
		mr_hash_add_sized(&hash, backend->holders.items[i]);
	mr_hash_add_sized(&hash, backend->ldap.host->uri);
	mr_hash_add_sized(&hash,
	        backend->ldap.host->is_external_bind ? MR_STR("") : backend->ldap.host->bind_dn);
	mr_ldap_schema_hash_secrets(backend->schema, &hash);
	digest = mr_hash_final(&hash);
	mr_buf_printf(&buf, FORMAT " %.*s%.*s ", MR_FMT(suffix->csn), MR_FMT(suffix->uuid));
	mr_digest_format(&digest, &buf);
	return mr_str_copy(arena, mr_buf_str(&buf));
}

bool mr_ldap_mirror_holds(struct mr_backend *backend, mr_str space, mr_str stamp)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	mr_str kept;

	return backend->cache && stamp.size &&
	       backend->cache->mirror_stamp(backend->cache, space, &arena, &kept) &&
	       mr_str_eq(kept, stamp);
}

/* A mirror knows key and body; what else belongs to an item goes before the body: "UUID SIZE:NAME".
 */
int mr_ldap_mirror_put(struct mr_backend *backend, const struct mr_item *item, mr_str uuid,
        struct mr_attrs_builder *builder)
{
	MR_DONE(buf) struct mr_buf buf = MR_BUF_INIT;

	mr_buf_printf(&buf, "%.*s %zu:", MR_FMT(uuid), item->object.size);
	mr_buf_add_str(&buf, item->object);
	mr_buf_add_str(&buf, mr_attrs_seal(builder, item->body, backend->seal_key));
	return backend->cache->mirror_put(backend->cache, item->key, mr_buf_str(&buf));
}

bool mr_ldap_mirror_uuid(mr_str row, uint8_t out[16])
{
	mr_str text = mr_str_take(row, mr_str_find(row, ' '));
	size_t n_digits = 0;

	for (size_t i = 0; i < text.size; i++) {
		const char *digits = "0123456789abcdef";
		const char *digit = text.data[i] ? strchr(digits, text.data[i]) : NULL;

		if (text.data[i] == '-')
			continue;
		if (!digit || n_digits == 32)
			return false;
		out[n_digits / 2] =
		        (uint8_t)((n_digits % 2 ? out[n_digits / 2] << 4 : 0) | (digit - digits));
		n_digits++;
	}
	return n_digits == 32;
}

struct mirror {
	struct mr_backend *backend;
	struct mr_cursor inner;
};

static int mirror_next(struct mr_cursor *cursor, struct mr_item *out)
{
	struct mirror *mirror = cursor->state;
	int code = mr_cursor_next(&mirror->inner, out);
	mr_str body = out->body;
	size_t size = 0;

	if (code != 1)
		return code;
	(void)mr_str_split(&body, ' '); /* the UUID is for a refresh */
	for (mr_str digits = mr_str_split(&body, ':'); digits.size; digits = mr_str_skip(digits, 1))
		size = size * 10 + (size_t)(digits.data[0] - '0');
	if (!body.data || size > body.size)
		return mr_fail(mirror->backend->diags, MR_E_FAILED,
		        "the cache of the directory is damaged");
	out->object = mr_str_take(body, size);
	out->body = mr_str_skip(body, size);
	mirror->backend->n_entries++;
	return 1;
}

static void mirror_close(struct mr_cursor *cursor)
{
	struct mirror *mirror = cursor->state;

	if (!mirror)
		return;
	mr_cursor_close(&mirror->inner);
	free(mirror);
	cursor->state = NULL;
}

int mr_ldap_mirror_open(struct mr_backend *backend, mr_str space, struct mr_cursor *out)
{
	struct mr_cursor inner;
	struct mirror *mirror;
	int code = backend->cache->mirror_read(backend->cache, space, &inner);

	if (code)
		return code;
	mirror = mr_xrealloc(NULL, 1, sizeof *mirror);
	*mirror = (struct mirror){.backend = backend, .inner = inner};
	*out = (struct mr_cursor){.next = mirror_next, .close = mirror_close, .state = mirror};
	return 0;
}
