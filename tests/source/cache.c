/*
 * What is kept from one compile to the next, and that it never shows.
 */
#include "repository.h"

#include <unistd.h>

static void only_what_changed_is_parsed__when_there_is_a_cache(void **state)
{
	struct repository *r = *state;

	r->options.cache_path = repository_path(r, "rows.db");
	repository_text(r, "mailreeve.yaml", ROOT);
	repository_text(r, "a.yaml", "domains: {example.org: {users: {postmaster: {}}}}\n");
	repository_text(r, "b.yaml", "postfix: {parameters: {a: 1}}\n");
	repository_must_compile(r);
	assert_int_equal(r->stats.n_parsed, 3);
	assert_true(repository_has(r, "[MR-USER-NO-PASSWORD]"));
	repository_must_compile(r);
	assert_int_equal(r->stats.n_parsed, 0);
	assert_int_equal(r->stats.n_cached, 3);
	assert_true(repository_has(r, "[MR-USER-NO-PASSWORD]"));
	repository_text(r, "b.yaml", "postfix: {parameters: {b: 2}}\n");
	repository_must_compile(r);
	assert_int_equal(r->stats.n_parsed, 1);
	assert_str(parameter_of(r, "b"), "2");
	assert_int_equal(parameter_of(r, "a").size, 0);
	assert_int_equal(
	        rename(repository_path(r, "tree/b.yaml"), repository_path(r, "tree/c.yaml")), 0);
	repository_must_compile(r);
	assert_int_equal(r->stats.n_parsed, 0);
	assert_int_equal(unlink(repository_path(r, "tree/c.yaml")), 0);
	repository_must_compile(r);
	assert_int_equal(parameter_of(r, "b").size, 0);
}

static void a_mistake_is_reported_again__when_its_file_did_not_change(void **state)
{
	struct repository *r = *state;

	r->options.cache_path = repository_path(r, "rows.db");
	repository_text(r, "mailreeve.yaml", ROOT);
	repository_text(r, "a.yaml", "postfix: {parameter: {}}\n");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(repository_compile(r), MR_E_INVALID);
		assert_int_equal(r->diags.n_errors, 1);
		assert_true(repository_has(r, "a.yaml:1:11: error: unknown key 'parameter'"));
	}
	assert_int_equal(r->stats.n_parsed, 1);
	repository_text(r, "a.yaml", "postfix: {parameters: {}}\n");
	repository_must_compile(r);
}

static void a_damaged_cache_does_no_harm__when_opened(void **state)
{
	struct repository *r = *state;

	r->options.cache_path = repository_path(r, "rows.db");
	repository_write(r, "rows.db",
	        MR_STR("this is no database, but long enough to be looked at as if it were "
	               "one........."));
	repository_text(r, "mailreeve.yaml", ROOT "postfix: {parameters: {a: 1}}\n");
	repository_must_compile(r);
	assert_str(parameter_of(r, "a"), "1");
	r->options.cache_path = "/proc/there/is/no/such/folder";
	repository_must_compile(r);
	assert_str(parameter_of(r, "a"), "1");
}

static void an_open_state_stays_as_it_was__when_another_tree_is_compiled(void **state)
{
	struct repository *r = *state;
	struct mr_desired *first;
	struct mr_iter iter;
	struct mr_parameter parameter;

	r->options.cache_path = repository_path(r, "rows.db");
	repository_text(r, "mailreeve.yaml", ROOT "postfix: {parameters: {a: old}}\n");
	repository_must_compile(r);
	first = r->desired;
	r->desired = NULL;
	repository_text(r, "mailreeve.yaml", ROOT "postfix: {parameters: {a: new}}\n");
	repository_must_compile(r);
	assert_str(parameter_of(r, "a"), "new");
	assert_int_equal(mr_desired_begin_parameter(first, &iter), 0);
	assert_int_equal(mr_desired_next_parameter(&iter, &parameter), 1);
	assert_str(parameter.value, "old");
	mr_desired_end(&iter);
	mr_desired_close(first);
}

static void the_digest_knows_meaning_only__when_places_change(void **state)
{
	struct repository *r = *state;
	struct mr_digest first, second;

	repository_text(r, "mailreeve.yaml",
	        ROOT "domains: {example.org: {users: {postmaster: {name: P, state: no_login}}}}\n");
	repository_must_compile(r);
	first = mr_desired_digest(r->desired);
	repository_text(r, "mailreeve.yaml", ROOT "# moved\n");
	repository_text(r, "x.yaml",
	        "domains:\n  example.org:\n    users:\n      postmaster:\n        state: "
	        "no_login\n        name: P\n");
	repository_must_compile(r);
	second = mr_desired_digest(r->desired);
	assert_true(mr_digest_eq(&first, &second));
	repository_text(r, "x.yaml",
	        "domains:\n  example.org:\n    users:\n      postmaster:\n        state: "
	        "no_login\n        name: Q\n");
	repository_must_compile(r);
	second = mr_desired_digest(r->desired);
	assert_false(mr_digest_eq(&first, &second));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(only_what_changed_is_parsed__when_there_is_a_cache),
	        TEST(a_mistake_is_reported_again__when_its_file_did_not_change),
	        TEST(a_damaged_cache_does_no_harm__when_opened),
	        TEST(an_open_state_stays_as_it_was__when_another_tree_is_compiled),
	        TEST(the_digest_knows_meaning_only__when_places_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
