/*
 * Text: UTF-8, harmless copies, folding, host names, numbers, sizes, dates, distance, base64.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/text.h"

static int setup(void **state)
{
	static struct mr_arena arena;

	*state = &arena;
	return 0;
}

static int teardown(void **state)
{
	mr_arena_done(*state);
	return 0;
}

static void bad_utf8_is_found(void **state)
{
	(void)state;
	assert_int_equal(mr_utf8_check(MR_STR("a\xc3\xa9z")), 4);
	assert_int_equal(mr_utf8_check(MR_STR("")), 0);
	assert_int_equal(mr_utf8_check(MR_STR("ab\xff")), 2);
	assert_int_equal(mr_utf8_check(MR_STR("\xc0\xaf")), 0);         /* overlong */
	assert_int_equal(mr_utf8_check(MR_STR("x\xed\xa0\x80")), 1);    /* surrogate */
	assert_int_equal(mr_utf8_check(MR_STR("\xf4\x90\x80\x80")), 0); /* beyond U+10FFFF */
	assert_int_equal(mr_utf8_check(MR_STR("a\xe2\x82")), 1);        /* cut off */
}

static void what_reviewers_cannot_see_is_found(void **state)
{
	static const mr_str bad[] = {MR_STR_INIT("ab\x00"
	                                         "c"),
	        MR_STR_INIT("ab\x7f"), MR_STR_INIT("ab\xc2\x85"), MR_STR_INIT("ab\xe2\x80\xa8"),
	        MR_STR_INIT("ab\xe2\x80\xae"), MR_STR_INIT("ab\xe2\x80\x8b"),
	        MR_STR_INIT("ab\xef\xbb\xbf"), MR_STR_INIT("ab\xe2\x81\xa6"),
	        MR_STR_INIT("ab\xf3\xa0\x81\x81"), MR_STR_INIT("ab\xff"), MR_STR_INIT("ab\r")};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(mr_text_check(bad[i], true), 2);
	assert_int_equal(mr_text_check(MR_STR("a\n\tb"), true), 4);
	assert_int_equal(mr_text_check(MR_STR("a\n\tb"), false), 1);
	assert_int_equal(
	        mr_text_check(MR_STR("\xe6\xbc\xa2 \xf0\x9f\x98\x80 \xc3\xa9"), false), 11);
}

static void terminals_get_no_control_characters(void **state)
{
	struct mr_buf out = MR_BUF_INIT;

	(void)state;
	mr_text_harmless(MR_STR("a\x1b[2J\n\xe2\x80\xae\xff\xc3\xa9"), &out);
	assert_string_equal(out.data, "a\\x1b[2J\\x0a\\u{202e}\\xff\xc3\xa9");
	mr_buf_done(&out);
}

static void case_is_folded(void **state)
{
	mr_str out;

	assert_int_equal(mr_text_fold(*state, MR_STR("ALICE@Example.ORG"), &out), 0);
	assert_true(mr_str_is(out, "alice@example.org"));
	assert_int_equal(
	        mr_text_fold(*state, MR_STR("E\xcc\x81T\xc3\x89"), &out), 0); /* E + acute, É */
	assert_true(mr_str_is(out, "\xc3\xa9t\xc3\xa9"));
	assert_int_equal(mr_text_fold(*state, MR_STR("\xff"), &out), MR_E_INVALID);
}

static void host_names_become_a_labels(void **state)
{
	static const char *const good[][2] = {
	        {"Example.ORG", "example.org"},
	        {"b\xc3\xbc"
	         "cher.example",
	                "xn--bcher-kva.example"},
	        {"B\xc3\x9c"
	         "CHER.example",
	                "xn--bcher-kva.example"},
	        {"xn--bcher-kva.example", "xn--bcher-kva.example"},
	        {"XN--BCHER-KVA.example", "xn--bcher-kva.example"},
	        {"stra\xc3\x9f"
	         "e.example",
	                "xn--strae-oqa.example"}, /* not strasse: IDNA2008 */
	        {"a-b.c1.example", "a-b.c1.example"},
	        {"1und1.example", "1und1.example"},
	        {"r3---sn.example", "r3---sn.example"},
	};
	const char *why;
	mr_str out;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(mr_host_parse(*state, mr_str_from(good[i][0]), 2, &out, &why), 0);
		assert_true(mr_str_is(out, good[i][1]));
	}
	assert_int_equal(mr_host_parse(*state, MR_STR("localhost"), 1, &out, &why), 0);
}

static void what_is_no_host_name_is_refused_with_a_reason(void **state)
{
	static const char *const bad[] = {"", "localhost", "example.org.", ".example.org", "a..b",
	        "_dmarc.example.org", "*.example.org", "192.0.2.1", "[192.0.2.1]", "2001:db8::1",
	        "-a.example", "a-.example", "a b.example", "exa\x01mple.org", "a@b.example",
	        "a/b.example", "xn--a.example", "xn--\xc3\xa9.example", "\xe2\x80\x8b.example",
	        "example.123", "\xff.example",
	        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example"};
	mr_str out;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const char *why = NULL;
		int result = mr_host_parse(*state, mr_str_from(bad[i]), 2, &out, &why);

		if (result != MR_E_INVALID)
			print_error("'%s' was taken\n", bad[i]);
		assert_int_equal(result, MR_E_INVALID);
		assert_non_null(why);
	}
	assert_int_equal(
	        mr_host_parse(*state, MR_STR("a\0b.example"), 2, &out, &(const char *){NULL}),
	        MR_E_INVALID);
}

static void sizes_are_powers_of_1024(void **state)
{
	static const char *const bad[] = {
	        "", "K", "5k", "5KB", "-1", "1.5G", "0x10", "5 G", "99999999999T", "05"};
	struct mr_buf out = MR_BUF_INIT;
	uint64_t bytes;

	(void)state;
	assert_int_equal(mr_size_parse(MR_STR("512K"), &bytes), 0);
	assert_int_equal(bytes, 524288);
	assert_int_equal(mr_size_parse(MR_STR("1T"), &bytes), 0);
	assert_int_equal(bytes, UINT64_C(1) << 40);
	assert_int_equal(mr_size_parse(MR_STR("1000"), &bytes), 0);
	mr_size_format(bytes, &out);
	mr_size_format(5368709120, &out);
	mr_size_format(0, &out);
	assert_string_equal(out.data, "10005G0");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(mr_size_parse(mr_str_from(bad[i]), &bytes), MR_E_INVALID);
	mr_buf_done(&out);
}

static void durations_need_a_unit(void **state)
{
	uint64_t seconds;

	(void)state;
	assert_int_equal(mr_duration_parse(MR_STR("90d"), &seconds), 0);
	assert_int_equal(seconds, 90 * 86400);
	assert_int_equal(mr_duration_parse(MR_STR("5m"), &seconds), 0);
	assert_int_equal(seconds, 300);
	assert_int_equal(mr_duration_parse(MR_STR("30"), &seconds), MR_E_INVALID);
	assert_int_equal(mr_duration_parse(MR_STR("1w"), &seconds), MR_E_INVALID);
}

static void dates_are_days(void **state)
{
	static const char *const bad[] = {"2027-02-29", "2027-13-01", "2027-00-10", "2027-1-01",
	        "27-01-01", "2027-04-31", "2027/01/01", "2027-01-01T", "1900-02-29", "0000-01-01"};
	struct mr_buf out = MR_BUF_INIT;
	int64_t days;

	(void)state;
	assert_int_equal(mr_date_parse(MR_STR("1970-01-01"), &days), 0);
	assert_int_equal(days, 0);
	assert_int_equal(mr_date_parse(MR_STR("2000-02-29"), &days), 0);
	assert_int_equal(days, 11016);
	for (int64_t day = -354000; day < 2900000; day += 997) { /* years of four digits */
		mr_buf_clear(&out);
		mr_date_format(day, &out);
		assert_int_equal(mr_date_parse(mr_buf_str(&out), &days), 0);
		assert_int_equal(days, day);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(mr_date_parse(mr_str_from(bad[i]), &days), MR_E_INVALID);
	mr_buf_clear(&out);
	mr_time_format(1795352400, &out);
	assert_string_equal(out.data, "2026-11-22T13:00:00Z");
	mr_buf_done(&out);
}

static void times_need_a_zone(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} good[] = {
	        {"1970-01-01T00:00Z", 0},
	        {"2026-11-22T13:00:00Z", 1795352400},
	        {"2026-11-22T13:00Z", 1795352400},
	        {"2026-11-22T14:30+01:30", 1795352400},
	        {"2026-11-22T07:30:00-05:30", 1795352400},
	        {"2000-02-29T23:59:59Z", 951868799},
	};
	static const char *const bad[] = {"", "2026-11-22", "2026-11-22T13:00", "2026-11-22 13:00Z",
	        "2026-11-22T13:00:Z", "2026-11-22T13:00:0Z", "2026-11-22T24:00Z",
	        "2026-11-22T13:60Z", "2026-11-22T13:00:61Z", "2026-02-30T13:00Z",
	        "2026-11-22T13:00+1:00", "2026-11-22T13:00+24:00", "2026-11-22T13:00ZZ",
	        "2026-11-22T1a:00Z", "2026-11-22T13:00:00"};
	int64_t seconds;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(mr_time_parse(mr_str_from(good[i].text), &seconds), 0);
		assert_int_equal(seconds, good[i].seconds);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(mr_time_parse(mr_str_from(bad[i]), &seconds), MR_E_INVALID);
}

static void numbers_are_strict(void **state)
{
	uint64_t number;

	(void)state;
	assert_int_equal(mr_number_parse(MR_STR("18446744073709551615"), UINT64_MAX, &number), 0);
	assert_true(number == UINT64_MAX);
	assert_int_equal(
	        mr_number_parse(MR_STR("18446744073709551616"), UINT64_MAX, &number), MR_E_INVALID);
	assert_int_equal(mr_number_parse(MR_STR("11"), 10, &number), MR_E_INVALID);
	assert_int_equal(mr_number_parse(MR_STR("0"), 10, &number), 0);
	assert_int_equal(mr_number_parse(MR_STR(" 1"), 10, &number), MR_E_INVALID);
	assert_int_equal(mr_number_parse(MR_STR("007"), 10, &number), MR_E_INVALID);
}

static void distance_is_counted_up_to_a_limit(void **state)
{
	(void)state;
	assert_int_equal(mr_text_distance(MR_STR("quota"), MR_STR("qouta"), 3), 2);
	assert_int_equal(mr_text_distance(MR_STR("same"), MR_STR("same"), 3), 0);
	assert_int_equal(mr_text_distance(MR_STR(""), MR_STR("abc"), 3), 3);
	assert_int_equal(mr_text_distance(MR_STR("kitten"), MR_STR("sitting"), 3), 3);
	assert_int_equal(mr_text_distance(MR_STR("kitten"), MR_STR("sitting"), 2), 3);
	assert_int_equal(mr_text_distance(MR_STR("abcdef"), MR_STR("uvwxyz"), 2), 3);
}

static void base64_is_strict(void **state)
{
	static const char *const bad[] = {"YQ", "YQ=", "YQ==\n", "Y!==", "YQ==YQ==", "YR=="};
	mr_str out;

	assert_int_equal(mr_base64_decode(*state, MR_STR("AAEC/w=="), &out), 0);
	assert_true(mr_str_eq(out, MR_STR("\x00\x01\x02\xff")));
	assert_int_equal(mr_base64_decode(*state, MR_STR(""), &out), 0);
	assert_int_equal(out.size, 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(mr_base64_decode(*state, mr_str_from(bad[i]), &out), MR_E_INVALID);
}

static void base64_comes_back(void **state)
{
	static const char *const texts[] = {"", "a", "ab", "abc", "abcd"};
	static const char *const coded[] = {"", "YQ==", "YWI=", "YWJj", "YWJjZA=="};
	struct mr_buf out = MR_BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		mr_buf_clear(&out);
		mr_base64_encode(mr_str_from(texts[i]), &out);
		assert_true(mr_str_is(mr_buf_str(&out), coded[i]));
	}
	mr_buf_done(&out);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(bad_utf8_is_found),
	        TEST(what_reviewers_cannot_see_is_found),
	        TEST(terminals_get_no_control_characters),
	        TEST(case_is_folded),
	        TEST(host_names_become_a_labels),
	        TEST(what_is_no_host_name_is_refused_with_a_reason),
	        TEST(sizes_are_powers_of_1024),
	        TEST(durations_need_a_unit),
	        TEST(dates_are_days),
	        TEST(times_need_a_zone),
	        TEST(numbers_are_strict),
	        TEST(distance_is_counted_up_to_a_limit),
	        TEST(base64_is_strict),
	        TEST(base64_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
