/*
 * Which files an agent is to look at: all that decides what is read, with no server there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "mailreeve.h"

struct bench {
	char path[64];
	struct mr_diags diags;
	struct mr_buf told;
};

static void put(struct bench *bench, const char *name, const char *text)
{
	char path[256];

	(void)snprintf(path, sizeof path, "%s/%s", bench->path, name);
	assert_int_equal(mr_file_replace(&bench->diags, path, mr_str_from(text), NULL), 0);
}

static void make_folder(struct bench *bench, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof path, "%s/%s", bench->path, name);
	assert_int_equal(mr_dir_make(&bench->diags, path, 0755), 0);
}

static int open_bench(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	char text[1024];

	assert_non_null(bench);
	mr_diags_init(&bench->diags);
	strcpy(bench->path, "/tmp/mr-paths.XXXXXX");
	assert_non_null(mkdtemp(bench->path));
	make_folder(bench, "postfix");
	make_folder(bench, "dovecot/conf.d");
	put(bench, "dovecot/conf.d/10-auth.conf", "!include_try extra.conf\n");
	put(bench, "dovecot/dovecot.conf",
	        "!include conf.d/*.conf\n!include_try local.conf\n"
	        "!include_try mailreeve/mailreeve.conf\n");
	(void)snprintf(text, sizeof text,
	        "host: mx\nstate_directory: %s/state\npostfix: {config_directory: %s/postfix}\n"
	        "dovecot: {config: %s/dovecot/dovecot.conf}\nldap: {uri: \"ldapi://nowhere\"}\n",
	        bench->path, bench->path, bench->path);
	put(bench, "agent.yaml", text);
	*state = bench;
	return 0;
}

static int close_bench(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(mr_dir_remove(&bench->diags, bench->path), 0);
	mr_diags_done(&bench->diags);
	mr_buf_done(&bench->told);
	free(bench);
	return 0;
}

static void tell(void *arg, const char *server, const char *path, const char *name)
{
	struct bench *bench = arg;

	assert_int_equal(strncmp(path, bench->path, strlen(bench->path)), 0);
	mr_buf_printf(
	        &bench->told, "%s %s %s\n", server, path + strlen(bench->path), name ? name : "*");
}

static int look(struct bench *bench)
{
	char config[128];
	struct mailreeve_options options = {.config = config};
	struct mailreeve *session;
	int64_t begun_ms = mr_clock_ms();
	int status;

	(void)snprintf(config, sizeof config, "%s/agent.yaml", bench->path);
	assert_int_equal(mailreeve_open(&options, &session), 0);
	mr_buf_clear(&bench->told);
	mr_buf_add_char(&bench->told, '\n');
	status = mailreeve_watch_paths(session, tell, bench);
	mailreeve_close(session);
	assert_true(mr_clock_ms() - begun_ms < 1000); /* 2 ms; a program that starts takes longer */
	return status;
}

static void expect_told(struct bench *bench, const char *line)
{
	char whole[256];

	(void)snprintf(whole, sizeof whole, "\n%s\n", line);
	if (!strstr(bench->told.data, whole))
		fail_msg("'%s' is not among:%s", line, bench->told.data);
}

static void every_file_that_is_read_is_told__no_server_runs(void **state)
{
	static const char *const lines[] = {"postfix /postfix main.cf",
	        "postfix /postfix master.cf", "postfix /postfix/mailreeve/gen-3 *",
	        "dovecot /dovecot dovecot.conf", "dovecot /dovecot/conf.d *",
	        "dovecot /dovecot/conf.d 10-auth.conf", "dovecot /dovecot/conf.d extra.conf",
	        "dovecot /dovecot local.conf", "dovecot /dovecot/mailreeve mailreeve.conf",
	        "dovecot /dovecot/mailreeve users", "dovecot /dovecot/mailreeve denied",
	        "dovecot /dovecot/mailreeve denied.imap"};
	struct bench *bench = *state;
	char text[256];

	(void)snprintf(text, sizeof text,
	        "myhostname = mx\nmailreeve = %s/postfix/mailreeve/gen-3\n", bench->path);
	put(bench, "postfix/main.cf", text);
	assert_int_equal(look(bench), MAILREEVE_OK);
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		expect_told(bench, lines[i]);
	assert_null(strstr(bench->told.data, "openldap"));
}

static void what_is_known_is_told_all_the_same__a_file_is_missing(void **state)
{
	struct bench *bench = *state;
	char path[128];

	(void)snprintf(path, sizeof path, "%s/dovecot/dovecot.conf", bench->path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(look(bench), MAILREEVE_UNREADABLE);
	expect_told(bench, "postfix /postfix main.cf");
	expect_told(bench, "dovecot /dovecot dovecot.conf");
	expect_told(bench, "dovecot /dovecot/mailreeve users");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(
	                every_file_that_is_read_is_told__no_server_runs, open_bench, close_bench),
	        cmocka_unit_test_setup_teardown(
	                what_is_known_is_told_all_the_same__a_file_is_missing, open_bench,
	                close_bench),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
