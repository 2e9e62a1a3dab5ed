/*
 * Lookup tables as Postfix's own programs see them: built, changed in place, guarded, undone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/run.h"
#include "postfix/lmdb.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct fixture {
	char directory[64];
	const char *path;
	struct mr_diags diags;
	struct mr_arena arena;
};

struct row {
	const char *key;
	const char *before; /* NULL: none */
	const char *after;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	strcpy(fixture->directory, "/tmp/mr-tables.XXXXXX");
	if (!mkdtemp(fixture->directory))
		return -1;
	mr_diags_init(&fixture->diags);
	mr_arena_init(&fixture->arena);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	int code = mr_dir_remove(&fixture->diags, fixture->directory);

	mr_diags_done(&fixture->diags);
	mr_arena_done(&fixture->arena);
	free(fixture);
	return code;
}

static mr_str body_of(struct mr_arena *arena, const char *value)
{
	struct mr_attrs_builder builder;
	mr_str body = {0};

	if (!value)
		return body;
	mr_attrs_builder_init(&builder);
	mr_attrs_add(&builder, MR_STR("value"), 0, mr_str_from(value));
	body = mr_str_copy(arena, mr_attrs_finish(&builder));
	mr_attrs_builder_done(&builder);
	return body;
}

static const char *build(
        struct fixture *fixture, enum mr_table_kind kind, const struct row *rows, size_t n)
{
	struct mr_table_build build = {
	        .kind = kind, .limit_bytes = 1 << 20, .owner = {getuid(), getgid(), 0644}};
	struct mr_sorter *sorter = mr_sorter_new();
	struct mr_cursor cursor;
	uint64_t written = 0;

	build.path =
	        mr_table_path(&fixture->arena, mr_str_from(fixture->directory), MR_STR("t"), kind);
	for (size_t i = 0; i < n; i++) {
		struct mr_item item = {.key = mr_str_from(rows[i].key),
		        .body = body_of(&fixture->arena, rows[i].before)};

		if (rows[i].before)
			mr_sorter_add(sorter, &item);
	}
	assert_int_equal(mr_sorter_cursor(sorter, &cursor, NULL), 0);
	assert_int_equal(mr_table_build(&fixture->diags, &build, &cursor, &written), 0);
	mr_cursor_close(&cursor);
	return build.path;
}

/* What postmap -q says; the empty view for "not found". */
static mr_str query(
        struct fixture *fixture, enum mr_table_kind kind, const char *path, const char *key)
{
	mr_str table = mr_str_printf(&fixture->arena, "%s:%s", mr_table_kind_name(kind), path);
	const char *const argv[] = {"postmap", "-c", "/etc/postfix", "-q", key, table.data, NULL};
	struct mr_run run = {.argv = argv};
	mr_str answer;

	assert_int_equal(mr_run(&fixture->diags, &run), 0);
	assert_int_equal(run.err.size, 0);
	answer = mr_str_copy(&fixture->arena, mr_str_trim(mr_buf_str(&run.out)));
	mr_run_done(&run);
	return answer;
}

static int apply(struct fixture *fixture, const char *path, const struct row *rows, size_t n,
        bool is_reversed)
{
	struct mr_change *changes = calloc(n, sizeof *changes);
	const struct mr_change **list = calloc(n, sizeof(struct mr_change *));
	int code;

	for (size_t i = 0; i < n; i++) {
		changes[i] = (struct mr_change){.key = mr_str_from(rows[i].key),
		        .before = body_of(&fixture->arena, rows[i].before),
		        .after = body_of(&fixture->arena, rows[i].after)};
		if (is_reversed)
			changes[i] = mr_change_reversed(&changes[i]);
		list[i] = &changes[i];
	}
	code = mr_lmdb_apply(&fixture->diags, path, list, n);
	free(list);
	free(changes);
	return code;
}

static size_t count(struct fixture *fixture, const char *path, enum mr_table_kind kind)
{
	struct mr_cursor cursor;
	struct mr_item row;
	size_t n = 0;

	assert_int_equal(mr_table_open(&fixture->diags, path, kind, &cursor), 0);
	while (mr_cursor_next(&cursor, &row) > 0)
		n++;
	mr_cursor_close(&cursor);
	return n;
}

static const struct row three[] = {{"a@x.example", "1", "1"}, {"b@x.example", "two", "two"},
        {"\xc3\xbc@x.example", "u, v", "u, v"}};
static const struct row mixed[] = {
        {"a@x.example", "1", NULL}, {"b@x.example", "two", "three"}, {"c@x.example", NULL, "new"}};

static void postmap_finds_every_row__in_a_table_of_ours(void **state)
{
	static const enum mr_table_kind keyed[] = {MR_TABLE_LMDB, MR_TABLE_CDB};
	struct fixture *fixture = *state;

	for (size_t k = 0; k < 2; k++) {
		const char *path = build(fixture, keyed[k], three, 3);
		mr_str name = mr_str_printf(&fixture->arena, "%s/t", fixture->directory);

		for (size_t i = 0; i < 3; i++)
			assert_true(mr_str_is(query(fixture, keyed[k], name.data, three[i].key),
			        three[i].before));
		assert_int_equal(query(fixture, keyed[k], name.data, "none@x.example").size, 0);
		assert_int_equal(count(fixture, path, keyed[k]), 3);
	}
}

static void rows_change_together_and_back__in_one_transaction(void **state)
{
	struct fixture *fixture = *state;
	const char *path = build(fixture, MR_TABLE_LMDB, three, 3);
	mr_str name = mr_str_printf(&fixture->arena, "%s/t", fixture->directory);

	assert_int_equal(apply(fixture, path, mixed, 3, false), 0);
	assert_int_equal(query(fixture, MR_TABLE_LMDB, name.data, "a@x.example").size, 0);
	assert_true(mr_str_is(query(fixture, MR_TABLE_LMDB, name.data, "b@x.example"), "three"));
	assert_true(mr_str_is(query(fixture, MR_TABLE_LMDB, name.data, "c@x.example"), "new"));
	assert_int_equal(apply(fixture, path, mixed, 3, false), 0); /* again: it is so already */
	assert_int_equal(count(fixture, path, MR_TABLE_LMDB), 3);
	assert_int_equal(apply(fixture, path, mixed, 3, true), 0);
	assert_true(mr_str_is(query(fixture, MR_TABLE_LMDB, name.data, "a@x.example"), "1"));
	assert_true(mr_str_is(query(fixture, MR_TABLE_LMDB, name.data, "b@x.example"), "two"));
	assert_int_equal(query(fixture, MR_TABLE_LMDB, name.data, "c@x.example").size, 0);
}

static void nothing_changes__when_one_row_is_not_as_before(void **state)
{
	static const struct row foreign[] = {
	        {"a@x.example", "1", NULL}, {"b@x.example", "else", "three"}};
	struct fixture *fixture = *state;
	const char *path = build(fixture, MR_TABLE_LMDB, three, 3);
	mr_str name = mr_str_printf(&fixture->arena, "%s/t", fixture->directory);

	assert_int_equal(apply(fixture, path, foreign, 2, false), MR_E_CONFLICT);
	assert_true(mr_str_is(query(fixture, MR_TABLE_LMDB, name.data, "a@x.example"), "1"));
}

static void many_rows_change__beyond_the_first_map(void **state)
{
	enum { MANY = 30000 };
	struct fixture *fixture = *state;
	const char *path = build(fixture, MR_TABLE_LMDB, three, 3);
	struct row *rows = calloc(MANY, sizeof *rows);

	for (size_t i = 0; i < MANY; i++)
		rows[i] = (struct row){
		        mr_str_printf(&fixture->arena, "user%05zu@many.example", i).data, NULL,
		        "1"};
	assert_int_equal(apply(fixture, path, rows, MANY, false), 0);
	assert_int_equal(count(fixture, path, MR_TABLE_LMDB), MANY + 3);
	assert_int_equal(apply(fixture, path, rows, MANY, true), 0);
	assert_int_equal(count(fixture, path, MR_TABLE_LMDB), 3);
	free(rows);
}

static void open_for_write(struct fixture *fixture, const char *path, struct mr_lmdb *db)
{
	*db = (struct mr_lmdb){.path = path, .lock_fd = open(path, O_RDWR | O_CLOEXEC)};
	assert_int_equal(mr_lmdb_lock(&fixture->diags, db, F_WRLCK), 0);
	assert_int_equal(mdb_env_create(&db->env), 0);
	assert_int_equal(mdb_env_open(db->env, path, MDB_NOSUBDIR | MDB_NOLOCK, 0640), 0);
	assert_int_equal(mdb_txn_begin(db->env, NULL, 0, &db->txn), 0);
}

static void postmap_between_is_seen__while_our_transaction_is_open(void **state)
{
	struct fixture *fixture = *state;
	const char *path = build(fixture, MR_TABLE_LMDB, three, 3);
	mr_str table = mr_str_printf(&fixture->arena, "lmdb:%s/t", fixture->directory);
	const char *const argv[] = {"postmap", "-c", "/etc/postfix", "-i", table.data, NULL};
	struct mr_run run = {.argv = argv, .input = MR_STR("d@x.example 4\n")};
	struct mr_lmdb db;

	open_for_write(fixture, path, &db);
	assert_false(mr_lmdb_is_overtaken(&db));
	assert_int_equal(mr_run(&fixture->diags, &run), 0);
	assert_int_equal(run.status, 0);
	assert_true(mr_lmdb_is_overtaken(&db));
	mr_run_done(&run);
	mr_lmdb_end(&db);
	assert_int_equal(count(fixture, path, MR_TABLE_LMDB), 4);
}

static void a_waiting_writer_is_seen__while_we_hold_the_lock(void **state)
{
	struct fixture *fixture = *state;
	const char *path = build(fixture, MR_TABLE_LMDB, three, 3);
	struct timespec pause = {.tv_nsec = 5000000};
	struct mr_lmdb db;
	bool is_seen = false;
	pid_t child;
	int status;

	open_for_write(fixture, path, &db);
	assert_false(mr_lmdb_is_writer_waiting(&db));
	child = fork();
	if (!child) {
		struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

		alarm(20);
		fcntl(open(path, O_RDWR), F_SETLKW, &lock);
		_exit(0);
	}
	for (int i = 0; i < 1000 && !is_seen; i++) {
		is_seen = mr_lmdb_is_writer_waiting(&db);
		nanosleep(&pause, NULL);
	}
	assert_true(is_seen);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	mr_lmdb_end(&db);
}

static void expressions_come_back_as_written__in_ordered_tables(void **state)
{
	static const struct {
		enum mr_table_kind kind;
		const char *line, *pattern, *value;
	} cases[] = {
	        {MR_TABLE_CIDR, "192.0.2.0/24  REJECT  no thanks", "192.0.2.0/24",
	                "REJECT  no thanks"},
	        {MR_TABLE_PCRE, "/^a b\\/c$/i REJECT", "/^a b\\/c$/i", "REJECT"},
	        {MR_TABLE_REGEXP, "!/x y/ DUNNO", "!/x y/", "DUNNO"},
	        {MR_TABLE_PCRE, "if /^Subject: x/", "if /^Subject: x/", ""},
	        {MR_TABLE_PCRE, "endif", "endif", ""},
	};
	mr_str pattern, value;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(mr_ordered_row_parse(mr_str_from(cases[i].line), cases[i].kind,
		                         &pattern, &value, &why),
		        0);
		assert_true(mr_str_is(pattern, cases[i].pattern));
		assert_true(mr_str_is(value, cases[i].value));
	}
	assert_int_equal(
	        mr_ordered_row_parse(MR_STR("/open REJECT"), MR_TABLE_PCRE, &pattern, &value, &why),
	        MR_E_INVALID);
	assert_int_equal(
	        mr_ordered_row_parse(MR_STR("# x y"), MR_TABLE_CIDR, &pattern, &value, &why),
	        MR_E_INVALID);
	assert_int_equal(
	        mr_ordered_row_parse(MR_STR("192.0.2.1"), MR_TABLE_CIDR, &pattern, &value, &why),
	        MR_E_INVALID);
	assert_int_equal(
	        mr_ordered_row_parse(MR_STR("a b\nc"), MR_TABLE_CIDR, &pattern, &value, &why),
	        MR_E_INVALID);
}

static void a_damaged_file_is_an_error__and_a_missing_one_is_told_apart(void **state)
{
	struct fixture *fixture = *state;
	const char *path = mr_str_printf(&fixture->arena, "%s/t.lmdb", fixture->directory).data;
	struct mr_cursor cursor;

	assert_int_equal(
	        mr_table_open(&fixture->diags, path, MR_TABLE_LMDB, &cursor), MR_E_NOT_FOUND);
	assert_int_equal(
	        mr_file_replace(&fixture->diags, path, MR_STR("this is no table at all"), NULL), 0);
	assert_int_equal(
	        mr_table_open(&fixture->diags, path, MR_TABLE_LMDB, &cursor), MR_E_UNREADABLE);
}

#define WITH_FILES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WITH_FILES(postmap_finds_every_row__in_a_table_of_ours),
	        WITH_FILES(rows_change_together_and_back__in_one_transaction),
	        WITH_FILES(nothing_changes__when_one_row_is_not_as_before),
	        WITH_FILES(many_rows_change__beyond_the_first_map),
	        WITH_FILES(postmap_between_is_seen__while_our_transaction_is_open),
	        WITH_FILES(a_waiting_writer_is_seen__while_we_hold_the_lock),
	        cmocka_unit_test(expressions_come_back_as_written__in_ordered_tables),
	        WITH_FILES(a_damaged_file_is_an_error__and_a_missing_one_is_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
