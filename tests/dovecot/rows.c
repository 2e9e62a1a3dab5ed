/*
 * The passwd-file and the deny files: what is written is read again as the same, and what is wrong
 * is said with its line.
 */
#include "bench.h"

static const char CONFIG[] = "protocols = imap\n";

static int open_bench(void **state)
{
	return open_bench_with(state, CONFIG);
}

static void write_users(struct bench *bench, const char *text)
{
	(void)mkdir(bench->backend->own_directory, 0755);
	write_text(bench->backend->users_path, text);
}

static const struct mr_collection ROWS = {.name = MR_STR_INIT("dovecot.passwd")};

static int observe(struct bench *bench, const struct mr_strs *only, struct items *out)
{
	struct mr_cursor cursor = {0};
	int code = mr_provider_dovecot.observe(bench->backend, &ROWS, only, &cursor);

	if (!code)
		*out = drain(bench, &cursor);
	return code;
}

/* clang-format off */
static const struct {
	enum mr_user_state state;
	unsigned services;
	unsigned denied;
} STATES[] = {
	{MR_USER_ACTIVE, MR_SERVICE_ALL, 0},
	{MR_USER_ACTIVE, MR_SERVICE_IMAP | MR_SERVICE_SUBMISSION, 1 << MR_DENY_POP3 | 1 << MR_DENY_SIEVE},
	{MR_USER_ACTIVE, MR_SERVICE_IMAP, 1 << MR_DENY_POP3 | 1 << MR_DENY_SIEVE | 1 << MR_DENY_SMTP | 1 << MR_DENY_SUBMISSION},
	{MR_USER_NO_LOGIN, MR_SERVICE_ALL, 1 << MR_DENY_ALL},
	{MR_USER_RECEIVE_ONLY, MR_SERVICE_ALL, 1 << MR_DENY_SMTP | 1 << MR_DENY_SUBMISSION},
	{MR_USER_RECEIVE_ONLY, MR_SERVICE_POP3, 1 << MR_DENY_SMTP | 1 << MR_DENY_SUBMISSION | 1 << MR_DENY_IMAP | 1 << MR_DENY_SIEVE},
	{MR_USER_SEND_ONLY, MR_SERVICE_ALL, 0},
};
/* clang-format on */

static void each_state_comes_back_from_its_row(void **state)
{
	struct bench *bench = *state;
	struct mr_attrs_builder desired, live;

	must(bench, mr_dovecot_learn_version(bench->backend));
	mr_attrs_builder_init(&desired);
	mr_attrs_builder_init(&live);
	for (size_t i = 0; i < sizeof STATES / sizeof *STATES; i++) {
		struct mr_user *user = declare_user(bench, "ann@example.org", STATES[i].state);
		struct mr_buf line = MR_BUF_INIT;
		struct mr_dovecot_row row;
		mr_str body;

		user->services = STATES[i].services;
		user->name = MR_STR("Ann: 100% \xc3\xa4");
		user->has_quota = true;
		user->quota_bytes = i * 1024;
		user->quota_messages = i;
		body = mr_dovecot_user_body(bench->backend, &desired, user);
		assert_int_equal(mr_dovecot_row_denied(body), STATES[i].denied);
		assert_int_equal(
		        mr_dovecot_row_format(bench->backend->version, user->address, body, &line),
		        0);
		assert_true(mr_dovecot_row_parse((mr_str){line.data, line.size - 1}, &row));
		assert_true(same_body(bench, &ROWS, body,
		        mr_dovecot_row_body(
		                bench->backend->version, &live, &row, STATES[i].denied)));
		mr_buf_done(&line);
	}
	mr_attrs_builder_done(&desired);
	mr_attrs_builder_done(&live);
}

static void deny_files_decide_over_what_the_row_says(void **state)
{
	struct bench *bench = *state;
	struct items items;
	mr_str services;

	write_users(bench,
	        "ann@example.org:{PLAIN}x:8:8::/h/ann:active/imap,pop3,sieve,submission:\n"
	        "bob@example.org:{PLAIN}x:8:8::/h/bob:no_login/imap,pop3,sieve,submission:\n"
	        "eve@example.org:{PLAIN}x:8:8::/h/eve:active/imap,pop3,sieve,submission:\n");
	write_text(bench->backend->denied_path[MR_DENY_ALL], "# by hand\nann@example.org\n");
	write_text(bench->backend->denied_path[MR_DENY_POP3], "eve@example.org\n");
	must(bench, observe(bench, NULL, &items));
	assert_true(mr_str_is(
	        mr_attrs_get(find(&items, "ann@example.org")->body, MR_STR("state")), "no_login"));
	assert_true(mr_str_is(
	        mr_attrs_get(find(&items, "bob@example.org")->body, MR_STR("state")), "active"));
	services = find(&items, "eve@example.org")->body;
	assert_int_equal(mr_dovecot_row_denied(services), 1 << MR_DENY_POP3);
	mr_vec_done(&items.list);
}

static void a_wrong_line_is_told_with_its_place(void **state)
{
	struct bench *bench = *state;
	static const struct {
		const char *text, *place;
	} cases[] = {
	        {"ann@example.org:x:8:8::/h::\nthis is no row\n", "users:2: "},
	        {"# head\nann@example.org:x:8:8::/h::\nann@example.org:y:8:8::/h::\n", "users:3: "},
	        {"bob@example.org:x:8:8::/h::\nann@example.org:x:8:8::/"
	         "h::\nbob@example.org:y:8:8::/h::\n",
	                "users:3: "},
	        {"ann@example.org:x:8:8::/h\001::\n", "users:1: "},
	        {":x:8:8::/h::\n", "users:1: "},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct items items;

		write_users(bench, cases[i].text);
		assert_int_equal(observe(bench, NULL, &items), MR_E_UNREADABLE);
		assert_true(was_said(bench, cases[i].place));
		mr_diags_clear(&bench->diags);
	}
}

static void a_disordered_file_comes_in_order(void **state)
{
	struct bench *bench = *state;
	struct items items;

	write_users(bench, "eve@example.org:x:8:8::/h::\n\n# between\nann@example.org:x:8:8::/h::");
	must(bench, observe(bench, NULL, &items)); /* drain asserts the order */
	assert_int_equal(items.list.n, 2);
	mr_vec_done(&items.list);
}

static void only_what_was_asked_for_comes(void **state)
{
	struct bench *bench = *state;
	mr_str keys[] = {
	        MR_STR("aaa@example.org"), MR_STR("bob@example.org"), MR_STR("zoe@example.org")};
	struct mr_strs only = {keys, 3};
	struct items items;

	write_users(bench, "ann@example.org:x:8:8::/h::\nbob@example.org:x:8:8::/"
	                   "h::\neve@example.org:x:8:8::/h::\n");
	must(bench, observe(bench, &only, &items));
	assert_int_equal(items.list.n, 1);
	assert_true(mr_str_is(items.list.items[0].key, "bob@example.org"));
	mr_vec_done(&items.list);
}

static void a_missing_file_is_empty_only_when_nothing_names_it(void **state)
{
	struct bench *bench = *state;
	struct mr_dovecot_settings settings = {0};
	struct mr_buf text = MR_BUF_INIT;
	struct items items;

	must(bench, observe(bench, NULL, &items));
	assert_int_equal(items.list.n, 0);
	mr_dovecot_settings_set(
	        &settings, &(struct mr_dovecot_setting){
	                           .path = MR_STR("userdb mailreeve-users/passwd_file_path"),
	                           .value = mr_str_from(bench->backend->users_path)});
	must(bench, mr_dovecot_own_format(bench->backend, &bench->arena, &settings, &text));
	(void)mkdir(bench->backend->own_directory, 0755);
	write_text(bench->backend->settings_path, text.data);
	assert_int_equal(observe(bench, NULL, &items), MR_E_UNREADABLE);
	assert_true(was_said(bench, "it is not there"));
	mr_dovecot_settings_done(&settings);
	mr_buf_done(&text);
}

static void a_field_that_nobody_declared_shows(void **state)
{
	struct bench *bench = *state;
	struct items items;

	write_users(bench, "ann@example.org:x:8:8::/h:active/imap: userdb_mail=maildir:/tmp "
	                   "allow_nets=10.0.0.0/8,::1/128\n");
	must(bench, observe(bench, NULL, &items));
	assert_true(mr_str_is(mr_attrs_get(items.list.items[0].body, MR_STR("fields")),
	        "userdb_mail=maildir:/tmp"));
	assert_true(mr_str_is(
	        mr_attrs_get(items.list.items[0].body, MR_STR("allow_nets")), "10.0.0.0/8"));
	mr_vec_done(&items.list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(
	                each_state_comes_back_from_its_row, open_bench, close_bench),
	        cmocka_unit_test_setup_teardown(
	                deny_files_decide_over_what_the_row_says, open_bench, close_bench),
	        cmocka_unit_test_setup_teardown(
	                a_wrong_line_is_told_with_its_place, open_bench, close_bench),
	        cmocka_unit_test_setup_teardown(
	                a_disordered_file_comes_in_order, open_bench, close_bench),
	        cmocka_unit_test_setup_teardown(
	                only_what_was_asked_for_comes, open_bench, close_bench),
	        cmocka_unit_test_setup_teardown(a_missing_file_is_empty_only_when_nothing_names_it,
	                open_bench, close_bench),
	        cmocka_unit_test_setup_teardown(
	                a_field_that_nobody_declared_shows, open_bench, close_bench),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
