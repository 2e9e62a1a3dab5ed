/*
 * Tests of the order in which changes reach the servers.
 */
#include "apply/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/dn.h"

static const struct mr_collection directory = {.name = MR_STR_INIT("ldap/dc=example"),
        .provider = "openldap",
        .rank = MR_RANK_DIRECTORY,
        .flags = MR_COLLECTION_PARTIAL | MR_COLLECTION_DELETE_LATE};
static const struct mr_collection mailboxes = {.name = MR_STR_INIT("dovecot.passwd"),
        .provider = "dovecot",
        .rank = MR_RANK_MAILBOX,
        .flags = MR_COLLECTION_EXCLUSIVE};
static const struct mr_collection aliases = {
        .name = MR_STR_INIT("postfix.table/virtual_alias_maps"),
        .provider = "postfix",
        .rank = MR_RANK_ALIAS_MAP,
        .flags = MR_COLLECTION_EXCLUSIVE};

static struct mr_change make(
        const struct mr_collection *in, const char *key, bool is_before, bool is_after)
{
	struct mr_change change = {.in = in, .key = mr_str_from(key)};

	if (is_before)
		change.before = MR_STR("b");
	if (is_after)
		change.after = MR_STR("a");
	return change;
}

static struct mr_change entry(struct mr_arena *arena, const char *dn, bool is_before, bool is_after)
{
	mr_str key;

	assert_int_equal(mr_dn_key(arena, mr_str_from(dn), &key), 0);
	struct mr_change change = make(&directory, "", is_before, is_after);
	change.key = key;
	change.object = mr_str_from(dn);
	return change;
}

static void additions_rise_and_removals_fall__whatever_the_order_given(void **state)
{
	(void)state;
	const struct mr_change changes[] = {make(&aliases, "gone", true, false),
	        make(&mailboxes, "gone", true, false), make(&aliases, "b", true, true),
	        make(&aliases, "a", false, true), make(&mailboxes, "new", false, true)};
	const char *expected[] = {"new", "a", "b", "gone", "gone"};
	struct mr_order order;

	mr_order_make(changes, 5, &order);
	assert_int_equal(order.batches.n, 4);
	for (size_t i = 0; i < 5; i++)
		assert_true(mr_str_is(order.changes[i]->key, expected[i]));
	assert_ptr_equal(order.changes[0]->in, &mailboxes);
	assert_ptr_equal(order.changes[3]->in, &aliases);
	assert_ptr_equal(order.changes[4]->in, &mailboxes);
	assert_int_equal(order.batches.items[1].n, 2);
	assert_int_equal(order.n_early, 5);
	mr_order_done(&order);
}

static void a_wave_has_one_depth__parents_first_and_deletes_last(void **state)
{
	(void)state;
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	const struct mr_change changes[] = {entry(&arena, "uid=a,ou=new,dc=example", false, true),
	        entry(&arena, "ou=new,dc=example", false, true),
	        entry(&arena, "ou=old,dc=example", true, false),
	        entry(&arena, "uid=b,ou=old,dc=example", true, false),
	        entry(&arena, "ou=kept,dc=example", true, true),
	        make(&mailboxes, "gone", true, false)};
	const char *expected[] = {"ou=kept,dc=example", "ou=new,dc=example",
	        "uid=a,ou=new,dc=example", "", "uid=b,ou=old,dc=example", "ou=old,dc=example"};
	struct mr_order order;

	mr_order_make(changes, 6, &order);
	for (size_t i = 0; i < 6; i++)
		assert_true(mr_str_is(order.changes[i]->object, expected[i]));
	assert_int_equal(order.batches.n, 5);
	assert_int_equal(order.n_early, 4);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(order.batches.items[i].is_late, i >= 3);
	mr_order_done(&order);
}

static void a_wave_is_bounded__when_many_entries_have_one_depth(void **state)
{
	(void)state;
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	enum { N = 2 * MR_ORDER_WAVE + 1 };
	struct mr_change *changes = mr_alloc_n(&arena, N, sizeof *changes);
	struct mr_order order;
	char dn[64];

	for (size_t i = 0; i < N; i++) {
		(void)snprintf(dn, sizeof dn, "uid=%05zu,dc=example", N - i);
		changes[i] = entry(&arena, dn, false, true);
	}
	mr_order_make(changes, N, &order);
	assert_int_equal(order.batches.n, 3);
	assert_int_equal(order.batches.items[0].n, MR_ORDER_WAVE);
	assert_int_equal(order.batches.items[2].n, 1);
	for (size_t i = 1; i < N; i++)
		assert_true(mr_str_cmp(order.changes[i - 1]->key, order.changes[i]->key) < 0);
	mr_order_done(&order);
}

static void no_changes_make_no_batches(void **state)
{
	(void)state;
	struct mr_order order;

	mr_order_make(NULL, 0, &order);
	assert_int_equal(order.batches.n, 0);
	assert_int_equal(order.n_early, 0);
	mr_order_done(&order);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(additions_rise_and_removals_fall__whatever_the_order_given),
	        cmocka_unit_test(a_wave_has_one_depth__parents_first_and_deletes_last),
	        cmocka_unit_test(a_wave_is_bounded__when_many_entries_have_one_depth),
	        cmocka_unit_test(no_changes_make_no_batches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
