/*
 * A transaction on a real Dovecot: what is declared comes into force, what is wrong is refused
 * before anything moves, and an undo leaves every byte as it was.
 */
#include "server.h"

static int activate(struct bench *bench, const struct changes *changes, bool is_undo)
{
	const struct mr_change *list[64];
	enum mr_activation what;

	pointers(changes, list);
	what = mr_provider_dovecot.activation(bench->backend, list, changes->n);
	return mr_provider_dovecot.activate(bench->backend, list, changes->n, what, is_undo);
}

/* The whole way of a transaction; a second plan is empty. */
static struct changes bring_about(struct bench *bench)
{
	struct changes changes = plan(bench);

	must(bench, stage(bench, &changes));
	must(bench, apply(bench, &changes, false));
	must(bench, activate(bench, &changes, false));
	must(bench, mr_provider_dovecot.probe(bench->backend));
	return changes;
}

static void show_body(mr_str body)
{
	struct mr_attr attr;

	while (mr_attrs_next(&body, &attr) > 0)
		print_error(" %.*s=%.*s", MR_FMT(attr.name), MR_FMT(mr_attr_first(&attr)));
}

static void show_change(const struct mr_change *change)
{
	print_error("still to do: %.*s:", MR_FMT(change->key));
	show_body(change->before);
	print_error(" ->");
	show_body(change->after);
	print_error("\n");
}

static void plan_is_empty(struct bench *bench)
{
	struct changes again;

	bench_reopen(bench);
	again = plan(bench);
	for (size_t i = 0; i < again.n; i++)
		show_change(&again.list[i]);
	assert_int_equal(again.n, 0);
}

/* Dovecot looks at the file once a second; a test does not wait for it. */
static void look_again(struct bench *bench)
{
	const char *argv[] = {"doveadm", "-c", bench->config, "reload", NULL};

	assert_int_equal(run(bench, NULL, argv, false), 0);
	(void)poll(NULL, 0, 300);
}

static void every_state_lets_in_who_it_should(void **state)
{
	static const struct {
		const char *address;
		enum mr_user_state state;
		unsigned services;
		const char *let_in; /* imap pop3 smtp submission sieve */
	} cases[] = {
	        {"active@example.org", MR_USER_ACTIVE, MR_SERVICE_ALL, "11111"},
	        {"barred@example.org", MR_USER_NO_LOGIN, MR_SERVICE_ALL, "00000"},
	        {"imap@example.org", MR_USER_ACTIVE, MR_SERVICE_IMAP, "10000"},
	        {"reads@example.org", MR_USER_RECEIVE_ONLY, MR_SERVICE_ALL, "11001"},
	        {"sends@example.org", MR_USER_SEND_ONLY, MR_SERVICE_SUBMISSION, "00110"},
	};
	static const char *const services[] = {"imap", "pop3", "smtp", "submission", "sieve"};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		declare_user(bench, cases[i].address, cases[i].state)->services = cases[i].services;
	(void)bring_about(bench);
	plan_is_empty(bench);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t j = 0; j < 5; j++)
			if (log_in(bench, services[j], cases[i].address) !=
			        (cases[i].let_in[j] == '1' ? 0 : 77))
				fail_msg("%s by %s", cases[i].address, services[j]);
}

static void undo_leaves_every_byte_as_it_was(void **state)
{
	struct bench *bench = *state;
	char *before = read_text(bench, bench->config);
	struct changes changes, back;

	declare_user(bench, "ann@example.org", MR_USER_RECEIVE_ONLY)->has_quota = true;
	declare_setting("protocol imap/mail_max_userip_connections", "23");
	changes = bring_about(bench);
	assert_string_not_equal(before, read_text(bench, bench->config));
	back = reversed(&changes);
	must(bench, apply(bench, &back, true));
	must(bench, activate(bench, &back, true));
	assert_string_equal(before, read_text(bench, bench->config));
	must(bench, mr_provider_dovecot.finish(bench->backend, bench->work, false));
	assert_int_equal(access(bench->backend->own_directory, F_OK), -1);
	must(bench, mr_provider_dovecot.probe(bench->backend));
}

static char *text_of(mr_str s)
{
	return (char *)(uintptr_t)s.data;
}

static void undo_of_a_later_change_puts_the_earlier_bytes_back(void **state)
{
	struct bench *bench = *state;
	struct changes changes, back;
	char *users, *settings;
	struct stat old, new;

	declare_user(bench, "ann@example.org", MR_USER_ACTIVE);
	declare_user(bench, "bob@example.org", MR_USER_ACTIVE);
	(void)bring_about(bench);
	must(bench, mr_provider_dovecot.finish(bench->backend, bench->work, true));
	users = text_of(mr_str_printf(
	        &bench->arena, "# by hand\n%s", read_text(bench, bench->backend->users_path)));
	write_text(bench->backend->users_path, users);
	settings = read_text(bench, bench->backend->settings_path);
	declared.users[0].state = MR_USER_NO_LOGIN;
	declared.users[1].name = MR_STR("Bob");
	declare_setting("mail_max_userip_connections", "7");
	bench_reopen(bench);
	changes = bring_about(bench);
	assert_int_equal(changes.n, 3);
	plan_is_empty(bench);
	assert_int_equal(stat(bench->backend->users_path, &old), 0);
	back = reversed(&changes);
	must(bench, apply(bench, &back, true));
	assert_string_equal(users, read_text(bench, bench->backend->users_path));
	assert_string_equal(settings, read_text(bench, bench->backend->settings_path));
	assert_int_equal(stat(bench->backend->users_path, &new), 0);
	assert_true(new.st_mtim.tv_sec > old.st_mtim.tv_sec); /* equal sizes are seen only so */
}

static void apply_twice_is_apply_once(void **state)
{
	struct bench *bench = *state;
	struct changes changes;
	struct stat first, second;

	declare_user(bench, "ann@example.org", MR_USER_NO_LOGIN);
	changes = bring_about(bench);
	assert_int_equal(stat(bench->backend->users_path, &first), 0);
	bench_reopen(bench);
	must(bench, apply(bench, &changes, false));
	assert_int_equal(stat(bench->backend->users_path, &second), 0);
	assert_int_equal(first.st_ino, second.st_ino);
}

static void what_somebody_else_changed_is_not_overwritten(void **state)
{
	struct bench *bench = *state;
	struct changes changes;
	char *edited;

	declare_user(bench, "ann@example.org", MR_USER_ACTIVE);
	(void)bring_about(bench);
	must(bench, mr_provider_dovecot.finish(bench->backend, bench->work, true));
	declared.users[0].name = MR_STR("Ann");
	bench_reopen(bench);
	changes = plan(bench);
	edited = (char *)(uintptr_t) "ann@example.org:{PLAIN}foreign:8:8::/tmp/x:active/imap:\n";
	write_text(bench->backend->users_path, edited);
	assert_int_equal(stage(bench, &changes), MR_E_CONFLICT);
	assert_int_equal(apply(bench, &changes, false), MR_E_CONFLICT);
	assert_string_equal(edited, read_text(bench, bench->backend->users_path));
}

static void half_a_step_is_finished_or_undone(void **state)
{
	struct bench *bench = *state;
	struct changes changes, back;
	char *users;

	declare_user(bench, "ann@example.org", MR_USER_ACTIVE);
	(void)bring_about(bench);
	must(bench, mr_provider_dovecot.finish(bench->backend, bench->work, true));
	users = read_text(bench, bench->backend->users_path);
	declared.users[0].state = MR_USER_NO_LOGIN;
	declared.users[0].name = MR_STR("Ann");
	bench_reopen(bench);
	changes = plan(bench);
	must(bench, apply(bench, &changes, false));
	/* as if it had been killed between the deny file and the users */
	write_text(path_in(bench, "users.old"), users);
	assert_int_equal(
	        rename(path_in(bench, "work/dovecot/users.before"), bench->backend->users_path), 0);
	assert_int_equal(unlink(path_in(bench, "work/dovecot/users.states")), 0);
	bench_reopen(bench);
	back = reversed(&changes);
	must(bench, apply(bench, &back, true));
	declared.users[0].state = MR_USER_ACTIVE;
	declared.users[0].name = (mr_str){0};
	plan_is_empty(bench);
}

static void an_override_by_others_shows_in_what_is_live(void **state)
{
	struct bench *bench = *state;
	struct items live;
	char *config;

	declare_setting("mail_max_userip_connections", "23");
	(void)bring_about(bench);
	config = read_text(bench, bench->config);
	write_text(bench->config,
	        mr_str_printf(&bench->arena, "%smail_max_userip_connections = 4\n", config).data);
	live = live_of(bench, 1);
	assert_true(mr_str_is(
	        mr_attrs_get(find(&live, "mail_max_userip_connections")->body, MR_STR("value")),
	        "4"));
	mr_vec_done(&live.list);
}

static void a_deny_file_that_went_missing_is_made_again(void **state)
{
	struct bench *bench = *state;
	struct changes changes;

	declare_user(bench, "ann@example.org", MR_USER_ACTIVE);
	(void)bring_about(bench);
	must(bench, mr_provider_dovecot.finish(bench->backend, bench->work, true));
	assert_int_equal(unlink(bench->backend->denied_path[MR_DENY_ALL]), 0);
	bench_reopen(bench);
	changes = plan(bench);
	assert_int_equal(changes.n, 1);
	must(bench, apply(bench, &changes, false));
	plan_is_empty(bench);
	look_again(bench);
	assert_int_equal(log_in(bench, "imap", "ann@example.org"), 0);
}

static void what_is_no_longer_declared_goes_back_to_what_it_was(void **state)
{
	struct bench *bench = *state;
	static const char key[] = "mail_driver";
	struct mr_change change;
	const struct mr_change *list[] = {&change};
	struct items live;
	mr_str before;

	declare_setting("mail_path", "~/Else");
	(void)bring_about(bench);
	must(bench, mr_provider_dovecot.finish(bench->backend, bench->work, true));
	live = live_of(bench, 1);
	before = find(&live, "mail_path")->body;
	assert_true(mr_str_is(mr_attrs_get(before, MR_STR("value")), "~/Else"));
	assert_non_null(find(&live, key));
	change = (struct mr_change){.in = &bench->collections.items[1],
	        .key = MR_STR("mail_path"),
	        .before = before,
	        .after = mr_provider_dovecot.revert_to(bench->backend, &bench->collections.items[1],
	                MR_STR("mail_path"), (mr_str){0})};
	assert_true(mr_str_is(mr_attrs_get(change.after, MR_STR("value")), "~/Mail"));
	must(bench, mr_provider_dovecot.apply(bench->backend, list, 1, bench->work, false));
	mr_vec_done(&live.list);
	live = live_of(bench, 1);
	assert_true(
	        mr_str_is(mr_attrs_get(find(&live, "mail_path")->body, MR_STR("value")), "~/Mail"));
	mr_vec_done(&live.list);
}

static void quota_is_in_force_for_every_protocol(void **state)
{
	struct bench *bench = *state;
	static const char *const protocols[] = {"imap", "lmtp", "doveadm"};
	const char *quota[] = {"doveadm", "-c", bench->config, "-f", "tab", "quota", "get", "-u",
	        "ann@example.org", NULL};
	struct mr_user *user = declare_user(bench, "ann@example.org", MR_USER_ACTIVE);
	struct mr_buf out = MR_BUF_INIT;

	user->has_quota = true;
	user->quota_bytes = 3 << 20;
	(void)bring_about(bench);
	for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
		const char *filter = mr_str_printf(&bench->arena, "protocol=%s", protocols[i]).data;
		const char *argv[] = {
		        "doveconf", "-c", bench->config, "-f", filter, "-h", "mail_plugins", NULL};

		mr_buf_clear(&out);
		assert_int_equal(run(bench, &out, argv, false), 0);
		assert_non_null(strstr(out.data, "quota"));
	}
	look_again(bench);
	mr_buf_clear(&out);
	assert_int_equal(run(bench, &out, quota, false), 0);
	assert_non_null(strstr(out.data, "STORAGE\t0\t3072"));
	mr_buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        ON_SERVER(every_state_lets_in_who_it_should),
	        ON_SERVER(undo_leaves_every_byte_as_it_was),
	        ON_SERVER(undo_of_a_later_change_puts_the_earlier_bytes_back),
	        ON_SERVER(apply_twice_is_apply_once),
	        ON_SERVER(what_somebody_else_changed_is_not_overwritten),
	        ON_SERVER(half_a_step_is_finished_or_undone),
	        ON_SERVER(an_override_by_others_shows_in_what_is_live),
	        ON_SERVER(a_deny_file_that_went_missing_is_made_again),
	        ON_SERVER(what_is_no_longer_declared_goes_back_to_what_it_was),
	        ON_SERVER(quota_is_in_force_for_every_protocol),
	};

	/* Dovecot's own accounts can only be taken on by root */
	if (geteuid() != 0)
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
