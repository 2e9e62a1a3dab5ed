/*
 * The manager over a bus of our own: what comes of a machine without a bus, of a bus without
 * systemd, of one that says nothing, of one that dies; and of a manager played by this test, whose
 * jobs end as it likes.
 */
#include "manager.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	char address[160];

	strcpy(bench->directory, "/tmp/mr-bus.XXXXXX");
	assert_non_null(mkdtemp(bench->directory));
	assert_int_equal(chmod(bench->directory, 0755), 0);
	snprintf(bench->socket, sizeof bench->socket, "%s/socket", bench->directory);
	snprintf(address, sizeof address, "unix:path=%s", bench->socket);
	assert_int_equal(setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1), 0);
	/* whoever writes to a broker that died must not die of it */
	signal(SIGPIPE, SIG_DFL);
	mr_diags_init(&bench->diags);
	mr_arena_init(&bench->arena);
	bench->began_ms = mr_clock_ms();
	*state = bench;
	return 0;
}

static int set_up_with_broker(void **state)
{
	set_up(state);
	start_broker(*state);
	return 0;
}

static int set_up_with_manager(void **state)
{
	set_up_with_broker(state);
	start_manager(*state);
	return 0;
}

static int set_up_with_newer_manager(void **state)
{
	plays_newer = true;
	return set_up_with_manager(state);
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	char path[160];

	end_process(&bench->manager);
	end_process(&bench->broker);
	snprintf(path, sizeof path, "%s/bus.conf", bench->directory);
	unlink(path);
	unlink(bench->socket);
	rmdir(bench->directory);
	mr_diags_done(&bench->diags);
	mr_arena_done(&bench->arena);
	free(bench);
	plays_newer = false;
	return 0;
}

static bool says(const struct bench *bench, const char *word)
{
	struct mr_buf text = MR_BUF_INIT;
	bool is_said;

	mr_vec_each (diag, &bench->diags.list)
		mr_diag_format(diag, &text);
	mr_buf_add_char(&text, '\0');
	is_said = strstr(text.data, word) != NULL;
	if (!is_said)
		print_message("'%s' is not in: %s\n", word, text.data);
	mr_buf_done(&text);
	return is_said;
}

static int64_t spent_ms(const struct bench *bench)
{
	return mr_clock_ms() - bench->began_ms;
}

static int run(
        struct bench *bench, const char *unit, enum mr_service_verb verb, unsigned timeout_ms)
{
	struct mr_manager *manager = NULL;
	int code = mr_manager_open(&bench->diags, timeout_ms, &manager);

	assert_int_equal(code, 0);
	code = mr_manager_run(manager, unit, verb);
	mr_manager_close(manager);
	return code;
}

/* ---- the tests ------------------------------------------------------------------------------- */

static void it_says_so_at_once__when_there_is_no_bus(void **state)
{
	struct bench *bench = *state;
	struct mr_manager *manager = NULL;

	assert_int_equal(mr_manager_open(&bench->diags, 20000, &manager), MR_E_FAILED);
	assert_null(manager);
	assert_true(says(bench, "cannot reach the system bus"));
	assert_true(says(bench, "direct"));
	assert_true(spent_ms(bench) < 5000);
}

static void the_deadline_holds__when_the_bus_does_not_greet(void **state)
{
	struct bench *bench = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct mr_manager *manager = NULL;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, bench->socket);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(mr_manager_open(&bench->diags, 300, &manager), MR_E_TIMEOUT);
	assert_true(says(bench, "does not greet"));
	assert_true(spent_ms(bench) < 5000);
	close(fd);
}

static void it_says_so_at_once__when_systemd_is_not_on_the_bus(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(run(bench, "dovecot.service", MR_SERVICE_RELOAD, 20000), MR_E_FAILED);
	assert_true(says(bench, "systemd is not on the system bus"));
	assert_true(spent_ms(bench) < 5000);
}

static void a_job_that_ends_well_is_success__among_others_jobs(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(run(bench, "postfix@-.service", MR_SERVICE_RELOAD, 20000), 0);
	assert_int_equal(bench->diags.list.n, 0);
}

static void a_failed_job_names_unit_verb_result_and_state__when_it_ends(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(run(bench, "dovecot.service", MR_SERVICE_RESTART, 20000), MR_E_FAILED);
	assert_true(says(bench, "cannot restart 'dovecot.service': its job ended with 'failed'"));
	assert_true(says(bench, "the unit is failed (failed), its result 'exit-code'"));
	assert_true(says(bench, "journalctl -u dovecot.service"));
}

static void an_assertion_is_told_as_one__when_the_job_ends_so(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(run(bench, "assert.service", MR_SERVICE_START, 20000), MR_E_FAILED);
	assert_true(says(bench, "'assert', an assertion of the unit does not hold"));
}

static void the_deadline_holds__when_a_job_does_not_end(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(run(bench, "slow.service", MR_SERVICE_RELOAD, 400), MR_E_TIMEOUT);
	assert_true(says(bench, "its job did not end within"));
	assert_true(spent_ms(bench) < 5000);
}

static void the_deadline_holds__when_the_manager_is_stopped(void **state)
{
	struct bench *bench = *state;

	kill(bench->manager, SIGSTOP);
	assert_int_equal(run(bench, "slow.service", MR_SERVICE_RELOAD, 400), MR_E_TIMEOUT);
	assert_true(spent_ms(bench) < 5000);
}

static void a_missing_unit_is_an_error_of_its_own__when_it_is_controlled(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(run(bench, "gone.service", MR_SERVICE_START, 20000), MR_E_FAILED);
	assert_true(says(bench, "Unit gone.service not found"));
}

static void it_is_an_error_and_no_signal__when_the_bus_dies(void **state)
{
	struct bench *bench = *state;
	struct mr_manager *manager = NULL;
	struct mr_unit unit;

	assert_int_equal(mr_manager_open(&bench->diags, 3000, &manager), 0);
	end_process(&bench->broker);
	assert_int_equal(
	        mr_manager_look(manager, "dovecot.service", &bench->arena, &unit), MR_E_FAILED);
	assert_int_equal(mr_manager_run(manager, "dovecot.service", MR_SERVICE_START), MR_E_FAILED);
	mr_manager_close(manager);
	assert_true(spent_ms(bench) < 5000);
}

static void the_daemon_is_chosen_not_the_umbrella__for_postfix(void **state)
{
	struct bench *bench = *state;
	struct mr_manager *manager = NULL;
	struct mr_unit unit;

	assert_int_equal(mr_manager_open(&bench->diags, 20000, &manager), 0);
	assert_int_equal(mr_manager_find(manager, MR_SERVED_POSTFIX, &bench->arena, &unit), 0);
	assert_string_equal(unit.name, "postfix@-.service");
	assert_int_equal(unit.main_pid, 42);
	assert_true(mr_str_is(unit.file, "enabled"));
	assert_int_equal(
	        mr_manager_find(manager, MR_SERVED_SLAPD, &bench->arena, &unit), MR_E_NOT_FOUND);
	assert_true(
	        says(bench, "systemd knows no unit for OpenLDAP: 'slapd.service' is not-found"));
	mr_manager_close(manager);
}

static void the_umbrella_s_name_is_chosen__where_it_is_the_daemon(void **state)
{
	struct bench *bench = *state;
	struct mr_manager *manager = NULL;
	struct mr_unit unit;

	assert_int_equal(mr_manager_open(&bench->diags, 20000, &manager), 0);
	assert_int_equal(mr_manager_find(manager, MR_SERVED_POSTFIX, &bench->arena, &unit), 0);
	assert_string_equal(unit.name, "postfix.service");
	mr_manager_close(manager);
}

static void it_is_the_configuration_s_fault__when_systemd_does_not_run_the_machine(void **state)
{
	struct bench *bench = *state;
	int code = mr_service_control(&bench->diags, MR_SERVED_POSTFIX, MR_SERVICE_RELOAD, 20000);

	if (mr_service_is_booted()) {
		assert_int_equal(code, 0); /* it is the bench's manager that was asked */
		return;
	}
	assert_int_equal(code, MR_E_CONFIG);
	assert_true(says(bench, "cannot reload Postfix: systemd does not run this machine"));
	assert_true(says(bench, "set services: {manager: direct}"));
}

/* Every connection that was opened is closed again, whatever came of it. */
static void no_descriptor_is_left__after_failures(void **state)
{
	struct bench *bench = *state;
	int before = dup(0), after;

	close(before);
	(void)run(bench, "slow.service", MR_SERVICE_RELOAD, 50);
	(void)run(bench, "dovecot.service", MR_SERVICE_RELOAD, 20000);
	(void)run(bench, "gone.service", MR_SERVICE_RELOAD, 20000);
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
}

int main(void)
{
#define WITH(test, up) cmocka_unit_test_setup_teardown(test, up, tear_down)
	const struct CMUnitTest tests[] = {
	        WITH(it_says_so_at_once__when_there_is_no_bus, set_up),
	        WITH(the_deadline_holds__when_the_bus_does_not_greet, set_up),
	        WITH(it_says_so_at_once__when_systemd_is_not_on_the_bus, set_up_with_broker),
	        WITH(a_job_that_ends_well_is_success__among_others_jobs, set_up_with_manager),
	        WITH(a_failed_job_names_unit_verb_result_and_state__when_it_ends,
	                set_up_with_manager),
	        WITH(an_assertion_is_told_as_one__when_the_job_ends_so, set_up_with_manager),
	        WITH(the_deadline_holds__when_a_job_does_not_end, set_up_with_manager),
	        WITH(the_deadline_holds__when_the_manager_is_stopped, set_up_with_manager),
	        WITH(a_missing_unit_is_an_error_of_its_own__when_it_is_controlled,
	                set_up_with_manager),
	        WITH(it_is_an_error_and_no_signal__when_the_bus_dies, set_up_with_manager),
	        WITH(the_daemon_is_chosen_not_the_umbrella__for_postfix, set_up_with_manager),
	        WITH(the_umbrella_s_name_is_chosen__where_it_is_the_daemon,
	                set_up_with_newer_manager),
	        WITH(it_is_the_configuration_s_fault__when_systemd_does_not_run_the_machine,
	                set_up_with_manager),
	        WITH(no_descriptor_is_left__after_failures, set_up_with_manager),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
