/*
 * Waiting that a signal does not cut short: one that asks the process to end is no answer of the
 * server that is waited for.
 */
#ifndef MR_BASE_WAIT_H
#define MR_BASE_WAIT_H

#include <stdint.h>

/* Until one of the events (poll(2)) is there: 1; 0 at the deadline of mr_clock_ms, which is looked
 * at first; -1 with errno. */
int mr_wait_fd(int fd, short events, int64_t deadline_ms);
void mr_wait_ms(unsigned ms);

#endif
