/*
 * Messages between processes of the agent.
 */
#include "daemon/message.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

int message_send(int fd, const struct message *message)
{
	ssize_t n;

	do
		n = send(fd, message, sizeof *message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static bool is_ended(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool is_message(const struct message *message, ssize_t size)
{
	return size == (ssize_t)sizeof *message && message->kind > 0 &&
	       message->kind < MESSAGE_KIND_END && message->is_changed <= 1 &&
	       is_ended(message->subject, sizeof message->subject) &&
	       is_ended(message->commit, sizeof message->commit) &&
	       is_ended(message->summary, sizeof message->summary) &&
	       is_ended(message->text, sizeof message->text);
}

int message_receive(int fd, struct message *out)
{
	ssize_t n;

	do
		n = recv(fd, out, sizeof *out, MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n == 0 || (n < 0 && (errno == EAGAIN || errno == ECONNRESET)))
		return 0;
	if (n < 0)
		return -errno;
	return is_message(out, n) ? 1 : -EPROTO;
}

void message_copy(char *out, size_t size, const char *text)
{
	size_t n = strnlen(text, size - 1);

	if (text[n])
		while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
	memcpy(out, text, n);
	out[n] = '\0';
}
