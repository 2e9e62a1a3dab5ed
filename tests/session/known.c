/*
 * What was found in order is not compared again, and nothing that is not in order stays unseen for
 * it: counted by how often each collection is read.
 */
#include "../plan/shelf.h"

#include <time.h>

#include "source/compile.h"

static const char passwd[] = "alice@example.org user/alice@example.org quota=2G state=active\n"
                             "bob@example.org user/bob@example.org quota=2G state=active\n";
static const char tampered[] = "alice@example.org user/alice@example.org quota=9G state=active\n"
                               "bob@example.org user/bob@example.org quota=2G state=active\n";
static const char name[] = "myhostname postfix.parameter/myhostname value=mx1.example.org\n";
static const char other_name[] = "myhostname postfix.parameter/myhostname value=other.example\n";

/* Settings and trees cannot tell, as with the real ones. */
static bool shelf_fingerprint_of(
        struct mr_backend *backend, const struct mr_collection *in, struct mr_fingerprint *print)
{
	mr_hash_add_sized(&print->hash, mr_str_from(shelf_find(backend, in->name)->live));
	return !mr_str_is(in->name, "postfix.main") && !(in->flags & MR_COLLECTION_PARTIAL);
}

static struct mr_provider knowing;

static void open_shelf(struct shelf *shelf)
{
	struct mr_applied applied = {.run = 1, .digest = MR_STR("1")};

	shelf_open(shelf);
	knowing = shelf_provider;
	knowing.fingerprint_of = shelf_fingerprint_of;
	shelf->server.provider = &knowing;
	assert_int_equal(mr_desired_open_empty(&shelf->diags, &shelf->input.desired), 0);
	shelf_board(shelf, "dovecot.passwd")->desired = passwd;
	shelf_board(shelf, "postfix.main")->desired = name;
	shelf_apply(shelf);
	assert_int_equal(mr_state_set_applied(shelf->state, &applied), 0);
}

static void close_shelf(struct shelf *shelf)
{
	mr_desired_close(shelf->input.desired);
	shelf_close(shelf);
}

/* One plan: how often the users were read for it, and how many values have drifted. */
static size_t reads_of(struct shelf *shelf, size_t n_drift)
{
	struct shelf_board *board = shelf_board(shelf, "dovecot.passwd");
	size_t before = board->n_read;
	struct mr_plan *plan = shelf_plan(shelf);
	struct mr_buf summary = MR_BUF_INIT;

	assert_int_equal(mr_plan_drift_count(plan), n_drift);
	mr_plan_summary(plan, &summary);
	if (n_drift == 0)
		assert_non_null(strstr(summary.data, "\"unchanged\":3"));
	mr_buf_done(&summary);
	mr_plan_free(plan);
	return board->n_read - before;
}

static void what_is_in_order_is_read_once(void **state)
{
	struct shelf shelf;

	(void)state;
	open_shelf(&shelf);
	assert_int_equal(reads_of(&shelf, 0), 1);
	assert_int_equal(reads_of(&shelf, 0), 0);
	shelf_board(&shelf, "postfix.main")->live = other_name;
	assert_int_equal(reads_of(&shelf, 1), 0);
	close_shelf(&shelf);
}

static void what_moved_is_read__until_it_is_in_order(void **state)
{
	struct shelf shelf;

	(void)state;
	open_shelf(&shelf);
	assert_int_equal(reads_of(&shelf, 0), 1);
	shelf_board(&shelf, "dovecot.passwd")->live = tampered;
	assert_int_equal(reads_of(&shelf, 1), 1);
	assert_int_equal(reads_of(&shelf, 1), 1);
	shelf_board(&shelf, "postfix.main")->live = other_name;
	assert_int_equal(reads_of(&shelf, 2), 1);
	shelf_board(&shelf, "dovecot.passwd")->live = passwd;
	assert_int_equal(reads_of(&shelf, 1), 0);
	close_shelf(&shelf);
}

static void a_new_run_is_read_after(void **state)
{
	struct mr_applied applied = {.run = 2, .digest = MR_STR("2")};
	struct shelf shelf;

	(void)state;
	open_shelf(&shelf);
	assert_int_equal(reads_of(&shelf, 0), 1);
	assert_int_equal(mr_state_set_applied(shelf.state, &applied), 0);
	assert_int_equal(reads_of(&shelf, 0), 1);
	close_shelf(&shelf);
}

static void a_look_that_sees_no_drift_proves_nothing(void **state)
{
	struct shelf shelf;

	(void)state;
	open_shelf(&shelf);
	shelf_board(&shelf, "dovecot.passwd")->live = tampered;
	shelf.input.follows_drift_mode = true;
	shelf.host.drift_mode_postfix = MR_STR("off");
	struct mr_plan *plan = shelf_plan(&shelf);
	assert_int_equal(mr_plan_drift_count(plan), 0);
	mr_plan_free(plan);
	shelf.host.drift_mode_postfix = MR_STR("report");
	assert_int_equal(reads_of(&shelf, 1), 1);
	close_shelf(&shelf);
}

static void a_part_is_no_proof_of_the_whole(void **state)
{
	struct shelf shelf;

	(void)state;
	open_shelf(&shelf);
	shelf_board(&shelf, "dovecot.passwd")->live = tampered;
	shelf.input.only = MR_STR("user/bob@example.org");
	struct mr_plan *plan = shelf_plan(&shelf);
	assert_int_equal(mr_plan_drift_count(plan), 0);
	mr_plan_free(plan);
	shelf.input.only = (mr_str){0};
	assert_int_equal(reads_of(&shelf, 1), 1);
	close_shelf(&shelf);
}

/* A program that was built a moment ago could be built anew with the same times: nothing is kept
 * under its name yet. */
static int let_settle(void **state)
{
	const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
	struct mr_fingerprint print;

	(void)state;
	for (int i = 0; i < 200; i++) {
		mr_fingerprint_init(&print);
		mr_fingerprint_file(&print, "/proc/self/exe");
		if (mr_fingerprint_is_settled(&print))
			return 0;
		(void)nanosleep(&pause, NULL);
	}
	return 1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_is_in_order_is_read_once),
	        cmocka_unit_test(what_moved_is_read__until_it_is_in_order),
	        cmocka_unit_test(a_new_run_is_read_after),
	        cmocka_unit_test(a_look_that_sees_no_drift_proves_nothing),
	        cmocka_unit_test(a_part_is_no_proof_of_the_whole),
	};

	return cmocka_run_group_tests(tests, let_settle, NULL);
}
