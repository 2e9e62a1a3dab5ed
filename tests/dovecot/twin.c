/*
 * Settings are judged by a Dovecot that is started aside: what is wrong is refused before anything
 * moves, and nothing right is.
 */
#include "server.h"

static void wrong_settings_are_refused_before_anything_moves(void **state)
{
	struct bench *bench = *state;
	static const char *const wrong[][3] = {
	        {"mail_driver", "nosuch", "Unknown mail storage driver"},
	        {"mail_max_userip_connections", "many", "Invalid number"},
	        {"protocols", "imap nosuch", "Unknown protocol"},
	        {"protocol imap/mail_plugins/nosuch", "yes", "Plugin 'nosuch' not found"},
	        {"auth_mechanisms", "plain nosuch", "Unknown authentication mechanism"},
	        {"ssl_server_cert_file", "/nonexistent", "/nonexistent"},
	        {"ssl_server_cert_file", "/etc/passwd", "holds no BEGIN CERTIFICATE"},
	};
	char *before = read_text(bench, bench->config);

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct changes changes;

		declared.n_settings = 0;
		declare_setting(wrong[i][0], wrong[i][1]);
		if (strstr(wrong[i][0], "ssl_"))
			declare_setting("ssl", "yes");
		bench_reopen(bench);
		changes = plan(bench);
		assert_int_equal(stage(bench, &changes), MR_E_REJECTED);
		if (!was_said(bench, wrong[i][2]))
			fail_msg("'%s' does not say '%s'", wrong[i][0], wrong[i][2]);
		mr_diags_clear(&bench->diags);
	}
	assert_string_equal(before, read_text(bench, bench->config));
	assert_int_equal(access(bench->backend->own_directory, F_OK), -1);
	must(bench, mr_provider_dovecot.probe(bench->backend));
}

/* As on Debian 13, whose users are those of the system until ours are declared. */
static void users_that_are_not_ours_may_be_looked_up_without_their_domain(void **state)
{
	struct bench *bench = *state;
	const char *format = *version_lines(bench) ? "%{user | username | lower}" : "%Ln";
	struct changes changes;

	write_text(bench->config,
	        mr_str_printf(&bench->arena, "%sprotocol lmtp {\n  auth_username_format = %s\n}\n",
	                read_text(bench, bench->config), format)
	                .data);
	declare_setting("mail_max_userip_connections", "7");
	changes = plan(bench);
	must(bench, stage(bench, &changes));
}

static void a_port_that_is_taken_is_refused(void **state)
{
	struct bench *bench = *state;
	struct sockaddr_in address = {
	        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct changes changes;

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	declare_setting("service lmtp/inet_listener x/listen", "127.0.0.1");
	declare_setting("service lmtp/inet_listener x/port",
	        mr_str_printf(&bench->arena, "%u", (unsigned)ntohs(address.sin_port)).data);
	changes = plan(bench);
	assert_int_equal(stage(bench, &changes), MR_E_REJECTED);
	assert_true(was_said(bench, "in use"));
	(void)close(fd);
	must(bench, stage(bench, &changes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        ON_SERVER(wrong_settings_are_refused_before_anything_moves),
	        ON_SERVER(users_that_are_not_ours_may_be_looked_up_without_their_domain),
	        ON_SERVER(a_port_that_is_taken_is_refused),
	};

	/* Dovecot's own accounts can only be taken on by root */
	if (geteuid() != 0)
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
