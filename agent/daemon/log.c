/*
 * The journal, and standard error where there is none.
 */
#include "daemon/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

enum { MOST_FIELDS = 9, LONGEST_FIELD = 4096 };

static const struct {
	const char *id;
	int priority;
	const char *brief;
	const char *full;
} events[EVENT_COUNT] = {
#define EVENT(name, id, priority, brief, full) [EVENT_##name] = {id, priority, brief, full},
#include "daemon/events.def"
#undef EVENT
};

struct fields {
	char text[MOST_FIELDS][LONGEST_FIELD];
	struct iovec list[MOST_FIELDS];
	int n;
};

/* systemd says by JOURNAL_STREAM which descriptor leads to the journal (systemd.exec(5)). */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat status;
	char own[64];

	if (!stream || fstat(STDERR_FILENO, &status) < 0)
		return false;
	(void)snprintf(
	        own, sizeof own, "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
	return strcmp(own, stream) == 0;
}

static void __attribute__((format(printf, 2, 3)))
add_field(struct fields *fields, const char *format, ...)
{
	char *text = fields->text[fields->n];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, LONGEST_FIELD, format, arguments);
	va_end(arguments);
	fields->list[fields->n++] = (struct iovec){text, strlen(text)};
}

static void to_journal(const struct event *event, const char *message)
{
	struct fields fields = {.n = 0};

	add_field(&fields, "MESSAGE=%s", message);
	add_field(&fields, "MESSAGE_ID=%s", events[event->id].id);
	add_field(&fields, "PRIORITY=%d", events[event->id].priority);
	add_field(&fields, "SYSLOG_IDENTIFIER=mailreeve");
	if (event->status)
		add_field(&fields, "MAILREEVE_STATUS=%d", event->status);
	if (event->run)
		add_field(&fields, "MAILREEVE_RUN=%" PRId64, event->run);
	if (event->commit && event->commit[0])
		add_field(&fields, "MAILREEVE_COMMIT=%s", event->commit);
	if (event->object)
		add_field(&fields, "MAILREEVE_OBJECT=%s", event->object);
	if (event->server)
		add_field(&fields, "MAILREEVE_SERVER=%s", event->server);
	(void)sd_journal_sendv(fields.list, fields.n); /* nowhere else to say it */
}

void log_event(const struct event *event, const char *format, ...)
{
	char message[LONGEST_FIELD - sizeof "MESSAGE="];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	if (is_journal())
		to_journal(event, message);
	else
		(void)fprintf(stderr, "mailreeve: %s\n", message);
}

void log_write_catalogue(FILE *out)
{
	(void)fputs("# The messages of mailreeve(1), for journalctl -x. Written by the program "
	            "from its table.\n",
	        out);
	for (int i = 0; i < EVENT_COUNT; i++)
		(void)fprintf(out,
		        "\n-- %s\nSubject: %s\nDefined-By: mailreeve\nDocumentation: "
		        "man:mailreeve(1)\n\n%s\n",
		        events[i].id, events[i].brief, events[i].full);
}
