/*
 * Controlling the running Postfix. An exit status of `postfix reload` proves nothing, so what it
 * did is looked at: the master that was there is still there, and every listener greets.
 */
#include "postfix/control.h"

#include "base/clock.h"
#include "base/wait.h"
#include "postfix/smtp.h"
#include "service/service.h"

#include "base/run.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMMAND_TIMEOUT_MS    30000
#define GREETING_TIMEOUT_MS   5000
#define POSTSCREEN_TIMEOUT_MS 12000
#define SETTLE_MS             300
#define START_WAIT_MS         10000
#define LOG_TAIL_BYTES        (256 * 1024)

static bool expanded(struct mr_backend *backend, const char *name, struct mr_buf *out)
{
	return !mr_postfix_expand(backend, mr_postfix_value(backend, mr_str_from(name)), out) &&
	       out->size;
}

/* master(8) holds an flock on its pid file as long as it lives. */
static bool is_locked(const char *path)
{
	MR_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 || !flock(fd, LOCK_EX | LOCK_NB))
		return false;
	return errno == EWOULDBLOCK;
}

pid_t mr_postfix_master(struct mr_backend *backend)
{
	struct mr_buf queue = MR_BUF_INIT, text = MR_BUF_INIT;
	uint64_t pid = 0;

	if (expanded(backend, "queue_directory", &queue)) {
		mr_buf_add_text(&queue, "/pid/master.pid");
		if (mr_file_read(backend->diags, queue.data, 4096, &text) ||
		        mr_number_parse(mr_str_trim(mr_buf_str(&text)), INT32_MAX, &pid) ||
		        !is_locked(queue.data))
			pid = 0;
	}
	mr_buf_done(&queue);
	mr_buf_done(&text);
	return (pid_t)pid;
}

/* Where a listener "smtp", "127.0.0.1:10025" or "[::1]:25" can be reached from here. */
static bool listener_address(
        struct mr_backend *backend, mr_str name, char *out_address, size_t size, unsigned *out_port)
{
	size_t colon = mr_str_rfind(name, ':');
	mr_str host = colon < name.size ? mr_str_take(name, colon) : (mr_str){0};
	mr_str port = colon < name.size ? mr_str_skip(name, colon + 1) : name;
	struct mr_buf protocols = MR_BUF_INIT;
	uint64_t number = 0;
	bool is_six;

	if (mr_number_parse(port, 65535, &number)) {
		char service[64];
		struct servent *known;

		snprintf(service, sizeof service, "%.*s", MR_FMT(port));
		known = getservbyname(service, "tcp");
		number = known ? ntohs((uint16_t)known->s_port) : 0;
	}
	if (host.size > 2 && host.data[0] == '[')
		host = (mr_str){host.data + 1, host.size - 2};
	(void)expanded(backend, "inet_protocols", &protocols);
	is_six = mr_str_is(mr_buf_str(&protocols), "ipv6");
	mr_buf_done(&protocols);
	if (!host.size || mr_str_is(host, "localhost") || mr_str_is(host, "0.0.0.0"))
		host = is_six ? MR_STR("::1") : MR_STR("127.0.0.1");
	snprintf(out_address, size, "%.*s", MR_FMT(host));
	*out_port = (unsigned)number;
	return number != 0;
}

/* Listeners without an address of their own follow inet_interfaces. */
static void interface_address(struct mr_backend *backend, char *address, size_t size)
{
	struct mr_buf interfaces = MR_BUF_INIT;
	mr_str rest, word;

	(void)expanded(backend, "inet_interfaces", &interfaces);
	rest = mr_buf_str(&interfaces);
	for (size_t i = 0; i < rest.size; i++)
		if (rest.data[i] == ',')
			interfaces.data[i] = ' ';
	word = mr_str_split(&rest, ' ');
	if (word.size && word.data[0] == '[')
		word = (mr_str){word.data + 1, word.size > 2 ? word.size - 2 : 0};
	/* A name would have to be resolved; the loopback is right for "all", "loopback-only" and
	 * "localhost". */
	if (word.size && strspn(word.data, "0123456789.:abcdefABCDEF") >= word.size &&
	        !mr_str_is(word, "all"))
		snprintf(address, size, "%.*s", MR_FMT(word));
	mr_buf_done(&interfaces);
}

static bool is_wrapped(const struct mr_postfix_service *service)
{
	mr_str yes = MR_STR("smtpd_tls_wrappermode=yes");

	for (size_t i = 0; i + yes.size <= service->arguments.size; i++)
		if (mr_str_starts(mr_str_skip(service->arguments, i), yes))
			return true;
	return false;
}

static int greet(
        struct mr_backend *backend, const struct mr_postfix_service *service, unsigned timeout_ms)
{
	char address[64];
	struct mr_postfix_smtp smtp;
	unsigned port;
	int code;

	if (!listener_address(backend, service->name, address, sizeof address, &port))
		return 0;
	if (mr_str_find(service->name, ':') == service->name.size)
		interface_address(backend, address, sizeof address);
	if (is_wrapped(service))
		return mr_postfix_smtp_listens(address, port, timeout_ms)
		               ? 0
		               : mr_fail(backend->diags, MR_E_FAILED,
		                         "Postfix does not listen on '%s:%u'", address, port);
	if (mr_str_is(service->command, "postscreen") && timeout_ms < POSTSCREEN_TIMEOUT_MS)
		timeout_ms = POSTSCREEN_TIMEOUT_MS;
	code = mr_postfix_smtp_open(&smtp, address, port, timeout_ms);
	if (code != 220)
		code = mr_fail(backend->diags, MR_E_FAILED,
		        "Postfix does not greet on '%s:%u': %.*s", address, port,
		        MR_FMT(mr_buf_str(&smtp.reply)));
	else
		code = 0;
	mr_postfix_smtp_close(&smtp);
	return code;
}

int mr_postfix_greet_all(struct mr_backend *backend, unsigned timeout_ms)
{
	int code = mr_postfix_know_host(backend), first = 0;

	for (size_t i = 0; i < backend->postconf.services.n && !code; i++) {
		const struct mr_postfix_service *service = &backend->postconf.services.items[i];
		bool is_smtp = mr_str_is(service->command, "smtpd") ||
		               mr_str_is(service->command, "postscreen");

		if (!mr_str_is(service->type, "inet") || !is_smtp)
			continue;
		if (greet(backend, service, timeout_ms))
			first = MR_E_FAILED;
	}
	return code ? code : first;
}

static int command(struct mr_backend *backend, const char *const *argv)
{
	struct mr_run run = {
	        .argv = argv, .timeout_ms = COMMAND_TIMEOUT_MS, .is_daemon_starter = true};
	int code = mr_run(backend->diags, &run);

	if (!code && run.status)
		code = mr_fail(backend->diags, MR_E_FAILED, "'%s … %s' ended with status %d: %.*s",
		        argv[0], argv[3], run.status, MR_FMT(mr_str_trim(mr_buf_str(&run.err))));
	mr_run_done(&run);
	return code;
}

/* By the host's service manager where it runs this instance. */
static int control(struct mr_backend *backend, enum mr_service_verb verb)
{
	const char *const direct[] = {
	        "postfix", "-c", backend->config_directory, mr_service_verb_name(verb), NULL};
	bool is_main_instance = !strcmp(backend->config_directory, "/etc/postfix");

	if (backend->host->services_are_direct || !is_main_instance)
		return command(backend, direct);
	return mr_service_control(backend->diags, MR_SERVED_POSTFIX, verb, COMMAND_TIMEOUT_MS);
}

/* Where the log ends now; 0 when Postfix does not write a file of its own. */
static off_t log_mark(struct mr_backend *backend, struct mr_buf *out_path)
{
	struct stat status;

	if (!expanded(backend, "maillog_file", out_path) || stat(out_path->data, &status))
		return 0;
	return status.st_size;
}

/* The first bad line that was logged since the mark, copied into the arena. */
static mr_str bad_line_since(struct mr_backend *backend, const char *path, off_t mark)
{
	static const char *const bad[] = {"fatal:", "panic:", "throttling", "ignoring inet_"};
	MR_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct mr_buf text = MR_BUF_INIT;
	mr_str rest, found = {0};
	ssize_t n;

	if (fd < 0)
		return found;
	n = pread(fd, mr_buf_reserve(&text, LOG_TAIL_BYTES), LOG_TAIL_BYTES - 1, mark);
	text.size = n > 0 ? (size_t)n : 0;
	rest = mr_buf_str(&text);
	while (rest.size && !found.data) {
		mr_str line = mr_str_split(&rest, '\n');

		for (size_t i = 0; i < sizeof bad / sizeof *bad && !found.data; i++)
			for (size_t k = 0; k + strlen(bad[i]) <= line.size && !found.data; k++)
				if (mr_str_starts(mr_str_skip(line, k), mr_str_from(bad[i])))
					found = mr_str_copy(&backend->arena, line);
	}
	mr_buf_done(&text);
	return found;
}

static int restart(struct mr_backend *backend)
{
	int64_t deadline = mr_clock_ms() + START_WAIT_MS;
	int code = mr_postfix_master(backend) ? control(backend, MR_SERVICE_STOP) : 0;

	while (!code && mr_postfix_master(backend) && mr_clock_ms() < deadline)
		mr_wait_ms(20);
	if (!code)
		code = control(backend, MR_SERVICE_START);
	while (!code && !mr_postfix_master(backend) && mr_clock_ms() < deadline)
		mr_wait_ms(20);
	if (!code && !mr_postfix_master(backend))
		code = mr_fail(backend->diags, MR_E_FAILED, "Postfix did not start");
	return code ? code : mr_postfix_greet_all(backend, GREETING_TIMEOUT_MS);
}

static int reload(struct mr_backend *backend, pid_t master)
{
	struct mr_buf log = MR_BUF_INIT;
	off_t mark = log_mark(backend, &log);
	int code = control(backend, MR_SERVICE_RELOAD);
	mr_str line;

	if (!code) {
		mr_wait_ms(SETTLE_MS); /* a master that dies of the reload does so after
		                                   the command returned */
		if (mr_postfix_master(backend) != master)
			code = mr_fail(backend->diags, MR_E_FAILED,
			        "Postfix's master ended at the reload");
	}
	if (!code)
		code = mr_postfix_greet_all(backend, GREETING_TIMEOUT_MS);
	if (log.size && (line = bad_line_since(backend, log.data, mark)).size)
		code = mr_fail(backend->diags, MR_E_FAILED,
		        "Postfix complained after the reload: %.*s", MR_FMT(line));
	mr_buf_done(&log);
	return code;
}

int mr_postfix_activate(struct mr_backend *backend, enum mr_activation what, bool is_undo)
{
	struct mr_diags quiet;
	pid_t master;
	int code = what == MR_ACTIVATE_NOTHING ? 0 : mr_postfix_read_main(backend);

	if (code || what == MR_ACTIVATE_NOTHING)
		return code;
	master = mr_postfix_master(backend);
	/* What did not run is not started; but an undo may find it dead of the change that it takes
	 * back. */
	if (!master && !(is_undo && backend->was_running))
		return 0;
	backend->was_running = true;
	if (what == MR_ACTIVATE_RESTART || !master)
		return restart(backend);
	if (!is_undo)
		return reload(backend, master);
	/* A service that master throttled keeps refusing for a minute after a reload: stop and
	 * start is the cure. */
	mr_diags_init(&quiet);
	{
		struct mr_diags *loud = backend->diags;

		backend->diags = &quiet;
		code = reload(backend, master);
		backend->diags = loud;
	}
	mr_diags_done(&quiet);
	return code ? restart(backend) : 0;
}

int mr_postfix_probe(struct mr_backend *backend)
{
	int code;

	if (!backend->has_main && (code = mr_postfix_read_main(backend)))
		return code;
	if (!mr_postfix_master(backend))
		return mr_fail(backend->diags, MR_E_FAILED, "Postfix is not running");
	return mr_postfix_greet_all(backend, GREETING_TIMEOUT_MS);
}
