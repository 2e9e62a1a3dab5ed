/*
 * Items in short notation for the tests of the plan room: "KEY OBJECT NAME=VALUE,VALUE NAME=VALUE".
 * Marks behind a name: '!' sensitive, '~' live, '%' silent, '^' ordered. '-' stands for no object.
 */
#ifndef MR_TESTS_PLAN_BODIES_H
#define MR_TESTS_PLAN_BODIES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/attrs.h"
#include "base/cursor.h"

static const uint8_t test_key[32] = {1, 2, 3};

static inline unsigned test_flags(mr_str *name)
{
	static const struct {
		char mark;
		unsigned flag;
	} marks[] = {{'!', MR_ATTR_SENSITIVE}, {'~', MR_ATTR_LIVE}, {'%', MR_ATTR_SILENT},
	        {'^', MR_ATTR_ORDERED}};
	unsigned flags = 0;

	for (bool has_more = true; has_more && name->size > 0;) {
		has_more = false;
		for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
			if (name->data[name->size - 1] == marks[i].mark) {
				flags |= marks[i].flag;
				*name = mr_str_take(*name, name->size - 1);
				has_more = true;
				break;
			}
	}
	return flags;
}

/* '+' stands for a blank and ';' for a comma inside a value. */
static inline char test_character(char c)
{
	return c == '+' ? ' ' : c == ';' ? ',' : c;
}

/* The body of "NAME=VALUE,VALUE NAME=VALUE". */
static inline mr_str test_body(struct mr_arena *arena, mr_str text, bool is_sealed)
{
	struct mr_attrs_builder builder, sealer;

	mr_attrs_builder_init(&builder);
	mr_attrs_builder_init(&sealer);
	while (text.size > 0) {
		mr_str values = mr_str_split(&text, ' '), name = mr_str_split(&values, '=');
		unsigned flags = test_flags(&name);
		mr_attrs_begin(&builder, name, flags);
		while (values.size > 0) {
			mr_str value = mr_str_copy(arena, mr_str_split(&values, ','));
			for (size_t i = 0; i < value.size; i++)
				((char *)(uintptr_t)value.data)[i] = test_character(value.data[i]);
			mr_attrs_value(&builder, value);
		}
	}
	mr_str body = mr_attrs_finish(&builder);
	if (is_sealed)
		body = mr_attrs_seal(&sealer, body, test_key);
	body = mr_str_copy(arena, body);
	mr_attrs_builder_done(&builder);
	mr_attrs_builder_done(&sealer);
	return body;
}

/* Lines of items, in any order, as a cursor. */
static inline void test_cursor(struct mr_arena *arena, const char *lines, bool is_sealed,
        const char *path, struct mr_cursor *out)
{
	struct mr_sorter *sorter = mr_sorter_new();
	mr_str rest = mr_str_from(lines);
	uint32_t line_number = 0;

	while (rest.size > 0) {
		mr_str line = mr_str_trim(mr_str_split(&rest, '\n'));
		line_number++;
		if (line.size == 0)
			continue;
		struct mr_item item = {
		        .key = mr_str_split(&line, ' '), .object = mr_str_split(&line, ' ')};
		if (mr_str_is(item.object, "-"))
			item.object = (mr_str){0};
		item.body = test_body(arena, line, is_sealed);
		if (path)
			item.loc = (struct mr_loc){mr_str_from(path), line_number, 3};
		mr_sorter_add(sorter, &item);
	}
	assert_int_equal(mr_sorter_cursor(sorter, out, NULL), 0);
}

/* "name=a,b other=c": the notation back; sealed values as '#'. */
static inline void test_show(mr_str body, struct mr_buf *out)
{
	struct mr_attr attr;
	mr_str rest, value;
	bool is_first = true;

	if (!body.data) {
		mr_buf_add_text(out, "none");
		return;
	}
	while (body.size > 0 && mr_attrs_next(&body, &attr) == 1) {
		mr_buf_printf(out, "%s%.*s=", is_first ? "" : " ", MR_FMT(attr.name));
		is_first = false;
		rest = attr.encoded_values;
		for (size_t i = 0; mr_attr_value_next(&rest, &value) == 1; i++) {
			if (attr.flags & MR_ATTR_SEALED)
				value = MR_STR("#");
			mr_buf_printf(out, "%s%.*s", i > 0 ? "," : "", MR_FMT(value));
		}
	}
}

#endif
