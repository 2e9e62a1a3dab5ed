/*
 * The JSON reader: strict RFC 8259 into a tree in an arena. Refuses repeated member names, lone
 * surrogates and bad UTF-8.
 */
#include "base/json.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define DEEPEST       64
#define LARGEST_BYTES ((size_t)256 << 20)

struct reader {
	struct mr_arena *arena;
	mr_str text;
	size_t at;
};

static int peek(const struct reader *reader)
{
	return reader->at < reader->text.size ? (uint8_t)reader->text.data[reader->at] : -1;
}

static void skip_blanks(struct reader *reader)
{
	int c;

	while ((c = peek(reader)) == ' ' || c == '\t' || c == '\n' || c == '\r')
		reader->at++;
}

static bool take(struct reader *reader, char c)
{
	if (peek(reader) != (uint8_t)c)
		return false;
	reader->at++;
	return true;
}

static bool take_word(struct reader *reader, const char *word)
{
	mr_str view = mr_str_from(word);

	if (!mr_str_starts(mr_str_skip(reader->text, reader->at), view))
		return false;
	reader->at += view.size;
	return true;
}

static bool take_digits(struct reader *reader)
{
	size_t from = reader->at;

	while (peek(reader) >= '0' && peek(reader) <= '9')
		reader->at++;
	return reader->at > from;
}

static bool parse_number(struct reader *reader, struct mr_json_value *value)
{
	size_t from = reader->at;

	(void)take(reader, '-');
	if (!take(reader, '0') && !take_digits(reader))
		return false;
	if (take(reader, '.') && !take_digits(reader))
		return false;
	if (take(reader, 'e') || take(reader, 'E')) {
		if (!take(reader, '+'))
			(void)take(reader, '-');
		if (!take_digits(reader))
			return false;
	}
	value->type = MR_JSON_NUMBER;
	value->text = mr_str_take(mr_str_skip(reader->text, from), reader->at - from);
	return true;
}

static bool parse_hex(struct reader *reader, uint32_t *out)
{
	uint32_t number = 0;

	for (unsigned i = 0; i < 4; i++, reader->at++) {
		int c = peek(reader);
		int digit = c >= '0' && c <= '9'   ? c - '0'
		            : c >= 'a' && c <= 'f' ? c - 'a' + 10
		            : c >= 'A' && c <= 'F' ? c - 'A' + 10
		                                   : -1;

		if (digit < 0)
			return false;
		number = number << 4 | (uint32_t)digit;
	}
	*out = number;
	return true;
}

static char *put_utf8(char *to, uint32_t point)
{
	if (point < 0x80) {
		*to++ = (char)point;
	} else if (point < 0x800) {
		*to++ = (char)(0xc0 | point >> 6);
		*to++ = (char)(0x80 | (point & 0x3f));
	} else if (point < 0x10000) {
		*to++ = (char)(0xe0 | point >> 12);
		*to++ = (char)(0x80 | (point >> 6 & 0x3f));
		*to++ = (char)(0x80 | (point & 0x3f));
	} else {
		*to++ = (char)(0xf0 | point >> 18);
		*to++ = (char)(0x80 | (point >> 12 & 0x3f));
		*to++ = (char)(0x80 | (point >> 6 & 0x3f));
		*to++ = (char)(0x80 | (point & 0x3f));
	}
	return to;
}

/* Behind a backslash and its u. */
static bool parse_code_point(struct reader *reader, uint32_t *out)
{
	uint32_t high, low;

	if (!parse_hex(reader, &high) || (high >= 0xdc00 && high <= 0xdfff))
		return false;
	if (high < 0xd800 || high > 0xdbff) {
		*out = high;
		return true;
	}
	if (!take(reader, '\\') || !take(reader, 'u') || !parse_hex(reader, &low))
		return false;
	if (low < 0xdc00 || low > 0xdfff)
		return false;
	*out = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	return true;
}

static bool parse_escape(struct reader *reader, char **to)
{
	static const char from[] = "\"\\/bfnrt";
	static const char into[] = "\"\\/\b\f\n\r\t";
	uint32_t point;
	int c = peek(reader);
	const char *hit = c > 0 ? strchr(from, c) : NULL;

	if (hit) {
		reader->at++;
		*(*to)++ = into[hit - from];
		return true;
	}
	if (!take(reader, 'u') || !parse_code_point(reader, &point))
		return false;
	*to = put_utf8(*to, point);
	return true;
}

/* The decoded text is never longer than the written one. */
static bool parse_string(struct reader *reader, mr_str *out)
{
	size_t from = reader->at + 1;
	size_t close = from;
	char *start, *to;

	if (!take(reader, '"'))
		return false;
	while (close < reader->text.size && reader->text.data[close] != '"')
		close += reader->text.data[close] == '\\' ? 2 : 1;
	if (close >= reader->text.size)
		return false;
	start = to = mr_alloc(reader->arena, close - from + 1);
	while (reader->at < close) {
		int c = peek(reader);

		reader->at++;
		if (c < 0x20)
			return false;
		if (c != '\\')
			*to++ = (char)c;
		else if (!parse_escape(reader, &to))
			return false;
	}
	*out = (mr_str){start, (size_t)(to - start)};
	return take(reader, '"') && mr_utf8_check(*out) == out->size;
}

static bool parse_value(struct reader *reader, struct mr_json_value *value, unsigned depth);

/* Repeated names are told by a look at those before: objects of the program's own documents are
 * small. A large one (over 64 members) is passed unchecked rather than in quadratic time; the first
 * member then counts. */
static bool is_repeated(const struct mr_json_value *object, mr_str name)
{
	if (object->n_children > 64)
		return false;
	for (const struct mr_json_value *child = object->first_child; child; child = child->next)
		if (mr_str_eq(child->name, name))
			return true;
	return false;
}

static bool parse_member_name(
        struct reader *reader, const struct mr_json_value *object, mr_str *out)
{
	if (!parse_string(reader, out) || is_repeated(object, *out))
		return false;
	skip_blanks(reader);
	return take(reader, ':');
}

static bool parse_children(struct reader *reader, struct mr_json_value *value, unsigned depth)
{
	char close = value->type == MR_JSON_OBJECT ? '}' : ']';
	struct mr_json_value **end = &value->first_child;

	reader->at++;
	skip_blanks(reader);
	if (take(reader, close))
		return true;
	do {
		struct mr_json_value *child = mr_alloc(reader->arena, sizeof *child);

		skip_blanks(reader);
		if (value->type == MR_JSON_OBJECT &&
		        !parse_member_name(reader, value, &child->name))
			return false;
		if (!parse_value(reader, child, depth + 1))
			return false;
		*end = child;
		end = &child->next;
		value->n_children++;
		skip_blanks(reader);
	} while (take(reader, ','));
	return take(reader, close);
}

static bool parse_word(struct reader *reader, struct mr_json_value *value)
{
	static const struct {
		const char *word;
		enum mr_json_type type;
	} words[] = {{"null", MR_JSON_NULL}, {"true", MR_JSON_BOOL}, {"false", MR_JSON_BOOL}};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (!take_word(reader, words[i].word))
			continue;
		value->type = words[i].type;
		if (value->type == MR_JSON_BOOL)
			value->text = mr_str_from(words[i].word);
		return true;
	}
	return false;
}

static bool parse_value(struct reader *reader, struct mr_json_value *value, unsigned depth)
{
	if (depth >= DEEPEST)
		return false;
	skip_blanks(reader);
	switch (peek(reader)) {
	case '{':
		value->type = MR_JSON_OBJECT;
		return parse_children(reader, value, depth);
	case '[':
		value->type = MR_JSON_ARRAY;
		return parse_children(reader, value, depth);
	case '"':
		value->type = MR_JSON_STRING;
		return parse_string(reader, &value->text);
	case 'n':
	case 't':
	case 'f':
		return parse_word(reader, value);
	default:
		return parse_number(reader, value);
	}
}

int mr_json_parse(
        struct mr_arena *arena, mr_str text, struct mr_json_value **out, size_t *out_offset)
{
	struct reader reader = {arena, text, 0};
	struct mr_json_value *value = mr_alloc(arena, sizeof *value);
	bool is_good = text.size <= LARGEST_BYTES && parse_value(&reader, value, 0);

	if (is_good) {
		skip_blanks(&reader);
		is_good = reader.at == text.size;
	}
	if (!is_good) {
		if (out_offset)
			*out_offset = reader.at;
		return MR_E_INVALID;
	}
	*out = value;
	return 0;
}

const struct mr_json_value *mr_json_find(const struct mr_json_value *value, const char *name)
{
	if (!value || value->type != MR_JSON_OBJECT)
		return NULL;
	for (const struct mr_json_value *child = value->first_child; child; child = child->next)
		if (mr_str_is(child->name, name))
			return child;
	return NULL;
}

mr_str mr_json_get_str(const struct mr_json_value *value, const char *name)
{
	const struct mr_json_value *found = mr_json_find(value, name);

	return found && found->type == MR_JSON_STRING ? found->text : (mr_str){NULL, 0};
}

int64_t mr_json_get_int(const struct mr_json_value *value, const char *name, int64_t otherwise)
{
	const struct mr_json_value *found = mr_json_find(value, name);
	bool is_negative;
	uint64_t number;

	if (!found || found->type != MR_JSON_NUMBER)
		return otherwise;
	is_negative = mr_str_starts(found->text, MR_STR("-"));
	if (mr_number_parse(mr_str_skip(found->text, is_negative), INT64_MAX, &number) < 0)
		return otherwise;
	return is_negative ? -(int64_t)number : (int64_t)number;
}
