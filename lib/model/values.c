/*
 * Single values: one check a type of the language, each with the value's canonical form.
 */
#include "model/values.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* Plain text, or hashes that are broken in practice. SALTED forms of MD5 and SHA-1 count as well.
 */
static const char *const weak_schemes[] = {"PLAIN", "CLEARTEXT", "CLEAR", "PLAIN-TRUNC", "CRAM-MD5",
        "DIGEST-MD5", "HMAC-MD5", "PLAIN-MD4", "PLAIN-MD5", "LDAP-MD5", "MD5", "MD5-CRYPT", "SMD5",
        "SHA", "SHA1", "SSHA", "LANMAN", "NTLM", "RPA", "SKEY", "OTP", "DES-CRYPT", "CRYPT"};

mr_str mr_password_scheme(mr_str password)
{
	size_t end = mr_str_find(password, '}');
	mr_str scheme;

	if (!mr_str_starts(password, MR_STR("{")) || end == password.size)
		return (mr_str){0};
	scheme = mr_str_skip(mr_str_take(password, end), 1);
	scheme = mr_str_take(scheme, mr_str_find(scheme, '.'));
	for (size_t i = 0; i < scheme.size; i++) {
		char c = scheme.data[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		        c != '-' && c != '_')
			return (mr_str){0};
	}
	return scheme;
}

bool mr_password_scheme_is_weak(mr_str scheme)
{
	for (size_t i = 0; i < sizeof weak_schemes / sizeof *weak_schemes; i++)
		if (strlen(weak_schemes[i]) == scheme.size &&
		        !strncasecmp(weak_schemes[i], scheme.data, scheme.size))
			return true;
	return false;
}

static bool is_net(mr_str text)
{
	unsigned char address[16];
	size_t slash = mr_str_find(text, '/');
	mr_str host = mr_str_take(text, slash);
	char plain[INET6_ADDRSTRLEN];
	bool is_v6 = mr_str_find(host, ':') < host.size;
	uint64_t bits;

	if (host.size >= sizeof plain)
		return false;
	memcpy(plain, host.data, host.size);
	plain[host.size] = '\0';
	if (inet_pton(is_v6 ? AF_INET6 : AF_INET, plain, address) != 1)
		return false;
	return slash == text.size ||
	       mr_number_parse(mr_str_skip(text, slash + 1), is_v6 ? 128 : 32, &bits) == 0;
}

/* A name of a system account, or a number. */
static bool is_account(mr_str name)
{
	if (!name.size || name.size > 32 || name.data[0] == '-')
		return false;
	for (size_t i = 0; i < name.size; i++) {
		char c = name.data[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		        c != '_' && c != '-' && c != '.')
			return false;
	}
	return true;
}

static bool is_owner(mr_str text)
{
	size_t colon = mr_str_find(text, ':');

	return colon < text.size && is_account(mr_str_take(text, colon)) &&
	       is_account(mr_str_skip(text, colon + 1));
}

static const char *path_complaint(mr_str path)
{
	mr_str rest = path;

	if (!mr_str_starts(path, MR_STR("/")))
		return "it is not absolute";
	while (rest.data) {
		mr_str part = mr_str_split(&rest, '/');

		if (mr_str_is(part, "..") || mr_str_is(part, "."))
			return "it contains '.' or '..'";
	}
	for (size_t i = 0; path.data && i < path.size; i++) {
		if (path.data[i] != '%')
			continue;
		if (i + 1 == path.size || !strchr("dni", path.data[i + 1]))
			return "only %d, %n and %i may follow a %";
	}
	return NULL;
}

static const char *transport_complaint(mr_str text)
{
	size_t colon = mr_str_find(text, ':');

	if (colon == text.size)
		return "there is no ':'";
	for (size_t i = 0; i < colon; i++) {
		char c = text.data[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		        c != '_' && c != '-')
			return "the transport's name is not made of letters, digits, '-' and '_'";
	}
	for (size_t i = colon; i < text.size; i++)
		if (text.data[i] == ' ')
			return "there is a blank in the next hop";
	return text.size == 1 ? "there is neither a transport nor a next hop" : NULL;
}

static int complain(struct mr_complaint *out, const char *rule, const char *why)
{
	*out = (struct mr_complaint){rule, why};
	return MR_E_INVALID;
}

static int parse_word(const struct mr_field *field, mr_str text, struct mr_complaint *out)
{
	bool is_unsupported = false;

	if (mr_words_find(field->words, text, &is_unsupported) < 0)
		return complain(out, "MR-TYPE-WORD", NULL);
	return is_unsupported ? complain(out, "MR-UNSUPPORTED", NULL) : 0;
}

static int parse_password(mr_str text, struct mr_complaint *out)
{
	mr_str scheme = mr_password_scheme(text);

	if (!scheme.size)
		return complain(out, "MR-PASSWORD-SCHEME", "it does not begin with its {SCHEME}");
	if (mr_str_find(text, '}') + 1 == text.size)
		return complain(out, "MR-PASSWORD-SCHEME", "nothing follows the scheme");
	return 0;
}

/* The types whose value is either right or wrong and stays as it is. */
static int check_plain(const struct mr_field *field, mr_str text, struct mr_complaint *out)
{
	uint64_t number;
	int64_t days;
	const char *why;

	switch (field->type) {
	case MR_TYPE_COUNT:
		return mr_number_parse(text, INT64_MAX, &number) < 0
		               ? complain(out, "MR-TYPE-COUNT", NULL)
		               : 0;
	case MR_TYPE_QUOTA:
		if (mr_str_is(text, "unlimited"))
			return 0;
		__attribute__((fallthrough));
	case MR_TYPE_SIZE:
		return mr_size_parse(text, &number) < 0 ? complain(out, "MR-TYPE-SIZE", NULL) : 0;
	case MR_TYPE_DURATION:
		return mr_duration_parse(text, &number) < 0
		               ? complain(out, "MR-TYPE-DURATION", NULL)
		               : 0;
	case MR_TYPE_DATE:
		return mr_date_parse(text, &days) < 0 ? complain(out, "MR-TYPE-DATE", NULL) : 0;
	case MR_TYPE_BOOL:
		return field->words ? parse_word(field, text, out) : 0;
	case MR_TYPE_WORD:
	case MR_TYPE_WORDS:
		return parse_word(field, text, out);
	case MR_TYPE_NETS:
		return is_net(text) ? 0 : complain(out, "MR-TYPE-NET", NULL);
	case MR_TYPE_OWNER:
		return is_owner(text) ? 0 : complain(out, "MR-TYPE-OWNER", NULL);
	case MR_TYPE_PATH:
		why = path_complaint(text);
		return why ? complain(out, "MR-TYPE-PATH", why) : 0;
	case MR_TYPE_TRANSPORT:
		why = transport_complaint(text);
		return why ? complain(out, "MR-TYPE-TRANSPORT", why) : 0;
	case MR_TYPE_PASSWORD:
		return parse_password(text, out);
	default:
		return 0;
	}
}

int mr_value_parse(struct mr_arena *arena, const struct mr_field *field, mr_str text, mr_str domain,
        mr_str *out, struct mr_complaint *out_complaint)
{
	int error;

	*out_complaint = (struct mr_complaint){0};
	switch (field->type) {
	case MR_TYPE_HOST:
		out_complaint->rule = "MR-NAME-DOMAIN";
		return mr_domain_parse(arena, text, (mr_str){0}, out, &out_complaint->why);
	case MR_TYPE_ADDRESS:
	case MR_TYPE_ADDRESSES:
		return mr_address_parse(arena, text, domain, true, out, out_complaint);
	default:
		error = check_plain(field, text, out_complaint);
		if (!error)
			*out = text;
		return error;
	}
}

mr_str mr_mail_home_expand(
        struct mr_arena *arena, mr_str home, mr_str local, mr_str domain, mr_str id)
{
	struct mr_buf buf = MR_BUF_INIT;
	mr_str result;

	for (size_t i = 0; i < home.size; i++) {
		char letter = home.data[i] == '%' && i + 1 < home.size ? home.data[i + 1] : '\0';

		if (!letter || !strchr("dni", letter)) {
			mr_buf_add_char(&buf, home.data[i]);
			continue;
		}
		mr_buf_add_str(&buf, letter == 'd' ? domain : letter == 'n' ? local : id);
		i++;
	}
	result = mr_str_copy(arena, mr_buf_str(&buf));
	mr_buf_done(&buf);
	return result;
}
