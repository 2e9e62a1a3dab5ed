/*
 * A private, real Dovecot in the bench's folder, and asking it.
 */
#ifndef MR_TESTS_DOVECOT_SERVER_H
#define MR_TESTS_DOVECOT_SERVER_H

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "base/run.h"
#include "bench.h"

static inline unsigned free_port(void)
{
	struct sockaddr_in address = {
	        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	(void)close(fd);
	return ntohs(address.sin_port);
}

/* Status of a program with up to eight arguments; its output is dropped unless out is given. */
static inline int run(
        struct bench *bench, struct mr_buf *out, const char *const *argv, bool is_starter)
{
	struct mr_run job = {.argv = argv, .timeout_ms = 20000, .is_daemon_starter = is_starter};
	int code = mr_run(&bench->diags, &job);

	if (!code && out)
		mr_buf_add_str(out, mr_buf_str(&job.out));
	code = code ? code : job.status;
	mr_run_done(&job);
	return code;
}

static inline void server_open(struct bench *bench, const char *more)
{
	static const char format[] =
	        "%4$sbase_dir = %1$s/run\nstate_dir = %1$s/state\ninstance_name = %1$s\n"
	        "log_path = %1$s/log\nlisten = 127.0.0.1\nssl = no\nprotocols = imap lmtp\n"
	        "auth_failure_delay = 0\n%5$s"
	        "service imap-login {\n  inet_listener imap {\n    port = %2$u\n  }\n"
	        "  inet_listener imaps {\n    port = 0\n  }\n}\n%3$s";
	struct mr_buf text = MR_BUF_INIT;
	const char *argv[] = {"dovecot", "-c", bench->config, NULL};
	const char *lines;
	bool is_old;

	bench_open(bench, "");
	lines = version_lines(bench);
	is_old = *lines == 0;
	mr_buf_printf(&text, format, bench->folder, free_port(), more,
	        is_old ? "" : "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n",
	        is_old ? "mail_location = maildir:~/Mail\n"
	                 "passdb {\n  driver = static\n  args = password=0d5c4a\n}\n"
	               : "mail_driver = maildir\nmail_path = ~/Mail\n"
	                 "passdb nobody {\n  driver = static\n"
	                 "  passdb_static_password = 0d5c4a\n}\n");
	write_text(bench->config, text.data);
	mr_buf_done(&text);
	assert_int_equal(mkdir(path_in(bench, "run"), 0755), 0);
	assert_int_equal(mkdir(path_in(bench, "state"), 0755), 0);
	assert_int_equal(mkdir(path_in(bench, "mail"), 0777), 0);
	assert_int_equal(chmod(path_in(bench, "mail"), 0777), 0);
	argv[2] = bench->config;
	assert_int_equal(run(bench, NULL, argv, true), 0);
}

static inline void server_close(struct bench *bench)
{
	char *pid = read_text(bench, path_in(bench, "run/master.pid"));
	pid_t master = pid ? (pid_t)atoi(pid) : 0;

	/* the master alone would wait for the others */
	if (mr_dovecot_is_alive(master))
		(void)kill(getpgid(master) == master ? -master : master, SIGTERM);
	for (unsigned i = 0; mr_dovecot_is_alive(master) && i < 250; i++)
		(void)poll(NULL, 0, 20);
	bench_close(bench);
}

/* doveadm auth test: 0 let in, 77 not. Each comes from elsewhere, since failures slow down the next
 * one of an address. */
static inline int log_in(struct bench *bench, const char *service, const char *address)
{
	static unsigned n;
	const char *from =
	        mr_str_printf(&bench->arena, "rip=127.1.%u.%u", n / 250, 1 + n % 250).data;
	const char *how = mr_str_printf(&bench->arena, "service=%s", service).data;
	const char *argv[] = {"doveadm", "-c", bench->config, "auth", "test", "-x", how, "-x", from,
	        address, "secret", NULL};

	n++;
	return run(bench, NULL, argv, false);
}

#define ON_SERVER(test) cmocka_unit_test_setup_teardown(test, open_server, close_server)

static inline int open_server(void **state)
{
	struct bench *bench = malloc(sizeof *bench);

	server_open(bench, "");
	*state = bench;
	return 0;
}

static inline int close_server(void **state)
{
	server_close(*state);
	free(*state);
	return 0;
}

#endif
