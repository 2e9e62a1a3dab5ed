/*
 * The streaming JSON writer. The reader is in json_parse.c.
 */
#include "base/json.h"

#include "base/text.h"

#include <assert.h>
#include <inttypes.h>

static const char hex_digits[] = "0123456789abcdef";

static void newline(struct mr_json *json)
{
	if (!json->is_pretty)
		return;
	mr_buf_add_char(json->out, '\n');
	for (unsigned i = 0; i < json->depth; i++)
		mr_buf_add_text(json->out, "  ");
}

static void before_value(struct mr_json *json)
{
	if (json->after_name) {
		json->after_name = false;
		return;
	}
	if (json->needs_comma)
		mr_buf_add_char(json->out, ',');
	if (json->depth)
		newline(json);
}

static void begin(struct mr_json *json, char bracket)
{
	before_value(json);
	mr_buf_add_char(json->out, bracket);
	json->depth++;
	json->needs_comma = false;
}

static void end(struct mr_json *json, char bracket)
{
	assert(json->depth > 0 && !json->after_name);
	json->depth--;
	if (json->needs_comma)
		newline(json);
	mr_buf_add_char(json->out, bracket);
	json->needs_comma = true;
}

static void plain(struct mr_json *json, const char *text)
{
	before_value(json);
	mr_buf_add_text(json->out, text);
	json->needs_comma = true;
}

static void escape(struct mr_buf *out, uint8_t byte)
{
	static const char letters[] = {['\b'] = 'b',
	        ['\t'] = 't',
	        ['\n'] = 'n',
	        ['\f'] = 'f',
	        ['\r'] = 'r',
	        ['"'] = '"',
	        ['\\'] = '\\'};
	char text[] = {'\\', 'u', '0', '0', hex_digits[byte >> 4], hex_digits[byte & 15]};

	if (byte < sizeof letters && letters[byte]) {
		text[1] = letters[byte];
		mr_buf_add(out, text, 2);
		return;
	}
	mr_buf_add(out, text, sizeof text);
}

static bool needs_escape(uint8_t byte)
{
	return byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7f;
}

static void add_valid(struct mr_buf *out, mr_str s)
{
	size_t from = 0;

	for (size_t i = 0; i < s.size; i++) {
		if (!needs_escape((uint8_t)s.data[i]))
			continue;
		mr_buf_add(out, s.data + from, i - from);
		escape(out, (uint8_t)s.data[i]);
		from = i + 1;
	}
	mr_buf_add(out, s.data + from, s.size - from);
}

static void add_quoted(struct mr_buf *out, mr_str s)
{
	mr_buf_add_char(out, '"');
	while (s.size) {
		size_t good = mr_utf8_check(s);

		add_valid(out, mr_str_take(s, good));
		s = mr_str_skip(s, good);
		if (!s.size)
			break;
		mr_buf_add_text(out, "\xef\xbf\xbd");
		s = mr_str_skip(s, 1);
	}
	mr_buf_add_char(out, '"');
}

void mr_json_init(struct mr_json *json, struct mr_buf *out, bool is_pretty)
{
	*json = (struct mr_json){.out = out, .is_pretty = is_pretty};
}

void mr_json_begin_object(struct mr_json *json)
{
	begin(json, '{');
}

void mr_json_end_object(struct mr_json *json)
{
	end(json, '}');
}

void mr_json_begin_array(struct mr_json *json)
{
	begin(json, '[');
}

void mr_json_end_array(struct mr_json *json)
{
	end(json, ']');
}

void mr_json_name(struct mr_json *json, const char *name)
{
	before_value(json);
	add_quoted(json->out, mr_str_from(name));
	mr_buf_add_text(json->out, json->is_pretty ? ": " : ":");
	json->after_name = true;
}

void mr_json_str(struct mr_json *json, mr_str value)
{
	before_value(json);
	add_quoted(json->out, value);
	json->needs_comma = true;
}

void mr_json_text(struct mr_json *json, const char *value)
{
	mr_json_str(json, mr_str_from(value));
}

void mr_json_int(struct mr_json *json, int64_t value)
{
	before_value(json);
	mr_buf_printf(json->out, "%" PRId64, value);
	json->needs_comma = true;
}

void mr_json_bool(struct mr_json *json, bool value)
{
	plain(json, value ? "true" : "false");
}

void mr_json_null(struct mr_json *json)
{
	plain(json, "null");
}

void mr_json_member_str(struct mr_json *json, const char *name, mr_str value)
{
	mr_json_name(json, name);
	mr_json_str(json, value);
}

void mr_json_member_int(struct mr_json *json, const char *name, int64_t value)
{
	mr_json_name(json, name);
	mr_json_int(json, value);
}

void mr_json_member_bool(struct mr_json *json, const char *name, bool value)
{
	mr_json_name(json, name);
	mr_json_bool(json, value);
}
