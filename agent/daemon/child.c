/*
 * Starting a part, listening to it, and its end: the program again, with one socket, a copy of the
 * configuration and nothing else open.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/supervise.h"

enum { GRACE_SECONDS = 60 };

static const char self[] = "/proc/self/exe";

/* In the child: descriptors as roles.h says, no signal blocked, and it dies with its parent. */
static _Noreturn void become_part(
        const struct agent *agent, int channel, const char *const *argv, pid_t parent)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent || dup2(channel, ROLE_CHANNEL) < 0 ||
	        dup2(agent->config, ROLE_CONFIG) < 0)
		_exit(MAILREEVE_FAILED);
	(void)close_range(ROLE_FIRST_FREE, ~0U, 0);
	(void)execv(self, (char *const *)argv);
	_exit(MAILREEVE_FAILED);
}

static int start_process(struct agent *agent, const struct role *role, const struct role_call *call)
{
	char config[32], told[24];
	const char *argv[] = {"mailreeve", "--config", config, "agent", role->name,
	        call->commit ? call->commit : "", told, NULL};
	pid_t parent = getpid(), pid;
	int ends[2];

	(void)snprintf(told, sizeof told, "%" PRIu64, call->told);
	(void)snprintf(config, sizeof config, "/proc/self/fd/%d", ROLE_CONFIG);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	/* clear of the places that the part finds its own in */
	int theirs = fcntl(ends[1], F_DUPFD_CLOEXEC, ROLE_FIRST_FREE);
	(void)close(ends[1]);
	pid = theirs < 0 ? -1 : fork();
	if (pid == 0)
		become_part(agent, theirs, argv, parent);
	int reason = errno;
	if (theirs >= 0)
		(void)close(theirs);
	if (pid < 0) {
		(void)close(ends[0]);
		return -reason;
	}
	agent->children[role - roles].pid = pid;
	agent->children[role - roles].channel = ends[0];
	return 0;
}

bool child_runs(const struct agent *agent, enum role_id role)
{
	return agent->children[role].pid > 0;
}

void child_stop(struct child *child, int signal_number)
{
	if (child->pid <= 0)
		return;
	child->is_asked = true;
	(void)kill(child->pid, signal_number);
}

static void take_message(struct child *child, const struct message *message)
{
	if (message->kind == MESSAGE_DONE)
		child->result = *message;
	else if (staying_is(child->role))
		staying_message(child, message);
}

/* Whatever breaks the form ends the part: it is no part of ours any more. */
static void drain(struct child *child)
{
	struct message message;
	int got = 0;

	while (child->channel >= 0 && (got = message_receive(child->channel, &message)) > 0)
		take_message(child, &message);
	if (got < 0)
		child_stop(child, SIGKILL);
}

static int on_input(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct child *child = arg;
	struct message message;
	int got;

	(void)fd;
	(void)events;
	got = message_receive(child->channel, &message);
	if (got > 0)
		take_message(child, &message);
	if (got < 0)
		child_stop(child, SIGKILL);
	if (got <= 0) /* its end is told by the kernel */
		(void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return 0;
}

/* First it is asked, so that an apply can take back what it began; then it is ended. */
static int on_deadline(sd_event_source *source, uint64_t now, void *arg)
{
	struct child *child = arg;
	bool is_asked = child->role == ROLE_APPLY && !child->is_late;

	child->is_late = true;
	child_stop(child, is_asked ? SIGTERM : SIGKILL);
	if (is_asked) {
		(void)sd_event_source_set_time(source, now + GRACE_SECONDS * 1000000ULL);
		(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	}
	return 0;
}

void child_explain(const struct child *child, int how, int status, struct message *out)
{
	*out = child->result;
	if (out->kind == MESSAGE_DONE)
		return;
	out->kind = MESSAGE_DONE;
	if (how == CLD_EXITED && status == 0 && staying_is(child->role))
		return;
	out->status = how == CLD_EXITED && status ? status : MAILREEVE_FAILED;
	if (child->is_late)
		(void)snprintf(out->text, sizeof out->text, "part '%s' did not end within %u s",
		        roles[child->role].name, roles[child->role].deadline_seconds);
	else if (how == CLD_EXITED)
		(void)snprintf(out->text, sizeof out->text, "part '%s' ended with status %d",
		        roles[child->role].name, status);
	else
		(void)snprintf(out->text, sizeof out->text, "part '%s' was ended by signal %d",
		        roles[child->role].name, status);
}

static void release(struct child *child)
{
	child->input = sd_event_source_disable_unref(child->input);
	child->ending = sd_event_source_disable_unref(child->ending);
	child->deadline = sd_event_source_disable_unref(child->deadline);
	if (child->channel >= 0)
		(void)close(child->channel);
	child->channel = -1;
	child->pid = 0;
}

static int on_end(sd_event_source *source, const siginfo_t *info, void *arg)
{
	struct child *child = arg;
	struct message result;

	(void)source;
	if (sd_event_source_get_enabled(child->input, NULL) > 0) {
		(void)fcntl(child->channel, F_SETFL, O_NONBLOCK);
		drain(child);
	}
	child_explain(child, info->si_code, info->si_status, &result);
	release(child);
	if (child->agent->is_stopping)
		agent_end(child->agent);
	else if (staying_is(child->role))
		staying_ended(child, &result);
	else
		cycle_part_ended(child->agent, child->role, &result);
	return 0;
}

static int listen_to(struct child *child)
{
	unsigned seconds = roles[child->role].deadline_seconds;
	sd_event *event = child->agent->event;
	int code = sd_event_add_io(event, &child->input, child->channel, EPOLLIN, on_input, child);

	if (code >= 0)
		code = sd_event_add_child(
		        event, &child->ending, child->pid, WEXITED, on_end, child);
	/* what it said last is read before its end */
	if (code >= 0)
		code = sd_event_source_set_priority(child->ending, SD_EVENT_PRIORITY_NORMAL + 10);
	if (code >= 0 && seconds > 0)
		code = sd_event_add_time_relative(event, &child->deadline, CLOCK_BOOTTIME,
		        seconds * 1000000ULL, 1000000, on_deadline, child);
	return code < 0 ? code : 0;
}

int child_start(struct agent *agent, enum role_id role, const char *commit, uint64_t told)
{
	struct child *child = &agent->children[role];
	int code;

	child->agent = agent;
	child->role = role;
	child->result = (struct message){0};
	child->is_late = child->is_asked = false;
	(void)sd_event_now(agent->event, CLOCK_MONOTONIC, &child->began_usec);
	code = start_process(
	        agent, &roles[role], &(struct role_call){.commit = commit, .told = told});
	if (!code)
		code = listen_to(child);
	if (code < 0 && child->pid > 0) {
		child_stop(child, SIGKILL);
		(void)waitpid(child->pid, NULL, 0);
		release(child);
	}
	return code;
}
