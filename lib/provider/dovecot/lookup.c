/*
 * Whether Dovecot can look users up: asked on its own socket, as doveadm does, without starting
 * doveadm.
 *
 * The protocol is that of auth master clients (doc: "Dovecot Authentication Protocol"): both sides
 * say their version, then USER with an id, answered by USER, NOTFOUND or FAIL.
 */
#include "dovecot/dovecot.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/wait.h"

#define ANSWER_TIMEOUT_MS 2000
#define ANSWER_BYTES      4096

static const char question[] = "VERSION\t1\t2\nUSER\t1\tmailreeve-probe@invalid\tservice=doveadm\n";

static int connect_to(mr_str base_directory)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int size = snprintf(address.sun_path, sizeof address.sun_path, "%.*s/auth-userdb",
	        MR_FMT(base_directory));
	int fd;

	if (!base_directory.size || size < 0 || (size_t)size >= sizeof address.sun_path)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
		mr_fd_done(&fd);
	return fd;
}

/* A whole line that answers the question: found or not, both are well. */
static bool has_good_answer(mr_str text)
{
	while (mr_str_find(text, '\n') < text.size) {
		mr_str line = mr_str_split(&text, '\n');

		if (mr_str_is(line, "NOTFOUND\t1") ||
		        mr_str_starts(line, MR_STR("NOTFOUND\t1\t")) ||
		        mr_str_starts(line, MR_STR("USER\t1\t")))
			return true;
	}
	return false;
}

bool mr_dovecot_answers(mr_str base_directory)
{
	MR_CLOSE int fd = connect_to(base_directory);
	int64_t deadline = mr_clock_ms() + ANSWER_TIMEOUT_MS;
	char answer[ANSWER_BYTES] = "";
	size_t size = 0;

	if (fd < 0 || send(fd, question, sizeof question - 1, MSG_NOSIGNAL) !=
	                      (ssize_t)sizeof question - 1)
		return false;
	while (!has_good_answer((mr_str){answer, size})) {
		ssize_t n;

		if (size == sizeof answer || mr_wait_fd(fd, POLLIN, deadline) <= 0)
			return false;
		n = recv(fd, answer + size, sizeof answer - size, 0);
		if (n <= 0 && errno != EINTR)
			return false;
		size += n > 0 ? (size_t)n : 0;
	}
	return true;
}
