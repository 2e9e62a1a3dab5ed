/*
 * Changes judged by looking at the world.
 */
#include "openldap/judge.h"

#include <string.h>

#include "openldap/check.h"
#include "openldap/compare.h"
#include "openldap/search.h"

static bool attr_holds(const struct mr_backend *backend, const struct mr_attr *attr, mr_str live)
{
	struct mr_attr found;

	if (!mr_attrs_find(live, attr->name, &found))
		return !attr->n_values;
	return mr_ldap_attr_same(backend->schema, attr, &found, backend->seal_key);
}

/* Every attribute that body names is live as body has it. */
static bool body_holds(
        const struct mr_backend *backend, mr_str body, mr_str live, mr_str *out_attribute)
{
	struct mr_attr attr;

	while (mr_attrs_next(&body, &attr) == 1) {
		*out_attribute = attr.name;
		if (!attr_holds(backend, &attr, live))
			return false;
	}
	return true;
}

static bool is_naming(const struct mr_ldap_naming *naming, mr_str name)
{
	for (size_t i = 0; i < naming->n; i++)
		if (mr_str_eq(naming->items[i].type->name, name))
			return true;
	return false;
}

/* What is to be deleted must hold nothing that we did not see. Naming attributes are there unsaid.
 */
static bool has_nothing_else(const struct mr_backend *backend, mr_str dn, mr_str body, mr_str live,
        mr_str *out_attribute)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	struct mr_ldap_naming naming;
	struct mr_attr attr;
	struct mr_attr seen;

	if (mr_ldap_naming_read(backend, dn, &arena, &naming))
		naming.n = 0;
	while (mr_attrs_next(&live, &attr) == 1) {
		*out_attribute = attr.name;
		if (!mr_attrs_find(body, attr.name, &seen) && !is_naming(&naming, attr.name))
			return false;
	}
	return true;
}

static bool is_as_before(const struct mr_backend *backend, const struct mr_change *change,
        mr_str dn, mr_str live, mr_str *out_attribute)
{
	*out_attribute = (mr_str){0};
	if (mr_change_is_create(change) || !live.data)
		return mr_change_is_create(change) && !live.data;
	if (!body_holds(backend, change->before, live, out_attribute))
		return false;
	return !mr_change_is_delete(change) ||
	       has_nothing_else(backend, dn, change->before, live, out_attribute);
}

enum mr_ldap_verdict mr_ldap_judge(const struct mr_backend *backend, const struct mr_change *change,
        mr_str dn, mr_str live, mr_str *out_attribute)
{
	bool is_done = mr_change_is_delete(change) ? !live.data
	                                           : live.data && body_holds(backend, change->after,
	                                                                  live, out_attribute);

	if (is_done)
		return MR_LDAP_AS_AFTER;
	return is_as_before(backend, change, dn, live, out_attribute) ? MR_LDAP_AS_BEFORE
	                                                              : MR_LDAP_NEITHER;
}

int mr_ldap_report_conflict(
        struct mr_backend *backend, const struct mr_change *change, mr_str dn, mr_str attribute)
{
	if (attribute.size)
		mr_diags_at(backend->diags, MR_ERROR, "", &change->loc,
		        "attribute '%.*s' of entry '%.*s' was changed by somebody else",
		        MR_FMT(attribute), MR_FMT(dn));
	else
		mr_diags_at(backend->diags, MR_ERROR, "", &change->loc,
		        "entry '%.*s' was %s by somebody else", MR_FMT(dn),
		        mr_change_is_create(change) ? "made" : "deleted");
	mr_diags_hint(backend->diags, "plan again");
	mr_diags_object(backend->diags, change->object);
	return MR_E_CONFLICT;
}

struct look {
	struct mr_backend *backend;
	struct mr_ldap_operation **operations;
	struct mr_arena *arena;
	struct mr_attrs_builder builder;
};

static int on_entry(void *arg, size_t index, LDAPMessage *message)
{
	struct look *look = arg;
	struct mr_ldap_operation *operation = look->operations[index];
	struct mr_ldap_live live;
	int code = mr_ldap_live_read(look->backend, message, &look->builder, &live);

	if (code)
		return code;
	operation->live = mr_str_copy(look->arena, live.body);
	operation->csn = mr_str_copy(look->arena, live.csn);
	operation->has_children = live.has_children;
	return 0;
}

int mr_ldap_look(struct mr_backend *backend, struct mr_ldap_operation *operations, size_t n,
        struct mr_arena *arena)
{
	static char *const ATTRIBUTES[] = {
	        LDAP_ALL_USER_ATTRIBUTES, "entryCSN", "hasSubordinates", NULL};
	struct mr_ldap_operation **asked = mr_alloc_n(arena, n, sizeof(struct mr_ldap_operation *));
	mr_str *dns = mr_alloc_n(arena, n, sizeof *dns);
	struct look look = {.backend = backend, .operations = asked, .arena = arena};
	struct mr_ldap_search search = {.dns = dns,
	        .scope = LDAP_SCOPE_BASE,
	        .attributes = ATTRIBUTES,
	        .on_entry = on_entry,
	        .arg = &look};
	int code;

	for (size_t i = 0; i < n; i++) {
		if (operations[i].state != MR_LDAP_TODO && operations[i].state != MR_LDAP_UNSURE)
			continue;
		operations[i].live = (mr_str){0};
		asked[search.n] = &operations[i];
		dns[search.n++] = operations[i].dn;
	}
	mr_attrs_builder_init(&look.builder);
	code = mr_ldap_search_run(&backend->ldap, &search);
	mr_attrs_builder_done(&look.builder);
	return code;
}
