/*
 * The cache: blobs, mirrors, and that nothing in it can become a failure.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "store/state.h"

struct fixture {
	char directory[64];
	struct mr_diags diags;
	struct mr_arena arena;
	struct mr_state *state;
	struct mr_cache *cache;
};

static void reopen(struct fixture *f, bool is_writer)
{
	struct mr_state_options options = {
	        .directory = f->directory, .is_writer = is_writer, .purpose = "test"};

	mr_state_close(f->state);
	assert_int_equal(mr_state_open(&f->diags, &options, &f->state), 0);
	f->cache = mr_state_cache(f->state);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	strcpy(f->directory, "/tmp/mr-cache-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	reopen(f, true);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	mr_state_close(f->state);
	assert_int_equal(mr_dir_remove(&f->diags, f->directory), 0);
	mr_diags_done(&f->diags);
	mr_arena_done(&f->arena);
	free(f);
	return 0;
}

static void fill(struct fixture *f, const char *keys, bool is_update, const char *stamp)
{
	assert_int_equal(f->cache->mirror_begin(f->cache, MR_STR("ldap/a"), is_update), 0);
	for (; *keys; keys++)
		assert_int_equal(
		        f->cache->mirror_put(f->cache, (mr_str){keys, 1}, MR_STR("body")), 0);
	assert_int_equal(f->cache->mirror_commit(f->cache, mr_str_from(stamp)), 0);
}

static void expect_keys(struct fixture *f, const char *keys)
{
	struct mr_cursor cursor;
	struct mr_item item;

	assert_int_equal(f->cache->mirror_read(f->cache, MR_STR("ldap/a"), &cursor), 0);
	for (; *keys; keys++) {
		assert_int_equal(mr_cursor_next(&cursor, &item), 1);
		assert_true(mr_str_eq(item.key, (mr_str){keys, 1}));
		assert_true(mr_str_is(item.body, "body"));
	}
	assert_int_equal(mr_cursor_next(&cursor, &item), 0);
	mr_cursor_close(&cursor);
}

static void damage(struct fixture *f)
{
	const char *path = mr_str_printf(&f->arena, "%s/cache.db", f->directory).data;
	int fd;

	mr_state_close(f->state);
	f->state = NULL;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	for (off_t at = 0; at < 40000; at += 512)
		assert_int_equal(pwrite(fd, "garbage garbage!", 16, at), 16);
	(void)close(fd);
}

static void blobs_come_back_in_the_next_process(void **arg)
{
	struct fixture *f = *arg;
	mr_str value;

	assert_false(f->cache->get(f->cache, MR_STR("a"), &f->arena, &value));
	f->cache->put(f->cache, MR_STR("a"), MR_STR("one"));
	f->cache->put(f->cache, MR_STR("a"), MR_STR("two"));
	reopen(f, false);
	assert_true(f->cache->get(f->cache, MR_STR("a"), &f->arena, &value));
	assert_true(mr_str_is(value, "two"));
}

static void mirrors_are_replaced_updated_and_kept(void **arg)
{
	struct fixture *f = *arg;
	mr_str stamp;

	assert_false(f->cache->mirror_stamp(f->cache, MR_STR("ldap/a"), &f->arena, &stamp));
	fill(f, "cab", false, "s1");
	expect_keys(f, "abc");
	fill(f, "x", true, "s2");
	expect_keys(f, "abcx");
	assert_int_equal(f->cache->mirror_begin(f->cache, MR_STR("ldap/a"), true), 0);
	assert_int_equal(f->cache->mirror_remove(f->cache, MR_STR("b")), 0);
	assert_int_equal(f->cache->mirror_commit(f->cache, MR_STR("s3")), 0);
	reopen(f, true);
	expect_keys(f, "acx");
	assert_true(f->cache->mirror_stamp(f->cache, MR_STR("ldap/a"), &f->arena, &stamp));
	assert_true(mr_str_is(stamp, "s3"));
	fill(f, "z", false, "s4");
	expect_keys(f, "z");
}

static void the_old_mirror_stays__when_aborted(void **arg)
{
	struct fixture *f = *arg;
	mr_str stamp;

	fill(f, "ab", false, "s1");
	assert_int_equal(f->cache->mirror_begin(f->cache, MR_STR("ldap/a"), false), 0);
	assert_int_equal(f->cache->mirror_put(f->cache, MR_STR("q"), MR_STR("body")), 0);
	f->cache->mirror_abort(f->cache);
	expect_keys(f, "ab");
	assert_true(f->cache->mirror_stamp(f->cache, MR_STR("ldap/a"), &f->arena, &stamp));
	assert_true(mr_str_is(stamp, "s1"));
}

static void a_damaged_cache_is_thrown_away(void **arg)
{
	struct fixture *f = *arg;
	mr_str value;

	fill(f, "abc", false, "s1");
	damage(f);
	reopen(f, true);
	assert_false(f->cache->get(f->cache, MR_STR("a"), &f->arena, &value));
	fill(f, "d", false, "s2");
	expect_keys(f, "d");
	reopen(f, true);
	expect_keys(f, "d");
	assert_int_equal(f->diags.list.n, 0);
}

static void a_cache_of_an_earlier_boot_is_thrown_away(void **arg)
{
	struct fixture *f = *arg;
	const char *command = mr_str_printf(&f->arena,
	        "sqlite3 '%s/cache.db' \"UPDATE blob SET value = x'00' WHERE name = x''\"",
	        f->directory)
	                              .data;
	mr_str stamp;

	fill(f, "abc", false, "s1");
	mr_state_close(f->state);
	f->state = NULL;
	if (system(command) != 0) { /* NOLINT: a test may use the shell */
		reopen(f, true);
		skip();
	}
	reopen(f, true);
	assert_false(f->cache->mirror_stamp(f->cache, MR_STR("ldap/a"), &f->arena, &stamp));
}

static void a_reader_without_a_state_has_a_cache_of_its_own(void **arg)
{
	struct fixture *f = *arg;

	mr_state_close(f->state);
	f->state = NULL;
	assert_int_equal(mr_dir_remove(&f->diags, f->directory), 0);
	reopen(f, false);
	fill(f, "ba", false, "s1");
	expect_keys(f, "ab");
	mr_state_close(f->state);
	f->state = NULL;
	assert_int_equal(access(f->directory, F_OK), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(blobs_come_back_in_the_next_process),
	        TEST(mirrors_are_replaced_updated_and_kept),
	        TEST(the_old_mirror_stays__when_aborted),
	        TEST(a_damaged_cache_is_thrown_away),
	        TEST(a_cache_of_an_earlier_boot_is_thrown_away),
	        TEST(a_reader_without_a_state_has_a_cache_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
