/*
 * Ordered tables: plain files of "pattern value" lines that Postfix reads from the top.
 *
 * One line a row and nothing else, so that reading gives back exactly the pairs that were written.
 */
#include "postfix/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_LIMIT_BYTES ((size_t)64 << 20)

struct text_reader {
	struct mr_buf text;
	mr_str rest;
	enum mr_table_kind kind;
	unsigned ordinal;
	char key[16];
	struct mr_attrs_builder body;
	struct mr_diags *diags;
	char *path;
};

/* The size of a pattern that begins with "/" or any other delimiter: up to the closing one and its
 * flags. */
static size_t expression_size(mr_str line)
{
	size_t i = 0;
	char delimiter;

	while (i < line.size &&
	        (line.data[i] == '!' || line.data[i] == ' ' || line.data[i] == '\t'))
		i++;
	if (i == line.size)
		return 0;
	delimiter = line.data[i++];
	for (; i < line.size && line.data[i] != delimiter; i++)
		if (line.data[i] == '\\' && i + 1 < line.size)
			i++;
	if (i == line.size)
		return 0;
	while (i < line.size && line.data[i] != ' ' && line.data[i] != '\t')
		i++;
	return i;
}

static size_t word_size(mr_str line)
{
	size_t i = 0;

	while (i < line.size && line.data[i] != ' ' && line.data[i] != '\t')
		i++;
	return i;
}

static bool is_block_word(mr_str line)
{
	mr_str word = mr_str_take(line, word_size(line));

	return mr_str_is(word, "if") || mr_str_is(word, "endif");
}

int mr_ordered_row_parse(mr_str line, enum mr_table_kind kind, mr_str *out_pattern,
        mr_str *out_value, const char **out_why)
{
	mr_str trimmed = mr_str_trim(line);
	size_t size;

	*out_why = "its pattern is empty";
	if (!trimmed.size)
		return MR_E_INVALID;
	*out_why = "it begins with '#'";
	if (trimmed.data[0] == '#')
		return MR_E_INVALID;
	*out_why = "it holds a line break or a NUL byte";
	if (memchr(trimmed.data, '\n', trimmed.size) || memchr(trimmed.data, 0, trimmed.size))
		return MR_E_INVALID;
	*out_why = "its pattern has no end";
	if (is_block_word(trimmed))
		size = trimmed.size;
	else if (kind == MR_TABLE_CIDR)
		size = word_size(trimmed);
	else if (!(size = expression_size(trimmed)))
		return MR_E_INVALID;
	*out_pattern = mr_str_take(trimmed, size);
	*out_value = mr_str_trim(mr_str_skip(trimmed, size));
	*out_why = "its value is empty";
	return out_value->size || is_block_word(trimmed) ? 0 : MR_E_INVALID;
}

static int text_next(struct mr_cursor *cursor, struct mr_item *out)
{
	struct text_reader *reader = cursor->state;
	mr_str line, pattern, value;
	const char *why;

	if (!reader->rest.size)
		return 0;
	line = mr_str_split(&reader->rest, '\n');
	if (mr_ordered_row_parse(line, reader->kind, &pattern, &value, &why))
		return mr_fail(reader->diags, MR_E_UNREADABLE, "cannot read '%s' line %u: %s",
		        reader->path, reader->ordinal + 1, why);
	snprintf(reader->key, sizeof reader->key, "%08u", reader->ordinal++);
	mr_attrs_builder_clear(&reader->body);
	mr_attrs_add(&reader->body, MR_STR("pattern"), 0, pattern);
	mr_attrs_add(&reader->body, MR_STR("value"), 0, value);
	*out = (struct mr_item){
	        .key = mr_str_from(reader->key), .body = mr_attrs_finish(&reader->body)};
	return 1;
}

static void text_close(struct mr_cursor *cursor)
{
	struct text_reader *reader = cursor->state;

	mr_buf_done(&reader->text);
	mr_attrs_builder_done(&reader->body);
	free(reader->path);
	free(reader);
}

int mr_ordered_open(
        struct mr_diags *diags, const char *path, enum mr_table_kind kind, struct mr_cursor *out)
{
	struct text_reader *reader;
	struct mr_buf text = MR_BUF_INIT;
	int code = mr_file_read(diags, path, TEXT_LIMIT_BYTES, &text);

	if (code) {
		mr_buf_done(&text);
		return code == MR_E_NOT_FOUND ? code : MR_E_UNREADABLE;
	}
	reader = mr_xrealloc(NULL, 1, sizeof *reader);
	*reader = (struct text_reader){.text = text, .kind = kind, .diags = diags};
	reader->rest = mr_buf_str(&reader->text);
	reader->path = memcpy(mr_xrealloc(NULL, strlen(path) + 1, 1), path, strlen(path) + 1);
	mr_attrs_builder_init(&reader->body);
	*out = (struct mr_cursor){.next = text_next, .close = text_close, .state = reader};
	return 0;
}

int mr_ordered_build(struct mr_diags *diags, const struct mr_table_build *build,
        struct mr_cursor *rows, uint64_t *out_rows)
{
	struct mr_buf text = MR_BUF_INIT;
	struct mr_item row;
	uint64_t n = 0;
	int code;

	while ((code = mr_cursor_next(rows, &row)) > 0) {
		mr_str value = mr_attrs_get(row.body, MR_STR("value"));

		mr_buf_add_str(&text, mr_attrs_get(row.body, MR_STR("pattern")));
		if (value.size)
			mr_buf_add_char(&text, ' ');
		mr_buf_add_str(&text, value);
		mr_buf_add_char(&text, '\n');
		n++;
	}
	if (!code)
		code = mr_file_write_new(diags, build->path, mr_buf_str(&text), &build->owner);
	mr_buf_done(&text);
	if (!code)
		*out_rows = n;
	return code;
}
