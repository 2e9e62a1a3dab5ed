/*
 * Glances: a branch that did not move is known without libgit2, and one that moved is noticed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
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
	struct mr_tree *tree;
	mr_str commit;
};

static const char *path(struct fixture *f, const char *name)
{
	return mr_str_printf(&f->arena, "%s/%s", f->root, name).data;
}

static void sh(struct fixture *f, const char *script)
{
	(void)run_shell(&f->diags, &f->arena, f->root, script);
}

/* What a plan does: fetch, resolve, list. */
static int look(struct fixture *f)
{
	struct mr_repo_options options = {.mirror = path(f, "mirror"),
	        .url = mr_str_from(path(f, "src")),
	        .branch = MR_STR("main"),
	        .timeout_ms = 20000};
	int code;

	mr_tree_close(f->tree);
	mr_repo_close(f->repo);
	f->tree = NULL;
	f->repo = NULL;
	code = mr_repo_open(&f->diags, &options, &f->repo);
	if (!code)
		code = mr_repo_fetch(&f->diags, f->repo);
	if (!code)
		code = mr_repo_resolve(&f->diags, f->repo, (mr_str){0}, &f->arena, &f->commit);
	if (!code)
		code = mr_tree_open_commit(&f->diags, f->repo, f->commit, MR_STR("."), &f->tree);
	return code;
}

/* Until what was written last is old enough to be told from a later change. */
static void look_until_known(struct fixture *f)
{
	for (int tries = 0; access(path(f, "mirror/mailreeve-glance"), F_OK) < 0; tries++) {
		assert_true(tries < 100);
		(void)poll(NULL, 0, 20);
		assert_int_equal(look(f), 0);
	}
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	strcpy(f->root, "/tmp/mr-glance-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	*state = f;
	sh(f, "git init -q -b main src; cd src; echo 1 >mailreeve.yaml; echo 2 >b.yaml; git add "
	      "-A; "
	      "git commit -qm 'first subject'");
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	mr_tree_close(f->tree);
	mr_repo_close(f->repo);
	assert_int_equal(mr_dir_remove(&f->diags, f->root), 0);
	mr_diags_done(&f->diags);
	mr_arena_done(&f->arena);
	free(f);
	return 0;
}

static void the_objects_are_not_needed__when_nothing_moved(void **state)
{
	struct fixture *f = *state;
	const struct mr_tree_file *files;
	mr_str author, subject, commit;
	size_t n;

	assert_int_equal(look(f), 0);
	commit = f->commit;
	look_until_known(f);
	sh(f, "mv mirror/objects aside");
	assert_int_equal(look(f), 0);
	assert_true(mr_str_eq(f->commit, commit));
	files = mr_tree_files(f->tree, &n);
	assert_int_equal(n, 2);
	assert_true(mr_str_is(files[0].path, "b.yaml"));
	assert_true(mr_str_is(files[0].blob, "0cfbf08886fca9a91cb753ec8734c84fcbe52c9f"));
	assert_int_equal(files[0].size_bytes, 2);
	assert_int_equal(
	        mr_repo_describe(&f->diags, f->repo, commit, &f->arena, &author, &subject), 0);
	assert_true(mr_str_is(author, "Ann <a@example.org>"));
	assert_true(mr_str_is(subject, "first subject"));
}

static void files_can_be_read__after_a_glance(void **state)
{
	struct fixture *f = *state;
	struct mr_buf text = MR_BUF_INIT;

	assert_int_equal(look(f), 0);
	look_until_known(f);
	assert_int_equal(look(f), 0);
	assert_int_equal(mr_tree_read(f->tree, 1, &text), 0);
	assert_true(mr_str_is(mr_buf_str(&text), "1\n"));
	assert_int_equal(mr_tree_read_path(f->tree, MR_STR("b.yaml"), &text), 0);
	assert_true(mr_str_is(mr_buf_str(&text), "1\n2\n"));
	mr_buf_done(&text);
}

static void expect_notice(struct fixture *f, const char *script)
{
	mr_str before;

	assert_int_equal(look(f), 0);
	look_until_known(f);
	before = f->commit;
	sh(f, script);
	assert_int_equal(look(f), 0);
	assert_false(mr_str_eq(f->commit, before));
}

static void a_new_commit_is_noticed(void **state)
{
	expect_notice(*state, "cd src; echo 3 >c.yaml; git add -A; git commit -qm second");
}

static void a_rewritten_branch_is_noticed(void **state)
{
	expect_notice(*state, "cd src; git commit -q --amend -m other; git pack-refs --all; git gc "
	                      "-q --prune=now");
}

static void many_commits_are_copied(void **state)
{
	struct fixture *f = *state;
	size_t n;

	expect_notice(f,
	        "cd src; mkdir -p x/y; for i in 1 2 3; do echo $i >x/y/$i.yaml; git add -A; "
	        "git commit -qm $i; done; git rm -q b.yaml; git commit -qm less");
	(void)mr_tree_files(f->tree, &n);
	assert_int_equal(n, 4);
	sh(f, "git --git-dir mirror fsck --full --strict; test $(ls mirror/objects/pack/*.pack | "
	      "wc -l) = 1");
}

static void a_remote_that_went_is_noticed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(look(f), 0);
	look_until_known(f);
	sh(f, "mv src gone");
	assert_int_not_equal(look(f), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(the_objects_are_not_needed__when_nothing_moved),
	        TEST(files_can_be_read__after_a_glance),
	        TEST(a_new_commit_is_noticed),
	        TEST(a_rewritten_branch_is_noticed),
	        TEST(many_commits_are_copied),
	        TEST(a_remote_that_went_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
