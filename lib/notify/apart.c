/*
 * A child by fork alone: it has our memory, but no descriptor of ours, no right of root, and a
 * deadline after which its whole group is killed.
 */
#include "notify/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/wait.h"

enum { ANSWER = 3, MOST_BYTES = 1000 };

struct account {
	bool is_other;
	const char *name;
	uid_t uid;
	gid_t gid;
};

static int find_account(
        struct mr_diags *diags, const struct mr_apart *apart, const char *name, struct account *out)
{
	const struct passwd *entry;

	*out = (struct account){.name = name};
	if (apart->user.size == 0 || geteuid() != 0)
		return 0;
	entry = getpwnam(name);
	if (!entry)
		return mr_fail(diags, MR_E_CONFIG,
		        "user: there is no account '%s' on this host (hint: make it, or leave "
		        "'user' out of agent.yaml)",
		        name);
	out->is_other = true;
	out->uid = entry->pw_uid;
	out->gid = entry->pw_gid;
	return 0;
}

static bool become(const struct account *account)
{
	return !account->is_other ||
	       (initgroups(account->name, account->gid) == 0 &&
	               setresgid(account->gid, account->gid, account->gid) == 0 &&
	               setresuid(account->uid, account->uid, account->uid) == 0);
}

/* No descriptor of ours stays: a lock that a child holds would outlive us. */
static bool shed(int answer)
{
	const struct rlimit none = {0, 0};
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t all;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)sigfillset(&all);
	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &standard, NULL); /* some cannot be set */
	(void)sigprocmask(SIG_UNBLOCK, &all, NULL);
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	return null >= 0 && dup2(null, STDIN_FILENO) == STDIN_FILENO &&
	       dup2(null, STDOUT_FILENO) == STDOUT_FILENO &&
	       (answer == ANSWER || dup2(answer, ANSWER) == ANSWER) &&
	       close_range(ANSWER + 1, ~0U, 0) == 0 && fcntl(ANSWER, F_SETFD, FD_CLOEXEC) == 0;
}

static _Noreturn void run_child(
        const struct mr_apart *apart, const struct account *account, int answer)
{
	struct mr_buf why = MR_BUF_INIT;
	bool is_done = false;

	if (!shed(answer))
		_exit(2);
	if (!become(account))
		mr_buf_printf(
		        &why, "cannot take the rights of '%s': %s", account->name, strerror(errno));
	else if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	         (apart->bars_rights && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0))
		mr_buf_printf(&why, "cannot bar new rights: %s", strerror(errno));
	else
		is_done = apart->work(apart->arg, &why);
	if (why.size > MOST_BYTES)
		why.size = MOST_BYTES;
	if (why.size > 0 && write(ANSWER, why.data, why.size) < 0)
		is_done = false; /* nobody listens any more */
	_exit(is_done ? 0 : 1);
}

/* Until the child has ended, or the time is over: then false. */
static bool await(int pidfd, unsigned timeout_ms)
{
	return mr_wait_fd(pidfd, POLLIN, mr_clock_ms() + timeout_ms) > 0;
}

static int judge(
        struct mr_diags *diags, const struct mr_apart *apart, const siginfo_t *end, int answer)
{
	char why[MOST_BYTES + 1];
	ssize_t n = read(answer, why, MOST_BYTES);

	if (end->si_code == CLD_EXITED && end->si_status == 0)
		return 0;
	if (n > 0)
		return mr_fail(diags, MR_E_FAILED, "%s: %.*s", apart->what, (int)n, why);
	return mr_fail(diags, MR_E_FAILED, "%s: its process ended with %s %d", apart->what,
	        end->si_code == CLD_EXITED ? "status" : "signal", end->si_status);
}

static int oversee(struct mr_diags *diags, const struct mr_apart *apart, pid_t child, int answer)
{
	MR_CLOSE int pidfd = pidfd_open(child, 0);
	bool is_ended = pidfd >= 0 && await(pidfd, apart->timeout_ms);
	siginfo_t end = {0};

	if (!is_ended) {
		(void)kill(child, SIGKILL);
		(void)kill(-child, SIGKILL); /* once it has made its group */
	}
	while (waitid(P_PID, (id_t)child, &end, WEXITED) < 0 && errno == EINTR)
		continue;
	if (!is_ended)
		return mr_fail(diags, MR_E_TIMEOUT, "%s: no answer within %u.%u s", apart->what,
		        apart->timeout_ms / 1000, apart->timeout_ms % 1000 / 100);
	return judge(diags, apart, &end, answer);
}

int mr_apart(struct mr_diags *diags, const struct mr_apart *apart)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	struct account account;
	int ends[2] = {-1, -1};
	pid_t child;
	int code = find_account(diags, apart, mr_str_copy(&arena, apart->user).data, &account);

	if (code)
		return code;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return mr_fail(diags, MR_E_FAILED, "%s: %s", apart->what, strerror(errno));
	child = fork();
	if (child == 0)
		run_child(apart, &account, ends[1]);
	(void)close(ends[1]);
	code = child < 0 ? mr_fail(diags, MR_E_FAILED, "%s: %s", apart->what, strerror(errno))
	                 : oversee(diags, apart, child, ends[0]);
	(void)close(ends[0]);
	return code;
}
