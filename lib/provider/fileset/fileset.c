/*
 * Replacing files as steps of a transaction: pre-image first, then the record of what will be
 * written, then the rename.
 */
#include "fileset/fileset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_LIMIT   ((size_t)1 << 30)
#define RECORD_LIMIT ((size_t)1 << 20)
#define PATH_LIMIT   4096

static const struct mr_file_owner PRIVATE = {0, 0, 0600};

static int path_in(const struct mr_fileset *set, const char *name, const char *suffix, char *out)
{
	int n = snprintf(out, PATH_LIMIT, "%s/%s.%s", set->work, name, suffix);

	if (n < 0 || n >= PATH_LIMIT)
		return mr_fail(set->diags, MR_E_FAILED, "path of '%s' is too long", name);
	return 0;
}

/* What a file is without reading it: another inode was put there, or its time moved, when somebody
 * else wrote it. */
static void add_identity(struct mr_buf *out, const struct stat *info)
{
	if (!info)
		mr_buf_add_text(out, "absent\n");
	else
		mr_buf_printf(out, "%llu %llu %lld %lld.%09ld\n", (unsigned long long)info->st_dev,
		        (unsigned long long)info->st_ino, (long long)info->st_size,
		        (long long)info->st_mtim.tv_sec, info->st_mtim.tv_nsec);
}

/* One line a state that the transaction knows: the first is that before it, the others are those it
 * made. */
static int record(const struct mr_fileset *set, const char *name, const struct stat *info)
{
	struct mr_buf text = MR_BUF_INIT;
	char path[PATH_LIMIT];
	int code = path_in(set, name, "states", path);

	if (!code)
		code = mr_file_read(set->diags, path, RECORD_LIMIT, &text);
	if (code == MR_E_NOT_FOUND)
		code = 0;
	if (!code) {
		add_identity(&text, info);
		code = mr_file_replace(set->diags, path, mr_buf_str(&text), &PRIVATE);
	}
	mr_buf_done(&text);
	return code;
}

static int copy(const struct mr_fileset *set, const char *from, const char *to)
{
	struct mr_buf content = MR_BUF_INIT;
	int code = mr_file_read(set->diags, from, FILE_LIMIT, &content);

	if (!code)
		code = mr_file_replace(
		        set->diags, to, content.size ? mr_buf_str(&content) : MR_STR(""), &PRIVATE);
	mr_buf_done_secret(&content);
	return code;
}

/* A second name is as good as a copy: we never write into a file that is there. */
static int keep_before(
        const struct mr_fileset *set, const struct mr_fileset_file *file, const struct stat *info)
{
	char before[PATH_LIMIT];
	int code = path_in(set, file->name, "before", before);

	if (code || mr_fileset_has(set, file->name))
		return code; /* the first state is the one before the transaction */
	code = mr_dir_make(set->diags, set->work, 0700);
	if (!code && info) {
		(void)unlink(before); /* of a step that was cut short before its record */
		if (link(file->path, before))
			code = copy(set, file->path, before);
		else
			code = mr_dir_sync(set->diags, set->work);
	}
	return code ? code : record(set, file->name, info);
}

static int touch_later(const struct mr_fileset *set, const char *path, const struct stat *old)
{
	struct timespec now, times[2];

	(void)clock_gettime(CLOCK_REALTIME, &now); /* this clock always exists */
	if (old && now.tv_sec <= old->st_mtim.tv_sec)
		now.tv_sec = old->st_mtim.tv_sec + 1;
	times[0] = times[1] = now;
	if (utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW))
		return mr_fail(set->diags, MR_E_FAILED, "cannot set the time of '%s': %s", path,
		        strerror(errno));
	return 0;
}

static int write_and_rename(const struct mr_fileset *set, const struct mr_fileset_file *file,
        mr_str content, const struct stat *old)
{
	struct mr_file_owner owner = {0, 0, 0644};
	char aside[PATH_LIMIT];
	struct stat made;
	int n = snprintf(aside, sizeof aside, "%s.mailreeve-new", file->path);
	int code;

	if (n < 0 || (size_t)n >= sizeof aside)
		return mr_fail(set->diags, MR_E_FAILED, "path '%s' is too long", file->path);
	if (old && !(file->sets_owner && file->owner))
		owner = (struct mr_file_owner){old->st_uid, old->st_gid, old->st_mode & 07777};
	else if (file->owner)
		owner = *file->owner;
	code = mr_file_write_new(set->diags, aside, content, &owner);
	if (!code)
		code = touch_later(set, aside, old);
	if (!code && lstat(aside, &made))
		code = mr_fail(
		        set->diags, MR_E_FAILED, "cannot look at '%s': %s", aside, strerror(errno));
	if (!code)
		code = record(set, file->name, &made);
	if (!code)
		code = mr_file_rename(set->diags, aside, file->path);
	return code;
}

int mr_fileset_put(const struct mr_fileset *set, const struct mr_fileset_file *file, mr_str content)
{
	struct stat info;
	bool is_there = !lstat(file->path, &info);
	int code;

	if (!is_there && errno != ENOENT)
		return mr_fail(set->diags, MR_E_FAILED, "cannot look at '%s': %s", file->path,
		        strerror(errno));
	if (is_there && !S_ISREG(info.st_mode))
		return mr_fail(set->diags, MR_E_REJECTED,
		        "cannot replace '%s': it is not a regular file", file->path);
	code = keep_before(set, file, is_there ? &info : NULL);
	if (code || content.data)
		return code ? code : write_and_rename(set, file, content, is_there ? &info : NULL);
	code = record(set, file->name, NULL);
	return code ? code : mr_file_remove(set->diags, file->path);
}

bool mr_fileset_has(const struct mr_fileset *set, const char *name)
{
	char path[PATH_LIMIT];

	return !path_in(set, name, "states", path) && !access(path, F_OK);
}

int mr_fileset_before(const struct mr_fileset *set, const char *name, struct mr_buf *out)
{
	char path[PATH_LIMIT];
	int code = path_in(set, name, "before", path);

	if (code)
		return code;
	if (!mr_fileset_has(set, name))
		return MR_E_NOT_FOUND;
	code = mr_file_read(set->diags, path, FILE_LIMIT, out);
	return code == MR_E_NOT_FOUND ? 0 : code ? code : 1;
}

int mr_fileset_is_ours(const struct mr_fileset *set, const struct mr_fileset_file *file, bool *out)
{
	struct mr_buf states = MR_BUF_INIT, now = MR_BUF_INIT;
	struct stat info;
	char path[PATH_LIMIT];
	int code = path_in(set, file->name, "states", path);
	mr_str rest;

	*out = false;
	if (!code)
		code = mr_file_read(set->diags, path, RECORD_LIMIT, &states);
	if (!code) {
		bool is_there = !lstat(file->path, &info);

		add_identity(&now, is_there ? &info : NULL);
		rest = mr_buf_str(&states);
		while (rest.size > 0)
			*out |= mr_str_eq(mr_str_split(&rest, '\n'),
			        mr_str_take(mr_buf_str(&now), now.size - 1));
	}
	mr_buf_done(&states);
	mr_buf_done(&now);
	return code == MR_E_NOT_FOUND ? 0 : code;
}
