/*
 * Speaking SMTP to a server on this host, under a deadline.
 */
#include "postfix/smtp.h"

#include "base/clock.h"
#include "base/wait.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_LIMIT_BYTES    4096
#define REPLY_LINES_AT_MOST 100

static int wait_for(const struct mr_postfix_smtp *smtp, short events)
{
	return mr_wait_fd(smtp->fd, events, smtp->deadline_ms) > 0 ? 0 : MR_E_TIMEOUT;
}

static socklen_t parse_address(const char *address, unsigned port, struct sockaddr_storage *out)
{
	struct sockaddr_in *four = (struct sockaddr_in *)out;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof *out);
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)port);
		return sizeof *four;
	}
	if (inet_pton(AF_INET6, address, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)port);
		return sizeof *six;
	}
	return 0;
}

static int say(struct mr_postfix_smtp *smtp, int code, const char *what)
{
	mr_buf_clear(&smtp->reply);
	mr_buf_add_text(&smtp->reply, what);
	return code;
}

static int connect_to(struct mr_postfix_smtp *smtp, const char *address, unsigned port)
{
	struct sockaddr_storage where;
	socklen_t size = parse_address(address, port, &where), error_size = sizeof(int);
	int error = 0;

	if (!size)
		return say(smtp, MR_E_FAILED, "it is no numeric address");
	smtp->fd = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (smtp->fd < 0)
		return say(smtp, MR_E_FAILED, strerror(errno));
	if (connect(smtp->fd, (struct sockaddr *)&where, size) && errno != EINPROGRESS)
		return say(smtp, MR_E_FAILED, strerror(errno));
	if (wait_for(smtp, POLLOUT))
		return say(smtp, MR_E_TIMEOUT, "nobody answers");
	if (getsockopt(smtp->fd, SOL_SOCKET, SO_ERROR, &error, &error_size) || error)
		return say(smtp, MR_E_FAILED, strerror(error));
	return 0;
}

/* Takes one line out of the input; reads more until there is one. */
static int read_line(struct mr_postfix_smtp *smtp, struct mr_buf *out)
{
	for (;;) {
		mr_str input = mr_buf_str(&smtp->input);
		size_t end = mr_str_find(input, '\n');
		ssize_t n;

		if (end < input.size) {
			mr_buf_add_str(out, mr_str_trim(mr_str_take(input, end)));
			memmove(smtp->input.data, smtp->input.data + end + 1, input.size - end - 1);
			smtp->input.size -= end + 1;
			return 0;
		}
		if (input.size > LINE_LIMIT_BYTES)
			return say(smtp, MR_E_FAILED, "it sent an endless line");
		if (wait_for(smtp, POLLIN))
			return say(smtp, MR_E_TIMEOUT, "it does not answer");
		n = read(smtp->fd, mr_buf_reserve(&smtp->input, 1024), 1024);
		if (n <= 0)
			return say(smtp, MR_E_FAILED, "it hung up");
		smtp->input.size += (size_t)n;
	}
}

static int read_reply(struct mr_postfix_smtp *smtp)
{
	struct mr_buf line = MR_BUF_INIT, all = MR_BUF_INIT;
	int code = 0;

	for (int n = 0; n < REPLY_LINES_AT_MOST; n++) {
		mr_buf_clear(&line);
		if ((code = read_line(smtp, &line)))
			break;
		if (all.size)
			mr_buf_add_char(&all, ' ');
		mr_buf_add_str(&all, mr_buf_str(&line));
		if (line.size < 3 || line.size == 3 || line.data[3] != '-')
			break;
	}
	if (!code) {
		mr_buf_clear(&smtp->reply);
		mr_buf_add_str(&smtp->reply, mr_buf_str(&all));
		if (line.size < 3 || strspn(line.data, "0123456789") < 3)
			code = say(smtp, MR_E_FAILED, "it does not speak SMTP");
		else
			code = (line.data[0] - '0') * 100 + (line.data[1] - '0') * 10 +
			       (line.data[2] - '0');
	}
	mr_buf_done(&line);
	mr_buf_done(&all);
	return code;
}

int mr_postfix_smtp_await_greeting(struct mr_postfix_smtp *smtp, unsigned timeout_ms)
{
	int code;

	smtp->deadline_ms = mr_clock_ms() + timeout_ms;
	code = read_reply(smtp);
	smtp->has_greeted = code == 220;
	return code;
}

int mr_postfix_smtp_open(
        struct mr_postfix_smtp *smtp, const char *address, unsigned port, unsigned timeout_ms)
{
	int code;

	*smtp = (struct mr_postfix_smtp){.fd = -1, .deadline_ms = mr_clock_ms() + timeout_ms};
	code = connect_to(smtp, address, port);
	return code ? code : mr_postfix_smtp_await_greeting(smtp, timeout_ms);
}

bool mr_postfix_smtp_listens(const char *address, unsigned port, unsigned timeout_ms)
{
	struct mr_postfix_smtp smtp = {.fd = -1, .deadline_ms = mr_clock_ms() + timeout_ms};
	int code = connect_to(&smtp, address, port);

	mr_postfix_smtp_close(&smtp);
	return !code;
}

int mr_postfix_smtp_command(struct mr_postfix_smtp *smtp, const char *format, ...)
{
	char line[1024];
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(line, sizeof line - 2, format, arguments);
	va_end(arguments);
	if (size < 0 || (size_t)size >= sizeof line - 2)
		return say(smtp, MR_E_FAILED, "the command is too long");
	memcpy(line + size, "\r\n", 3);
	if (smtp->fd < 0 || send(smtp->fd, line, (size_t)size + 2, MSG_NOSIGNAL) != size + 2)
		return say(smtp, MR_E_FAILED, "it hung up");
	return read_reply(smtp);
}

void mr_postfix_smtp_close(struct mr_postfix_smtp *smtp)
{
	if (smtp->fd >= 0)
		(void)close(smtp->fd);
	smtp->fd = -1;
	mr_buf_done(&smtp->input);
	mr_buf_done(&smtp->reply);
}
