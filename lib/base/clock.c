/*
 * The monotonic clock.
 */
#include "base/clock.h"

#include <time.h>

int64_t mr_clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
