/*
 * Asking the agent that runs.
 */
#include "daemon/client.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int ask(int fd, const struct sockaddr_un *address, struct message *out)
{
	const struct message wish = {.kind = MESSAGE_SYNC};
	int got;

	if (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0)
		return -errno;
	got = message_send(fd, &wish);
	if (got < 0)
		return got;
	errno = 0;
	got = message_receive(fd, out);
	if (got == 0)
		return errno == EAGAIN ? -ETIMEDOUT : -EACCES; /* it hung up */
	return got < 0 ? got : 0;
}

int client_sync(const char *state_directory, unsigned timeout_seconds, struct message *out)
{
	const struct timeval timeout = {.tv_sec = timeout_seconds};
	struct sockaddr_un address;
	int folder = control_address(state_directory, &address);
	int fd, code;

	if (folder < 0)
		return folder;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		code = -errno;
	} else {
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
		code = ask(fd, &address, out);
		(void)close(fd);
	}
	(void)close(folder);
	return code;
}
