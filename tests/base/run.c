/*
 * Running programs: output, status, environment, deadline, daemons, terminals, limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/run.h"

struct fixture {
	struct mr_diags diags;
	struct mr_run run;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	mr_diags_init(&fixture->diags);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	mr_run_done(&fixture->run);
	mr_diags_done(&fixture->diags);
	free(fixture);
	return 0;
}

#define RUN(fixture, ...)                                                                          \
	((fixture)->run.argv = (const char *const[]){__VA_ARGS__, NULL},                           \
	        mr_run(&(fixture)->diags, &(fixture)->run))

static void output_and_status_come_back(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(RUN(f, "sh", "-c", "echo out; echo err >&2; exit 7"), 0);
	assert_string_equal(f->run.out.data, "out\n");
	assert_string_equal(f->run.err.data, "err\n");
	assert_int_equal(f->run.status, 7);
}

static void a_signal_counts_from_128(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(RUN(f, "sh", "-c", "kill -TERM $$"), 0);
	assert_int_equal(f->run.status, 128 + SIGTERM);
}

static void input_is_read_to_its_end(void **state)
{
	struct fixture *f = *state;
	char *big = malloc(1000000);

	memset(big, 'x', 1000000);
	f->run.input = (mr_str){big, 1000000};
	assert_int_equal(RUN(f, "wc", "-c"), 0);
	assert_string_equal(f->run.out.data, "1000000\n");
	free(big);
}

static void nothing_of_ours_is_inherited(void **state)
{
	struct fixture *f = *state;
	int fd = open("/dev/null", O_RDONLY); /* on purpose without O_CLOEXEC */

	setenv("MR_LEAK", "1", 1);
	assert_int_equal(RUN(f, "sh", "-c", "/usr/bin/env | sort; pwd"), 0);
	assert_null(strstr(f->run.out.data, "MR_LEAK"));
	assert_non_null(strstr(f->run.out.data, "HOME=/\nLANG=C.UTF-8\n"));
	assert_non_null(strstr(f->run.out.data, "\n/\n"));
	assert_int_equal(RUN(f, "ls", "/proc/self/fd"), 0);
	assert_string_equal(f->run.out.data, "0\n1\n2\n3\n"); /* the last is its own */
	(void)close(fd);
}

static void the_whole_group_is_killed__when_the_deadline_passes(void **state)
{
	struct fixture *f = *state;
	pid_t grandchild;

	f->run.timeout_ms = 300;
	assert_int_equal(RUN(f, "sh", "-c", "sleep 60 & echo $!; wait"), MR_E_TIMEOUT);
	assert_int_equal(f->diags.n_errors, 1);
	grandchild = (pid_t)strtol(f->run.out.data, NULL, 10);
	assert_true(grandchild > 1);
	/* the kernel removes it asynchronously: bounded looks */
	for (int i = 0; i < 500 && kill(grandchild, 0) == 0; i++) {
		char path[64], text[256] = "";
		int fd;

		(void)snprintf(path, sizeof path, "/proc/%d/stat", grandchild);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			break;
		(void)!read(fd, text, sizeof text - 1);
		(void)close(fd);
		if (strstr(text, ") Z "))
			break;
		usleep(10000);
		assert_true(i < 499);
	}
}

static void a_daemon_left_behind_does_not_hold_us(void **state)
{
	struct fixture *f = *state;

	f->run.is_daemon_starter = true;
	f->run.timeout_ms = 10000;
	assert_int_equal(RUN(f, "sh", "-c", "sleep 20 & echo $!; echo ready >&2"), 0);
	assert_string_equal(f->run.err.data, "ready\n");
	assert_int_equal(kill((pid_t)strtol(f->run.out.data, NULL, 10), SIGKILL), 0);
}

static void standard_error_is_a_terminal__when_wanted(void **state)
{
	struct fixture *f = *state;

	f->run.wants_terminal = true;
	assert_int_equal(
	        RUN(f, "sh", "-c", "test -t 2 && printf 'a\\r\\nb\\n' >&2; test -t 1; echo $?"), 0);
	assert_string_equal(f->run.err.data, "a\nb\n");
	assert_string_equal(f->run.out.data, "1\n");
}

static void a_flood_of_output_is_an_error(void **state)
{
	struct fixture *f = *state;

	f->run.limit_bytes = 1000;
	assert_int_equal(RUN(f, "yes"), MR_E_FAILED);
}

static void a_missing_program_is_told(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(RUN(f, "mailreeve-no-such-program"), MR_E_NOT_FOUND);
	assert_int_equal(RUN(f, "/nonexistent/program"), MR_E_NOT_FOUND);
	f->run.directory = "/nonexistent";
	assert_int_equal(RUN(f, "true"), MR_E_FAILED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(output_and_status_come_back),
	        TEST(a_signal_counts_from_128),
	        TEST(input_is_read_to_its_end),
	        TEST(nothing_of_ours_is_inherited),
	        TEST(the_whole_group_is_killed__when_the_deadline_passes),
	        TEST(a_daemon_left_behind_does_not_hold_us),
	        TEST(standard_error_is_a_terminal__when_wanted),
	        TEST(a_flood_of_output_is_an_error),
	        TEST(a_missing_program_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
