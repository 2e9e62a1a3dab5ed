/*
 * Text: host names in their canonical form, lower-case A-labels (IDNA2008, RFC 5891; names as in
 * RFC 1123).
 */
#include "base/text.h"

#include <idn2.h>
#include <stdlib.h>

#define LONGEST_NAME  253
#define LONGEST_LABEL 63
#define LONGEST_TEXT  1024

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_host_char(char c)
{
	return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-';
}

static const char *label_check(mr_str label)
{
	if (label.size == 0)
		return "it has an empty label";
	if (label.size > LONGEST_LABEL)
		return "a label is longer than 63 characters";
	for (size_t i = 0; i < label.size; i++) {
		if (label.data[i] == '_')
			return "an underscore cannot stand in a host name";
		if (label.data[i] == '*')
			return "a wildcard cannot stand in a host name";
		if (!is_host_char(label.data[i]))
			return "it has a character that cannot stand in a host name";
	}
	if (label.data[0] == '-' || label.data[label.size - 1] == '-')
		return "a label begins or ends with a hyphen";
	return NULL;
}

static bool is_number(mr_str label)
{
	for (size_t i = 0; i < label.size; i++)
		if (!is_digit(label.data[i]))
			return false;
	return label.size > 0;
}

/* NULL when the lower-case ASCII name is good. */
static const char *name_check(mr_str name, unsigned min_labels)
{
	mr_str rest = name;
	mr_str label = {NULL, 0};
	unsigned n = 0;

	if (name.size == 0)
		return "it is empty";
	if (name.size > LONGEST_NAME)
		return "it is longer than 253 characters";
	if (name.data[name.size - 1] == '.')
		return "it ends with a dot";
	if (name.data[0] == '[' || mr_str_find(name, ':') < name.size)
		return "it is an IP address";
	for (; rest.data; n++) {
		const char *why;

		label = mr_str_split(&rest, '.');
		why = label_check(label);
		if (why)
			return why;
	}
	if (is_number(label))
		return "it is an IP address";
	if (n < min_labels)
		return "it needs a dot: a complete name such as example.org";
	return NULL;
}

/* Whether libidn2 has to judge: anything outside ASCII, or a label that claims to be an A-label. */
static bool needs_idna(mr_str name)
{
	for (size_t i = 0; i < name.size; i++) {
		mr_str label = mr_str_skip(name, i);

		if ((unsigned char)name.data[i] >= 0x80)
			return true;
		if ((i == 0 || name.data[i - 1] == '.') && mr_str_starts(label, MR_STR("xn--")))
			return true;
	}
	return false;
}

/* Through U-labels and back, so that an A-label that means nothing or something else is found out.
 */
static bool to_a_labels(struct mr_arena *arena, mr_str name, mr_str *out)
{
	const char *text = mr_str_copy(arena, name).data;
	char *unicode = NULL;
	char *ascii = NULL;
	bool is_good = false;

	if (idn2_to_unicode_8z8z(text, &unicode, IDN2_NONTRANSITIONAL) == IDN2_OK &&
	        idn2_lookup_u8((const uint8_t *)unicode, (uint8_t **)&ascii,
	                IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK) {
		*out = mr_text_lower(arena, mr_str_from(ascii));
		is_good = true;
	}
	idn2_free(unicode);
	idn2_free(ascii);
	return is_good;
}

int mr_host_parse(
        struct mr_arena *arena, mr_str text, unsigned min_labels, mr_str *out, const char **out_why)
{
	mr_str name;
	const char *why = NULL;

	if (text.size > LONGEST_TEXT)
		why = "it is longer than 253 characters";
	else if (mr_utf8_check(text) != text.size || mr_str_find(text, '\0') != text.size)
		why = "it is not text";
	if (why) {
		*out_why = why;
		return MR_E_INVALID;
	}
	name = mr_text_lower(arena, text);
	if (needs_idna(name) && !to_a_labels(arena, name, &name)) {
		*out_why = "it is no valid internationalised name (IDNA2008)";
		return MR_E_INVALID;
	}
	why = name_check(name, min_labels);
	if (why) {
		*out_why = why;
		return MR_E_INVALID;
	}
	*out = name;
	return 0;
}
