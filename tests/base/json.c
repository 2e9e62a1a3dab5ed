/*
 * JSON: what the writer writes, what the reader takes and refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/json.h"

static void write_sample(struct mr_json *json)
{
	mr_json_begin_object(json);
	mr_json_member_str(json, "text", MR_STR("a\"\\\n\x01\x7f\xc3\xa9\xff"));
	mr_json_name(json, "list");
	mr_json_begin_array(json);
	mr_json_int(json, -5);
	mr_json_null(json);
	mr_json_bool(json, true);
	mr_json_begin_object(json);
	mr_json_end_object(json);
	mr_json_end_array(json);
	mr_json_name(json, "empty");
	mr_json_begin_array(json);
	mr_json_end_array(json);
	mr_json_member_bool(json, "no", false);
	mr_json_end_object(json);
}

static void one_line_and_pretty_text_are_written(void **state)
{
	struct mr_buf out = MR_BUF_INIT;
	struct mr_json json;

	(void)state;
	mr_json_init(&json, &out, false);
	write_sample(&json);
	assert_string_equal(out.data,
	        "{\"text\":\"a\\\"\\\\\\n\\u0001\\u007f\xc3\xa9\xef\xbf\xbd\","
	        "\"list\":[-5,null,true,{}],\"empty\":[],\"no\":false}");
	mr_buf_clear(&out);
	mr_json_init(&json, &out, true);
	write_sample(&json);
	assert_string_equal(out.data,
	        "{\n  \"text\": \"a\\\"\\\\\\n\\u0001\\u007f\xc3\xa9\xef\xbf\xbd\",\n"
	        "  \"list\": [\n    -5,\n    null,\n    true,\n    {}\n  ],\n"
	        "  \"empty\": [],\n  \"no\": false\n}");
	mr_buf_done(&out);
}

static void written_text_is_read_back(void **state)
{
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_buf out = MR_BUF_INIT;
	struct mr_json_value *value;
	struct mr_json json;

	(void)state;
	mr_json_init(&json, &out, true);
	write_sample(&json);
	assert_int_equal(mr_json_parse(&arena, mr_buf_str(&out), &value, NULL), 0);
	assert_true(
	        mr_str_is(mr_json_get_str(value, "text"), "a\"\\\n\x01\x7f\xc3\xa9\xef\xbf\xbd"));
	assert_int_equal(mr_json_find(value, "list")->n_children, 4);
	assert_int_equal(mr_json_find(value, "list")->first_child->type, MR_JSON_NUMBER);
	assert_null(mr_json_find(value, "absent"));
	assert_int_equal(mr_json_get_int(value, "text", 7), 7);
	mr_buf_done(&out);
	mr_arena_done(&arena);
}

static void numbers_and_escapes_are_decoded(void **state)
{
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_json_value *value;

	(void)state;
	assert_int_equal(mr_json_parse(&arena,
	                         MR_STR(" {\"n\":-12,\"big\":99999999999999999999,\"f\":1.5e-3,"
	                                "\"s\":\"\\ud83d\\ude00\\u00e9\\/\"} "),
	                         &value, NULL),
	        0);
	assert_int_equal(mr_json_get_int(value, "n", 0), -12);
	assert_int_equal(mr_json_get_int(value, "big", 3), 3);
	assert_true(mr_str_is(mr_json_find(value, "f")->text, "1.5e-3"));
	assert_true(mr_str_is(mr_json_get_str(value, "s"), "\xf0\x9f\x98\x80\xc3\xa9/"));
	mr_arena_done(&arena);
}

static void everything_that_is_not_json_is_refused(void **state)
{
	static const char *const bad[] = {"", " ", "{", "[1,]", "{\"a\":1,}", "{a:1}", "[01]",
	        "[1.]", "[.5]", "[+1]", "[1e]", "\"a", "\"\\x\"", "\"\\ud83d\"", "\"\\ude00\"",
	        "\"\t\"", "\"\xff\"", "nul", "[1] 2", "{\"a\":1,\"a\":2}", "NaN", "'a'", "[1 2]",
	        "{\"a\" 1}", "// c\n1"};
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_json_value *value;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		size_t offset = 999;

		assert_int_equal(
		        mr_json_parse(&arena, mr_str_from(bad[i]), &value, &offset), MR_E_INVALID);
		assert_true(offset <= strlen(bad[i]));
	}
	mr_arena_done(&arena);
}

static void depth_has_an_end(void **state)
{
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_json_value *value;
	char text[200];

	(void)state;
	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	assert_int_equal(mr_json_parse(&arena, (mr_str){text, 128}, &value, NULL), 0);
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	assert_int_equal(mr_json_parse(&arena, (mr_str){text, 130}, &value, NULL), MR_E_INVALID);
	mr_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(one_line_and_pretty_text_are_written),
	        cmocka_unit_test(written_text_is_read_back),
	        cmocka_unit_test(numbers_and_escapes_are_decoded),
	        cmocka_unit_test(everything_that_is_not_json_is_refused),
	        cmocka_unit_test(depth_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
