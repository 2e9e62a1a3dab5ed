/*
 * Limits, windows, and what a policy is after it was kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "model/policy.h"
#include "model/values.h"

static void a_limit_allows_the_larger_of_count_and_share__when_both_are_given(void **state)
{
	static const struct {
		const char *text;
		uint64_t total, allowed;
	} cases[] = {{"5 or 2%", 100, 5}, {"5 or 2%", 1000, 20}, {"7", 1000, 7}, {"2.5%", 1000, 25},
	        {"0", 9, 0}, {"100%", 9, 9}};
	static const char *const bad[] = {
	        "", "5 of 2%", "5%%", "-1", "101%", "2.555%", "5 or", "or 2%", "%", "5 or 2"};
	struct mr_limit limit = {0};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(mr_limit_parse(mr_str_from(cases[i].text), &limit), 0);
		assert_int_equal(mr_limit_allows(&limit, cases[i].total), cases[i].allowed);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (mr_limit_parse(mr_str_from(bad[i]), &limit) == 0)
			fail_msg("'%s' passed", bad[i]);
}

static void a_window_is_open__when_day_and_time_are_in_it(void **state)
{
	static const struct {
		const char *text;
		unsigned day, minutes;
		bool is_open;
	} cases[] = {{"Sat 02:00-05:00", 5, 120, true}, {"Sat 02:00-05:00", 5, 300, false},
	        {"Sat 02:00-05:00", 4, 120, false}, {"Mon-Fri 22:00-04:00", 4, 1400, true},
	        {"Mon-Fri 22:00-04:00", 5, 100, true}, {"Mon-Fri 22:00-04:00", 6, 100, false},
	        {"Sat,Sun 00:00-24:00", 6, 1439, true}, {"02:00-05:00", 3, 200, true},
	        {"Fri-Mon 01:00-02:00", 0, 60, true}};
	static const char *const bad[] = {
	        "", "Sat", "Sat 2:00-5:00", "Sam 02:00-05:00", "02:00-02:00", "24:01-25:00"};
	struct mr_window window;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(mr_window_parse(mr_str_from(cases[i].text), &window), 0);
		assert_int_equal(mr_window_is_open(&window, cases[i].day, cases[i].minutes),
		        cases[i].is_open);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(mr_window_parse(mr_str_from(bad[i]), &window), MR_E_INVALID);
}

static void a_policy_is_the_same__when_kept_and_read_again(void **state)
{
	struct mr_limit limits[] = {{MR_STR_INIT("users.close"), {0}, 0, 0}};
	mr_str protect[] = {MR_STR_INIT("user/ceo@example.org")},
	       waived[] = {MR_STR_INIT("MR-RELAY-ANY domain/a.b")};
	struct mr_window windows[1] = {0};
	struct mr_policy policy = {limits, 1, {protect, 1}, {0}, {waived, 1}, windows, 1}, read;
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_buf first = MR_BUF_INIT, second = MR_BUF_INIT;

	(void)state;
	assert_int_equal(mr_limit_parse(MR_STR("3 or 1%"), &limits[0]), 0);
	assert_int_equal(mr_window_parse(MR_STR("Sat 02:00-05:00"), &windows[0]), 0);
	windows[0].action = MR_STR("restart");
	mr_policy_complete(&arena, &policy);
	mr_policy_format(&policy, &first);
	assert_int_equal(mr_policy_parse(&arena, mr_buf_str(&first), &read), 0);
	mr_policy_format(&read, &second);
	assert_string_equal(first.data, second.data);
	assert_int_equal(read.n_limits, mr_policy_builtin()->n_limits);
	assert_true(mr_policy_is_waived(&read, MR_STR("MR-RELAY-ANY"), MR_STR("domain/a.b")));
	assert_false(mr_policy_is_waived(&read, MR_STR("MR-RELAY-ANY"), MR_STR("domain/a.c")));
	assert_int_equal(mr_policy_parse(&arena, MR_STR("{"), &read), MR_E_INVALID);
	mr_buf_done(&first);
	mr_buf_done(&second);
	mr_arena_done(&arena);
}

static void weak_schemes_are_known__when_asked(void **state)
{
	static const struct {
		const char *password;
		bool is_weak;
	} cases[] = {{"{PLAIN}x", true}, {"{cleartext}x", true}, {"{SHA1}x", true},
	        {"{SSHA.HEX}x", true}, {"{LANMAN}x", true}, {"{CRAM-MD5}x", true},
	        {"{MD5-CRYPT}x", true}, {"{SHA512-CRYPT}x", false}, {"{ARGON2ID}x", false},
	        {"{BLF-CRYPT}x", false}, {"{PBKDF2}x", false}, {"{SSHA512.B64}x", false}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(mr_password_scheme_is_weak(
		                         mr_password_scheme(mr_str_from(cases[i].password))),
		        cases[i].is_weak);
	assert_int_equal(mr_password_scheme(MR_STR("secret")).size, 0);
	assert_int_equal(mr_password_scheme(MR_STR("{a b}x")).size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_limit_allows_the_larger_of_count_and_share__when_both_are_given),
	        cmocka_unit_test(a_window_is_open__when_day_and_time_are_in_it),
	        cmocka_unit_test(a_policy_is_the_same__when_kept_and_read_again),
	        cmocka_unit_test(weak_schemes_are_known__when_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
