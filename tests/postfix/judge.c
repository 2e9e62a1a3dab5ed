/*
 * Judging before anything is touched: declarations by what the host's Postfix knows, staged files
 * by a twin.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "postfix/backend.h"
#include "world.h"

/* Stages one parameter that the judge of declarations has not seen. */
static int stage_parameter(struct world *world, const char *name, const char *value)
{
	struct mr_collection in = {.name = MR_STR("postfix.main"), .rank = MR_RANK_MAIN};
	struct mr_desired nothing = {0};
	struct mr_attrs_builder body;
	struct mr_change change = {.in = &in, .key = mr_str_from(name)};
	const struct mr_change *list[] = {&change};
	const struct mr_maincf_entry *live;
	int code;

	assert_int_equal(world_plan(world, &nothing), 0);
	live = mr_maincf_find(&world->backend->main, change.key);
	mr_attrs_builder_init(&body);
	if (live) {
		mr_attrs_add(&body, MR_STR("value"), 0, live->value);
		change.before = mr_str_copy(&world->arena, mr_attrs_finish(&body));
		mr_attrs_builder_clear(&body);
	}
	mr_attrs_add(&body, MR_STR("value"), 0, mr_str_from(value));
	change.after = mr_attrs_finish(&body);
	code = mr_provider_postfix.stage(world->backend, list, 1, world->work);
	mr_attrs_builder_done(&body);
	assert_int_equal(mr_provider_postfix.finish(world->backend, world->work, false), 0);
	return code;
}

static void a_value_that_only_a_running_server_refuses_is_caught__before_anything_is_touched(
        void **state)
{
	static const struct {
		const char *name, *value, *said;
	} cases[] = {
	        {"smtpd_hard_error_limit", "abc", "bad numerical configuration"},
	        {"maximal_queue_lifetime", "5x", "bad time value or unit"},
	        {"mynetworks", "0.0.0.0/0", "open relay"},
	        {"smtpd_client_restrictions", "no_such_restriction", "no_such_restriction"},
	        {"relayhost", "$no_such_parameter", "undefined parameter"},
	        {"virtual_alias_maps", "hash:/nowhere/at/all", "/nowhere/at/all"},
	};
	struct world *world = *state;
	mr_str before = world_read(world, "main.cf");
	struct stat status;

	for (size_t i = 0; i < N_OF(cases); i++) {
		int code = stage_parameter(world, cases[i].name, cases[i].value);

		if (code != MR_E_REJECTED || !world_says(world, cases[i].said)) {
			world_print(world);
			fail_msg("%s = %s: %d", cases[i].name, cases[i].value, code);
		}
	}
	assert_int_equal(stage_parameter(world, "smtpd_hard_error_limit", "30"), 0);
	assert_true(mr_str_eq(world_read(world, "main.cf"), before));
	assert_int_not_equal(
	        stat(mr_str_printf(&world->arena, "%s/mailreeve/twin", world->etc).data, &status),
	        0);
	assert_int_equal(world_rcpt(world, "someone@else.example"), 554);
}

/* As one does against clients that do not wait for the greeting. */
static void a_server_that_lets_clients_wait_is_waited_for(void **state)
{
	struct world *world = *state;

	world_write(world, "main.cf",
	        mr_str_printf(&world->arena, "%.*ssmtpd_delay_reject = no\n",
	                MR_FMT(world_read(world, "main.cf"))));
	assert_int_equal(stage_parameter(world, "smtpd_client_restrictions", "sleep 7"), 0);
}

static void a_fault_of_old_does_not_block__what_is_declared_now(void **state)
{
	struct world *world = *state;

	world_write(world, "main.cf",
	        mr_str_printf(&world->arena, "%.*srelayhost = $gone\nno_such_thing = 1\n",
	                MR_FMT(world_read(world, "main.cf"))));
	assert_int_equal(stage_parameter(world, "smtpd_hard_error_limit", "30"), 0);
}

static const struct {
	const char *name, *value, *rule, *hint;
} refused[] = {
        {"smtpd_bannner", "x", "MR-PARAMETER-UNKNOWN", "smtpd_banner"},
        {"smtpd_hard_error_limit", "abc", "MR-PARAMETER-VALUE", "a number"},
        {"smtpd_helo_required", "true", "MR-PARAMETER-VALUE", "yes no"},
        {"maximal_queue_lifetime", "5x", "MR-PARAMETER-VALUE", "5m"},
        {"smtpd_tls_security_level", "mayy", "MR-PARAMETER-VALUE", "may"},
        {"relayhost", "$my_relay", "MR-PARAMETER-REFERENCE", "my_relay"},
        {"smtpd_client_restrictions", "permit_mynetwork, reject", "MR-PARAMETER-RESTRICTION",
                "permit_mynetworks"},
        {"smtpd_client_restrictions", "check_client_access", "MR-PARAMETER-RESTRICTION",
                "argument"},
        {"header_checks", "nosuch:/etc/x", "MR-TABLE-TYPE", "nosuch"},
        {"mailreeve", "/x", "MR-PARAMETER-WIRED", "mailreeve"},
        {"queue_directory", "/x", "MR-PARAMETER-FIXED", "queue_directory"},
};
static const struct {
	const char *name, *value;
} good[] = {
        {"message_size_limit", "50M"},
        {"smtpd_helo_required", "yes"},
        {"maximal_queue_lifetime", "5d"},
        {"smtpd_banner", "$myhostname ESMTP $$1"},
        {"relay_destination_concurrency_limit", "5"},
        {"smtpd_client_restrictions",
                "check_client_access cidr:/etc/x, reject_rbl_client z.example, reject"},
        {"smtpd_relay_restrictions", "permit_mynetworks, reject_unauth_destination"},
        {"header_checks", "pcre:/etc/x"},
        {"virtual_transport", "lmtp:unix:private/x"},
        {"compatibility_level", "3.6"},
        {"inet_protocols", "ipv4, ipv6"},
};

static void a_declaration_is_refused_at_its_place__when_postfix_would_pass_over_it(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < N_OF(refused); i++) {
		struct mr_parameter parameter = {.name = mr_str_from(refused[i].name),
		        .value = mr_str_from(refused[i].value),
		        .loc = {MR_STR("x.yaml"), 3, 7}};
		struct mr_desired desired = {.parameters = &parameter, .n_parameters = 1};

		if (world_plan(world, &desired) != MR_E_INVALID ||
		        !world_says(world, refused[i].rule) ||
		        !world_says(world, refused[i].hint) || !world_says(world, "x.yaml:3:7")) {
			world_print(world);
			fail_msg("%s = %s is not refused by %s", refused[i].name, refused[i].value,
			        refused[i].rule);
		}
	}
	for (size_t i = 0; i < N_OF(good); i++) {
		struct mr_parameter parameter = {
		        .name = mr_str_from(good[i].name), .value = mr_str_from(good[i].value)};
		struct mr_desired desired = {.parameters = &parameter, .n_parameters = 1};

		if (world_plan(world, &desired)) {
			world_print(world);
			fail_msg("%s = %s is refused", good[i].name, good[i].value);
		}
	}
}

static void a_size_is_written_in_bytes__where_postfix_counts_them(void **state)
{
	static const struct mr_parameter parameter = {
	        .name = MR_STR_INIT("message_size_limit"), .value = MR_STR_INIT("50M")};
	struct mr_desired desired = {.parameters = &parameter, .n_parameters = 1};
	struct world *world = *state;

	assert_int_equal(world_plan(world, &desired), 0);
	assert_int_equal(world->changes.list.n, 1);
	assert_true(mr_str_is(
	        mr_attrs_get(world->changes.list.items[0].after, MR_STR("value")), "52428800"));
}

#define ON_POSTFIX(test) cmocka_unit_test_setup_teardown(test, world_up_running, world_down)
#define ON_FILES(test)   cmocka_unit_test_setup_teardown(test, world_up, world_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        ON_POSTFIX(
	                a_value_that_only_a_running_server_refuses_is_caught__before_anything_is_touched),
	        ON_POSTFIX(a_server_that_lets_clients_wait_is_waited_for),
	        ON_POSTFIX(a_fault_of_old_does_not_block__what_is_declared_now),
	        ON_FILES(a_declaration_is_refused_at_its_place__when_postfix_would_pass_over_it),
	        ON_FILES(a_size_is_written_in_bytes__where_postfix_counts_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
