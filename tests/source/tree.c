/*
 * The files of a desired state, from folders and from commits, with real repositories made by git.
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
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "shell.h"
#include "source/repo.h"
#include "source/tree.h"

struct fixture {
	char root[64];
	struct mr_diags diags;
	struct mr_arena arena;
	struct mr_tree *tree;
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

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	strcpy(f->root, "/tmp/mr-tree-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	*state = f;
	sh(f, "git init -q -b main src; cd src; mkdir -p domains/deep .hidden a; echo 1 "
	      ">mailreeve.yaml; echo 2 >domains/b.yml;"
	      "echo 3 >domains/deep/c.yaml; echo 4 >.hidden/x.yaml; echo 5 >.dot.yaml; echo 6 "
	      ">README.md; echo 7 >a.yaml;"
	      "echo 8 >a/z.yaml; git add -A; git commit -qm first");
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	mr_tree_close(f->tree);
	mr_repo_close(f->repo);
	sh(f, "rm -rf \"$R\"");
	mr_diags_done(&f->diags);
	mr_arena_done(&f->arena);
	free(f);
	return 0;
}

/* Fetches src and opens its head. */
static int open_commit(struct fixture *f, const char *subpath)
{
	struct mr_repo_options options = {.mirror = path(f, "mirror"),
	        .url = mr_str_from(path(f, "src")),
	        .branch = MR_STR("main")};
	mr_str commit;

	if (!f->repo)
		assert_int_equal(mr_repo_open(&f->diags, &options, &f->repo), 0);
	assert_int_equal(mr_repo_fetch(&f->diags, f->repo), 0);
	assert_int_equal(
	        mr_repo_resolve(&f->diags, f->repo, (mr_str){NULL, 0}, &f->arena, &commit), 0);
	return mr_tree_open_commit(&f->diags, f->repo, commit, mr_str_from(subpath), &f->tree);
}

static void expect_files(struct fixture *f, const char *const *names, const char *const *contents)
{
	const struct mr_tree_file *files;
	struct mr_buf content = MR_BUF_INIT;
	size_t n, i;

	files = mr_tree_files(f->tree, &n);
	for (i = 0; names[i]; i++) {
		assert_true(i < n);
		assert_true(mr_str_is(files[i].path, names[i]));
		assert_int_equal(files[i].size_bytes, strlen(contents[i]));
		assert_int_equal(files[i].blob.size, 40);
		mr_buf_clear(&content);
		assert_int_equal(mr_tree_read(f->tree, i, &content), 0);
		assert_string_equal(content.data, contents[i]);
	}
	assert_int_equal(n, i);
	mr_buf_done(&content);
}

static const char *const all_names[] = {
        "a.yaml", "a/z.yaml", "domains/b.yml", "domains/deep/c.yaml", "mailreeve.yaml", NULL};
static const char *const all_contents[] = {"7\n", "8\n", "2\n", "3\n", "1\n", NULL};

static void a_folder_gives_its_yaml_files_sorted(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mr_tree_open_dir(&f->diags, path(f, "src"), &f->tree), 0);
	expect_files(f, all_names, all_contents);
}

static void a_commit_gives_the_same_files_with_the_same_blobs(void **state)
{
	struct fixture *f = *state;
	const struct mr_tree_file *of_commit, *of_dir;
	struct mr_tree *dir = NULL;
	size_t n;

	assert_int_equal(open_commit(f, "."), 0);
	expect_files(f, all_names, all_contents);
	assert_string_equal(mr_tree_id(f->tree).data, sh(f, "git -C src rev-parse HEAD^{tree}"));
	assert_int_equal(mr_tree_open_dir(&f->diags, path(f, "src"), &dir), 0);
	of_commit = mr_tree_files(f->tree, &n);
	of_dir = mr_tree_files(dir, &n);
	for (size_t i = 0; i < n; i++)
		assert_true(mr_str_eq(of_commit[i].blob, of_dir[i].blob));
	mr_tree_close(dir);
}

static void a_subpath_is_the_root_of_the_files(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"b.yml", "deep/c.yaml", NULL};
	static const char *const contents[] = {"2\n", "3\n", NULL};
	struct mr_buf content = MR_BUF_INIT;

	assert_int_equal(open_commit(f, "./domains/"), 0);
	expect_files(f, names, contents);
	assert_int_equal(mr_tree_read_path(f->tree, MR_STR("README.md"), &content), 0);
	assert_string_equal(content.data, "6\n");
	mr_buf_done(&content);
}

static void a_missing_subpath_is_an_error(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(open_commit(f, "nowhere"), MR_E_INVALID);
	assert_int_equal(open_commit(f, "mailreeve.yaml"), MR_E_INVALID);
	assert_int_equal(open_commit(f, "../x"), MR_E_CONFIG);
}

static void expect_diag(struct fixture *f, size_t i, const char *text)
{
	struct mr_buf line = MR_BUF_INIT;

	assert_true(i < f->diags.list.n);
	mr_diag_format(&f->diags.list.items[i], &line);
	assert_string_equal(line.data, text);
	mr_buf_done(&line);
}

static void expect_refusals(struct fixture *f)
{
	mr_diags_sort(&f->diags);
	assert_int_equal(f->diags.list.n, 3);
	expect_diag(
	        f, 0, "domains/big.yaml:1:1: error: the file is larger than 16 MiB [MR-TREE-SIZE]");
	expect_diag(f, 1,
	        "domains/link.yaml:1:1: error: symbolic links are not followed [MR-TREE-SYMLINK]");
	expect_diag(f, 2, "sub:1:1: error: submodules are not followed [MR-TREE-SUBMODULE]");
	mr_diags_clear(&f->diags);
}

static void links_submodules_and_large_files_are_all_refused(void **state)
{
	struct fixture *f = *state;

	sh(f, "cd src; ln -s /etc/passwd domains/link.yaml; truncate -s 16777217 domains/big.yaml;"
	      "git init -q sub; cd sub; echo 1 >x.txt; git add -A; git commit -qm sub; cd ..; git "
	      "-c advice.addEmbeddedRepo=false add -A 2>/dev/null; git commit -qm bad");
	assert_int_equal(mr_tree_open_dir(&f->diags, path(f, "src"), &f->tree), MR_E_INVALID);
	expect_refusals(f);
	assert_int_equal(open_commit(f, "."), MR_E_INVALID);
	expect_refusals(f);
}

static void a_file_of_exactly_the_limit_is_read(void **state)
{
	struct fixture *f = *state;

	sh(f, "truncate -s 16777216 src/domains/big.yaml");
	assert_int_equal(mr_tree_open_dir(&f->diags, path(f, "src"), &f->tree), 0);
}

static void deep_folders_end_in_an_error(void **state)
{
	struct fixture *f = *state;

	sh(f, "cd src; d=.; for i in $(seq 40); do d=$d/d; done; mkdir -p $d; echo 1 >$d/x.yaml; "
	      "git add -A; git commit -qm deep");
	assert_int_equal(mr_tree_open_dir(&f->diags, path(f, "src"), &f->tree), MR_E_INVALID);
	assert_true(mr_str_is(f->diags.list.items[0].rule, "MR-TREE-DEPTH"));
	mr_diags_clear(&f->diags);
	assert_int_equal(open_commit(f, "."), MR_E_INVALID);
	assert_true(mr_str_is(f->diags.list.items[0].rule, "MR-TREE-DEPTH"));
}

static void other_kinds_of_files_are_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkfifo(path(f, "src/pipe.yaml"), 0600), 0);
	assert_int_equal(mr_tree_open_dir(&f->diags, path(f, "src"), &f->tree), MR_E_INVALID);
	assert_true(mr_str_is(f->diags.list.items[0].rule, "MR-TREE-FILE"));
}

static void a_missing_folder_is_wrong_usage(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mr_tree_open_dir(&f->diags, path(f, "nowhere"), &f->tree), MR_E_USAGE);
	assert_int_equal(
	        mr_tree_open_dir(&f->diags, path(f, "src/README.md"), &f->tree), MR_E_USAGE);
}

static void paths_never_leave_the_tree(void **state)
{
	struct fixture *f = *state;
	static const char *const outside[] = {
	        "../x", "/etc/passwd", "a/../../x", "", "a//b", "./a", "out/passwd", "out"};
	struct mr_buf content = MR_BUF_INIT;

	sh(f, "rm src/a.yaml; echo no >secret; mkdir keep");
	assert_int_equal(mr_tree_open_dir(&f->diags, path(f, "src"), &f->tree), 0);
	sh(f, "ln -s /etc src/out"); /* after the walk */
	for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
		assert_int_equal(mr_tree_read_path(f->tree, mr_str_from(outside[i]), &content),
		        MR_E_INVALID);
	assert_int_equal(mr_tree_read_path(f->tree, MR_STR("nothing"), &content), MR_E_NOT_FOUND);
	assert_int_equal(mr_tree_read_path(f->tree, MR_STR("README.md"), &content), 0);
	assert_int_equal(f->diags.list.n, 0);
	mr_buf_done(&content);
}

static void a_file_that_changes_meanwhile_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct mr_buf content = MR_BUF_INIT;

	assert_int_equal(mr_tree_open_dir(&f->diags, path(f, "src"), &f->tree), 0);
	sh(f, "echo other >src/a.yaml; rm src/a/z.yaml");
	assert_int_equal(mr_tree_read(f->tree, 0, &content), MR_E_INVALID);
	assert_int_equal(mr_tree_read(f->tree, 1, &content), MR_E_INVALID);
	assert_int_equal(content.size, 0);
	assert_int_equal(mr_tree_read(f->tree, 2, &content), 0);
	mr_buf_done(&content);
}

static void a_folders_id_tells_its_content(void **state)
{
	struct fixture *f = *state;
	mr_str before, after;

	assert_int_equal(mr_tree_open_dir(&f->diags, path(f, "src"), &f->tree), 0);
	before = mr_str_copy(&f->arena, mr_tree_id(f->tree));
	mr_tree_close(f->tree);
	sh(f, "echo other >src/README.md");
	assert_int_equal(mr_tree_open_dir(&f->diags, path(f, "src"), &f->tree), 0);
	assert_true(mr_str_eq(before, mr_tree_id(f->tree)));
	mr_tree_close(f->tree);
	sh(f, "echo other >src/a.yaml");
	assert_int_equal(mr_tree_open_dir(&f->diags, path(f, "src"), &f->tree), 0);
	after = mr_tree_id(f->tree);
	assert_false(mr_str_eq(before, after));
}

static void a_stored_folder_comes_back_as_a_commit(void **state)
{
	struct fixture *f = *state;
	struct mr_buf content = MR_BUF_INIT;
	struct mr_tree *dir = NULL;
	mr_str commit, author, subject;

	assert_int_equal(open_commit(f, "."), 0);
	mr_tree_close(f->tree);
	sh(f, "cp -r src dir; echo changed >dir/a.yaml");
	assert_int_equal(mr_tree_open_dir(&f->diags, path(f, "dir"), &dir), 0);
	assert_int_equal(mr_tree_read_path(dir, MR_STR("README.md"), &content), 0);
	assert_int_equal(mr_repo_store_tree(&f->diags, f->repo, dir, &f->arena, &commit), 0);
	mr_tree_close(dir);
	assert_int_equal(mr_repo_keep(&f->diags, f->repo, commit, 5), 0);
	assert_int_equal(
	        mr_repo_describe(&f->diags, f->repo, commit, &f->arena, &author, &subject), 0);
	assert_true(mr_str_starts(author, MR_STR("mailreeve")));
	assert_int_equal(
	        mr_tree_open_commit(&f->diags, f->repo, commit, MR_STR("mail/path"), &f->tree), 0);
	expect_files(f, all_names, (const char *const[]){"changed\n", "8\n", "2\n", "3\n", "1\n"});
	mr_buf_clear(&content);
	assert_int_equal(mr_tree_read_path(f->tree, MR_STR("README.md"), &content), 0);
	assert_string_equal(content.data, "6\n");
	mr_buf_done(&content);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(a_folder_gives_its_yaml_files_sorted),
	        TEST(a_commit_gives_the_same_files_with_the_same_blobs),
	        TEST(a_subpath_is_the_root_of_the_files),
	        TEST(a_missing_subpath_is_an_error),
	        TEST(links_submodules_and_large_files_are_all_refused),
	        TEST(a_file_of_exactly_the_limit_is_read),
	        TEST(deep_folders_end_in_an_error),
	        TEST(other_kinds_of_files_are_refused),
	        TEST(a_missing_folder_is_wrong_usage),
	        TEST(paths_never_leave_the_tree),
	        TEST(a_file_that_changes_meanwhile_is_noticed),
	        TEST(a_folders_id_tells_its_content),
	        TEST(a_stored_folder_comes_back_as_a_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
