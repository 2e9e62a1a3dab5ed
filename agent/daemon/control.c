/*
 * The control socket in the state directory: 'mailreeve sync --now' asks for a sync and waits for
 * its end. Only root and the agent's own user are listened to.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/client.h"
#include "daemon/supervise.h"

static void forget(struct client *client)
{
	client->input = sd_event_source_disable_unref(client->input);
	if (client->fd >= 0)
		(void)close(client->fd);
	*client = (struct client){.agent = client->agent, .fd = -1};
}

static bool is_allowed(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static int on_client(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct client *client = arg;
	struct message message;

	(void)source;
	(void)events;
	if (message_receive(fd, &message) <= 0 || message.kind != MESSAGE_SYNC) {
		forget(client);
		return 0;
	}
	client->is_waiting = true;
	client->is_in_cycle = false;
	cycle_want(client->agent, CAUSE_ASKED);
	return 0;
}

static struct client *find_free(struct agent *agent)
{
	for (size_t i = 0; i < MOST_CLIENTS; i++)
		if (agent->clients[i].fd < 0)
			return &agent->clients[i];
	return NULL;
}

static int on_connection(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct agent *agent = arg;
	struct client *client = find_free(agent);
	int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)source;
	(void)events;
	if (connection < 0)
		return 0;
	if (!client || !is_allowed(connection)) {
		(void)close(connection);
		return 0;
	}
	client->fd = connection;
	if (sd_event_add_io(agent->event, &client->input, connection, EPOLLIN, on_client, client) <
	        0)
		forget(client);
	return 0;
}

/* The address goes through a descriptor of the folder: its path may be longer than an address. */
int control_address(const char *state_directory, struct sockaddr_un *out)
{
	int folder = open(state_directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		return -errno;
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	(void)snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/control", folder);
	return folder;
}

/* The lock of the agent is ours: a socket that is there is one that nobody listens at. */
static int listen_at(int fd, const char *state_directory)
{
	struct sockaddr_un address;
	int folder = control_address(state_directory, &address);
	int code = folder;

	if (folder < 0)
		return code;
	code = 0;
	(void)unlinkat(folder, "control", 0); /* bind says what is left */
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	        fchmodat(folder, "control", 0600, 0) < 0 || listen(fd, MOST_CLIENTS) < 0)
		code = -errno;
	(void)close(folder);
	return code;
}

int control_open(struct agent *agent)
{
	int code;

	for (size_t i = 0; i < MOST_CLIENTS; i++)
		agent->clients[i] = (struct client){.agent = agent, .fd = -1};
	agent->control = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (agent->control < 0)
		return -errno;
	code = listen_at(agent->control, agent->facts.state_directory);
	if (code == 0)
		code = sd_event_add_io(
		        agent->event, NULL, agent->control, EPOLLIN, on_connection, agent);
	return code < 0 ? code : 0;
}

void control_close(struct agent *agent)
{
	struct sockaddr_un address;
	int folder;

	for (size_t i = 0; i < MOST_CLIENTS; i++)
		forget(&agent->clients[i]);
	if (agent->control < 0)
		return;
	folder = control_address(agent->facts.state_directory, &address);
	if (folder >= 0) {
		(void)unlinkat(folder, "control", 0); /* the next agent does it otherwise */
		(void)close(folder);
	}
	(void)close(agent->control);
	agent->control = -1;
}

void control_begin(struct agent *agent)
{
	for (size_t i = 0; i < MOST_CLIENTS; i++)
		if (agent->clients[i].is_waiting)
			agent->clients[i].is_in_cycle = true;
}

void control_answer(struct agent *agent, const struct message *result)
{
	for (size_t i = 0; i < MOST_CLIENTS; i++) {
		struct client *client = &agent->clients[i];

		if (!client->is_in_cycle)
			continue;
		if (message_send(client->fd, result) < 0)
			forget(client);
		client->is_waiting = client->is_in_cycle = false;
	}
}
