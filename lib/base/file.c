/*
 * Files: reading whole, replacing atomically, identity. Folders are in file_dir.c.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail_at(struct mr_diags *diags, const char *what, const char *path, int reason)
{
	int code = reason == EACCES || reason == EPERM ? MR_E_DENIED : MR_E_FAILED;

	return mr_fail(diags, code, "cannot %s '%s': %s", what, path, strerror(reason));
}

void mr_fd_done(int *fd)
{
	int kept = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = kept;
}

static int read_all(int fd, size_t limit_bytes, struct mr_buf *out)
{
	size_t before = out->size;
	struct stat status;
	size_t step = 65536;

	if (fstat(fd, &status) == 0 && status.st_size > 0 && (size_t)status.st_size <= limit_bytes)
		step = (size_t)status.st_size + 1;
	for (;;) {
		char *end = mr_buf_reserve(out, step);
		ssize_t n = read(fd, end, step);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		out->size += (size_t)n;
		if (out->size - before > limit_bytes)
			return -EFBIG;
		step = 65536;
	}
	out->data[out->size] = '\0';
	return 0;
}

int mr_file_read(struct mr_diags *diags, const char *path, size_t limit_bytes, struct mr_buf *out)
{
	MR_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	size_t before = out->size;
	struct stat status;
	int result;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return MR_E_NOT_FOUND;
	if (fd < 0 || fstat(fd, &status) < 0)
		return fail_at(diags, "read", path, errno);
	if (S_ISDIR(status.st_mode))
		return fail_at(diags, "read", path, EISDIR);
	if (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))
		return mr_fail(diags, MR_E_FAILED, "cannot read '%s': it is no file", path);
	result = read_all(fd, limit_bytes, out);
	if (result == 0)
		return 0;
	out->size = before;
	if (result == -EFBIG)
		return mr_fail(diags, MR_E_FAILED, "cannot read '%s': it is larger than %zu bytes",
		        path, limit_bytes);
	return fail_at(diags, "read", path, -result);
}

static int write_all(int fd, mr_str content)
{
	while (content.size) {
		ssize_t n = write(fd, content.data, content.size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		content = mr_str_skip(content, (size_t)n);
	}
	return 0;
}

static int fill(int fd, mr_str content, const struct mr_file_owner *owner)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return -1;
	if ((status.st_uid != owner->uid || status.st_gid != owner->gid) &&
	        fchown(fd, owner->uid, owner->gid) < 0)
		return -1;
	/* after the owner: a change of owner clears the set-id bits */
	if (fchmod(fd, owner->mode & 07777) < 0 || write_all(fd, content) < 0)
		return -1;
	return fsync(fd);
}

/* root:root for root; anybody else can only make files of his own. */
static struct mr_file_owner default_owner(void)
{
	return (struct mr_file_owner){geteuid(), getegid(), 0644};
}

int mr_file_write_new(
        struct mr_diags *diags, const char *path, mr_str content, const struct mr_file_owner *owner)
{
	struct mr_file_owner fallback = default_owner();
	MR_CLOSE int fd = -1;

	if (unlink(path) < 0 && errno != ENOENT)
		return fail_at(diags, "replace", path, errno);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_at(diags, "make", path, errno);
	if (fill(fd, content, owner ? owner : &fallback) < 0) {
		int reason = errno;

		(void)unlink(path); /* half a file is of no use; the error is reported below */
		return fail_at(diags, "write", path, reason);
	}
	return 0;
}

static int old_owner(struct mr_diags *diags, const char *path, struct mr_file_owner *out)
{
	struct stat status;

	*out = default_owner();
	if (lstat(path, &status) < 0)
		return errno == ENOENT ? 0 : fail_at(diags, "look at", path, errno);
	if (S_ISLNK(status.st_mode)) {
		(void)mr_fail(
		        diags, MR_E_FAILED, "cannot replace '%s': it is a symbolic link", path);
		mr_diags_hint(diags, "name the file that it points to");
		return MR_E_FAILED;
	}
	if (!S_ISREG(status.st_mode))
		return mr_fail(
		        diags, MR_E_FAILED, "cannot replace '%s': it is no plain file", path);
	*out = (struct mr_file_owner){status.st_uid, status.st_gid, status.st_mode & 07777};
	return 0;
}

static mr_str folder_of(const char *path)
{
	mr_str view = mr_str_from(path);
	size_t slash = mr_str_rfind(view, '/');

	if (slash == view.size)
		return MR_STR(".");
	return slash == 0 ? MR_STR("/") : mr_str_take(view, slash);
}

int mr_file_replace(
        struct mr_diags *diags, const char *path, mr_str content, const struct mr_file_owner *owner)
{
	struct mr_buf beside = MR_BUF_INIT;
	struct mr_file_owner old;
	int result = old_owner(diags, path, &old);

	if (result < 0)
		return result;
	mr_buf_printf(&beside, "%s.mailreeve-new", path);
	result = mr_file_write_new(diags, beside.data, content, owner ? owner : &old);
	if (result == 0) {
		result = mr_file_rename(diags, beside.data, path);
		if (result < 0)
			(void)unlink(beside.data); /* gone already when only the fsync failed */
	}
	mr_buf_done(&beside);
	return result;
}

int mr_file_publish(struct mr_diags *diags, const char *path, mr_str content, mode_t mode)
{
	struct mr_buf beside = MR_BUF_INIT;
	MR_CLOSE int fd = -1;
	int result = 0;

	mr_buf_printf(&beside, "%s.XXXXXX", path);
	fd = mkostemp(beside.data, O_CLOEXEC);
	if (fd < 0)
		result = fail_at(diags, "make", beside.data, errno);
	else if (fchmod(fd, mode) < 0 || write_all(fd, content) < 0 ||
	         rename(beside.data, path) < 0)
		result = fail_at(diags, "write", path, errno);
	if (fd >= 0 && result < 0)
		(void)unlink(beside.data);
	mr_buf_done(&beside);
	return result;
}

int mr_file_rename(struct mr_diags *diags, const char *from, const char *to)
{
	struct mr_buf folder = MR_BUF_INIT;
	int result;

	if (rename(from, to) < 0)
		return mr_fail(diags, MR_E_FAILED, "cannot rename '%s' to '%s': %s", from, to,
		        strerror(errno));
	mr_buf_add_str(&folder, folder_of(to));
	result = mr_dir_sync(diags, folder.data);
	mr_buf_done(&folder);
	return result;
}

int mr_file_remove(struct mr_diags *diags, const char *path)
{
	if (unlink(path) < 0 && errno != ENOENT && errno != ENOTDIR)
		return fail_at(diags, "remove", path, errno);
	return 0;
}

static uint64_t nanoseconds(const struct timespec *when)
{
	return (uint64_t)when->tv_sec * UINT64_C(1000000000) + (uint64_t)when->tv_nsec;
}

void mr_file_identify(const char *path, struct mr_file_identity *out)
{
	struct stat status;

	*out = (struct mr_file_identity){0};
	if (stat(path, &status) < 0)
		return;
	*out = (struct mr_file_identity){status.st_dev, status.st_ino, (uint64_t)status.st_size,
	        nanoseconds(&status.st_mtim), nanoseconds(&status.st_ctim)};
}
