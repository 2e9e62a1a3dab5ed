/*
 * Running a helper program. Its output is collected by a poll loop under a deadline; a daemon
 * starter writes into files in memory instead, since the daemons it leaves behind keep a pipe open
 * for ever.
 */
#include "base/run.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_MS  30000
#define DEFAULT_LIMIT_BYTES ((size_t)16 << 20)
#define REAP_TIMEOUT_MS     5000

static const char *const program_folders[] = {"/usr/sbin", "/usr/bin", "/sbin", "/bin"};
static char *const clean_environment[] = {
        (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        (char *)"LANG=C.UTF-8",
        (char *)"HOME=/",
        NULL,
};

/* One output of the child: our end, the child's end, and where the bytes go. */
struct stream {
	int ours;
	int theirs;
	bool is_file;
	struct mr_buf *into;
};

struct job {
	struct mr_run *run;
	struct mr_diags *diags;
	int input;
	struct stream streams[2]; /* out, err */
	pid_t pid;
	int pidfd;
	int64_t deadline_ms;
	size_t limit_bytes;
};

static int fail_errno(const struct job *job, const char *what)
{
	return mr_fail(job->diags, MR_E_FAILED, "cannot run '%s': %s: %s", job->run->argv[0], what,
	        strerror(errno));
}

static bool find_program(const char *name, struct mr_buf *out)
{
	if (name[0] == '/') {
		mr_buf_add_text(out, name);
		return access(name, X_OK) == 0;
	}
	for (size_t i = 0; i < sizeof program_folders / sizeof *program_folders; i++) {
		mr_buf_clear(out);
		mr_buf_printf(out, "%s/%s", program_folders[i], name);
		if (access(out->data, X_OK) == 0)
			return true;
	}
	return false;
}

static int open_input(struct job *job)
{
	mr_str rest = job->run->input;

	if (!rest.size) {
		job->input = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return job->input < 0 ? -1 : 0;
	}
	job->input = memfd_create("mailreeve-input", MFD_CLOEXEC);
	while (job->input >= 0 && rest.size) {
		ssize_t n = write(job->input, rest.data, rest.size);

		if (n < 0 && errno != EINTR)
			return -1;
		rest = mr_str_skip(rest, n < 0 ? 0 : (size_t)n);
	}
	return job->input < 0 || lseek(job->input, 0, SEEK_SET) < 0 ? -1 : 0;
}

static int open_terminal(struct stream *stream)
{
	char name[64];
	struct termios mode;

	stream->ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (stream->ours < 0 || grantpt(stream->ours) < 0 || unlockpt(stream->ours) < 0 ||
	        ptsname_r(stream->ours, name, sizeof name) != 0)
		return -1;
	stream->theirs = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (stream->theirs < 0 || tcgetattr(stream->theirs, &mode) < 0)
		return -1;
	cfmakeraw(&mode);
	return tcsetattr(stream->theirs, TCSANOW, &mode);
}

static int open_stream(struct stream *stream, bool is_file, bool is_terminal)
{
	int ends[2];

	if (is_terminal)
		return open_terminal(stream);
	stream->is_file = is_file;
	if (is_file) {
		stream->theirs = memfd_create("mailreeve-output", MFD_CLOEXEC);
		return stream->theirs < 0 ? -1 : 0;
	}
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	stream->ours = ends[0];
	stream->theirs = ends[1];
	return 0;
}

static int open_streams(struct job *job)
{
	const struct mr_run *run = job->run;

	if (open_input(job) < 0 ||
	        open_stream(&job->streams[0], run->is_daemon_starter, false) < 0 ||
	        open_stream(&job->streams[1], run->is_daemon_starter, run->wants_terminal) < 0)
		return fail_errno(job, "cannot open its input and output");
	for (size_t i = 0; i < 2; i++)
		if (job->streams[i].ours >= 0 &&
		        fcntl(job->streams[i].ours, F_SETFL, O_NONBLOCK) < 0)
			return fail_errno(job, "cannot open its input and output");
	return 0;
}

static int spawn(struct job *job, const char *program)
{
	const char *directory = job->run->directory ? job->run->directory : "/";
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int reason;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawnattr_setflags(
	        &attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setsigdefault(&attributes, &all);
	(void)posix_spawn_file_actions_adddup2(&actions, job->input, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, job->streams[0].theirs, 1);
	(void)posix_spawn_file_actions_adddup2(&actions, job->streams[1].theirs, 2);
	(void)posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	(void)posix_spawn_file_actions_addchdir_np(&actions, directory);
	reason = posix_spawn(&job->pid, program, &actions, &attributes,
	        (char *const *)job->run->argv, clean_environment);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attributes);
	errno = reason;
	return reason ? -1 : 0;
}

static void reap(struct job *job)
{
	siginfo_t info = {0};

	while (waitid(P_PID, (id_t)job->pid, &info, WEXITED) < 0 && errno == EINTR)
		continue;
	job->run->status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	job->pid = 0;
}

/* The child may sit in the kernel (a dead network file system): not even SIGKILL is waited for
 * without end. */
static void kill_group(struct job *job)
{
	(void)kill(-job->pid, SIGKILL);
	if (job->pidfd < 0 || mr_wait_fd(job->pidfd, POLLIN, mr_clock_ms() + REAP_TIMEOUT_MS) > 0)
		reap(job);
}

/* 1 more may come, 0 end of the stream, <0 reported. */
static int drain(struct job *job, struct stream *stream)
{
	for (;;) {
		char *end = mr_buf_reserve(stream->into, 65536);
		ssize_t n = read(stream->ours, end, 65536);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 1;
		if (n <= 0) /* a terminal ends with EIO */
			return 0;
		stream->into->size += (size_t)n;
		if (stream->into->size > job->limit_bytes)
			return mr_fail(job->diags, MR_E_FAILED, "'%s' wrote more than %zu bytes",
			        job->run->argv[0], job->limit_bytes);
	}
}

static int drain_all(struct job *job)
{
	for (size_t i = 0; i < 2; i++) {
		struct stream *stream = &job->streams[i];
		int result = stream->ours >= 0 ? drain(job, stream) : 1;

		if (result < 0)
			return result;
		if (result == 0)
			mr_fd_done(&stream->ours);
	}
	return 0;
}

static int fail_timeout(const struct job *job, unsigned timeout_ms)
{
	return mr_fail(job->diags, MR_E_TIMEOUT, "'%s' did not end within %u.%u s",
	        job->run->argv[0], timeout_ms / 1000, timeout_ms % 1000 / 100);
}

/* Until the program has ended. What it wrote by then is all that counts. */
static int await(struct job *job, unsigned timeout_ms)
{
	for (;;) {
		struct pollfd fds[] = {
		        {job->pidfd, POLLIN, 0},
		        {job->streams[0].ours, POLLIN, 0},
		        {job->streams[1].ours, POLLIN, 0},
		};
		int64_t left = job->deadline_ms - mr_clock_ms();
		int n = left > 0 ? poll(fds, 3, (int)left) : 0;
		int result;

		if (n < 0 && errno != EINTR)
			return fail_errno(job, "cannot wait for it");
		if (n == 0)
			return fail_timeout(job, timeout_ms);
		result = drain_all(job);
		if (result < 0)
			return result;
		if (n > 0 && (fds[0].revents & POLLIN)) {
			reap(job);
			return drain_all(job);
		}
	}
}

static int read_file(struct job *job, struct stream *stream)
{
	if (!stream->is_file)
		return 0;
	if (lseek(stream->theirs, 0, SEEK_SET) < 0)
		return fail_errno(job, "cannot read its output");
	stream->ours = stream->theirs;
	stream->theirs = -1;
	return drain(job, stream) < 0 ? MR_E_FAILED : 0;
}

static void strip_returns(struct mr_buf *buf)
{
	size_t kept = 0;

	for (size_t i = 0; i < buf->size; i++)
		if (buf->data[i] != '\r')
			buf->data[kept++] = buf->data[i];
	buf->size = kept;
}

static int finish(struct job *job)
{
	for (size_t i = 0; i < 2; i++) {
		int result = read_file(job, &job->streams[i]);

		if (result < 0)
			return result;
	}
	if (job->run->wants_terminal)
		strip_returns(&job->run->err);
	return 0;
}

static int run_program(struct job *job, const char *program)
{
	unsigned timeout_ms = job->run->timeout_ms ? job->run->timeout_ms : DEFAULT_TIMEOUT_MS;
	int result = open_streams(job);

	if (result < 0)
		return result;
	job->deadline_ms = mr_clock_ms() + timeout_ms;
	if (spawn(job, program) < 0)
		return fail_errno(job, "cannot start it");
	for (size_t i = 0; i < 2; i++)
		if (!job->streams[i].is_file)
			mr_fd_done(&job->streams[i].theirs);
	job->pidfd = pidfd_open(job->pid, 0);
	result = job->pidfd < 0 ? fail_errno(job, "cannot watch it") : await(job, timeout_ms);
	if (job->pid)
		kill_group(job);
	return result < 0 ? result : finish(job);
}

static void terminate(struct mr_buf *buf)
{
	mr_buf_add(buf, NULL, 0);
}

int mr_run(struct mr_diags *diags, struct mr_run *run)
{
	struct job job = {.run = run, .diags = diags, .input = -1, .pidfd = -1};
	struct mr_buf program = MR_BUF_INIT;
	int result;

	job.streams[0] = (struct stream){-1, -1, false, &run->out};
	job.streams[1] = (struct stream){-1, -1, false, &run->err};
	job.limit_bytes = run->limit_bytes ? run->limit_bytes : DEFAULT_LIMIT_BYTES;
	mr_buf_clear(&run->out);
	mr_buf_clear(&run->err);
	if (find_program(run->argv[0], &program))
		result = run_program(&job, program.data);
	else
		result = mr_fail(
		        diags, MR_E_NOT_FOUND, "cannot run '%s': no such program", run->argv[0]);
	terminate(&run->out);
	terminate(&run->err);
	mr_fd_done(&job.input);
	mr_fd_done(&job.pidfd);
	for (size_t i = 0; i < 2; i++) {
		mr_fd_done(&job.streams[i].ours);
		mr_fd_done(&job.streams[i].theirs);
	}
	mr_buf_done(&program);
	return result;
}

void mr_run_done(struct mr_run *run)
{
	mr_buf_done_secret(&run->out);
	mr_buf_done_secret(&run->err);
}
