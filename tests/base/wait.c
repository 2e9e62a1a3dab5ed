/*
 * Waiting that a signal does not cut short.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wait.h"

static volatile sig_atomic_t n_signals;

static void count(int number)
{
	(void)number;
	n_signals++;
}

static void hear(void)
{
	struct sigaction action = {.sa_handler = count, .sa_flags = SA_RESTART};

	n_signals = 0;
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
}

/* Signals the parent for as long as it waits, then writes. */
static _Noreturn void disturb(int ready)
{
	for (int i = 0; i < 20; i++) {
		mr_wait_ms(10);
		(void)kill(getppid(), SIGUSR1);
	}
	_exit(write(ready, "x", 1) == 1 ? 0 : 1);
}

static pid_t start_disturbing(int ends[2])
{
	pid_t pid;

	hear();
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0)
		disturb(ends[1]);
	return pid;
}

static void end_disturbing(pid_t pid, const int ends[2])
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(n_signals > 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void an_answer_is_awaited__signals_meanwhile(void **state)
{
	int ends[2];
	pid_t pid = start_disturbing(ends);

	(void)state;
	assert_int_equal(mr_wait_fd(ends[0], POLLIN, mr_clock_ms() + 60000), 1);
	end_disturbing(pid, ends);
}

static void a_pause_is_whole__signals_meanwhile(void **state)
{
	int ends[2];
	pid_t pid = start_disturbing(ends);
	int64_t begun = mr_clock_ms();

	(void)state;
	mr_wait_ms(100);
	assert_true(mr_clock_ms() - begun >= 99);
	end_disturbing(pid, ends);
}

static void the_deadline_is_looked_at_first(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(mr_wait_fd(ends[0], POLLIN, mr_clock_ms() - 1), 0);
	assert_int_equal(mr_wait_fd(ends[0], POLLIN, mr_clock_ms() + 60000), 1);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_answer_is_awaited__signals_meanwhile),
	        cmocka_unit_test(a_pause_is_whole__signals_meanwhile),
	        cmocka_unit_test(the_deadline_is_looked_at_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
