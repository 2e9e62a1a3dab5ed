/*
 * Replacing files as steps of a transaction: pre-image first, then the record of what will be written, then the rename.
 */
#include "fileset/fileset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/digest.h"

#define FILE_LIMIT ((size_t)1 << 30)
#define PATH_LIMIT 4096

static const struct mr_file_owner PRIVATE = {0, 0, 0600};

static int path_in(const struct mr_fileset *set, const char *name, const char *suffix, char *out)
{
	int n = snprintf(out, PATH_LIMIT, "%s/%s.%s", set->work, name, suffix);

	if (n < 0 || n >= PATH_LIMIT)
		return mr_fail(set->diags, MR_E_FAILED, "path of '%s' is too long", name);
	return 0;
}

/* What a record says of a file that is not there. */
static struct mr_digest digest_of_file(mr_str content)
{
	return content.data ? mr_digest_of(content) : (struct mr_digest){{0}};
}

static int keep_before(const struct mr_fileset *set, const struct mr_fileset_file *file, bool is_there, mr_str old)
{
	char before[PATH_LIMIT], absent[PATH_LIMIT];
	int code = path_in(set, file->name, "before", before);

	if (!code)
		code = path_in(set, file->name, "absent", absent);
	if (code)
		return code;
	if (!access(before, F_OK) || !access(absent, F_OK))
		return 0; /* the first one is the state before the transaction */
	code = mr_dir_make(set->diags, set->work, 0700);
	if (!code)
		code = mr_file_replace(set->diags, is_there ? before : absent, is_there ? old : MR_STR(""), &PRIVATE);
	return code;
}

/* One line a digest: a transaction may write a file several times. */
static int record_written(const struct mr_fileset *set, const struct mr_fileset_file *file, mr_str content)
{
	struct mr_digest digest = digest_of_file(content);
	struct mr_buf text = MR_BUF_INIT;
	char path[PATH_LIMIT];
	int code = path_in(set, file->name, "written", path);

	if (!code)
		code = mr_file_read(set->diags, path, FILE_LIMIT, &text);
	if (code == MR_E_NOT_FOUND)
		code = 0;
	if (!code) {
		mr_digest_format(&digest, &text);
		mr_buf_add_char(&text, '\n');
		code = mr_file_replace(set->diags, path, mr_buf_str(&text), &PRIVATE);
	}
	mr_buf_done(&text);
	return code;
}

static int touch_later(const struct mr_fileset *set, const char *path, const struct stat *old)
{
	struct timespec now, times[2];

	(void)clock_gettime(CLOCK_REALTIME, &now); /* this clock always exists */
	if (old && now.tv_sec <= old->st_mtim.tv_sec)
		now.tv_sec = old->st_mtim.tv_sec + 1;
	times[0] = times[1] = now;
	if (utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW))
		return mr_fail(set->diags, MR_E_FAILED, "cannot set the time of '%s': %s", path, strerror(errno));
	return 0;
}

static int write_and_rename(const struct mr_fileset *set, const struct mr_fileset_file *file, mr_str content,
        const struct stat *old)
{
	struct mr_file_owner owner = {0, 0, 0644};
	char aside[PATH_LIMIT];
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
	if (!code)
		code = mr_file_rename(set->diags, aside, file->path);
	return code;
}

int mr_fileset_put(const struct mr_fileset *set, const struct mr_fileset_file *file, mr_str content)
{
	struct mr_buf old = MR_BUF_INIT;
	struct stat info;
	bool is_there = !lstat(file->path, &info);
	int code = 0;

	if (!is_there && errno != ENOENT)
		return mr_fail(set->diags, MR_E_FAILED, "cannot look at '%s': %s", file->path, strerror(errno));
	if (is_there && !S_ISREG(info.st_mode))
		return mr_fail(set->diags, MR_E_REJECTED, "cannot replace '%s': it is not a regular file", file->path);
	if (is_there)
		code = mr_file_read(set->diags, file->path, FILE_LIMIT, &old);
	if (!code)
		code = keep_before(set, file, is_there, mr_buf_str(&old));
	if (!code)
		code = record_written(set, file, content);
	mr_buf_done_secret(&old);
	if (code)
		return code;
	if (!content.data)
		return mr_file_remove(set->diags, file->path);
	return write_and_rename(set, file, content, is_there ? &info : NULL);
}

int mr_fileset_before(const struct mr_fileset *set, const char *name, struct mr_buf *out)
{
	char path[PATH_LIMIT];
	int code = path_in(set, name, "before", path);

	if (code)
		return code;
	code = mr_file_read(set->diags, path, FILE_LIMIT, out);
	if (code != MR_E_NOT_FOUND)
		return code ? code : 1;
	code = path_in(set, name, "absent", path);
	if (code)
		return code;
	return access(path, F_OK) ? MR_E_NOT_FOUND : 0;
}

/* Whether the record has the digest; what was there before is in it since it may be written back. */
static bool is_recorded(const struct mr_fileset *set, const char *name, mr_str written, mr_str content)
{
	struct mr_digest digest = digest_of_file(content);
	struct mr_buf hex = MR_BUF_INIT, before = MR_BUF_INIT;
	int was_there = mr_fileset_before(set, name, &before);
	bool is_recorded_there = false;

	mr_digest_format(&digest, &hex);
	while (written.size > 0)
		is_recorded_there |= mr_str_eq(mr_str_split(&written, '\n'), mr_buf_str(&hex));
	if (was_there == 0)
		is_recorded_there |= !content.data;
	if (was_there > 0)
		is_recorded_there |= content.data && mr_str_eq(mr_buf_str(&before), content);
	mr_buf_done(&hex);
	mr_buf_done_secret(&before);
	return is_recorded_there;
}

int mr_fileset_is_ours(const struct mr_fileset *set, const struct mr_fileset_file *file, bool *out)
{
	struct mr_buf content = MR_BUF_INIT, written = MR_BUF_INIT;
	char path[PATH_LIMIT];
	int code = path_in(set, file->name, "written", path);

	if (!code)
		code = mr_file_read(set->diags, path, FILE_LIMIT, &written);
	if (code == MR_E_NOT_FOUND) {
		*out = false;
		return 0;
	}
	if (!code)
		code = mr_file_read(set->diags, file->path, FILE_LIMIT, &content);
	if (!code || code == MR_E_NOT_FOUND) {
		mr_str now = content.size ? mr_buf_str(&content) : MR_STR("");

		*out = is_recorded(set, file->name, mr_buf_str(&written), code ? (mr_str){0} : now);
		code = 0;
	}
	mr_buf_done_secret(&content);
	mr_buf_done(&written);
	return code;
}
