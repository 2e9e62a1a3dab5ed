/*
 * A certificate's end: the base64 between the lines of PEM, and down the DER to notAfter.
 */
#include "session/certificate.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

#define LONGEST_BYTES ((size_t)64 << 10)

enum der_tag {
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_EXPLICIT_0 = 0xa0,
};

static size_t find(mr_str text, mr_str word)
{
	const char *found = text.size ? memmem(text.data, text.size, word.data, word.size) : NULL;

	return found ? (size_t)(found - text.data) : text.size;
}

bool mr_pem_has_certificate(mr_str pem)
{
	return find(pem, MR_STR("-----BEGIN CERTIFICATE-----")) < pem.size;
}

/* "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY" */
bool mr_pem_has_key(mr_str pem)
{
	return find(pem, MR_STR("-----BEGIN ")) < pem.size &&
	       find(pem, MR_STR("PRIVATE KEY-----")) < pem.size;
}

/* Cuts the next value off *der: its tag and its content. */
static int next(mr_str *der, unsigned *out_tag, mr_str *out)
{
	const unsigned char *bytes = (const unsigned char *)der->data;
	size_t size, head = 2;

	if (der->size < 2)
		return MR_E_INVALID;
	size = bytes[1];
	if (size & 0x80) {
		size_t n = size & 0x7f;

		if (n < 1 || n > 3 || der->size < 2 + n)
			return MR_E_INVALID;
		size = 0;
		for (size_t i = 0; i < n; i++)
			size = size << 8 | bytes[2 + i];
		head += n;
	}
	if (size > der->size - head)
		return MR_E_INVALID;
	*out_tag = bytes[0];
	*out = (mr_str){der->data + head, size};
	*der = mr_str_skip(*der, head + size);
	return 0;
}

static int enter(mr_str *der, unsigned tag, mr_str *out)
{
	unsigned found;

	return next(der, &found, out) || found != tag ? MR_E_INVALID : 0;
}

/* Leading zeros are usual here. */
static int number(mr_str *text, size_t n_digits, uint64_t *out)
{
	uint64_t value = 0;

	if (text->size < n_digits)
		return MR_E_INVALID;
	for (size_t i = 0; i < n_digits; i++) {
		if (text->data[i] < '0' || text->data[i] > '9')
			return MR_E_INVALID;
		value = value * 10 + (uint64_t)(text->data[i] - '0');
	}
	*text = mr_str_skip(*text, n_digits);
	*out = value;
	return 0;
}

/* YYMMDDHHMMSSZ, or YYYYMMDDHHMMSSZ */
static int parse_time(unsigned tag, mr_str text, int64_t *out)
{
	uint64_t year, parts[5];
	char date[16];
	int64_t days;

	if (tag != DER_UTC_TIME && tag != DER_GENERALIZED_TIME)
		return MR_E_INVALID;
	if (number(&text, tag == DER_UTC_TIME ? 2 : 4, &year))
		return MR_E_INVALID;
	if (tag == DER_UTC_TIME)
		year += year < 50 ? 2000 : 1900;
	for (size_t i = 0; i < 5; i++)
		if (number(&text, 2, &parts[i]))
			return MR_E_INVALID;
	(void)snprintf(date, sizeof date, "%04u-%02u-%02u", (unsigned)year, (unsigned)parts[0],
	        (unsigned)parts[1]);
	if (mr_date_parse(mr_str_from(date), &days))
		return MR_E_INVALID;
	*out = days * 86400 + (int64_t)(parts[2] * 3600 + parts[3] * 60 + parts[4]);
	return 0;
}

/* Certificate: tbsCertificate: [version], serialNumber, signature, issuer, validity: notBefore,
 * notAfter. */
static int end_of(mr_str der, int64_t *out)
{
	mr_str certificate, body, rest, part, validity = {0};
	unsigned tag = 0;

	if (enter(&der, DER_SEQUENCE, &certificate) || enter(&certificate, DER_SEQUENCE, &body))
		return MR_E_INVALID;
	rest = body;
	if (!next(&rest, &tag, &part) && tag == DER_EXPLICIT_0)
		body = rest;
	for (size_t i = 0; i < 3; i++)
		if (next(&body, &tag, &part))
			return MR_E_INVALID;
	if (enter(&body, DER_SEQUENCE, &validity) || next(&validity, &tag, &part) ||
	        next(&validity, &tag, &part))
		return MR_E_INVALID;
	return parse_time(tag, part, out);
}

int mr_certificate_end(mr_str pem, int64_t *out_seconds)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	mr_str begin = MR_STR("-----BEGIN CERTIFICATE-----");
	mr_str text = mr_str_skip(pem, find(pem, begin)), der;
	struct mr_buf base64 = MR_BUF_INIT;
	int code;

	text = mr_str_skip(text, begin.size);
	text = mr_str_take(text, find(text, MR_STR("-----END CERTIFICATE-----")));
	if (text.size > LONGEST_BYTES)
		return MR_E_INVALID;
	for (size_t i = 0; i < text.size; i++)
		if (!strchr(" \t\r\n", text.data[i]))
			mr_buf_add_char(&base64, text.data[i]);
	code = mr_base64_decode(&arena, mr_buf_str(&base64), &der);
	if (!code)
		code = end_of(der, out_seconds);
	mr_buf_done(&base64);
	return code;
}
