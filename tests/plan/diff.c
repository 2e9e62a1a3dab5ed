/*
 * The diff: every way in which a desired, a live and an owned item can meet.
 */
#include "bodies.h"

#include <stdio.h>
#include <stdlib.h>

#include "plan/diff.h"

enum {
	TABLE = MR_COLLECTION_EXCLUSIVE,
	SHARED = 0,
	TREE = MR_COLLECTION_PARTIAL | MR_COLLECTION_DELETE_LATE,
	EXCLUSIVE_TREE = TREE | MR_COLLECTION_EXCLUSIVE
};

struct row {
	const char *name;
	unsigned flags;
	enum mr_drift_mode mode;
	const char *desired, *live, *owned;
	const char *pre_image; /* body of every key; NULL: was not there */
	const char *only;
	const char *
	        expected; /* a line a change, a drift ("drift …") and a bookkeeping row ("own …") */
};

/* clang-format off */
static const struct row rows[] = {
	{"equal and owned: nothing", TABLE, MR_DRIFT_HEAL, "a o/a v=1", "a o/a v=1", "a o/a v=1", NULL, NULL, ""},
	{"equal, not owned: adopted without a change", TABLE, MR_DRIFT_HEAL, "a o/a v=1", "a o/a v=1", "", NULL, NULL,
	 "own a v=1 was none\n"},
	{"equal, owned otherwise: adopted again", SHARED, MR_DRIFT_HEAL, "a o/a v=1", "a o/a v=1", "a o/a v=0", NULL, NULL,
	 "own a v=1 was none\n"},
	{"shared and there before: pre-image kept", SHARED, MR_DRIFT_HEAL, "a o/a v=1", "a - v=0", "", NULL, NULL,
	 "a o/a adopted v=0 -> v=1\nown a v=1 was v=0\n"},
	{"new", TABLE, MR_DRIFT_HEAL, "a o/a v=1", "", "", NULL, NULL,
	 "a o/a desired_changed none -> v=1\nown a v=1 was none\n"},
	{"changed by git", TABLE, MR_DRIFT_HEAL, "a o/a v=2", "a o/a v=1", "a o/a v=1", NULL, NULL,
	 "a o/a desired_changed v=1 -> v=2\nown a v=2 was none\n"},
	{"changed by others: put back", TABLE, MR_DRIFT_HEAL, "a o/a v=1", "a o/a v=9", "a o/a v=1", NULL, NULL,
	 "a o/a drift v=9 -> v=1\ndrift a o/a v 1 live 9\n"},
	{"changed by others: reported, left", TABLE, MR_DRIFT_REPORT, "a o/a v=1", "a o/a v=9", "a o/a v=1", NULL, NULL,
	 "drift a o/a v 1 live 9\n"},
	{"changed by others: not looked at", TABLE, MR_DRIFT_OFF, "a o/a v=1", "a o/a v=9", "a o/a v=1", NULL, NULL, ""},
	{"both changed: intent and drift, all put right", TABLE, MR_DRIFT_HEAL, "a o/a v=2 w=1", "a o/a v=1 w=9",
	 "a o/a v=1 w=1", NULL, NULL,
	 "a o/a desired_changed v=1 w=9 -> v=2 w=1\ndrift a o/a w 1 live 9\nown a v=2 w=1 was none\n"},
	{"both changed, report: the drifted attribute stays", TABLE, MR_DRIFT_REPORT, "a o/a v=2 w=1", "a o/a v=1 w=9",
	 "a o/a v=1 w=1", NULL, NULL,
	 "a o/a desired_changed v=1 w=9 -> v=2 w=9\ndrift a o/a w 1 live 9\nown a v=2 w=1 was none\n"},
	{"deleted by others: put back", TABLE, MR_DRIFT_HEAL, "a o/a v=1", "", "a o/a v=1", NULL, NULL,
	 "a o/a drift none -> v=1\ndrift a o/a v 1 live \n"},
	{"deleted by others, report: left", TABLE, MR_DRIFT_REPORT, "a o/a v=1", "", "a o/a v=1", NULL, NULL,
	 "drift a o/a v 1 live \n"},
	{"deleted by others and changed by git: intent", TABLE, MR_DRIFT_REPORT, "a o/a v=2", "", "a o/a v=1", NULL, NULL,
	 "a o/a desired_changed none -> v=2\nown a v=2 was none\n"},
	{"left the repository, table: goes", TABLE, MR_DRIFT_REPORT, "", "a o/n v=1", "a o/a v=1", NULL, NULL,
	 "a o/a not_in_repository v=1 -> none\nown a none was none\n"},
	{"left and already gone: forgotten", TABLE, MR_DRIFT_HEAL, "", "", "a o/a v=1", NULL, NULL,
	 "own a none was none\n"},
	{"others' row in a table never applied: goes", TABLE, MR_DRIFT_REPORT, "", "a o/n v=1", "", NULL, NULL,
	 "a o/n not_in_repository v=1 -> none\n"},
	{"others' row in our table: drift, reported", TABLE, MR_DRIFT_REPORT, "b o/b v=1", "a o/n v=1\nb o/b v=1", "b o/b v=1",
	 NULL, NULL, "drift a o/n v  live 1\n"},
	{"others' row in our table: drift, healed", TABLE, MR_DRIFT_HEAL, "b o/b v=1", "a o/n v=1\nb o/b v=1", "b o/b v=1",
	 NULL, NULL, "a o/n drift v=1 -> none\ndrift a o/n v  live 1\n"},
	{"others' item in a shared collection: not touched", SHARED, MR_DRIFT_HEAL, "", "a - v=1", "b o/b v=1", NULL, NULL,
	 "own b none was none\n"},
	{"shared item left, no revert_to: goes", SHARED, MR_DRIFT_HEAL, "", "a - v=1", "a o/a v=1", "v=0", NULL,
	 "a o/a not_in_repository v=1 -> none\nown a none was none\n"},
	{"part of an entry is compared", TREE, MR_DRIFT_HEAL, "a o/a v=1", "a - v=1 x=theirs", "a o/a v=1", NULL, NULL, ""},
	{"part of an entry changes", TREE, MR_DRIFT_HEAL, "a o/a v=2 w=1", "a - v=1 w=1 x=theirs", "a o/a v=1 w=1", "v=0", NULL,
	 "a o/a desired_changed v=1 -> v=2\nown a v=2 w=1 was none\n"},
	{"an attribute must be absent", TREE, MR_DRIFT_HEAL, "a o/a s=", "a - s=1 x=theirs", "", NULL, NULL,
	 "a o/a adopted s=1 -> s=\nown a s= was s=1 x=theirs\n"},
	{"an attribute must be absent and is", TREE, MR_DRIFT_HEAL, "a o/a s=", "a - x=theirs", "a o/a s=", NULL, NULL, ""},
	{"an attribute left the repository: back to before", TREE, MR_DRIFT_HEAL, "a o/a v=1", "a - v=1 w=2", "a o/a v=1 w=2",
	 "w=0 x=theirs", NULL, "a o/a desired_changed w=2 -> w=0\nown a v=1 was none\n"},
	{"an attribute left that was not there before", TREE, MR_DRIFT_HEAL, "a o/a v=1", "a - v=1 w=2", "a o/a v=1 w=2",
	 "x=theirs", NULL, "a o/a desired_changed w=2 -> w=\nown a v=1 was none\n"},
	{"a secret that left cannot be put back: kept", TREE, MR_DRIFT_HEAL, "a o/a v=1", "a - v=1 p!=2", "a o/a v=1 p!=2",
	 "p!=0", NULL, "own a v=1 was none\n"},
	{"an entry that we made leaves: deleted", TREE, MR_DRIFT_HEAL, "", "a - v=1", "a o/a v=1", NULL, NULL,
	 "a o/a not_in_repository v=1 -> none\nown a none was none\n"},
	{"an entry that was there before leaves: ours undone", TREE, MR_DRIFT_HEAL, "", "a - v=1 x=theirs", "a o/a v=1",
	 "v=0 x=theirs", NULL, "a o/a not_in_repository v=1 -> v=0\nown a none was none\n"},
	{"such an entry is as before already: forgotten", TREE, MR_DRIFT_HEAL, "", "a - v=0 x=theirs", "a o/a v=1",
	 "v=0 x=theirs", NULL, "own a none was none\n"},
	{"others' entry of an exclusive tree: goes", EXCLUSIVE_TREE, MR_DRIFT_REPORT, "b o/b v=1", "a - v=1\nb - v=1", "b o/b v=1",
	 NULL, NULL, "a - not_in_repository v=1 -> none\n"},
	{"others' entry above a declared one: stays", EXCLUSIVE_TREE, MR_DRIFT_HEAL, "dc=x\001cn=b\001 o/b v=1",
	 "dc=x\001 - v=1\ndc=x\001cn=b\001 - v=1", "dc=x\001cn=b\001 o/b v=1", NULL, NULL, ""},
	{"the root of an exclusive tree: stays", EXCLUSIVE_TREE, MR_DRIFT_HEAL, "", "dc=root\001 - v=1", "", NULL, NULL, ""},
	{"the user's own password stays", TABLE, MR_DRIFT_HEAL, "a u/a p!~=git q=1", "a u/a p!=own q=1", "a u/a p!~=git q=1",
	 NULL, NULL, ""},
	{"the user's own password stays when the rest changes", TABLE, MR_DRIFT_HEAL, "a u/a p!~=git q=2", "a u/a p!=own q=1",
	 "a u/a p!~=git q=1", NULL, NULL, "a u/a desired_changed p=own q=1 -> p=own q=2\nown a p=# q=2 was none\n"},
	{"not owned yet: the live password stays", TABLE, MR_DRIFT_HEAL, "a u/a p!~=git", "a u/a p!=own", "", NULL, NULL,
	 "own a p=# was none\n"},
	{"git's password changed: applied", TABLE, MR_DRIFT_REPORT, "a u/a p!~=new", "a u/a p!=own", "a u/a p!~=git", NULL, NULL,
	 "a u/a desired_changed p=own -> p=new\nown a p=# was none\n"},
	{"no live password: git's is set", TABLE, MR_DRIFT_HEAL, "a u/a p!~=git q=1", "a u/a q=1", "", NULL, NULL,
	 "a u/a adopted q=1 -> p=git q=1\nown a p=# q=1 was none\n"},
	{"git's own password: a foreign change is drift", TABLE, MR_DRIFT_HEAL, "a u/a p!=git", "a u/a p!=own", "a u/a p!=git",
	 NULL, NULL, "a u/a drift p=own -> p=git\ndrift a u/a p git live own\n"},
	{"a live attribute of an entry that is newly named", TREE, MR_DRIFT_HEAL, "a o/a d~=ours v=1", "a - d=theirs v=1", "a o/a v=1",
	 NULL, NULL, "own a d=ours v=1 was none\n"},
	{"only: others are left out", TABLE, MR_DRIFT_HEAL, "a o/a v=2\nb o/b v=2", "a o/a v=1\nb o/b v=1", "a o/a v=1\nb o/b v=1",
	 NULL, "o/b", "b o/b desired_changed v=1 -> v=2\nown b v=2 was none\n"},
	{"only by prefix", TABLE, MR_DRIFT_HEAL, "a o/a v=2\nb p/b v=2", "", "", NULL, "o/*",
	 "a o/a desired_changed none -> v=2\nown a v=2 was none\n"},
	{"only: what is in order is owned all the same", TABLE, MR_DRIFT_HEAL, "a o/a v=1\nb o/b v=2", "a o/a v=1", "", NULL, "o/b",
	 "b o/b desired_changed none -> v=2\nown a v=1 was none\nown b v=2 was none\n"},
	{"only: drift of others is not shown", TABLE, MR_DRIFT_REPORT, "a o/a v=1", "a o/a v=9", "a o/a v=1", NULL, "o/b", ""},
	{"order and sets", TABLE, MR_DRIFT_HEAL, "a o/a s=2,1 t^=2,1", "a o/a s=1,2 t^=1,2", "a o/a s=1,2 t^=2,1", NULL, NULL,
	 "a o/a drift s=1,2 t=1,2 -> s=1,2 t=2,1\ndrift a o/a t 2 live 1\n"},
};

/* With values that two writers fight over: names of plan/field.h, a line each. */
static const struct {
	struct row row;
	const char *contended;
} fights[] = {
	{{"contended: that value stays, the other is put back", TABLE, MR_DRIFT_HEAL, "a o/a v=1 w=1", "a o/a v=9 w=9", "a o/a v=1 w=1",
	 NULL, NULL, "a o/a drift v=9 w=9 -> v=9 w=1\ndrift a o/a v 1 live 9\ndrift a o/a w 1 live 9\n"}, "o/b: w\no/a: v"},
	{{"contended: git's own change of it comes all the same", TABLE, MR_DRIFT_HEAL, "a o/a v=2", "a o/a v=9", "a o/a v=1",
	 NULL, NULL, "a o/a desired_changed v=9 -> v=2\nown a v=2 was none\n"}, "o/a: v"},
	{{"deleted by others, one of its values contended: put back", TABLE, MR_DRIFT_HEAL, "a o/a v=1 w=1", "", "a o/a v=1 w=1",
	 NULL, NULL, "a o/a drift none -> v=1 w=1\ndrift a o/a v 1 live \ndrift a o/a w 1 live \n"}, "o/a: v"},
	{{"deleted by others again and again: left", TABLE, MR_DRIFT_HEAL, "a o/a v=1 w=1", "", "a o/a v=1 w=1",
	 NULL, NULL, "drift a o/a v 1 live \ndrift a o/a w 1 live \n"}, "o/a: v\no/a: w"},
};
/* clang-format on */

static bool give_pre_image(
        void *arg, mr_str collection, mr_str key, struct mr_arena *arena, mr_str *out)
{
	const struct row *row = arg;

	(void)collection;
	(void)key;
	*out = row->pre_image ? test_body(arena, mr_str_from(row->pre_image), true) : (mr_str){0};
	return row->pre_image;
}

static const char *const reasons[] = {
        "desired_changed", "drift", "not_in_repository", "renamed", "adopted"};

static void show(const struct mr_diff *diff, struct mr_buf *out)
{
	mr_vec_each (change, &diff->changes.list) {
		mr_buf_printf(out, "%.*s %.*s %s ", MR_FMT(change->key),
		        MR_FMT(change->object.size > 0 ? change->object : MR_STR("-")),
		        reasons[change->reason]);
		test_show(change->before, out);
		mr_buf_add_text(out, " -> ");
		test_show(change->after, out);
		mr_buf_add_char(out, '\n');
	}
	mr_vec_each (drift, &diff->drift)
		mr_buf_printf(out, "drift %.*s %.*s %.*s %.*s live %.*s\n", MR_FMT(drift->key),
		        MR_FMT(drift->object), MR_FMT(drift->attribute),
		        MR_FMT(mr_attr_first(&drift->applied)),
		        MR_FMT(mr_attr_first(&drift->live)));
	mr_vec_each (row, &diff->adoptions.list) {
		mr_buf_printf(out, "own %.*s ", MR_FMT(row->key));
		test_show(row->after, out);
		mr_buf_add_text(out, " was ");
		test_show(row->before, out);
		mr_buf_add_char(out, '\n');
	}
}

static struct mr_strs *lines_of(struct mr_arena *arena, const char *text)
{
	struct mr_strs *lines = mr_alloc(arena, sizeof *lines);
	mr_str rest = mr_str_from(text);

	*lines = (struct mr_strs){.items = mr_alloc_n(arena, rest.size + 1, sizeof *lines->items)};
	while (rest.size > 0)
		lines->items[lines->n++] = mr_str_split(&rest, '\n');
	return lines;
}

static bool judge(const struct row *row, const char *contended)
{
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_diags diags;
	struct mr_collection in = {.name = MR_STR("test"),
	        .flags = row->flags,
	        .scope = row->flags & MR_COLLECTION_PARTIAL ? MR_STR("dc=root") : (mr_str){0}};
	struct mr_diff_options options = {.diags = &diags,
	        .in = &in,
	        .key = test_key,
	        .drift_mode = row->mode,
	        .contended = lines_of(&arena, contended),
	        .only = mr_str_from(row->only),
	        .pre_image = give_pre_image,
	        .pre_image_arg = (void *)(uintptr_t)row};
	struct mr_cursor desired, live, owned;
	struct mr_diff_counts counts;
	struct mr_buf shown = MR_BUF_INIT;
	struct mr_diff diff;

	mr_diags_init(&diags);
	mr_diff_init(&diff);
	test_cursor(&arena, row->desired, false, "x.yaml", &desired);
	test_cursor(&arena, row->live, false, NULL, &live);
	test_cursor(&arena, row->owned, true, NULL, &owned);
	struct mr_diff_cursors cursors = {&desired, &live, &owned};
	assert_int_equal(mr_diff_collection(&diff, &options, &cursors, &counts), 0);
	show(&diff, &shown);
	bool is_right = mr_str_is(mr_buf_str(&shown), row->expected);
	if (!is_right)
		print_error("%s\n  expected:\n%s  got:\n%.*s", row->name, row->expected,
		        MR_FMT(mr_buf_str(&shown)));
	assert_int_equal(diff.changes.list.n, diff.effects.n);
	mr_buf_done(&shown);
	mr_cursor_close(&desired);
	mr_cursor_close(&live);
	mr_cursor_close(&owned);
	mr_diff_done(&diff);
	mr_diags_done(&diags);
	mr_arena_done(&arena);
	return is_right;
}

static void each_meeting_is_decided_as_promised(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		wrong += !judge(&rows[i], NULL);
	assert_int_equal(wrong, 0);
}

static void what_is_fought_over_is_left(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof fights / sizeof fights[0]; i++)
		wrong += !judge(&fights[i].row, fights[i].contended);
	assert_int_equal(wrong, 0);
}

/* A cursor over made-up keys that keeps nothing: 'n' items, the one at 'odd' with another value. */
struct counter {
	uint64_t at, n, odd;
	bool falls_back;
	char key[32];
	mr_str same, other;
};

static int next_counted(struct mr_cursor *cursor, struct mr_item *out)
{
	struct counter *counter = cursor->state;

	if (counter->at == counter->n)
		return 0;
	uint64_t number = counter->falls_back && counter->at == counter->n - 1 ? 0 : counter->at;
	int size =
	        snprintf(counter->key, sizeof counter->key, "%09llu", (unsigned long long)number);
	*out = (struct mr_item){.key = {counter->key, (size_t)size},
	        .object = MR_STR("o/x"),
	        .body = counter->at == counter->odd ? counter->other : counter->same};
	counter->at++;
	return 1;
}

static int join_counters(struct counter *desired, struct counter *live, struct mr_diff *diff,
        struct mr_diff_counts *counts)
{
	struct mr_collection in = {.name = MR_STR("test"), .flags = TABLE};
	struct mr_diags diags;
	struct mr_diff_options options = {
	        .diags = &diags, .in = &in, .key = test_key, .drift_mode = MR_DRIFT_HEAL};
	struct mr_cursor first = {.next = next_counted, .state = desired};
	struct mr_cursor second = {.next = next_counted, .state = live};
	struct counter owner = *desired;
	struct mr_cursor third = {.next = next_counted, .state = &owner};
	struct mr_diff_cursors cursors = {&first, &second, &third};

	mr_diags_init(&diags);
	int result = mr_diff_collection(diff, &options, &cursors, counts);
	mr_diags_done(&diags);
	return result;
}

static void nothing_equal_is_held__a_hundred_thousand_items(void **state)
{
	struct mr_arena arena = MR_ARENA_INIT;
	mr_str same = test_body(&arena, MR_STR("v=1"), false),
	       other = test_body(&arena, MR_STR("v=2"), false);
	struct counter desired = {.n = 100000, .odd = UINT64_MAX, .same = same, .other = other};
	struct counter live = desired;
	struct mr_diff_counts counts;
	struct mr_diff diff;

	(void)state;
	live.odd = 77777;
	mr_diff_init(&diff);
	assert_int_equal(join_counters(&desired, &live, &diff, &counts), 0);
	assert_int_equal(counts.desired, 100000);
	assert_int_equal(counts.live, 100000);
	assert_int_equal(diff.changes.list.n, 1);
	assert_int_equal(diff.adoptions.list.n, 0);
	assert_true(diff.changes.arena.used_bytes + diff.adoptions.arena.used_bytes < 65536);
	mr_diff_done(&diff);
	mr_arena_done(&arena);
}

static void keys_out_of_order_are_an_error__never_deletes(void **state)
{
	struct mr_arena arena = MR_ARENA_INIT;
	mr_str same = test_body(&arena, MR_STR("v=1"), false);
	struct counter desired = {.n = 10, .odd = UINT64_MAX, .same = same, .falls_back = true};
	struct counter live = desired;
	struct mr_diff_counts counts;
	struct mr_diff diff;

	(void)state;
	mr_diff_init(&diff);
	live.falls_back = false;
	assert_int_equal(join_counters(&desired, &live, &diff, &counts), MR_E_FAILED);
	mr_diff_done(&diff);
	mr_arena_done(&arena);
}

static int fail_at_once(struct mr_cursor *cursor, struct mr_item *out)
{
	(void)cursor;
	(void)out;
	return MR_E_UNREADABLE;
}

static void an_unreadable_side_is_handed_up__not_taken_as_empty(void **state)
{
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_collection in = {.name = MR_STR("test"), .flags = TABLE};
	struct mr_diags diags;
	struct mr_diff_options options = {.diags = &diags, .in = &in, .key = test_key};
	struct mr_cursor desired, owned, broken = {.next = fail_at_once};
	struct mr_diff_cursors cursors = {&desired, &broken, &owned};
	struct mr_diff_counts counts;
	struct mr_diff diff;

	(void)state;
	mr_diags_init(&diags);
	mr_diff_init(&diff);
	test_cursor(&arena, "a o/a v=1", false, NULL, &desired);
	test_cursor(&arena, "a o/a v=1", true, NULL, &owned);
	assert_int_equal(mr_diff_collection(&diff, &options, &cursors, &counts), MR_E_UNREADABLE);
	assert_int_equal(diff.changes.list.n, 0);
	mr_cursor_close(&desired);
	mr_cursor_close(&owned);
	mr_diff_done(&diff);
	mr_diags_done(&diags);
	mr_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_meeting_is_decided_as_promised),
	        cmocka_unit_test(what_is_fought_over_is_left),
	        cmocka_unit_test(nothing_equal_is_held__a_hundred_thousand_items),
	        cmocka_unit_test(keys_out_of_order_are_an_error__never_deletes),
	        cmocka_unit_test(an_unreadable_side_is_handed_up__not_taken_as_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
