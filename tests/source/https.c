/*
 * Fetching over https from a real git-http-backend behind a small TLS server on the loopback: the
 * authority that signed the certificate has to be named, and a server that never answers is left in
 * time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/run.h"
#include "source/repo.h"

struct fixture {
	char root[64];
	const char *port;
	struct mr_diags diags;
	struct mr_arena arena;
	struct mr_repo *repo;
};

static struct fixture server; /* one for all tests of this file */

static const char *path(const char *name)
{
	return mr_str_printf(&server.arena, "%s/%s", server.root, name).data;
}

static int sh(const char *script)
{
	const char *full = mr_str_printf(&server.arena,
	        "set -e; cd \"$1\"; R=$1; export HOME=$1 GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@x "
	        "GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@x; %s",
	        script)
	                           .data;
	struct mr_run run = {
	        .argv = (const char *const[]){"sh", "-c", full, "sh", server.root, NULL},
	        .is_daemon_starter = true};
	int status;

	assert_int_equal(mr_run(&server.diags, &run), 0);
	status = run.status;
	if (status)
		print_error("%s\n", run.err.data);
	mr_run_done(&run);
	return status;
}

static const char server_text[] =
        "import http.server, os, ssl, sys\n"
        "root = sys.argv[1]\n"
        "os.environ.update(GIT_PROJECT_ROOT=root, GIT_HTTP_EXPORT_ALL='1', HOME=root)\n"
        "class Handler(http.server.CGIHTTPRequestHandler):\n"
        "    have_fork = False\n"
        "    def is_cgi(self):\n"
        "        self.cgi_info = ('/usr/lib/git-core', 'git-http-backend' + self.path)\n"
        "        return True\n"
        "    def translate_path(self, path):\n"
        "        return path\n"
        "server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)\n"
        "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
        "context.load_cert_chain(root + '/cert.pem', root + '/key.pem')\n"
        "server.socket = context.wrap_socket(server.socket, server_side=True)\n"
        "open(root + '/port.new', 'w').write(str(server.server_port))\n"
        "os.rename(root + '/port.new', root + '/port')\n"
        "server.serve_forever()\n";

static const char start_script[] =
        "test -x /usr/lib/git-core/git-http-backend; git init -q -b main src; cd src;"
        "echo 1 >mailreeve.yaml; git add -A; git commit -qm first; cd ..;"
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key.pem "
        "-out cert.pem"
        " -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null;"
        "python3 server.py $R >log 2>&1 & echo $! >pid;"
        "for i in $(seq 100); do test -s port && exit 0; sleep 0.05; done; cat log >&2; exit 1";

static int start(void **state)
{
	struct mr_buf port = MR_BUF_INIT;

	(void)state;
	strcpy(server.root, "/tmp/mr-https-XXXXXX");
	assert_non_null(mkdtemp(server.root));
	if (mr_file_replace(&server.diags, path("server.py"), MR_STR(server_text), NULL) < 0 ||
	        sh(start_script) != 0 || mr_file_read(&server.diags, path("port"), 16, &port) < 0)
		return -1;
	server.port = mr_str_copy(&server.arena, mr_buf_str(&port)).data;
	mr_buf_done(&port);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	(void)sh("test -s pid && kill $(cat pid) || true");
	(void)sh("rm -rf \"$R\"");
	mr_diags_done(&server.diags);
	mr_arena_done(&server.arena);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	mr_diags_clear(&server.diags);
	return sh("rm -rf mirror");
}

static int teardown(void **state)
{
	(void)state;
	mr_repo_close(server.repo);
	server.repo = NULL;
	return 0;
}

static int fetch(const char *port, const char *ca_file, unsigned timeout_ms)
{
	struct mr_repo_options options = {.mirror = path("mirror"),
	        .branch = MR_STR("main"),
	        .url = mr_str_printf(&server.arena, "https://localhost:%s/src/.git", port),
	        .ca_file = mr_str_from(ca_file),
	        .timeout_ms = timeout_ms};
	int result = mr_repo_open(&server.diags, &options, &server.repo);

	return result < 0 ? result : mr_repo_fetch(&server.diags, server.repo);
}

static void a_server_with_a_trusted_certificate_is_fetched_from(void **state)
{
	mr_str commit;

	(void)state;
	assert_int_equal(fetch(server.port, path("cert.pem"), 20000), 0);
	assert_int_equal(
	        mr_repo_resolve(&server.diags, server.repo, MR_STR("main"), &server.arena, &commit),
	        0);
	assert_int_equal(mr_repo_fetch(&server.diags, server.repo), 0);
}

static void an_untrusted_certificate_is_refused(void **state)
{
	(void)state;
	assert_int_equal(fetch(server.port, NULL, 20000), MR_E_DENIED);
	assert_int_equal(server.diags.n_errors, 1);
	assert_non_null(strstr(server.diags.list.items[0].hint.data, "ca_file"));
}

static void a_missing_ca_file_is_a_configuration_error(void **state)
{
	(void)state;
	assert_int_equal(fetch(server.port, path("nowhere"), 20000), MR_E_CONFIG);
}

/* A listener that takes the connection and says nothing. */
static void a_server_that_never_answers_is_left_in_time(void **state)
{
	struct sockaddr_in address = {
	        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	MR_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char port[16];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	(void)snprintf(port, sizeof port, "%u", ntohs(address.sin_port));
	assert_int_equal(fetch(port, path("cert.pem"), 300), MR_E_BUSY);
	assert_non_null(strstr(server.diags.list.items[0].text.data, "not done within"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(a_server_with_a_trusted_certificate_is_fetched_from),
	        TEST(an_untrusted_certificate_is_refused),
	        TEST(a_missing_ca_file_is_a_configuration_error),
	        TEST(a_server_that_never_answers_is_left_in_time),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
