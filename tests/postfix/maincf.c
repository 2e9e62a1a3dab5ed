/*
 * Editing main.cf: every byte that is not the parameter's own stays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/run.h"
#include "postfix/maincf.h"

#include <stdlib.h>
#include <string.h>

struct edit {
	const char *before;
	const char *name;
	const char *value; /* NULL: take it out */
	const char *after;
};

static const struct edit edits[] = {
        {"", "a", "1", "a = 1\n"},
        {"x = 1", "a", "2", "x = 1\na = 2\n"},
        {"x = 1\n", "a", "", "x = 1\na =\n"},
        {"a = 1\n", "a", "2", "a = 2\n"},
        {"a=1\nb = 2\n", "a", "3", "a=3\nb = 2\n"},
        {"a\t=\t1\nb = 2\n", "a", "3", "a\t=\t3\nb = 2\n"},
        {"a =\nb = 2\n", "a", "3", "a = 3\nb = 2\n"},
        {"a = 1\r\nb = 2\r\n", "a", "3", "a = 3\r\nb = 2\r\n"},
        {"# head\n\na = 1\n# tail\n", "a", "2", "# head\n\na = 2\n# tail\n"},
        {"a = 1,\n  2,\n\t3\nb = 4\n", "a", "5", "a = 5\nb = 4\n"},
        {"a = 1,\n# why 2\n  2\n# tail\nb = 4\n", "a", "5", "a = 5\n# why 2\n# tail\nb = 4\n"},
        {"a = 1,\n\n  2\n\nb = 4\n", "a", "5", "a = 5\n\n\nb = 4\n"},
        {"a = 1\nb = 2\na = 3\n", "a", "9", "a = 9\nb = 2\na = 9\n"},
        {"a = 1\nb = 2\na = 3\n", "a", NULL, "b = 2\n"},
        {"a = 1,\n# keep\n 2\nb = 2", "a", NULL, "# keep\nb = 2"},
        {"b = 2\n", "a", NULL, "b = 2\n"},
        {"ab = 1\na = 2\nba = 3\n", "a", "4", "ab = 1\na = 4\nba = 3\n"},
        {"#a = 1\n", "a", "2", "#a = 1\na = 2\n"},
};

static void every_other_byte_stays__when_one_parameter_is_edited(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
		struct mr_maincf maincf;
		struct mr_buf out = MR_BUF_INIT;
		size_t line;

		assert_int_equal(mr_maincf_parse(mr_str_from(edits[i].before), &maincf, &line), 0);
		mr_maincf_edit(
		        &maincf, mr_str_from(edits[i].name), mr_str_from(edits[i].value), &out);
		if (!mr_str_is(mr_buf_str(&out), edits[i].after))
			fail_msg("case %zu: got '%.*s'", i, MR_FMT(mr_buf_str(&out)));
		mr_maincf_done(&maincf);
		mr_buf_done(&out);
	}
}

static void the_last_line_wins__when_a_parameter_is_there_twice(void **state)
{
	struct mr_maincf maincf;
	size_t line;

	(void)state;
	assert_int_equal(mr_maincf_parse(MR_STR("a = 1\nb = 2\na = 3\n"), &maincf, &line), 0);
	assert_true(mr_str_is(mr_maincf_find(&maincf, MR_STR("a"))->value, "3"));
	assert_null(mr_maincf_find(&maincf, MR_STR("c")));
	mr_maincf_done(&maincf);
}

static void the_line_is_named__when_postfix_could_not_read_it(void **state)
{
	static const struct {
		mr_str text;
		size_t line;
	} cases[] = {{MR_STR_INIT("a = 1\nnonsense\n"), 2},
	        {MR_STR_INIT("a = 1\n\n# x\n = 2\n"), 1}, {MR_STR_INIT("\n=2\n"), 2},
	        {MR_STR_INIT("a = 1\nb = \0x\n"), 2}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct mr_maincf maincf;
		size_t line = 0;
		int code = mr_maincf_parse(cases[i].text, &maincf, &line);

		if (i != 1) { /* an indented "= 2" continues the value before it */
			assert_int_equal(code, MR_E_INVALID);
			assert_int_equal(line, cases[i].line);
		} else {
			assert_int_equal(code, 0);
		}
		mr_maincf_done(&maincf);
	}
}

/* The server's own reading decides. */
static void values_are_as_postconf_shows_them__for_a_twisted_file(void **state)
{
	static const char twisted[] =
	        "compatibility_level = 3.6\nqueue_directory=/var/spool/postfix\n"
	        "mynetworks = 127.0.0.0/8,\n\t[::1]/128   \n# comment\n\n   10.0.0.0/8\r\n"
	        "  # indented comment\n  , 192.0.2.0/24\n"
	        "smtpd_banner =   $myhostname   ESMTP\t$mail_name\nrelayhost=\n"
	        "message_size_limit = 1\nmessage_size_limit = 2\nmydestination\t=localhost\n";
	char directory[] = "/tmp/mr-maincf.XXXXXX";
	const char *const argv[] = {"postconf", "-c", directory, "-n", NULL};
	struct mr_run run = {.argv = argv};
	struct mr_maincf maincf;
	struct mr_diags diags;
	struct mr_arena arena;
	mr_str rest;
	size_t line, n = 0;

	(void)state;
	mr_diags_init(&diags);
	mr_arena_init(&arena);
	assert_non_null(mkdtemp(directory));
	assert_int_equal(
	        mr_file_replace(&diags, mr_str_printf(&arena, "%s/main.cf", directory).data,
	                MR_STR(twisted), NULL),
	        0);
	assert_int_equal(
	        mr_file_replace(&diags, mr_str_printf(&arena, "%s/master.cf", directory).data,
	                MR_STR(""), NULL),
	        0);
	assert_int_equal(mr_run(&diags, &run), 0);
	assert_int_equal(run.status, 0);
	assert_int_equal(mr_maincf_parse(MR_STR(twisted), &maincf, &line), 0);
	for (rest = mr_buf_str(&run.out); rest.size;) {
		mr_str value = mr_str_split(&rest, '\n'),
		       name = mr_str_trim(mr_str_split(&value, '='));
		const struct mr_maincf_entry *entry = mr_maincf_find(&maincf, name);

		if (mr_str_is(name, "config_directory"))
			continue;
		assert_non_null(entry);
		if (!mr_str_eq(entry->value, mr_str_trim(value)))
			fail_msg("%.*s: ours '%.*s', postconf's '%.*s'", MR_FMT(name),
			        MR_FMT(entry->value), MR_FMT(value));
		n++;
	}
	assert_int_equal(n, 7);
	mr_maincf_done(&maincf);
	mr_run_done(&run);
	assert_int_equal(mr_dir_remove(&diags, directory), 0);
	mr_arena_done(&arena);
	mr_diags_done(&diags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_other_byte_stays__when_one_parameter_is_edited),
	        cmocka_unit_test(the_last_line_wins__when_a_parameter_is_there_twice),
	        cmocka_unit_test(the_line_is_named__when_postfix_could_not_read_it),
	        cmocka_unit_test(values_are_as_postconf_shows_them__for_a_twisted_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
