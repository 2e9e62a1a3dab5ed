/*
 * A desired state that a test writes down itself, and a backend on a private directory.
 *
 * Only what the backend reads of a desired state is here; the rest of that interface belongs to the
 * language.
 */
#ifndef TESTS_OPENLDAP_DECLARED_H
#define TESTS_OPENLDAP_DECLARED_H

#include "directory.h"

#include "model/desired.h"
#include "model/dn.h"
#include "provider/provider.h"

struct declared_entry {
	const char *dn;
	/* "name=value"; the same name again for more values; "name" alone: must be absent */
	const char *attributes[16];
};

struct mr_desired {
	struct mr_arena arena;
	struct mr_ldap_tree trees[8];
	size_t n_trees;
	struct mr_ldap_entry *entries;
	size_t n_entries;
};

static inline void declare_tree(struct mr_desired *desired, const char *dn, bool is_exclusive)
{
	struct mr_ldap_tree *tree = &desired->trees[desired->n_trees++];

	tree->dn = mr_str_from(dn);
	tree->is_exclusive = is_exclusive;
	tree->loc = (struct mr_loc){MR_STR("ldap.yaml"), 1, 1};
	assert_int_equal(mr_dn_key(&desired->arena, tree->dn, &tree->key), 0);
}

static inline mr_str declared_body(struct mr_arena *arena, const char *const *attributes)
{
	struct mr_attrs_builder builder;
	mr_str body;
	mr_str last = {0};

	mr_attrs_builder_init(&builder);
	for (size_t i = 0; attributes[i]; i++) {
		mr_str rest = mr_str_from(attributes[i]);
		mr_str name = mr_str_split(&rest, '=');

		if (!mr_str_eq(name, last))
			mr_attrs_begin(&builder, name, 0);
		if (rest.data)
			mr_attrs_value(&builder, rest);
		last = name;
	}
	body = mr_str_copy(arena, mr_attrs_finish(&builder));
	mr_attrs_builder_done(&builder);
	return body;
}

static inline int by_entry_key(const void *a, const void *b)
{
	return mr_str_cmp(
	        ((const struct mr_ldap_entry *)a)->key, ((const struct mr_ldap_entry *)b)->key);
}

static inline void declare_entries(
        struct mr_desired *desired, const struct declared_entry *entries, size_t n)
{
	desired->entries = mr_alloc_n(&desired->arena, n, sizeof *desired->entries);
	desired->n_entries = n;
	for (size_t i = 0; i < n; i++) {
		struct mr_ldap_entry *entry = &desired->entries[i];

		entry->dn = mr_str_from(entries[i].dn);
		entry->loc = (struct mr_loc){MR_STR("ldap.yaml"), (uint32_t)i + 10, 3};
		entry->body = declared_body(&desired->arena, entries[i].attributes);
		assert_int_equal(mr_dn_key(&desired->arena, entry->dn, &entry->key), 0);
	}
	qsort(desired->entries, n, sizeof *desired->entries, by_entry_key);
}

int mr_desired_begin_ldap_tree(struct mr_desired *desired, struct mr_iter *out)
{
	*out = (struct mr_iter){.desired = desired};
	return 0;
}

int mr_desired_next_ldap_tree(struct mr_iter *iter, struct mr_ldap_tree *out)
{
	size_t at = (size_t)iter->state;

	if (at == iter->desired->n_trees)
		return 0;
	*out = iter->desired->trees[at];
	iter->state = (void *)(at + 1);
	return 1;
}

int mr_desired_begin_ldap_entry(struct mr_desired *desired, struct mr_iter *out)
{
	*out = (struct mr_iter){.desired = desired};
	return 0;
}

int mr_desired_next_ldap_entry(struct mr_iter *iter, struct mr_ldap_entry *out)
{
	size_t at = (size_t)iter->state;

	if (at == iter->desired->n_entries)
		return 0;
	*out = iter->desired->entries[at];
	iter->state = (void *)(at + 1);
	return 1;
}

void mr_desired_end(struct mr_iter *iter)
{
	iter->state = NULL;
}

/* A backend at work on a directory. */
struct bench {
	struct directory directory;
	struct mr_host host;
	struct mr_diags diags;
	struct mr_arena arena;
	struct mr_desired desired;
	struct mr_backend *backend;
	struct mr_collections collections;
};

static const uint8_t SEAL_KEY[32] = "a key that only the tests know.";

static inline void bench_connect(struct bench *bench, struct mr_cache *cache)
{
	struct mr_provider_options options = {
	        .host = &bench->host, .diags = &bench->diags, .cache = cache, .seal_key = SEAL_KEY};

	assert_int_equal(mr_provider_openldap.open(&options, &bench->backend), 0);
}

static inline void bench_disconnect(struct bench *bench)
{
	mr_provider_openldap.close(bench->backend);
	bench->backend = NULL;
	mr_diags_clear(&bench->diags);
}

static inline void bench_open(struct bench *bench, const char *database)
{
	memset(bench, 0, sizeof *bench);
	directory_open(&bench->directory, database);
	mr_diags_init(&bench->diags);
	mr_arena_init(&bench->arena);
	mr_arena_init(&bench->desired.arena);
	bench->host.ldap = (struct mr_host_ldap){.is_managed = true,
	        .uri = mr_str_from(bench->directory.uri),
	        .is_external_bind = true};
	bench_connect(bench, NULL);
}

static inline void bench_close(struct bench *bench)
{
	mr_provider_openldap.close(bench->backend);
	directory_close(&bench->directory);
	mr_diags_done(&bench->diags);
	mr_arena_done(&bench->arena);
	mr_arena_done(&bench->desired.arena);
}

/* Fails the test with what the diagnostics say unless code is as expected. */
static inline void expect(struct bench *bench, int code, int expected)
{
	struct mr_buf text = MR_BUF_INIT;

	if (code == expected)
		return;
	mr_vec_each (diag, &bench->diags.list) {
		mr_diag_format(diag, &text);
		mr_buf_add_char(&text, '\n');
	}
	fail_msg("code %d instead of %d: %s", code, expected, text.data ? text.data : "");
}

static inline bool is_said(struct bench *bench, const char *words)
{
	bool is = false;

	mr_vec_each (diag, &bench->diags.list) {
		struct mr_buf text = MR_BUF_INIT;

		mr_diag_format(diag, &text);
		is = is || strstr(text.data, words);
		mr_buf_done(&text);
	}
	return is;
}

static inline void bench_collections(struct bench *bench, int expected)
{
	expect(bench,
	        mr_provider_openldap.collections(
	                bench->backend, &bench->desired, &bench->collections),
	        expected);
}

/* A change of one entry by DN, with bodies as declared_body takes them; NULL: not there. */
static inline struct mr_change *change_of(
        struct bench *bench, const char *dn, const char *const *before, const char *const *after)
{
	struct mr_change *change = mr_alloc(&bench->arena, sizeof *change);

	change->in = &bench->collections.items[0];
	assert_int_equal(mr_dn_key(&bench->arena, mr_str_from(dn), &change->key), 0);
	change->object = mr_str_printf(&bench->arena, "ldap/%s", dn);
	change->loc = (struct mr_loc){MR_STR("ldap.yaml"), 7, 5};
	if (before)
		change->before = declared_body(&bench->arena, before);
	if (after)
		change->after = declared_body(&bench->arena, after);
	return change;
}

#define BODY(...) ((const char *const[]){__VA_ARGS__, NULL})

#endif
