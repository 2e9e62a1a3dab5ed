/*
 * Tests of the probe clients on a real Postfix and a real Dovecot.
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

#include "apply/imap.h"
#include "apply/smtp.h"
#include "apply/travel.h"
#include "base/file.h"
#include "base/run.h"

enum { LIMIT_MS = 10000 };

struct bed {
	struct mr_arena arena;
	struct mr_diags diags;
	const char *folder;
	mr_str env;
	struct mr_host host;
};

static int run(struct bed *bed, const char *const *argv)
{
	struct mr_run program = {.argv = argv, .timeout_ms = 90000, .is_daemon_starter = true};
	int code = mr_run(&bed->diags, &program);
	int status = program.status;

	if (code || status)
		print_message("%.*s\n", MR_FMT(mr_buf_str(&program.err)));
	mr_run_done(&program);
	return code ? code : status;
}

static mr_str from_env(struct bed *bed, const char *name)
{
	mr_str rest = bed->env;

	while (rest.size > 0) {
		mr_str line = mr_str_split(&rest, '\n');
		if (mr_str_is(mr_str_split(&line, '='), name))
			return line;
	}
	fail_msg("the bed does not tell %s", name);
	return (mr_str){0};
}

/* A reload is over before the last process of before it is gone, and that one may take the next
 * connection. */
static void restart(struct bed *bed, const char *server)
{
	static const char *const verbs[] = {"stop", "start"};

	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		const char *const argv[] = {
		        MR_SOURCE_DIR "/tests/bed/bed", verbs[i], bed->folder, server, NULL};
		assert_int_equal(run(bed, argv), 0);
	}
}

/* A mailbox for the probe, as a person would set it up. */
static void add_mailbox(struct bed *bed)
{
	const struct mr_file_owner owner = {geteuid(), getegid(), 0644};
	const char *conf = mr_str_copy(&bed->arena, from_env(bed, "BED_DOVECOT_CONF")).data;
	const char *users = mr_str_printf(&bed->arena, "%s/users", bed->folder).data;
	struct mr_buf text = MR_BUF_INIT;

	assert_int_equal(mr_file_replace(&bed->diags, users,
	                         MR_STR("probe@example.org:{PLAIN}pa\"ss::::::\n"), &owner),
	        0);
	mr_buf_printf(&text, "passdb {\n driver = passwd-file\n args = %s\n}\n", users);
	assert_int_equal(mr_file_read(&bed->diags, conf, 1 << 20, &text), 0);
	mr_buf_printf(&text,
	        "userdb {\n driver = static\n args = uid=mail gid=mail home=%.*s/%%n "
	        "allow_all_users=yes\n}\n",
	        MR_FMT(from_env(bed, "BED_MAIL")));
	assert_int_equal(mr_file_replace(&bed->diags, conf, mr_buf_str(&text), NULL), 0);
	mr_buf_done(&text);
	const char *postfix = mr_str_copy(&bed->arena, from_env(bed, "BED_POSTFIX_DIR")).data;
	const char *const set[] = {"postconf", "-c", postfix, "-e",
	        "virtual_mailbox_domains=example.org",
	        "virtual_transport=lmtp:unix:private/dovecot-lmtp",
	        "virtual_mailbox_maps=inline:{{probe@example.org=x}}", NULL};
	assert_int_equal(run(bed, set), 0);
	restart(bed, "dovecot");
	restart(bed, "postfix");
}

static int setup(void **state)
{
	struct bed *bed = calloc(1, sizeof *bed);
	char folder[] = "/tmp/mr-probing.XXXXXX";
	struct mr_buf env = MR_BUF_INIT;

	assert_non_null(bed);
	mr_diags_init(&bed->diags);
	assert_non_null(mkdtemp(folder));
	assert_int_equal(rmdir(folder), 0);
	bed->folder = mr_str_copy(&bed->arena, mr_str_from(folder)).data;
	const char *const up[] = {
	        MR_SOURCE_DIR "/tests/bed/bed", "up", bed->folder, "--no-ldap", NULL};
	assert_int_equal(run(bed, up), 0);
	assert_int_equal(mr_file_read(&bed->diags,
	                         mr_str_printf(&bed->arena, "%s/env", folder).data, 1 << 16, &env),
	        0);
	bed->env = mr_str_copy(&bed->arena, mr_buf_str(&env));
	mr_buf_done(&env);
	bed->host.name = MR_STR("mx1.example.org");
	bed->host.probe_smtp = from_env(bed, "BED_SMTP");
	bed->host.probe_imap = from_env(bed, "BED_IMAP");
	add_mailbox(bed);
	*state = bed;
	return 0;
}

static int teardown(void **state)
{
	struct bed *bed = *state;
	const char *const down[] = {MR_SOURCE_DIR "/tests/bed/bed", "down", bed->folder, NULL};
	int status = run(bed, down);

	mr_diags_done(&bed->diags);
	mr_arena_done(&bed->arena);
	free(bed);
	return status;
}

static void recipients_are_told_apart(void **state)
{
	struct bed *bed = *state;
	struct mr_smtp smtp;

	assert_int_equal(
	        mr_smtp_open(&smtp, bed->host.probe_smtp, MR_STR("localhost"), LIMIT_MS), 0);
	assert_int_equal(mr_smtp_ask(&smtp, MR_STR("probe@example.org")), 250);
	assert_int_equal(mr_smtp_ask(&smtp, MR_STR("nobody@example.org")), 550);
	assert_non_null(strstr(smtp.text, "nobody@example.org"));
	assert_int_equal(mr_smtp_ask(&smtp, MR_STR("probe@example.org")), 250);
	mr_smtp_close(&smtp);
}

static void a_stranger_may_not_relay__but_loopback_may(void **state)
{
	struct bed *bed = *state;
	const mr_str elsewhere = MR_STR("relaytest@mailreeve-probe.invalid");
	struct mr_smtp smtp;

	assert_int_equal(
	        mr_smtp_open(&smtp, bed->host.probe_smtp, MR_STR("localhost"), LIMIT_MS), 0);
	assert_true(smtp.has_xclient);
	assert_int_equal(mr_smtp_ask(&smtp, elsewhere), 250);
	assert_int_equal(mr_smtp_become(&smtp, MR_STR("192.0.2.1"), MR_STR("probe.invalid")), 0);
	assert_int_equal(mr_smtp_ask(&smtp, elsewhere) / 100, 5);
	mr_smtp_close(&smtp);
}

static void a_message_travels_and_leaves_nothing_behind(void **state)
{
	struct bed *bed = *state;
	const struct mr_file_owner owner = {geteuid(), getegid(), 0600};
	char text[200];
	struct mr_imap imap;

	bed->host.probe_mailbox = MR_STR("probe@example.org");
	bed->host.probe_password_file = mr_str_printf(&bed->arena, "%s/password", bed->folder);
	const char *path = bed->host.probe_password_file.data;
	assert_int_equal(mr_file_replace(&bed->diags, path, MR_STR("wrong\n"), &owner), 0);
	assert_int_equal(mr_travel(&bed->host, LIMIT_MS, text), MR_TRAVEL_NO_LOGIN);
	assert_int_equal(mr_file_replace(&bed->diags, path, MR_STR("pa\"ss\n"), &owner), 0);
	enum mr_travel seen = mr_travel(&bed->host, LIMIT_MS, text);
	if (seen != MR_TRAVEL_ARRIVED)
		print_message("%s\n", text);
	assert_int_equal(seen, MR_TRAVEL_ARRIVED);

	assert_int_equal(mr_imap_open(&imap, bed->host.probe_imap, LIMIT_MS), 0);
	assert_int_equal(mr_imap_login(&imap, bed->host.probe_mailbox, MR_STR("pa\"ss")), 0);
	assert_int_equal(mr_imap_find(&imap, MR_STR("mailreeve-probe")), 0);
	assert_int_equal(imap.n_found, 0);
	mr_imap_close(&imap);
}

static void a_mailbox_that_nothing_reaches_is_told_with_the_reason(void **state)
{
	struct bed *bed = *state;
	char text[200];
	struct mr_host host = bed->host;

	host.probe_imap = MR_STR("127.0.0.1:1");
	assert_int_equal(mr_travel(&host, LIMIT_MS, text), MR_TRAVEL_NO_GREETING);
	assert_true(strlen(text) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(recipients_are_told_apart),
	        cmocka_unit_test(a_stranger_may_not_relay__but_loopback_may),
	        cmocka_unit_test(a_message_travels_and_leaves_nothing_behind),
	        cmocka_unit_test(a_mailbox_that_nothing_reaches_is_told_with_the_reason),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
