/*
 * lmdb tables: changing rows in place in one transaction, while Postfix and others use the file.
 *
 * Postfix readers take a read lock on the file for each look-up. postmap -i takes no lock at all,
 * and a bulk postmap begins its transaction before it locks: without the two guards below either of
 * them, together with us, can leave a handful of rows of many thousands.
 */
#include "postfix/lmdb.h"

#include "base/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MAP_LEAST_BYTES    ((size_t)16 << 20)
#define MAP_SPARE_BYTES    ((size_t)64 << 20)
#define SHORT_LOCK_CHANGES 10000
#define ATTEMPTS           5

struct writer {
	struct mr_lmdb db;
	struct mr_diags *diags;
	const struct mr_change *const *changes;
	size_t n;
	size_t rows_after;
	size_t n_puts; /* rows really changed */
	struct mr_buf key, value;
};

/* Whether the live row equals the body; data == NULL: no row. */
static bool is_row(mr_str body, int rc, MDB_val value)
{
	if (rc == MDB_NOTFOUND || !body.data)
		return rc == MDB_NOTFOUND && !body.data;
	return !rc && mr_str_eq(mr_attrs_get(body, MR_STR("value")), mr_lmdb_text(value));
}

static int change_row(struct writer *writer, const struct mr_change *change)
{
	struct mr_lmdb *db = &writer->db;
	MDB_val key = mr_lmdb_val(&writer->key, change->key), value = {0};
	int rc = mdb_get(db->txn, db->dbi, &key, &value);

	if (rc && rc != MDB_NOTFOUND)
		return rc;
	if (is_row(change->after, rc, value))
		return 0;
	if (!is_row(change->before, rc, value))
		return mr_fail(writer->diags, MR_E_CONFLICT,
		        "cannot change row '%.*s' of '%s': somebody else changed it meanwhile",
		        MR_FMT(change->key), db->path);
	writer->n_puts++;
	if (!change->after.data)
		return mdb_del(db->txn, db->dbi, &key, NULL);
	value = mr_lmdb_val(&writer->value, mr_attrs_get(change->after, MR_STR("value")));
	return mdb_put(db->txn, db->dbi, &key, &value, 0);
}

bool mr_lmdb_is_overtaken(const struct mr_lmdb *db)
{
	MDB_envinfo info;

	return mdb_env_info(db->env, &info) || info.me_last_txnid + 1 != mdb_txn_id(db->txn);
}

bool mr_lmdb_is_writer_waiting(const struct mr_lmdb *db)
{
	char line[256], id[64];
	struct stat status;
	bool is_waiting = false;
	FILE *locks = fopen("/proc/locks", "re");

	if (!locks)
		return true;
	if (fstat(db->lock_fd, &status))
		is_waiting = true;
	snprintf(id, sizeof id, " %02x:%02x:%lu ", major(status.st_dev), minor(status.st_dev),
	        (unsigned long)status.st_ino);
	while (!is_waiting && fgets(line, sizeof line, locks))
		is_waiting = strstr(line, " -> ") && strstr(line, " WRITE ") && strstr(line, id);
	(void)fclose(locks);
	return is_waiting;
}

static size_t map_size(const struct writer *writer, size_t factor)
{
	size_t size = MAP_SPARE_BYTES;
	struct stat status;

	if (!fstat(writer->db.lock_fd, &status))
		size += 2 * (size_t)status.st_size;
	for (size_t i = 0; i < writer->n; i++)
		size += 2 * (writer->changes[i]->key.size + writer->changes[i]->after.size);
	return (size > MAP_LEAST_BYTES ? size : MAP_LEAST_BYTES) * factor;
}

static int begin_write(struct writer *writer, size_t factor)
{
	struct mr_lmdb *db = &writer->db;
	int code, rc;

	db->lock_fd = open(db->path, O_RDWR | O_CLOEXEC);
	if (db->lock_fd < 0)
		return mr_fail(writer->diags, MR_E_FAILED, "cannot open '%s': %s", db->path,
		        strerror(errno));
	if ((code = mr_lmdb_lock(writer->diags, db, F_WRLCK)))
		return code;
	/* No reader is inside a look-up now, so pages freed before may be used again. With many
	 * changes others may read on meanwhile: they see the old rows until the commit. */
	if (writer->n > SHORT_LOCK_CHANGES && (code = mr_lmdb_lock(writer->diags, db, F_RDLCK)))
		return code;
	if ((rc = mdb_env_create(&db->env)) ||
	        (rc = mdb_env_set_mapsize(db->env, map_size(writer, factor))) ||
	        (rc = mdb_env_open(db->env, db->path, MDB_NOSUBDIR | MDB_NOLOCK, 0640)) ||
	        (rc = mdb_txn_begin(db->env, NULL, 0, &db->txn)) ||
	        (rc = mdb_dbi_open(db->txn, NULL, 0, &db->dbi)))
		return mr_lmdb_fail(writer->diags, MR_E_FAILED, db, "open", rc);
	return 0;
}

/* Guards, commit. 1: another writer came between and nothing was written. */
static int commit(struct writer *writer)
{
	struct mr_lmdb *db = &writer->db;
	int code, rc;

	if (writer->n > SHORT_LOCK_CHANGES && (code = mr_lmdb_lock(writer->diags, db, F_WRLCK)))
		return code;
	if (mr_lmdb_is_overtaken(db) || mr_lmdb_is_writer_waiting(db))
		return 1;
	rc = mdb_txn_commit(db->txn);
	db->txn = NULL;
	return rc ? mr_lmdb_fail(writer->diags, MR_E_FAILED, db, "commit to", rc) : 0;
}

/* One attempt. 0 done, 1 another writer came between, 2 the map was too small; else an error. */
static int attempt(struct writer *writer, size_t factor)
{
	int code = begin_write(writer, factor);

	writer->n_puts = 0;
	for (size_t i = 0; i < writer->n && !code; i++) {
		int rc = change_row(writer, writer->changes[i]);

		if (rc == MDB_MAP_FULL)
			code = 2;
		else if (rc == MR_E_CONFLICT)
			code = rc;
		else if (rc)
			code = mr_lmdb_fail(writer->diags, MR_E_FAILED, &writer->db, "write", rc);
	}
	if (!code && mr_lmdb_count(&writer->db, &writer->rows_after))
		code = MR_E_FAILED;
	if (!code && writer->n_puts)
		code = commit(writer);
	mr_lmdb_end(&writer->db);
	return code;
}

/* Every changed row and the number of rows, in an environment of its own. */
static int read_back(struct writer *writer, const char *path)
{
	struct mr_lmdb *db = &writer->db;
	size_t rows = 0;
	int code = mr_lmdb_begin_read(writer->diags, path, db);

	for (size_t i = 0; i < writer->n && !code; i++) {
		MDB_val key = mr_lmdb_val(&writer->key, writer->changes[i]->key), value = {0};
		int rc = mdb_get(db->txn, db->dbi, &key, &value);

		if (!is_row(writer->changes[i]->after, rc, value))
			code = mr_fail(writer->diags, MR_E_FAILED,
			        "row '%.*s' of '%s' is not as it was written",
			        MR_FMT(writer->changes[i]->key), path);
	}
	if (!code && (mr_lmdb_count(db, &rows) || rows != writer->rows_after))
		code = mr_fail(writer->diags, MR_E_FAILED,
		        "'%s' has %zu rows after the change and not %zu", path, rows,
		        writer->rows_after);
	mr_lmdb_end(db);
	return code;
}

int mr_lmdb_apply(
        struct mr_diags *diags, const char *path, const struct mr_change *const *changes, size_t n)
{
	struct writer writer = {.diags = diags, .changes = changes, .n = n};
	size_t factor = 1;
	int code = 1;

	for (int tries = 0; code > 0 && tries < ATTEMPTS; tries++) {
		writer.db = (struct mr_lmdb){.path = path};
		if (tries)
			mr_wait_ms(50); /* gives the writer that waits its turn */
		code = attempt(&writer, factor);
		if (code == 2)
			factor *= 2;
	}
	if (code > 0)
		code = mr_fail(diags, MR_E_BUSY,
		        "cannot change '%s': another program keeps writing to it", path);
	if (!code)
		code = read_back(&writer, path);
	mr_buf_done(&writer.key);
	mr_buf_done(&writer.value);
	return code;
}
