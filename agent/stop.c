/*
 * The one thing a signal handler may do: remember that it was called.
 */
#include "stop.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t is_wanted;

static void remember(int number)
{
	(void)number;
	is_wanted = 1;
}

void stop_on_signals(void)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
	struct sigaction action = {.sa_handler = remember, .sa_flags = SA_RESTART};

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		(void)sigaction(numbers[i], &action, NULL); /* cannot fail with these */
}

bool stop_is_wanted(void *arg)
{
	(void)arg;
	return is_wanted != 0;
}
