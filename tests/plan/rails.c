/*
 * The rails: what is refused, what its text says, what lifts it and what cannot.
 */
#include "shelf.h"

#include "plan/parts.h"

static const char domain_row[] = "example.org domain/example.org value=OK\n";

/* "u000@… u001@…": n rows of users from number first. */
static char *users(struct mr_arena *arena, unsigned first, unsigned n, const char *attributes)
{
	struct mr_buf text = MR_BUF_INIT;

	for (unsigned i = first; i < first + n; i++)
		mr_buf_printf(
		        &text, "u%03u@example.org user/u%03u@example.org %s\n", i, i, attributes);
	char *result = (char *)(uintptr_t)mr_str_copy(arena, mr_buf_str(&text)).data;
	mr_buf_done(&text);
	return result;
}

static void settle_users(struct shelf *shelf, unsigned n)
{
	shelf_board(shelf, "dovecot.passwd")->desired =
	        users(&shelf->backend.arena, 0, n, "state=active");
	shelf_board(shelf, "postfix.table/virtual_mailbox_domains")->desired = domain_row;
	shelf_apply(shelf);
}

static void closing_users_is_refused__from_the_limit_on(void **state)
{
	static const struct {
		unsigned before, after;
		bool is_passed;
	} cases[] = {
	        {40, 35, true}, {40, 34, false}, {100, 90, true}, {100, 89, false}, {3, 1, true}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct shelf shelf;
		shelf_open(&shelf);
		settle_users(&shelf, cases[i].before);
		shelf_board(&shelf, "dovecot.passwd")->desired =
		        users(&shelf.backend.arena, 0, cases[i].after, "state=active");
		struct mr_plan *plan = shelf_plan(&shelf);
		assert_int_equal(mr_plan_is_refused(plan), !cases[i].is_passed);
		assert_non_null(shelf_rail(plan, "users.close", cases[i].is_passed));
		mr_plan_free(plan);
		shelf_close(&shelf);
	}
}

static void a_refusal_names_the_numbers_and_the_way_out__and_that_way_works(void **state)
{
	mr_str allowed = MR_STR("users.close<=12"), too_few = MR_STR("users.close<=11"),
	       other = MR_STR("ldap.delete<=99");
	const struct {
		mr_str allow;
		bool is_refused;
	} cases[] = {{allowed, false}, {too_few, true}, {other, true},
	        {MR_STR("users.close<=x"), true}, {MR_STR("users.close"), true}};
	struct shelf shelf;

	(void)state;
	shelf_open(&shelf);
	settle_users(&shelf, 40);
	shelf_board(&shelf, "dovecot.passwd")->desired =
	        users(&shelf.backend.arena, 0, 28, "state=active");
	struct mr_plan *plan = shelf_plan(&shelf);
	const struct mr_rail *rail = shelf_rail(plan, "users.close", false);
	assert_non_null(rail);
	assert_int_equal(rail->actual, 12);
	assert_int_equal(rail->total, 40);
	assert_non_null(strstr(rail->text.data, "12 of 40 users"));
	assert_non_null(strstr(rail->text.data, "--allow 'users.close<=12'"));
	mr_plan_free(plan);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		mr_str item = cases[i].allow;
		struct mr_strs allow = {&item, 1};
		shelf.input.allow = &allow;
		plan = shelf_plan(&shelf);
		assert_int_equal(mr_plan_is_refused(plan), cases[i].is_refused);
		mr_plan_free(plan);
	}
	shelf_close(&shelf);
}

static void an_emptied_source_closes_nobody(void **state)
{
	struct shelf shelf;

	(void)state;
	shelf_open(&shelf);
	settle_users(&shelf, 3);
	shelf_board(&shelf, "dovecot.passwd")->desired = "";
	struct mr_plan *plan = shelf_plan(&shelf);
	assert_non_null(shelf_rail(plan, "source.empty", false));
	assert_non_null(shelf_rail(plan, "users.close", true));
	mr_plan_free(plan);
	shelf_board(&shelf, "postfix.table/virtual_mailbox_domains")->desired = "";
	plan = shelf_plan(&shelf);
	assert_int_equal(shelf_rail(plan, "source.empty", false)->actual, 4);
	mr_plan_free(plan);
	shelf_close(&shelf);
}

static void one_lone_user_may_leave__his_domain_stays(void **state)
{
	struct shelf shelf;

	(void)state;
	shelf_open(&shelf);
	settle_users(&shelf, 1);
	shelf_board(&shelf, "dovecot.passwd")->desired = "";
	struct mr_plan *plan = shelf_plan(&shelf);
	assert_false(mr_plan_is_refused(plan));
	mr_plan_free(plan);
	shelf_close(&shelf);
}

static void a_protected_object_is_neither_closed_nor_deleted__whatever_is_allowed(void **state)
{
	mr_str protected[] = {
	        MR_STR("user/u001@example.org"), MR_STR("ldap/OU=Groups, dc=example,dc=org")};
	mr_str all[] = {
	        MR_STR("protect<=99"), MR_STR("users.close<=99"), MR_STR("ldap.delete<=99")};
	struct mr_strs allow = {all, 3};
	struct mr_policy policy = *mr_policy_builtin();
	struct shelf shelf;
	size_t refused = 0, n;

	(void)state;
	policy.protect = (struct mr_strs){protected, 2};
	shelf_open(&shelf);
	shelf_board(&shelf, "ldap/dc=example,dc=org")->desired =
	        "dc=org\001dc=example\001ou=groups\001 ldap/ou=groups,dc=example,dc=org "
	        "ou=groups\n";
	settle_users(&shelf, 3);
	shelf.input.policy = &policy;
	shelf.input.allow = &allow;
	shelf_board(&shelf, "dovecot.passwd")->desired =
	        users(&shelf.backend.arena, 0, 1, "state=active");
	shelf_board(&shelf, "ldap/dc=example,dc=org")->desired = "";
	struct mr_plan *plan = shelf_plan(&shelf);
	const struct mr_rail *rails = mr_plan_rails(plan, &n);
	for (size_t i = 0; i < n; i++) {
		if (rails[i].is_passed)
			continue;
		assert_true(mr_str_is(rails[i].id, "protect"));
		refused++;
	}
	assert_int_equal(refused, 2);
	mr_plan_free(plan);
	shelf_close(&shelf);
}

static void a_table_that_shrinks_is_refused__net_of_what_comes(void **state)
{
	struct shelf shelf;

	(void)state;
	shelf_open(&shelf);
	shelf_board(&shelf, "postfix.table/virtual_alias_maps")->desired =
	        users(&shelf.backend.arena, 0, 50, "value=x@example.net");
	settle_users(&shelf, 2);
	shelf_board(&shelf, "postfix.table/virtual_alias_maps")->desired =
	        users(&shelf.backend.arena, 25, 25, "value=x@example.net");
	struct mr_plan *plan = shelf_plan(&shelf);
	assert_non_null(strstr(
	        shelf_rail(plan, "postfix.table.shrink", false)->text.data, "virtual_alias_maps"));
	mr_plan_free(plan);
	shelf_board(&shelf, "postfix.table/virtual_alias_maps")->desired =
	        users(&shelf.backend.arena, 25, 45, "value=x@example.net");
	plan = shelf_plan(&shelf);
	assert_false(mr_plan_is_refused(plan));
	mr_plan_free(plan);
	shelf_close(&shelf);
}

static void directory_deletes_are_limited__and_of_risk_data(void **state)
{
	struct shelf shelf;
	struct mr_buf text = MR_BUF_INIT;

	(void)state;
	shelf_open(&shelf);
	for (unsigned i = 0; i < 12; i++)
		mr_buf_printf(&text,
		        "dc=org\001dc=example\001cn=%02u\001 ldap/cn=%02u,dc=example,dc=org "
		        "cn=%02u\n",
		        i, i, i);
	shelf_board(&shelf, "ldap/dc=example,dc=org")->desired = text.data;
	shelf_apply(&shelf);
	shelf_board(&shelf, "ldap/dc=example,dc=org")->desired = "";
	struct mr_plan *plan = shelf_plan(&shelf);
	assert_int_equal(shelf_rail(plan, "ldap.delete", false)->actual, 12);
	assert_true(mr_plan_has_class(plan, MR_STR("data")));
	assert_int_equal(mr_plan_changes(plan)->list.items[0].risk, MR_RISK_DATA);
	mr_plan_free(plan);
	shelf_close(&shelf);
	mr_buf_done(&text);
}

static void an_open_relay_is_told__from_the_parameters(void **state)
{
	enum { NETS, STYLE, RELAY, RECIPIENT, DOMAINS };
	static const struct {
		const char *value[MR_RELAY_PARAMETER_COUNT];
		bool is_open;
	} cases[] = {
	        {{NULL}, false},
	        {{[NETS] = "127.0.0.0/8 [::1]/128, 10.0.0.0/8"}, false},
	        {{[NETS] = "127.0.0.0/8, 0.0.0.0/0"}, true},
	        {{[NETS] = "[::]/0"}, true},
	        {{[NETS] = "10.0.0.0/8 0.0.0.0/1"}, true},
	        {{[NETS] = "!0.0.0.0/0, 127.0.0.1"}, false},
	        {{[NETS] = "static:all"}, true},
	        {{[NETS] = "cidr:/etc/postfix/nets"}, false},
	        {{[STYLE] = "class"}, true},
	        {{[STYLE] = "class", [NETS] = "127.0.0.0/8"}, false},
	        {{[STYLE] = "host"}, false},
	        {{[RELAY] = "permit_mynetworks, permit_sasl_authenticated, "
	                    "defer_unauth_destination"},
	                false},
	        {{[RELAY] = "permit_mynetworks, permit"}, true},
	        {{[RELAY] = "permit, reject_unauth_destination"}, true},
	        {{[RELAY] = "permit_mynetworks, warn_if_reject reject_unauth_destination"}, true},
	        {{[RELAY] = ""}, true},
	        {{[RELAY] = "", [RECIPIENT] = "permit_mynetworks, reject_unauth_destination"},
	                false},
	        {{[RELAY] = "permit", [RECIPIENT] = "permit_mynetworks"}, true},
	        {{[RECIPIENT] = "permit"}, false},
	        {{[RELAY] = "$site_restrictions"}, false},
	        {{[DOMAINS] = "$mydestination, example.org, lmdb:${mailreeve}/relay_domains"},
	                false},
	        {{[DOMAINS] = "com"}, true},
	        {{[DOMAINS] = "static:yes"}, true},
	        {{[DOMAINS] = ""}, false},
	};
	struct mr_arena arena = MR_ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct mr_relay_result result = {0};
		for (int at = 0; at < MR_RELAY_PARAMETER_COUNT; at++)
			if (cases[i].value[at])
				result.value[at] = mr_str_from(cases[i].value[at]);
		if (!mr_relay_judge(&arena, &result) == cases[i].is_open)
			print_error("case %zu\n", i);
		assert_int_equal(mr_relay_judge(&arena, &result) != NULL, cases[i].is_open);
	}
	mr_arena_done(&arena);
}

static void a_plan_that_opens_the_relay_is_refused__and_one_that_finds_it_open_is_not(void **state)
{
	struct shelf shelf;

	(void)state;
	shelf_open(&shelf);
	shelf_board(&shelf, "postfix.main")->desired =
	        "mynetworks postfix.parameter/mynetworks value=0.0.0.0/0\n";
	struct mr_plan *plan = shelf_plan(&shelf);
	assert_non_null(strstr(shelf_rail(plan, "open_relay", false)->text.data, "mynetworks"));
	mr_plan_free(plan);
	/* others' own affair: nothing of it is ours, and the plan is about something else */
	shelf_board(&shelf, "postfix.main")->desired =
	        "myhostname postfix.parameter/myhostname value=mx1.example.org\n";
	shelf_board(&shelf, "postfix.main")->live =
	        "mynetworks postfix.parameter/mynetworks value=0.0.0.0/0\n";
	plan = shelf_plan(&shelf);
	assert_non_null(shelf_rail(plan, "open_relay", true));
	mr_plan_free(plan);
	shelf_close(&shelf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(closing_users_is_refused__from_the_limit_on),
	        cmocka_unit_test(a_refusal_names_the_numbers_and_the_way_out__and_that_way_works),
	        cmocka_unit_test(an_emptied_source_closes_nobody),
	        cmocka_unit_test(one_lone_user_may_leave__his_domain_stays),
	        cmocka_unit_test(
	                a_protected_object_is_neither_closed_nor_deleted__whatever_is_allowed),
	        cmocka_unit_test(a_table_that_shrinks_is_refused__net_of_what_comes),
	        cmocka_unit_test(directory_deletes_are_limited__and_of_risk_data),
	        cmocka_unit_test(an_open_relay_is_told__from_the_parameters),
	        cmocka_unit_test(
	                a_plan_that_opens_the_relay_is_refused__and_one_that_finds_it_open_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
