/*
 * The agent's main process: signals, the watchdog, the configuration that is in force, the end.
 */
#include "daemon/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "daemon/log.h"

enum {
	LARGEST_CONFIG = 1 << 20,
	PATIENCE_SECONDS = 100 /* for an apply that ends or takes back; below TimeoutStopSec= */
};

/* agent.yaml as it is now, kept: the parts read this copy, whatever becomes of the file. */
static int copy_config(const char *path)
{
	int from = open(path, O_RDONLY | O_CLOEXEC);
	int to = memfd_create("agent.yaml", MFD_CLOEXEC);
	ssize_t n = from < 0 || to < 0 ? -1 : sendfile(to, from, NULL, LARGEST_CONFIG);
	int reason = errno;

	if (from >= 0)
		(void)close(from);
	if (n >= 0) {
		/* clear of the places that a part finds its own in */
		n = fcntl(to, F_DUPFD_CLOEXEC, ROLE_FIRST_FREE);
		reason = errno;
	}
	if (to >= 0)
		(void)close(to);
	return n < 0 ? -reason : (int)n;
}

static void say_why(struct mailreeve *session, enum event_id id)
{
	struct mailreeve_text text = {0};
	char *rest, *line;

	mailreeve_diagnostics(session, &text);
	rest = text.data;
	while (rest && (line = strsep(&rest, "\n")) != NULL)
		if (line[0])
			log_event(&(struct event){.id = id}, "%s", line);
	mailreeve_text_done(&text);
}

/* Reads agent.yaml; what is in force changes only when all of it is right. */
static int take_config(struct agent *agent, enum event_id id_of_refusal)
{
	struct mailreeve_options options = {.config = agent->config_path};
	struct mailreeve *session = NULL;
	int status = mailreeve_open(&options, &session);
	int copy = status ? -1 : copy_config(agent->config_path);

	say_why(session, id_of_refusal);
	if (!status && copy < 0) {
		log_event(&(struct event){.id = id_of_refusal}, "cannot keep '%s': %s",
		        agent->config_path, strerror(-copy));
		status = MAILREEVE_CONFIG;
	}
	if (status) {
		mailreeve_close(session);
		return status;
	}
	mailreeve_close(agent->session);
	if (agent->config >= 0)
		(void)close(agent->config);
	agent->session = session;
	agent->config = copy;
	(void)mailreeve_get_facts(session, &agent->facts); /* it was read just now */
	return 0;
}

void agent_ready(struct agent *agent)
{
	(void)sd_notify(0, "READY=1");
	report_state(agent);
}

/* The moment of a reload as the service manager wants it (sd_notify(3), MONOTONIC_USEC). */
static void reload(struct agent *agent)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
	        (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
	if (take_config(agent, EVENT_RELOAD_REFUSED) == 0) {
		log_event(&(struct event){.id = EVENT_RELOADED}, "agent.yaml was read again");
		agent->compiled[0] = '\0';
		agent->invalid = (struct message){0};
		staying_restart(agent);
		cycle_want(agent, CAUSE_ASKED);
	}
	agent_ready(agent);
}

static int on_patience(sd_event_source *source, uint64_t now, void *arg)
{
	struct agent *agent = arg;

	(void)source;
	(void)now;
	for (size_t i = 0; i < ROLE_COUNT; i++)
		child_stop(&agent->children[i], SIGKILL);
	return 0;
}

/* The parts are asked to end; an apply takes back what it began, or is past that and finishes. */
static void stop(struct agent *agent)
{
	if (agent->is_stopping)
		return;
	agent->is_stopping = true;
	(void)sd_notify(0, "STOPPING=1");
	for (size_t i = 0; i < ROLE_COUNT; i++)
		child_stop(&agent->children[i], SIGTERM);
	if (sd_event_add_time_relative(agent->event, &agent->patience, CLOCK_BOOTTIME,
	            PATIENCE_SECONDS * 1000000ULL, 1000000, on_patience, agent) < 0)
		on_patience(NULL, 0, agent);
	agent_end(agent);
}

void agent_end(struct agent *agent)
{
	for (size_t i = 0; i < ROLE_COUNT; i++)
		if (child_runs(agent, (enum role_id)i))
			return;
	(void)sd_event_exit(agent->event, 0);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *arg)
{
	struct agent *agent = arg;

	(void)source;
	switch (info->ssi_signo) {
	case SIGHUP:
		reload(agent);
		break;
	case SIGUSR1:
		cycle_want(agent, CAUSE_ASKED);
		break;
	default:
		stop(agent);
	}
	return 0;
}

static int watch_signals(struct agent *agent)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
	sigset_t blocked;
	int code = 0;

	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGCHLD);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		(void)sigaddset(&blocked, numbers[i]);
	if (sigprocmask(SIG_BLOCK, &blocked, NULL) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && code >= 0; i++)
		code = sd_event_add_signal(agent->event, NULL, numbers[i], on_signal, agent);
	return code;
}

static int set_up(struct agent *agent)
{
	int code = sd_event_default(&agent->event);

	if (code >= 0)
		code = watch_signals(agent);
	if (code >= 0)
		code = sd_event_set_watchdog(agent->event, true);
	if (code >= 0)
		code = control_open(agent);
	return code;
}

static void tear_down(struct agent *agent)
{
	if (agent->event) {
		control_close(agent);
		agent->begin = sd_event_source_disable_unref(agent->begin);
		agent->interval = sd_event_source_disable_unref(agent->interval);
		agent->patience = sd_event_source_disable_unref(agent->patience);
		for (size_t i = 0; i < ROLE_COUNT; i++)
			agent->children[i].again =
			        sd_event_source_disable_unref(agent->children[i].again);
		sd_event_unref(agent->event);
	}
	if (agent->config >= 0)
		(void)close(agent->config);
	if (agent->lock >= 0)
		(void)close(agent->lock);
	mailreeve_close(agent->session);
}

static int serve(struct agent *agent)
{
	int code = set_up(agent);

	if (code < 0) {
		log_event(&(struct event){.id = EVENT_FAILED}, "cannot begin: %s", strerror(-code));
		return MAILREEVE_FAILED;
	}
	agent->started = time(NULL);
	log_event(&(struct event){.id = EVENT_STARTED}, "mailreeve %s begins on host '%s'",
	        mailreeve_version(), agent->facts.host);
	(void)sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%u000000", roles[ROLE_RECOVER].deadline_seconds);
	cycle_start(agent);
	code = sd_event_loop(agent->event);
	log_event(&(struct event){.id = EVENT_STOPPED}, "mailreeve ends");
	return code < 0 ? MAILREEVE_FAILED : 0;
}

int agent_run(const char *config_path)
{
	struct agent agent = {.config_path = config_path, .config = -1, .control = -1, .lock = -1};
	int status;

	for (size_t i = 0; i < ROLE_COUNT; i++)
		agent.children[i] =
		        (struct child){.agent = &agent, .role = (enum role_id)i, .channel = -1};
	status = take_config(&agent, EVENT_RELOAD_REFUSED);
	if (!status && (status = mailreeve_agent_begin(agent.session, &agent.lock)) != 0)
		say_why(agent.session, EVENT_FAILED);
	if (!status)
		status = serve(&agent);
	tear_down(&agent);
	return status;
}
