/*
 * Byte views: comparing, searching and cutting.
 */
#include "base/str.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

mr_str mr_str_from(const char *text)
{
	return (mr_str){text, text ? strlen(text) : 0};
}

int mr_str_cmp(mr_str a, mr_str b)
{
	size_t common = a.size < b.size ? a.size : b.size;
	int order = common ? memcmp(a.data, b.data, common) : 0;

	if (order)
		return order;
	return (a.size > b.size) - (a.size < b.size);
}

bool mr_str_eq(mr_str a, mr_str b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool mr_str_is(mr_str a, const char *text)
{
	return mr_str_eq(a, mr_str_from(text));
}

bool mr_str_starts(mr_str s, mr_str prefix)
{
	return s.size >= prefix.size && mr_str_eq(mr_str_take(s, prefix.size), prefix);
}

bool mr_str_ends(mr_str s, mr_str suffix)
{
	return s.size >= suffix.size && mr_str_eq(mr_str_skip(s, s.size - suffix.size), suffix);
}

size_t mr_str_find(mr_str s, char c)
{
	const char *hit = s.size ? memchr(s.data, c, s.size) : NULL;

	return hit ? (size_t)(hit - s.data) : s.size;
}

size_t mr_str_rfind(mr_str s, char c)
{
	const char *hit = s.size ? memrchr(s.data, c, s.size) : NULL;

	return hit ? (size_t)(hit - s.data) : s.size;
}

mr_str mr_str_skip(mr_str s, size_t n)
{
	if (n > s.size)
		n = s.size;
	return (mr_str){s.data ? s.data + n : NULL, s.size - n};
}

mr_str mr_str_take(mr_str s, size_t n)
{
	return (mr_str){s.data, n < s.size ? n : s.size};
}

mr_str mr_str_trim(mr_str s)
{
	while (s.size && is_blank(s.data[0]))
		s = mr_str_skip(s, 1);
	while (s.size && is_blank(s.data[s.size - 1]))
		s.size--;
	return s;
}

mr_str mr_str_split(mr_str *rest, char c)
{
	size_t at = mr_str_find(*rest, c);
	mr_str head = mr_str_take(*rest, at);

	*rest = at < rest->size ? mr_str_skip(*rest, at + 1) : (mr_str){NULL, 0};
	return head;
}

mr_str mr_str_word(mr_str *rest)
{
	mr_str trimmed = mr_str_trim(*rest);
	size_t size = 0;

	while (size < trimmed.size && trimmed.data[size] != ' ' && trimmed.data[size] != '\t')
		size++;
	*rest = mr_str_skip(trimmed, size);
	return mr_str_take(trimmed, size);
}
