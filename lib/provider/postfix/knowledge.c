/*
 * Types of parameters and names of restrictions.
 *
 * The type of most parameters is plain from the server's own default: "yes" is a boolean, "300s" a
 * time, "100" a number. The exceptions and the enumerations stand in the tables here.
 */
#include "postfix/judge.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

struct enumeration {
	const char *name;
	const char *words; /* each between blanks */
	bool is_list;
};

/* Their defaults look like a number, a time or a boolean, and they are none. */
static const char *const untyped[] = {"compatibility_level", "mail_release_date", "mail_version",
        "lmtp_tcp_port", "smtpd_forbid_bare_newline", "smtp_tls_fallback_level", "config_directory",
        "tls_export_cipherlist"};

static const struct enumeration enumerations[] = {
        {"smtpd_tls_security_level", " none may encrypt ", false},
        {"smtp_tls_security_level", " none may encrypt dane dane-only fingerprint verify secure ",
                false},
        {"lmtp_tls_security_level", " none may encrypt dane dane-only fingerprint verify secure ",
                false},
        {"inet_protocols", " all ipv4 ipv6 ", true},
        {"smtp_address_preference", " any ipv4 ipv6 ", false},
        {"milter_default_action", " accept reject tempfail quarantine shutdown ", false},
        {"postscreen_greet_action", " ignore enforce drop ", false},
        {"postscreen_dnsbl_action", " ignore enforce drop ", false},
        {"postscreen_denylist_action", " ignore enforce drop ", false},
        {"postscreen_bare_newline_action", " ignore enforce drop ", false},
        {"postscreen_pipelining_action", " ignore enforce drop ", false},
        {"postscreen_non_smtp_command_action", " ignore enforce drop ", false},
        {"smtpd_tls_eecdh_grade", " none strong ultra auto ", false},
        {"smtp_dns_support_level", " disabled enabled dnssec ", false},
};

static const char *const lists[] = {"smtpd_client_restrictions", "smtpd_helo_restrictions",
        "smtpd_sender_restrictions", "smtpd_relay_restrictions", "smtpd_recipient_restrictions",
        "smtpd_data_restrictions", "smtpd_end_of_data_restrictions", "smtpd_etrn_restrictions"};

static const char *const plain[] = {"permit", "reject", "defer", "defer_if_permit",
        "defer_if_reject", "defer_unauth_destination", "warn_if_reject", "permit_auth_destination",
        "permit_inet_interfaces", "permit_mx_backup", "permit_mynetworks",
        "permit_naked_ip_address", "permit_sasl_authenticated", "permit_tls_all_clientcerts",
        "permit_tls_clientcerts", "reject_authenticated_sender_login_mismatch",
        "reject_invalid_helo_hostname", "reject_invalid_hostname",
        "reject_known_sender_login_mismatch", "reject_multi_recipient_bounce",
        "reject_non_fqdn_helo_hostname", "reject_non_fqdn_hostname", "reject_non_fqdn_recipient",
        "reject_non_fqdn_sender", "reject_plaintext_session", "reject_sender_login_mismatch",
        "reject_unauth_destination", "reject_unauth_pipelining",
        "reject_unauthenticated_sender_login_mismatch", "reject_unknown_address",
        "reject_unknown_client", "reject_unknown_client_hostname",
        "reject_unknown_forward_client_hostname", "reject_unknown_helo_hostname",
        "reject_unknown_hostname", "reject_unknown_recipient_domain",
        "reject_unknown_reverse_client_hostname", "reject_unknown_sender_domain",
        "reject_unlisted_recipient", "reject_unlisted_sender", "reject_unverified_recipient",
        "reject_unverified_sender", "check_relay_domains", "reject_maps_rbl",
        "check_recipient_maps"};

static const char *const with_argument[] = {"check_ccert_access", "check_client_a_access",
        "check_client_access", "check_client_mx_access", "check_client_ns_access",
        "check_etrn_access", "check_helo_a_access", "check_helo_access", "check_helo_mx_access",
        "check_helo_ns_access", "check_policy_service", "check_recipient_a_access",
        "check_recipient_access", "check_recipient_mx_access", "check_recipient_ns_access",
        "check_reverse_client_hostname_a_access", "check_reverse_client_hostname_access",
        "check_reverse_client_hostname_mx_access", "check_reverse_client_hostname_ns_access",
        "check_sasl_access", "check_sender_a_access", "check_sender_access",
        "check_sender_mx_access", "check_sender_ns_access", "permit_dnswl_client",
        "permit_rhswl_client", "reject_rbl_client", "reject_rhsbl_client", "reject_rhsbl_helo",
        "reject_rhsbl_recipient", "reject_rhsbl_reverse_client", "reject_rhsbl_sender", "sleep"};

static bool is_among(const char *const *words, size_t n, mr_str word)
{
	for (size_t i = 0; i < n; i++)
		if (mr_str_is(word, words[i]))
			return true;
	return false;
}

#define IS_AMONG(words, word) is_among(words, sizeof(words) / sizeof *(words), word)

bool mr_postfix_is_restriction_list(mr_str name)
{
	return IS_AMONG(lists, name);
}

bool mr_postfix_is_restriction(mr_str word, bool *out_takes_argument)
{
	*out_takes_argument = IS_AMONG(with_argument, word);
	return *out_takes_argument || IS_AMONG(plain, word);
}

static void nearer(const char *const *words, size_t n, mr_str word, unsigned *best, mr_str *out)
{
	for (size_t i = 0; i < n; i++) {
		unsigned distance = mr_text_distance(word, mr_str_from(words[i]), *best - 1);

		if (distance < *best) {
			*best = distance;
			*out = mr_str_from(words[i]);
		}
	}
}

mr_str mr_postfix_nearest_restriction(mr_str word)
{
	mr_str nearest = {0};
	unsigned best = 8;

	nearer(plain, sizeof plain / sizeof *plain, word, &best, &nearest);
	nearer(with_argument, sizeof with_argument / sizeof *with_argument, word, &best, &nearest);
	return nearest;
}

static size_t digits(mr_str s)
{
	size_t i = 0;

	while (i < s.size && s.data[i] >= '0' && s.data[i] <= '9')
		i++;
	return i;
}

static bool is_number(mr_str s)
{
	return s.size && digits(s) == s.size;
}

static bool is_time(mr_str s)
{
	size_t n = digits(s);

	return n && (n == s.size || (n + 1 == s.size && strchr("smhdw", s.data[n])));
}

static bool has_word(const char *words, mr_str word)
{
	size_t size = strlen(words);

	for (size_t i = 0; i + word.size + 2 <= size; i++)
		if (words[i] == ' ' && words[i + 1 + word.size] == ' ' &&
		        !memcmp(words + i + 1, word.data, word.size))
			return word.size > 0;
	return false;
}

static const char *enumeration_problem(const struct enumeration *known, mr_str value)
{
	if (!known->is_list)
		return !value.size || has_word(known->words, value) ? NULL : known->words;
	while (value.size) {
		size_t end = 0;
		mr_str word;

		while (end < value.size && value.data[end] != ' ' && value.data[end] != ',')
			end++;
		word = mr_str_take(value, end);
		value = mr_str_skip(value, end + 1);
		if (word.size && !has_word(known->words, word))
			return known->words;
	}
	return NULL;
}

/* The default of a parameter whose default is that of another ("$x"), or depends on load
 * ("${stress?{1}:{20}}s"). */
static mr_str plain_default(const struct mr_postconf *postconf, mr_str name, char *buf, size_t size)
{
	mr_str stress = MR_STR("${stress?{");
	const mr_str *standard = mr_postconf_default(postconf, name);

	for (int depth = 0; standard && depth < 4 && standard->size > 1 && standard->data[0] == '$';
	        depth++) {
		size_t open = mr_str_rfind(*standard, '{');
		mr_str calm = mr_str_skip(*standard, open + 1);
		size_t close = mr_str_find(calm, '}');

		if (mr_str_starts(*standard, stress)) {
			snprintf(buf, size, "%.*s%.*s", (int)close, calm.data,
			        MR_FMT(mr_str_skip(calm, close + 2)));
			return mr_str_from(buf);
		}
		standard = mr_postconf_default(postconf, mr_str_skip(*standard, 1));
	}
	return standard ? *standard : (mr_str){0};
}

const char *mr_postfix_value_problem(const struct mr_postconf *postconf, mr_str name, mr_str value)
{
	char buf[64];
	mr_str standard = plain_default(postconf, name, buf, sizeof buf);

	if (mr_str_find(value, '$') < value.size || IS_AMONG(untyped, name))
		return NULL;
	for (size_t i = 0; i < sizeof enumerations / sizeof *enumerations; i++)
		if (mr_str_is(name, enumerations[i].name))
			return enumeration_problem(&enumerations[i], value);
	if (mr_str_is(standard, "yes") || mr_str_is(standard, "no"))
		return mr_str_is(value, "yes") || mr_str_is(value, "no") ? NULL : "yes no";
	if (is_number(standard))
		return is_number(value) ? NULL : "a number";
	if (is_time(standard))
		return is_time(value) ? NULL : "a time such as 30s, 5m, 2h or 1d";
	return NULL;
}
