/*
 * Changes judged before anything is done: is every entry still as planned, would the schema allow
 * the outcome, is the place above there and the place below free, and does the server itself agree
 * where it can be asked.
 */
#include <stdlib.h>
#include <string.h>

#include "model/dn.h"
#include "openldap/check.h"
#include "openldap/request.h"
#include "openldap/search.h"

#define CHUNK 512

struct staging {
	struct mr_backend *backend;
	const struct mr_change *const *changes; /* all of the transaction */
	size_t n;
	mr_str *made; /* keys, sorted: what will be created */
	size_t n_made;
	mr_str *removed; /* keys, sorted: what will be deleted */
	size_t n_removed;
};

static int by_bytes(const void *a, const void *b)
{
	return mr_str_cmp(*(const mr_str *)a, *(const mr_str *)b);
}

static bool has_key(const mr_str *keys, size_t n, mr_str key)
{
	return bsearch(&key, keys, n, sizeof key, by_bytes);
}

static void sort_keys(struct staging *staging, struct mr_arena *arena)
{
	staging->made = mr_alloc_n(arena, staging->n, sizeof *staging->made);
	staging->removed = mr_alloc_n(arena, staging->n, sizeof *staging->removed);
	for (size_t i = 0; i < staging->n; i++) {
		if (mr_change_is_create(staging->changes[i]))
			staging->made[staging->n_made++] = staging->changes[i]->key;
		else if (mr_change_is_delete(staging->changes[i]))
			staging->removed[staging->n_removed++] = staging->changes[i]->key;
	}
	qsort(staging->made, staging->n_made, sizeof *staging->made, by_bytes);
	qsort(staging->removed, staging->n_removed, sizeof *staging->removed, by_bytes);
}

/* The live entry with the attributes that after names put in place, and what its name demands. */
static mr_str merged(struct mr_backend *backend, const struct mr_ldap_operation *operation,
        struct mr_attrs_builder *builder)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	struct mr_ldap_naming naming;
	mr_str live = operation->live;
	mr_str after = operation->change->after;
	struct mr_attr attr;
	struct mr_attr other;

	mr_attrs_builder_clear(builder);
	while (mr_attrs_next(&live, &attr) == 1)
		if (!mr_attrs_find(operation->change->after, attr.name, &other))
			mr_attrs_add_attr(builder, &attr);
	while (mr_attrs_next(&after, &attr) == 1)
		mr_attrs_add_attr(builder, &attr);
	if (mr_ldap_naming_read(backend, operation->dn, &arena, &naming))
		naming.n = 0;
	for (size_t i = 0; i < naming.n; i++)
		if (!mr_attrs_find(operation->change->after, naming.items[i].type->name, &other) &&
		        !mr_attrs_find(operation->live, naming.items[i].type->name, &other))
			mr_attrs_add(builder, naming.items[i].type->name, 0, naming.items[i].value);
	return mr_attrs_finish(builder);
}

static int check_outcome(struct staging *staging, const struct mr_ldap_operation *operation)
{
	struct mr_attrs_builder builder;
	int code;

	if (mr_change_is_delete(operation->change))
		return 0;
	mr_attrs_builder_init(&builder);
	code = mr_ldap_check_whole(staging->backend, operation->change, operation->dn,
	        merged(staging->backend, operation, &builder));
	mr_attrs_builder_done(&builder);
	return code;
}

struct children {
	struct staging *staging;
	const struct mr_ldap_operation *operation;
};

static int on_child(void *arg, size_t index, LDAPMessage *message)
{
	struct children *children = arg;
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	struct mr_backend *backend = children->staging->backend;
	struct mr_attrs_builder builder;
	struct mr_ldap_live live;
	mr_str dn;
	mr_str key;
	int code;

	(void)index;
	mr_attrs_builder_init(&builder);
	code = mr_ldap_live_read(backend, message, &builder, &live);
	dn = mr_str_copy(&arena, live.dn);
	mr_attrs_builder_done(&builder);
	if (code)
		return code;
	if (!mr_dn_key(&arena, dn, &key) &&
	        has_key(children->staging->removed, children->staging->n_removed, key))
		return 0;
	mr_diags_at(backend->diags, MR_ERROR, "", &children->operation->change->loc,
	        "cannot delete entry '%.*s': entry '%.*s' below it is to stay",
	        MR_FMT(children->operation->dn), MR_FMT(dn));
	mr_diags_object(backend->diags, children->operation->change->object);
	return MR_E_CONFLICT;
}

static int check_children(struct staging *staging, const struct mr_ldap_operation *operation)
{
	static char *const ATTRIBUTES[] = {LDAP_NO_ATTRS, NULL};
	struct children children = {.staging = staging, .operation = operation};
	struct mr_ldap_search search = {.dns = &operation->dn,
	        .n = 1,
	        .scope = LDAP_SCOPE_ONELEVEL,
	        .attributes = ATTRIBUTES,
	        .on_entry = on_child,
	        .arg = &children};
	int code;

	if (!mr_change_is_delete(operation->change) || !operation->live.data ||
	        !operation->has_children)
		return 0;
	code = mr_ldap_search_run(&staging->backend->ldap, &search);
	return code == MR_E_NOT_FOUND ? 0 : code;
}

static int on_parent(void *arg, size_t index, LDAPMessage *message)
{
	(void)index;
	(void)message;
	*(bool *)arg = true;
	return 0;
}

/* Keys come in order, so that brothers follow each other: the last parent that was found is
 * remembered. */
static int check_parent(
        struct staging *staging, const struct mr_ldap_operation *operation, mr_str *known)
{
	static char *const ATTRIBUTES[] = {LDAP_NO_ATTRS, NULL};
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	struct mr_backend *backend = staging->backend;
	mr_str parent = mr_dn_key_parent(operation->change->key);
	size_t context = mr_ldap_context_of(backend, operation->change->key);
	mr_str dn = mr_ldap_dn_of_key(backend, &arena, parent);
	bool is_there = false;
	struct mr_ldap_search search = {.dns = &dn,
	        .n = 1,
	        .scope = LDAP_SCOPE_BASE,
	        .attributes = ATTRIBUTES,
	        .on_entry = on_parent,
	        .arg = &is_there};
	int code;

	if (!mr_change_is_create(operation->change) || mr_str_eq(parent, *known) ||
	        has_key(staging->made, staging->n_made, parent))
		return 0;
	if (context < backend->contexts.n &&
	        mr_str_eq(backend->context_keys[context], operation->change->key))
		return 0; /* the suffix entry itself */
	code = mr_ldap_search_run(&backend->ldap, &search);
	if (code)
		return code;
	*known = parent;
	if (is_there && !has_key(staging->removed, staging->n_removed, parent))
		return 0;
	mr_diags_at(backend->diags, MR_ERROR, "MR-LDAP-TREE", &operation->change->loc,
	        "cannot add entry '%.*s': there is no entry '%.*s' above it", MR_FMT(operation->dn),
	        MR_FMT(dn));
	mr_diags_hint(backend->diags, "declare that entry too");
	mr_diags_object(backend->diags, operation->change->object);
	return MR_E_REJECTED;
}

static int judge(struct staging *staging, struct mr_ldap_operation *operation, mr_str *known_parent)
{
	mr_str attribute = {0};
	enum mr_ldap_verdict verdict = mr_ldap_judge(
	        staging->backend, operation->change, operation->dn, operation->live, &attribute);
	int code;

	if (verdict == MR_LDAP_AS_AFTER) {
		operation->state = MR_LDAP_DONE;
		return 0;
	}
	if (verdict == MR_LDAP_NEITHER)
		return mr_ldap_report_conflict(
		        staging->backend, operation->change, operation->dn, attribute);
	code = check_parent(staging, operation, known_parent);
	if (!code)
		code = check_children(staging, operation);
	return code ? code : check_outcome(staging, operation);
}

/* Answers of the server's own trial that say nothing of the plan as a whole: no such control, a
 * lost connection, or a value that another change of the plan is about to set free. */
static bool is_no_judgement(const struct staging *staging, int result)
{
	return result == LDAP_UNAVAILABLE_CRITICAL_EXTENSION || mr_ldap_is_transient(result) ||
	       (result == LDAP_CONSTRAINT_VIOLATION && staging->n > 1);
}

static int judge_trial(struct staging *staging, const struct mr_ldap_wave *wave)
{
	int code = 0;

	for (size_t i = 0; i < wave->n; i++) {
		struct mr_ldap_operation *operation = &wave->operations[i];
		mr_str attribute = {0};

		if (operation->state != MR_LDAP_UNSURE ||
		        is_no_judgement(staging, operation->result))
			continue;
		if (operation->result == LDAP_ASSERTION_FAILED ||
		        operation->result == LDAP_NO_SUCH_OBJECT) {
			code = mr_ldap_report_conflict(
			        staging->backend, operation->change, operation->dn, attribute);
			continue;
		}
		code = mr_ldap_fail(&staging->backend->ldap, MR_E_REJECTED, "change", operation->dn,
		        operation->result, operation->words.data);
		mr_diags_object(staging->backend->diags, operation->change->object);
	}
	return code;
}

static int ask_server(struct staging *staging, struct mr_ldap_operation *operations, size_t n,
        struct mr_arena *arena)
{
	struct mr_ldap_wave wave = {.backend = staging->backend,
	        .operations = operations,
	        .n = n,
	        .arena = arena,
	        .is_trial = true};
	int code = mr_ldap_wave_send(&wave);

	return code ? code : judge_trial(staging, &wave);
}

static int stage_chunk(struct staging *staging, size_t start, size_t n, mr_str *known_parent)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	struct mr_ldap_operation *operations = mr_alloc_n(&arena, n, sizeof *operations);
	int first = 0;
	int code;

	for (size_t i = 0; i < n; i++) {
		operations[i].change = staging->changes[start + i];
		operations[i].dn =
		        mr_ldap_dn_of_change(staging->backend, &arena, operations[i].change);
	}
	code = mr_ldap_look(staging->backend, operations, n, &arena);
	if (code)
		return code;
	for (size_t i = 0; i < n; i++) {
		code = judge(staging, &operations[i], known_parent);
		first = first ? first : code;
	}
	return first ? first : ask_server(staging, operations, n, &arena);
}

int mr_ldap_stage(struct mr_backend *backend, const struct mr_change *const *changes, size_t n,
        const char *work_directory)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	struct staging staging = {.backend = backend, .changes = changes, .n = n};
	mr_str known_parent = {0};
	int first = 0;
	int code = mr_ldap_ready(backend);

	(void)work_directory; /* nothing is built aside */
	if (code)
		return code;
	sort_keys(&staging, &arena);
	for (size_t start = 0; start < n; start += CHUNK) {
		size_t size = n - start < CHUNK ? n - start : CHUNK;

		code = stage_chunk(&staging, start, size, &known_parent);
		first = first ? first : code;
		if (code && code != MR_E_REJECTED && code != MR_E_CONFLICT)
			break;
	}
	return first;
}
