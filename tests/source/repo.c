/*
 * The mirror: fetching from real repositories, and what damage on either side does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "shell.h"
#include "source/repo.h"
#include "source/tree.h"

struct fixture {
	char root[64];
	struct mr_diags diags;
	struct mr_arena arena;
	struct mr_repo *repo;
};

static const char *path(struct fixture *f, const char *name)
{
	return mr_str_printf(&f->arena, "%s/%s", f->root, name).data;
}

static const char *sh(struct fixture *f, const char *script)
{
	return run_shell(&f->diags, &f->arena, f->root, script);
}

static int open_url(struct fixture *f, const char *url)
{
	struct mr_repo_options options = {.mirror = path(f, "state/mirror"),
	        .url = mr_str_from(url),
	        .branch = MR_STR("main"),
	        .timeout_ms = 20000};

	mr_repo_close(f->repo);
	f->repo = NULL;
	return mr_repo_open(&f->diags, &options, &f->repo);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	strcpy(f->root, "/tmp/mr-repo-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	*state = f;
	sh(f, "git init -q -b main src; cd src; echo 1 >mailreeve.yaml; echo 2 >b.yaml; git add "
	      "-A; git commit -qm 'first subject'; git tag v1;"
	      "git tag -a v1a -m annotated; git branch other");
	assert_int_equal(open_url(f, path(f, "src")), 0);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	mr_repo_close(f->repo);
	sh(f, "rm -rf \"$R\"");
	mr_diags_done(&f->diags);
	mr_arena_done(&f->arena);
	free(f);
	return 0;
}

static const char *resolve(struct fixture *f, const char *ref)
{
	mr_str commit = {NULL, 0};
	int result = mr_repo_resolve(&f->diags, f->repo, mr_str_from(ref), &f->arena, &commit);

	return result < 0 ? mr_error_name(result) : commit.data;
}

static void fetch(struct fixture *f)
{
	assert_int_equal(mr_repo_fetch(&f->diags, f->repo), 0);
}

static int open_head(struct fixture *f, struct mr_tree **out)
{
	return mr_tree_open_commit(
	        &f->diags, f->repo, mr_str_from(resolve(f, NULL)), MR_STR("."), out);
}

static void new_commits_arrive(void **state)
{
	struct fixture *f = *state;

	fetch(f);
	assert_string_equal(resolve(f, NULL), sh(f, "git -C src rev-parse HEAD"));
	sh(f, "cd src; echo 3 >b.yaml; git commit -qam second");
	fetch(f);
	assert_string_equal(resolve(f, NULL), sh(f, "git -C src rev-parse HEAD"));
	fetch(f);
}

static void packed_and_bare_repositories_are_read(void **state)
{
	struct fixture *f = *state;

	sh(f, "git clone -q --bare src bare; git -C bare gc -q");
	assert_int_equal(
	        open_url(f, mr_str_printf(&f->arena, "file://%s", path(f, "bare")).data), 0);
	fetch(f);
	assert_string_equal(resolve(f, NULL), sh(f, "git -C src rev-parse HEAD"));
}

static void names_of_every_kind_are_resolved(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"main", "refs/heads/main", "other", "refs/heads/other",
	        "v1", "v1a", "refs/tags/v1a"};
	static const char *const unknown[] = {"nothing", "HEAD", "main~1", "main@{0}", "v1^{}",
	        "refs/../x", "abc", "-x", "0000000"};
	const char *head = sh(f, "git -C src rev-parse HEAD");

	fetch(f);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_string_equal(resolve(f, names[i]), head);
	assert_string_equal(resolve(f, head), head);
	assert_string_equal(resolve(f, mr_str_printf(&f->arena, "%.7s", head).data), head);
	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
		assert_string_equal(resolve(f, unknown[i]), "NOT_FOUND");
	assert_string_equal(resolve(f, mr_str_printf(&f->arena, "%.6s", head).data), "NOT_FOUND");
}

static void another_branch_follows_too(void **state)
{
	struct fixture *f = *state;

	fetch(f);
	sh(f, "cd src; git checkout -q other; echo 9 >c.yaml; git add -A; git commit -qm other");
	fetch(f);
	assert_string_equal(resolve(f, "other"), sh(f, "git -C src rev-parse other"));
}

static void ancestry_is_told(void **state)
{
	struct fixture *f = *state;
	const char *first = sh(f, "git -C src rev-parse HEAD");
	const char *second =
	        sh(f, "cd src; echo 3 >b.yaml; git commit -qam second; git rev-parse HEAD");
	const char *aside = sh(f, "cd src; git checkout -q other; git commit -q --allow-empty -m "
	                          "aside; git rev-parse HEAD");
	bool is = false;

	fetch(f);
	assert_int_equal(mr_repo_is_descendant(
	                         &f->diags, f->repo, mr_str_from(second), mr_str_from(first), &is),
	        0);
	assert_true(is);
	assert_int_equal(mr_repo_is_descendant(
	                         &f->diags, f->repo, mr_str_from(first), mr_str_from(second), &is),
	        0);
	assert_false(is);
	assert_int_equal(mr_repo_is_descendant(
	                         &f->diags, f->repo, mr_str_from(first), mr_str_from(first), &is),
	        0);
	assert_true(is);
	assert_int_equal(mr_repo_is_descendant(
	                         &f->diags, f->repo, mr_str_from(aside), mr_str_from(second), &is),
	        0);
	assert_false(is);
	assert_int_equal(mr_repo_is_descendant(&f->diags, f->repo, mr_str_from(second),
	                         MR_STR("1234567890123456789012345678901234567890"), &is),
	        0);
	assert_false(is);
}

static void a_commit_is_described(void **state)
{
	struct fixture *f = *state;
	mr_str author, subject;

	fetch(f);
	assert_int_equal(mr_repo_describe(&f->diags, f->repo, mr_str_from(resolve(f, NULL)),
	                         &f->arena, &author, &subject),
	        0);
	assert_true(mr_str_is(author, "Ann <a@example.org>"));
	assert_true(mr_str_is(subject, "first subject"));
}

static void a_kept_commit_survives_a_rewritten_branch(void **state)
{
	struct fixture *f = *state;
	const char *first;
	struct mr_tree *tree = NULL;

	fetch(f);
	first = resolve(f, NULL);
	assert_int_equal(mr_repo_keep(&f->diags, f->repo, mr_str_from(first), 12), 0);
	sh(f, "cd src; git tag -d v1 v1a >/dev/null; git branch -q -D other; git checkout -q "
	      "--orphan fresh; git commit -qm rewritten;"
	      "git branch -q -M fresh main");
	fetch(f);
	assert_string_not_equal(resolve(f, NULL), first);
	assert_string_equal(resolve(f, "refs/mailreeve/runs/12"), first);
	assert_string_equal(resolve(f, "other"), "NOT_FOUND");
	assert_int_equal(
	        mr_tree_open_commit(&f->diags, f->repo, mr_str_from(first), MR_STR("."), &tree), 0);
	mr_tree_close(tree);
}

/* Damages src, expects the code, and that the mirror's state is still there. */
static void expect_last_good(struct fixture *f, const char *damage, int code)
{
	struct mr_tree *tree = NULL;
	const char *before;

	fetch(f);
	before = resolve(f, NULL);
	sh(f, damage);
	assert_int_equal(mr_repo_fetch(&f->diags, f->repo), code);
	assert_int_equal(f->diags.n_errors, 1);
	assert_string_equal(resolve(f, NULL), before);
	assert_int_equal(open_head(f, &tree), 0);
	mr_tree_close(tree);
}

static void the_last_good_state_stays__when_the_remote_is_gone(void **state)
{
	expect_last_good(*state, "mv src away", MR_E_BUSY);
}

static void the_last_good_state_stays__when_the_branch_is_gone(void **state)
{
	expect_last_good(
	        *state, "cd src; git checkout -q other; git branch -q -D main", MR_E_UNREADABLE);
}

static void the_last_good_state_stays__when_the_remote_is_emptied(void **state)
{
	expect_last_good(*state, "rm -rf src; git init -q -b main src", MR_E_UNREADABLE);
}

static void the_last_good_state_stays__when_a_ref_is_torn(void **state)
{
	expect_last_good(*state, ": >src/.git/refs/heads/main", MR_E_UNREADABLE);
}

static void the_last_good_state_stays__when_the_remote_is_no_repository(void **state)
{
	expect_last_good(*state, "rm -rf src/.git/objects src/.git/HEAD", MR_E_UNREADABLE);
}

static void the_last_good_state_stays__when_an_object_is_missing(void **state)
{
	expect_last_good(*state,
	        "cd src; echo lost >lost.yaml; git add -A; git commit -qm lost;"
	        "b=$(git rev-parse HEAD:lost.yaml); rm -f .git/objects/$(echo $b | cut "
	        "-c1-2)/$(echo $b | cut -c3-)",
	        MR_E_UNREADABLE);
}

static void the_last_good_state_stays__when_an_object_is_garbage(void **state)
{
	expect_last_good(*state,
	        "cd src; echo lost >lost.yaml; git add -A; git commit -qm lost;"
	        "b=$(git rev-parse HEAD:lost.yaml); p=.git/objects/$(echo $b | cut -c1-2)/$(echo "
	        "$b | cut -c3-);"
	        "chmod 644 $p; echo garbage >$p",
	        MR_E_UNREADABLE);
}

static void the_last_good_state_stays__when_a_pack_is_truncated(void **state)
{
	expect_last_good(*state,
	        "cd src; echo lost >lost.yaml; git add -A; git commit -qm lost; git gc -q;"
	        "p=$(ls .git/objects/pack/*.pack); chmod 644 $p; truncate -s -60 $p",
	        MR_E_UNREADABLE);
}

static void a_damaged_mirror_is_made_anew(void **state)
{
	struct fixture *f = *state;
	struct mr_tree *tree = NULL;

	fetch(f);
	sh(f, "rm -rf state/mirror/objects; mkdir state/mirror/objects");
	assert_int_equal(open_url(f, path(f, "src")), 0);
	assert_string_equal(resolve(f, NULL), "UNREADABLE");
	assert_int_equal(open_url(f, path(f, "src")), 0);
	fetch(f);
	assert_int_equal(open_head(f, &tree), 0);
	mr_tree_close(tree);
	sh(f, ": >state/mirror/HEAD");
	assert_int_equal(open_url(f, path(f, "src")), 0);
	fetch(f);
	assert_int_equal(open_head(f, &tree), 0);
	mr_tree_close(tree);
}

static void a_foreign_folder_is_not_taken_as_mirror(void **state)
{
	struct fixture *f = *state;

	sh(f, "rm -rf state/mirror; mkdir -p state/mirror; echo precious >state/mirror/letter");
	assert_int_equal(open_url(f, path(f, "src")), MR_E_CONFIG);
	sh(f, "test -f state/mirror/letter");
}

static void urls_that_cannot_be_trusted_are_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const urls[] = {"git://host/x", "http://host/x", "", "ext::sh -c date",
	        "git@host:x.git", "ssh://git@host/x", "ftp://host/x", "rsync://host/x"};

	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		mr_diags_clear(&f->diags);
		assert_int_equal(open_url(f, urls[i]), 0);
		assert_int_equal(mr_repo_fetch(&f->diags, f->repo), MR_E_CONFIG);
		assert_int_equal(f->diags.n_errors, 1);
		assert_true(f->diags.list.items[0].hint.size > 0);
	}
}

static void a_password_in_a_url_is_not_shown(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(open_url(f, "ssh://git:hunter2@host/x"), 0);
	assert_int_equal(mr_repo_fetch(&f->diags, f->repo), MR_E_CONFIG);
	assert_null(strstr(f->diags.list.items[0].text.data, "hunter2"));
	assert_non_null(strstr(f->diags.list.items[0].text.data, "host/x"));
}

static void a_server_that_refuses_to_speak_is_tried_later(void **state)
{
	struct fixture *f = *state;
	struct mr_repo_options options = {.mirror = path(f, "state/mirror"),
	        .url = MR_STR("https://127.0.0.1:9/x"),
	        .branch = MR_STR("main"),
	        .timeout_ms = 2000};

	mr_repo_close(f->repo);
	assert_int_equal(mr_repo_open(&f->diags, &options, &f->repo), 0);
	assert_int_equal(mr_repo_fetch(&f->diags, f->repo), MR_E_BUSY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(new_commits_arrive),
	        TEST(packed_and_bare_repositories_are_read),
	        TEST(names_of_every_kind_are_resolved),
	        TEST(another_branch_follows_too),
	        TEST(ancestry_is_told),
	        TEST(a_commit_is_described),
	        TEST(a_kept_commit_survives_a_rewritten_branch),
	        TEST(the_last_good_state_stays__when_the_remote_is_gone),
	        TEST(the_last_good_state_stays__when_the_branch_is_gone),
	        TEST(the_last_good_state_stays__when_the_remote_is_emptied),
	        TEST(the_last_good_state_stays__when_a_ref_is_torn),
	        TEST(the_last_good_state_stays__when_the_remote_is_no_repository),
	        TEST(the_last_good_state_stays__when_an_object_is_missing),
	        TEST(the_last_good_state_stays__when_an_object_is_garbage),
	        TEST(the_last_good_state_stays__when_a_pack_is_truncated),
	        TEST(a_damaged_mirror_is_made_anew),
	        TEST(a_foreign_folder_is_not_taken_as_mirror),
	        TEST(urls_that_cannot_be_trusted_are_refused),
	        TEST(a_password_in_a_url_is_not_shown),
	        TEST(a_server_that_refuses_to_speak_is_tried_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
