/*
 * Values and paths of settings, our own file, and the line in dovecot.conf.
 */
#include "bench.h"

#include "dovecot/names.h"

static const char CONFIG[] = "# kept as it is\nprotocols = imap\n!include_try local.conf\n";

static int open_bench(void **state)
{
	struct bench *bench;

	(void)open_bench_with(state, "");
	bench = *state;
	write_text(bench->config,
	        mr_str_printf(&bench->arena, "%s%s", version_lines(bench), CONFIG).data);
	return 0;
}

static void values_are_compared_by_what_they_mean(void **state)
{
	/* clang-format off */
	static const struct {
		const char *a, *b;
		bool is_same;
	} cases[] = {
		{"yes", "yes", true}, {"yes", "no", false}, {"10M", "10 M", true}, {"1024k", "1 M", true}, {"10s", "10 secs", true},
		{"60 s", "1 mins", true}, {"1h", "1 hours", true}, {"10", "10 s", false}, {"imap  lmtp", "imap lmtp", true},
		{"imap lmtp", "lmtp imap", false}, {"/x/%d/%n", "/x/%{user | domain}/%{user|username}", true},
		{"", "x", false}, {"", "", true}, {"5", "5", true}, {"99999999999999999999", "1", false},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (mr_dovecot_value_same(mr_str_from(cases[i].a), mr_str_from(cases[i].b)) !=
		        cases[i].is_same)
			fail_msg("'%s' and '%s'", cases[i].a, cases[i].b);
}

static void paths_come_apart_at_their_sections(void **state)
{
	static const struct {
		const char *path;
		size_t n;
		const char *section, *name;
	} cases[] = {
	        {"ssl", 1, "", "ssl"},
	        {"protocol imap/mail_plugins/quota", 3, "mail_plugins", "quota"},
	        {"service lmtp/unix_listener /var/spool/postfix/private/lmtp/mode", 3,
	                "unix_listener /var/spool/postfix/private/lmtp", "mode"},
	        {"service x/unix_listener login/imap/user", 3, "unix_listener login/imap", "user"},
	        {"local 10.0.0.0/8/ssl", 2, "local 10.0.0.0/8", "ssl"},
	        {"namespace inbox/mailbox Sent/Old/auto", 3, "mailbox Sent/Old", "auto"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		mr_str parts[MR_DOVECOT_DEPTH];
		size_t n =
		        mr_dovecot_path_split(mr_str_from(cases[i].path), parts, MR_DOVECOT_DEPTH);

		assert_int_equal(n, cases[i].n);
		assert_true(mr_str_is(parts[n - 1], cases[i].name));
		if (n > 1)
			assert_true(mr_str_is(parts[n - 2], cases[i].section));
	}
}

static void our_file_says_what_it_was_made_from_and_whether_it_was_edited(void **state)
{
	struct bench *bench = *state;
	static const char *const pairs[][2] = {
	        {"auth_mechanisms", "plain = login"}, {"mail_debug", "yes"}};
	struct mr_dovecot_settings settings = settings_of(pairs, 2);
	struct mr_buf text = MR_BUF_INIT;
	struct mr_dovecot_own own;

	must(bench, mr_dovecot_own_format(bench->backend, &bench->arena, &settings, &text));
	mr_dovecot_own_parse(&bench->arena, mr_buf_str(&text), &own);
	assert_false(own.is_edited);
	assert_int_equal(own.settings.list.n, 2);
	assert_true(mr_str_is(own.settings.list.items[0].value, "plain = login"));
	mr_dovecot_settings_done(&own.settings);
	mr_buf_add_text(&text, "mail_debug = no\n");
	mr_dovecot_own_parse(&bench->arena, mr_buf_str(&text), &own);
	assert_true(own.is_edited);
	mr_dovecot_settings_done(&own.settings);
	mr_dovecot_settings_done(&settings);
	mr_buf_done(&text);
}

static void the_rest_of_dovecot_conf_stays(void **state)
{
	static const char *const texts[] = {
	        "", "a = b\n", "a = b", "a = b\r\n# x\n", "\n\n!include conf.d/*.conf\n"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct mr_buf with = MR_BUF_INIT, again = MR_BUF_INIT, without = MR_BUF_INIT;

		mr_dovecot_main_with_line(mr_str_from(texts[i]), true, &with);
		mr_dovecot_main_with_line(mr_buf_str(&with), true, &again);
		mr_dovecot_main_with_line(mr_buf_str(&with), false, &without);
		assert_true(mr_str_starts(mr_buf_str(&with), mr_str_from(texts[i])));
		assert_true(mr_str_ends(mr_buf_str(&with), MR_STR(MR_DOVECOT_INCLUDE_LINE "\n")));
		assert_true(mr_str_eq(mr_buf_str(&with), mr_buf_str(&again)));
		assert_true(mr_str_starts(mr_buf_str(&without), mr_str_from(texts[i])));
		mr_buf_done(&with);
		mr_buf_done(&again);
		mr_buf_done(&without);
	}
}

static void a_file_that_appears_changes_the_stamp(void **state)
{
	struct bench *bench = *state;
	struct mr_dovecot_stamps before, after;

	must(bench, mr_dovecot_stamp(bench->backend, &before));
	must(bench, mr_dovecot_stamp(bench->backend, &after));
	assert_true(mr_digest_eq(&before.live, &after.live));
	write_text(path_in(bench, "local.conf"), "mail_debug = yes\n");
	must(bench, mr_dovecot_stamp(bench->backend, &after));
	assert_false(mr_digest_eq(&before.live, &after.live));
	assert_false(mr_digest_eq(&before.base, &after.base));
}

static void only_the_live_stamp_knows_our_file(void **state)
{
	struct bench *bench = *state;
	struct mr_dovecot_stamps before, after;

	must(bench, mr_dovecot_stamp(bench->backend, &before));
	(void)mkdir(bench->backend->own_directory, 0755);
	write_text(bench->backend->settings_path, "mail_debug = yes\n");
	write_text(bench->config, mr_str_printf(&bench->arena, "%s%s" MR_DOVECOT_INCLUDE_LINE "\n",
	                                  version_lines(bench), CONFIG)
	                                  .data);
	must(bench, mr_dovecot_stamp(bench->backend, &after));
	assert_false(mr_digest_eq(&before.live, &after.live));
	assert_true(mr_digest_eq(&before.base, &after.base));
}

static void every_wrong_declaration_is_told_at_its_place(void **state)
{
	struct bench *bench = *state;
	static const struct {
		const char *path, *value, *said;
	} cases[] = {
	        {"mail_max_userip_conections", "5", "did you mean 'mail_max_userip_connections'"},
	        {"disable_plaintext_auth", "no", "auth_allow_cleartext"},
	        {"mail_location", "maildir:~", "mail_driver and mail_path"},
	        {"service lmtp/inet_listener x/prot", "24", "'service lmtp/inet_listener x/prot'"},
	        {"passdb x/driver", "pam", "MR-SETTING-WIRED"},
	        {"base_dir", "/x", "MR-SETTING-FIXED"},
	        {"login_greeting", "a\nb", "MR-SETTING-VALUE"},
	        {"ssl_min_protocol", "TLSv1.9", "'TLSv1.9' is none of its words"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		declare_setting(cases[i].path, cases[i].value);
	declare_setting("protocol imap/mail_max_userip_connections", "20");
	declare_setting("service lmtp/unix_listener /run/y/z/mode", "0600");
	declare_setting("namespace inbox/mailbox Sent/auto", "subscribe");
	declared.accounts.owner_user = MR_STR("nobody-of-that-name");
	declare_user(bench, "ann@example.org", MR_USER_ACTIVE)->password.text = MR_STR("{NOSUCH}x");
	declare_user(bench, "bob@example.org", MR_USER_ACTIVE)->password.text = MR_STR("plain");
	declare_user(bench, "eve@example.org", MR_USER_ACTIVE)->password.text =
	        MR_STR("{PLAIN.b64}eA==");
	assert_int_equal(mr_provider_dovecot.collections(bench->backend, NULL, &bench->collections),
	        MR_E_INVALID);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_true(was_said(bench, cases[i].said));
	assert_true(was_said(bench, "dovecot.yaml:1:5: error: "));
	assert_true(was_said(bench, "nobody-of-that-name"));
	assert_true(was_said(bench, "{NOSUCH}"));
	assert_int_equal(bench->diags.n_errors, sizeof cases / sizeof *cases + 3);
}

static void lmtp_looks_users_up_with_their_domain(void **state)
{
	struct bench *bench = *state;
	const char *lines = version_lines(bench);
	const char *format = *lines ? "%{user | username | lower}" : "%Ln";
	const struct mr_dovecot_setting *wired;

	write_text(bench->config,
	        mr_str_printf(&bench->arena, "%sprotocol lmtp {\n  auth_username_format = %s\n}\n",
	                lines, format)
	                .data);
	declared.accounts.delivery = MR_STR("lmtp:inet:127.0.0.1:24");
	must(bench, mr_provider_dovecot.collections(bench->backend, NULL, &bench->collections));
	wired = mr_dovecot_settings_find(
	        &bench->backend->desired, MR_STR("protocol lmtp/auth_username_format"));
	assert_non_null(wired);
	assert_true(mr_str_is(wired->value, "%{user | lower}"));
}

/* 2.4 refuses these at every log-in, though doveadm pw still makes them. */
static void a_password_that_cannot_log_in_is_told(void **state)
{
	struct bench *bench = *state;
	bool is_new = *version_lines(bench) != 0;
	int code;

	declare_user(bench, "ann@example.org", MR_USER_ACTIVE)->password.text =
	        MR_STR("{CRYPT}$1$aaaa$x");
	declare_user(bench, "bob@example.org", MR_USER_ACTIVE)->password.text =
	        MR_STR("{SMD5}aaaa");
	code = mr_provider_dovecot.collections(bench->backend, NULL, &bench->collections);
	assert_int_equal(code, is_new ? MR_E_INVALID : 0);
	assert_int_equal(bench->diags.n_errors, is_new ? 2 : 0);
	if (!is_new)
		return;
	declare_setting("auth_allow_weak_schemes", "yes");
	mr_diags_clear(&bench->diags);
	bench_reopen(bench);
	must(bench, mr_provider_dovecot.collections(bench->backend, NULL, &bench->collections));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(values_are_compared_by_what_they_mean),
	        cmocka_unit_test(paths_come_apart_at_their_sections),
	        cmocka_unit_test_setup_teardown(
	                our_file_says_what_it_was_made_from_and_whether_it_was_edited, open_bench,
	                close_bench),
	        cmocka_unit_test(the_rest_of_dovecot_conf_stays),
	        cmocka_unit_test_setup_teardown(
	                a_file_that_appears_changes_the_stamp, open_bench, close_bench),
	        cmocka_unit_test_setup_teardown(
	                only_the_live_stamp_knows_our_file, open_bench, close_bench),
	        cmocka_unit_test_setup_teardown(
	                every_wrong_declaration_is_told_at_its_place, open_bench, close_bench),
	        cmocka_unit_test_setup_teardown(
	                lmtp_looks_users_up_with_their_domain, open_bench, close_bench),
	        cmocka_unit_test_setup_teardown(
	                a_password_that_cannot_log_in_is_told, open_bench, close_bench),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
