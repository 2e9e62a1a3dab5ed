/*
 * lmdb tables: reading under Postfix's lock, and building a new file in one transaction.
 *
 * Postfix opens these files without LMDB's own locking and guards them by an fcntl lock on the file
 * itself (lmdb_table(5), SYNCHRONIZATION); so does this code.
 */
#include "postfix/lmdb.h"

#include "base/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_WAIT_MS    5000
#define LOCK_POLL_MS    2
#define MAP_SPARE_BYTES ((size_t)16 << 20)

struct reader {
	struct mr_lmdb db;
	MDB_cursor *cursor;
	struct mr_attrs_builder body;
	struct mr_diags *diags;
	struct mr_buf path;
	MDB_cursor_op step;
};

int mr_lmdb_fail(
        struct mr_diags *diags, int code, const struct mr_lmdb *db, const char *what, int rc)
{
	return mr_fail(diags, code, "cannot %s '%s': %s", what, db->path, mdb_strerror(rc));
}

mr_str mr_lmdb_text(MDB_val value)
{
	mr_str text = {value.mv_data, value.mv_size};

	return text.size && !text.data[text.size - 1] ? mr_str_take(text, text.size - 1) : text;
}

MDB_val mr_lmdb_val(struct mr_buf *buf, mr_str text)
{
	mr_buf_clear(buf);
	mr_buf_add_str(buf, text);
	mr_buf_add_char(buf, 0);
	return (MDB_val){buf->size, buf->data};
}

int mr_lmdb_lock(struct mr_diags *diags, struct mr_lmdb *db, short type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET};

	for (int waited = 0; fcntl(db->lock_fd, F_OFD_SETLK, &lock); waited += LOCK_POLL_MS) {
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return mr_fail(diags, MR_E_FAILED, "cannot lock '%s': %s", db->path,
			        strerror(errno));
		if (waited >= LOCK_WAIT_MS)
			return mr_fail(diags, MR_E_BUSY,
			        "cannot lock '%s': others held it for %d s", db->path,
			        LOCK_WAIT_MS / 1000);
		mr_wait_ms(LOCK_POLL_MS);
	}
	return 0;
}

int mr_lmdb_begin_read(struct mr_diags *diags, const char *path, struct mr_lmdb *out)
{
	int code, rc;

	*out = (struct mr_lmdb){.path = path};
	out->lock_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (out->lock_fd < 0 && errno == ENOENT)
		return MR_E_NOT_FOUND;
	if (out->lock_fd < 0)
		return mr_fail(
		        diags, MR_E_UNREADABLE, "cannot open '%s': %s", path, strerror(errno));
	if ((code = mr_lmdb_lock(diags, out, F_RDLCK)))
		return code;
	if ((rc = mdb_env_create(&out->env)) ||
	        (rc = mdb_env_open(out->env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_RDONLY, 0640)) ||
	        (rc = mdb_txn_begin(out->env, NULL, MDB_RDONLY, &out->txn)) ||
	        (rc = mdb_dbi_open(out->txn, NULL, 0, &out->dbi)))
		return mr_lmdb_fail(diags, MR_E_UNREADABLE, out, "read", rc);
	return 0;
}

void mr_lmdb_end(struct mr_lmdb *db)
{
	if (db->txn)
		mdb_txn_abort(db->txn);
	if (db->env)
		mdb_env_close(db->env);
	if (db->lock_fd > 0)
		(void)close(db->lock_fd); /* gives the lock up as well */
	*db = (struct mr_lmdb){0};
}

int mr_lmdb_count(struct mr_lmdb *db, size_t *out)
{
	MDB_stat stat;
	int rc = mdb_stat(db->txn, db->dbi, &stat);

	if (rc)
		return MR_E_FAILED;
	*out = stat.ms_entries;
	return 0;
}

static int reader_next(struct mr_cursor *cursor, struct mr_item *out)
{
	struct reader *reader = cursor->state;
	MDB_val key, value;
	int rc = mdb_cursor_get(reader->cursor, &key, &value, reader->step);

	reader->step = MDB_NEXT;
	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc)
		return mr_lmdb_fail(reader->diags, MR_E_UNREADABLE, &reader->db, "read", rc);
	mr_attrs_builder_clear(&reader->body);
	mr_attrs_add(&reader->body, MR_STR("value"), 0, mr_lmdb_text(value));
	*out = (struct mr_item){.key = mr_lmdb_text(key), .body = mr_attrs_finish(&reader->body)};
	return 1;
}

static void reader_close(struct mr_cursor *cursor)
{
	struct reader *reader = cursor->state;

	if (reader->cursor)
		mdb_cursor_close(reader->cursor);
	mr_lmdb_end(&reader->db);
	mr_attrs_builder_done(&reader->body);
	mr_buf_done(&reader->path);
	free(reader);
}

int mr_lmdb_open(struct mr_diags *diags, const char *path, struct mr_cursor *out)
{
	struct reader *reader = mr_xrealloc(NULL, 1, sizeof *reader);
	struct mr_cursor cursor = {.next = reader_next, .close = reader_close, .state = reader};
	int code, rc;

	*reader = (struct reader){.diags = diags, .step = MDB_FIRST};
	mr_attrs_builder_init(&reader->body);
	mr_buf_add_text(&reader->path, path);
	code = mr_lmdb_begin_read(diags, reader->path.data, &reader->db);
	if (!code && (rc = mdb_cursor_open(reader->db.txn, reader->db.dbi, &reader->cursor)))
		code = mr_lmdb_fail(diags, MR_E_UNREADABLE, &reader->db, "read", rc);
	if (code)
		reader_close(&cursor);
	else
		*out = cursor;
	return code;
}

static int get_rows(struct mr_diags *diags, struct mr_lmdb *db, const struct mr_strs *keys,
        struct mr_sorter *sorter)
{
	struct mr_buf buf = MR_BUF_INIT;
	struct mr_attrs_builder body;
	int rc = 0;

	mr_attrs_builder_init(&body);
	for (size_t i = 0; i < keys->n && (!rc || rc == MDB_NOTFOUND); i++) {
		MDB_val key = mr_lmdb_val(&buf, keys->items[i]), value;
		struct mr_item item = {.key = keys->items[i]};

		if ((rc = mdb_get(db->txn, db->dbi, &key, &value)))
			continue;
		mr_attrs_builder_clear(&body);
		mr_attrs_add(&body, MR_STR("value"), 0, mr_lmdb_text(value));
		item.body = mr_attrs_finish(&body);
		mr_sorter_add(sorter, &item);
	}
	mr_attrs_builder_done(&body);
	mr_buf_done(&buf);
	return !rc || rc == MDB_NOTFOUND ? 0 : mr_lmdb_fail(diags, MR_E_UNREADABLE, db, "read", rc);
}

int mr_lmdb_get(
        struct mr_diags *diags, const char *path, const struct mr_strs *keys, struct mr_cursor *out)
{
	struct mr_sorter *sorter = mr_sorter_new();
	struct mr_lmdb db;
	int code = mr_lmdb_begin_read(diags, path, &db);

	mr_sorter_report_to(sorter, diags);
	if (!code)
		code = get_rows(diags, &db, keys, sorter);
	mr_lmdb_end(&db);
	if (!code)
		code = mr_sorter_cursor(sorter, out, NULL);
	if (code)
		mr_sorter_free(sorter);
	return code;
}

static int put_rows(
        struct mr_diags *diags, struct mr_lmdb *db, struct mr_cursor *rows, uint64_t *out_rows)
{
	struct mr_buf key_buf = MR_BUF_INIT, value_buf = MR_BUF_INIT;
	struct mr_item row;
	int code, rc = 0;

	while (!rc && (code = mr_cursor_next(rows, &row)) > 0) {
		MDB_val key = mr_lmdb_val(&key_buf, row.key);
		MDB_val value = mr_lmdb_val(&value_buf, mr_attrs_get(row.body, MR_STR("value")));

		rc = mdb_put(db->txn, db->dbi, &key, &value, MDB_APPEND);
		++*out_rows;
	}
	mr_buf_done(&key_buf);
	mr_buf_done(&value_buf);
	return rc ? mr_lmdb_fail(diags, MR_E_FAILED, db, "write", rc) : code;
}

static int begin_build(
        struct mr_diags *diags, const struct mr_table_build *build, struct mr_lmdb *db)
{
	int rc;

	(void)unlink(build->path); /* a left-over of a run that was killed */
	if ((rc = mdb_env_create(&db->env)) ||
	        (rc = mdb_env_set_mapsize(db->env, MAP_SPARE_BYTES + 4 * build->limit_bytes)) ||
	        (rc = mdb_env_open(db->env, build->path, MDB_NOSUBDIR | MDB_NOLOCK, 0600)) ||
	        (rc = mdb_txn_begin(db->env, NULL, 0, &db->txn)) ||
	        (rc = mdb_dbi_open(db->txn, NULL, MDB_CREATE, &db->dbi)))
		return mr_lmdb_fail(diags, MR_E_FAILED, db, "make", rc);
	return 0;
}

int mr_lmdb_build(struct mr_diags *diags, const struct mr_table_build *build,
        struct mr_cursor *rows, uint64_t *out_rows)
{
	struct mr_lmdb db = {.path = build->path};
	uint64_t n = 0;
	int code = begin_build(diags, build, &db), rc;

	if (!code)
		code = put_rows(diags, &db, rows, &n);
	if (!code) {
		rc = mdb_txn_commit(db.txn);
		db.txn = NULL;
		if (rc)
			code = mr_lmdb_fail(diags, MR_E_FAILED, &db, "write", rc);
	}
	mr_lmdb_end(&db);
	if (code)
		return code;
	if (chown(build->path, build->owner.uid, build->owner.gid) ||
	        chmod(build->path, build->owner.mode))
		return mr_fail(diags, MR_E_FAILED, "cannot set the owner of '%s': %s", build->path,
		        strerror(errno));
	*out_rows = n;
	return 0;
}
