/*
 * Dovecot's configuration syntax, as far as doveconf prints it: "name = value", "section name {"
 * and "}".
 */
#include "dovecot/dovecot.h"

#include <string.h>

/* A stack of sections as one path, "service lmtp/inet_listener lmtp". */
struct reader {
	struct mr_arena *arena;
	struct mr_dovecot_settings *out;
	struct mr_buf path;
	size_t ends[MR_DOVECOT_DEPTH]; /* the path's size before each open section */
	size_t depth;
	size_t hidden; /* how many open sections are left out */
};

static mr_str unquote(struct mr_arena *arena, mr_str value)
{
	char *data;
	size_t n = 0;

	if (value.size < 2 || value.data[0] != '"' || value.data[value.size - 1] != '"')
		return mr_str_copy(arena, value);
	data = mr_alloc(arena, value.size);
	for (size_t i = 1; i + 1 < value.size; i++) {
		if (value.data[i] == '\\' && i + 2 < value.size)
			i++;
		data[n++] = value.data[i];
	}
	return (mr_str){data, n};
}

static mr_str section_name(mr_str line)
{
	return mr_str_trim(mr_str_take(line, line.size - 1));
}

static int open_section(struct reader *reader, mr_str name)
{
	/* without a name of their own there may be several: they are read from our own file only */
	bool is_hidden = mr_str_is(name, "passdb") || mr_str_is(name, "userdb");

	if (reader->depth == MR_DOVECOT_DEPTH)
		return MR_E_INVALID;
	reader->ends[reader->depth++] = reader->path.size;
	if (reader->hidden || is_hidden)
		reader->hidden++;
	for (size_t i = 0; i < name.size; i++)
		if (name.data[i] != '"')
			mr_buf_add_char(&reader->path, name.data[i]);
	mr_buf_add_char(&reader->path, '/');
	return 0;
}

static int close_section(struct reader *reader)
{
	if (reader->depth == 0)
		return MR_E_INVALID;
	reader->path.size = reader->ends[--reader->depth];
	if (reader->hidden)
		reader->hidden--;
	return 0;
}

static int read_setting(struct reader *reader, mr_str line)
{
	struct mr_dovecot_setting setting = {0};
	size_t equals = mr_str_find(line, '=');
	mr_str name = mr_str_trim(mr_str_take(line, equals));

	if (equals == line.size || name.size == 0)
		return MR_E_INVALID;
	if (reader->hidden)
		return 0;
	setting.path = mr_str_printf(reader->arena, "%.*s%.*s", (int)reader->path.size,
	        reader->path.data ? reader->path.data : "", MR_FMT(name));
	setting.value = unquote(reader->arena, mr_str_trim(mr_str_skip(line, equals + 1)));
	mr_dovecot_settings_set(reader->out, &setting);
	return 0;
}

static int read_line(struct reader *reader, mr_str line)
{
	if (line.size == 0 || line.data[0] == '#')
		return 0;
	if (mr_str_is(line, "}"))
		return close_section(reader);
	if (line.data[line.size - 1] == '{' && mr_str_find(line, '=') == line.size)
		return open_section(reader, section_name(line));
	return read_setting(reader, line);
}

int mr_dovecot_conf_parse(
        struct mr_arena *arena, mr_str text, struct mr_dovecot_settings *out, size_t *out_bad_line)
{
	struct reader reader = {.arena = arena, .out = out};
	size_t line = 0;
	int code = 0;

	while (!code && text.size > 0) {
		line++;
		code = read_line(&reader, mr_str_trim(mr_str_split(&text, '\n')));
	}
	if (!code && reader.depth)
		code = MR_E_INVALID;
	mr_buf_done(&reader.path);
	*out_bad_line = line;
	return code;
}

bool mr_dovecot_conf_can_hold(mr_str value)
{
	unsigned bad = 0;

	/* without a way out the compiler looks at many bytes at once */
	for (size_t i = 0; i < value.size; i++)
		bad |= ((unsigned char)value.data[i] < 0x20) | (value.data[i] == 0x7f);
	return !bad;
}

static bool is_plain(mr_str value)
{
	static const char *const extra = "_./:@,%+-=*~ ";

	if (value.size == 0 || value.data[0] == ' ' || value.data[value.size - 1] == ' ')
		return false;
	for (size_t i = 0; i < value.size; i++) {
		unsigned char c = (unsigned char)value.data[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		        (c == 0 || !strchr(extra, c)))
			return false;
	}
	return true;
}

void mr_dovecot_conf_quote(mr_str value, struct mr_buf *out)
{
	/* unquoted, an empty value is fine and '#', '<', '$', '{' would mean something */
	if (value.size == 0)
		return;
	if (is_plain(value)) {
		mr_buf_add_str(out, value);
		return;
	}
	mr_buf_add_char(out, '"');
	for (size_t i = 0; i < value.size; i++) {
		if (value.data[i] == '"' || value.data[i] == '\\')
			mr_buf_add_char(out, '\\');
		mr_buf_add_char(out, value.data[i]);
	}
	mr_buf_add_char(out, '"');
}
