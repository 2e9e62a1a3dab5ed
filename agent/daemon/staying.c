/*
 * Parts that stay: they watch, or serve metrics. One that ends is started again, later each time;
 * meanwhile the interval does its work.
 */
#include <signal.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/supervise.h"

/* A watch that saw its folders change begins anew, which is no failure. */
enum { AGAIN_MS = 100, FIRST_WAIT_SECONDS = 1, LONGEST_WAIT_SECONDS = 60, CALM_SECONDS = 120 };

bool staying_is(enum role_id role)
{
	return roles[role].deadline_seconds == 0;
}

static bool is_wanted(const struct agent *agent, enum role_id role)
{
	switch (role) {
	case ROLE_WATCH:
		return agent->facts.repository_path || agent->facts.looks_for_drift;
	case ROLE_WATCH_LDAP:
		return agent->facts.is_ldap_managed && agent->facts.looks_for_drift;
	case ROLE_METRICS:
		return agent->facts.metrics_address != NULL;
	default:
		return false;
	}
}

static int on_again(sd_event_source *source, uint64_t now, void *arg);

static void start_later(struct child *child, uint64_t usec)
{
	child->again = sd_event_source_disable_unref(child->again);
	(void)sd_event_add_time_relative(child->agent->event, &child->again, CLOCK_BOOTTIME, usec,
	        10000, on_again, child); /* without it the interval is left */
}

static unsigned wait_seconds(const struct child *child)
{
	unsigned seconds = FIRST_WAIT_SECONDS;

	for (unsigned i = 1; i < child->failures && seconds < LONGEST_WAIT_SECONDS; i++)
		seconds *= 2;
	return seconds < LONGEST_WAIT_SECONDS ? seconds : LONGEST_WAIT_SECONDS;
}

static void start(struct agent *agent, enum role_id role)
{
	struct child *child = &agent->children[role];
	int code;

	if (child_runs(agent, role) || agent->is_stopping || !is_wanted(agent, role))
		return;
	code = child_start(agent, role, NULL, 0);
	if (code == 0)
		return;
	log_event(&(struct event){.id = EVENT_PART_FAILED}, "cannot start part '%s': %s",
	        roles[role].name, strerror(-code));
	child->failures++;
	start_later(child, wait_seconds(child) * 1000000ULL);
}

static int on_again(sd_event_source *source, uint64_t now, void *arg)
{
	struct child *child = arg;

	(void)source;
	(void)now;
	start(child->agent, child->role);
	return 0;
}

void staying_start(struct agent *agent)
{
	for (size_t i = 0; i < ROLE_COUNT; i++)
		if (staying_is((enum role_id)i))
			start(agent, (enum role_id)i);
}

/* The configuration is another one: those that run end, and come back by staying_ended. */
void staying_restart(struct agent *agent)
{
	for (size_t i = 0; i < ROLE_COUNT; i++)
		if (staying_is((enum role_id)i))
			child_stop(&agent->children[i], SIGTERM);
	staying_start(agent);
}

void staying_ended(struct child *child, const struct message *result)
{
	uint64_t now = 0;

	(void)sd_event_now(child->agent->event, CLOCK_MONOTONIC, &now);
	if (now - child->began_usec > CALM_SECONDS * 1000000ULL)
		child->failures = 0;
	if (!is_wanted(child->agent, child->role))
		return;
	if (result->status == 0 || child->is_asked) {
		start_later(child, AGAIN_MS * 1000);
		return;
	}
	if (child->failures++ == 0)
		log_event(&(struct event){.id = EVENT_PART_FAILED, .status = result->status},
		        "part '%s' %s: %s", roles[child->role].name, roles[child->role].what,
		        result->text);
	start_later(child, wait_seconds(child) * 1000000ULL);
}

void staying_message(struct child *child, const struct message *message)
{
	struct agent *agent = child->agent;
	bool is_repository = strcmp(message->subject, "repository") == 0;

	if (message->kind != MESSAGE_MOVED && message->kind != MESSAGE_READY)
		return;
	if (is_repository || (message->kind == MESSAGE_READY && child->role == ROLE_WATCH))
		cycle_want(agent, CAUSE_PUSH);
	if (!is_repository && agent->facts.looks_for_drift)
		cycle_want(agent, CAUSE_DRIFT);
}
