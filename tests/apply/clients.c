/*
 * Tests of what the probe clients make of the answers they get.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apply/imap.h"
#include "apply/smtp.h"
#include "base/buf.h"

static void an_smtp_line_is_read_or_refused(void **state)
{
	(void)state;
	const struct {
		const char *line;
		int result, code;
		bool is_last;
		const char *text;
	} cases[] = {
	        {"250 ok", 0, 250, true, "ok"},
	        {"250-XCLIENT NAME ADDR", 0, 250, false, "XCLIENT NAME ADDR"},
	        {"220", 0, 220, true, ""},
	        {"550 5.1.1 <x>: no", 0, 550, true, "5.1.1 <x>: no"},
	        {"25", MR_E_INVALID, 0, false, ""},
	        {"", MR_E_INVALID, 0, false, ""},
	        {"250_ok", MR_E_INVALID, 0, false, ""},
	        {"2x0 ok", MR_E_INVALID, 0, false, ""},
	        {"150 ok", MR_E_INVALID, 0, false, ""},
	        {"600 ok", MR_E_INVALID, 0, false, ""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int code = 0;
		bool is_last = false;
		mr_str text = MR_STR("");
		assert_int_equal(mr_smtp_parse(mr_str_from(cases[i].line), &code, &is_last, &text),
		        cases[i].result);
		assert_int_equal(code, cases[i].code);
		assert_int_equal(is_last, cases[i].is_last);
		assert_true(mr_str_is(text, cases[i].text));
	}
}

static void an_address_that_could_end_the_command_is_not_carried(void **state)
{
	(void)state;
	assert_true(mr_smtp_can_carry(MR_STR("a+b@example.org")));
	assert_false(mr_smtp_can_carry(MR_STR("a@example.org>\r\nDATA")));
	assert_false(mr_smtp_can_carry(MR_STR("a@example.org> NOTIFY")));
	assert_false(mr_smtp_can_carry(MR_STR("\xc3\xa4@example.org")));
	assert_false(mr_smtp_can_carry(MR_STR("")));
}

static void a_search_answer_is_counted(void **state)
{
	(void)state;
	uint32_t n = 9, last = 9;

	assert_true(mr_imap_parse_search(MR_STR("* SEARCH"), &n, &last));
	assert_int_equal(n, 0);
	assert_true(mr_imap_parse_search(MR_STR("* SEARCH 3 17"), &n, &last));
	assert_int_equal(n, 2);
	assert_int_equal(last, 17);
	assert_false(mr_imap_parse_search(MR_STR("* SEARCHED 3"), &n, &last));
	assert_false(mr_imap_parse_search(MR_STR("* SEARCH x"), &n, &last));
	assert_false(mr_imap_parse_search(MR_STR("* SEARCH 99999999999"), &n, &last));
	assert_false(mr_imap_parse_search(MR_STR("* 3 EXISTS"), &n, &last));
}

static void a_password_is_quoted__or_not_sent(void **state)
{
	(void)state;
	struct mr_buf out = MR_BUF_INIT;

	assert_true(mr_imap_quote(MR_STR("a\"b\\c d"), &out));
	assert_string_equal(out.data, "\"a\\\"b\\\\c d\"");
	mr_buf_clear(&out);
	assert_false(mr_imap_quote(MR_STR("a\r\nb LOGOUT"), &out));
	mr_buf_done(&out);
}

static void a_probe_address_is_numeric(void **state)
{
	(void)state;
	const struct {
		const char *address;
		int result;
		const char *host, *port;
	} cases[] = {
	        {"127.0.0.1:25", 0, "127.0.0.1", "25"},
	        {"[::1]:2525", 0, "::1", "2525"},
	        {"localhost:143", 0, "127.0.0.1", "143"},
	        {"127.0.0.1", MR_E_CONFIG, "", ""},
	        {"::1:25", MR_E_CONFIG, "", ""},
	        {"127.0.0.1:smtp", MR_E_CONFIG, "", ""},
	        {":25", MR_E_CONFIG, "", ""},
	        {"", MR_E_CONFIG, "", ""},
	};
	char host[64], port[8];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		host[0] = port[0] = '\0';
		assert_int_equal(
		        mr_wire_split(mr_str_from(cases[i].address), host, port), cases[i].result);
		assert_string_equal(host, cases[i].host);
		assert_string_equal(port, cases[i].port);
	}
}

static void nobody_listening_is_an_error_with_its_reason(void **state)
{
	(void)state;
	struct mr_smtp smtp;

	/* port 1 of loopback: tcpmux, which no machine serves */
	assert_true(mr_smtp_open(&smtp, MR_STR("127.0.0.1:1"), MR_STR("localhost"), 2000) < 0);
	assert_true(strlen(smtp.text) > 0);
	assert_int_equal(smtp.wire.fd, -1);
	mr_smtp_close(&smtp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_smtp_line_is_read_or_refused),
	        cmocka_unit_test(an_address_that_could_end_the_command_is_not_carried),
	        cmocka_unit_test(a_search_answer_is_counted),
	        cmocka_unit_test(a_password_is_quoted__or_not_sent),
	        cmocka_unit_test(a_probe_address_is_numeric),
	        cmocka_unit_test(nobody_listening_is_an_error_with_its_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
