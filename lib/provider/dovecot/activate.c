/*
 * Bringing settings into force, and whether the server is well.
 */
#include "dovecot/names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/run.h"
#include "base/text.h"
#include "base/wait.h"
#include "service/service.h"

#define PROGRAM_TIMEOUT_MS 30000
#define CONNECT_TIMEOUT_MS 3000
#define SETTLE_TIMEOUT_MS  5000
#define TICK_MS            50

/* Settings that the master process reads once; everything else it takes on at a reload, listeners
 * included. */
static const mr_str restart_settings[] = {MR_STR_INIT("default_internal_user"),
        MR_STR_INIT("default_internal_group"), MR_STR_INIT("default_login_user"),
        MR_STR_INIT("state_dir"), MR_STR_INIT("import_environment")};

enum mr_activation mr_dovecot_activation(
        struct mr_backend *backend, const struct mr_change *const *changes, size_t n)
{
	enum mr_activation what = MR_ACTIVATE_NOTHING;

	(void)backend;
	for (size_t i = 0; i < n; i++) {
		if (mr_dovecot_is_rows(changes[i]->in))
			continue; /* auth looks at the files itself, once a second */
		if (what == MR_ACTIVATE_NOTHING)
			what = MR_ACTIVATE_RELOAD;
		for (size_t j = 0; j < sizeof restart_settings / sizeof *restart_settings; j++)
			if (mr_str_eq(changes[i]->key, restart_settings[j]))
				what = MR_ACTIVATE_RESTART;
	}
	return what;
}

static mr_str live_value(struct mr_backend *backend, const char *path)
{
	const struct mr_dovecot_setting *found =
	        mr_dovecot_settings_find(&backend->live, mr_str_from(path));

	return found ? found->value : (mr_str){0};
}

/* The protocols in force, parted by blanks. */
static mr_str live_protocols(struct mr_backend *backend, struct mr_arena *arena)
{
	mr_str words;

	return backend->version->value_in(arena, &backend->live, MR_STR("protocols"), &words)
	               ? words
	               : (mr_str){0};
}

pid_t mr_dovecot_master(struct mr_backend *backend)
{
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_buf text = MR_BUF_INIT;
	mr_str path =
	        mr_str_printf(&arena, "%.*s/master.pid", MR_FMT(live_value(backend, "base_dir")));
	uint64_t pid = 0;

	if (!mr_file_read(backend->diags, path.data, 64, &text) &&
	        mr_number_parse(mr_str_trim(mr_buf_str(&text)), INT32_MAX, &pid))
		pid = 0;
	mr_buf_done(&text);
	mr_arena_done(&arena);
	return mr_dovecot_is_alive((pid_t)pid) ? (pid_t)pid : 0;
}

static int run_program(struct mr_backend *backend, const char *const *argv, bool is_starter)
{
	struct mr_run run = {
	        .argv = argv, .timeout_ms = PROGRAM_TIMEOUT_MS, .is_daemon_starter = is_starter};
	int code = mr_run(backend->diags, &run);

	if (!code && run.status) {
		mr_str words =
		        mr_str_trim(run.err.size ? mr_buf_str(&run.err) : mr_buf_str(&run.out));

		code = mr_fail(backend->diags, MR_E_FAILED, "%s %s ended with status %d: %.*s",
		        argv[0], argv[1] ? argv[1] : "", run.status, MR_FMT(words));
	}
	mr_run_done(&run);
	return code;
}

static int managed(struct mr_backend *backend, enum mr_service_verb verb)
{
	return mr_service_control(backend->diags, MR_SERVED_DOVECOT, verb, PROGRAM_TIMEOUT_MS);
}

static int start(struct mr_backend *backend)
{
	const char *const argv[] = {"dovecot", "-c", backend->config, NULL};

	return run_program(backend, argv, true);
}

static int restart(struct mr_backend *backend)
{
	const char *const stop[] = {"doveadm", "-c", backend->config, "stop", NULL};
	int code = 0;

	if (!backend->options->host->services_are_direct)
		return managed(backend, MR_SERVICE_RESTART);
	if (mr_dovecot_master(backend))
		code = run_program(backend, stop, false);
	for (unsigned waited = 0; !code && mr_dovecot_master(backend); waited += TICK_MS) {
		if (waited > SETTLE_TIMEOUT_MS)
			return mr_fail(backend->diags, MR_E_TIMEOUT, "Dovecot does not stop");
		mr_wait_ms(TICK_MS);
	}
	return code ? code : start(backend);
}

/* "Nov 22 13:36:02 Error: master: …" lines that the log process kept; a failed reload shows nowhere
 * else. */
static bool has_reload_error(mr_str log, mr_str before, mr_str *out)
{
	static const mr_str words[] = {MR_STR_INIT("Error reading configuration"),
	        MR_STR_INIT("listen("), MR_STR_INIT("Failed to read configuration")};

	if (mr_str_starts(log, before))
		log = mr_str_skip(log, before.size);
	while (log.size > 0) {
		mr_str line = mr_str_split(&log, '\n');

		for (size_t i = 0; i < sizeof words / sizeof *words; i++)
			if (memmem(line.data ? line.data : "", line.size, words[i].data,
			            words[i].size)) {
				*out = line;
				return true;
			}
	}
	return false;
}

/* What doveadm log errors says; nothing when it cannot be had. */
static void recent_errors(struct mr_backend *backend, struct mr_buf *out)
{
	const char *const argv[] = {"doveadm", "-c", backend->config, "log", "errors", NULL};
	struct mr_run run = {.argv = argv, .timeout_ms = PROGRAM_TIMEOUT_MS};
	struct mr_diags ignored;

	mr_diags_init(&ignored);
	if (!mr_run(&ignored, &run) && run.status == 0)
		mr_buf_add_str(out, mr_buf_str(&run.out));
	mr_run_done(&run);
	mr_diags_done(&ignored);
}

static int reload(struct mr_backend *backend)
{
	const char *const argv[] = {"doveadm", "-c", backend->config, "reload", NULL};
	struct mr_buf before = MR_BUF_INIT, after = MR_BUF_INIT;
	mr_str line;
	int code;

	recent_errors(backend, &before);
	code = backend->options->host->services_are_direct ? run_program(backend, argv, false)
	                                                   : managed(backend, MR_SERVICE_RELOAD);
	if (!code) {
		mr_wait_ms(
		        4 * TICK_MS); /* the signal was only sent; what came of it is in the log */
		recent_errors(backend, &after);
		if (has_reload_error(mr_buf_str(&after), mr_buf_str(&before), &line))
			code = mr_fail(backend->diags, MR_E_FAILED,
			        "Dovecot did not take on its new configuration: %.*s",
			        MR_FMT(line));
	}
	mr_buf_done(&before);
	mr_buf_done(&after);
	return code;
}

int mr_dovecot_activate(struct mr_backend *backend, const struct mr_change *const *changes,
        size_t n, enum mr_activation what, bool is_undo)
{
	int code;

	(void)changes;
	if (what == MR_ACTIVATE_NOTHING || n == 0)
		return 0;
	mr_dovecot_forget_live(backend);
	code = mr_dovecot_learn_version(backend);
	if (!code)
		code = mr_dovecot_learn_live(backend);
	if (code)
		return code;
	if (is_undo && !mr_dovecot_master(backend))
		what = MR_ACTIVATE_RESTART; /* it died of what is taken back: there is none to
		                               reload */
	code = what == MR_ACTIVATE_RESTART ? restart(backend) : reload(backend);
	for (unsigned waited = 0;
	        !code && waited < SETTLE_TIMEOUT_MS && !mr_dovecot_master(backend);
	        waited += TICK_MS)
		mr_wait_ms(TICK_MS);
	if (!code && !mr_dovecot_master(backend))
		code = mr_fail(backend->diags, MR_E_FAILED,
		        "Dovecot's master process is gone after %s",
		        what == MR_ACTIVATE_RESTART ? "a restart" : "a reload");
	return code;
}

/* Whether something answers there within the time. */
static int connect_to(const struct sockaddr *address, socklen_t size)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int64_t deadline_ms = mr_clock_ms() + CONNECT_TIMEOUT_MS;
	int error = 0;
	socklen_t error_size = sizeof error;

	if (fd < 0)
		return -1;
	if (connect(fd, address, size) == 0 ||
	        (errno == EINPROGRESS && mr_wait_fd(fd, POLLOUT, deadline_ms) == 1 &&
	                getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size) == 0 &&
	                error == 0)) {
		(void)close(fd);
		return 0;
	}
	(void)close(fd);
	return -1;
}

static int probe_port(struct mr_backend *backend, mr_str service, mr_str host, uint16_t port)
{
	struct mr_arena arena = MR_ARENA_INIT;
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	const char *text;
	int code = 0;

	host = mr_str_take(host, mr_str_find(host, ','));
	host = mr_str_take(host, mr_str_find(host, ' '));
	text = mr_str_is(host, "*") || host.size == 0 ? "127.0.0.1"
	       : mr_str_is(host, "::")                ? "::1"
	                                              : mr_str_copy(&arena, host).data;
	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		code = connect_to((const struct sockaddr *)&v4, sizeof v4);
	else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
		code = connect_to((const struct sockaddr *)&v6, sizeof v6);
	if (code)
		code = mr_fail(backend->diags, MR_E_FAILED,
		        "Dovecot's %.*s does not answer at %s port %u", MR_FMT(service), text,
		        port);
	mr_arena_done(&arena);
	return code;
}

/* Whether this listener of doveconf -a is one that the master really opens. */
static bool is_open_listener(struct mr_backend *backend, mr_str scope)
{
	struct mr_arena arena = MR_ARENA_INIT;
	mr_str service = mr_str_take(scope, mr_str_find(scope, '/'));
	mr_str protocol =
	        live_value(backend, mr_str_printf(&arena, "%.*s/protocol", MR_FMT(service)).data);
	mr_str ssl = live_value(backend, mr_str_printf(&arena, "%.*sssl", MR_FMT(scope)).data);
	bool is_open = (protocol.size == 0 ||
	                       mr_dovecot_has_word(live_protocols(backend, &arena), protocol)) &&
	               !(mr_str_is(ssl, "yes") && mr_str_is(live_value(backend, "ssl"), "no"));

	mr_arena_done(&arena);
	return is_open;
}

static int probe_listener(struct mr_backend *backend, const struct mr_dovecot_setting *setting)
{
	struct mr_arena arena = MR_ARENA_INIT;
	mr_str scope = mr_str_take(setting->path, setting->path.size - 4);
	mr_str service = mr_str_skip(mr_str_take(scope, mr_str_find(scope, '/')), 8);
	mr_str host = live_value(backend,
	        mr_str_printf(&arena, "%.*s%s", MR_FMT(scope), backend->version->listener_address)
	                .data);
	uint64_t port = 0;
	int code = 0;

	if (host.size == 0)
		host = live_value(backend, "listen");
	if (!mr_number_parse(setting->value, 65535, &port) && port > 0 &&
	        is_open_listener(backend, scope))
		code = probe_port(backend, service, host, (uint16_t)port);
	mr_arena_done(&arena);
	return code;
}

/* A look-up that finds nobody is fine; one that fails is not, and doveadm says why. */
static int probe_lookup(struct mr_backend *backend)
{
	const char *const argv[] = {
	        "doveadm", "-c", backend->config, "user", "mailreeve-probe@invalid", NULL};
	struct mr_run run = {.argv = argv, .timeout_ms = PROGRAM_TIMEOUT_MS};
	int code;

	if (access(backend->users_path, F_OK) ||
	        mr_dovecot_answers(live_value(backend, "base_dir")))
		return 0;
	code = mr_run(backend->diags, &run);
	if (!code && run.status != 0 && run.status != 67)
		code = mr_fail(backend->diags, MR_E_FAILED,
		        "Dovecot cannot look up users: doveadm ended with status %d: %.*s",
		        run.status, MR_FMT(mr_str_trim(mr_buf_str(&run.err))));
	mr_run_done(&run);
	return code;
}

/* auth looks whether its files are others at most once in a second of the clock: what it is asked
 * in the second of a change it may still answer from what it read before. */
static void await_rows(const struct mr_backend *backend)
{
	while (time(NULL) == backend->rows_written)
		mr_wait_ms(TICK_MS / 2);
}

int mr_dovecot_probe(struct mr_backend *backend)
{
	int code = mr_dovecot_learn_version(backend);

	if (!code)
		code = mr_dovecot_learn_live(backend);
	if (code)
		return code;
	if (!mr_dovecot_master(backend))
		return mr_fail(backend->diags, MR_E_FAILED, "Dovecot is not running");
	mr_vec_each (setting, &backend->live.list)
		if (mr_str_starts(setting->path, MR_STR("service ")) &&
		        mr_str_ends(setting->path, MR_STR("/port")) &&
		        probe_listener(backend, setting))
			code = MR_E_FAILED;
	await_rows(backend);
	return probe_lookup(backend) ? MR_E_FAILED : code;
}
