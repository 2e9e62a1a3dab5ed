/*
 * What the agent says: to the journal with fields of its own (MESSAGE_ID, MAILREEVE_RUN,
 * MAILREEVE_COMMIT, MAILREEVE_OBJECT, MAILREEVE_STATUS) when standard error leads there, else as
 * lines on standard error.
 */
#ifndef AGENT_DAEMON_LOG_H
#define AGENT_DAEMON_LOG_H

#include <stdint.h>
#include <stdio.h>

enum event_id {
#define EVENT(name, id, priority, brief, full) EVENT_##name,
#include "daemon/events.def"
#undef EVENT
	EVENT_COUNT
};

/* What is known; zero and NULL: not known, no field. */
struct event {
	enum event_id id;
	int status;
	int64_t run;
	const char *commit;
	const char *object;
	const char *server;
};

void log_event(const struct event *event, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
/* The journal's catalogue (journald.conf(5), "catalogs"), from the table. */
void log_write_catalogue(FILE *out);

#endif
