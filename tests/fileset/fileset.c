/*
 * Files as steps of a transaction, and their lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <fcntl.h>

#include "fileset/fileset.h"
#include "fileset/lines.h"

struct room {
	char folder[64];
	char work[80];
	char path[80];
	struct mr_diags diags;
	struct mr_fileset set;
	struct mr_fileset_file file;
};

static int open_room(void **state)
{
	struct room *room = calloc(1, sizeof *room);

	snprintf(room->folder, sizeof room->folder, "/tmp/mailreeve-fileset-XXXXXX");
	assert_non_null(mkdtemp(room->folder));
	snprintf(room->work, sizeof room->work, "%s/work", room->folder);
	snprintf(room->path, sizeof room->path, "%s/file", room->folder);
	mr_diags_init(&room->diags);
	room->set = (struct mr_fileset){&room->diags, room->work};
	room->file = (struct mr_fileset_file){.name = "file", .path = room->path};
	*state = room;
	return 0;
}

static int close_room(void **state)
{
	struct room *room = *state;

	assert_int_equal(mr_dir_remove(&room->diags, room->folder), 0);
	mr_diags_done(&room->diags);
	free(room);
	return 0;
}

static void write_file(struct room *room, const char *text)
{
	FILE *file = fopen(room->path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void file_is(struct room *room, const char *text)
{
	struct mr_buf content = MR_BUF_INIT;
	int code = mr_file_read(&room->diags, room->path, 1 << 20, &content);

	if (text) {
		assert_int_equal(code, 0);
		assert_true(mr_str_is(mr_buf_str(&content), text));
	} else {
		assert_int_equal(code, MR_E_NOT_FOUND);
	}
	mr_buf_done(&content);
}

static void before_is(struct room *room, int expected, const char *text)
{
	struct mr_buf content = MR_BUF_INIT;

	assert_int_equal(mr_fileset_before(&room->set, "file", &content), expected);
	assert_true(mr_str_is(mr_buf_str(&content), text));
	mr_buf_done(&content);
}

static bool is_ours(struct room *room)
{
	bool is_ours_now;

	assert_int_equal(mr_fileset_is_ours(&room->set, &room->file, &is_ours_now), 0);
	return is_ours_now;
}

static void the_first_state_is_kept__when_a_file_is_put_twice(void **state)
{
	struct room *room = *state;

	write_file(room, "old");
	before_is(room, MR_E_NOT_FOUND, "");
	assert_false(is_ours(room));
	assert_int_equal(mr_fileset_put(&room->set, &room->file, MR_STR("new")), 0);
	assert_int_equal(mr_fileset_put(&room->set, &room->file, MR_STR("newer")), 0);
	file_is(room, "newer");
	before_is(room, 1, "old");
	assert_true(is_ours(room));
}

static void absence_is_kept__when_there_was_no_file(void **state)
{
	struct room *room = *state;

	assert_int_equal(mr_fileset_put(&room->set, &room->file, MR_STR("new")), 0);
	before_is(room, 0, "");
	assert_int_equal(mr_fileset_put(&room->set, &room->file, (mr_str){0}), 0);
	file_is(room, NULL);
	assert_true(is_ours(room));
}

static void an_empty_file_is_no_absent_one(void **state)
{
	struct room *room = *state;

	write_file(room, "");
	assert_int_equal(mr_fileset_put(&room->set, &room->file, MR_STR("")), 0);
	before_is(room, 1, "");
	file_is(room, "");
}

static void what_somebody_else_wrote_is_not_ours(void **state)
{
	struct room *room = *state;
	char other[96];

	write_file(room, "old");
	assert_int_equal(mr_fileset_put(&room->set, &room->file, MR_STR("new")), 0);
	write_file(room, "new"); /* in place, even the same bytes */
	assert_false(is_ours(room));
	before_is(room, 1, "old");
	assert_int_equal(mr_fileset_put(&room->set, &room->file, MR_STR("again")), 0);
	assert_true(is_ours(room));
	snprintf(other, sizeof other, "%s.other", room->path);
	assert_int_equal(mr_file_replace(&room->diags, other, MR_STR("again"), NULL), 0);
	assert_int_equal(rename(other, room->path), 0);
	assert_false(is_ours(room));
}

static void times_rise_by_a_second__when_a_file_is_replaced(void **state)
{
	struct room *room = *state;
	struct stat old, new;

	write_file(room, "old");
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(stat(room->path, &old), 0);
		assert_int_equal(mr_fileset_put(&room->set, &room->file, MR_STR("new")), 0);
		assert_int_equal(stat(room->path, &new), 0);
		assert_true(new.st_mtim.tv_sec > old.st_mtim.tv_sec);
		assert_int_not_equal(new.st_ino, old.st_ino);
	}
}

static void owner_and_mode_stay__unless_they_are_set(void **state)
{
	struct room *room = *state;
	struct mr_file_owner owner = {geteuid(), getegid(), 0640};
	struct stat info;

	write_file(room, "old");
	assert_int_equal(chmod(room->path, 0604), 0);
	room->file.owner = &owner;
	assert_int_equal(mr_fileset_put(&room->set, &room->file, MR_STR("new")), 0);
	assert_int_equal(stat(room->path, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0604);
	room->file.sets_owner = true;
	assert_int_equal(mr_fileset_put(&room->set, &room->file, MR_STR("new")), 0);
	assert_int_equal(stat(room->path, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0640);
}

static void a_link_is_refused(void **state)
{
	struct room *room = *state;

	assert_int_equal(symlink("/etc/passwd", room->path), 0);
	assert_int_equal(mr_fileset_put(&room->set, &room->file, MR_STR("new")), MR_E_REJECTED);
}

static void lines_come_whole__however_long(void **state)
{
	struct room *room = *state;
	static const size_t sizes[] = {0, 1, 262143, 262144, 262145, 600000, 3, MR_LINE_LIMIT - 1};
	struct mr_buf text = MR_BUF_INIT;
	struct mr_lines lines;
	mr_str line;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		memset(mr_buf_reserve(&text, sizes[i] + 1), 'a' + (int)i, sizes[i]);
		text.size += sizes[i];
		mr_buf_add_char(&text, '\n');
	}
	mr_buf_add_text(&text, "end");
	assert_int_equal(mr_file_replace(&room->diags, room->path, mr_buf_str(&text), NULL), 0);
	mr_buf_done(&text);
	mr_lines_init(&lines, open(room->path, O_RDONLY | O_CLOEXEC));
	for (unsigned round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			assert_int_equal(mr_lines_next(&lines, &line), 1);
			assert_int_equal(line.size, sizes[i]);
			assert_int_equal(lines.line, i + 1);
			if (line.size)
				assert_int_equal(line.data[line.size - 1], 'a' + (int)i);
		}
		assert_int_equal(mr_lines_next(&lines, &line), 1);
		assert_true(mr_str_is(line, "end"));
		assert_int_equal(mr_lines_next(&lines, &line), 0);
		assert_int_equal(mr_lines_rewind(&lines), 0);
	}
	mr_lines_done(&lines);
}

static void a_line_without_end_is_an_error(void **state)
{
	struct room *room = *state;
	struct mr_lines lines;
	mr_str line;

	write_file(room, "");
	assert_int_equal(truncate(room->path, 8 << 20), 0);
	mr_lines_init(&lines, open(room->path, O_RDONLY | O_CLOEXEC));
	assert_int_equal(mr_lines_next(&lines, &line), MR_E_UNREADABLE);
	mr_lines_done(&lines);
}

static void no_file_has_no_lines(void **state)
{
	struct mr_lines lines;
	mr_str line;

	(void)state;
	mr_lines_init(&lines, -1);
	assert_int_equal(mr_lines_next(&lines, &line), 0);
	mr_lines_done(&lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(
	                the_first_state_is_kept__when_a_file_is_put_twice, open_room, close_room),
	        cmocka_unit_test_setup_teardown(
	                absence_is_kept__when_there_was_no_file, open_room, close_room),
	        cmocka_unit_test_setup_teardown(
	                an_empty_file_is_no_absent_one, open_room, close_room),
	        cmocka_unit_test_setup_teardown(
	                what_somebody_else_wrote_is_not_ours, open_room, close_room),
	        cmocka_unit_test_setup_teardown(
	                times_rise_by_a_second__when_a_file_is_replaced, open_room, close_room),
	        cmocka_unit_test_setup_teardown(
	                owner_and_mode_stay__unless_they_are_set, open_room, close_room),
	        cmocka_unit_test_setup_teardown(a_link_is_refused, open_room, close_room),
	        cmocka_unit_test_setup_teardown(
	                lines_come_whole__however_long, open_room, close_room),
	        cmocka_unit_test_setup_teardown(
	                a_line_without_end_is_an_error, open_room, close_room),
	        cmocka_unit_test(no_file_has_no_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
