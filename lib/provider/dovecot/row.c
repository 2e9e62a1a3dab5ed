/*
 * One row of the passwd-file: address:password:uid:gid:name:home:state:fields. Dovecot reads
 * neither the fifth field nor the seventh: there stand the user's name and "STATE/SERVICES", so
 * that a row says by itself what it was made from.
 */
#include "dovecot/dovecot.h"

#include <string.h>

#include "base/text.h"

/* What a row holds instead of no password: no password matches it. */
#define LOCKED "{SHA512-CRYPT}!"

/* clang-format off */
static const struct {
	mr_str name;
	unsigned bit;
	unsigned denied; /* where a user without this service is named */
} services[] = {
	{MR_STR_INIT("imap"),       MR_SERVICE_IMAP,       1 << MR_DENY_IMAP},
	{MR_STR_INIT("pop3"),       MR_SERVICE_POP3,       1 << MR_DENY_POP3},
	{MR_STR_INIT("sieve"),      MR_SERVICE_SIEVE,      1 << MR_DENY_SIEVE},
	{MR_STR_INIT("submission"), MR_SERVICE_SUBMISSION, 1 << MR_DENY_SMTP | 1 << MR_DENY_SUBMISSION},
};
/* clang-format on */
#define N_SERVICES     (sizeof services / sizeof *services)
#define DENIES_SENDING (1U << MR_DENY_SMTP | 1U << MR_DENY_SUBMISSION)

bool mr_dovecot_row_parse(mr_str line, struct mr_dovecot_row *out)
{
	mr_str *const fields[] = {&out->address, &out->password, &out->uid, &out->gid, &out->name,
	        &out->home, &out->state};

	*out = (struct mr_dovecot_row){0};
	if (mr_str_find(line, ':') == line.size || line.data[0] == ':')
		return false;
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		*fields[i] = mr_str_split(&line, ':');
	out->extra = line;
	return true;
}

unsigned mr_dovecot_denied_of(enum mr_user_state state, unsigned bits)
{
	unsigned denied = 0;

	if (state == MR_USER_NO_LOGIN || state == MR_USER_CLOSED)
		return 1 << MR_DENY_ALL;
	if (state == MR_USER_RECEIVE_ONLY)
		denied |= DENIES_SENDING;
	for (size_t i = 0; i < N_SERVICES; i++)
		if (!(bits & services[i].bit))
			denied |= services[i].denied;
	return denied;
}

static bool state_parse(mr_str name, enum mr_user_state *out)
{
	for (enum mr_user_state state = 0; state < MR_USER_STATE_COUNT; state++) {
		if (!mr_str_is(name, mr_user_state_name(state)))
			continue;
		*out = state;
		return true;
	}
	return false;
}

static bool service_parse(mr_str name, unsigned *bits)
{
	for (size_t i = 0; i < N_SERVICES; i++) {
		if (!mr_str_eq(name, services[i].name))
			continue;
		*bits |= services[i].bit;
		return true;
	}
	return false;
}

/* "receive_only/imap,submission" */
static bool standing_parse(mr_str text, enum mr_user_state *state, unsigned *bits)
{
	*bits = 0;
	if (!state_parse(mr_str_split(&text, '/'), state))
		return false;
	while (text.size > 0)
		if (!service_parse(mr_str_split(&text, ','), bits))
			return false;
	return true;
}

/* The state and services that the deny files really make, said as near to the row's own words as
 * can be. */
static void correct(unsigned denied, enum mr_user_state *state, unsigned *bits)
{
	if (mr_dovecot_denied_of(*state, *bits) == denied)
		return;
	if (denied & 1 << MR_DENY_ALL) {
		*state = MR_USER_NO_LOGIN;
		return;
	}
	if (*state == MR_USER_NO_LOGIN ||
	        (*state == MR_USER_RECEIVE_ONLY && (denied & DENIES_SENDING) != DENIES_SENDING))
		*state = MR_USER_ACTIVE;
	for (size_t i = 0; i < N_SERVICES; i++) {
		bool is_sending = services[i].bit == MR_SERVICE_SUBMISSION;

		if (*state == MR_USER_RECEIVE_ONLY && is_sending)
			continue;
		if (denied & services[i].denied)
			*bits &= ~services[i].bit;
		else
			*bits |= services[i].bit;
	}
}

/* ':' ends a field, '%' is our escape. */
static bool needs_escape(char c)
{
	return c == ':' || c == '%' || (unsigned char)c < 0x20 || c == 0x7f;
}

static void escape(mr_str text, struct mr_buf *out)
{
	for (size_t i = 0; i < text.size; i++)
		if (needs_escape(text.data[i]))
			mr_buf_printf(out, "%%%02X", (unsigned char)text.data[i]);
		else
			mr_buf_add_char(out, text.data[i]);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void unescape(mr_str text, struct mr_buf *out)
{
	for (size_t i = 0; i < text.size; i++) {
		int high = -1, low = -1;

		if (text.data[i] == '%' && i + 2 < text.size) {
			high = hex_digit(text.data[i + 1]);
			low = hex_digit(text.data[i + 2]);
		}
		mr_buf_add_char(
		        out, high >= 0 && low >= 0 ? (char)(high * 16 + low) : text.data[i]);
		if (high >= 0 && low >= 0)
			i += 2;
	}
}

/* What stands behind the seventh colon, taken apart. */
struct fields {
	mr_str allow_nets;
	struct mr_dovecot_quota quota;
	mr_str others[16];
	size_t n_others;
};

static void fields_parse(const struct mr_dovecot_version *version, mr_str extra, struct fields *out)
{
	*out = (struct fields){0};
	while (extra.size > 0) {
		mr_str rest = mr_str_split(&extra, ' '), field = rest;
		mr_str name = mr_str_split(&rest, '=');

		if (field.size == 0)
			continue;
		if (mr_str_is(name, "allow_nets") && !out->allow_nets.data)
			out->allow_nets = rest;
		else if (!version->quota_read(name, rest, &out->quota) &&
		         out->n_others < sizeof out->others / sizeof *out->others)
			out->others[out->n_others++] = field;
	}
}

static void add_list(struct mr_attrs_builder *builder, mr_str name, mr_str list)
{
	if (list.size == 0)
		return;
	mr_attrs_begin(builder, name, 0);
	while (list.size > 0)
		mr_attrs_value(builder, mr_str_split(&list, ','));
}

void mr_dovecot_add_services(struct mr_attrs_builder *builder, unsigned bits)
{
	if (!(bits & MR_SERVICE_ALL))
		return;
	mr_attrs_begin(builder, MR_STR("services"), 0);
	for (size_t i = 0; i < N_SERVICES; i++)
		if (bits & services[i].bit)
			mr_attrs_value(builder, services[i].name);
}

static void add_text(struct mr_attrs_builder *builder, mr_str name, unsigned flags, mr_str value)
{
	if (value.size)
		mr_attrs_add(builder, name, flags, value);
}

/* "1536M", "1000B"; what "1000" counts depends on the version. Anything else is shown as it stands.
 */
static void add_quota(
        const struct mr_dovecot_version *version, struct mr_attrs_builder *builder, mr_str storage)
{
	struct mr_buf text = MR_BUF_INIT;
	char unit = storage.size ? storage.data[storage.size - 1] : 0;
	uint64_t bytes = 0;
	int code;

	if (storage.size == 0)
		return;
	code = mr_size_parse(
	        unit == 'B' ? mr_str_take(storage, storage.size - 1) : storage, &bytes);
	if (unit >= '0' && unit <= '9' &&
	        __builtin_mul_overflow(bytes, version->quota_unit, &bytes))
		code = MR_E_INVALID;
	if (code)
		mr_buf_add_str(&text, storage);
	else if (bytes == 0)
		mr_buf_add_text(&text, "unlimited");
	else
		mr_size_format(bytes, &text);
	mr_attrs_add(builder, MR_STR("quota"), 0, mr_buf_str(&text));
	mr_buf_done(&text);
}

static void add_name(struct mr_attrs_builder *builder, mr_str name)
{
	struct mr_buf text = MR_BUF_INIT;

	if (mr_str_find(name, '%') == name.size) {
		add_text(builder, MR_STR("name"), 0, name);
		return;
	}
	unescape(name, &text);
	add_text(builder, MR_STR("name"), 0, mr_buf_str(&text));
	mr_buf_done(&text);
}

mr_str mr_dovecot_row_body(const struct mr_dovecot_version *version,
        struct mr_attrs_builder *builder, const struct mr_dovecot_row *row, unsigned denied)
{
	enum mr_user_state state = MR_USER_ACTIVE;
	unsigned bits = MR_SERVICE_ALL;
	bool is_standing_known = standing_parse(row->state, &state, &bits);
	struct fields fields;

	if (!is_standing_known) {
		state = MR_USER_ACTIVE;
		bits = MR_SERVICE_ALL;
	}
	correct(denied, &state, &bits);
	fields_parse(version, row->extra, &fields);
	mr_attrs_builder_clear(builder);
	add_list(builder, MR_STR("allow_nets"), fields.allow_nets);
	if (fields.n_others || (!is_standing_known && row->state.size)) {
		mr_attrs_begin(builder, MR_STR("fields"), 0);
		for (size_t i = 0; i < fields.n_others; i++)
			mr_attrs_value(builder, fields.others[i]);
		if (!is_standing_known && row->state.size)
			mr_attrs_value(builder, row->state);
	}
	add_text(builder, MR_STR("gid"), MR_ATTR_SILENT, row->gid);
	add_text(builder, MR_STR("mail_home"), 0, row->home);
	add_name(builder, row->name);
	if (!mr_str_is(row->password, LOCKED))
		add_text(builder, MR_STR("password"), MR_ATTR_SENSITIVE, row->password);
	add_quota(version, builder, fields.quota.storage);
	add_text(builder, MR_STR("quota_messages"), 0, fields.quota.messages);
	mr_dovecot_add_services(builder, bits);
	add_text(builder, MR_STR("state"), 0, mr_str_from(mr_user_state_name(state)));
	add_text(builder, MR_STR("uid"), MR_ATTR_SILENT, row->uid);
	return mr_attrs_finish(builder);
}

static void standing_of(mr_str body, enum mr_user_state *state, unsigned *bits)
{
	struct mr_attr attr;
	mr_str rest, value;

	*state = MR_USER_ACTIVE;
	*bits = 0;
	(void)state_parse(mr_attrs_get(body, MR_STR("state")), state); /* without one: active */
	if (!mr_attrs_find(body, MR_STR("services"), &attr))
		return;
	rest = attr.encoded_values;
	while (mr_attr_value_next(&rest, &value) > 0)
		(void)service_parse(value, bits); /* the words come from the tables above */
}

unsigned mr_dovecot_row_denied(mr_str body)
{
	enum mr_user_state state;
	unsigned bits;

	standing_of(body, &state, &bits);
	return mr_dovecot_denied_of(state, bits);
}

static void add_joined(
        mr_str body, mr_str name, char separator, const char *before, struct mr_buf *out)
{
	struct mr_attr attr;
	mr_str rest, value;
	bool is_first = true;

	if (!mr_attrs_find(body, name, &attr))
		return;
	mr_buf_add_text(out, before);
	rest = attr.encoded_values;
	while (mr_attr_value_next(&rest, &value) > 0) {
		if (!is_first)
			mr_buf_add_char(out, separator);
		mr_buf_add_str(out, value);
		is_first = false;
	}
}

static bool can_stand(mr_str field)
{
	return mr_str_find(field, ':') == field.size && mr_dovecot_conf_can_hold(field);
}

int mr_dovecot_row_format(
        const struct mr_dovecot_version *version, mr_str address, mr_str body, struct mr_buf *out)
{
	mr_str password = mr_attrs_get(body, MR_STR("password"));
	mr_str home = mr_attrs_get(body, MR_STR("mail_home"));
	mr_str uid = mr_attrs_get(body, MR_STR("uid")), gid = mr_attrs_get(body, MR_STR("gid"));
	size_t start = out->size;

	if (address.size == 0 || address.data[0] == '#' || !can_stand(address) ||
	        !can_stand(password) || !can_stand(home) || !can_stand(uid) || !can_stand(gid))
		return MR_E_INVALID;
	mr_buf_add_str(out, address);
	mr_buf_add_char(out, ':');
	mr_buf_add_str(out, password.size ? password : MR_STR(LOCKED));
	mr_buf_add_char(out, ':');
	mr_buf_add_str(out, uid);
	mr_buf_add_char(out, ':');
	mr_buf_add_str(out, gid);
	mr_buf_add_char(out, ':');
	escape(mr_attrs_get(body, MR_STR("name")), out);
	mr_buf_add_char(out, ':');
	mr_buf_add_str(out, home);
	mr_buf_add_char(out, ':');
	mr_buf_add_str(out, mr_attrs_get(body, MR_STR("state")));
	mr_buf_add_char(out, '/');
	add_joined(body, MR_STR("services"), ',', "", out);
	mr_buf_add_char(out, ':');
	add_joined(body, MR_STR("fields"), ' ', "", out);
	add_joined(body, MR_STR("allow_nets"), ',', " allow_nets=", out);
	version->quota_fields(mr_attrs_get(body, MR_STR("quota")),
	        mr_attrs_get(body, MR_STR("quota_messages")), out);
	/* what came from a foreign row's fields is no better than the rest */
	if (!mr_dovecot_conf_can_hold((mr_str){out->data + start, out->size - start}))
		return MR_E_INVALID;
	mr_buf_add_char(out, '\n');
	return 0;
}
