/*
 * Tests of whole transactions: done, refused, failing and killed at every point.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "rig.h"
#include "source/compile.h"

static const char old_boxes[] = "ann\t1\told\nbob\t2\t\n";
static const char new_boxes[] = "ann\t9\told\ncid\t3\t\n";
static const char old_maps[] = "x\t1\t\n";
static const char new_maps[] = "x\t2\t\ny\t3\t\n";
static const char old_tree[] = "cn=a,dc=example\t1\tby hand\ncn=late,dc=example\t7\t\n";
static const char new_tree[] = "cn=a,dc=example\t2\tby hand\ncn=n,dc=example\t5\t\n";

/* Every point between the first look and the last row, in order. */
static const char *const points[] = {"S0", "S1", "S1:server", "S2", "S3", "S3:wave", "S4",
        "S4:batch", "S5", "S5:server", "S6", "S8", "S8:rows", "S8:decided", "S9", "S9:batch"};
enum { N_POINTS = sizeof points / sizeof *points, N_UNDONE = 13, PASSINGS = 8 };

static void make_old(struct rig *rig)
{
	const char *const parts[] = {"live", "force"};

	for (size_t i = 0; i < 2; i++) {
		rig_write(rig, parts[i], "boxes", old_boxes);
		rig_write(rig, parts[i], "maps", old_maps);
		rig_write(rig, parts[i], "tree", old_tree);
	}
	rig_write(rig, "desired", "boxes", new_boxes);
	rig_write(rig, "desired", "maps", new_maps);
	rig_write(rig, "desired", "tree", "cn=a,dc=example\t2\t\ncn=n,dc=example\t5\t\n");
}

static void expect_old(struct rig *rig)
{
	rig_expect(rig, "live", "tree", old_tree);
	rig_expect(rig, "live", "boxes", old_boxes);
	rig_expect(rig, "live", "maps", old_maps);
	rig_expect(rig, "force", "boxes", old_boxes);
	rig_expect(rig, "force", "maps", old_maps);
}

static void expect_new(struct rig *rig)
{
	rig_expect(rig, "live", "tree", new_tree);
	rig_expect(rig, "live", "boxes", new_boxes);
	rig_expect(rig, "live", "maps", new_maps);
	rig_expect(rig, "force", "boxes", new_boxes);
	rig_expect(rig, "force", "maps", new_maps);
}

static bool is_old(struct rig *rig)
{
	bool is_old_now = false;
	struct mr_applied applied = {0};

	rig_open(rig);
	assert_int_equal(mr_state_applied(rig->state, &rig->arena, &applied), 0);
	is_old_now = applied.run == 0;
	rig_close(rig);
	return is_old_now;
}

struct attempt {
	struct rig *rig;
	struct mr_desired *desired;
	struct mr_plan *plan;
};

static struct attempt plan(struct rig *rig)
{
	struct attempt attempt = {.rig = rig};
	const struct mr_strs none = {0};

	rig_open(rig);
	assert_int_equal(mr_desired_open_empty(&rig->diags, &attempt.desired), 0);
	const struct mr_plan_input input = {.diags = &rig->diags,
	        .host = &rig->host,
	        .desired = attempt.desired,
	        .state = rig->state,
	        .policy = mr_policy_builtin(),
	        .servers = rig->servers,
	        .n_servers = 2,
	        .ref = MR_STR("main"),
	        .commit = MR_STR("c0ffee"),
	        .tree = MR_STR("7ree"),
	        .allow = &none,
	        .heals_drift = true,
	        .version = "test"};
	assert_int_equal(mr_plan_make(&input, &attempt.plan), 0);
	return attempt;
}

static void attempt_done(struct attempt *attempt)
{
	mr_plan_free(attempt->plan);
	mr_desired_close(attempt->desired);
	rig_close(attempt->rig);
}

static int carry_out(struct attempt *attempt)
{
	struct mr_apply_result result;
	const struct mr_apply_input input = {.diags = &attempt->rig->diags,
	        .host = &attempt->rig->host,
	        .state = attempt->rig->state,
	        .plan = attempt->plan,
	        .desired = attempt->desired,
	        .servers = attempt->rig->servers,
	        .n_servers = 2,
	        .verb = MR_STR("apply"),
	        .who = MR_STR("root"),
	        .ref = MR_STR("main"),
	        .commit = MR_STR("c0ffee"),
	        .tree = MR_STR("7ree"),
	        .subject = MR_STR("a test"),
	        .version = "test"};

	mr_diags_clear(&attempt->rig->diags);
	return mr_apply(&input, &result);
}

static int apply(struct rig *rig)
{
	struct attempt attempt = plan(rig);
	int code = carry_out(&attempt);

	attempt_done(&attempt);
	return code;
}

/* The wait status of a process that applies with this set: each has its own count of passings. */
static int apply_in_child(struct rig *rig, const char *variable, const char *point, int passing)
{
	char where[64];
	int status = 0;
	pid_t child;

	(void)snprintf(where, sizeof where, "%s:%d", point, passing);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		assert_int_equal(setenv(variable, where, 1), 0);
		_exit(-apply(rig));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

/* Whether the apply was killed at this passing of the point; else it was carried out. */
static bool crash(struct rig *rig, const char *point, int passing)
{
	int status = apply_in_child(rig, "MAILREEVE_CRASH_AT", point, passing);

	if (WIFEXITED(status))
		assert_int_equal(WEXITSTATUS(status), 0);
	return WIFSIGNALED(status);
}

static bool is_quarantined(struct rig *rig)
{
	mr_str why;

	rig_open(rig);
	bool found = mr_state_is_quarantined(
	        rig->state, MR_STR("c0ffee"), MR_STR(""), &rig->arena, &why);
	rig_close(rig);
	return found;
}

static void live_becomes_what_is_desired__and_then_there_is_nothing_to_do(void **state)
{
	struct rig *rig = *state;
	uint64_t n = 0;

	make_old(rig);
	assert_int_equal(apply(rig), 0);
	expect_new(rig);
	assert_string_equal(rig_last_result(rig), "applied");

	struct attempt again = plan(rig);
	assert_true(mr_plan_is_empty(again.plan));
	assert_int_equal(mr_plan_adoptions(again.plan)->list.n, 0);
	assert_int_equal(mr_state_owned_count(rig->state, MR_STR("boxes"), &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(mr_state_owned_count(rig->state, MR_STR("tree"), &n), 0);
	assert_int_equal(n, 2);
	rig_write(rig, ".", "down", ""); /* nothing to do needs no server */
	assert_int_equal(carry_out(&again), 0);
	rig_remove(rig, ".", "down");
	attempt_done(&again);
	expect_new(rig);
}

static void a_failure_at_any_point_before_the_decision_is_taken_back(void **state)
{
	struct rig *rig = *state;

	for (size_t i = 0; i < N_UNDONE; i++) {
		for (int passing = 1; passing <= PASSINGS; passing++) {
			make_old(rig);
			int status = apply_in_child(rig, "MAILREEVE_FAIL_AT", points[i], passing);
			assert_true(WIFEXITED(status));
			if (passing > 1 && WEXITSTATUS(status) == 0)
				break;
			/* before anything was staged the error is handed on as it is */
			assert_int_equal(
			        -WEXITSTATUS(status), i == 0 ? MR_E_FAILED : MR_E_ROLLED_BACK);
			expect_old(rig);
			assert_true(is_old(rig));
		}
		rig_recreate(&rig);
		*state = rig;
	}
}

static void killed_at_any_point_it_ends_exactly_old_or_exactly_new(void **state)
{
	struct rig *rig = *state;
	size_t n_kills = 0, n_old = 0;

	for (size_t i = 0; i < N_POINTS; i++) {
		for (int passing = 1; passing <= PASSINGS; passing++) {
			bool was_open = false;
			rig_recreate(&rig);
			*state = rig;
			make_old(rig);
			bool is_killed = crash(rig, points[i], passing);
			assert_int_equal(rig_recover(rig, &was_open), 0);
			if (is_killed && is_old(rig)) {
				expect_old(rig);
				n_old++;
				assert_int_equal(apply(rig), 0);
			}
			expect_new(rig);
			if (!is_killed)
				break;
			n_kills++;
		}
	}
	assert_true(n_kills >= N_POINTS);
	assert_true(n_old >= N_UNDONE);
	assert_true(n_old < n_kills);
}

static void killed_while_it_takes_back_it_is_taken_back_all_the_same(void **state)
{
	struct rig *rig = *state;
	const char *const again[] = {
	        "recover:batch:1", "recover:batch:3", "recover:batch:4", "recover:close"};

	make_old(rig);
	assert_true(crash(rig, "S6", 1));
	for (size_t i = 0; i < sizeof again / sizeof *again; i++) {
		int status = 0;
		bool was_open;
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			assert_int_equal(setenv("MAILREEVE_CRASH_AT", again[i], 1), 0);
			_exit(-rig_recover(rig, &was_open));
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
	}
	bool was_open = false;
	assert_int_equal(rig_recover(rig, &was_open), 0);
	assert_true(was_open);
	expect_old(rig);
}

static void what_the_checker_refuses_touches_nothing__and_is_not_tried_again(void **state)
{
	struct rig *rig = *state;

	make_old(rig);
	rig_write(rig, "desired", "maps", "x\trefused\t\n");
	assert_int_equal(apply(rig), MR_E_ROLLED_BACK);
	assert_true(rig_said(rig, "the checker does not like 'x'"));
	assert_string_equal(rig_last_result(rig), "refused");
	expect_old(rig);
	assert_true(is_quarantined(rig));
}

static void what_breaks_the_daemon_is_taken_back(void **state)
{
	struct rig *rig = *state;

	make_old(rig);
	rig_write(rig, "desired", "maps", "x\tpoison\t\n");
	assert_int_equal(apply(rig), MR_E_ROLLED_BACK);
	assert_true(rig_said(rig, "does not run"));
	assert_string_equal(rig_last_result(rig), "rolled_back");
	expect_old(rig);
	assert_true(is_quarantined(rig));
}

static void a_fault_that_was_there_before_does_not_block(void **state)
{
	struct rig *rig = *state;

	make_old(rig);
	rig_write(rig, "force", "maps", "z\tpoison\t\n");
	rig_write(rig, "desired", "maps", old_maps); /* no change that would activate maps */
	rig_write(rig, "live", "maps", old_maps);
	assert_int_equal(apply(rig), 0);
	assert_int_equal(rig->diags.n_errors, 0);
	assert_true(rig_said(rig, "does not run"));
	rig_expect(rig, "live", "boxes", new_boxes);
}

static void a_foreign_edit_after_the_plan_stops_it__and_is_named(void **state)
{
	struct rig *rig = *state;

	make_old(rig);
	struct attempt attempt = plan(rig);
	rig_write(rig, "live", "boxes", "ann\tedited\told\nbob\t2\t\n");
	assert_int_equal(carry_out(&attempt), MR_E_STALE);
	attempt_done(&attempt);
	assert_true(rig_said(rig, "'ann'"));
	assert_true(rig_said(rig, "'value'"));
	assert_false(rig_said(rig, "edited"));
	assert_string_equal(rig_last_result(rig), "refused");
	rig_expect(rig, "live", "boxes", "ann\tedited\told\nbob\t2\t\n");
	rig_expect(rig, "live", "tree", old_tree);
}

static void an_edit_of_what_the_plan_leaves_alone_does_not_count(void **state)
{
	struct rig *rig = *state;

	make_old(rig);
	struct attempt attempt = plan(rig);
	rig_write(rig, "live", "tree", "cn=a,dc=example\t1\tedited\ncn=late,dc=example\t7\t\n");
	assert_int_equal(carry_out(&attempt), 0);
	attempt_done(&attempt);
	rig_expect(rig, "live", "tree", "cn=a,dc=example\t2\tedited\ncn=n,dc=example\t5\t\n");
}

static void a_server_that_is_gone_before_the_first_write_changes_nothing(void **state)
{
	struct rig *rig = *state;

	make_old(rig);
	struct attempt attempt = plan(rig);
	rig_write(rig, ".", "down", "");
	assert_int_equal(carry_out(&attempt), MR_E_UNREADABLE);
	attempt_done(&attempt);
	expect_old(rig);
}

int main(void)
{
#define FAULT_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
	        FAULT_TEST(live_becomes_what_is_desired__and_then_there_is_nothing_to_do),
	        FAULT_TEST(a_failure_at_any_point_before_the_decision_is_taken_back),
	        FAULT_TEST(killed_at_any_point_it_ends_exactly_old_or_exactly_new),
	        FAULT_TEST(killed_while_it_takes_back_it_is_taken_back_all_the_same),
	        FAULT_TEST(what_the_checker_refuses_touches_nothing__and_is_not_tried_again),
	        FAULT_TEST(what_breaks_the_daemon_is_taken_back),
	        FAULT_TEST(a_fault_that_was_there_before_does_not_block),
	        FAULT_TEST(a_foreign_edit_after_the_plan_stops_it__and_is_named),
	        FAULT_TEST(an_edit_of_what_the_plan_leaves_alone_does_not_count),
	        FAULT_TEST(a_server_that_is_gone_before_the_first_write_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
