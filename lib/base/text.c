/*
 * Text: UTF-8 checks, harmless copies, case folding, edit distance. Numbers and dates are in
 * text_number.c, host names in text_host.c.
 */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

struct range {
	uint32_t first, last;
};

/* Controls, line separators, bidi controls, zero-width and other characters that leave no mark. */
static const struct range invisible[] = {
        {0x00, 0x1f},
        {0x7f, 0x9f},
        {0xad, 0xad},
        {0x34f, 0x34f},
        {0x61c, 0x61c},
        {0x115f, 0x1160},
        {0x17b4, 0x17b5},
        {0x180b, 0x180f},
        {0x200b, 0x200f},
        {0x2028, 0x202e},
        {0x2060, 0x206f},
        {0x3164, 0x3164},
        {0xfeff, 0xfeff},
        {0xffa0, 0xffa0},
        {0xfff9, 0xfffb},
        {0xe0000, 0xe0fff},
};

static bool is_invisible(uint32_t point)
{
	for (size_t i = 0; i < sizeof invisible / sizeof *invisible; i++)
		if (point >= invisible[i].first && point <= invisible[i].last)
			return true;
	return false;
}

static bool is_plain_ascii(uint8_t byte)
{
	return byte >= 0x20 && byte < 0x7f;
}

/* Bytes of the well-formed character at the start, and which it is; 0 when there is none. */
static size_t character_at(mr_str s, uint32_t *out)
{
	ucs4_t point;
	int size = u8_mbtoucr(&point, (const uint8_t *)s.data, s.size);

	if (size <= 0)
		return 0;
	*out = point;
	return (size_t)size;
}

size_t mr_utf8_check(mr_str s)
{
	const uint8_t *bad = s.size ? u8_check((const uint8_t *)s.data, s.size) : NULL;

	return bad ? (size_t)(bad - (const uint8_t *)s.data) : s.size;
}

size_t mr_text_check(mr_str s, bool allows_lines)
{
	size_t at = 0;

	while (at < s.size) {
		uint8_t byte = (uint8_t)s.data[at];
		uint32_t point;
		size_t size = 1;

		if (is_plain_ascii(byte) || (allows_lines && (byte == '\n' || byte == '\t'))) {
			at++;
			continue;
		}
		size = character_at(mr_str_skip(s, at), &point);
		if (size == 0 || is_invisible(point))
			return at;
		at += size;
	}
	return at;
}

void mr_text_harmless(mr_str s, struct mr_buf *out)
{
	while (s.size) {
		size_t good = mr_text_check(s, false);
		uint32_t point;
		size_t size;

		mr_buf_add(out, s.data, good);
		s = mr_str_skip(s, good);
		if (!s.size)
			return;
		size = character_at(s, &point);
		if (size > 1)
			mr_buf_printf(out, "\\u{%x}", point);
		else
			mr_buf_printf(out, "\\x%02x", (uint8_t)s.data[0]);
		s = mr_str_skip(s, size ? size : 1);
	}
}

mr_str mr_text_lower(struct mr_arena *arena, mr_str s)
{
	char *copy = mr_alloc(arena, s.size + 1);

	for (size_t i = 0; i < s.size; i++)
		copy[i] = (char)(s.data[i] >= 'A' && s.data[i] <= 'Z' ? s.data[i] + ('a' - 'A')
		                                                      : s.data[i]);
	return (mr_str){copy, s.size};
}

static bool is_ascii(mr_str s)
{
	for (size_t i = 0; i < s.size; i++)
		if ((uint8_t)s.data[i] >= 0x80)
			return false;
	return true;
}

int mr_text_fold(struct mr_arena *arena, mr_str s, mr_str *out)
{
	size_t size = 0;
	uint8_t *folded;

	if (is_ascii(s)) {
		*out = mr_text_lower(arena, s);
		return 0;
	}
	if (mr_utf8_check(s) != s.size)
		return MR_E_INVALID;
	folded = u8_casefold((const uint8_t *)s.data, s.size, NULL, UNINORM_NFC, NULL, &size);
	if (!folded)
		abort();
	*out = mr_str_copy(arena, (mr_str){(const char *)folded, size});
	free(folded);
	return 0;
}

#define LONGEST_COMPARED 256

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned lesser = a < b ? a : b;

	return lesser < c ? lesser : c;
}

unsigned mr_text_distance(mr_str a, mr_str b, unsigned limit)
{
	unsigned row[LONGEST_COMPARED + 1];
	size_t apart = a.size > b.size ? a.size - b.size : b.size - a.size;

	if (a.size > LONGEST_COMPARED || b.size > LONGEST_COMPARED || apart > limit)
		return limit + 1;
	for (unsigned j = 0; j <= b.size; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a.size; i++) {
		unsigned diagonal = row[0];
		unsigned best = row[0] = i;

		for (unsigned j = 1; j <= b.size; j++) {
			unsigned above = row[j];

			row[j] = least(above + 1, row[j - 1] + 1,
			        diagonal + (a.data[i - 1] != b.data[j - 1]));
			diagonal = above;
			best = row[j] < best ? row[j] : best;
		}
		if (best > limit)
			return limit + 1;
	}
	return row[b.size] > limit ? limit + 1 : row[b.size];
}
