/*
 * Templates: what is filled in and how it is escaped, what is refused and where, and that the ones
 * that are shipped are the built-in ones.
 */
#include "notify/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"

static const struct mr_notice notice = {
        .values = {
                [MR_NOTICE_host] = MR_STR_INIT("mx1.example.org"),
                [MR_NOTICE_state] = MR_STR_INIT("failed"),
                [MR_NOTICE_summary] = MR_STR_INIT("mx1: failed: \"a\\b\"\x1b[31m"),
                [MR_NOTICE_reason] = MR_STR_INIT("one\nBcc: other@example.org\x07"),
                [MR_NOTICE_run] = MR_STR_INIT("7"),
                [MR_NOTICE_drift] = MR_STR_INIT("0"),
        }};

static void expands(const char *text, enum mr_template_escape escape, const char *wanted)
{
	struct mr_buf out = MR_BUF_INIT;

	mr_template_expand(mr_str_from(text), &notice, escape, &out);
	mr_buf_add_char(&out, '\0');
	assert_string_equal(out.data, wanted);
	mr_buf_done(&out);
}

static void placeholders_are_filled_in(void **state)
{
	(void)state;
	expands("{{host}} is {{state}}.", MR_ESCAPE_LINES, "mx1.example.org is failed.");
	expands("{{host}}{{state}}", MR_ESCAPE_LINES, "mx1.example.orgfailed");
	expands("{{previous}}|", MR_ESCAPE_LINES, "|");
	expands("{ {host}} {host} }}", MR_ESCAPE_LINES, "{ {host}} {host} }}");
	expands("", MR_ESCAPE_LINES, "");
}

/* What is filled in is never read again. */
static void values_are_made_harmless(void **state)
{
	(void)state;
	expands("{{reason}}", MR_ESCAPE_LINES, "one\nBcc: other@example.org\\x07");
	expands("{{reason}}", MR_ESCAPE_LINE, "one; Bcc: other@example.org\\x07");
	expands("\"{{reason}}\"", MR_ESCAPE_JSON, "\"one\\nBcc: other@example.org\\u0007\"");
	expands("\"{{summary}}\"", MR_ESCAPE_JSON, "\"mx1: failed: \\\"a\\\\b\\\"\\u001b[31m\"");
}

static void mistakes_are_told_with_their_place(void **state)
{
	static const struct {
		const char *text;
		uint32_t line, column;
	} cases[] = {
	        {"{{hots}}", 1, 1},
	        {"a\nbc {{host }}", 2, 4},
	        {"{{host}} {{", 1, 10},
	        {"{{host}}\n\n  {{state", 3, 3},
	        {"{{}}", 1, 1},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct mr_diags diags;

		mr_diags_init(&diags);
		assert_int_equal(
		        mr_template_check(&diags, MR_STR("mail.txt"), mr_str_from(cases[i].text)),
		        MR_E_CONFIG);
		assert_int_equal(diags.list.n, 1);
		assert_int_equal(diags.list.items[0].loc.line, cases[i].line);
		assert_int_equal(diags.list.items[0].loc.column, cases[i].column);
		mr_diags_done(&diags);
	}
}

static void shipped_templates_are_the_built_in_ones(void **state)
{
	struct mr_diags diags;

	(void)state;
	mr_diags_init(&diags);
	for (int i = 0; i < MR_WAY_COUNT; i++) {
		struct mr_arena arena = MR_ARENA_INIT;
		struct mr_buf shipped = MR_BUF_INIT;
		mr_str builtin = mr_str_from(mr_template_builtin((enum mr_way)i));
		const char *path = mr_str_printf(&arena, "%s/examples/notifications/%s",
		        MR_SOURCE_DIR, mr_template_file_name((enum mr_way)i))
		                           .data;

		assert_int_equal(mr_template_check(&diags, MR_STR("built-in"), builtin), 0);
		assert_int_equal(mr_file_read(&diags, path, 65536, &shipped), 0);
		assert_true(mr_str_eq(mr_buf_str(&shipped), builtin));
		mr_buf_done(&shipped);
		mr_arena_done(&arena);
	}
	mr_diags_done(&diags);
}

static void the_built_in_event_is_json__whatever_is_in_it(void **state)
{
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_buf out = MR_BUF_INIT;
	struct mr_json_value *root = NULL;

	(void)state;
	mr_template_expand(
	        mr_str_from(mr_template_builtin(MR_WAY_WEBHOOK)), &notice, MR_ESCAPE_JSON, &out);
	assert_int_equal(mr_json_parse(&arena, mr_buf_str(&out), &root, NULL), 0);
	assert_true(mr_str_is(mr_json_get_str(root, "format"), "mailreeve.event/1"));
	assert_true(mr_str_eq(mr_json_get_str(root, "reason"), notice.values[MR_NOTICE_reason]));
	assert_int_equal(mr_json_get_int(root, "run", 0), 7);
	mr_buf_done(&out);
	mr_arena_done(&arena);
}

static void a_mail_begins_with_its_subject(void **state)
{
	mr_str subject, body;

	(void)state;
	assert_true(mr_template_split_mail(MR_STR("Subject: a b\n\nx\ny\n"), &subject, &body));
	assert_true(mr_str_is(subject, "a b"));
	assert_true(mr_str_is(body, "x\ny\n"));
	assert_false(mr_template_split_mail(MR_STR("x\n\n"), &subject, &body));
	assert_false(mr_template_split_mail(MR_STR("Subject: a\nBcc: b\n\n"), &subject, &body));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(placeholders_are_filled_in),
	        cmocka_unit_test(values_are_made_harmless),
	        cmocka_unit_test(mistakes_are_told_with_their_place),
	        cmocka_unit_test(shipped_templates_are_the_built_in_ones),
	        cmocka_unit_test(the_built_in_event_is_json__whatever_is_in_it),
	        cmocka_unit_test(a_mail_begins_with_its_subject),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
