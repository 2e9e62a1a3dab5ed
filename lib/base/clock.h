/*
 * The clock of deadlines.
 */
#ifndef MR_BASE_CLOCK_H
#define MR_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds of the monotonic clock: for deadlines within a process, never for what is kept. */
int64_t mr_clock_ms(void);

#endif
