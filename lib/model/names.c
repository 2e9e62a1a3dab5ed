/*
 * Names of the mail world: local parts, domains, addresses, transport keys, and the words of the
 * enumerations.
 */
#include <string.h>

#include "base/text.h"
#include "model/desired.h"
#include "model/values.h"

#define LOCAL_LIMIT   64
#define ADDRESS_LIMIT 254

static const char *const domain_kinds[] = {"mailbox", "alias", "relay"};
static const char *const user_states[] = {
        "active", "no_login", "receive_only", "send_only", "closed"};

static bool is_atom_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* NULL when text is a dot-atom, else why not. */
static const char *local_complaint(mr_str text, bool allows_delimiter)
{
	if (!text.size)
		return "it is empty";
	if (text.size > LOCAL_LIMIT)
		return "it is longer than 64 octets";
	if (text.data[0] == '.' || text.data[text.size - 1] == '.')
		return "it begins or ends with a dot";
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];

		if ((unsigned char)c >= 0x80)
			return "non-ASCII local parts are not supported by this version";
		if (c == '.' && text.data[i + 1] == '.')
			return "it has two dots in a row";
		if (c == '+' && !allows_delimiter)
			return "it contains the recipient delimiter '+'";
		if (c != '.' && !is_atom_char(c))
			return "it is no dot-atom (quoting is not supported)";
	}
	return NULL;
}

int mr_local_parse(struct mr_arena *arena, mr_str text, bool allows_delimiter, mr_str *out,
        const char **out_why)
{
	const char *why = local_complaint(text, allows_delimiter);

	if (why) {
		*out_why = why;
		return MR_E_INVALID;
	}
	*out = mr_text_lower(arena, text);
	return 0;
}

int mr_domain_parse(
        struct mr_arena *arena, mr_str text, mr_str known, mr_str *out, const char **out_why)
{
	if (known.size && mr_str_eq(text, known)) {
		*out = known;
		return 0;
	}
	return mr_host_parse(arena, text, 2, out, out_why);
}

int mr_address_parse(struct mr_arena *arena, mr_str text, mr_str domain, bool allows_delimiter,
        mr_str *out, struct mr_complaint *out_complaint)
{
	size_t at = mr_str_rfind(text, '@');
	mr_str local, host = domain;

	out_complaint->rule = "MR-NAME-LOCAL";
	if (mr_local_parse(arena, mr_str_take(text, at), allows_delimiter, &local,
	            &out_complaint->why) < 0)
		return MR_E_INVALID;
	if (at < text.size) {
		out_complaint->rule = "MR-NAME-DOMAIN";
		if (mr_domain_parse(arena, mr_str_skip(text, at + 1), domain, &host,
		            &out_complaint->why) < 0)
			return MR_E_INVALID;
	}
	if (!host.size) {
		*out = local;
		return 0;
	}
	if (local.size + 1 + host.size > ADDRESS_LIMIT) {
		*out_complaint =
		        (struct mr_complaint){"MR-NAME-ADDRESS", "it is longer than 254 octets"};
		return MR_E_INVALID;
	}
	*out = mr_str_printf(arena, "%.*s@%.*s", MR_FMT(local), MR_FMT(host));
	return 0;
}

int mr_transport_key_parse(struct mr_arena *arena, mr_str text, mr_str *out, const char **out_why)
{
	bool is_subdomains = mr_str_starts(text, MR_STR("."));
	mr_str host;

	if (mr_str_is(text, "*")) {
		*out = text;
		return 0;
	}
	if (mr_str_find(text, '@') < text.size) {
		struct mr_complaint complaint = {0};
		int error = mr_address_parse(arena, text, (mr_str){0}, true, out, &complaint);

		*out_why = complaint.why;
		return error;
	}
	if (mr_host_parse(arena, mr_str_skip(text, is_subdomains), 1, &host, out_why) < 0)
		return MR_E_INVALID;
	*out = is_subdomains ? mr_str_printf(arena, ".%.*s", MR_FMT(host)) : host;
	return 0;
}

bool mr_secret_name_is_good(mr_str name)
{
	if (!name.size || name.size > 128 || name.data[0] == '.')
		return false;
	for (size_t i = 0; i < name.size; i++) {
		char c = name.data[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		        c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

const char *mr_domain_kind_name(enum mr_domain_kind kind)
{
	return domain_kinds[kind];
}

const char *mr_user_state_name(enum mr_user_state state)
{
	return user_states[state];
}
