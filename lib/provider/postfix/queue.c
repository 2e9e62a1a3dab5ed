/*
 * Messages are files, in a folder a queue; qmgr(8) spreads those of large queues over folders below
 * it (hash_queue_names). No program is run, so that a look costs next to nothing.
 */
#include "postfix/queue.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

enum { MOST_FILES = 100000, MOST_MS = 200, DEEPEST = 4 };

struct count {
	uint64_t n;
	int64_t deadline_ms;
};

/* Some file systems do not say what a name is. */
static unsigned char type_of(int folder, const struct dirent *entry)
{
	struct stat status;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type;
	if (fstatat(folder, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return DT_UNKNOWN;
	return S_ISDIR(status.st_mode) ? DT_DIR : S_ISREG(status.st_mode) ? DT_REG : DT_UNKNOWN;
}

/* Files come and go meanwhile; the number is that of some moment. */
static bool count_below(struct count *count, int parent, const char *name, unsigned depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!folder) {
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	while (count->n < MOST_FILES && mr_clock_ms() < count->deadline_ms &&
	        (entry = readdir(folder)) != NULL) {
		unsigned char type = entry->d_name[0] == '.' ? DT_UNKNOWN : type_of(fd, entry);

		if (type == DT_REG)
			count->n++;
		else if (type == DT_DIR && depth < DEEPEST)
			(void)count_below(count, fd, entry->d_name, depth + 1);
	}
	(void)closedir(folder);
	return true;
}

void mr_postfix_measure(struct mr_backend *backend,
        void (*tell)(void *arg, const char *name, uint64_t value), void *arg)
{
	static const char *const queues[] = {"incoming", "active", "deferred", "hold"};
	struct mr_buf path = MR_BUF_INIT;
	MR_CLOSE int fd = -1;

	if ((!backend->has_main && mr_postfix_read_main(backend)) ||
	        mr_postfix_expand(
	                backend, mr_postfix_value(backend, MR_STR("queue_directory")), &path) ||
	        path.size == 0) {
		mr_buf_clear(&path);
		mr_buf_add_text(&path, "/var/spool/postfix");
	}
	fd = open(path.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mr_buf_done(&path);
	for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++) {
		struct count count = {.deadline_ms = mr_clock_ms() + MOST_MS};

		if (fd >= 0 && count_below(&count, fd, queues[i], 0))
			tell(arg, queues[i], count.n);
	}
}
