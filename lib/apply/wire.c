/*
 * Non-blocking sockets and poll(2): no call here waits past the deadline.
 */
#include "apply/wire.h"

#include "base/clock.h"
#include "base/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int fail(struct mr_wire *wire, int code, const char *what)
{
	(void)snprintf(wire->why, sizeof wire->why, "%s", what);
	return code;
}

static int await(struct mr_wire *wire, short events)
{
	switch (mr_wait_fd(wire->fd, events, wire->deadline_ms)) {
	case 1:
		return 0;
	case 0:
		return fail(wire, MR_E_TIMEOUT, "no answer in time");
	default:
		return fail(wire, MR_E_FAILED, strerror(errno));
	}
}

int mr_wire_split(mr_str address, char host[64], char port[8])
{
	size_t colon = mr_str_rfind(address, ':');
	mr_str name = mr_str_take(address, colon), number = mr_str_skip(address, colon + 1);

	if (name.size > 2 && name.data[0] == '[' && name.data[name.size - 1] == ']')
		name = (mr_str){name.data + 1, name.size - 2};
	else if (mr_str_find(name, ':') < name.size)
		return MR_E_CONFIG;
	if (mr_str_is(name, "localhost"))
		name = MR_STR("127.0.0.1");
	if (name.size == 0 || name.size >= 64 || number.size == 0 || number.size >= 8 ||
	        mr_str_find(name, '\0') < name.size)
		return MR_E_CONFIG;
	for (size_t i = 0; i < number.size; i++) {
		if (number.data[i] < '0' || number.data[i] > '9')
			return MR_E_CONFIG;
	}
	(void)snprintf(host, 64, "%.*s", MR_FMT(name));
	(void)snprintf(port, 8, "%.*s", MR_FMT(number));
	return 0;
}

static int connect_to(struct mr_wire *wire, const struct addrinfo *to)
{
	int error = 0;
	socklen_t size = sizeof error;

	wire->fd = socket(
	        to->ai_family, to->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to->ai_protocol);
	if (wire->fd < 0)
		return fail(wire, MR_E_FAILED, strerror(errno));
	if (connect(wire->fd, to->ai_addr, to->ai_addrlen) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return fail(wire, MR_E_FAILED, strerror(errno));
	int code = await(wire, POLLOUT);
	if (code)
		return code;
	if (getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		error = errno;
	return error ? fail(wire, MR_E_FAILED, strerror(error)) : 0;
}

int mr_wire_open(struct mr_wire *wire, mr_str address, int64_t timeout_ms)
{
	const struct addrinfo hints = {
	        .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *found;
	char host[64], port[8];

	wire->fd = -1;
	wire->start = wire->end = 0;
	wire->why[0] = '\0';
	wire->deadline_ms = mr_clock_ms() + timeout_ms;
	if (mr_wire_split(address, host, port) || getaddrinfo(host, port, &hints, &found) != 0)
		return fail(wire, MR_E_CONFIG, "this is no numeric address with a port");
	int code = connect_to(wire, found);
	freeaddrinfo(found);
	if (code)
		mr_wire_close(wire);
	return code;
}

void mr_wire_close(struct mr_wire *wire)
{
	if (wire->fd >= 0)
		(void)close(wire->fd); /* nothing is lost: answers were read */
	wire->fd = -1;
}

int mr_wire_send(struct mr_wire *wire, mr_str bytes)
{
	if (wire->fd < 0)
		return fail(wire, MR_E_FAILED, "the connection is closed");
	while (bytes.size > 0) {
		ssize_t sent = send(wire->fd, bytes.data, bytes.size, MSG_NOSIGNAL);
		if (sent > 0) {
			bytes = mr_str_skip(bytes, (size_t)sent);
			continue;
		}
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return fail(wire, MR_E_FAILED, strerror(errno));
		int code = await(wire, POLLOUT);
		if (code)
			return code;
	}
	return 0;
}

/* Receives more behind what is there. */
static int receive(struct mr_wire *wire)
{
	if (wire->start > 0) {
		memmove(wire->buffer, wire->buffer + wire->start, wire->end - wire->start);
		wire->end -= wire->start;
		wire->start = 0;
	}
	if (wire->end == sizeof wire->buffer)
		return fail(wire, MR_E_FAILED, "a line of the answer is too long");
	int code = await(wire, POLLIN);
	if (code)
		return code;
	ssize_t got = recv(wire->fd, wire->buffer + wire->end, sizeof wire->buffer - wire->end, 0);
	if (got == 0)
		return fail(wire, MR_E_FAILED, "the server closed the connection");
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0
		                                         : fail(wire, MR_E_FAILED, strerror(errno));
	wire->end += (size_t)got;
	return 0;
}

int mr_wire_line(struct mr_wire *wire, mr_str *out)
{
	if (wire->fd < 0)
		return fail(wire, MR_E_FAILED, "the connection is closed");
	for (;;) {
		mr_str have = {wire->buffer + wire->start, wire->end - wire->start};
		size_t size = mr_str_find(have, '\n');
		if (size < have.size) {
			wire->start += size + 1;
			*out = mr_str_take(have, size);
			if (out->size > 0 && out->data[out->size - 1] == '\r')
				out->size--;
			return 0;
		}
		int code = receive(wire);
		if (code)
			return code;
	}
}

void mr_wire_keep_text(mr_str line, char *out, size_t size_bytes)
{
	size_t n = line.size < size_bytes - 1 ? line.size : size_bytes - 1;

	for (size_t i = 0; i < n; i++)
		out[i] = line.data[i] >= ' ' && line.data[i] < 0x7f ? line.data[i] : '?';
	out[n] = '\0';
}
