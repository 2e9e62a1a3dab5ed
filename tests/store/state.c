/*
 * The state directory with real SQLite files: ownership, locks, history.
 */
#include "fixture.h"

#include <sqlite3.h>
#include <time.h>

static void a_reader_of_a_fresh_host_sees_nothing_and_makes_nothing(void **arg)
{
	struct fixture *f = *arg;
	struct mr_state *state = reader(f);
	struct mr_applied applied;
	struct mr_record record;
	struct mr_strs names;
	struct mr_cursor cursor;
	struct mr_item item;

	assert_true(mr_state_is_trusted(state));
	assert_null(mr_state_db(state));
	assert_int_equal(count(state), 0);
	assert_int_equal(mr_state_applied(state, &f->arena, &applied), 0);
	assert_int_equal(applied.run, 0);
	assert_int_equal(mr_state_find_record(state, 0, &f->arena, &record), MR_E_NOT_FOUND);
	assert_int_equal(mr_state_owned_collections(state, &f->arena, &names), 0);
	assert_int_equal(names.n, 0);
	assert_int_equal(mr_state_owned(state, MR_STR("x"), &cursor), 0);
	assert_int_equal(mr_cursor_next(&cursor, &item), 0);
	mr_cursor_close(&cursor);
	mr_state_close(state);
	assert_int_equal(access(f->directory, F_OK), -1);
	assert_int_equal(f->diags.list.n, 0);
}

static void files_are_private(void **arg)
{
	struct fixture *f = *arg;
	static const char *const names[] = {"state.db", "seal.key", "cache.db", "lock", "anchor"};
	struct stat status;

	(void)umask(0);
	assert_int_equal(mkdir(f->directory, 0755), 0);
	struct mr_state *state = writer(f);
	apply_run(state, 1, "a");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		assert_int_equal(stat(path(f, names[i]), &status), 0);
		assert_int_equal(status.st_mode & 07777, 0600);
	}
	mr_state_close(state);
	assert_int_equal(stat(f->directory, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	(void)umask(022);
}

static void owned_items_come_back_in_key_order(void **arg)
{
	struct fixture *f = *arg;
	struct mr_state *state = writer(f);
	static const char *const keys[] = {"b", "a\xff", "a"};
	static const char *const sorted[] = {"a", "a\xff", "b"};
	struct mr_cursor cursor;
	struct mr_item item;
	struct mr_strs names;

	assert_int_equal(mr_state_begin(state), 0);
	for (size_t i = 0; i < 3; i++)
		own(state, keys[i], "body", (mr_str){NULL, 0});
	assert_int_equal(mr_state_commit(state), 0);
	mr_state_close(state);
	state = reader(f);
	assert_int_equal(mr_state_owned(state, MR_STR("dovecot.passwd"), &cursor), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(mr_cursor_next(&cursor, &item), 1);
		assert_true(mr_str_is(item.key, sorted[i]));
		assert_true(mr_str_is(item.body, "body"));
		assert_true(mr_str_is(item.object, "user/x"));
	}
	assert_int_equal(mr_cursor_next(&cursor, &item), 0);
	mr_cursor_close(&cursor);
	assert_int_equal(mr_state_owned_collections(state, &f->arena, &names), 0);
	assert_int_equal(names.n, 1);
	assert_true(mr_str_is(names.items[0], "dovecot.passwd"));
	mr_state_close(state);
}

static void the_first_pre_image_is_kept(void **arg)
{
	struct fixture *f = *arg;
	struct mr_state *state = writer(f);
	mr_str image;

	assert_int_equal(mr_state_begin(state), 0);
	own(state, "there", "1", MR_STR("old"));
	own(state, "there", "2", MR_STR("1"));
	own(state, "absent", "1", (mr_str){NULL, 0});
	own(state, "absent", "2", MR_STR("1"));
	assert_int_equal(mr_state_commit(state), 0);
	assert_true(mr_state_pre_image(
	        state, MR_STR("dovecot.passwd"), MR_STR("there"), &f->arena, &image));
	assert_true(mr_str_is(image, "old"));
	assert_true(mr_state_pre_image(
	        state, MR_STR("dovecot.passwd"), MR_STR("absent"), &f->arena, &image));
	assert_null(image.data);
	assert_false(mr_state_pre_image(
	        state, MR_STR("dovecot.passwd"), MR_STR("other"), &f->arena, &image));
	assert_int_equal(mr_state_begin(state), 0);
	assert_int_equal(mr_state_disown(state, MR_STR("dovecot.passwd"), MR_STR("there")), 0);
	assert_int_equal(mr_state_commit(state), 0);
	assert_int_equal(count(state), 1);
	mr_state_close(state);
}

static void nothing_stays__when_aborted(void **arg)
{
	struct fixture *f = *arg;
	struct mr_state *state = writer(f);

	assert_int_equal(mr_state_begin(state), 0);
	own(state, "a", "body", MR_STR(""));
	mr_state_abort(state);
	assert_int_equal(count(state), 0);
	assert_int_equal(mr_state_begin(state), 0);
	own(state, "b", "body", MR_STR("")); /* its collection went with the abort */
	assert_int_equal(mr_state_commit(state), 0);
	assert_int_equal(count(state), 1);
	mr_state_close(state);
}

static void a_second_writer_is_told_who_holds_the_lock(void **arg)
{
	struct fixture *f = *arg;
	struct mr_state *state = writer(f);
	struct mr_state *second = NULL;
	const char *text;

	assert_int_equal(open_as(f, true, &second), MR_E_BUSY);
	assert_int_equal(f->diags.n_errors, 1);
	text = f->diags.list.items[0].text.data;
	assert_non_null(strstr(text, "'test'"));
	assert_non_null(strstr(text, mr_str_printf(&f->arena, "process %d", (int)getpid()).data));
	mr_state_close(reader(f)); /* readers do not wait */
	mr_state_close(state);
	mr_state_close(writer(f));
}

/* Another process in the middle of a commit, for a moment. */
static void hold_for_a_moment(const char *file, int ready)
{
	const struct timespec moment = {.tv_nsec = 400 * 1000 * 1000};
	sqlite3 *db = NULL;

	if (sqlite3_open(file, &db) != SQLITE_OK ||
	        sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL) != SQLITE_OK)
		_exit(1);
	(void)!write(ready, "x", 1);
	(void)nanosleep(&moment, NULL);
	_exit(sqlite3_close(db) == SQLITE_OK ? 0 : 1);
}

static void a_reader_waits_for_a_commit(void **arg)
{
	struct fixture *f = *arg;
	int ends[2], status;
	char byte;

	mr_state_close(writer(f));
	assert_int_equal(pipe(ends), 0);
	const char *file = path(f, "state.db");
	pid_t pid = fork();
	if (pid == 0)
		hold_for_a_moment(file, ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	struct mr_state *state = reader(f);
	assert_int_equal(count(state), 0);
	mr_state_close(state);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void the_lock_dies_with_its_holder(void **arg)
{
	struct fixture *f = *arg;
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		struct mr_state *state = writer(f);

		assert_int_equal(mr_state_begin(state), 0);
		own(state, "half", "done", MR_STR(""));
		(void)!write(ends[1], "x", 1);
		(void)pause();
		_exit(1);
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	struct mr_state *state = writer(f);
	assert_int_equal(count(state), 0);
	mr_state_close(state);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void applied_state_comes_back(void **arg)
{
	struct fixture *f = *arg;
	struct mr_state *state = writer(f);
	struct mr_applied applied;

	apply_run(state, 7, "a");
	mr_state_close(state);
	state = reader(f);
	assert_int_equal(mr_state_applied(state, &f->arena, &applied), 0);
	assert_int_equal(applied.run, 7);
	assert_true(mr_str_is(applied.commit, "c0ffee"));
	assert_true(mr_str_is(applied.policy_json, "{}"));
	assert_true(mr_state_is_trusted(state));
	mr_state_close(state);
}

static void history_is_kept_newest_first(void **arg)
{
	struct fixture *f = *arg;
	struct mr_state *state = writer(f);
	struct mr_record record = {.verb = MR_STR("apply"),
	        .result = MR_STR("applied"),
	        .plan_json = MR_STR("{\"a\":1}"),
	        .exit_status = 0,
	        .started = 10,
	        .ended = 20};
	struct mr_record *list;
	int64_t first, second, third;
	mr_str plan = {0};
	size_t n;

	assert_int_equal(mr_state_record(state, &record, &first), 0);
	record.result = MR_STR("rolled_back");
	record.exit_status = 5;
	assert_int_equal(mr_state_record(state, &record, &second), 0);
	record.result = MR_STR("failed");
	assert_int_equal(mr_state_record(state, &record, &third), 0);
	assert_true(first < second && second < third);
	assert_int_equal(mr_state_records(state, 2, &f->arena, &list, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(list[0].id, third);
	assert_int_equal(list[1].exit_status, 5);
	assert_int_equal(mr_state_record_before(state, third, &f->arena, &record), 0);
	assert_int_equal(record.id, first);
	assert_int_equal(record.plan_json.size, 0);
	assert_int_equal(mr_state_record_plan(state, first, &f->arena, &plan), 0);
	assert_true(mr_str_is(plan, "{\"a\":1}"));
	assert_int_equal(mr_state_record_plan(state, third + 1, &f->arena, &plan), MR_E_NOT_FOUND);
	assert_int_equal(mr_state_record_before(state, first, &f->arena, &record), MR_E_NOT_FOUND);
	record.id = third;
	record.result = MR_STR("recovered");
	assert_int_equal(mr_state_record(state, &record, NULL), 0);
	assert_int_equal(mr_state_find_record(state, 0, &f->arena, &record), 0);
	assert_int_equal(record.id, third);
	assert_true(mr_str_is(record.result, "recovered"));
	mr_state_close(state);
}

static void a_quarantined_commit_is_known_by_itself_and_by_its_effects(void **arg)
{
	struct fixture *f = *arg;
	struct mr_state *state = writer(f);
	mr_str why;

	assert_int_equal(
	        mr_state_quarantine(state, MR_STR("c1"), MR_STR("e1"), MR_STR("probe failed")), 0);
	assert_int_equal(
	        mr_state_quarantine(state, MR_STR("c2"), MR_STR(""), MR_STR("by hand")), 0);
	assert_true(mr_state_is_quarantined(state, MR_STR("c1"), MR_STR("other"), &f->arena, &why));
	assert_true(mr_str_is(why, "probe failed"));
	assert_true(mr_state_is_quarantined(state, MR_STR("c9"), MR_STR("e1"), &f->arena, &why));
	assert_false(mr_state_is_quarantined(state, MR_STR("c9"), MR_STR(""), &f->arena, &why));
	mr_state_close(state);
}

static void the_seal_key_stays(void **arg)
{
	struct fixture *f = *arg;
	struct mr_state *state = writer(f);
	uint8_t key[32];

	memcpy(key, mr_state_seal_key(state), 32);
	mr_state_close(state);
	state = reader(f);
	assert_memory_equal(key, mr_state_seal_key(state), 32);
	mr_state_close(state);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(a_reader_of_a_fresh_host_sees_nothing_and_makes_nothing),
	        TEST(files_are_private),
	        TEST(owned_items_come_back_in_key_order),
	        TEST(the_first_pre_image_is_kept),
	        TEST(nothing_stays__when_aborted),
	        TEST(a_second_writer_is_told_who_holds_the_lock),
	        TEST(a_reader_waits_for_a_commit),
	        TEST(the_lock_dies_with_its_holder),
	        TEST(applied_state_comes_back),
	        TEST(history_is_kept_newest_first),
	        TEST(a_quarantined_commit_is_known_by_itself_and_by_its_effects),
	        TEST(the_seal_key_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
