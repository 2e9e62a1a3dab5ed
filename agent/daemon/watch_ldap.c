/*
 * The part that watches the directory: a persistent search, whose news are passed on.
 */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/message.h"
#include "daemon/roles.h"

static void say_moved(void *arg, const char *object, const char *who)
{
	const int *channel = arg;
	struct message message = {.kind = MESSAGE_MOVED, .subject = "ldap"};

	if (object)
		(void)snprintf(message.text, sizeof message.text, "%.700s%s%.300s", object,
		        who ? " by " : "", who ? who : "");
	if (message_send(*channel, &message) < 0)
		exit(0); /* nobody listens any more */
}

int role_watch_ldap(struct mailreeve *session, const struct role_call *call)
{
	int channel = call->channel;
	struct mailreeve_watch watch = {.moved = say_moved, .arg = &channel, .stop_fd = channel};
	struct message end = {.kind = MESSAGE_DONE};

	end.status = mailreeve_watch_directory(session, &watch);
	(void)role_tell(session, call);
	(void)message_send(channel, &end); /* the status of the process says it too */
	return end.status;
}
