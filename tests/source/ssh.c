/*
 * Fetching from a real sshd on the loopback: host keys, user keys, what is said when they are
 * wrong.
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

#include "base/run.h"
#include "source/repo.h"

struct fixture {
	char root[64];
	unsigned port;
	struct mr_diags diags;
	struct mr_arena arena;
	struct mr_repo *repo;
};

static struct fixture server; /* one for all tests of this file: the start takes longest */

static const char *path(const char *name)
{
	return mr_str_printf(&server.arena, "%s/%s", server.root, name).data;
}

static int sh(const char *script)
{
	const char *port = mr_str_printf(&server.arena, "%u", server.port).data;
	const char *full = mr_str_printf(&server.arena,
	        "set -e; cd \"$1\"; R=$1; P=$2; export HOME=$1 GIT_AUTHOR_NAME=A "
	        "GIT_AUTHOR_EMAIL=a@x "
	        "GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@x; %s",
	        script)
	                           .data;
	struct mr_run run = {
	        .argv = (const char *const[]){"sh", "-c", full, "sh", server.root, port, NULL},
	        .is_daemon_starter = true};
	int status;

	assert_int_equal(mr_run(&server.diags, &run), 0);
	status = run.status;
	if (status)
		print_error("%s\n", run.err.data);
	mr_run_done(&run);
	return status;
}

static unsigned free_port(void)
{
	struct sockaddr_in address = {
	        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	(void)close(fd);
	return ntohs(address.sin_port);
}

static const char start_script[] =
        "test -x /usr/sbin/sshd; mkdir -p /run/sshd;"
        "git init -q -b main src; cd src; echo 1 >mailreeve.yaml; git add -A; git commit -qm "
        "first; cd ..;"
        "for t in ed25519 rsa; do ssh-keygen -q -t $t -N '' -f host_$t; ssh-keygen -q -t $t -N '' "
        "-f user_$t; done;"
        "ssh-keygen -q -t ed25519 -N '' -f stranger; cat user_*.pub >authorized;"
        "{ echo Port $P; echo ListenAddress 127.0.0.1; echo HostKey $R/host_ed25519; echo HostKey "
        "$R/host_rsa;"
        "  echo AuthorizedKeysFile $R/authorized; echo StrictModes no; echo UsePAM no; echo "
        "PidFile $R/pid;"
        "  echo PermitRootLogin yes; } >config;"
        "echo \"[127.0.0.1]:$P $(cut -d' ' -f1,2 host_ed25519.pub)\" >known;"
        "{ echo \"[127.0.0.1]:$P $(cut -d' ' -f1,2 host_rsa.pub)\"; cat known; } >known_both;"
        "echo \"[127.0.0.1]:$P $(cut -d' ' -f1,2 host_rsa.pub)\" >known_rsa;"
        "echo \"[127.0.0.1]:$P $(cut -d' ' -f1,2 stranger.pub)\" >known_wrong;"
        "echo \"elsewhere.example $(cut -d' ' -f1,2 host_ed25519.pub)\" >known_elsewhere;"
        "cp known known_hashed; ssh-keygen -q -H -f known_hashed 2>/dev/null;"
        "/usr/sbin/sshd -f config -E log; for i in $(seq 100); do test -s pid && exit 0; sleep "
        "0.05; done; exit 1";

static int start(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("not run: sshd has to be started by root\n");
		exit(0);
	}
	strcpy(server.root, "/tmp/mr-ssh-XXXXXX");
	assert_non_null(mkdtemp(server.root));
	server.port = free_port();
	return sh(start_script) == 0 ? 0 : -1;
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
	*state = &server;
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

static int fetch(const char *known_hosts, const char *key)
{
	struct mr_repo_options options = {.mirror = path("mirror"),
	        .branch = MR_STR("main"),
	        .url = mr_str_printf(
	                &server.arena, "ssh://root@127.0.0.1:%u%s/src", server.port, server.root),
	        .known_hosts = mr_str_from(path(known_hosts)),
	        .ssh_key = mr_str_from(path(key)),
	        .timeout_ms = 20000};
	int result = mr_repo_open(&server.diags, &options, &server.repo);

	return result < 0 ? result : mr_repo_fetch(&server.diags, server.repo);
}

static void expect_failure(int code, const char *text, const char *hint)
{
	assert_int_equal(server.diags.n_errors, 1);
	if (!strstr(server.diags.list.items[0].text.data, text))
		fail_msg("'%s' does not say '%s'", server.diags.list.items[0].text.data, text);
	if (!strstr(server.diags.list.items[0].hint.data, hint))
		fail_msg("'%s' does not say '%s'", server.diags.list.items[0].hint.data, hint);
	assert_true(code < 0);
}

static void a_known_server_is_fetched_from(void **state)
{
	mr_str commit;

	(void)state;
	assert_int_equal(fetch("known", "user_ed25519"), 0);
	assert_int_equal(
	        mr_repo_resolve(&server.diags, server.repo, MR_STR("main"), &server.arena, &commit),
	        0);
	assert_int_equal(mr_repo_fetch(&server.diags, server.repo), 0);
}

static void hashed_host_names_are_known(void **state)
{
	(void)state;
	assert_int_equal(fetch("known_hashed", "user_ed25519"), 0);
}

static void an_rsa_line_does_no_harm(void **state)
{
	(void)state;
	assert_int_equal(fetch("known_both", "user_ed25519"), 0);
}

static void only_an_rsa_host_key_is_explained(void **state)
{
	(void)state;
	assert_int_equal(fetch("known_rsa", "user_ed25519"), MR_E_CONFIG);
	expect_failure(MR_E_CONFIG, "no ed25519 or ecdsa host key", "ssh-keyscan -t ed25519");
}

static void a_wrong_host_key_is_refused(void **state)
{
	(void)state;
	assert_int_equal(fetch("known_wrong", "user_ed25519"), MR_E_DENIED);
	expect_failure(MR_E_DENIED, "host key is not the one known", "fingerprint");
}

static void a_key_of_another_host_does_not_count(void **state)
{
	(void)state;
	assert_int_equal(fetch("known_elsewhere", "user_ed25519"), MR_E_DENIED);
	expect_failure(MR_E_DENIED, "host key is not the one known", "fingerprint");
}

static void an_unknown_user_key_is_explained(void **state)
{
	(void)state;
	assert_int_equal(fetch("known", "stranger"), MR_E_DENIED);
	expect_failure(MR_E_DENIED, "did not accept the key", "public half");
}

static void an_rsa_user_key_is_explained_where_it_cannot_work(void **state)
{
	int result = fetch("known", "user_rsa");

	(void)state;
	if (result == 0) /* libgit2 1.9 can */
		return;
	assert_int_equal(result, MR_E_CONFIG);
	expect_failure(MR_E_CONFIG, "RSA", "ssh-keygen -t ed25519");
}

static void missing_files_are_told(void **state)
{
	(void)state;
	assert_int_equal(fetch("nowhere", "user_ed25519"), MR_E_CONFIG);
	mr_repo_close(server.repo);
	server.repo = NULL;
	assert_int_equal(fetch("known", "nowhere"), MR_E_CONFIG);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(a_known_server_is_fetched_from),
	        TEST(hashed_host_names_are_known),
	        TEST(an_rsa_line_does_no_harm),
	        TEST(only_an_rsa_host_key_is_explained),
	        TEST(a_wrong_host_key_is_refused),
	        TEST(a_key_of_another_host_does_not_count),
	        TEST(an_unknown_user_key_is_explained),
	        TEST(an_rsa_user_key_is_explained_where_it_cannot_work),
	        TEST(missing_files_are_told),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
