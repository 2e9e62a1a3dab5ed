/*
 * Promise 7: a damaged, deleted or older state database is not trusted, and not written, until a
 * person says so.
 */
#include "fixture.h"

static void copy_file(const char *from, const char *to)
{
	struct mr_diags diags = {0};
	struct mr_buf content = MR_BUF_INIT;

	assert_int_equal(mr_file_read(&diags, from, 1 << 30, &content), 0);
	assert_int_equal(mr_file_replace(&diags, to, mr_buf_str(&content), NULL), 0);
	mr_buf_done(&content);
	mr_diags_done(&diags);
}

/* Damages the state in one way, and expects distrust, no write, and a cure by trust. */
static void expect_distrust(struct fixture *f, uint64_t owned_then)
{
	struct mr_state_options options = {
	        .directory = f->directory, .is_writer = true, .purpose = "trust"};
	struct mr_state *state = reader(f);

	assert_false(mr_state_is_trusted(state));
	mr_state_close(state);
	state = writer(f);
	assert_false(mr_state_is_trusted(state));
	assert_true(f->diags.n_warnings > 0);
	assert_int_equal(mr_state_begin(state), MR_E_REFUSED);
	assert_int_equal(mr_state_write_anchor(state), MR_E_REFUSED);
	mr_state_close(state);
	state = writer(f);
	assert_false(mr_state_is_trusted(state)); /* looking does not cure */
	mr_state_close(state);
	assert_int_equal(mr_state_trust(&f->diags, &options), 0);
	state = writer(f);
	assert_true(mr_state_is_trusted(state));
	assert_int_equal(count(state), owned_then);
	apply_run(state, 20, "z");
	mr_state_close(state);
}

static void a_deleted_database_is_not_trusted(void **arg)
{
	struct fixture *f = *arg;
	struct mr_state *state = writer(f);

	apply_run(state, 1, "a");
	mr_state_close(state);
	assert_int_equal(unlink(path(f, "state.db")), 0);
	expect_distrust(f, 0);
}

static void an_older_database_is_not_trusted(void **arg)
{
	struct fixture *f = *arg;
	struct mr_state *state = writer(f);

	apply_run(state, 1, "a");
	mr_state_close(state);
	copy_file(path(f, "state.db"), path(f, "copy"));
	state = writer(f);
	apply_run(state, 2, "b");
	mr_state_close(state);
	copy_file(path(f, "copy"), path(f, "state.db"));
	expect_distrust(f, 1);
}

static void another_hosts_database_is_not_trusted(void **arg)
{
	struct fixture *f = *arg;
	struct mr_state *state = writer(f);

	apply_run(state, 1, "a");
	mr_state_close(state);
	assert_int_equal(rename(path(f, "anchor"), path(f, "kept")), 0);
	assert_int_equal(unlink(path(f, "state.db")), 0);
	state = writer(f);
	apply_run(state, 1, "a");
	mr_state_close(state);
	assert_int_equal(rename(path(f, "kept"), path(f, "anchor")), 0);
	expect_distrust(f, 1);
}

static void a_damaged_database_is_not_trusted(void **arg)
{
	struct fixture *f = *arg;
	struct mr_state *state = writer(f);
	int fd;

	apply_run(state, 1, "a");
	mr_state_close(state);
	fd = open(path(f, "state.db"), O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "garbage garbage garbage", 23, 0), 23);
	(void)close(fd);
	expect_distrust(f, 0);
	assert_int_equal(access(path(f, "state.db.damaged"), F_OK), 0);
}

static void a_truncated_database_is_not_trusted(void **arg)
{
	struct fixture *f = *arg;
	struct mr_state *state = writer(f);

	apply_run(state, 1, "a");
	mr_state_close(state);
	assert_int_equal(truncate(path(f, "state.db"), 0), 0);
	expect_distrust(f, 0);
}

static void a_decision_without_its_anchor_is_trusted(void **arg)
{
	struct fixture *f = *arg;
	struct mr_state *state = writer(f);
	struct mr_applied applied = {.run = 2};

	apply_run(state, 1, "a");
	assert_int_equal(mr_state_begin(state), 0);
	assert_int_equal(mr_state_set_applied(state, &applied), 0);
	assert_int_equal(mr_state_commit(state), 0); /* and the process ends here */
	mr_state_close(state);
	state = writer(f);
	assert_true(mr_state_is_trusted(state));
	assert_int_equal(mr_state_write_anchor(state), 0);
	mr_state_close(state);
}

static void a_foreign_database_is_a_configuration_error(void **arg)
{
	struct fixture *f = *arg;
	struct mr_state *state = NULL;
	const char *command;

	assert_int_equal(mkdir(f->directory, 0700), 0);
	command =
	        mr_str_printf(&f->arena, "sqlite3 '%s/state.db' 'CREATE TABLE t (a)'", f->directory)
	                .data;
	if (system(command) != 0) /* NOLINT: a test may use the shell */
		skip();
	assert_int_equal(open_as(f, true, &state), MR_E_CONFIG);
	assert_int_equal(open_as(f, false, &state), MR_E_CONFIG);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(a_deleted_database_is_not_trusted),
	        TEST(an_older_database_is_not_trusted),
	        TEST(another_hosts_database_is_not_trusted),
	        TEST(a_damaged_database_is_not_trusted),
	        TEST(a_truncated_database_is_not_trusted),
	        TEST(a_decision_without_its_anchor_is_trusted),
	        TEST(a_foreign_database_is_a_configuration_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
