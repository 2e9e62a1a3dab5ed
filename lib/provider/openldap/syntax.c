/*
 * The syntaxes that people get wrong (RFC 4517 3.3).
 */
#include "openldap/syntax.h"

#include "base/text.h"
#include "model/dn.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_boolean(mr_str value)
{
	return mr_str_is(value, "TRUE") || mr_str_is(value, "FALSE");
}

/* slapd refuses leading zeros and "-0". */
static bool is_integer(mr_str value)
{
	mr_str digits = value.size && value.data[0] == '-' ? mr_str_skip(value, 1) : value;

	if (!digits.size || (digits.data[0] == '0' && value.size > 1))
		return false;
	for (size_t i = 0; i < digits.size; i++)
		if (!is_digit(digits.data[i]))
			return false;
	return true;
}

static bool is_ia5(mr_str value)
{
	for (size_t i = 0; i < value.size; i++)
		if ((unsigned char)value.data[i] >= 0x80)
			return false;
	return true;
}

static bool is_directory_string(mr_str value)
{
	return value.size && mr_utf8_check(value) == value.size;
}

static bool is_dn(mr_str value)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	mr_str key;

	return !value.size || !mr_dn_key(&arena, value, &key);
}

static bool is_numeric(mr_str value)
{
	for (size_t i = 0; i < value.size; i++)
		if (!is_digit(value.data[i]) && value.data[i] != ' ')
			return false;
	return value.size;
}

static bool is_time(mr_str value)
{
	size_t n = 0;

	while (n < value.size && is_digit(value.data[n]))
		n++;
	if (n < 10 || n > 14 || n % 2 || n == value.size)
		return false;
	return mr_str_ends(value, MR_STR("Z")) || mr_str_find(value, '+') < value.size ||
	       mr_str_find(value, '-') < value.size;
}

static const struct {
	const char *oid;
	bool (*is_valid)(mr_str value);
	const char *meaning;
} SYNTAXES[] = {
        {"1.3.6.1.4.1.1466.115.121.1.7", is_boolean, "TRUE or FALSE"},
        {"1.3.6.1.4.1.1466.115.121.1.12", is_dn, "a distinguished name"},
        {"1.3.6.1.4.1.1466.115.121.1.15", is_directory_string, "UTF-8 text that is not empty"},
        {"1.3.6.1.4.1.1466.115.121.1.24", is_time, "a time like 20270331120000Z"},
        {"1.3.6.1.4.1.1466.115.121.1.26", is_ia5, "ASCII text"},
        {"1.3.6.1.4.1.1466.115.121.1.27", is_integer, "a whole number without leading zeros"},
        {"1.3.6.1.4.1.1466.115.121.1.36", is_numeric, "digits"},
};

const char *mr_ldap_syntax_wants(mr_str syntax, mr_str value)
{
	for (size_t i = 0; i < sizeof SYNTAXES / sizeof SYNTAXES[0]; i++)
		if (mr_str_is(syntax, SYNTAXES[i].oid))
			return SYNTAXES[i].is_valid(value) ? NULL : SYNTAXES[i].meaning;
	return NULL;
}
