/*
 * Being asked to end, as the library wants to be told (mailreeve_options.is_stopping).
 */
#ifndef AGENT_STOP_H
#define AGENT_STOP_H

#include <stdbool.h>

/* From now on SIGTERM, SIGINT and SIGHUP do not kill, but make stop_is_wanted say so. */
void stop_on_signals(void);
bool stop_is_wanted(void *arg);

#endif
