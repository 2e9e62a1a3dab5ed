/*
 * Requests of one wave.
 *
 * Each carries an assertion on the entryCSN that was read, so that what somebody else changed in
 * between is left alone (RFC 4528). slapd works on the requests of a connection in parallel and in
 * any order; a wave therefore never holds two that could meet.
 */
#include "openldap/request.h"

#include <string.h>

#include "openldap/modify.h"

#define WINDOW           32
#define ANSWER_TIMEOUT_S 60

/* The controls of one request: at most an assertion and the no-op. */
struct controls {
	LDAPControl *list[3];
	LDAPControl assertion;
	LDAPControl no_operation;
};

static bool is_plain_csn(mr_str csn)
{
	for (size_t i = 0; i < csn.size; i++)
		if (!strchr("0123456789abcdefABCDEFZ.#", csn.data[i]))
			return false;
	return csn.size;
}

/* (entryCSN=CSN) as RFC 4511 writes an equality filter: context tag 3 over two octet strings. */
static int assertion_value(struct mr_arena *arena, mr_str csn, struct berval *out)
{
	BerElement *ber = ber_alloc_t(LBER_USE_DER);
	struct berval value = {.bv_len = csn.size, .bv_val = (char *)csn.data};
	struct berval *flat = NULL;
	int code = 0;

	if (!ber ||
	        ber_printf(ber, "t{sO}", (ber_tag_t)LDAP_FILTER_EQUALITY, "entryCSN", &value) < 0 ||
	        ber_flatten(ber, &flat))
		code = LDAP_ENCODING_ERROR;
	if (flat) {
		mr_str copy = mr_str_copy(arena, (mr_str){flat->bv_val, flat->bv_len});

		*out = (struct berval){.bv_len = copy.size, .bv_val = (char *)copy.data};
		ber_bvfree(flat);
	}
	ber_free(ber, 1);
	return code;
}

static int make_controls(const struct mr_ldap_wave *wave, const struct mr_ldap_operation *operation,
        struct controls *out)
{
	size_t n = 0;

	memset(out, 0, sizeof *out);
	if (operation->live.data && wave->backend->has_assertion && is_plain_csn(operation->csn)) {
		out->assertion.ldctl_oid = (char *)LDAP_CONTROL_ASSERT;
		out->assertion.ldctl_iscritical = 1;
		if (assertion_value(wave->arena, operation->csn, &out->assertion.ldctl_value))
			return LDAP_ENCODING_ERROR;
		out->list[n++] = &out->assertion;
	}
	if (wave->is_trial) {
		out->no_operation.ldctl_oid = (char *)MR_LDAP_CONTROL_NOOP;
		out->no_operation.ldctl_iscritical = 1;
		out->list[n++] = &out->no_operation;
	}
	return 0;
}

/* The protocol's result goes to *out_result; <0 is reported. */
static int send_modify(struct mr_ldap_wave *wave, struct mr_ldap_operation *operation,
        LDAPControl **controls, int *out_result)
{
	LDAPMod **mods;
	int code = mr_ldap_modifications(wave->backend, operation->live, operation->change->after,
	        wave->is_undo, wave->arena, &mods);

	if (code)
		return code;
	if (mods[0])
		*out_result = ldap_modify_ext(wave->backend->ldap.handle, operation->dn.data, mods,
		        controls, NULL, &operation->message_id);
	else
		operation->state = MR_LDAP_DONE; /* a modify that changes nothing would still wake
		                                    every watcher */
	return 0;
}

static int send_add(struct mr_ldap_wave *wave, struct mr_ldap_operation *operation,
        LDAPControl **controls, int *out_result)
{
	LDAPMod **mods;
	int code = mr_ldap_addition(
	        wave->backend, operation->dn, operation->change->after, wave->arena, &mods);

	if (!code)
		*out_result = ldap_add_ext(wave->backend->ldap.handle, operation->dn.data, mods,
		        controls, NULL, &operation->message_id);
	return code;
}

static int send_one(struct mr_ldap_wave *wave, struct mr_ldap_operation *operation, int *out_result)
{
	struct controls controls;

	operation->n_tries++;
	operation->state = MR_LDAP_UNDER_WAY;
	*out_result = make_controls(wave, operation, &controls);
	if (*out_result)
		return mr_ldap_fail(&wave->backend->ldap, MR_E_FAILED, "guard the change of",
		        operation->dn, *out_result, NULL);
	if (!mr_change_is_delete(operation->change))
		return operation->live.data
		               ? send_modify(wave, operation, controls.list, out_result)
		               : send_add(wave, operation, controls.list, out_result);
	*out_result = ldap_delete_ext(wave->backend->ldap.handle, operation->dn.data, controls.list,
	        NULL, &operation->message_id);
	return 0;
}

bool mr_ldap_is_for_a_look(int result)
{
	static const int RESULTS[] = {LDAP_ASSERTION_FAILED, LDAP_ALREADY_EXISTS,
	        LDAP_NO_SUCH_OBJECT, LDAP_NO_SUCH_ATTRIBUTE, LDAP_TYPE_OR_VALUE_EXISTS,
	        LDAP_NOT_ALLOWED_ON_NONLEAF};

	for (size_t i = 0; i < sizeof RESULTS / sizeof RESULTS[0]; i++)
		if (result == RESULTS[i])
			return true;
	return mr_ldap_is_transient(result);
}

static void settle(
        struct mr_ldap_wave *wave, struct mr_ldap_operation *operation, int result, mr_str words)
{
	bool is_fine = result == (wave->is_trial ? MR_LDAP_NO_OPERATION : LDAP_SUCCESS);

	operation->state = is_fine ? MR_LDAP_DONE : MR_LDAP_UNSURE;
	operation->result = result;
	operation->words = words;
	if (!is_fine && !wave->is_trial && !mr_ldap_is_for_a_look(result))
		wave->is_stopped = true;
}

static void lose_connection(struct mr_ldap_wave *wave, int result)
{
	for (size_t i = 0; i < wave->n; i++)
		if (wave->operations[i].state == MR_LDAP_UNDER_WAY)
			settle(wave, &wave->operations[i], result, (mr_str){0});
	mr_ldap_disconnect(&wave->backend->ldap);
}

static bool is_wanted(const struct mr_ldap_wave *wave, const struct mr_ldap_operation *operation)
{
	if (operation->state != MR_LDAP_TODO)
		return false;
	return !wave->is_trial || (operation->live.data && !mr_change_is_delete(operation->change));
}

static void take_answer(struct mr_ldap_wave *wave, LDAPMessage *message, size_t *n_under_way)
{
	struct mr_ldap_result result;

	for (size_t i = 0; i < wave->n; i++) {
		struct mr_ldap_operation *operation = &wave->operations[i];

		if (operation->state != MR_LDAP_UNDER_WAY ||
		        operation->message_id != ldap_msgid(message))
			continue;
		mr_ldap_result_read(&wave->backend->ldap, message, wave->arena, &result);
		mr_ldap_result_done(&result);
		settle(wave, operation, result.code, result.words);
		--*n_under_way;
		return;
	}
}

/* Waits for one answer; false when the connection is lost. */
static bool receive_one(struct mr_ldap_wave *wave, size_t *n_under_way)
{
	struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT_S};
	LDAPMessage *message = NULL;
	int type = ldap_result(
	        wave->backend->ldap.handle, LDAP_RES_ANY, LDAP_MSG_ALL, &timeout, &message);

	if (type > 0)
		take_answer(wave, message, n_under_way);
	ldap_msgfree(message);
	if (type > 0)
		return true;
	lose_connection(wave, type ? LDAP_SERVER_DOWN : LDAP_TIMEOUT);
	return false;
}

/* Fills the window from *next on. */
static int send_more(struct mr_ldap_wave *wave, size_t *next, size_t *n_under_way)
{
	for (; *next < wave->n && *n_under_way < WINDOW && !wave->is_stopped; ++*next) {
		struct mr_ldap_operation *operation = &wave->operations[*next];
		int result = 0;
		int code;

		if (!is_wanted(wave, operation))
			continue;
		code = send_one(wave, operation, &result);
		if (code || result)
			lose_connection(wave, result ? result : LDAP_LOCAL_ERROR);
		if (code || result)
			return code ? code : MR_E_STOPPED;
		*n_under_way += operation->state == MR_LDAP_UNDER_WAY;
	}
	return 0;
}

int mr_ldap_wave_send(struct mr_ldap_wave *wave)
{
	size_t n_under_way = 0;
	size_t next = 0;
	int code = mr_ldap_connect(&wave->backend->ldap);

	while (!code) {
		code = send_more(wave, &next, &n_under_way);
		if (!code && !n_under_way)
			return 0;
		if (!code && !receive_one(wave, &n_under_way))
			return 0;
	}
	return code == MR_E_STOPPED ? 0
	                            : code; /* the connection broke: what was under way is UNSURE */
}
