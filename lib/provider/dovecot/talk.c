/*
 * Speaking to the twin: IMAP up to an opened INBOX, LMTP up to an accepted recipient. No mail is
 * sent.
 */
#include "dovecot/twin.h"

#include "base/clock.h"
#include "base/wait.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TALK_TIMEOUT_MS    25000 /* a service that fails hangs up; who keeps silent is slow */
#define CONNECT_TIMEOUT_MS 6000
#define TICK_MS            20
#define ANSWER_BYTES       8192

struct talk {
	struct mr_twin *twin;
	const char *protocol;
	int fd;
	char answer[ANSWER_BYTES];
	size_t size;
	int64_t deadline_ms;
};

static int rejected(struct talk *talk, const char *what)
{
	mr_str answer = mr_str_trim((mr_str){talk->answer, talk->size});

	return mr_fail(talk->twin->backend->diags, MR_E_REJECTED,
	        "Dovecot, started aside with the settings, fails at %s %s: %.*s", talk->protocol,
	        what, MR_FMT(answer));
}

/* The twin needs a moment before it listens. */
static int talk_open(struct talk *talk, const struct sockaddr *address, socklen_t size)
{
	for (unsigned waited = 0; waited < CONNECT_TIMEOUT_MS; waited += TICK_MS) {
		talk->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (talk->fd >= 0 && connect(talk->fd, address, size) == 0)
			return 0;
		if (talk->fd >= 0)
			(void)close(talk->fd);
		talk->fd = -1;
		mr_wait_ms(TICK_MS);
	}
	return rejected(talk, "connect");
}

/* One complete line more in the answer that starts with one of the words; *out_word says which. */
static bool has_answer(struct talk *talk, const char *good, const char *bad, bool *out_is_good)
{
	mr_str rest = {talk->answer, talk->size};

	while (rest.size > 0) {
		bool is_whole = mr_str_find(rest, '\n') < rest.size;
		mr_str line = mr_str_split(&rest, '\n');

		if (!is_whole)
			return false;
		*out_is_good = mr_str_starts(line, mr_str_from(good));
		if (*out_is_good || mr_str_starts(line, mr_str_from(bad)))
			return true;
		if (bad[0] == '5' && line.size && line.data[0] == '4')
			return true; /* a refusal for now is one as well */
	}
	return false;
}

/* Reads until a line says yes (starts with good) or no (starts with bad, any number of lines
 * before). */
static int expect(struct talk *talk, const char *good, const char *bad, const char *what)
{
	bool is_good = false;

	talk->size = 0;
	while (!has_answer(talk, good, bad, &is_good)) {
		ssize_t n;

		if (talk->size == sizeof talk->answer ||
		        mr_wait_fd(talk->fd, POLLIN, talk->deadline_ms) <= 0)
			return rejected(talk, what);
		n = recv(talk->fd, talk->answer + talk->size, sizeof talk->answer - talk->size, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return rejected(talk, what);
		talk->size += (size_t)n;
	}
	return is_good ? 0 : rejected(talk, what);
}

static int say(struct talk *talk, const char *text, const char *what)
{
	size_t size = strlen(text);

	return send(talk->fd, text, size, MSG_NOSIGNAL) == (ssize_t)size ? 0 : rejected(talk, what);
}

static int speak_imap(struct talk *talk)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	        .sin_port = htons((uint16_t)talk->twin->imap_port)};
	char login[160];
	int code = talk_open(talk, (const struct sockaddr *)&address, sizeof address);

	snprintf(login, sizeof login, "a LOGIN %s %s\r\n", talk->twin->user, talk->twin->password);
	if (!code)
		code = expect(talk, "* OK", "* B", "greeting");
	if (!code)
		code = say(talk, login, "log-in");
	explicit_bzero(login, sizeof login);
	if (!code)
		code = expect(talk, "a OK", "a ", "log-in");
	if (!code)
		code = say(talk, "b SELECT INBOX\r\n", "SELECT");
	if (!code)
		code = expect(talk, "b OK", "b ", "SELECT");
	if (!code)
		code = say(talk, "c LOGOUT\r\n", "LOGOUT");
	return code ? code : expect(talk, "c OK", "c ", "LOGOUT");
}

static int speak_lmtp(struct talk *talk)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char recipient[160];
	int code;

	snprintf(address.sun_path, sizeof address.sun_path, "%s/run/lmtp", talk->twin->folder);
	snprintf(recipient, sizeof recipient, "RCPT TO:<%s>\r\n", talk->twin->user);
	code = talk_open(talk, (const struct sockaddr *)&address, sizeof address);
	if (!code)
		code = expect(talk, "220 ", "5", "greeting");
	if (!code)
		code = say(talk, "LHLO localhost\r\n", "LHLO");
	if (!code)
		code = expect(talk, "250 ", "5", "LHLO");
	if (!code)
		code = say(talk, "MAIL FROM:<>\r\n", "MAIL");
	if (!code)
		code = expect(talk, "250 ", "5", "MAIL");
	if (!code)
		code = say(talk, recipient, "RCPT");
	if (!code)
		code = expect(talk, "250 ", "5", "RCPT");
	if (!code)
		code = say(talk, "QUIT\r\n", "QUIT");
	return code ? code : expect(talk, "221 ", "5", "QUIT");
}

static int speak(struct mr_twin *twin, const char *protocol, int (*how)(struct talk *))
{
	struct talk talk = {.twin = twin,
	        .protocol = protocol,
	        .fd = -1,
	        .deadline_ms = mr_clock_ms() + TALK_TIMEOUT_MS};
	int code = how(&talk);

	if (talk.fd >= 0)
		(void)close(talk.fd);
	return code;
}

int mr_twin_speak(struct mr_twin *twin)
{
	int code = twin->has_imap ? speak(twin, "IMAP", speak_imap) : 0;

	return !code && twin->has_lmtp ? speak(twin, "LMTP", speak_lmtp) : code;
}
