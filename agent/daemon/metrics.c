/*
 * The part that serves metrics: GET /metrics over HTTP, from a loop of ours, as a user who can read
 * nothing but the text that is served. Requests come from outside: everything has a limit.
 */
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/message.h"
#include "daemon/roles.h"

enum {
	MOST_CONNECTIONS = 32,
	IDLE_SECONDS = 10,
	LONGEST_SECONDS = 30, /* of a connection, however busy it looks */
	CONNECTION_MEMORY = 16 << 10,
	LARGEST_TEXT = 4 << 20,
	TURN_MS = 1000,
};

struct connection {
	int fd; /* -1: free */
	time_t end;
};

struct server {
	int listener;
	int directory;
	struct MHD_Daemon *daemon;
	struct connection connections[MOST_CONNECTIONS];
};

static time_t now(void)
{
	struct timespec time = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &time); /* cannot fail with this clock */
	return time.tv_sec;
}

/* Why it ends, for the supervisor's log. */
static int __attribute__((format(printf, 2, 3))) end(int channel, const char *format, ...)
{
	struct message message = {.kind = MESSAGE_DONE, .status = MAILREEVE_CONFIG};
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(message.text, sizeof message.text, format, arguments);
	va_end(arguments);
	(void)message_send(channel, &message);
	return MAILREEVE_CONFIG;
}

/* HOST:PORT, the host of an IPv6 address in brackets. */
static struct addrinfo *resolve(const char *address)
{
	const struct addrinfo hints = {
	        .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
	char host[256];
	const char *colon = strrchr(address, ':');
	struct addrinfo *found = NULL;
	size_t size = colon ? (size_t)(colon - address) : 0;

	if (size == 0 || size >= sizeof host)
		return NULL;
	if (address[0] == '[' && address[size - 1] == ']') {
		address++;
		size -= 2;
	}
	memcpy(host, address, size);
	host[size] = '\0';
	return getaddrinfo(host, colon + 1, &hints, &found) == 0 ? found : NULL;
}

static int listen_on(const struct addrinfo *where)
{
	const int yes = 1;
	int fd = socket(where->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (where->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
	if (bind(fd, where->ai_addr, where->ai_addrlen) == 0 && listen(fd, MOST_CONNECTIONS) == 0)
		return fd;
	int reason = errno;
	(void)close(fd);
	errno = reason;
	return -1;
}

static int open_listener(const char *address)
{
	struct addrinfo *found = resolve(address);
	int fd = -1;

	errno = EADDRNOTAVAIL;
	for (const struct addrinfo *where = found; where && fd < 0; where = where->ai_next)
		fd = listen_on(where);
	if (found)
		freeaddrinfo(found);
	return fd;
}

/* The text as it is now; NULL: there is none. The caller frees it. */
static char *read_text(int directory, size_t *out_size)
{
	int fd = openat(directory, "metrics.prom", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;
	char *text = NULL;
	size_t n = 0;
	ssize_t got = 1;

	if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	        status.st_size <= LARGEST_TEXT)
		text = malloc((size_t)status.st_size + 1);
	while (text && n < (size_t)status.st_size && got > 0) {
		got = read(fd, text + n, (size_t)status.st_size - n);
		if (got > 0)
			n += (size_t)got;
	}
	if (fd >= 0)
		(void)close(fd);
	*out_size = n;
	return text;
}

static enum MHD_Result send_text(
        struct MHD_Connection *connection, unsigned status, const char *text, const char *type)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
	        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result = MHD_NO;

	if (!response)
		return MHD_NO;
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	(void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result send_metrics(const struct server *server, struct MHD_Connection *connection)
{
	size_t size;
	char *text = read_text(server->directory, &size);
	enum MHD_Result result;

	if (!text)
		return send_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
		        "nothing was synced yet\n", "text/plain; charset=utf-8");
	text[size] = '\0';
	result = send_text(connection, MHD_HTTP_OK, text,
	        "application/openmetrics-text; version=1.0.0; charset=utf-8");
	free(text);
	return result;
}

/* The shape is MHD_AccessHandlerCallback. */
/* NOLINTNEXTLINE(readability-function-size) */
static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *url,
        const char *method, const char *version, const char *data, size_t *data_size, void **state)
{
	static char is_seen;

	(void)version;
	(void)data;
	if (!*state) { /* the head alone: what follows is thrown away */
		*state = &is_seen;
		return MHD_YES;
	}
	if (*data_size > 0) {
		*data_size = 0;
		return MHD_YES;
	}
	if (strcmp(url, "/metrics") != 0)
		return send_text(connection, MHD_HTTP_NOT_FOUND, "only /metrics is here\n",
		        "text/plain; charset=utf-8");
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return send_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET is known\n",
		        "text/plain; charset=utf-8");
	return send_metrics(arg, connection);
}

static void note_connection(void *arg, struct MHD_Connection *connection, void **slot,
        enum MHD_ConnectionNotificationCode what)
{
	struct server *server = arg;
	const union MHD_ConnectionInfo *info =
	        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (*slot)
			((struct connection *)*slot)->fd = -1;
		return;
	}
	for (size_t i = 0; info && i < MOST_CONNECTIONS; i++) {
		struct connection *one = &server->connections[i];

		if (one->fd >= 0)
			continue;
		*one = (struct connection){info->connect_fd, now() + LONGEST_SECONDS};
		*slot = one;
		return;
	}
}

/* Who sends a byte now and then is never idle. */
static void end_long_ones(struct server *server)
{
	for (size_t i = 0; i < MOST_CONNECTIONS; i++)
		if (server->connections[i].fd >= 0 && server->connections[i].end < now())
			(void)shutdown(server->connections[i].fd, SHUT_RDWR);
}

static bool start(struct server *server)
{
	for (size_t i = 0; i < MOST_CONNECTIONS; i++)
		server->connections[i].fd = -1;
	server->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, answer, server,
	        MHD_OPTION_LISTEN_SOCKET, server->listener, MHD_OPTION_CONNECTION_LIMIT,
	        (unsigned)MOST_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
	        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
	        MHD_OPTION_NOTIFY_CONNECTION, note_connection, server, MHD_OPTION_END);
	return server->daemon != NULL;
}

static int turn_ms(struct MHD_Daemon *daemon)
{
	MHD_UNSIGNED_LONG_LONG left;

	return MHD_get_timeout(daemon, &left) == MHD_YES && left < TURN_MS ? (int)left : TURN_MS;
}

/* Until the supervisor closes the channel. */
static int serve(struct server *server, int channel)
{
	const union MHD_DaemonInfo *info =
	        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd fds[] = {{info ? info->epoll_fd : -1, POLLIN, 0}, {channel, POLLIN, 0}};

	for (;;) {
		int n = poll(fds, 2, turn_ms(server->daemon));

		if (n < 0 && errno != EINTR)
			return end(channel, "cannot wait for requests: %s", strerror(errno));
		if (n > 0 && fds[1].revents)
			return MAILREEVE_OK;
		end_long_ones(server);
		if (MHD_run(server->daemon) != MHD_YES)
			return end(channel, "cannot serve metrics");
	}
}

int role_metrics(struct mailreeve *session, const struct role_call *call)
{
	struct server server = {.listener = -1, .directory = -1};
	struct mailreeve_facts facts;
	int status;

	if (!mailreeve_get_facts(session, &facts) || !facts.metrics_address)
		return end(call->channel, "agent.yaml has no listen.metrics");
	server.directory = open(facts.state_directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (server.directory < 0)
		return end(call->channel, "cannot open '%s': %s", facts.state_directory,
		        strerror(errno));
	server.listener = open_listener(facts.metrics_address);
	if (server.listener < 0)
		return end(call->channel, "cannot listen on %s: %s", facts.metrics_address,
		        strerror(errno));
	status = role_drop(session);
	if (status)
		return status;
	if (!start(&server))
		return end(call->channel, "cannot serve metrics on %s", facts.metrics_address);
	status = serve(&server, call->channel);
	MHD_stop_daemon(server.daemon);
	(void)close(server.directory);
	return status;
}
