/*
 * Searches, many in flight on one connection.
 *
 * Whatever is not a complete answer is an error: a part of a directory looks just like a smaller
 * directory.
 */
#include "openldap/search.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define WINDOW            64
#define MESSAGE_TIMEOUT_S 60

struct slot {
	size_t index;
	int message_id; /* -1: not sent */
	bool has_entry;
};

struct flight {
	const struct mr_ldap_search *search;
	struct slot slots[WINDOW];
	size_t n;
	size_t next;
	int result; /* of the last failure */
};

static int send_slot(struct mr_ldap *ldap, const struct mr_ldap_search *search, struct slot *slot)
{
	return ldap_search_ext(ldap->handle, search->dns[slot->index].data, search->scope,
	        search->filter ? search->filter : "(objectClass=*)", (char **)search->attributes, 0,
	        NULL, NULL, NULL, LDAP_NO_LIMIT, &slot->message_id);
}

/* Fills the window and sends what is not under way. The protocol's result. */
static int send_all(struct mr_ldap *ldap, struct flight *flight)
{
	while (flight->n < WINDOW && flight->next < flight->search->n)
		flight->slots[flight->n++] =
		        (struct slot){.index = flight->next++, .message_id = -1};
	for (size_t i = 0; i < flight->n; i++) {
		if (flight->slots[i].message_id < 0) {
			int result = send_slot(ldap, flight->search, &flight->slots[i]);

			if (result) {
				flight->slots[i].message_id = -1;
				return result;
			}
		}
	}
	return 0;
}

static struct slot *find_slot(struct flight *flight, int message_id)
{
	for (size_t i = 0; i < flight->n; i++)
		if (flight->slots[i].message_id == message_id)
			return &flight->slots[i];
	return NULL;
}

/* A final result: 0 done, LDAP result codes > 0 that are worth another try into *out_retry, <0
 * reported. */
static int end_slot(struct mr_ldap *ldap, struct flight *flight, struct slot *slot,
        LDAPMessage *message, int *out_retry)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	const struct mr_ldap_search *search = flight->search;
	bool is_base = search->scope == LDAP_SCOPE_BASE;
	struct mr_ldap_result result;

	mr_ldap_result_read(ldap, message, &arena, &result);
	mr_ldap_result_done(&result);
	if (mr_ldap_is_transient(result.code) && (is_base || !slot->has_entry)) {
		*out_retry = result.code;
		return 0;
	}
	if (result.code == LDAP_NO_SUCH_OBJECT && !is_base)
		return MR_E_NOT_FOUND;
	if (result.code == LDAP_SUCCESS && is_base && !slot->has_entry)
		result.code = LDAP_INSUFFICIENT_ACCESS;
	if (result.code && result.code != LDAP_NO_SUCH_OBJECT)
		return mr_ldap_fail(ldap, MR_E_UNREADABLE, is_base ? "read" : "search",
		        search->dns[slot->index], result.code, result.words.data);
	*slot = flight->slots[--flight->n];
	return 0;
}

static int on_message(
        struct mr_ldap *ldap, struct flight *flight, LDAPMessage *message, int *out_retry)
{
	const struct mr_ldap_search *search = flight->search;
	struct slot *slot = find_slot(flight, ldap_msgid(message));

	if (!slot)
		return 0; /* an answer to nothing of ours */
	switch (ldap_msgtype(message)) {
	case LDAP_RES_SEARCH_ENTRY:
		if (slot->has_entry && search->scope == LDAP_SCOPE_BASE)
			return 0; /* asked again after a lost connection */
		slot->has_entry = true;
		return search->on_entry(search->arg, slot->index, message);
	case LDAP_RES_SEARCH_REFERENCE:
		return mr_ldap_fail(ldap, MR_E_UNREADABLE, "search", search->dns[slot->index],
		        LDAP_REFERRAL, "the answer refers to another server for a part");
	case LDAP_RES_SEARCH_RESULT:
		return end_slot(ldap, flight, slot, message, out_retry);
	default:
		return 0;
	}
}

/* A new connection for what was under way; <0 reported. */
static int start_over(struct mr_ldap *ldap, struct flight *flight, unsigned n_tries,
        int64_t deadline_ms, int result)
{
	bool is_repeatable = mr_ldap_is_transient(result);

	for (size_t i = 0; i < flight->n; i++) {
		flight->slots[i].message_id = -1;
		if (flight->slots[i].has_entry && flight->search->scope != LDAP_SCOPE_BASE)
			is_repeatable = false;
	}
	if (!is_repeatable || !mr_ldap_pause(n_tries, deadline_ms))
		return mr_ldap_fail(ldap, MR_E_UNREADABLE, "search",
		        flight->search->dns[flight->slots[0].index], result, NULL);
	mr_ldap_disconnect(ldap);
	return mr_ldap_connect(ldap);
}

/* Waits for one message. 0, an LDAP result in *out_retry, or <0. */
static int receive(struct mr_ldap *ldap, struct flight *flight, int *out_retry)
{
	struct timeval timeout = {.tv_sec = MESSAGE_TIMEOUT_S};
	LDAPMessage *message = NULL;
	int type = ldap_result(ldap->handle, LDAP_RES_ANY, LDAP_MSG_ONE, &timeout, &message);
	int code = 0;

	if (type < 0)
		*out_retry = LDAP_SERVER_DOWN;
	else if (type == 0)
		*out_retry = LDAP_TIMEOUT;
	else
		code = on_message(ldap, flight, message, out_retry);
	ldap_msgfree(message);
	return code;
}

int mr_ldap_search_run(struct mr_ldap *ldap, const struct mr_ldap_search *search)
{
	struct flight flight = {.search = search};
	int64_t deadline_ms = mr_clock_ms() + MR_LDAP_RETRY_MS;
	unsigned n_tries = 0;
	int code = mr_ldap_connect(ldap);

	while (!code) {
		int retry = send_all(ldap, &flight);

		if (!retry && !flight.n)
			return 0;
		if (!retry)
			code = receive(ldap, &flight, &retry);
		if (!code && retry)
			code = start_over(ldap, &flight, n_tries++, deadline_ms, retry);
	}
	/* answers of what is still under way would meet later requests */
	if (flight.n > 1 || code != MR_E_NOT_FOUND)
		mr_ldap_disconnect(ldap);
	return code;
}

static mr_str view_of(const struct berval *value)
{
	return (mr_str){value->bv_val, value->bv_len};
}

static bool is_name(const struct berval *name, const char *text)
{
	return name->bv_len == strlen(text) && !strncasecmp(name->bv_val, text, name->bv_len);
}

/* Operational facts are kept apart from the body. */
static bool take_fact(
        const struct berval *name, const struct berval *values, struct mr_ldap_live *out)
{
	if (is_name(name, "entryCSN"))
		out->csn = view_of(&values[0]);
	else if (is_name(name, "entryUUID"))
		out->uuid = view_of(&values[0]);
	else if (is_name(name, "contextCSN"))
		out->context_csn = view_of(&values[0]);
	else if (is_name(name, "hasSubordinates"))
		out->has_children = is_name(&values[0], "TRUE");
	else
		return false;
	return true;
}

static void add_attribute(struct mr_backend *backend, const struct berval *name,
        const struct berval *values, struct mr_attrs_builder *builder)
{
	const struct mr_ldap_type *type = mr_ldap_type_find(backend->schema, view_of(name));
	unsigned flags = 0;

	if (type && type->is_sensitive)
		flags |= MR_ATTR_SENSITIVE;
	if (type && type->is_binary)
		flags |= MR_ATTR_BINARY;
	mr_attrs_begin(builder, view_of(name), flags);
	for (size_t i = 0; values[i].bv_val; i++)
		mr_attrs_value(builder, view_of(&values[i]));
}

int mr_ldap_live_read(struct mr_backend *backend, LDAPMessage *message,
        struct mr_attrs_builder *builder, struct mr_ldap_live *out)
{
	LDAP *handle = backend->ldap.handle;
	BerElement *ber = NULL;
	struct berval name;
	struct berval *values = NULL;
	int result = ldap_get_dn_ber(handle, message, &ber, &name);

	memset(out, 0, sizeof *out);
	mr_attrs_builder_clear(builder);
	out->dn = view_of(&name);
	while (!result) {
		result = ldap_get_attribute_ber(handle, message, ber, &name, &values);
		if (result || !name.bv_val)
			break;
		if (values && values[0].bv_val && !take_fact(&name, values, out))
			add_attribute(backend, &name, values, builder);
		ber_memfree(values);
		values = NULL;
	}
	ber_free(ber, 0);
	if (result)
		return mr_fail(backend->diags, MR_E_UNREADABLE, "cannot decode entry '%.*s'",
		        MR_FMT(out->dn));
	out->body = mr_attrs_finish(builder);
	return 0;
}
