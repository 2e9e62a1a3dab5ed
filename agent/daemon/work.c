/*
 * The parts of the agent that do one thing and end: recover, fetch, compile, apply, look. Each says
 * at its end what came of it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/message.h"
#include "daemon/roles.h"
#include "stop.h"

/* Only parts that may read the state know how things stand. */
static void say_summary(struct mailreeve *session, struct message *message)
{
	struct mailreeve_text text = {0};

	if (geteuid() == 0 && mailreeve_summary(session, &text) == 0)
		message_copy(message->summary, sizeof message->summary, text.data);
	mailreeve_text_done(&text);
}

/* The last word of a part. What cannot be said is not lost: the supervisor sees how the process
 * ends. */
static int end(struct mailreeve *session, int channel, int status,
        const struct mailreeve_outcome *outcome, uint64_t digest)
{
	struct message message = {.kind = MESSAGE_DONE,
	        .status = status,
	        .run = outcome->run,
	        .n_drift = outcome->n_drift,
	        .digest = digest,
	        .is_changed = outcome->is_changed};

	message_copy(message.commit, sizeof message.commit, outcome->commit);
	message_copy(message.text, sizeof message.text, outcome->reason);
	say_summary(session, &message);
	(void)message_send(channel, &message);
	return status;
}

int role_recover(struct mailreeve *session, const struct role_call *call)
{
	struct mailreeve_outcome outcome;
	int status;

	stop_on_signals();
	status = mailreeve_share_source(session);
	if (!status)
		status = mailreeve_recover(session, &outcome);
	else
		outcome = (struct mailreeve_outcome){0};
	return end(session, call->channel, status, &outcome, role_tell(session, call));
}

int role_fetch(struct mailreeve *session, const struct role_call *call)
{
	struct mailreeve_outcome outcome = {0};
	int status = role_drop(session);

	if (!status)
		status = mailreeve_fetch(session, &outcome);
	return end(session, call->channel, status, &outcome, 0);
}

int role_compile(struct mailreeve *session, const struct role_call *call)
{
	struct mailreeve_outcome outcome = {0};
	int status = role_drop(session);

	if (!status)
		status = mailreeve_compile(session, call->commit, &outcome);
	return end(session, call->channel, status, &outcome, role_tell(session, call));
}

int role_apply(struct mailreeve *session, const struct role_call *call)
{
	struct mailreeve_outcome outcome;
	struct mailreeve_text text = {0};
	int status;

	stop_on_signals();
	status = mailreeve_sync_commit(session, call->commit, &text, &outcome);
	mailreeve_text_done(&text); /* it stands in the history: mailreeve show RUN */
	return end(session, call->channel, status, &outcome, role_tell(session, call));
}

struct seen {
	uint64_t digest;
	char *lines;
	size_t size;
	FILE *list;
};

static void add_row(void *arg, const struct mailreeve_drift_row *row)
{
	struct seen *seen = arg;

	seen->digest = role_digest(seen->digest, row->text);
	if (seen->list)
		(void)fprintf(seen->list, "%s\n%s\n", row->object, row->text);
}

static void tell_rows(struct seen *seen)
{
	char *rest = seen->lines;
	const char *object, *text;

	while (rest && (object = strsep(&rest, "\n")) != NULL && rest &&
	        (text = strsep(&rest, "\n")) != NULL)
		log_event(&(struct event){.id = EVENT_DRIFT, .object = object}, "drift: %s", text);
}

int role_look(struct mailreeve *session, const struct role_call *call)
{
	struct seen seen = {.digest = ROLE_DIGEST};
	struct mailreeve_outcome outcome;
	int status;

	seen.list = open_memstream(&seen.lines, &seen.size);
	status = mailreeve_look(session, add_row, &seen, &outcome);
	if (seen.list)
		(void)fclose(seen.list);
	if (outcome.n_drift > 0 && seen.digest != call->told)
		tell_rows(&seen);
	free(seen.lines);
	return end(session, call->channel, status, &outcome, seen.digest);
}
