/*
 * How many messages wait in Postfix's queues.
 */
#ifndef MR_POSTFIX_QUEUE_H
#define MR_POSTFIX_QUEUE_H

#include "postfix/backend.h"

/* Tells incoming, active, deferred and hold. Counting ends at 100000 files or after a fifth of a
 * second a queue: then there are at least that many. */
void mr_postfix_measure(struct mr_backend *backend,
        void (*tell)(void *arg, const char *name, uint64_t value), void *arg);

#endif
