/*
 * cdb tables, for hosts without lmdb: written whole by libcdb and never changed.
 *
 * Rows carry no trailing NUL, as postmap writes them. CDB_PUT_ADD is enough: our rows are sorted
 * and unique.
 */
#include "postfix/table.h"

#include <cdb.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static mr_str without_nul(mr_str s)
{
	return s.size && !s.data[s.size - 1] ? mr_str_take(s, s.size - 1) : s;
}

static int add_row(struct mr_sorter *sorter, struct mr_attrs_builder *body, struct cdb *cdb)
{
	const void *key = cdb_getkey(cdb), *data = cdb_getdata(cdb);
	struct mr_item item = {0};

	if (!key || !data)
		return MR_E_UNREADABLE;
	mr_attrs_builder_clear(body);
	mr_attrs_add(body, MR_STR("value"), 0, without_nul((mr_str){data, cdb_datalen(cdb)}));
	item.key = without_nul((mr_str){key, cdb_keylen(cdb)});
	item.body = mr_attrs_finish(body);
	mr_sorter_add(sorter, &item);
	return 0;
}

static int read_rows(struct mr_sorter *sorter, struct cdb *cdb)
{
	struct mr_attrs_builder body;
	unsigned position;
	int code = 0, found;

	mr_attrs_builder_init(&body);
	cdb_seqinit(&position, cdb);
	while (!code && (found = cdb_seqnext(&position, cdb)))
		code = found < 0 ? MR_E_UNREADABLE : add_row(sorter, &body, cdb);
	mr_attrs_builder_done(&body);
	return code;
}

int mr_cdb_open(struct mr_diags *diags, const char *path, struct mr_cursor *out)
{
	struct mr_sorter *sorter;
	struct cdb cdb;
	MR_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	int code;

	if (fd < 0 && errno == ENOENT)
		return MR_E_NOT_FOUND;
	if (fd < 0)
		return mr_fail(
		        diags, MR_E_UNREADABLE, "cannot open '%s': %s", path, strerror(errno));
	if (cdb_init(&cdb, fd))
		return mr_fail(diags, MR_E_UNREADABLE, "cannot read '%s': it is no cdb file", path);
	sorter = mr_sorter_new();
	mr_sorter_report_to(sorter, diags);
	code = read_rows(sorter, &cdb);
	cdb_free(&cdb);
	if (!code)
		code = mr_sorter_cursor(sorter, out, NULL);
	if (!code)
		return 0;
	mr_sorter_free(sorter);
	if (code == MR_E_FAILED)
		return code; /* the sorter has told */
	return mr_fail(diags, MR_E_UNREADABLE, "cannot read '%s': %s", path,
	        code == MR_E_CONFLICT ? "one key has two rows" : "it is damaged");
}

static int write_rows(struct cdb_make *make, struct mr_cursor *rows, uint64_t *out_rows)
{
	struct mr_item row;
	int code;

	while ((code = mr_cursor_next(rows, &row)) > 0) {
		mr_str value = mr_attrs_get(row.body, MR_STR("value"));

		if (cdb_make_put(make, row.key.data, (unsigned)row.key.size, value.data,
		            (unsigned)value.size, CDB_PUT_ADD) < 0)
			return MR_E_FAILED;
		++*out_rows;
	}
	return code;
}

int mr_cdb_build(struct mr_diags *diags, const struct mr_table_build *build, struct mr_cursor *rows,
        uint64_t *out_rows)
{
	struct cdb_make make;
	uint64_t n = 0;
	int code;
	MR_CLOSE int fd = -1;

	(void)unlink(build->path); /* a left-over of a run that was killed */
	fd = open(build->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return mr_fail(
		        diags, MR_E_FAILED, "cannot make '%s': %s", build->path, strerror(errno));
	if (cdb_make_start(&make, fd))
		return mr_fail(
		        diags, MR_E_FAILED, "cannot write '%s': %s", build->path, strerror(errno));
	code = write_rows(&make, rows, &n);
	if (cdb_make_finish(&make) && !code)
		code = MR_E_FAILED;
	if (!code && (fchown(fd, build->owner.uid, build->owner.gid) ||
	                     fchmod(fd, build->owner.mode) || fsync(fd)))
		code = MR_E_FAILED;
	if (code)
		return mr_fail(diags, code, "cannot write '%s': %s", build->path, strerror(errno));
	*out_rows = n;
	return 0;
}
