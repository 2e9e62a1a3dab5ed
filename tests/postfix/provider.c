/*
 * The backend on a real Postfix: what is declared is what RCPT answers, and what was before comes
 * back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

static mr_str strs_al[] = {MR_STR_INIT("al@a.example")};
static mr_str strs_bob[] = {MR_STR_INIT("bob@a.example")};
static mr_str strs_cat[] = {MR_STR_INIT("cat@c.example")};
static mr_str strs_out[] = {MR_STR_INIT("out@partner.example")};
static mr_str strs_line[] = {MR_STR_INIT("line1@r.example")};
static mr_str strs_old[] = {MR_STR_INIT("old@s.example")};

static const struct mr_domain domains[] = {
        {.name = MR_STR_INIT("a.example")},
        {.name = MR_STR_INIT("al.example"),
                .kind = MR_DOMAIN_ALIAS,
                .alias_of = MR_STR_INIT("a.example")},
        {.name = MR_STR_INIT("c.example"), .catch_all = {strs_cat, 1}},
        {.name = MR_STR_INIT("r.example"),
                .kind = MR_DOMAIN_RELAY,
                .transport = MR_STR_INIT("smtp:[127.0.0.1]:9"),
                .addresses = {strs_line, 1}},
        {.name = MR_STR_INIT("s.example"), .state = MR_DOMAIN_SUSPENDED},
        {.name = MR_STR_INIT("x.example"), .state = MR_DOMAIN_CLOSED},
};
#define USER(local_part, domain_name)                                                              \
	.address = MR_STR_INIT(local_part "@" domain_name), .local = MR_STR_INIT(local_part),      \
	.domain = MR_STR_INIT(domain_name)
static const struct mr_user users[] = {
        {USER("alice", "a.example"), .aliases = {strs_al, 1}},
        {USER("bob", "a.example"), .state = MR_USER_RECEIVE_ONLY, .forward_to = {strs_out, 1},
                .forward_keep = true},
        {USER("sender", "a.example"), .state = MR_USER_SEND_ONLY, .send_as = {strs_bob, 1}},
        {USER("cat", "c.example")},
        {USER("dog", "c.example")},
        {USER("sam", "s.example"), .state = MR_USER_NO_LOGIN, .aliases = {strs_old, 1}},
        {USER("ex", "x.example"), .state = MR_USER_CLOSED},
};
static const struct mr_alias aliases[] = {
        {.address = MR_STR_INIT("sales@a.example"), .to = {strs_bob, 1}},
        {.address = MR_STR_INIT("stale@a.example"), .to = {strs_bob, 1}, .is_expired = true},
};
static const struct mr_transport transports[] = {
        {.key = MR_STR_INIT("*"), .value = MR_STR_INIT("smtp:[127.0.0.1]:9")}};

static struct mr_desired full(void)
{
	return (struct mr_desired){.accounts.delivery = MR_STR("lmtp:unix:private/none"),
	        .domains = domains,
	        .n_domains = N_OF(domains),
	        .users = users,
	        .n_users = N_OF(users),
	        .aliases = aliases,
	        .n_aliases = N_OF(aliases),
	        .transports = transports,
	        .n_transports = N_OF(transports)};
}

static void every_address_is_answered_as_declared__after_the_first_apply(void **state)
{
	static const struct {
		const char *address;
		int code;
	} answers[] = {
	        {"alice@a.example", 250},
	        {"ALICE@A.example", 250},
	        {"al@a.example", 250},
	        {"bob@a.example", 250},
	        {"sales@a.example", 250},
	        {"stale@a.example", 550},
	        {"sender@a.example", 550},
	        {"nobody@a.example", 550},
	        {"alice@al.example", 250},
	        {"al@al.example", 250},
	        {"sales@al.example", 250},
	        {"nobody@al.example", 550},
	        {"sender@al.example", 550},
	        {"cat@c.example", 250},
	        {"anything@c.example", 250},
	        {"line1@r.example", 250},
	        {"line2@r.example", 550},
	        {"sam@s.example", 450},
	        {"old@s.example", 450},
	        {"nobody@s.example", 450},
	        {"ex@x.example", 554},
	        {"someone@else.example", 554},
	};
	struct world *world = *state;
	struct mr_desired desired = full();

	world_converge(world, &desired);
	for (size_t i = 0; i < N_OF(answers); i++) {
		int code = world_rcpt(world, answers[i].address);

		if (code != answers[i].code)
			fail_msg("%s: %d and not %d", answers[i].address, code, answers[i].code);
	}
	assert_int_equal(mr_provider_postfix.probe(world->backend), 0);
}

/* What postmap answers for a wired table of the live generation. */
static mr_str ask(struct world *world, const char *table, const char *key)
{
	mr_str path = mr_str_printf(&world->arena, "%s/mailreeve", world->etc), name;
	const char *const show[] = {"postconf", "-c", world->etc, "-xh", "mailreeve", NULL};
	struct mr_run run = {.argv = show};
	const char *query[] = {"postmap", "-c", world->etc, "-q", key, NULL, NULL};
	struct mr_run asked = {.argv = query};

	assert_int_equal(mr_run(&world->diags, &run), 0);
	name = mr_str_printf(
	        &world->arena, "lmdb:%.*s/%s", MR_FMT(mr_str_trim(mr_buf_str(&run.out))), table);
	mr_run_done(&run);
	query[5] = name.data;
	assert_int_equal(mr_run(&world->diags, &asked), 0);
	assert_int_equal(asked.err.size, 0);
	path = mr_str_copy(&world->arena, mr_str_trim(mr_buf_str(&asked.out)));
	mr_run_done(&asked);
	return path;
}

static void rows_say_who_gets_the_mail__for_forwards_catch_alls_and_log_ins(void **state)
{
	static const struct {
		const char *table, *key, *value;
	} rows[] = {
	        {"virtual_alias_maps", "bob@a.example", "out@partner.example, bob@a.example"},
	        {"virtual_alias_maps", "al@a.example", "alice@a.example"},
	        {"virtual_alias_maps", "alice@a.example", ""},
	        {"virtual_alias_maps", "alice@al.example", "alice@a.example"},
	        {"virtual_alias_maps", "cat@c.example", "cat@c.example"},
	        {"virtual_alias_maps", "dog@c.example", "dog@c.example"},
	        {"virtual_alias_maps", "@c.example", "cat@c.example"},
	        {"virtual_mailbox_maps", "alice@a.example", "a.example/alice/"},
	        {"virtual_mailbox_maps", "sender@a.example", ""},
	        {"smtpd_sender_login_maps", "al@a.example", "alice@a.example"},
	        {"smtpd_sender_login_maps", "bob@a.example", "sender@a.example"},
	        {"transport_maps", "a.example", "lmtp:unix:private/none"},
	        {"transport_maps", "r.example", "smtp:[127.0.0.1]:9"},
	};
	struct world *world = *state;
	struct mr_desired desired = full();

	world_converge(world, &desired);
	for (size_t i = 0; i < N_OF(rows); i++) {
		mr_str value = ask(world, rows[i].table, rows[i].key);

		if (!mr_str_is(value, rows[i].value))
			fail_msg("%s %s: '%.*s'", rows[i].table, rows[i].key, MR_FMT(value));
	}
}

static void main_cf_is_back_byte_for_byte__after_an_undo(void **state)
{
	struct world *world = *state;
	struct mr_desired desired = full(), nothing = {0};
	mr_str before = world_read(world, "main.cf");
	int code = world_plan(world, &desired);

	if (code || (code = world_stage(world)) || (code = world_apply(world, false)) ||
	        (code = world_activate(world, false)))
		world_print(world);
	assert_int_equal(code, 0);
	assert_int_equal(world_rcpt(world, "alice@a.example"), 250);
	assert_false(mr_str_eq(world_read(world, "main.cf"), before));
	assert_int_equal(world_apply(world, true), 0);
	assert_int_equal(world_apply(world, true), 0); /* again: it is so already */
	assert_int_equal(world_activate(world, true), 0);
	assert_int_equal(mr_provider_postfix.finish(world->backend, world->work, false), 0);
	assert_true(mr_str_eq(world_read(world, "main.cf"), before));
	assert_int_equal(world_rcpt(world, "alice@a.example"), 554);
	assert_int_equal(world_plan(world, &nothing), 0);
	assert_int_equal(world->changes.list.n, 0);
}

static void only_our_parameters_go_back__when_others_edited_main_cf_meanwhile(void **state)
{
	struct world *world = *state;
	struct mr_desired desired = full();
	mr_str before = world_read(world, "main.cf"), edited;

	assert_int_equal(world_plan(world, &desired), 0);
	assert_int_equal(world_stage(world), 0);
	assert_int_equal(world_apply(world, false), 0);
	edited = mr_str_printf(
	        &world->arena, "%.*slarge = yes\n", MR_FMT(world_read(world, "main.cf")));
	world_write(world, "main.cf", edited);
	assert_int_equal(world_apply(world, true), 0);
	edited = mr_str_printf(&world->arena, "%.*slarge = yes\n", MR_FMT(before));
	assert_true(mr_str_eq(world_read(world, "main.cf"), edited));
}

static void nothing_is_touched__when_main_cf_changed_after_staging(void **state)
{
	struct world *world = *state;
	struct mr_desired desired = full();
	mr_str edited;

	assert_int_equal(world_plan(world, &desired), 0);
	assert_int_equal(world_stage(world), 0);
	edited = mr_str_printf(
	        &world->arena, "%.*s# by hand\n", MR_FMT(world_read(world, "main.cf")));
	world_write(world, "main.cf", edited);
	assert_int_equal(world_apply(world, false), MR_E_CONFLICT);
	assert_true(mr_str_eq(world_read(world, "main.cf"), edited));
}

static void a_new_user_is_known_at_once__without_a_reload(void **state)
{
	struct mr_user more[N_OF(users) + 1] = {0};
	struct world *world = *state;
	struct mr_desired desired = full();
	struct mr_postfix_smtp smtp;

	world_converge(world, &desired);
	more[0] = (struct mr_user){USER("aaron", "a.example")};
	memcpy(more + 1, users, sizeof users);
	desired.users = more;
	desired.n_users = N_OF(more);
	assert_int_equal(mr_postfix_smtp_open(&smtp, "127.0.0.1", world->port, 8000), 220);
	assert_int_equal(mr_postfix_smtp_command(&smtp, "EHLO localhost"), 250);
	assert_int_equal(mr_postfix_smtp_command(&smtp, "MAIL FROM:<>"), 250);
	assert_int_equal(mr_postfix_smtp_command(&smtp, "RCPT TO:<aaron@a.example>"), 550);
	assert_int_equal(world_plan(world, &desired), 0);
	assert_int_equal(world->changes.list.n, 3); /* mailbox, the alias domain's row, sender */
	assert_int_equal(world_stage(world), 0);
	assert_int_equal(
	        mr_provider_postfix.activation(world->backend, world_list(world, false), 3),
	        MR_ACTIVATE_NOTHING);
	assert_int_equal(world_apply(world, false), 0);
	assert_int_equal(mr_postfix_smtp_command(&smtp, "RCPT TO:<aaron@a.example>"), 250);
	assert_int_equal(world_apply(world, true), 0);
	assert_int_equal(mr_postfix_smtp_command(&smtp, "RCPT TO:<aaron@a.example>"), 550);
	mr_postfix_smtp_close(&smtp);
}

static void a_missing_table_is_no_empty_one(void **state)
{
	struct world *world = *state;
	struct mr_desired desired = full();

	world_converge(world, &desired);
	assert_int_equal(mr_file_remove(&world->diags,
	                         mr_str_printf(&world->arena,
	                                 "%s/mailreeve/gen-1/virtual_alias_maps.lmdb", world->etc)
	                                 .data),
	        0);
	assert_int_equal(world_plan(world, &desired), MR_E_UNREADABLE);
	assert_true(world_says(world, "virtual_alias_maps"));
}

static void an_ordered_table_is_used__by_the_parameter_that_names_it(void **state)
{
	static const struct mr_table tables[] = {
	        {.name = MR_STR_INIT("rcpt"), .type = MR_STR_INIT("pcre"), .is_ordered = true}};
	static const struct mr_table_row rows[] = {
	        {.key = MR_STR_INIT("/^bad guy@/"), .value = MR_STR_INIT("REJECT"), .ordinal = 0},
	        {.key = MR_STR_INIT("/^alice@/"),
	                .value = MR_STR_INIT("DEFER busy"),
	                .ordinal = 1}};
	static const struct mr_table_row broken[] = {
	        {.key = MR_STR_INIT("/^(bad/"), .value = MR_STR_INIT("REJECT"), .ordinal = 0}};
	static const struct mr_parameter parameters[] = {
	        {.name = MR_STR_INIT("smtpd_recipient_restrictions"),
	                .value = MR_STR_INIT("check_recipient_access ${mailreeve}/rcpt")}};
	struct world *world = *state;
	struct mr_desired desired = full();

	desired.tables = tables;
	desired.n_tables = 1;
	desired.rows = rows;
	desired.n_rows = 2;
	desired.parameters = parameters;
	desired.n_parameters = 1;
	world_converge(world, &desired);
	assert_int_equal(world_rcpt(world, "alice@a.example"), 450);
	assert_int_equal(world_rcpt(world, "bob@a.example"), 250);
	desired.rows = broken;
	desired.n_rows = 1;
	assert_int_equal(world_plan(world, &desired), 0);
	assert_int_equal(world_stage(world), MR_E_REJECTED);
}

static void a_throttled_service_answers_again__after_an_undo(void **state)
{
	struct world *world = *state;
	struct mr_desired nothing = {0};
	struct mr_postfix_smtp smtp;
	mr_str good = world_read(world, "main.cf");

	assert_int_equal(world_plan(world, &nothing), 0);
	world_write(world, "main.cf",
	        mr_str_printf(&world->arena, "%.*ssmtpd_hard_error_limit = abc\n", MR_FMT(good)));
	assert_int_equal(world_postfix(world, "reload"), 0);
	assert_int_not_equal(mr_postfix_smtp_open(&smtp, "127.0.0.1", world->port, 2500), 220);
	mr_postfix_smtp_close(&smtp);
	assert_int_not_equal(mr_provider_postfix.probe(world->backend), 0);
	world_write(world, "main.cf", good);
	assert_int_equal(
	        mr_provider_postfix.activate(world->backend, NULL, 0, MR_ACTIVATE_RELOAD, true), 0);
	assert_int_equal(mr_provider_postfix.probe(world->backend), 0);
	assert_int_equal(world_rcpt(world, "someone@else.example"), 554);
}

static void a_reload_that_breaks_the_server_is_an_error__whatever_its_exit_status(void **state)
{
	struct world *world = *state;
	struct mr_desired nothing = {0};

	assert_int_equal(world_plan(world, &nothing), 0);
	world_write(world, "main.cf",
	        mr_str_printf(&world->arena, "%.*ssmtpd_hard_error_limit = abc\n",
	                MR_FMT(world_read(world, "main.cf"))));
	assert_int_equal(
	        mr_provider_postfix.activate(world->backend, NULL, 0, MR_ACTIVATE_RELOAD, false),
	        MR_E_FAILED);
}

static void what_does_not_run_is_not_started(void **state)
{
	struct world *world = *state;
	struct mr_desired nothing = {0};

	assert_int_equal(world_plan(world, &nothing), 0);
	assert_int_equal(
	        mr_provider_postfix.activate(world->backend, NULL, 0, MR_ACTIVATE_RESTART, false),
	        0);
	assert_int_equal(mr_provider_postfix.probe(world->backend), MR_E_FAILED);
	assert_true(world_says(world, "not running"));
}

#define ON_FILES(test)   cmocka_unit_test_setup_teardown(test, world_up, world_down)
#define ON_POSTFIX(test) cmocka_unit_test_setup_teardown(test, world_up_running, world_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        ON_POSTFIX(every_address_is_answered_as_declared__after_the_first_apply),
	        ON_POSTFIX(rows_say_who_gets_the_mail__for_forwards_catch_alls_and_log_ins),
	        ON_POSTFIX(main_cf_is_back_byte_for_byte__after_an_undo),
	        ON_POSTFIX(only_our_parameters_go_back__when_others_edited_main_cf_meanwhile),
	        ON_POSTFIX(nothing_is_touched__when_main_cf_changed_after_staging),
	        ON_POSTFIX(a_new_user_is_known_at_once__without_a_reload),
	        ON_POSTFIX(a_missing_table_is_no_empty_one),
	        ON_POSTFIX(a_throttled_service_answers_again__after_an_undo),
	        ON_POSTFIX(a_reload_that_breaks_the_server_is_an_error__whatever_its_exit_status),
	        ON_FILES(what_does_not_run_is_not_started),
	        ON_POSTFIX(an_ordered_table_is_used__by_the_parameter_that_names_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
