/*
 * The twin: a throw-away Postfix with the staged configuration, on loopback ports of its own, with
 * a queue of its own and every way out closed, that is spoken to up to RCPT. Most wrong values show
 * in no other way.
 */
#include "postfix/twin.h"

#include "base/clock.h"
#include "base/wait.h"
#include "postfix/checks.h"
#include "postfix/flip.h"
#include "postfix/smtp.h"

#include "base/run.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define START_TIMEOUT_MS 20000
#define STOP_WAIT_MS     5000

/* What a twin's main.cf always says; DIRECTORY stands for its folder. */
static const struct {
	const char *name;
	const char *value;
} overrides[] = {
        {"queue_directory", "DIRECTORY/spool"},
        {"data_directory", "DIRECTORY/data"},
        {"maillog_file", "DIRECTORY/mail.log"},
        {"maillog_file_prefixes", "DIRECTORY"},
        {"syslog_name", "mailreeve-twin"},
        {"smtpd_authorized_xclient_hosts", "127.0.0.1, [::1]"},
        {"default_transport", "discard:"},
        {"relay_transport", "discard:"},
        {"virtual_transport", "discard:"},
        {"local_transport", "discard:"},
        {"transport_maps", ""},
        {"sender_dependent_default_transport_maps", ""},
        {"sender_dependent_relayhost_maps", ""},
        {"relayhost", ""},
        {"content_filter", ""},
        {"smtpd_proxy_filter", ""},
        {"smtpd_milters", ""},
        {"non_smtpd_milters", ""},
        {"always_bcc", ""},
        {"notify_classes", ""},
};

/* Behind the arguments of every listener, where they win over the service's own. */
static const char listener_arguments[] =
        " -o smtpd_proxy_filter= -o content_filter= -o smtpd_milters="
        " -o syslog_name=mailreeve-twin"
        " -o smtpd_authorized_xclient_hosts=127.0.0.1,[::1]";

static bool is_delivery(mr_str command)
{
	static const char *const commands[] = {"smtp", "lmtp", "local", "virtual", "pipe"};

	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (mr_str_is(command, commands[i]))
			return true;
	return false;
}

/* A port that nobody listens on now. */
static unsigned free_port(bool is_six)
{
	struct sockaddr_in four = {
	        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr *where = is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four;
	socklen_t size = is_six ? sizeof six : sizeof four;
	MR_CLOSE int fd = socket(where->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, where, size) || getsockname(fd, where, &size))
		return 0;
	return ntohs(is_six ? six.sin6_port : four.sin_port);
}

/* One line of the twin's master.cf. */
static void add_service(
        struct mr_postfix_twin *twin, const struct mr_postfix_service *service, struct mr_buf *out)
{
	bool is_listener =
	        mr_str_is(service->command, "smtpd") || mr_str_is(service->command, "postscreen");
	mr_str rest = service->line, words[7];
	struct mr_postfix_listener listener = {.service = service};

	if (mr_str_is(service->type, "inet") && !is_listener)
		return;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		words[i] = mr_str_word(&rest);
	if (mr_str_is(service->type, "inet")) {
		listener.port = free_port(twin->is_six);
		mr_buf_printf(out, "%s:%u", twin->is_six ? "[::1]" : "127.0.0.1", listener.port);
		mr_vec_push(&twin->listeners, listener);
	} else {
		mr_buf_add_str(out, words[0]);
	}
	/* name, type, private, unprivileged, chroot, wakeup, processes, command */
	mr_buf_printf(out, " %.*s %.*s %.*s n %.*s %.*s", MR_FMT(words[1]), MR_FMT(words[2]),
	        MR_FMT(words[3]), MR_FMT(words[5]), MR_FMT(words[6]));
	if (is_delivery(service->command))
		mr_buf_add_text(out, " discard");
	else
		mr_buf_printf(
		        out, " %.*s %.*s", MR_FMT(service->command), MR_FMT(service->arguments));
	if (is_listener)
		mr_buf_add_text(out, listener_arguments);
	mr_buf_add_text(
	        out, is_listener && twin->is_sasl_off ? " -o smtpd_sasl_auth_enable=no\n" : "\n");
}

static int write_master(struct mr_postfix_twin *twin)
{
	struct mr_backend *backend = twin->backend;
	struct mr_buf text = MR_BUF_INIT;
	int code;

	for (size_t i = 0; i < backend->postconf.services.n; i++)
		add_service(twin, &backend->postconf.services.items[i], &text);
	if (!mr_postconf_service(&backend->postconf, MR_STR("postlog")))
		mr_buf_add_text(&text, "postlog unix-dgram n - n - 1 postlogd\n");
	code = mr_postfix_write_old(backend,
	        mr_postfix_path(backend, "%s/etc/master.cf", twin->directory), mr_buf_str(&text));
	mr_buf_done(&text);
	return code;
}

static mr_str value_of(struct mr_postfix_twin *twin, const struct mr_maincf *main, const char *name)
{
	const struct mr_maincf_entry *entry = mr_maincf_find(main, mr_str_from(name));
	const mr_str *standard = mr_postconf_default(&twin->backend->postconf, mr_str_from(name));

	return entry ? entry->value : standard ? *standard : (mr_str){0};
}

/* Dovecot's socket is named relative to the queue folder, which the twin does not share. When it is
 * missing on the live server too, log-in is left out instead of blaming this change. */
static mr_str sasl_path(struct mr_postfix_twin *twin, const struct mr_maincf *main)
{
	struct mr_backend *backend = twin->backend;
	struct mr_buf queue = MR_BUF_INIT;
	mr_str path = value_of(twin, main, "smtpd_sasl_path"), full = {0};
	struct stat status;

	if (mr_str_is(value_of(twin, main, "smtpd_sasl_type"), "dovecot") && path.size &&
	        path.data[0] != '/' && !mr_str_starts(path, MR_STR("inet:")) &&
	        !mr_postfix_expand(
	                backend, mr_postfix_value(backend, MR_STR("queue_directory")), &queue)) {
		full = mr_str_printf(
		        &backend->arena, "%.*s/%.*s", MR_FMT(mr_buf_str(&queue)), MR_FMT(path));
		twin->is_sasl_off =
		        stat(full.data, &status) &&
		        mr_str_eq(path, mr_postfix_value(backend, MR_STR("smtpd_sasl_path")));
	}
	mr_buf_done(&queue);
	return full;
}

static void set(struct mr_buf *text, const char *name, mr_str value)
{
	struct mr_buf next = MR_BUF_INIT;

	if (!mr_postfix_set_in_main(
	            mr_buf_str(text), mr_str_from(name), value.data ? value : MR_STR(""), &next)) {
		mr_buf_clear(text);
		mr_buf_add_str(text, mr_buf_str(&next));
	}
	mr_buf_done(&next);
}

/* The text without what later lines override. Every program of the twin would warn of it into the
 * log, postlogd itself among them: on a slow machine the ten messages that a socket holds are there
 * before postlogd reads the first, and it then waits for itself. */
static void add_in_force(const struct mr_maincf *main, struct mr_buf *out)
{
	size_t from = 0;

	mr_vec_each (entry, &main->entries) {
		if (mr_maincf_find(main, entry->name) == entry)
			continue;
		mr_buf_add_str(
		        out, mr_str_take(mr_str_skip(main->text, from), entry->start - from));
		from = entry->end;
	}
	mr_buf_add_str(out, mr_str_skip(main->text, from));
}

static int write_main(struct mr_postfix_twin *twin, mr_str main_text)
{
	struct mr_backend *backend = twin->backend;
	struct mr_buf text = MR_BUF_INIT;
	struct mr_maincf main;
	mr_str sasl;
	size_t line;
	int code = mr_maincf_parse(main_text, &main, &line);

	if (!code)
		add_in_force(&main, &text);
	twin->is_six = !code && mr_str_is(value_of(twin, &main, "inet_protocols"), "ipv6");
	sasl = code ? (mr_str){0} : sasl_path(twin, &main);
	mr_maincf_done(&main);
	for (size_t i = 0; i < sizeof overrides / sizeof *overrides && !code; i++) {
		mr_str value = mr_str_from(overrides[i].value), folder = MR_STR("DIRECTORY");

		if (mr_str_starts(value, folder))
			value = mr_str_printf(&backend->arena, "%s%s", twin->directory,
			        overrides[i].value + folder.size);
		set(&text, overrides[i].name, value);
	}
	if (sasl.size)
		set(&text, "smtpd_sasl_path", sasl);
	if (!code)
		code = mr_postfix_write_trial(backend, mr_buf_str(&text),
		        mr_postfix_path(backend, "%s/etc", twin->directory));
	mr_buf_done(&text);
	return code;
}

static int make_folders(struct mr_postfix_twin *twin)
{
	struct mr_backend *backend = twin->backend;
	struct mr_buf name = MR_BUF_INIT;
	const char *data = mr_postfix_path(backend, "%s/data", twin->directory);
	struct passwd *owner = NULL;
	int code = mr_dir_make(
	        backend->diags, mr_postfix_path(backend, "%s/spool", twin->directory), 0755);

	if (!code)
		code = mr_dir_make(backend->diags, data, 0700);
	if (!mr_postfix_expand(backend, mr_postfix_value(backend, MR_STR("mail_owner")), &name) &&
	        name.size)
		owner = getpwnam(name.data);
	mr_buf_done(&name);
	if (!code && (!owner || chown(data, owner->pw_uid, owner->pw_gid)))
		code = mr_fail(backend->diags, MR_E_FAILED,
		        "cannot give '%s' to Postfix's user: %s", data,
		        owner ? strerror(errno) : "there is no such user");
	return code;
}

/* The twin's master, or 0: by its pid file and the lock on it. */
static pid_t master_of(struct mr_postfix_twin *twin)
{
	const char *path =
	        mr_postfix_path(twin->backend, "%s/spool/pid/master.pid", twin->directory);
	struct mr_buf text = MR_BUF_INIT;
	uint64_t pid = 0;
	MR_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK &&
	        (mr_file_read(twin->backend->diags, path, 4096, &text) ||
	                mr_number_parse(mr_str_trim(mr_buf_str(&text)), INT32_MAX, &pid)))
		pid = 0;
	mr_buf_done(&text);
	return (pid_t)pid;
}

static int call(struct mr_postfix_twin *twin, const char *verb, struct mr_run *run)
{
	const char *etc = mr_postfix_path(twin->backend, "%s/etc", twin->directory);
	const char *const argv[] = {"postfix", "-c", etc, verb, NULL};

	run->argv = argv;
	run->timeout_ms = START_TIMEOUT_MS;
	return mr_run(twin->backend->diags, run);
}

int mr_postfix_clear_twin(struct mr_postfix_twin *twin)
{
	struct mr_run stop = {.is_daemon_starter = true};
	int64_t deadline = mr_clock_ms() + STOP_WAIT_MS;
	pid_t master = master_of(twin);
	int code;

	if (master) {
		if (call(twin, "stop", &stop) || stop.status)
			(void)kill(master,
			        SIGTERM); /* its own stop did not work: nothing of it may stay */
		mr_run_done(&stop);
		while (master_of(twin) && mr_clock_ms() < deadline)
			mr_wait_ms(20);
		if (master_of(twin) == master)
			(void)kill(-master, SIGKILL);
	}
	mr_vec_done(&twin->listeners);
	code = mr_dir_remove(twin->backend->diags, twin->directory);
	return code == MR_E_NOT_FOUND ? 0 : code;
}

void mr_postfix_init_twin(struct mr_backend *backend, struct mr_postfix_twin *out)
{
	*out = (struct mr_postfix_twin){.backend = backend,
	        .directory = mr_postfix_path(backend, "%s/twin", backend->own_directory)};
}

static void add_lines(struct mr_postfix_twin *twin, mr_str words, struct mr_postfix_complaints *out)
{
	mr_str folder = mr_str_from(twin->directory);

	while (words.size) {
		mr_str line = mr_str_trim(mr_str_split(&words, '\n'));
		struct mr_buf text = MR_BUF_INIT;

		for (size_t i = 0; i < line.size;) {
			bool is_folder = mr_str_starts(mr_str_skip(line, i), folder);

			if (is_folder)
				mr_buf_add_text(&text, "TWIN");
			else
				mr_buf_add_char(&text, line.data[i]);
			i += is_folder ? folder.size : 1;
		}
		mr_postfix_complaints_add(out, mr_buf_str(&text));
		mr_buf_done(&text);
	}
}

/* "postfix check" is silent without a terminal. */
static int check_and_start(struct mr_postfix_twin *twin, struct mr_postfix_complaints *out)
{
	struct mr_run check = {.wants_terminal = true}, start = {.is_daemon_starter = true};
	int code = call(twin, "check", &check);

	if (!code) {
		add_lines(twin, mr_buf_str(&check.out), out);
		add_lines(twin, mr_buf_str(&check.err), out);
		if (check.status)
			mr_postfix_complaints_add(out, MR_STR("postfix check fails"));
		twin->is_checked = !check.status;
	}
	if (!code && twin->is_checked) {
		code = call(twin, "start", &start);
		if (!code && start.status)
			mr_postfix_complaints_add(out, MR_STR("postfix start fails"));
		twin->is_started = !code && !start.status;
	}
	mr_run_done(&check);
	mr_run_done(&start);
	return code;
}

int mr_postfix_start_twin(
        struct mr_postfix_twin *twin, mr_str main_text, struct mr_postfix_complaints *out)
{
	int code;

	if ((code = mr_postfix_clear_twin(twin)) || (code = make_folders(twin)) ||
	        (code = write_main(twin, main_text)) || (code = write_master(twin)))
		return code;
	return check_and_start(twin, out);
}
