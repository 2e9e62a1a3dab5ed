/*
 * The lock of the state directory: flock on an open file, so that it dies with its holder. The file
 * says who holds it; it is emptied by a holder that ends in order.
 */
#include "base/file.h"
#include "base/text.h"
#include "base/wait.h"
#include "store/private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS        50
#define LONGEST_HOLDER 512

static int fail_busy(struct mr_diags *diags, const char *path, int fd)
{
	char holder[LONGEST_HOLDER];
	ssize_t size = pread(fd, holder, sizeof holder, 0);
	mr_str text = mr_str_trim((mr_str){holder, size > 0 ? (size_t)size : 0});
	int code;

	if (text.size)
		code = mr_fail(
		        diags, MR_E_BUSY, "cannot lock '%s': held by %.*s", path, MR_FMT(text));
	else
		code = mr_fail(
		        diags, MR_E_BUSY, "cannot lock '%s': another process holds it", path);
	mr_diags_hint(diags, "wait for it to end, or give --lock-timeout");
	return code;
}

static int wait_for(int fd, unsigned timeout_ms)
{
	for (unsigned waited_ms = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited_ms += POLL_MS) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (waited_ms >= timeout_ms)
			return -EWOULDBLOCK;
		mr_wait_ms(POLL_MS);
	}
	return 0;
}

static int sign(int fd, const char *purpose)
{
	struct mr_buf text = MR_BUF_INIT;
	ssize_t n;

	mr_buf_printf(
	        &text, "'%s' (process %d) since ", purpose ? purpose : "mailreeve", (int)getpid());
	mr_time_format((int64_t)time(NULL), &text);
	mr_buf_add_char(&text, '\n');
	n = ftruncate(fd, 0) < 0 ? -1 : pwrite(fd, text.data, text.size, 0);
	mr_buf_done(&text);
	return n < 0 ? -1 : 0;
}

int mr_lock_take(struct mr_diags *diags, const char *path, const struct mr_state_options *options,
        int *out_fd, bool *out_was_left_open)
{
	MR_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	char first;
	int result;

	if (fd < 0)
		return mr_fail(diags, MR_E_CONFIG, "cannot open '%s': %s", path, strerror(errno));
	result = wait_for(fd, options->lock_timeout_ms);
	if (result == -EWOULDBLOCK)
		return fail_busy(diags, path, fd);
	if (result < 0)
		return mr_fail(diags, MR_E_FAILED, "cannot lock '%s': %s", path, strerror(-result));
	*out_was_left_open = pread(fd, &first, 1, 0) > 0;
	if (sign(fd, options->purpose) < 0)
		return mr_fail(diags, MR_E_FAILED, "cannot write '%s': %s", path, strerror(errno));
	*out_fd = fd;
	fd = -1;
	return 0;
}

bool mr_state_is_locked(struct mr_state *state)
{
	MR_CLOSE int fd = open(mr_state_path(state, "lock"), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

void mr_lock_release(int fd)
{
	if (fd < 0)
		return;
	(void)!ftruncate(fd, 0); /* at worst the next one checks the database without need */
	(void)close(fd);
}
