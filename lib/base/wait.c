/*
 * poll(2) and nanosleep(2), taken up again after a signal.
 */
#include "base/wait.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

enum { LONGEST_MS = 60 * 1000 };

int mr_wait_fd(int fd, short events, int64_t deadline_ms)
{
	struct pollfd waited = {.fd = fd, .events = events};

	for (;;) {
		int64_t left = deadline_ms - mr_clock_ms();
		int ready;

		if (left <= 0)
			return 0;
		ready = poll(&waited, 1, left > LONGEST_MS ? LONGEST_MS : (int)left);
		if (ready > 0)
			return 1;
		if (ready < 0 && errno != EINTR)
			return -1;
	}
}

void mr_wait_ms(unsigned ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		continue;
}
