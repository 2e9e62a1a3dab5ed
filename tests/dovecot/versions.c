/*
 * Settings in 2.4's names: what 2.3 and 2.4 read of them, and what they are in what 2.3 and 2.4
 * say. Needs neither of the two.
 */
#include "bench.h"

#include "dovecot/names.h"

static const char CONFIG[] = "# kept as it is\nprotocols = imap\n!include_try local.conf\n";

#define IN_BENCH(test) cmocka_unit_test_setup_teardown(test, open_bench, close_bench)

static int open_bench(void **state)
{
	return open_bench_with(state, CONFIG);
}

static const char rendered[] = "auth_mechanisms = plain login\n"
                               "disable_plaintext_auth = no\n"
                               "login_greeting = \"a # b { $c \\\"d\\\" \\\\e\"\n"
                               "mail_home = /srv/%d/%n\n"
                               "mail_location = maildir:~/Maildir\n"
                               "passdb {\n"
                               "  args = username_format=%Lu /etc/denied\n"
                               "  deny = yes\n"
                               "  driver = passwd-file\n"
                               "}\n"
                               "plugin {\n"
                               "  quota = count:User quota\n"
                               "  quota_vsizes = yes\n"
                               "}\n"
                               "protocol imap {\n"
                               "  mail_plugins = $mail_plugins imap_quota quota\n"
                               "}\n"
                               "service imap-login {\n"
                               "  inet_listener imaps {\n"
                               "    address = 127.0.0.1\n"
                               "    port = 993\n"
                               "  }\n"
                               "  service_count = 0\n"
                               "}\n"
                               "service lmtp {\n"
                               "  unix_listener /var/spool/postfix/private/lmtp {\n"
                               "    mode = 0600\n"
                               "  }\n"
                               "}\n"
                               "ssl_cert = </etc/ssl/mail.pem\n";

static const char *const declared_pairs[][2] = {
        {"auth_allow_cleartext", "yes"},
        {"auth_mechanisms", "plain login"},
        {"login_greeting", "a # b { $c \"d\" \\e"},
        {"mail_driver", "maildir"},
        {"mail_home", "/srv/%{user | domain}/%{user|username}"},
        {"mail_path", "~/Maildir"},
        {"passdb x/auth_username_format", "%{user | lower}"},
        {"passdb x/deny", "yes"},
        {"passdb x/driver", "passwd-file"},
        {"passdb x/passwd_file_path", "/etc/denied"},
        {"protocol imap/mail_plugins/imap_quota", "yes"},
        {"protocol imap/mail_plugins/quota", "yes"},
        {"quota User quota/driver", "count"},
        {"service imap-login/inet_listener imaps/listen", "127.0.0.1"},
        {"service imap-login/inet_listener imaps/port", "993"},
        {"service imap-login/restart_request_count", "0"},
        {"service lmtp/unix_listener /var/spool/postfix/private/lmtp/mode", "0600"},
        {"ssl_server_cert_file", "/etc/ssl/mail.pem"},
};

static void render_with(
        struct bench *bench, const struct mr_dovecot_version *version, const char *expected)
{
	struct mr_dovecot_settings settings =
	        settings_of(declared_pairs, sizeof declared_pairs / sizeof *declared_pairs);
	struct mr_buf text = MR_BUF_INIT;

	version->render(&bench->arena, &settings, &text);
	assert_string_equal(text.data, expected);
	mr_buf_done(&text);
	mr_dovecot_settings_done(&settings);
}

static void settings_are_rendered_in_the_words_of_2_3(void **state)
{
	render_with(*state, &mr_dovecot_version_23, rendered);
}

static const char rendered_24[] = "auth_allow_cleartext = yes\n"
                                  "auth_mechanisms = plain login\n"
                                  "login_greeting = \"a # b { $c \\\"d\\\" \\\\e\"\n"
                                  "mail_driver = maildir\n"
                                  "mail_home = \"/srv/%{user | domain}/%{user|username}\"\n"
                                  "mail_path = ~/Maildir\n"
                                  "passdb x {\n"
                                  "  auth_username_format = \"%{user | lower}\"\n"
                                  "  deny = yes\n"
                                  "  driver = passwd-file\n"
                                  "  passwd_file_path = /etc/denied\n"
                                  "}\n"
                                  "protocol imap {\n"
                                  "  mail_plugins {\n"
                                  "    imap_quota = yes\n"
                                  "    quota = yes\n"
                                  "  }\n"
                                  "}\n"
                                  "quota \"User quota\" {\n"
                                  "  driver = count\n"
                                  "}\n"
                                  "service imap-login {\n"
                                  "  inet_listener imaps {\n"
                                  "    listen = 127.0.0.1\n"
                                  "    port = 993\n"
                                  "  }\n"
                                  "  restart_request_count = 0\n"
                                  "}\n"
                                  "service lmtp {\n"
                                  "  unix_listener /var/spool/postfix/private/lmtp {\n"
                                  "    mode = 0600\n"
                                  "  }\n"
                                  "}\n"
                                  "ssl_server_cert_file = /etc/ssl/mail.pem\n";

static void settings_are_rendered_in_the_words_of_2_4(void **state)
{
	render_with(*state, &mr_dovecot_version_24, rendered_24);
}

static void read_as(struct bench *bench, const struct mr_dovecot_version *version, const char *said,
        const char *const (*expected)[2])
{
	struct mr_dovecot_settings settings = {0};
	size_t line;

	assert_int_equal(
	        mr_dovecot_conf_parse(&bench->arena, mr_str_from(said), &settings, &line), 0);
	for (size_t i = 0; expected[i][0]; i++) {
		mr_str value = {0};
		bool is_there = version->value_in(
		        &bench->arena, &settings, mr_str_from(expected[i][0]), &value);

		if (is_there != (expected[i][1] != NULL) ||
		        (is_there && !mr_str_is(value, expected[i][1])))
			fail_msg("%s is '%.*s'", expected[i][0], MR_FMT(value));
	}
	mr_dovecot_settings_done(&settings);
}

static void what_2_3_says_is_read_in_the_names_of_2_4(void **state)
{
	struct bench *bench = *state;
	static const char said[] =
	        "# 2.3.19.1: a comment\n"
	        "disable_plaintext_auth = no\n"
	        "login_greeting = \"a # \\\"b\\\" \\\\c\"\n"
	        "mail_location = mdbox:~/mdbox:INDEX=/var/index/%u:ALT=/alt\n"
	        "mail_max_userip_connections = 10\n"
	        "mail_plugins = \" quota\"\n"
	        "passdb {\n  args = /etc/a\n  driver = passwd-file\n}\n"
	        "plugin {\n  quota = count:User quota\n}\n"
	        "service lmtp {\n  unix_listener /run/x/lmtp {\n    mode = 0600\n  }\n}\n"
	        "ssl_cert = </etc/cert.pem\n"
	        "ssl_key = # hidden, use -P to show it\n"
	        "protocol imap {\n  mail_plugins = \" quota imap_quota\"\n}\n";
	static const char *const expected[][2] = {
	        {"auth_allow_cleartext", "yes"},
	        {"login_greeting", "a # \"b\" \\c"},
	        {"mail_driver", "mdbox"},
	        {"mail_path", "~/mdbox"},
	        {"mail_index_path", "/var/index/%u"},
	        {"mail_alt_path", "/alt"},
	        {"mail_control_path", NULL},
	        {"protocol imap/mail_max_userip_connections", "10"},
	        {"protocol imap/mail_plugins/imap_quota", "yes"},
	        {"protocol pop3/mail_plugins/quota", "yes"},
	        {"protocol pop3/mail_plugins/imap_quota", NULL},
	        {"quota User quota/driver", "count"},
	        {"quota Other/driver", NULL},
	        {"service lmtp/unix_listener /run/x/lmtp/mode", "0600"},
	        {"ssl_server_cert_file", "/etc/cert.pem"},
	        {"ssl_server_key_file", NULL},
	        {"passdb/driver", NULL},
	        {NULL, NULL},
	};

	read_as(bench, &mr_dovecot_version_23, said, expected);
}

static const char said_by_24[] =
        "# 2.4.1-4 (7d8c0e5759): /etc/dovecot/dovecot.conf\n"
        "dovecot_config_version = 2.4.0\n"
        "auth_mechanisms = plain login\n"
        "mail_driver = maildir\n"
        "mail_max_userip_connections = 10\n"
        "mail_path = ~/Maildir\n"
        "mail_plugins {\n  quota = yes\n  acl = no\n}\n"
        "protocols {\n  imap = yes\n  lmtp = yes\n  pop3 = no\n}\n"
        "ssl_server_cert_file = \n"
        "ssl_server_dh_file = /etc/dh.pem\n"
        "protocol imap {\n  mail_plugins {\n    imap_quota = yes\n  }\n}\n"
        "protocol lmtp {\n  mail_plugins = sieve\n}\n"
        "quota \"User quota\" {\n  driver = count\n  storage_size = 1 G\n}\n"
        "passdb mailreeve-3-users {\n  driver = passwd-file\n}\n"
        "service lmtp {\n  unix_listener /run/x/lmtp {\n    mode = 0600\n  }\n}\n"
        "ssl_server {\n  cert_file = /etc/cert.pem\n"
        "  key_password = # hidden, use -P to show it\n}\n";

static void what_2_4_says_is_found_where_it_prints_it(void **state)
{
	static const char *const expected[][2] = {
	        {"auth_mechanisms", "plain login"},
	        {"mail_driver", "maildir"},
	        {"mail_path", "~/Maildir"},
	        {"mail_index_path", NULL},
	        {"mail_plugins/acl", "no"},
	        {"mail_plugins/quota", "yes"},
	        {"protocol imap/mail_max_userip_connections", "10"},
	        {"protocol imap/mail_plugins/imap_quota", "yes"},
	        {"protocol imap/mail_plugins/quota", "yes"},
	        {"protocol lmtp/mail_plugins/quota", NULL}, /* "=" replaces the list outside */
	        {"protocol lmtp/mail_plugins/sieve", "yes"},
	        {"protocols", "imap lmtp"},
	        {"quota User quota/driver", "count"},
	        {"quota User quota/quota_storage_size", "1 G"},
	        {"quota Other/driver", NULL},
	        {"service lmtp/unix_listener /run/x/lmtp/mode", "0600"},
	        {"ssl_server_cert_file", "/etc/cert.pem"},
	        {"ssl_server_dh_file", "/etc/dh.pem"},
	        {"ssl_server_key_password", NULL},
	        {"passdb mailreeve-3-users/driver", "passwd-file"},
	        {NULL, NULL},
	};

	read_as(*state, &mr_dovecot_version_24, said_by_24, expected);
}

static struct mr_dovecot_settings parsed(struct bench *bench, const char *text)
{
	struct mr_dovecot_settings settings = {0};
	size_t line;

	assert_int_equal(
	        mr_dovecot_conf_parse(&bench->arena, mr_str_from(text), &settings, &line), 0);
	return settings;
}

static void what_differs_from_the_defaults_has_the_names_it_is_declared_with(void **state)
{
	static const char *const expected[] = {"mail_path", "mail_plugins/quota",
	        "ssl_server_cert_file", "service lmtp/process_limit"};
	struct bench *bench = *state;
	struct mr_dovecot_settings all = {0};
	struct mr_dovecot_settings defaults =
	        parsed(bench, "mail_driver = maildir\nmail_path =\nmail_plugins =\n"
	                      "ssl_server_cert_file =\nservice lmtp {\n  user = root\n}\n");
	struct mr_dovecot_settings in = parsed(bench,
	        "dovecot_config_version = 2.4.0\nmail_driver = maildir\nmail_path = ~/M\n"
	        "mail_plugins {\n  quota = yes\n}\nssl_server {\n  cert_file = /c\n}\n"
	        "service lmtp {\n  user = root\n  process_limit = 3\n}\n");

	mr_dovecot_version_24.all_in(&bench->arena, &in, &defaults, &all);
	assert_int_equal(all.list.n, sizeof expected / sizeof *expected);
	for (size_t i = 0; i < all.list.n; i++)
		assert_non_null(mr_dovecot_settings_find(&all, mr_str_from(expected[i])));
	mr_dovecot_settings_done(&all);
	mr_dovecot_settings_done(&in);
	mr_dovecot_settings_done(&defaults);
}

static void what_2_4_has_is_known_by_its_defaults(void **state)
{
	static const struct {
		const char *path;
		bool is_known;
		const char *hint;
	} cases[] = {
	        {"mail_path", true, NULL},
	        {"mail_paht", false, NULL},
	        {"mail_location", false, "mail_driver and mail_path"},
	        {"disable_plaintext_auth", false, "auth_allow_cleartext"},
	        {"plugin/quota", false, NULL},
	        {"protocol imap/mail_path", true, NULL},
	        {"protocol imap/mail_plugins/quota", true, NULL},
	        {"import_environment/TZ", true, NULL},
	        {"quota User quota/storage_size", true, NULL},
	        {"quota User quota/quota_storage_size", true, NULL},
	        {"quota User quota/storage_sise", false, NULL},
	        {"service lmtp/inet_listener x/port", true, NULL},
	        {"service lmtp/inet_listener x/prot", false, NULL},
	        {"service lmtp/inet_listner x/port", false, NULL},
	};
	struct bench *bench = *state;
	struct mr_dovecot_settings defaults =
	        parsed(bench, "auth_allow_cleartext = no\ninet_listener_port = 0\nmail_path =\n"
	                      "mail_plugins =\nquota_name =\nquota_storage_size = unlimited\n"
	                      "service_name =\nimport_environment {\n  TZ = x\n}\n");

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *hint = NULL;
		bool is_known =
		        mr_dovecot_version_24.knows(&defaults, mr_str_from(cases[i].path), &hint);

		if (is_known != cases[i].is_known ||
		        strcmp(hint ? hint : "", cases[i].hint ? cases[i].hint : "") != 0)
			fail_msg("%s", cases[i].path);
	}
	mr_dovecot_settings_done(&defaults);
}

static void quota_of_a_row_is_in_the_words_of_its_version(void **state)
{
	static const struct {
		const char *quota, *messages, *in_23, *in_24;
	} cases[] = {
	        {"", "", "", ""},
	        {"2G", "", " userdb_quota_rule=*:storage=2G", " userdb_quota_storage_size=2G"},
	        {"1000", "", " userdb_quota_rule=*:storage=1000B",
	                " userdb_quota_storage_size=1000B"},
	        {"unlimited", "7", " userdb_quota_rule=*:storage=0:messages=7",
	                " userdb_quota_storage_size=0 userdb_quota_message_count=7"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		mr_str quota = mr_str_from(cases[i].quota);
		mr_str messages = mr_str_from(cases[i].messages);
		struct mr_buf old = MR_BUF_INIT, new = MR_BUF_INIT;

		mr_dovecot_version_23.quota_fields(quota, messages, &old);
		mr_dovecot_version_24.quota_fields(quota, messages, &new);
		assert_true(mr_str_is(mr_buf_str(&old), cases[i].in_23));
		assert_true(mr_str_is(mr_buf_str(&new), cases[i].in_24));
		mr_buf_done(&old);
		mr_buf_done(&new);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        IN_BENCH(settings_are_rendered_in_the_words_of_2_3),
	        IN_BENCH(settings_are_rendered_in_the_words_of_2_4),
	        IN_BENCH(what_2_3_says_is_read_in_the_names_of_2_4),
	        IN_BENCH(what_2_4_says_is_found_where_it_prints_it),
	        IN_BENCH(what_differs_from_the_defaults_has_the_names_it_is_declared_with),
	        IN_BENCH(what_2_4_has_is_known_by_its_defaults),
	        IN_BENCH(quota_of_a_row_is_in_the_words_of_its_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
