/*
 * main.cf: logical lines with their places, and edits that keep every other byte.
 */
#include "postfix/maincf.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

static bool is_comment_or_empty(mr_str line)
{
	mr_str rest = mr_str_trim(line);

	return !rest.size || rest.data[0] == '#';
}

/* The physical line at offset, with its line end. */
static mr_str line_at(mr_str text, size_t offset)
{
	mr_str rest = mr_str_skip(text, offset);
	size_t size = mr_str_find(rest, '\n');

	return mr_str_take(rest, size < rest.size ? size + 1 : size);
}

static void add_words(struct mr_buf *out, mr_str s)
{
	size_t i = 0;

	while (i < s.size) {
		size_t start;

		while (i < s.size && is_blank(s.data[i]))
			i++;
		start = i;
		while (i < s.size && !is_blank(s.data[i]))
			i++;
		if (i == start)
			break;
		if (out->size)
			mr_buf_add_char(out, ' ');
		mr_buf_add(out, s.data + start, i - start);
	}
}

mr_str mr_maincf_normal(struct mr_arena *arena, mr_str value)
{
	struct mr_buf words = MR_BUF_INIT;
	mr_str normal;

	add_words(&words, value);
	normal = mr_str_copy(arena, mr_buf_str(&words));
	mr_buf_done(&words);
	return normal;
}

/* Splits "name = value" of a first physical line. */
static int split_first(mr_str line, struct mr_maincf_entry *entry, size_t *out_value)
{
	size_t i = 0, start;

	while (i < line.size && is_blank(line.data[i]))
		i++;
	start = i;
	while (i < line.size && !is_blank(line.data[i]) && line.data[i] != '=')
		i++;
	entry->name = (mr_str){line.data + start, i - start};
	while (i < line.size && is_blank(line.data[i]))
		i++;
	if (!entry->name.size || i == line.size || line.data[i] != '=')
		return MR_E_INVALID;
	i++;
	while (i < line.size && (line.data[i] == ' ' || line.data[i] == '\t'))
		i++;
	*out_value = i;
	return 0;
}

/* Reads the logical line that starts at *offset and moves *offset behind it. */
static int parse_entry(struct mr_maincf *maincf, size_t *offset, size_t *line_number)
{
	struct mr_maincf_entry entry = {.start = *offset};
	struct mr_buf words = MR_BUF_INIT;
	mr_str line = line_at(maincf->text, *offset);
	size_t value, at = *offset + line.size, lines = *line_number + 1;

	if (split_first(line, &entry, &value))
		return MR_E_INVALID;
	entry.value_start = entry.start + value;
	entry.end = at;
	add_words(&words, mr_str_skip(line, value));
	*offset = at;
	*line_number = lines;
	for (; at < maincf->text.size; at += line.size, lines++) {
		line = line_at(maincf->text, at);
		if (is_comment_or_empty(line))
			continue;
		if (!is_blank(line.data[0]))
			break;
		add_words(&words, line);
		entry.end = *offset = at + line.size;
		*line_number = lines + 1;
	}
	entry.value = mr_str_copy(&maincf->arena, mr_buf_str(&words));
	mr_buf_done(&words);
	mr_vec_push(&maincf->entries, entry);
	return 0;
}

int mr_maincf_parse(mr_str text, struct mr_maincf *out, size_t *out_line)
{
	size_t offset = 0, line_number = 1;

	*out = (struct mr_maincf){.text = text};
	mr_arena_init(&out->arena);
	while (offset < text.size) {
		mr_str line = line_at(text, offset);

		if (is_comment_or_empty(line)) {
			if (memchr(line.data, 0, line.size))
				break;
			offset += line.size;
			line_number++;
			continue;
		}
		*out_line = line_number;
		if (memchr(line.data, 0, line.size) || parse_entry(out, &offset, &line_number))
			return MR_E_INVALID;
	}
	*out_line = line_number;
	return memchr(text.size ? text.data : "", 0, text.size) ? MR_E_INVALID : 0;
}

void mr_maincf_done(struct mr_maincf *maincf)
{
	mr_vec_done(&maincf->entries);
	mr_arena_done(&maincf->arena);
}

const struct mr_maincf_entry *mr_maincf_find(const struct mr_maincf *maincf, mr_str name)
{
	for (size_t i = maincf->entries.n; i-- > 0;)
		if (mr_str_eq(maincf->entries.items[i].name, name))
			return &maincf->entries.items[i];
	return NULL;
}

static mr_str line_end(mr_str line)
{
	if (mr_str_ends(line, MR_STR("\r\n")))
		return MR_STR("\r\n");
	return MR_STR("\n");
}

/* The comment and blank lines inside an entry's extent. */
static void keep_inner_comments(
        mr_str text, const struct mr_maincf_entry *entry, struct mr_buf *out)
{
	mr_str line = line_at(text, entry->start);

	for (size_t at = entry->start + line.size; at < entry->end; at += line.size) {
		line = line_at(text, at);
		if (is_comment_or_empty(line))
			mr_buf_add_str(out, line);
	}
}

static void add_value_line(
        mr_str text, const struct mr_maincf_entry *entry, mr_str value, struct mr_buf *out)
{
	mr_str line = line_at(text, entry->start);
	size_t head = entry->value_start - entry->start;

	mr_buf_add(out, line.data, head);
	if (value.size && head && line.data[head - 1] == '=' && head >= 2 &&
	        is_blank(line.data[head - 2]))
		mr_buf_add_char(out, ' ');
	mr_buf_add_str(out, value);
	mr_buf_add_str(out, line_end(line));
}

static void append_line(mr_str text, mr_str name, mr_str value, struct mr_buf *out)
{
	if (text.size && text.data[text.size - 1] != '\n')
		mr_buf_add_char(out, '\n');
	mr_buf_add_str(out, name);
	mr_buf_add_text(out, value.size ? " = " : " =");
	mr_buf_add_str(out, value);
	mr_buf_add_char(out, '\n');
}

void mr_maincf_edit(const struct mr_maincf *maincf, mr_str name, mr_str value, struct mr_buf *out)
{
	mr_str text = maincf->text;
	size_t done = 0;
	bool is_found = false;

	for (size_t i = 0; i < maincf->entries.n; i++) {
		const struct mr_maincf_entry *entry = &maincf->entries.items[i];

		if (!mr_str_eq(entry->name, name))
			continue;
		is_found = true;
		mr_buf_add(out, text.data + done, entry->start - done);
		if (value.data)
			add_value_line(text, entry, value, out);
		keep_inner_comments(text, entry, out);
		done = entry->end;
	}
	if (done < text.size)
		mr_buf_add(out, text.data + done, text.size - done);
	if (!is_found && value.data)
		append_line(text, name, value, out);
}
