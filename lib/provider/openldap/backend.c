/*
 * The OpenLDAP backend: opening, the first contact, and the table of its operations.
 */
#include "openldap/backend.h"

#include <stdlib.h>
#include <string.h>

#include "model/dn.h"
#include "openldap/compare.h"
#include "openldap/mirror.h"
#include "openldap/search.h"
#include "openldap/watch.h"

static int backend_open(const struct mr_provider_options *options, struct mr_backend **out)
{
	struct mr_backend *backend = mr_xrealloc(NULL, 1, sizeof *backend);

	memset(backend, 0, sizeof *backend);
	backend->diags = options->diags;
	backend->cache = options->cache;
	if (options->seal_key)
		memcpy(backend->seal_key, options->seal_key, sizeof backend->seal_key);
	else
		backend->cache = NULL; /* nothing to seal secrets with */
	backend->ldap.diags = options->diags;
	backend->ldap.host = &options->host->ldap;
	mr_arena_init(&backend->arena);
	*out = backend;
	return 0;
}

static void backend_close(struct mr_backend *backend)
{
	if (!backend)
		return;
	mr_ldap_disconnect(&backend->ldap);
	mr_vec_done(&backend->trees);
	mr_vec_done(&backend->collections);
	mr_vec_done(&backend->exact_dns);
	mr_vec_done(&backend->holders);
	mr_arena_done(&backend->arena);
	explicit_bzero(backend->seal_key, sizeof backend->seal_key);
	free(backend);
}

static mr_str first_value(struct mr_backend *backend, LDAPMessage *entry, const char *attribute)
{
	struct berval **values = ldap_get_values_len(backend->ldap.handle, entry, attribute);
	mr_str value = {0};

	if (values && values[0])
		value = mr_str_copy(
		        &backend->arena, (mr_str){values[0]->bv_val, values[0]->bv_len});
	ldap_value_free_len(values);
	return value;
}

static void take_contexts(struct mr_backend *backend, LDAPMessage *entry)
{
	struct berval **values = ldap_get_values_len(backend->ldap.handle, entry, "namingContexts");
	size_t n = (size_t)ldap_count_values_len(values);

	backend->contexts.items = mr_alloc_n(&backend->arena, n, sizeof *backend->contexts.items);
	backend->context_keys = mr_alloc_n(&backend->arena, n, sizeof *backend->context_keys);
	for (size_t i = 0; i < n; i++) {
		mr_str dn = mr_str_copy(
		        &backend->arena, (mr_str){values[i]->bv_val, values[i]->bv_len});
		size_t at = backend->contexts.n;

		if (mr_dn_key(&backend->arena, dn, &backend->context_keys[at]))
			continue; /* the empty context of a root database holds nothing of ours */
		backend->contexts.items[backend->contexts.n++] = dn;
	}
	ldap_value_free_len(values);
}

static void take_controls(struct mr_backend *backend, LDAPMessage *entry)
{
	struct berval **values =
	        ldap_get_values_len(backend->ldap.handle, entry, "supportedControl");

	for (size_t i = 0; values && values[i]; i++)
		if (!strcmp(values[i]->bv_val, LDAP_CONTROL_ASSERT))
			backend->has_assertion = true;
	ldap_value_free_len(values);
}

static int read_root(struct mr_backend *backend, mr_str *out_subschema)
{
	char *attributes[] = {
	        "namingContexts", "subschemaSubentry", "supportedControl", "vendorVersion", NULL};
	LDAPMessage *answer = NULL;
	LDAPMessage *entry;
	int result = ldap_search_ext_s(backend->ldap.handle, "", LDAP_SCOPE_BASE, "(objectClass=*)",
	        attributes, 0, NULL, NULL, NULL, 0, &answer);

	entry = answer ? ldap_first_entry(backend->ldap.handle, answer) : NULL;
	if (!result && entry) {
		take_contexts(backend, entry);
		take_controls(backend, entry);
		*out_subschema = first_value(backend, entry, "subschemaSubentry");
		backend->version = first_value(backend, entry, "vendorVersion");
	}
	ldap_msgfree(answer);
	if (result || !entry)
		return mr_ldap_fail(&backend->ldap, MR_E_UNREADABLE, "read the root DSE",
		        (mr_str){0}, result ? result : LDAP_INSUFFICIENT_ACCESS, NULL);
	if (!out_subschema->size)
		return mr_ldap_fail(&backend->ldap, MR_E_UNREADABLE, "find the schema", MR_STR(""),
		        LDAP_NO_SUCH_ATTRIBUTE, "the root DSE shows no subschemaSubentry");
	return 0;
}

/* slapd tells its version only where the monitor database is configured. */
static void read_version(struct mr_backend *backend)
{
	char *attributes[] = {"monitoredInfo", NULL};
	LDAPMessage *answer = NULL;
	LDAPMessage *entry;

	if (!ldap_search_ext_s(backend->ldap.handle, "cn=Monitor", LDAP_SCOPE_BASE,
	            "(objectClass=*)", attributes, 0, NULL, NULL, NULL, 0, &answer)) {
		entry = ldap_first_entry(backend->ldap.handle, answer);
		if (entry)
			backend->version = first_value(backend, entry, "monitoredInfo");
	}
	ldap_msgfree(answer);
	if (!backend->version.size)
		backend->version = MR_STR("OpenLDAP");
}

int mr_ldap_ready(struct mr_backend *backend)
{
	mr_str subschema = {0};
	int code = mr_ldap_connect(&backend->ldap);

	if (code || backend->schema)
		return code;
	code = read_root(backend, &subschema);
	if (code)
		return code;
	if (!backend->version.size)
		read_version(backend);
	return mr_ldap_schema_read(&backend->ldap, subschema, &backend->arena, &backend->schema);
}

static int backend_describe(struct mr_backend *backend, struct mr_live_info *out)
{
	*out = (struct mr_live_info){
	        .version = backend->version, .read = backend->read, .entries = backend->n_entries};
	return 0;
}

/* "OpenLDAP: slapd 2.5.13+dfsg-5 (Jul …)" -> "2.5.13+dfsg-5"; empty when it does not tell. */
static mr_str number_of(mr_str version)
{
	size_t i = 0;

	while (i < version.size && (version.data[i] < '0' || version.data[i] > '9'))
		i++;
	version = mr_str_skip(version, i);
	return mr_str_take(version, mr_str_find(version, ' '));
}

static int backend_inspect(struct mr_backend *backend, struct mr_inspection *out)
{
	int code = mr_ldap_ready(backend);

	*out = (struct mr_inspection){
	        .version = number_of(backend->version), .is_running = !code, .must_run = true};
	if (!code && out->version.size && !mr_str_starts(out->version, MR_STR("2.")))
		out->supported = "OpenLDAP 2";
	return code;
}

static bool backend_same(struct mr_backend *backend, const struct mr_collection *in,
        const struct mr_attr *desired, const struct mr_attr *live)
{
	(void)in;
	if (!backend->schema)
		return mr_attr_same(desired, live, backend->seal_key);
	return mr_ldap_attr_same(backend->schema, desired, live, backend->seal_key);
}

static enum mr_activation backend_activation(
        struct mr_backend *backend, const struct mr_change *const *changes, size_t n)
{
	(void)backend;
	(void)changes;
	(void)n;
	return MR_ACTIVATE_NOTHING; /* a directory's content is in force as soon as it is written */
}

static int backend_activate(struct mr_backend *backend, const struct mr_change *const *changes,
        size_t n, enum mr_activation what, bool is_undo)
{
	(void)backend;
	(void)changes;
	(void)n;
	(void)what;
	(void)is_undo;
	return 0;
}

static int accept_entry(void *arg, size_t index, LDAPMessage *entry)
{
	(void)index;
	(void)entry;
	*(size_t *)arg += 1;
	return 0;
}

static int backend_probe(struct mr_backend *backend)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	char *attributes[] = {LDAP_NO_ATTRS, NULL};
	size_t n_found = 0;
	mr_str *dns = mr_alloc_n(&arena, backend->trees.n, sizeof *dns);
	struct mr_ldap_search search = {.dns = dns,
	        .scope = LDAP_SCOPE_BASE,
	        .attributes = attributes,
	        .on_entry = accept_entry,
	        .arg = &n_found};
	int code;

	/* a new connection: that of the apply says nothing of whether others get in */
	mr_ldap_disconnect(&backend->ldap);
	code = mr_ldap_ready(backend);
	for (size_t i = 0; i < backend->trees.n; i++) {
		size_t context = mr_ldap_context_of(backend, backend->trees.items[i].key);

		if (context < backend->contexts.n)
			dns[search.n++] = backend->contexts.items[context];
	}
	if (!code)
		code = mr_ldap_search_run(&backend->ldap, &search);
	if (!code && n_found < search.n)
		code = mr_fail(backend->diags, MR_E_FAILED,
		        "the directory on '%.*s' has lost a suffix entry",
		        MR_FMT(backend->ldap.host->uri));
	return code ? MR_E_FAILED : 0;
}

static int backend_finish(struct mr_backend *backend, const char *work_directory, bool was_applied)
{
	(void)backend;
	(void)work_directory;
	(void)was_applied;
	return 0; /* nothing is built aside */
}

/* contextCSN of every suffix, with who we are there. A server that keeps none can prove nothing. */
static bool backend_fingerprint(struct mr_backend *backend, struct mr_fingerprint *print)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	bool is_proof = mr_ldap_ready(backend) == 0 && backend->contexts.n > 0;

	mr_hash_add_sized(&print->hash, backend->ldap.host->uri);
	mr_hash_add_sized(&print->hash, backend->ldap.host->bind_dn);
	for (size_t i = 0; i < backend->contexts.n && is_proof; i++) {
		struct mr_ldap_suffix suffix;
		mr_str key;

		is_proof = mr_dn_key(&arena, backend->contexts.items[i], &key) == 0 &&
		           mr_ldap_suffix_read(backend, key, &arena, &suffix) == 0 &&
		           suffix.csn.size > 0 && suffix.uuid.size > 0;
		if (!is_proof)
			break;
		mr_hash_add_sized(&print->hash, suffix.csn);
		mr_hash_add_sized(&print->hash, suffix.uuid);
	}
	return is_proof;
}

const struct mr_provider mr_provider_openldap = {
        .name = "openldap",
        .open = backend_open,
        .close = backend_close,
        .describe = backend_describe,
        .inspect = backend_inspect,
        .fingerprint = backend_fingerprint,
        .watch = mr_ldap_watch,
        .who = mr_ldap_who,
        .collections = mr_ldap_collections,
        .project = mr_ldap_project,
        .observe = mr_ldap_observe,
        .same = backend_same,
        .stage = mr_ldap_stage,
        .apply = mr_ldap_apply,
        .activation = backend_activation,
        .activate = backend_activate,
        .probe = backend_probe,
        .finish = backend_finish,
};
