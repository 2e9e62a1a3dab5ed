/*
 * Files and folders: reading, replacing, removing, and that links are never followed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"

struct fixture {
	char root[64];
	struct mr_diags diags;
	struct mr_arena arena;
	struct mr_buf buf;
};

static const char *path(struct fixture *f, const char *name)
{
	return mr_str_printf(&f->arena, "%s/%s", f->root, name).data;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	strcpy(f->root, "/tmp/mr-file-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mr_dir_remove(&f->diags, f->root), 0);
	assert_int_equal(access(f->root, F_OK), -1);
	mr_buf_done(&f->buf);
	mr_diags_done(&f->diags);
	mr_arena_done(&f->arena);
	free(f);
	return 0;
}

static void a_file_is_replaced_and_read(void **state)
{
	struct fixture *f = *state;
	const char *name = path(f, "x");
	struct stat status;

	assert_int_equal(mr_file_read(&f->diags, name, 100, &f->buf), MR_E_NOT_FOUND);
	assert_int_equal(f->diags.list.n, 0);
	assert_int_equal(mr_file_replace(&f->diags, name, MR_STR("one"), NULL), 0);
	assert_int_equal(stat(name, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0644);
	assert_int_equal(mr_file_read(&f->diags, name, 3, &f->buf), 0);
	assert_int_equal(mr_file_read(&f->diags, name, 3, &f->buf), 0);
	assert_string_equal(f->buf.data, "oneone"); /* appended */
	assert_int_equal(mr_file_read(&f->diags, name, 2, &f->buf), MR_E_FAILED);
	assert_int_equal(f->buf.size, 6);
}

static void mode_and_owner_stay__when_replaced(void **state)
{
	struct fixture *f = *state;
	const char *name = path(f, "x");
	struct mr_file_owner owner = {geteuid(), getegid(), 0640};
	struct stat status;

	if (geteuid() == 0)
		owner.uid = owner.gid = 12345;
	assert_int_equal(mr_file_replace(&f->diags, name, MR_STR("one"), &owner), 0);
	assert_int_equal(mr_file_replace(&f->diags, name, MR_STR("two"), NULL), 0);
	assert_int_equal(stat(name, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
	assert_int_equal(status.st_uid, owner.uid);
	assert_int_equal(status.st_gid, owner.gid);
}

static void links_are_not_replaced(void **state)
{
	struct fixture *f = *state;
	struct stat status;

	assert_int_equal(symlink("target", path(f, "link")), 0);
	assert_int_equal(
	        mr_file_replace(&f->diags, path(f, "link"), MR_STR("x"), NULL), MR_E_FAILED);
	assert_int_equal(lstat(path(f, "link"), &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	assert_int_equal(access(path(f, "target"), F_OK), -1);
}

static void nothing_is_left_behind__when_a_replace_fails(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mr_file_replace(&f->diags, path(f, "no/such/folder"), MR_STR("x"), NULL),
	        MR_E_FAILED);
	assert_int_equal(mr_file_write_new(&f->diags, path(f, "n"), MR_STR("x"), NULL), 0);
	assert_int_equal(mr_file_write_new(&f->diags, path(f, "n"), MR_STR("y"), NULL), 0);
	assert_int_equal(mr_file_rename(&f->diags, path(f, "absent"), path(f, "n")), MR_E_FAILED);
	assert_int_equal(mr_file_read(&f->diags, path(f, "n"), 10, &f->buf), 0);
	assert_string_equal(f->buf.data, "y");
}

static void pipes_and_folders_are_not_read(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkfifo(path(f, "pipe"), 0600), 0);
	assert_int_equal(mr_file_read(&f->diags, path(f, "pipe"), 10, &f->buf), MR_E_FAILED);
	assert_int_equal(mr_file_read(&f->diags, f->root, 10, &f->buf), MR_E_FAILED);
	assert_int_equal(mr_file_remove(&f->diags, path(f, "pipe")), 0);
	assert_int_equal(mr_file_remove(&f->diags, path(f, "pipe")), 0);
}

static void folders_are_made_with_parents_and_removed_whole(void **state)
{
	struct fixture *f = *state;
	struct stat status;

	assert_int_equal(mr_dir_make(&f->diags, path(f, "a/b/c/"), 0700), 0);
	assert_int_equal(mr_dir_make(&f->diags, path(f, "a/b/c"), 0700), 0);
	assert_int_equal(stat(path(f, "a/b/c"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	assert_int_equal(mr_dir_make(&f->diags, path(f, "kept"), 0700), 0);
	assert_int_equal(mr_file_replace(&f->diags, path(f, "kept/file"), MR_STR("x"), NULL), 0);
	assert_int_equal(symlink("../../kept", path(f, "a/b/link")), 0);
	assert_int_equal(mr_file_replace(&f->diags, path(f, "a/b/c/file"), MR_STR("x"), NULL), 0);
	assert_int_equal(mr_dir_remove(&f->diags, path(f, "a")), 0);
	assert_int_equal(access(path(f, "a"), F_OK), -1);
	assert_int_equal(access(path(f, "kept/file"), F_OK), 0);
	assert_int_equal(mr_dir_remove(&f->diags, path(f, "a")), 0);
	assert_int_equal(mr_dir_make(&f->diags, path(f, "kept/file/x"), 0700), MR_E_FAILED);
}

static void a_changed_file_has_another_identity(void **state)
{
	struct fixture *f = *state;
	struct mr_file_identity before, after, absent, zero = {0};

	mr_file_identify(path(f, "x"), &absent);
	assert_memory_equal(&absent, &zero, sizeof zero);
	assert_int_equal(mr_file_replace(&f->diags, path(f, "x"), MR_STR("one"), NULL), 0);
	mr_file_identify(path(f, "x"), &before);
	mr_file_identify(path(f, "x"), &after);
	assert_memory_equal(&before, &after, sizeof after);
	assert_int_equal(mr_file_replace(&f->diags, path(f, "x"), MR_STR("two"), NULL), 0);
	mr_file_identify(path(f, "x"), &after);
	assert_memory_not_equal(&before, &after, sizeof after);
}

static void what_is_published_is_whole_and_has_its_mode(void **state)
{
	struct fixture *f = *state;
	const char *name = path(f, "x");
	struct stat status;
	mode_t before = umask(077);

	assert_int_equal(mr_file_publish(&f->diags, name, MR_STR("one"), 0644), 0);
	assert_int_equal(mr_file_publish(&f->diags, name, MR_STR("two"), 0644), 0);
	(void)umask(before);
	assert_int_equal(stat(name, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0644);
	assert_int_equal(mr_file_read(&f->diags, name, 100, &f->buf), 0);
	assert_string_equal(f->buf.data, "two");
	/* not over a folder, and nothing is left beside it */
	assert_int_equal(mkdir(path(f, "folder"), 0755), 0);
	assert_int_equal(
	        mr_file_publish(&f->diags, path(f, "folder"), MR_STR("x"), 0644), MR_E_FAILED);
	assert_int_equal(rmdir(path(f, "folder")), 0);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(rmdir(f->root), 0);
	assert_int_equal(mkdir(f->root, 0700), 0);
}

static uid_t owner_of(struct fixture *f, const char *name)
{
	struct stat status;

	assert_int_equal(lstat(path(f, name), &status), 0);
	return status.st_uid;
}

static void a_given_folder_is_anothers_to_the_last_file(void **state)
{
	struct fixture *f = *state;
	uid_t mine = geteuid(), theirs = 12345;

	if (mine != 0)
		skip(); /* only root can give */
	assert_int_equal(mr_dir_make(&f->diags, path(f, "given/a/b"), 0700), 0);
	assert_int_equal(
	        mr_file_replace(&f->diags, path(f, "given/a/b/file"), MR_STR("x"), NULL), 0);
	assert_int_equal(mr_file_replace(&f->diags, path(f, "outside"), MR_STR("x"), NULL), 0);
	assert_int_equal(mr_file_replace(&f->diags, path(f, "linked"), MR_STR("x"), NULL), 0);
	assert_int_equal(symlink("../outside", path(f, "given/symlink")), 0);
	assert_int_equal(link(path(f, "linked"), path(f, "given/hard")), 0);
	assert_int_equal(mr_dir_give(&f->diags, path(f, "given"), theirs, theirs), 0);
	assert_int_equal(owner_of(f, "given"), theirs);
	assert_int_equal(owner_of(f, "given/a/b"), theirs);
	assert_int_equal(owner_of(f, "given/a/b/file"), theirs);
	assert_int_equal(owner_of(f, "given/symlink"), theirs);
	assert_int_equal(owner_of(f, "outside"), mine);
	assert_int_equal(owner_of(f, "linked"), mine); /* its other name may be anybody's */
	assert_int_equal(mr_dir_give(&f->diags, path(f, "given"), theirs, theirs), 0);
	assert_int_equal(mr_dir_give(&f->diags, path(f, "absent"), theirs, theirs), 0);
	assert_int_equal(f->diags.list.n, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(a_file_is_replaced_and_read),
	        TEST(mode_and_owner_stay__when_replaced),
	        TEST(links_are_not_replaced),
	        TEST(what_is_published_is_whole_and_has_its_mode),
	        TEST(nothing_is_left_behind__when_a_replace_fails),
	        TEST(pipes_and_folders_are_not_read),
	        TEST(folders_are_made_with_parents_and_removed_whole),
	        TEST(a_given_folder_is_anothers_to_the_last_file),
	        TEST(a_changed_file_has_another_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
