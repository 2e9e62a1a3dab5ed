/*
 * Tests of recovery: what a journal says is open is brought to exactly the old or exactly the new
 * state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "apply/journal.h"
#include "files.h"
#include "rig.h"

static const char old_boxes[] = "ann\t1\told\nbob\t2\t\n";
static const char new_boxes[] = "ann\t9\told\ncid\t3\t\n";
static const char old_tree[] = "cn=a,dc=example\t1\tby hand\ncn=late,dc=example\t7\t\n";
static const char new_tree[] =
        "cn=a,dc=example\t2\tby hand\ncn=late,dc=example\t7\t\ncn=n,dc=example\t5\t\n";

static mr_str body(struct rig *rig, const char *value, const char *note)
{
	struct mr_attrs_builder builder;

	mr_attrs_builder_init(&builder);
	mr_attrs_add(&builder, MR_STR("value"), 0, mr_str_from(value));
	if (note)
		mr_attrs_add(&builder, MR_STR("note"), 0, mr_str_from(note));
	mr_str copy = mr_str_copy(&rig->arena, mr_attrs_finish(&builder));
	mr_attrs_builder_done(&builder);
	return copy;
}

static void add_box(
        struct rig *rig, struct mr_changes *changes, const char *key, mr_str before, mr_str after)
{
	mr_vec_push(&changes->list, (struct mr_change){.in = &files_boxes,
	                                    .key = mr_str_from(key),
	                                    .object = mr_str_from(key),
	                                    .before = before,
	                                    .after = after});
	(void)rig;
}

static void add_entry(struct rig *rig, struct mr_changes *changes, const char *dn, const char *key,
        mr_str before, mr_str after)
{
	mr_vec_push(&changes->list, (struct mr_change){.in = &files_tree,
	                                    .key = mr_str_from(key),
	                                    .object = mr_str_printf(&rig->arena, "ldap/%s", dn),
	                                    .before = before,
	                                    .after = after});
}

/* Journals what leads from the old files to the new ones, as begun up to n_begun steps. */
static struct mr_txn begin(struct rig *rig, size_t n_begun)
{
	struct mr_txn txn = {.verb = MR_STR("apply"), .commit = MR_STR("c0ffee"), .started = 1};
	struct mr_changes changes = {0};
	struct mr_order order;

	rig_open(rig);
	add_entry(rig, &changes, "cn=a,dc=example",
	        "dc=example\x01"
	        "cn=a\x01",
	        body(rig, "1", NULL), body(rig, "2", NULL));
	add_entry(rig, &changes, "cn=late,dc=example",
	        "dc=example\x01"
	        "cn=late\x01",
	        body(rig, "7", NULL), (mr_str){0});
	add_entry(rig, &changes, "cn=n,dc=example",
	        "dc=example\x01"
	        "cn=n\x01",
	        (mr_str){0}, body(rig, "5", NULL));
	add_box(rig, &changes, "ann", body(rig, "1", "old"), body(rig, "9", "old"));
	add_box(rig, &changes, "bob", body(rig, "2", NULL), (mr_str){0});
	add_box(rig, &changes, "cid", (mr_str){0}, body(rig, "3", NULL));
	assert_int_equal(mr_journal_prepare(&rig->diags, rig->state), 0);
	assert_int_equal(mr_journal_open(&rig->diags, rig->state, &txn), 0);
	mr_order_make(changes.list.items, changes.list.n, &order);
	assert_int_equal(order.n_early, 5);
	assert_int_equal(mr_journal_intend(&rig->diags, rig->state, &txn, &order), 0);
	assert_int_equal(mr_journal_begin_steps(&rig->diags, rig->state, &txn, n_begun), 0);
	mr_order_done(&order);
	mr_vec_done(&changes.list);
	return txn;
}

static void expect_old(struct rig *rig)
{
	rig_expect(rig, "live", "tree", old_tree);
	rig_expect(rig, "live", "boxes", old_boxes);
}

static void expect_closed(struct rig *rig)
{
	bool is_open = true;

	rig_open(rig);
	assert_int_equal(mr_apply_is_open(rig->state, &is_open), 0);
	assert_false(is_open);
	rig_close(rig);
}

static void everything_begun_is_taken_back__however_far_it_came(void **state)
{
	struct rig *rig = *state;
	/* what may be live when so many of the five steps were begun: the batches are 2 entries, 2
	 * boxes, 1 box */
	const struct {
		size_t n_begun;
		const char *tree, *boxes;
	} cases[] = {
	        {0, old_tree, old_boxes}, {2, old_tree, old_boxes}, {2, new_tree, old_boxes},
	        {4, new_tree, old_boxes}, {4, new_tree, "ann\t9\told\nbob\t2\t\ncid\t3\t\n"},
	        {5, new_tree, new_boxes},
	        {5, new_tree, "ann\t9\told\nbob\t2\t\n"}, /* torn: half of a batch */
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool was_open = false;
		rig_write(rig, "live", "tree", cases[i].tree);
		rig_write(rig, "live", "boxes", cases[i].boxes);
		rig_write(rig, "force", "boxes", "");
		begin(rig, cases[i].n_begun);
		assert_int_equal(rig_recover(rig, &was_open), 0);
		assert_true(was_open);
		expect_old(rig);
		if (cases[i].n_begun > 2)
			rig_expect(rig, "force", "boxes", old_boxes);
		expect_closed(rig);
		assert_string_equal(rig_last_result(rig), "recovered");
		assert_int_equal(rig_recover(rig, &was_open), 0);
		assert_false(was_open);
	}
}

static void a_foreign_edit_stops_only_its_own_item__and_is_named(void **state)
{
	struct rig *rig = *state;
	bool was_open = false;

	rig_write(rig, "live", "tree", new_tree);
	rig_write(rig, "live", "boxes", "ann\t9\told\nbob\t2\t\ncid\tby somebody\t\n");
	begin(rig, 5);
	assert_int_equal(rig_recover(rig, &was_open), MR_E_STUCK);
	assert_true(was_open);
	assert_true(rig_said(rig, "'cid'"));
	rig_expect(rig, "live", "tree", old_tree);
	rig_expect(rig, "live", "boxes", "ann\t1\told\nbob\t2\t\ncid\tby somebody\t\n");

	/* still open: the next start tries again, and succeeds once a person has put it right */
	assert_int_equal(rig_recover(rig, &was_open), MR_E_STUCK);
	rig_write(rig, "live", "boxes", old_boxes);
	assert_int_equal(rig_recover(rig, &was_open), 0);
	expect_old(rig);
	expect_closed(rig);
}

static void what_is_live_stands__when_a_person_says_so(void **state)
{
	struct rig *rig = *state;
	bool was_open = true;

	rig_write(rig, "live", "tree", new_tree);
	rig_write(rig, "live", "boxes", "ann\tby somebody\t\n");
	begin(rig, 5);
	assert_int_equal(rig_recover(rig, &was_open), MR_E_STUCK);
	rig_open(rig);
	assert_int_equal(mr_recover_accept(&rig->diags, &rig->host, rig->state, rig->servers, 2,
	                         MR_STR("root")),
	        0);
	rig_close(rig);
	rig_expect(rig, "live", "tree", old_tree);
	rig_expect(rig, "live", "boxes", "ann\tby somebody\t\nbob\t2\t\n");
	expect_closed(rig);
	assert_int_equal(rig_recover(rig, &was_open), 0);
	assert_false(was_open);
}

static void what_was_never_begun_is_not_judged(void **state)
{
	struct rig *rig = *state;
	bool was_open = false;

	rig_write(rig, "live", "tree", new_tree);
	rig_write(rig, "live", "boxes", "ann\tby somebody\t\n");
	begin(rig, 2);
	assert_int_equal(rig_recover(rig, &was_open), 0);
	rig_expect(rig, "live", "tree", old_tree);
	rig_expect(rig, "live", "boxes", "ann\tby somebody\t\n");
}

static void decide(struct rig *rig, struct mr_txn *txn)
{
	const struct mr_item item = {.key = MR_STR("dc=example\x01"
	                                           "cn=late\x01"),
	        .body = body(rig, "7", NULL)};

	assert_int_equal(mr_state_begin(rig->state), 0);
	assert_int_equal(mr_state_own(rig->state, MR_STR("tree"), &item, (mr_str){0}), 0);
	assert_int_equal(
	        mr_journal_set_state(&rig->diags, rig->state, txn, MR_TXN_DECIDED, MR_STR("")), 0);
	assert_int_equal(mr_state_commit(rig->state), 0);
}

static void what_was_decided_is_finished__late_deletes_included(void **state)
{
	struct rig *rig = *state;
	bool was_open = false;
	uint64_t n = 9;

	rig_write(rig, "live", "tree", new_tree);
	rig_write(rig, "live", "boxes", new_boxes);
	struct mr_txn txn = begin(rig, 5);
	decide(rig, &txn);
	assert_int_equal(rig_recover(rig, &was_open), 0);
	assert_true(was_open);
	rig_expect(rig, "live", "tree", "cn=a,dc=example\t2\tby hand\ncn=n,dc=example\t5\t\n");
	rig_expect(rig, "live", "boxes", new_boxes);
	expect_closed(rig);
	rig_open(rig);
	assert_int_equal(mr_state_owned_count(rig->state, MR_STR("tree"), &n), 0);
	assert_int_equal(n, 0);
}

static void a_delete_that_cannot_be_reached_waits__and_one_that_is_refused_does_not(void **state)
{
	struct rig *rig = *state;
	bool was_open = false;

	rig_write(rig, "live", "tree", new_tree);
	rig_write(rig, "live", "boxes", new_boxes);
	struct mr_txn txn = begin(rig, 5);
	decide(rig, &txn);
	rig_write(rig, ".", "down", "");
	assert_int_equal(rig_recover(rig, &was_open), MR_E_UNREADABLE);
	assert_int_equal(rig_recover(rig, &was_open), MR_E_UNREADABLE);
	assert_true(was_open);
	rig_remove(rig, ".", "down");

	rig_write(rig, "live", "tree", "cn=late,dc=example\tby somebody\t\n");
	assert_int_equal(rig_recover(rig, &was_open), MR_E_FAILED);
	assert_true(rig_said(rig, "could not be deleted"));
	rig_expect(rig, "live", "tree", "cn=late,dc=example\tby somebody\t\n");
	expect_closed(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(everything_begun_is_taken_back__however_far_it_came,
	                rig_setup, rig_teardown),
	        cmocka_unit_test_setup_teardown(
	                a_foreign_edit_stops_only_its_own_item__and_is_named, rig_setup,
	                rig_teardown),
	        cmocka_unit_test_setup_teardown(
	                what_is_live_stands__when_a_person_says_so, rig_setup, rig_teardown),
	        cmocka_unit_test_setup_teardown(
	                what_was_never_begun_is_not_judged, rig_setup, rig_teardown),
	        cmocka_unit_test_setup_teardown(what_was_decided_is_finished__late_deletes_included,
	                rig_setup, rig_teardown),
	        cmocka_unit_test_setup_teardown(
	                a_delete_that_cannot_be_reached_waits__and_one_that_is_refused_does_not,
	                rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
