/*
 * The other end of the agent's control socket.
 */
#ifndef AGENT_DAEMON_CLIENT_H
#define AGENT_DAEMON_CLIENT_H

#include <sys/un.h>

#include "daemon/message.h"

/* The address of the socket in a state directory. A descriptor that must stay open while the
 * address is used, or -errno. */
int control_address(const char *state_directory, struct sockaddr_un *out);
/* Asks the agent for a sync and waits for its end. 0 and *out, or -errno: -ENOENT and -ECONNREFUSED
 * no agent runs, -ETIMEDOUT no answer within the time, -EACCES not allowed. */
int client_sync(const char *state_directory, unsigned timeout_seconds, struct message *out);

#endif
