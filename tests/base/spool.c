/*
 * Sorting through a temporary file: what a sorter promises holds however many runs it writes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/diag.h"
#include "base/sorter.h"

#define LIMIT_BYTES 2000

/* What item number n of a list is made of; the key alone decides the order. */
struct made {
	char key[24], object[40], path[24];
	char body[400];
	size_t body_size;
};

static struct made make(unsigned n)
{
	struct made made;

	(void)snprintf(made.key, sizeof made.key, "%s%08x", n % 3 ? "user" : "", n * 2654435761U);
	(void)snprintf(made.object, sizeof made.object, "user/%s", made.key);
	made.path[0] = '\0';
	if (n % 5)
		(void)snprintf(made.path, sizeof made.path, "f%u.yaml", n);
	made.body_size = n * 37 % sizeof made.body;
	memset(made.body, (int)(n % 251), made.body_size);
	return made;
}

static void add(struct mr_sorter *sorter, unsigned n)
{
	struct made made = make(n);

	mr_sorter_add(sorter, &(struct mr_item){.key = mr_str_from(made.key),
	                              .body = {made.body, made.body_size},
	                              .object = mr_str_from(made.object),
	                              .loc = {mr_str_from(made.path), n, n % 7}});
}

static struct mr_sorter *sorter_new(size_t limit_bytes)
{
	struct mr_sorter *sorter = mr_sorter_new();

	mr_spool_limit(mr_sorter_spool(sorter), limit_bytes);
	return sorter;
}

static int compare_numbers(const void *a, const void *b)
{
	struct made x = make(*(const unsigned *)a), y = make(*(const unsigned *)b);

	return strcmp(x.key, y.key);
}

static void assert_is(const struct mr_item *item, unsigned n)
{
	struct made made = make(n);

	assert_true(mr_str_is(item->key, made.key));
	assert_true(mr_str_eq(item->body, (mr_str){made.body, made.body_size}));
	assert_true(mr_str_is(item->object, made.object));
	assert_true(mr_str_is(item->loc.path, made.path));
	assert_int_equal(item->loc.line, n);
	assert_int_equal(item->loc.column, n % 7);
}

/* Adds n items, in the order of their keys or of their numbers, and compares with sorting the
 * numbers. */
static void sort_many(unsigned n, size_t limit_bytes, bool is_sorted)
{
	struct mr_sorter *sorter = sorter_new(limit_bytes);
	unsigned *numbers = calloc(n + 1, sizeof *numbers);
	struct mr_cursor cursor = {0};
	struct mr_item item;

	assert_non_null(numbers);
	for (unsigned i = 0; i < n; i++)
		numbers[i] = i;
	if (is_sorted)
		qsort(numbers, n, sizeof *numbers, compare_numbers);
	for (unsigned i = 0; i < n; i++)
		add(sorter, numbers[i]);
	qsort(numbers, n, sizeof *numbers, compare_numbers);
	assert_int_equal(mr_sorter_cursor(sorter, &cursor, NULL), 0);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(mr_cursor_next(&cursor, &item), 1);
		assert_is(&item, numbers[i]);
	}
	assert_int_equal(mr_cursor_next(&cursor, &item), 0);
	assert_int_equal(mr_cursor_next(&cursor, &item), 0);
	mr_cursor_close(&cursor);
	free(numbers);
}

static void items_come_whole_and_in_order__however_many_runs(void **state)
{
	static const unsigned numbers[] = {0, 1, 2, 7, 8, 9, 50, 3000};

	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		sort_many(numbers[i], LIMIT_BYTES, false);
		sort_many(numbers[i], LIMIT_BYTES, true);
		sort_many(numbers[i], 1, false); /* a run an item, until runs grow */
		sort_many(numbers[i], (size_t)1 << 20, false);
	}
}

static void a_row_larger_than_the_limit_and_the_window_is_kept(void **state)
{
	enum { SIZE = 200000 };
	struct mr_sorter *sorter = sorter_new(LIMIT_BYTES);
	struct mr_cursor cursor = {0};
	char *large = malloc(SIZE);
	struct mr_item item;

	(void)state;
	assert_non_null(large);
	memset(large, 'x', SIZE);
	for (unsigned i = 4; i-- > 0;)
		mr_sorter_add(sorter, &(struct mr_item){.key = {&"abcd"[i], 1},
		                              .body = {large, i % 2 ? SIZE : 3}});
	assert_int_equal(mr_sorter_cursor(sorter, &cursor, NULL), 0);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(mr_cursor_next(&cursor, &item), 1);
		assert_true(mr_str_eq(item.key, (mr_str){&"abcd"[i], 1}));
		assert_true(mr_str_eq(item.body, (mr_str){large, i % 2 ? SIZE : 3}));
	}
	assert_int_equal(mr_cursor_next(&cursor, &item), 0);
	mr_cursor_close(&cursor);
	free(large);
}

static void one_key_twice_is_a_conflict__across_runs(void **state)
{
	(void)state;
	for (unsigned twice = 0; twice < 500; twice += 83) {
		struct mr_sorter *sorter = sorter_new(LIMIT_BYTES);
		struct mr_cursor cursor = {0};
		struct made made = make(twice);
		mr_str duplicate = {0};

		for (unsigned i = 0; i < 500; i++)
			add(sorter, i);
		add(sorter, twice);
		assert_int_equal(mr_sorter_cursor(sorter, &cursor, &duplicate), MR_E_CONFLICT);
		assert_true(mr_str_is(duplicate, made.key));
		mr_sorter_free(sorter);
	}
}

/* No file may grow beyond max: what a full disk is to a program. */
static void limit_files(rlim_t max, struct rlimit *before)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, before), 0);
	limit = *before;
	limit.rlim_cur = max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
}

static void a_full_disk_is_an_error__never_a_lost_item(void **state)
{
	struct mr_sorter *sorter = sorter_new(LIMIT_BYTES);
	struct mr_cursor cursor = {0};
	struct mr_diags diags;
	struct rlimit before;

	(void)state;
	mr_diags_init(&diags);
	mr_sorter_report_to(sorter, &diags);
	limit_files(3 * LIMIT_BYTES, &before);
	for (unsigned i = 0; i < 500; i++)
		add(sorter, i);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(mr_sorter_cursor(sorter, &cursor, NULL), MR_E_FAILED);
	assert_int_equal(diags.n_errors, 1);
	assert_null(cursor.next);
	mr_sorter_free(sorter);
	mr_diags_done(&diags);
}

static void few_items_need_no_disk(void **state)
{
	struct mr_sorter *sorter = mr_sorter_new();
	struct mr_cursor cursor = {0};
	struct mr_item item;
	struct rlimit before;
	unsigned n = 0;

	(void)state;
	limit_files(0, &before);
	for (unsigned i = 0; i < 5000; i++)
		add(sorter, i);
	assert_int_equal(mr_sorter_cursor(sorter, &cursor, NULL), 0);
	while (mr_cursor_next(&cursor, &item) == 1)
		n++;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(n, 5000);
	mr_cursor_close(&cursor);
}

static void rows_of_one_key_come_in_the_order_they_were_added(void **state)
{
	struct mr_spool *spool = mr_spool_new(NULL);
	mr_str key, body;
	char text[16];

	(void)state;
	mr_spool_limit(spool, 100);
	for (unsigned i = 0; i < 400; i++) {
		(void)snprintf(text, sizeof text, "%03u", i);
		assert_int_equal(
		        mr_spool_add(spool, i % 2 ? MR_STR("a") : MR_STR("b"), mr_str_from(text)),
		        0);
	}
	for (int round = 0; round < 2; round++) { /* sorting again goes back to the first */
		assert_int_equal(mr_spool_sort(spool), 0);
		for (unsigned i = 0; i < 400; i++) {
			(void)snprintf(
			        text, sizeof text, "%03u", i < 200 ? 2 * i + 1 : 2 * (i - 200));
			assert_int_equal(mr_spool_next(spool, &key, &body), 1);
			assert_true(mr_str_is(key, i < 200 ? "a" : "b"));
			assert_true(mr_str_is(body, text));
		}
	}
	assert_int_equal(mr_spool_next(spool, &key, &body), 0);
	mr_spool_free(spool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(items_come_whole_and_in_order__however_many_runs),
	        cmocka_unit_test(a_row_larger_than_the_limit_and_the_window_is_kept),
	        cmocka_unit_test(one_key_twice_is_a_conflict__across_runs),
	        cmocka_unit_test(a_full_disk_is_an_error__never_a_lost_item),
	        cmocka_unit_test(few_items_need_no_disk),
	        cmocka_unit_test(rows_of_one_key_come_in_the_order_they_were_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
