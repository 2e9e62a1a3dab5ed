/*
 * Views, arenas, buffers, vectors, errors, diagnostics, digests, cursors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/str.h"
#include "base/vec.h"

static void views_are_ordered_bytewise(void **state)
{
	(void)state;
	assert_true(mr_str_cmp(MR_STR("a"), MR_STR("ab")) < 0);
	assert_true(mr_str_cmp(MR_STR("b"), MR_STR("ab")) > 0);
	assert_true(mr_str_cmp(MR_STR("\xc3"), MR_STR("z")) > 0);
	assert_int_equal(mr_str_cmp((mr_str){NULL, 0}, MR_STR("")), 0);
	assert_true(mr_str_eq((mr_str){NULL, 0}, MR_STR("")));
}

static void views_are_cut(void **state)
{
	mr_str rest = MR_STR("a,,b");

	(void)state;
	assert_true(mr_str_is(mr_str_split(&rest, ','), "a"));
	assert_true(mr_str_is(mr_str_split(&rest, ','), ""));
	assert_non_null(rest.data);
	assert_true(mr_str_is(mr_str_split(&rest, ','), "b"));
	assert_null(rest.data);
	assert_true(mr_str_is(mr_str_trim(MR_STR(" \t x y \r\n")), "x y"));
	assert_true(mr_str_is(mr_str_skip(MR_STR("abc"), 9), ""));
	assert_true(mr_str_is(mr_str_take(MR_STR("abc"), 9), "abc"));
	assert_int_equal(mr_str_find(MR_STR("abca"), 'x'), 4);
	assert_int_equal(mr_str_rfind(MR_STR("abca"), 'a'), 3);
	assert_true(mr_str_starts(MR_STR("abc"), MR_STR("")));
	assert_true(mr_str_ends(MR_STR("abc"), MR_STR("bc")));
	assert_false(mr_str_ends(MR_STR("c"), MR_STR("bc")));
}

static void words_are_cut_one_by_one(void **state)
{
	mr_str rest = MR_STR(" \tone two\t three ");

	(void)state;
	assert_true(mr_str_is(mr_str_word(&rest), "one"));
	assert_true(mr_str_is(mr_str_word(&rest), "two"));
	assert_true(mr_str_is(mr_str_word(&rest), "three"));
	assert_int_equal(mr_str_word(&rest).size, 0);
	rest = (mr_str){0};
	assert_int_equal(mr_str_word(&rest).size, 0);
}

static void arena_memory_is_zeroed_aligned_and_kept(void **state)
{
	struct mr_arena arena = MR_ARENA_INIT;
	char *blocks[2000];

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 2000; i++) {
			size_t size = 1 + i * 7 % 900;

			blocks[i] = mr_alloc(&arena, size);
			assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
			for (size_t at = 0; at < size; at++)
				assert_int_equal(blocks[i][at], 0);
			memset(blocks[i], (int)i, size);
		}
		for (size_t i = 0; i < 2000; i++)
			assert_int_equal((unsigned char)blocks[i][0], i & 0xff);
		mr_arena_reset(&arena);
	}
	mr_arena_done(&arena);
}

static void copies_are_terminated(void **state)
{
	struct mr_arena arena = MR_ARENA_INIT;

	(void)state;
	assert_string_equal(mr_str_copy(&arena, mr_str_take(MR_STR("abcdef"), 3)).data, "abc");
	assert_string_equal(mr_str_copy(&arena, (mr_str){NULL, 0}).data, "");
	assert_string_equal(mr_str_printf(&arena, "%d-%s", 5, "x").data, "5-x");
	mr_arena_done(&arena);
}

static void buffers_grow_and_stay_terminated(void **state)
{
	struct mr_buf buf = MR_BUF_INIT;

	(void)state;
	assert_non_null(mr_buf_str(&buf).data);
	for (int i = 0; i < 1000; i++)
		mr_buf_printf(&buf, "%d,", i);
	assert_int_equal(strlen(buf.data), buf.size);
	assert_true(mr_str_ends(mr_buf_str(&buf), MR_STR("998,999,")));
	mr_buf_clear(&buf);
	assert_string_equal(buf.data, "");
	mr_buf_done_secret(&buf);
	assert_null(buf.data);
}

static void vectors_keep_what_is_pushed(void **state)
{
	MR_VEC(int) vec = {0};
	int sum = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		mr_vec_push(&vec, i);
	mr_vec_each (item, &vec)
		sum += *item;
	assert_int_equal(sum, 4950);
	mr_vec_done(&vec);
	assert_int_equal(vec.n, 0);
}

static void every_error_has_its_exit_status(void **state)
{
	(void)state;
	assert_int_equal(mr_error_status(0), 0);
	assert_int_equal(mr_error_status(MR_E_REFUSED), 3);
	assert_int_equal(mr_error_status(MR_E_STUCK), 6);
	assert_int_equal(mr_error_status(MR_E_INVALID), 65);
	assert_int_equal(mr_error_status(MR_E_CONFIG), 78);
	assert_int_equal(mr_error_status(MR_E_STOPPED), 1);
	assert_int_equal(mr_error_status(-9999), 1);
	assert_string_equal(mr_error_name(MR_E_BUSY), "BUSY");
	assert_string_equal(mr_error_text(MR_E_STALE), "the saved plan is stale");
}

static void expect_format(const struct mr_diag *diag, const char *text)
{
	struct mr_buf buf = MR_BUF_INIT;

	mr_diag_format(diag, &buf);
	assert_string_equal(buf.data, text);
	mr_buf_done(&buf);
}

static void diagnostics_are_sorted_and_told_once(void **state)
{
	struct mr_diags diags;
	struct mr_loc b = {MR_STR("b.yaml"), 2, 3}, b1 = {MR_STR("b.yaml"), 10, 1},
	              a = {MR_STR("a.yaml"), 0, 0};

	(void)state;
	mr_diags_init(&diags);
	mr_diags_at(&diags, MR_WARNING, "MR-X", &b1, "later");
	mr_diags_at(&diags, MR_ERROR, "MR-Y", &b, "key '%s'", "k\x1b[31m");
	mr_diags_hint(&diags, "did you mean '%s'?", "key");
	mr_diags_at(&diags, MR_WARNING, "MR-X", &b1, "later");
	mr_diags_at(&diags, MR_ERROR, NULL, &a, "first");
	assert_int_equal(mr_fail(&diags, MR_E_CONFIG, "nowhere"), MR_E_CONFIG);
	mr_diags_sort(&diags);
	assert_int_equal(diags.list.n, 4);
	assert_int_equal(diags.n_errors, 3);
	assert_int_equal(diags.n_warnings, 1);
	expect_format(&diags.list.items[0], "error: nowhere");
	expect_format(&diags.list.items[1], "a.yaml: error: first");
	expect_format(&diags.list.items[2],
	        "b.yaml:2:3: error: key 'k\\x1b[31m' [MR-Y]  (hint: did you mean 'key'?)");
	expect_format(&diags.list.items[3], "b.yaml:10:1: warning: later [MR-X]");
	mr_diags_done(&diags);
}

static void diagnostics_keep_their_own_copies(void **state)
{
	struct mr_diags diags;
	char text[] = "mine";
	struct mr_diag diag = {.text = mr_str_from(text), .object = mr_str_from(text)};

	(void)state;
	mr_diags_init(&diags);
	mr_diags_add(&diags, &diag);
	memset(text, 'x', 4);
	assert_true(mr_str_is(diags.list.items[0].text, "mine"));
	assert_true(mr_str_is(diags.list.items[0].object, "mine"));
	mr_diags_clear(&diags);
	assert_int_equal(diags.list.n, 0);
	mr_diags_done(&diags);
}

static void digests_are_the_known_ones(void **state)
{
	static const uint8_t key[32] = {1}, other[32] = {2};
	struct mr_digest digest = mr_digest_of(MR_STR("abc"));
	struct mr_digest a = mr_digest_keyed(MR_STR("abc"), key),
	                 b = mr_digest_keyed(MR_STR("abc"), other);
	struct mr_buf hex = MR_BUF_INIT;

	(void)state;
	mr_digest_format(&digest, &hex);
	assert_string_equal(
	        hex.data, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_false(mr_digest_eq(&a, &b));
	assert_false(mr_digest_eq(&a, &digest));
	mr_buf_done(&hex);
}

/* RFC 4231, cases 2 and 6: a short key, and one longer than a block. */
static void message_codes_are_the_known_ones(void **state)
{
	char key[131];
	struct mr_digest digest =
	        mr_digest_hmac(MR_STR("what do ya want for nothing?"), MR_STR("Jefe"));
	struct mr_buf hex = MR_BUF_INIT;

	(void)state;
	mr_digest_format(&digest, &hex);
	assert_string_equal(
	        hex.data, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	digest = mr_digest_hmac(MR_STR("Test Using Larger Than Block-Size Key - Hash Key First"),
	        (mr_str){key, sizeof key});
	mr_buf_clear(&hex);
	mr_digest_format(&digest, &hex);
	assert_string_equal(
	        hex.data, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	mr_buf_done(&hex);
}

static struct mr_digest digest_two(mr_str first, mr_str second)
{
	struct mr_hash hash;

	mr_hash_init(&hash);
	mr_hash_add_sized(&hash, first);
	mr_hash_add_sized(&hash, second);
	return mr_hash_final(&hash);
}

static void sized_parts_do_not_run_together(void **state)
{
	struct mr_digest a = digest_two(MR_STR("ab"), MR_STR("c")),
	                 b = digest_two(MR_STR("a"), MR_STR("bc"));

	(void)state;
	assert_false(mr_digest_eq(&a, &b));
}

/* Fills a sorter with n numbered items in the order i * step mod n, and reads it back in order. */
static void sort_numbers(unsigned n, unsigned step)
{
	struct mr_sorter *sorter = mr_sorter_new();
	struct mr_cursor cursor = {0};
	struct mr_item item;
	char text[32];

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(text, sizeof text, "prefix-%08u", i * step % n);
		mr_sorter_add(sorter, &(struct mr_item){.key = mr_str_from(text),
		                              .body = MR_STR("body"),
		                              .object = mr_str_from(text),
		                              .loc = {MR_STR("f.yaml"), i, 1}});
	}
	assert_int_equal(mr_sorter_cursor(sorter, &cursor, NULL), 0);
	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(text, sizeof text, "prefix-%08u", i);
		assert_int_equal(mr_cursor_next(&cursor, &item), 1);
		assert_true(mr_str_is(item.key, text));
		assert_true(mr_str_is(item.object, text));
		assert_true(mr_str_is(item.body, "body"));
		assert_true(mr_str_is(item.loc.path, "f.yaml"));
	}
	assert_int_equal(mr_cursor_next(&cursor, &item), 0);
	mr_cursor_close(&cursor);
	mr_cursor_close(&cursor);
}

static void a_sorter_hands_out_in_key_order(void **state)
{
	(void)state;
	sort_numbers(0, 1);
	sort_numbers(1, 1);
	sort_numbers(10007, 1);
	sort_numbers(10007, 4999);
}

static void a_sorter_tells_keys_that_share_their_first_bytes(void **state)
{
	static const char *const keys[] = {"b", "", "aaaaaaaaab", "aaaaaaaa", "aaaaaaaaa", "a"};
	static const char *const sorted[] = {"", "a", "aaaaaaaa", "aaaaaaaaa", "aaaaaaaaab", "b"};
	struct mr_sorter *sorter = mr_sorter_new();
	struct mr_cursor cursor = {0};
	struct mr_item item;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		mr_sorter_add(sorter, &(struct mr_item){.key = mr_str_from(keys[i])});
	assert_int_equal(mr_sorter_cursor(sorter, &cursor, NULL), 0);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(mr_cursor_next(&cursor, &item), 1);
		assert_true(mr_str_is(item.key, sorted[i]));
	}
	mr_cursor_close(&cursor);
}

static void one_key_twice_is_a_conflict(void **state)
{
	struct mr_sorter *sorter = mr_sorter_new();
	struct mr_cursor cursor = {0};
	mr_str duplicate = {NULL, 0};

	(void)state;
	mr_sorter_add(sorter, &(struct mr_item){.key = MR_STR("x")});
	mr_sorter_add(sorter, &(struct mr_item){.key = MR_STR("a")});
	mr_sorter_add(sorter, &(struct mr_item){.key = MR_STR("x")});
	assert_int_equal(mr_sorter_cursor(sorter, &cursor, &duplicate), MR_E_CONFLICT);
	assert_true(mr_str_is(duplicate, "x"));
	mr_sorter_free(sorter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(views_are_ordered_bytewise),
	        cmocka_unit_test(views_are_cut),
	        cmocka_unit_test(words_are_cut_one_by_one),
	        cmocka_unit_test(arena_memory_is_zeroed_aligned_and_kept),
	        cmocka_unit_test(copies_are_terminated),
	        cmocka_unit_test(buffers_grow_and_stay_terminated),
	        cmocka_unit_test(vectors_keep_what_is_pushed),
	        cmocka_unit_test(every_error_has_its_exit_status),
	        cmocka_unit_test(diagnostics_are_sorted_and_told_once),
	        cmocka_unit_test(diagnostics_keep_their_own_copies),
	        cmocka_unit_test(digests_are_the_known_ones),
	        cmocka_unit_test(message_codes_are_the_known_ones),
	        cmocka_unit_test(sized_parts_do_not_run_together),
	        cmocka_unit_test(a_sorter_hands_out_in_key_order),
	        cmocka_unit_test(a_sorter_tells_keys_that_share_their_first_bytes),
	        cmocka_unit_test(one_key_twice_is_a_conflict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
