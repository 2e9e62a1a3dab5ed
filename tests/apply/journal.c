/*
 * Tests of the journal on a real state database.
 */
#include "apply/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apply/apply.h"
#include "base/file.h"

struct fixture {
	char directory[64];
	struct mr_diags diags;
	struct mr_state *state;
};

static const struct mr_collection mailboxes = {.name = MR_STR_INIT("dovecot.passwd"),
        .target = MR_STR_INIT("dovecot.passwd"),
        .provider = "dovecot",
        .rank = MR_RANK_MAILBOX,
        .flags = MR_COLLECTION_EXCLUSIVE};
static const struct mr_collection directory = {.name = MR_STR_INIT("ldap/dc=example"),
        .target = MR_STR_INIT("ldap"),
        .provider = "openldap",
        .rank = MR_RANK_DIRECTORY,
        .flags = MR_COLLECTION_PARTIAL | MR_COLLECTION_DELETE_LATE,
        .scope = MR_STR_INIT("dc=example")};

static const struct mr_change changes[] = {
        {.in = &directory,
                .key = MR_STR_INIT("a\x01"),
                .after = MR_STR_INIT(""),
                .object = MR_STR_INIT("ldap/a")},
        {.in = &directory,
                .key = MR_STR_INIT("z\x01"),
                .before = MR_STR_INIT("last"),
                .object = MR_STR_INIT("ldap/z")},
        {.in = &mailboxes,
                .key = MR_STR_INIT("ann@example.org"),
                .before = MR_STR_INIT("hidden-old-secret"),
                .after = MR_STR_INIT("hidden-new-\0secret"),
                .object = MR_STR_INIT("user/ann@example.org"),
                .reason = MR_REASON_DRIFT},
        {.in = &mailboxes,
                .key = MR_STR_INIT("bob@example.org"),
                .before = MR_STR_INIT("b"),
                .object = MR_STR_INIT("user/bob@example.org")},
};
enum { N = sizeof changes / sizeof *changes };

static void open_state(struct fixture *f, bool is_writer)
{
	const struct mr_state_options options = {
	        .directory = f->directory, .is_writer = is_writer, .purpose = "test"};

	mr_state_close(f->state);
	f->state = NULL;
	assert_int_equal(mr_state_open(&f->diags, &options, &f->state), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	(void)snprintf(f->directory, sizeof f->directory, "/tmp/mr-journal.XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	mr_diags_init(&f->diags);
	open_state(f, true);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	mr_state_close(f->state);
	assert_int_equal(mr_dir_remove(&f->diags, f->directory), 0);
	mr_diags_done(&f->diags);
	free(f);
	return 0;
}

static struct mr_txn begin(struct fixture *f)
{
	struct mr_txn txn = {.verb = MR_STR("apply"), .commit = MR_STR("c0ffee"), .started = 42};
	struct mr_order order;

	assert_int_equal(mr_journal_prepare(&f->diags, f->state), 0);
	assert_int_equal(mr_journal_open(&f->diags, f->state, &txn), 0);
	mr_order_make(changes, N, &order);
	assert_int_equal(mr_journal_intend(&f->diags, f->state, &txn, &order), 0);
	mr_order_done(&order);
	return txn;
}

static bool is_same_bytes(mr_str a, mr_str b)
{
	return !a.data == !b.data && mr_str_eq(a, b);
}

static void assert_same_change(const struct mr_change *got, const struct mr_change *want)
{
	assert_true(mr_str_eq(got->in->name, want->in->name));
	assert_true(mr_str_eq(got->in->target, want->in->target));
	assert_true(mr_str_eq(got->in->scope, want->in->scope));
	assert_string_equal(got->in->provider, want->in->provider);
	assert_int_equal(got->in->flags, want->in->flags);
	assert_int_equal(got->in->rank, want->in->rank);
	assert_true(mr_str_eq(got->key, want->key));
	assert_true(mr_str_eq(got->object, want->object));
	assert_int_equal(got->reason, want->reason);
	assert_true(is_same_bytes(got->before, want->before));
	assert_true(is_same_bytes(got->after, want->after));
}

static void an_intent_is_read_back_as_it_was__by_another_process(void **state)
{
	struct fixture *f = *state;
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	struct mr_changes loaded = {0};
	struct mr_txn txn;

	begin(f);
	open_state(f, true);
	assert_int_equal(mr_journal_find(&f->diags, f->state, &arena, &txn), 1);
	assert_int_equal(txn.state, MR_TXN_INTENT);
	assert_int_equal(txn.started, 42);
	assert_true(mr_str_is(txn.commit, "c0ffee"));
	assert_int_equal(mr_journal_load(&f->diags, f->state, &txn, true, &loaded), 0);
	assert_int_equal(loaded.list.n, N);
	for (size_t i = 0; i < N; i++)
		assert_same_change(&loaded.list.items[i], &changes[i]);
	mr_vec_done(&loaded.list);
	mr_arena_done(&loaded.arena);
}

static void only_what_was_begun_is_undone(void **state)
{
	struct fixture *f = *state;
	struct mr_changes loaded = {0};
	struct mr_txn txn = begin(f);

	assert_int_equal(mr_journal_load(&f->diags, f->state, &txn, false, &loaded), 0);
	assert_int_equal(loaded.list.n, 0);
	assert_int_equal(mr_journal_begin_steps(&f->diags, f->state, &txn, 2), 0);
	assert_int_equal(mr_journal_load(&f->diags, f->state, &txn, false, &loaded), 0);
	assert_int_equal(loaded.list.n, 2);
	assert_same_change(&loaded.list.items[0],
	        &changes[0]); /* the new entry, then the mailbox that changes */
	assert_same_change(&loaded.list.items[1], &changes[2]);
	mr_vec_done(&loaded.list);
	mr_arena_done(&loaded.arena);
}

static bool has_bytes(struct fixture *f, const char *bytes)
{
	char path[128];
	struct mr_buf file = MR_BUF_INIT;

	(void)snprintf(path, sizeof path, "%s/state.db", f->directory);
	assert_int_equal(mr_file_read(&f->diags, path, 1 << 24, &file), 0);
	bool found = memmem(file.data, file.size, bytes, strlen(bytes));
	mr_buf_done(&file);
	return found;
}

static void nothing_of_the_bodies_is_left__once_closed(void **state)
{
	struct fixture *f = *state;
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	struct mr_txn txn = begin(f);

	assert_true(has_bytes(f, "hidden-old-secret"));
	assert_int_equal(mr_journal_close(&f->diags, f->state, txn.id), 0);
	assert_false(has_bytes(f, "hidden-old-secret"));
	assert_false(has_bytes(f, "hidden-new-"));
	assert_int_equal(mr_journal_find(&f->diags, f->state, &arena, &txn), 0);
}

static void a_reader_sees_whether_one_is_open(void **state)
{
	struct fixture *f = *state;
	bool is_open = true;

	open_state(f, false);
	assert_int_equal(mr_apply_is_open(f->state, &is_open), 0);
	assert_false(is_open);
	open_state(f, true);
	begin(f);
	open_state(f, false);
	assert_int_equal(mr_apply_is_open(f->state, &is_open), 0);
	assert_true(is_open);
}

static void a_decision_is_taken_back_with_the_database_transaction_it_is_in(void **state)
{
	struct fixture *f = *state;
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	struct mr_txn txn = begin(f), seen;

	assert_int_equal(mr_state_begin(f->state), 0);
	assert_int_equal(
	        mr_journal_set_state(&f->diags, f->state, &txn, MR_TXN_DECIDED, MR_STR("")), 0);
	mr_state_abort(f->state);
	assert_int_equal(mr_journal_find(&f->diags, f->state, &arena, &seen), 1);
	assert_int_equal(seen.state, MR_TXN_INTENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(
	                an_intent_is_read_back_as_it_was__by_another_process, setup, teardown),
	        cmocka_unit_test_setup_teardown(only_what_was_begun_is_undone, setup, teardown),
	        cmocka_unit_test_setup_teardown(
	                nothing_of_the_bodies_is_left__once_closed, setup, teardown),
	        cmocka_unit_test_setup_teardown(a_reader_sees_whether_one_is_open, setup, teardown),
	        cmocka_unit_test_setup_teardown(
	                a_decision_is_taken_back_with_the_database_transaction_it_is_in, setup,
	                teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
