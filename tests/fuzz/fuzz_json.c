/*
 * The JSON reader: never outside its input; what it accepts, the writer writes so that it is read
 * as the same again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_value(struct mr_json *json, const struct mr_json_value *value)
{
	switch (value->type) {
	case MR_JSON_NULL:
		mr_json_null(json);
		return;
	case MR_JSON_BOOL:
		mr_json_bool(json, mr_str_is(value->text, "true"));
		return;
	case MR_JSON_NUMBER:
		mr_json_int(json, (int64_t)value->text.size);
		return;
	case MR_JSON_STRING:
		mr_json_str(json, value->text);
		return;
	case MR_JSON_ARRAY:
		mr_json_begin_array(json);
		break;
	case MR_JSON_OBJECT:
		mr_json_begin_object(json);
		break;
	}
	for (const struct mr_json_value *child = value->first_child; child; child = child->next) {
		if (value->type == MR_JSON_OBJECT &&
		        mr_str_find(child->name, '\0') < child->name.size)
			mr_json_name(json, "nul");
		else if (value->type == MR_JSON_OBJECT)
			mr_json_name(json, child->name.data);
		write_value(json, child);
	}
	if (value->type == MR_JSON_ARRAY)
		mr_json_end_array(json);
	else
		mr_json_end_object(json);
}

static void expect_same(const struct mr_json_value *a, const struct mr_json_value *b)
{
	if (a->type != b->type || a->n_children != b->n_children)
		abort();
	if (a->type == MR_JSON_STRING && !mr_str_eq(a->text, b->text))
		abort();
	for (a = a->first_child, b = b->first_child; a; a = a->next, b = b->next)
		expect_same(a, b);
}

/* "nul" may stand twice then, which is refused when read again. */
static int has_nul_name(const struct mr_json_value *value)
{
	for (const struct mr_json_value *child = value->first_child; child; child = child->next)
		if (mr_str_find(child->name, '\0') < child->name.size || has_nul_name(child))
			return 1;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_buf text = MR_BUF_INIT;
	struct mr_json_value *value, *again;
	struct mr_json json;
	size_t offset = 0;

	if (mr_json_parse(&arena, (mr_str){(const char *)data, size}, &value, &offset) == 0) {
		mr_json_init(&json, &text, size % 2);
		write_value(&json, value);
		if (!has_nul_name(value)) {
			if (mr_json_parse(&arena, mr_buf_str(&text), &again, NULL) != 0)
				abort();
			expect_same(value, again);
		}
	} else if (offset > size) {
		abort();
	}
	mr_buf_done(&text);
	mr_arena_done(&arena);
	return 0;
}
