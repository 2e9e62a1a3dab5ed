/*
 * Distinguished names without a server: RFC 4514 text to a canonical key.
 *
 * The key of "CN=Staff,ou=Groups,dc=Example" is "dc=example\1ou=groups\1cn=staff\1". Bytes that the
 * key itself uses are escaped in values, so that different names never get one key by accident of
 * spelling.
 */
#include "model/dn.h"

#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/vec.h"

#define RDN_END   '\x01'
#define AVA_JOIN  '\x02'
#define ESCAPE    '\x03'
#define RDN_LIMIT 128
#define AVA_LIMIT 16

static const struct {
	mr_str name;
	mr_str key;
} TYPE_NAMES[] = {
#define X(name, key) {MR_STR_INIT(name), MR_STR_INIT(key)},
#include "model/dn_types.def"
#undef X
};

struct scan {
	mr_str rest;
	struct mr_buf raw; /* the value in hand, unescaped */
	struct mr_buf key; /* RDNs as they come, in key form */
	size_t ends[RDN_LIMIT];
	size_t n_rdns;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int hex_pair(mr_str text)
{
	int high = text.size >= 2 ? hex_digit(text.data[0]) : -1;
	int low = text.size >= 2 ? hex_digit(text.data[1]) : -1;

	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static void skip_blanks(mr_str *rest)
{
	while (rest->size && rest->data[0] == ' ')
		*rest = mr_str_skip(*rest, 1);
}

/* keystring or numericoid (RFC 4512 1.4). */
static bool is_type(mr_str type)
{
	bool is_oid = type.size && is_digit(type.data[0]);

	for (size_t i = 0; i < type.size; i++) {
		char c = type.data[i];
		bool is_dot = c == '.' && i && i + 1 < type.size && type.data[i - 1] != '.';

		if (is_oid ? !is_digit(c) && !is_dot
		           : !is_letter(c) && !(i && (is_digit(c) || c == '-')))
			return false;
	}
	return type.size;
}

void mr_dn_type_fold(mr_str type, struct mr_buf *out)
{
	size_t start = out->size;
	mr_str lowered;

	for (size_t i = 0; i < type.size; i++)
		mr_buf_add_char(out, lower(type.data[i]));
	lowered = mr_str_skip(mr_buf_str(out), start);
	for (size_t i = 0; i < sizeof TYPE_NAMES / sizeof TYPE_NAMES[0]; i++) {
		if (!mr_str_eq(lowered, TYPE_NAMES[i].name))
			continue;
		out->size = start;
		mr_buf_add_str(out, TYPE_NAMES[i].key);
		return;
	}
}

static int scan_type(struct scan *scan)
{
	size_t end = mr_str_find(scan->rest, '=');
	mr_str type = mr_str_trim(mr_str_take(scan->rest, end));

	if (end == scan->rest.size || !is_type(type))
		return MR_E_INVALID;
	mr_dn_type_fold(type, &scan->key);
	mr_buf_add_char(&scan->key, '=');
	scan->rest = mr_str_skip(scan->rest, end + 1);
	skip_blanks(&scan->rest);
	return 0;
}

/* "\," and the like, or "\2c". */
static int scan_escape(struct scan *scan)
{
	mr_str rest = mr_str_skip(scan->rest, 1);
	int byte = hex_pair(rest);

	if (byte >= 0) {
		mr_buf_add_char(&scan->raw, (char)byte);
		scan->rest = mr_str_skip(rest, 2);
		return 0;
	}
	if (!rest.size || !memchr("\\\"+,;<> #=", rest.data[0], 10))
		return MR_E_INVALID;
	mr_buf_add_char(&scan->raw, rest.data[0]);
	scan->rest = mr_str_skip(rest, 1);
	return 0;
}

static int scan_text(struct scan *scan)
{
	while (scan->rest.size) {
		char c = scan->rest.data[0];

		if (c == ',' || c == '+')
			return 0;
		if (c == '\\') {
			int code = scan_escape(scan);

			if (code)
				return code;
			continue;
		}
		if (c == '"' || c == ';' || c == '<' || c == '>' || c == '\0')
			return MR_E_INVALID;
		mr_buf_add_char(&scan->raw, c);
		scan->rest = mr_str_skip(scan->rest, 1);
	}
	return 0;
}

/* "#04024869": the BER encoding of a value. */
static int scan_hex(struct scan *scan)
{
	int byte;

	scan->rest = mr_str_skip(scan->rest, 1);
	while ((byte = hex_pair(scan->rest)) >= 0) {
		mr_buf_add_char(&scan->raw, (char)byte);
		scan->rest = mr_str_skip(scan->rest, 2);
	}
	skip_blanks(&scan->rest);
	if (!scan->raw.size ||
	        (scan->rest.size && scan->rest.data[0] != ',' && scan->rest.data[0] != '+'))
		return MR_E_INVALID;
	return 0;
}

/* The text inside a BER string (octet, UTF-8, printable, IA5) with a short length; false for
 * anything else. */
static bool ber_text(mr_str ber, mr_str *out)
{
	if (ber.size < 2 || !memchr("\x04\x0c\x13\x16", ber.data[0], 4))
		return false;
	if ((uint8_t)ber.data[1] > 127 || (size_t)ber.data[1] != ber.size - 2)
		return false;
	*out = mr_str_skip(ber, 2);
	return true;
}

/* Sharp s has no other spelling for a directory server, while full case folding makes it "ss". */
static mr_str keep_sharp_s(struct mr_arena *arena, mr_str text)
{
	MR_DONE(buf) struct mr_buf buf = MR_BUF_INIT;

	for (size_t i = 0; i < text.size; i++) {
		mr_str at = mr_str_skip(text, i);

		if (mr_str_starts(at, MR_STR("\xc3\x9f"))) {
			mr_buf_add_text(&buf, "\xee\x83\x9f");
			i += 1;
		} else if (mr_str_starts(at, MR_STR("\xe1\xba\x9e"))) {
			mr_buf_add_text(&buf, "\xee\x83\x9f");
			i += 2;
		} else {
			mr_buf_add_char(&buf, text.data[i]);
		}
	}
	return mr_str_copy(arena, mr_buf_str(&buf));
}

static void add_key_byte(struct mr_buf *key, char c)
{
	if ((uint8_t)c > ESCAPE) {
		mr_buf_add_char(key, lower(c));
		return;
	}
	mr_buf_add_char(key, ESCAPE);
	mr_buf_add_char(key, (char)(c + '@'));
}

/* Without outer blanks, inner ones as one (RFC 4518 2.6.1). */
static void add_collapsed(struct mr_buf *key, mr_str text)
{
	while (text.size && text.data[0] == ' ')
		text = mr_str_skip(text, 1);
	while (text.size && text.data[text.size - 1] == ' ')
		text.size--;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] != ' ' || text.data[i - 1] != ' ')
			add_key_byte(key, text.data[i]);
	}
}

int mr_dn_value_fold(mr_str text, struct mr_buf *out)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	bool is_ascii = true;

	for (size_t i = 0; i < text.size; i++)
		is_ascii = is_ascii && (uint8_t)text.data[i] < 0x80;
	if (!is_ascii) {
		int code = mr_text_fold(&arena, keep_sharp_s(&arena, text), &text);

		if (code)
			return code;
	}
	add_collapsed(out, text);
	return 0;
}

static int scan_value(struct scan *scan)
{
	mr_str text;
	int code;

	mr_buf_clear(&scan->raw);
	if (!scan->rest.size || scan->rest.data[0] != '#') {
		code = scan_text(scan);
		return code ? code : mr_dn_value_fold(mr_buf_str(&scan->raw), &scan->key);
	}
	code = scan_hex(scan);
	if (code)
		return code;
	if (ber_text(mr_buf_str(&scan->raw), &text))
		return mr_dn_value_fold(text, &scan->key);
	mr_buf_add_char(&scan->key, '#');
	for (size_t i = 0; i < scan->raw.size; i++)
		mr_buf_printf(&scan->key, "%02x", (uint8_t)scan->raw.data[i]);
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return mr_str_cmp(*(const mr_str *)a, *(const mr_str *)b);
}

/* The AVAs of the RDN that starts at start, put in order. */
static int sort_avas(struct scan *scan, size_t start)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	mr_str rest = mr_str_copy(&arena, mr_str_skip(mr_buf_str(&scan->key), start));
	mr_str avas[AVA_LIMIT] = {{0}};
	size_t n = 0;

	while (rest.data) {
		if (n == AVA_LIMIT)
			return MR_E_INVALID;
		avas[n++] = mr_str_split(&rest, AVA_JOIN);
	}
	qsort(avas, n, sizeof avas[0], by_bytes);
	scan->key.size = start;
	for (size_t i = 0; i < n; i++) {
		if (i)
			mr_buf_add_char(&scan->key, AVA_JOIN);
		mr_buf_add_str(&scan->key, avas[i]);
	}
	return 0;
}

static int scan_rdn(struct scan *scan)
{
	size_t start = scan->key.size;
	bool is_multi = false;

	for (;;) {
		int code = scan_type(scan);

		if (!code)
			code = scan_value(scan);
		if (!code && (!scan->rest.size || scan->rest.data[0] != '+')) {
			code = is_multi ? sort_avas(scan, start) : 0;
			mr_buf_add_char(&scan->key, RDN_END);
		} else if (!code) {
			is_multi = true;
			mr_buf_add_char(&scan->key, AVA_JOIN);
			scan->rest = mr_str_skip(scan->rest, 1);
			continue;
		}
		return code;
	}
}

static int scan_dn(struct scan *scan)
{
	for (;;) {
		int code = scan->n_rdns < RDN_LIMIT ? scan_rdn(scan) : MR_E_INVALID;

		if (code)
			return code;
		scan->ends[scan->n_rdns++] = scan->key.size;
		if (!scan->rest.size)
			return 0;
		scan->rest = mr_str_skip(scan->rest, 1);
	}
}

static mr_str reversed(struct mr_arena *arena, const struct scan *scan)
{
	char *data = mr_alloc(arena, scan->key.size + 1);
	char *at = data;

	for (size_t i = scan->n_rdns; i-- > 0;) {
		size_t start = i ? scan->ends[i - 1] : 0;

		memcpy(at, scan->key.data + start, scan->ends[i] - start);
		at += scan->ends[i] - start;
	}
	return (mr_str){data, scan->key.size};
}

int mr_dn_key(struct mr_arena *arena, mr_str text, mr_str *out)
{
	struct scan scan = {.rest = text};
	int code = scan_dn(&scan);

	if (!code)
		*out = reversed(arena, &scan);
	mr_buf_done(&scan.raw);
	mr_buf_done(&scan.key);
	return code;
}

bool mr_dn_key_is_within(mr_str key, mr_str tree_key)
{
	return mr_str_starts(key, tree_key);
}

size_t mr_dn_key_depth(mr_str key)
{
	size_t depth = 0;

	for (size_t i = 0; i < key.size; i++)
		depth += key.data[i] == RDN_END;
	return depth;
}

mr_str mr_dn_key_parent(mr_str key)
{
	mr_str above = mr_str_take(key, key.size ? key.size - 1 : 0);
	size_t end = mr_str_rfind(above, RDN_END);

	return mr_str_take(key, end < above.size ? end + 1 : 0);
}
