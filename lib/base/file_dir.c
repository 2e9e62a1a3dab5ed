/*
 * Folders: making with parents, syncing, giving away and removing with what is in them.
 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEEPEST 16

static int make_one(const char *path, mode_t mode)
{
	struct stat status;

	if (mkdir(path, mode) == 0)
		return chmod(path, mode); /* whatever the umask is */
	if (errno != EEXIST || stat(path, &status) < 0)
		return -1;
	if (S_ISDIR(status.st_mode))
		return 0;
	errno = ENOTDIR;
	return -1;
}

int mr_dir_make(struct mr_diags *diags, const char *path, mode_t mode)
{
	struct mr_buf partial = MR_BUF_INIT;
	int result = 0;

	mr_buf_add_text(&partial, path);
	while (partial.size > 1 && partial.data[partial.size - 1] == '/')
		partial.data[--partial.size] = '\0';
	for (size_t i = 1; result == 0 && i <= partial.size; i++) {
		bool is_last = i == partial.size;

		if (!is_last && partial.data[i] != '/')
			continue;
		partial.data[i] = '\0';
		result = make_one(partial.data, is_last ? mode : 0755);
		if (result < 0)
			result = mr_fail(diags,
			        errno == EACCES || errno == EPERM ? MR_E_DENIED : MR_E_FAILED,
			        "cannot make folder '%s': %s", partial.data, strerror(errno));
		if (!is_last)
			partial.data[i] = '/';
	}
	mr_buf_done(&partial);
	return result;
}

int mr_dir_sync(struct mr_diags *diags, const char *path)
{
	MR_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return mr_fail(
		        diags, MR_E_FAILED, "cannot sync folder '%s': %s", path, strerror(errno));
	return 0;
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int give_one(int parent, const char *name, uid_t uid, gid_t gid, unsigned depth);

static int give_entries(DIR *dir, uid_t uid, gid_t gid, unsigned depth)
{
	struct dirent *entry;

	while ((errno = 0, entry = readdir(dir)))
		if (!is_dot(entry->d_name) &&
		        give_one(dirfd(dir), entry->d_name, uid, gid, depth + 1) < 0)
			return -1;
	return errno ? -1 : 0;
}

/* The descriptor is looked at and given, so that nothing can be put in the name's place between. */
static int give_one(int parent, const char *name, uid_t uid, gid_t gid, unsigned depth)
{
	MR_CLOSE int fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;
	DIR *dir;
	int inside, result;

	if (fd < 0 || fstat(fd, &status) < 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISDIR(status.st_mode) && status.st_nlink > 1)
		return 0;
	if ((status.st_uid != uid || status.st_gid != gid) &&
	        fchownat(fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (!S_ISDIR(status.st_mode) || depth > DEEPEST)
		return 0;
	inside = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = inside < 0 ? NULL : fdopendir(inside);
	if (!dir) {
		mr_fd_done(&inside);
		return -1;
	}
	result = give_entries(dir, uid, gid, depth);
	(void)closedir(dir);
	return result;
}

int mr_dir_give(struct mr_diags *diags, const char *path, uid_t uid, gid_t gid)
{
	if (give_one(AT_FDCWD, path, uid, gid, 0) == 0)
		return 0;
	return mr_fail(diags, MR_E_DENIED, "cannot give folder '%s' to user %u: %s", path,
	        (unsigned)uid, strerror(errno));
}

static int remove_inside(int parent, const char *name, unsigned depth);

static int remove_entries(DIR *dir, unsigned depth)
{
	struct dirent *entry;

	while ((errno = 0, entry = readdir(dir))) {
		if (is_dot(entry->d_name))
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR && errno != EPERM)
			return -1;
		if (remove_inside(dirfd(dir), entry->d_name, depth + 1) < 0)
			return -1;
	}
	return errno ? -1 : 0;
}

static int remove_inside(int parent, const char *name, unsigned depth)
{
	int fd;
	DIR *dir;
	int result, reason;

	if (depth > DEEPEST) {
		errno = ELOOP;
		return -1;
	}
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	dir = fdopendir(fd);
	if (!dir) {
		mr_fd_done(&fd);
		return -1;
	}
	result = remove_entries(dir, depth);
	reason = errno;
	(void)closedir(dir);
	errno = reason;
	return result < 0 ? -1 : unlinkat(parent, name, AT_REMOVEDIR);
}

int mr_dir_remove(struct mr_diags *diags, const char *path)
{
	if (remove_inside(AT_FDCWD, path, 0) == 0 || errno == ENOENT)
		return 0;
	return mr_fail(diags, MR_E_FAILED, "cannot remove folder '%s': %s", path, strerror(errno));
}
