/*
 * Telling the outside at the end of a cycle: a part of its own, since receivers may hang. It writes
 * the metrics too, for what no apply could put on record.
 */
#include <string.h>

#include "daemon/supervise.h"

/* In the part: the supervisor says first how things stand. */
int role_notify(struct mailreeve *session, const struct role_call *call)
{
	struct message standing, done = {.kind = MESSAGE_DONE};
	struct mailreeve_outcome outcome = {0};

	if (message_receive(call->channel, &standing) <= 0)
		return MAILREEVE_FAILED;
	if (standing.status) {
		message_copy(outcome.commit, sizeof outcome.commit, standing.commit);
		message_copy(outcome.reason, sizeof outcome.reason, standing.text);
		done.status = mailreeve_note(session, standing.status, &outcome);
	}
	if (!done.status)
		done.status = mailreeve_notify(session);
	done.digest = role_tell(session, call);
	(void)message_send(call->channel, &done);
	return done.status;
}

/* What an apply came to it has noted itself, with more than is known here. */
static void say_standing(const struct agent *agent, struct message *out)
{
	const struct standing *standing = &agent->standing;

	*out = (struct message){.kind = MESSAGE_DONE};
	if (!standing->is_known || !standing->status || standing->failed_in == ROLE_APPLY)
		return;
	out->status = standing->status;
	message_copy(out->commit, sizeof out->commit, standing->commit);
	message_copy(out->text, sizeof out->text, standing->text);
}

void notify_start(struct agent *agent)
{
	struct message standing;

	agent->is_notice_due = child_runs(agent, ROLE_NOTIFY);
	if (agent->is_notice_due || agent->is_stopping)
		return;
	say_standing(agent, &standing);
	if (child_start(agent, ROLE_NOTIFY, NULL, agent->notify_told) == 0)
		(void)message_send(agent->children[ROLE_NOTIFY].channel, &standing);
}

void notify_ended(struct agent *agent, const struct message *result)
{
	agent->notify_told = result->digest;
	if (agent->is_notice_due)
		notify_start(agent);
}
