/*
 * Fetching, our side: a look whether there is anything new, then a child that does the work and can
 * be killed.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/wait.h"
#include "source/glance.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define HAS_SHADOW_MEMORY 1 /* larger than any limit */
#else
#define HAS_SHADOW_MEMORY 0
#endif

#define LARGEST_REPORT 65536
#define MEMORY_LIMIT   ((rlim_t)8 << 30)
#define FILE_LIMIT     ((rlim_t)8 << 30)

/* What the child sends: a code, then text and hint of its first error, each ended by NUL. */
struct report_head {
	int code;
};

static void limit(__rlimit_resource_t what, rlim_t most)
{
	struct rlimit limits = {most, most};

	(void)setrlimit(what, &limits);
}

/* In the child: nothing of ours stays open (the lock above all), and it dies with us. */
static void confine(int report_fd, pid_t parent)
{
	struct sigaction plain = {.sa_handler = SIG_DFL};
	sigset_t none;

	(void)setsid();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)sigaction(SIGTERM, &plain, NULL);
	(void)sigaction(SIGINT, &plain, NULL);
	plain.sa_handler = SIG_IGN; /* an error of write instead */
	(void)sigaction(SIGXFSZ, &plain, NULL);
	(void)sigaction(SIGPIPE, &plain, NULL);
	if (report_fd > 3)
		(void)close_range(3, (unsigned)report_fd - 1, 0);
	(void)close_range((unsigned)report_fd + 1, ~0U, 0);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, FILE_LIMIT);
	if (!HAS_SHADOW_MEMORY)
		limit(RLIMIT_AS, MEMORY_LIMIT);
}

static void send_report(int fd, int code, const struct mr_diags *diags)
{
	struct mr_buf text = MR_BUF_INIT;
	struct report_head head = {code};
	mr_str rest;

	mr_buf_add(&text, &head, sizeof head);
	if (diags->list.n) {
		mr_buf_add_str(&text, mr_str_take(diags->list.items[0].text, LARGEST_REPORT / 4));
		mr_buf_add_char(&text, '\0');
		mr_buf_add_str(&text, mr_str_take(diags->list.items[0].hint, LARGEST_REPORT / 4));
		mr_buf_add_char(&text, '\0');
	}
	rest = mr_buf_str(&text);
	while (rest.size) {
		ssize_t n = write(fd, rest.data, rest.size);

		if (n < 0 && errno != EINTR)
			break; /* nobody listens any more */
		rest = mr_str_skip(rest, n < 0 ? 0 : (size_t)n);
	}
	mr_buf_done(&text);
}

static _Noreturn void run_child(const struct mr_repo *repo, int report_fd, pid_t parent)
{
	struct mr_diags diags;
	int code;

	confine(report_fd, parent);
	mr_diags_init(&diags);
	code = mr_fetch_work(&diags, repo);
	send_report(report_fd, code, &diags);
	_exit(0);
}

/* 0 at the end of the report, -1 when the deadline passed. */
static int collect(int fd, int64_t deadline_ms, struct mr_buf *out)
{
	for (;;) {
		ssize_t n;

		if (mr_wait_fd(fd, POLLIN, deadline_ms) <= 0)
			return -1;
		n = read(fd, mr_buf_reserve(out, 4096), 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || out->size > LARGEST_REPORT)
			return 0;
		out->size += (size_t)n;
	}
}

static int take_report(struct mr_diags *diags, const struct mr_repo *repo, mr_str report)
{
	struct report_head head;
	mr_str text, hint;

	if (report.size < sizeof head) {
		(void)mr_fail(diags, MR_E_UNREADABLE,
		        "cannot fetch '%s': the process that did it was ended", repo->shown_url);
		mr_diags_hint(
		        diags, "it may have needed more than its limits of memory or file size");
		return MR_E_UNREADABLE;
	}
	memcpy(&head, report.data, sizeof head);
	if (head.code >= 0)
		return 0;
	report = mr_str_skip(report, sizeof head);
	text = mr_str_split(&report, '\0');
	hint = mr_str_split(&report, '\0');
	(void)mr_fail(diags, head.code, "%.*s", MR_FMT(text));
	if (hint.size)
		mr_diags_hint(diags, "%.*s", MR_FMT(hint));
	return head.code;
}

static int fail_late(struct mr_diags *diags, const struct mr_repo *repo)
{
	return mr_fail(diags, MR_E_BUSY, "cannot fetch '%s': not done within %u.%u s",
	        repo->shown_url, repo->timeout_ms / 1000, repo->timeout_ms % 1000 / 100);
}

static int watch_child(struct mr_diags *diags, const struct mr_repo *repo, pid_t pid, int fd)
{
	struct mr_buf report = MR_BUF_INIT;
	int late = collect(fd, mr_clock_ms() + repo->timeout_ms, &report);
	int result;

	/* the child has its own group: whatever it started goes with it */
	(void)kill(-pid, SIGKILL);
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	result = late < 0 ? fail_late(diags, repo) : take_report(diags, repo, mr_buf_str(&report));
	mr_buf_done(&report);
	return result;
}

int mr_repo_fetch(struct mr_diags *diags, struct mr_repo *repo)
{
	MR_CLOSE int ours = -1;
	pid_t parent = getpid();
	int ends[2];
	bool is_current = false;
	int result = mr_repo_check_url(diags, repo);
	pid_t pid;

	if (result == 0 && mr_glance_look(repo))
		return 0;
	if (result == 0)
		result = mr_repo_ready(diags, repo);
	if (result == 0 && repo->is_local)
		result = mr_fetch_is_current(diags, repo, &is_current);
	repo->glance.is_current = is_current;
	if (result < 0 || is_current)
		return result;
	repo->glance.print = (mr_str){0}; /* the mirror is about to change */
	if (pipe2(ends, O_CLOEXEC) < 0)
		return mr_fail(diags, MR_E_FAILED, "cannot make a pipe: %s", strerror(errno));
	ours = ends[0];
	pid = fork();
	if (pid == 0)
		run_child(repo, ends[1], parent);
	(void)close(ends[1]);
	if (pid < 0)
		return mr_fail(diags, MR_E_FAILED, "cannot start a process: %s", strerror(errno));
	return watch_child(diags, repo, pid, ours);
}
