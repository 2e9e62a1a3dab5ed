/*
 * Content synchronisation: its messages, once through or for good.
 *
 * libldap's own client for it drops the flag that tells a list of what is left from a list of what
 * is gone, so the messages are decoded here.
 */
#include "openldap/sync.h"

#include <string.h>

#define MODE_REFRESH_ONLY 1
#define MODE_PERSIST      3
#define STATE_PRESENT     0
#define STATE_DELETE      3
#define MESSAGE_TIMEOUT_S 60

struct run {
	struct mr_ldap *ldap;
	const struct mr_ldap_sync *sync;
	bool is_ended;
	bool is_refreshed;
	bool names_gone;
};

static int send_search(struct mr_ldap *ldap, const struct mr_ldap_sync *sync, int *out_id)
{
	BerElement *ber = ber_alloc_t(LBER_USE_DER);
	ber_int_t mode = sync->persists ? MODE_PERSIST : MODE_REFRESH_ONLY;
	struct berval cookie = {.bv_len = sync->cookie.size, .bv_val = (char *)sync->cookie.data};
	LDAPControl control = {.ldctl_oid = (char *)LDAP_CONTROL_SYNC, .ldctl_iscritical = 1};
	LDAPControl *controls[] = {&control, NULL};
	int result = LDAP_ENCODING_ERROR;

	if (ber && ber_printf(ber, "{eO}", mode, &cookie) >= 0 &&
	        ber_flatten2(ber, &control.ldctl_value, 0) >= 0)
		result = ldap_search_ext(ldap->handle, sync->dn.data, LDAP_SCOPE_SUBTREE,
		        "(objectClass=*)", (char **)sync->attributes, 0, controls, NULL, NULL,
		        LDAP_NO_LIMIT, out_id);
	ber_free(ber, 1);
	return result;
}

/* The value of a control as something to read from; NULL when it is not there. */
static BerElement *open_control(LDAPControl **controls, const char *oid)
{
	LDAPControl *control = ldap_control_find(oid, controls, NULL);

	return control ? ber_init(&control->ldctl_value) : NULL;
}

static int on_entry(struct run *run, LDAPMessage *message)
{
	LDAPControl **controls = NULL;
	struct berval uuid = {0};
	BerElement *ber;
	ber_int_t state = -1;
	int code = MR_E_NOT_FOUND;

	if (ldap_get_entry_controls(run->ldap->handle, message, &controls))
		return MR_E_NOT_FOUND;
	ber = open_control(controls, LDAP_CONTROL_SYNC_STATE);
	if (ber && ber_scanf(ber, "{em", &state, &uuid) != LBER_ERROR &&
	        uuid.bv_len == MR_LDAP_UUID_SIZE) {
		mr_str view = {uuid.bv_val, uuid.bv_len};

		if ((state == STATE_PRESENT || state == STATE_DELETE) && !run->sync->persists)
			code = run->sync->on_uuid(run->sync->arg, view, state == STATE_DELETE);
		else
			code = run->sync->on_entry(run->sync->arg, message, view);
	}
	ber_free(ber, 1);
	ldap_controls_free(controls);
	return code;
}

/* [3] { cookie?, refreshDeletes, SET OF uuid } */
static int on_id_set(struct run *run, BerElement *ber)
{
	struct berval cookie;
	struct berval *uuids = NULL;
	ber_len_t length;
	ber_int_t is_gone = 0;
	int code = 0;

	if (ber_scanf(ber, "{") == LBER_ERROR)
		return MR_E_NOT_FOUND;
	if (ber_peek_tag(ber, &length) == LDAP_TAG_SYNC_COOKIE &&
	        ber_scanf(ber, "m", &cookie) == LBER_ERROR)
		return MR_E_NOT_FOUND;
	if (ber_peek_tag(ber, &length) == LDAP_TAG_REFRESHDELETES &&
	        ber_scanf(ber, "b", &is_gone) == LBER_ERROR)
		return MR_E_NOT_FOUND;
	if (ber_scanf(ber, "[W]", &uuids) == LBER_ERROR)
		return MR_E_NOT_FOUND;
	for (size_t i = 0; uuids && uuids[i].bv_val && !code; i++)
		code = uuids[i].bv_len == MR_LDAP_UUID_SIZE
		               ? run->sync->on_uuid(run->sync->arg,
		                         (mr_str){uuids[i].bv_val, uuids[i].bv_len}, is_gone)
		               : MR_E_NOT_FOUND;
	ber_bvarray_free(uuids);
	return code;
}

/* [1], [2] { cookie?, refreshDone } */
static int on_refresh(struct run *run, BerElement *ber)
{
	struct berval cookie;
	ber_int_t is_done = 1; /* unless it says otherwise */
	ber_len_t length;

	if (ber_scanf(ber, "{") == LBER_ERROR)
		return MR_E_NOT_FOUND;
	if (ber_peek_tag(ber, &length) == LDAP_TAG_SYNC_COOKIE &&
	        ber_scanf(ber, "m", &cookie) == LBER_ERROR)
		return MR_E_NOT_FOUND;
	if (ber_peek_tag(ber, &length) == LDAP_TAG_REFRESHDONE &&
	        ber_scanf(ber, "b", &is_done) == LBER_ERROR)
		return MR_E_NOT_FOUND;
	run->is_refreshed = is_done;
	return 0;
}

static int on_intermediate(struct run *run, LDAPMessage *message)
{
	struct berval *value = NULL;
	char *oid = NULL;
	BerElement *ber;
	ber_len_t length;
	int code = 0;

	if (ldap_parse_intermediate(run->ldap->handle, message, &oid, &value, NULL, 0))
		return MR_E_NOT_FOUND;
	ber = value ? ber_init(value) : NULL;
	if (!ber || !oid || strcmp(oid, LDAP_SYNC_INFO) != 0)
		code = MR_E_NOT_FOUND;
	else if (ber_peek_tag(ber, &length) == LDAP_TAG_SYNC_ID_SET && !run->sync->persists)
		code = on_id_set(run, ber);
	else if (ber_peek_tag(ber, &length) == LDAP_TAG_SYNC_REFRESH_DELETE ||
	         ber_peek_tag(ber, &length) == LDAP_TAG_SYNC_REFRESH_PRESENT)
		code = on_refresh(run, ber);
	ber_free(ber, 1);
	ber_bvfree(value);
	ldap_memfree(oid);
	return code;
}

/* { cookie?, refreshDeletes } */
static int on_result(struct run *run, LDAPMessage *message)
{
	LDAPControl **controls = NULL;
	struct berval cookie;
	ber_int_t names_gone = 0;
	ber_len_t length;
	BerElement *ber = NULL;
	int result = LDAP_DECODING_ERROR;
	int code = MR_E_NOT_FOUND;

	run->is_ended = true;
	if (!ldap_parse_result(
	            run->ldap->handle, message, &result, NULL, NULL, NULL, &controls, 0) &&
	        result == LDAP_SUCCESS)
		ber = open_control(controls, LDAP_CONTROL_SYNC_DONE);
	if (ber && ber_scanf(ber, "{") != LBER_ERROR) {
		code = 0;
		if (ber_peek_tag(ber, &length) == LDAP_TAG_SYNC_COOKIE &&
		        ber_scanf(ber, "m", &cookie) == LBER_ERROR)
			code = MR_E_NOT_FOUND;
		if (ber_peek_tag(ber, &length) == LDAP_TAG_REFRESHDELETES &&
		        ber_scanf(ber, "b", &names_gone) == LBER_ERROR)
			code = MR_E_NOT_FOUND;
		run->names_gone = names_gone;
	}
	ber_free(ber, 1);
	ldap_controls_free(controls);
	return code;
}

static int on_message(struct run *run, LDAPMessage *message)
{
	switch (ldap_msgtype(message)) {
	case LDAP_RES_SEARCH_ENTRY:
		return on_entry(run, message);
	case LDAP_RES_INTERMEDIATE:
		return on_intermediate(run, message);
	case LDAP_RES_SEARCH_RESULT:
		return on_result(run, message);
	default:
		return MR_E_NOT_FOUND; /* a reference: the search of the whole says so in words */
	}
}

mr_str mr_ldap_sync_cookie(struct mr_arena *arena, mr_str csns)
{
	mr_str cookie = mr_str_printf(arena, "rid=000,csn=%.*s", MR_FMT(mr_str_trim(csns)));

	for (size_t i = 0; i < cookie.size; i++)
		if (cookie.data[i] == ' ')
			((char *)cookie.data)[i] = ';';
	return cookie;
}

int mr_ldap_sync_run(struct mr_ldap *ldap, const struct mr_ldap_sync *sync, bool *out_names_gone)
{
	struct run run = {.ldap = ldap, .sync = sync};
	int id;
	int code = mr_ldap_connect(ldap);

	if (!code && send_search(ldap, sync, &id))
		code = MR_E_NOT_FOUND;
	while (!code && !run.is_ended) {
		struct timeval timeout = {.tv_sec = MESSAGE_TIMEOUT_S};
		LDAPMessage *message = NULL;
		int type = ldap_result(ldap->handle, id, LDAP_MSG_ONE, &timeout, &message);

		code = type > 0 ? on_message(&run, message) : MR_E_NOT_FOUND;
		ldap_msgfree(message);
	}
	if (code && !run.is_ended)
		mr_ldap_disconnect(ldap); /* answers under way would meet later requests */
	*out_names_gone = run.names_gone;
	return code;
}

int mr_ldap_sync_start(struct mr_ldap *ldap, const struct mr_ldap_sync *sync, int *out_id)
{
	return send_search(ldap, sync, out_id) ? MR_E_NOT_FOUND : 0;
}

static int end_of(struct mr_ldap *ldap, LDAPMessage *message)
{
	int result = LDAP_DECODING_ERROR;

	if (ldap_parse_result(ldap->handle, message, &result, NULL, NULL, NULL, NULL, 0))
		return LDAP_DECODING_ERROR;
	return result ? result : LDAP_SYNC_REFRESH_REQUIRED; /* it was to last */
}

int mr_ldap_sync_take(struct mr_ldap *ldap, const struct mr_ldap_sync *sync, LDAPMessage *message,
        enum mr_ldap_sync_step *out_step, int *out_result)
{
	struct run run = {.ldap = ldap, .sync = sync};
	int code;

	if (ldap_msgtype(message) == LDAP_RES_SEARCH_RESULT) {
		*out_result = end_of(ldap, message);
		*out_step = MR_SYNC_ENDED;
		return 0;
	}
	*out_step = MR_SYNC_GOES_ON;
	if (ldap_msgtype(message) == LDAP_RES_SEARCH_REFERENCE)
		return 0; /* a part that another server holds is no part of ours */
	code = on_message(&run, message);
	if (run.is_refreshed)
		*out_step = MR_SYNC_IS_REFRESHED;
	return code;
}
