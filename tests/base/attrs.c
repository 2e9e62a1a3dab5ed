/*
 * Attribute sets: canonical bytes, reading back, comparing, sealing, damaged bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attrs.h"
#include "base/digest.h"

static const uint8_t key[32] = {1, 2, 3};
static const uint8_t other_key[32] = {9};

static void same_content_is_same_bytes__whatever_the_order_of_adding(void **state)
{
	struct mr_attrs_builder a, b;

	(void)state;
	mr_attrs_builder_init(&a);
	mr_attrs_builder_init(&b);
	mr_attrs_add(&a, MR_STR("name"), 0, MR_STR("Ann"));
	mr_attrs_begin(&a, MR_STR("mail"), 0);
	mr_attrs_value(&a, MR_STR("x@example.org"));
	mr_attrs_value(&a, MR_STR("a@example.org"));
	mr_attrs_begin(&b, MR_STR("mail"), 0);
	mr_attrs_value(&b, MR_STR("a@example.org"));
	mr_attrs_value(&b, MR_STR("x@example.org"));
	mr_attrs_value(&b, MR_STR("a@example.org"));
	mr_attrs_add(&b, MR_STR("name"), 0, MR_STR("Ann"));
	assert_true(mr_str_eq(mr_attrs_finish(&a), mr_attrs_finish(&b)));
	mr_attrs_builder_done(&a);
	mr_attrs_builder_done(&b);
}

static void order_of_values_counts__when_ordered(void **state)
{
	struct mr_attrs_builder a;
	struct mr_attr attr;
	mr_str rest, value, body;

	(void)state;
	mr_attrs_builder_init(&a);
	mr_attrs_begin(&a, MR_STR("list"), MR_ATTR_ORDERED);
	mr_attrs_value(&a, MR_STR("z"));
	mr_attrs_value(&a, MR_STR("a"));
	mr_attrs_value(&a, MR_STR("z"));
	body = mr_attrs_finish(&a);
	assert_true(mr_attrs_find(body, MR_STR("list"), &attr));
	assert_int_equal(attr.n_values, 3);
	rest = attr.encoded_values;
	assert_int_equal(mr_attr_value_next(&rest, &value), 1);
	assert_true(mr_str_is(value, "z"));
	assert_int_equal(mr_attr_value_next(&rest, &value), 1);
	assert_true(mr_str_is(value, "a"));
	assert_int_equal(mr_attr_value_next(&rest, &value), 1);
	assert_int_equal(mr_attr_value_next(&rest, &value), 0);
	mr_attrs_builder_done(&a);
}

static void absence_and_emptiness_differ(void **state)
{
	struct mr_attrs_builder a;
	struct mr_attr attr;
	mr_str body;

	(void)state;
	mr_attrs_builder_init(&a);
	mr_attrs_begin(&a, MR_STR("gone"), 0);
	mr_attrs_add(&a, MR_STR("empty"), 0, MR_STR(""));
	body = mr_attrs_finish(&a);
	assert_true(mr_attrs_find(body, MR_STR("gone"), &attr));
	assert_int_equal(attr.n_values, 0);
	assert_true(mr_attrs_find(body, MR_STR("empty"), &attr));
	assert_int_equal(attr.n_values, 1);
	assert_false(mr_attrs_find(body, MR_STR("never"), &attr));
	mr_attrs_builder_done(&a);
}

static void the_empty_body_is_there(void **state)
{
	struct mr_attrs_builder a;
	struct mr_attr attr;
	mr_str body;

	(void)state;
	mr_attrs_builder_init(&a);
	body = mr_attrs_finish(&a);
	assert_non_null(body.data);
	assert_int_equal(body.size, 0);
	assert_int_equal(mr_attrs_next(&body, &attr), 0);
	mr_attrs_builder_done(&a);
}

static void a_new_body_starts__when_begun_after_finish(void **state)
{
	struct mr_attrs_builder a;

	(void)state;
	mr_attrs_builder_init(&a);
	mr_attrs_add(&a, MR_STR("first"), 0, MR_STR("1"));
	(void)mr_attrs_finish(&a);
	mr_attrs_add(&a, MR_STR("second"), 0, MR_STR("2"));
	assert_true(mr_str_is(mr_attrs_get(mr_attrs_finish(&a), MR_STR("first")), ""));
	mr_attrs_builder_done(&a);
}

static void sealed_bodies_hold_no_secret_and_still_compare(void **state)
{
	struct mr_attrs_builder a, b;
	struct mr_attr clear, sealed;
	mr_str body, covered;

	(void)state;
	mr_attrs_builder_init(&a);
	mr_attrs_builder_init(&b);
	mr_attrs_begin(&a, MR_STR("password"), MR_ATTR_SENSITIVE);
	mr_attrs_value(&a, MR_STR("hunter2"));
	mr_attrs_value(&a, MR_STR("abc"));
	mr_attrs_add(&a, MR_STR("name"), 0, MR_STR("Ann"));
	body = mr_attrs_finish(&a);
	covered = mr_attrs_seal(&b, body, key);
	assert_null(memmem(covered.data, covered.size, "hunter2", 7));
	assert_true(mr_str_is(mr_attrs_get(covered, MR_STR("name")), "Ann"));
	assert_true(mr_attrs_find(body, MR_STR("password"), &clear));
	assert_true(mr_attrs_find(covered, MR_STR("password"), &sealed));
	assert_true(sealed.flags & MR_ATTR_SEALED);
	assert_int_equal(mr_attr_first(&sealed).size, 64);
	assert_true(mr_attr_same(&clear, &sealed, key));
	assert_true(mr_attr_same(&sealed, &clear, key));
	assert_false(mr_attr_same(&sealed, &clear, other_key));
	assert_false(mr_attr_same(&sealed, &clear, NULL));
	mr_attrs_builder_done(&a);
	mr_attrs_builder_done(&b);
}

static void sealing_twice_changes_nothing(void **state)
{
	struct mr_attrs_builder a, b;
	mr_str once;

	(void)state;
	mr_attrs_builder_init(&a);
	mr_attrs_builder_init(&b);
	mr_attrs_add(&a, MR_STR("password"), MR_ATTR_SENSITIVE, MR_STR("x"));
	once = mr_attrs_seal(&b, mr_attrs_finish(&a), key);
	assert_true(mr_str_eq(once, mr_attrs_seal(&a, once, key)));
	mr_attrs_builder_done(&a);
	mr_attrs_builder_done(&b);
}

static uint32_t random_next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Attributes of random names and values, added from number `from` on and round again. */
static void add_random(struct mr_attrs_builder *builder, uint32_t seed, size_t n, size_t from)
{
	for (size_t i = 0; i < n; i++) {
		size_t which = (from + i) % n;
		uint32_t own = seed + (uint32_t)which * 7919;
		uint32_t n_values = random_next(&own) % 40;
		char text[300];
		int size = snprintf(text, sizeof text, "a%zu-%u", which, random_next(&own) % 10);

		mr_attrs_begin(builder, (mr_str){text, (size_t)size}, 0);
		for (uint32_t v = 0; v < n_values; v++) {
			memset(text, (int)random_next(&own), sizeof text);
			mr_attrs_value(builder, (mr_str){text, random_next(&own) % sizeof text});
		}
	}
}

static void random_bodies_are_canonical_and_survive_a_round_trip(void **state)
{
	struct mr_attrs_builder a, b;

	(void)state;
	mr_attrs_builder_init(&a);
	mr_attrs_builder_init(&b);
	for (uint32_t seed = 1; seed < 200; seed++) {
		size_t n = 1 + seed % 20;
		struct mr_attr attr;
		mr_str body, rest;
		size_t seen = 0;

		add_random(&a, seed, n, 0);
		add_random(&b, seed, n, seed % n);
		body = mr_attrs_finish(&a);
		assert_true(mr_str_eq(body, mr_attrs_finish(&b)));
		rest = body;
		while (mr_attrs_next(&rest, &attr) > 0) {
			mr_attrs_add_attr(&b, &attr);
			seen++;
		}
		assert_int_equal(seen, n);
		assert_true(mr_str_eq(body, mr_attrs_finish(&b)));
	}
	mr_attrs_builder_done(&a);
	mr_attrs_builder_done(&b);
}

static void walk(mr_str body)
{
	struct mr_attr attr;
	mr_str value;

	while (mr_attrs_next(&body, &attr) > 0) {
		mr_str rest = attr.encoded_values;

		while (mr_attr_value_next(&rest, &value) > 0)
			assert_true(value.data >= attr.encoded_values.data);
	}
}

static void damaged_bytes_never_lead_outside(void **state)
{
	struct mr_attrs_builder a;
	uint32_t seed = 5;
	mr_str body;

	(void)state;
	mr_attrs_builder_init(&a);
	add_random(&a, 3, 10, 0);
	body = mr_attrs_finish(&a);
	for (size_t i = 0; i < 2000; i++) {
		size_t size = random_next(&seed) % body.size;
		char *copy = malloc(size + 1); /* of its own, so that a sanitizer sees the end */

		memcpy(copy, body.data, size);
		if (size)
			copy[random_next(&seed) % size] = (char)random_next(&seed);
		walk((mr_str){copy, size});
		free(copy);
	}
	mr_attrs_builder_done(&a);
}

static void numbers_longer_than_needed_are_refused(void **state)
{
	mr_str body = MR_STR("\x81\x00"
	                     "a\x00\x00\x00");
	struct mr_attr attr;

	(void)state;
	assert_int_equal(mr_attrs_next(&body, &attr), MR_E_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(same_content_is_same_bytes__whatever_the_order_of_adding),
	        cmocka_unit_test(order_of_values_counts__when_ordered),
	        cmocka_unit_test(absence_and_emptiness_differ),
	        cmocka_unit_test(the_empty_body_is_there),
	        cmocka_unit_test(a_new_body_starts__when_begun_after_finish),
	        cmocka_unit_test(sealed_bodies_hold_no_secret_and_still_compare),
	        cmocka_unit_test(sealing_twice_changes_nothing),
	        cmocka_unit_test(random_bodies_are_canonical_and_survive_a_round_trip),
	        cmocka_unit_test(damaged_bytes_never_lead_outside),
	        cmocka_unit_test(numbers_longer_than_needed_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
