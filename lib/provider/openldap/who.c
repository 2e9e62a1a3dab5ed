/*
 * Who changed an entry: the server's log of accesses (slapo-accesslog(5)) where there is one that
 * we may read, since it knows of single attributes and of what is gone; else the entry's own
 * modifiersName, which is of the last change to it, whatever that was.
 *
 * Nothing here is an error: a plan does not fail for want of a name.
 */
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "model/dn.h"
#include "openldap/backend.h"

#define ANSWER_SECONDS 2
#define ROWS_LIMIT     1000

struct asking {
	struct mr_backend *backend;
	struct mr_arena *arena;
	const char *by_name, *when_name; /* attributes */
	mr_str by, when;                 /* of the newest */
};

static mr_str value_of(struct asking *asking, LDAPMessage *entry, const char *name)
{
	struct berval **values = ldap_get_values_len(asking->backend->ldap.handle, entry, name);
	mr_str value = {0};

	if (values && values[0])
		value = mr_str_copy(asking->arena, (mr_str){values[0]->bv_val, values[0]->bv_len});
	ldap_value_free_len(values);
	return value;
}

/* The newest of what is found; nothing unless all of it was. */
static void ask(struct asking *asking, mr_str dn, int scope, const char *filter)
{
	LDAP *handle = asking->backend->ldap.handle;
	char *attributes[] = {(char *)asking->by_name, (char *)asking->when_name, NULL};
	struct timeval limit = {.tv_sec = ANSWER_SECONDS};
	LDAPMessage *answer = NULL;

	if (!ldap_search_ext_s(handle, mr_str_copy(asking->arena, dn).data, scope, filter,
	            attributes, 0, NULL, NULL, &limit, ROWS_LIMIT, &answer)) {
		for (LDAPMessage *entry = ldap_first_entry(handle, answer); entry;
		        entry = ldap_next_entry(handle, entry)) {
			mr_str when = value_of(asking, entry, asking->when_name);

			if (mr_str_cmp(when, asking->when) <= 0)
				continue;
			asking->when = when;
			asking->by = value_of(asking, entry, asking->by_name);
		}
	}
	ldap_msgfree(answer);
}

static void ask_identity(struct mr_backend *backend)
{
	struct berval *name = NULL;

	if (ldap_whoami_s(backend->ldap.handle, &name, NULL, NULL) || !name)
		return;
	if (name->bv_len > 3 && !strncmp(name->bv_val, "dn:", 3))
		backend->identity =
		        mr_str_copy(&backend->arena, (mr_str){name->bv_val + 3, name->bv_len - 3});
	ber_bvfree(name);
}

static void ask_log(struct mr_backend *backend)
{
	for (size_t i = 0; i < backend->contexts.n && !backend->log.size; i++) {
		struct asking asking = {.backend = backend,
		        .arena = &backend->arena,
		        .by_name = "objectClass",
		        .when_name = "objectClass"};

		ask(&asking, backend->contexts.items[i], LDAP_SCOPE_BASE,
		        "(objectClass=auditContainer)");
		if (asking.when.size > 0)
			backend->log = backend->contexts.items[i];
	}
}

static void add_escaped(struct mr_buf *out, mr_str text)
{
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c < 0x20 || strchr("*()\\", c))
			mr_buf_printf(out, "\\%02x", c);
		else
			mr_buf_add_char(out, (char)c);
	}
}

static void ask_the_log(struct asking *asking, const struct mr_trace_of *of, mr_str dn)
{
	struct mr_buf filter = MR_BUF_INIT;

	asking->by_name = "reqAuthzID";
	asking->when_name = "reqStart";
	mr_buf_add_text(&filter, "(&(reqResult=0)(reqDN=");
	add_escaped(&filter, dn);
	mr_buf_add_char(&filter, ')');
	if (of->is_live) {
		mr_buf_add_text(&filter, "(|(reqMod=");
		add_escaped(&filter, of->attribute);
		mr_buf_add_text(&filter, ":*)(reqType=modrdn))");
	} else {
		mr_buf_add_text(&filter, "(|(reqType=delete)(reqType=modrdn))");
	}
	mr_buf_add_text(&filter, ")");
	ask(asking, asking->backend->log, LDAP_SCOPE_ONELEVEL, filter.data);
	mr_buf_done(&filter);
}

/* "20261122130000.000001Z" as "2026-11-22T13:00:00Z"; empty for anything else. */
static mr_str time_of(struct mr_arena *arena, mr_str text)
{
	const char *d = text.data;

	for (size_t i = 0; i < 14; i++)
		if (i >= text.size || d[i] < '0' || d[i] > '9')
			return (mr_str){0};
	if (d[text.size - 1] != 'Z')
		return (mr_str){0};
	return mr_str_printf(
	        arena, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", d, d + 4, d + 6, d + 8, d + 10, d + 12);
}

/* Written under our own name, and not after our last apply: that was us. */
static bool is_ours(const struct asking *asking, const struct mr_trace_of *of)
{
	mr_str name, own;
	struct mr_buf applied = MR_BUF_INIT;
	bool is;

	mr_time_format(of->applied_at, &applied);
	is = mr_str_cmp(time_of(asking->arena, asking->when), mr_buf_str(&applied)) <= 0 &&
	     !mr_dn_key(asking->arena, asking->by, &name) &&
	     !mr_dn_key(asking->arena, asking->backend->identity, &own) && mr_str_eq(name, own);
	mr_buf_done(&applied);
	return is;
}

void mr_ldap_who(struct mr_backend *backend, const struct mr_trace_of *of, struct mr_arena *arena,
        struct mr_trace *out)
{
	struct asking log = {.backend = backend, .arena = arena};
	struct asking entry = {.backend = backend,
	        .arena = arena,
	        .by_name = "modifiersName",
	        .when_name = "modifyTimestamp"};
	const struct asking *found = &log;
	mr_str dn = mr_ldap_dn_of_key(backend, arena, of->key);

	if (!backend->ldap.handle)
		return;
	if (!backend->has_asked_who) {
		ask_identity(backend);
		ask_log(backend);
		backend->has_asked_who = true;
	}
	if (backend->log.size > 0)
		ask_the_log(&log, of, dn);
	if (!log.by.size && of->is_live) {
		ask(&entry, dn, LDAP_SCOPE_BASE, "(objectClass=*)");
		found = &entry;
	}
	if (!found->by.size || is_ours(found, of))
		return;
	out->by = found->by;
	out->since = time_of(arena, found->when);
}
