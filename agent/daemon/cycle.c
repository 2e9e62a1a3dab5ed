/*
 * The cycle of a sync: recover once, then fetch, compile, apply, look; one at a time. What is
 * wanted meanwhile waits, however often it is wanted, and the newest commit takes the place of an
 * older one that was not applied yet.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "daemon/supervise.h"

/* A push comes as many events, and an editor writes more than once. */
enum { SETTLE_MS = 60, MOST_RESTARTS = 3, FIRST_BACKOFF_SECONDS = 5, MOST_DOUBLINGS = 10 };

static void begin(struct agent *agent);

static uint64_t random_below(uint64_t limit)
{
	uint64_t value = 0;

	(void)!getrandom(&value, sizeof value, GRND_NONBLOCK); /* no jitter is no harm */
	return limit ? value % limit : 0;
}

static int on_begin(sd_event_source *source, uint64_t now, void *arg)
{
	(void)source;
	(void)now;
	begin(arg);
	return 0;
}

static int on_interval(sd_event_source *source, uint64_t now, void *arg)
{
	(void)source;
	(void)now;
	cycle_want(arg, CAUSE_INTERVAL);
	return 0;
}

/* One timer a purpose, set anew each time. */
static void set_timer(struct agent *agent, sd_event_source **timer, uint64_t usec,
        sd_event_time_handler_t handler)
{
	*timer = sd_event_source_disable_unref(*timer);
	if (sd_event_add_time_relative(
	            agent->event, timer, CLOCK_BOOTTIME, usec, 1000, handler, agent) < 0)
		handler(NULL, 0, agent); /* rather at once than never */
}

void cycle_want(struct agent *agent, enum cause cause)
{
	bool waits = agent->wanted != 0;
	bool is_hasty = (cause & (CAUSE_PUSH | CAUSE_DRIFT)) == 0;

	agent->wanted |= cause;
	if (agent->stage == STAGE_IDLE && !agent->is_stopping && (!waits || is_hasty))
		set_timer(agent, &agent->begin, is_hasty ? 0 : SETTLE_MS * 1000, on_begin);
}

/* The interval, or sooner after a failure that may pass by itself; with jitter, so that a thousand
 * hosts do not ask one repository at once. */
static void plan_next(struct agent *agent)
{
	uint64_t interval = agent->facts.interval_seconds ? agent->facts.interval_seconds : 300;
	uint64_t usec = interval * 1000000;
	uint64_t backoff = FIRST_BACKOFF_SECONDS * 1000000ULL;

	if (agent->failures > 0) {
		for (unsigned i = 1; i < agent->failures && i < MOST_DOUBLINGS; i++)
			backoff *= 2;
		if (backoff < usec)
			usec = backoff / 2 + random_below(backoff / 2);
	}
	if (agent->failures == 0 || backoff >= interval * 1000000)
		usec += random_below(usec / 10);
	agent->next_try = time(NULL) + (int64_t)(usec / 1000000);
	set_timer(agent, &agent->interval, usec, on_interval);
}

static bool is_passing(int status)
{
	return status == MAILREEVE_UNREADABLE || status == MAILREEVE_BUSY ||
	       status == MAILREEVE_FAILED;
}

/* A cycle for drift alone is none of the planned tries: however often others write, it puts none of
 * them off. Where it finds the first failure, the next try is to be sooner. */
static void count_and_plan(struct agent *agent)
{
	bool has_failed = is_passing(agent->outcome.status);

	if (agent->causes == CAUSE_DRIFT && (!has_failed || agent->failures > 0))
		return;
	agent->failures = has_failed ? agent->failures + 1 : 0;
	plan_next(agent);
}

static void finish(struct agent *agent)
{
	agent->stage = STAGE_IDLE;
	if ((agent->causes & ~(unsigned)CAUSE_DRIFT) || agent->outcome.status)
		report_cycle(agent);
	control_answer(agent, &agent->outcome);
	count_and_plan(agent);
	report_state(agent);
	notify_start(agent);
	if (agent->wanted)
		set_timer(agent, &agent->begin, SETTLE_MS * 1000, on_begin);
}

static uint64_t told(const struct agent *agent, enum role_id role)
{
	return role == ROLE_APPLY ? agent->apply_told : role == ROLE_LOOK ? agent->drift_told : 0;
}

static void run(struct agent *agent, enum stage stage, enum role_id role, const char *commit)
{
	struct message failed = {.kind = MESSAGE_DONE, .status = MAILREEVE_FAILED};
	int code;

	agent->stage = stage;
	report_state(agent);
	code = child_start(agent, role, commit, told(agent, role));
	if (code == 0)
		return;
	(void)snprintf(failed.text, sizeof failed.text, "cannot start part '%s': %s",
	        roles[role].name, strerror(-code));
	cycle_part_ended(agent, role, &failed);
}

static void look(struct agent *agent)
{
	if (agent->facts.looks_for_drift)
		run(agent, STAGE_LOOK, ROLE_LOOK, NULL);
	else
		finish(agent);
}

static void apply_or_look(struct agent *agent)
{
	if (agent->facts.heals_drift && agent->compiled[0])
		run(agent, STAGE_APPLY, ROLE_APPLY, agent->compiled);
	else
		look(agent);
}

/* What failed at a server may be over by what just happened: only a whole cycle can say so. A
 * repository that is away is not asked for that. */
static bool may_have_passed(const struct agent *agent)
{
	return is_passing(agent->standing.status) && agent->standing.failed_in != ROLE_FETCH;
}

static void begin(struct agent *agent)
{
	if (agent->stage != STAGE_IDLE || agent->is_stopping)
		return;
	agent->causes = agent->wanted | (may_have_passed(agent) ? CAUSE_INTERVAL : 0);
	agent->wanted = 0;
	agent->restarts = 0;
	agent->outcome = (struct message){.kind = MESSAGE_DONE};
	if (agent->causes & CAUSE_ASKED)
		agent->invalid = (struct message){0};
	if (agent->causes == CAUSE_DRIFT) {
		apply_or_look(agent);
		return;
	}
	control_begin(agent);
	run(agent, STAGE_FETCH, ROLE_FETCH, NULL);
}

/* The first failure is what the cycle came to. */
static void note_failure(struct agent *agent, enum role_id role, const struct message *result)
{
	if (!result->status || agent->outcome.status)
		return;
	agent->outcome = *result;
	agent->failed_in = role;
}

static void applied(struct agent *agent, const struct message *result)
{
	agent->apply_told = result->digest;
	if (result->status == 0 && !agent->outcome.status)
		agent->outcome = *result;
	look(agent);
}

static void fetched(struct agent *agent, const struct message *result)
{
	if (result->status) {
		apply_or_look(agent); /* the last good state is still to be kept */
		return;
	}
	message_copy(agent->head, sizeof agent->head, result->commit);
	if (agent->invalid.status && strcmp(agent->head, agent->invalid.commit) == 0) {
		note_failure(agent, ROLE_COMPILE, &agent->invalid);
		apply_or_look(agent);
	} else if (strcmp(agent->head, agent->compiled) == 0) {
		run(agent, STAGE_APPLY, ROLE_APPLY, agent->head);
	} else {
		run(agent, STAGE_COMPILE, ROLE_COMPILE, agent->head);
	}
}

static void compiled(struct agent *agent, const struct message *result)
{
	if (result->status == MAILREEVE_INVALID)
		agent->invalid = *result;
	if (result->status) {
		apply_or_look(agent);
		return;
	}
	message_copy(agent->compiled, sizeof agent->compiled, agent->head);
	if ((agent->wanted & CAUSE_PUSH) && agent->restarts++ < MOST_RESTARTS) {
		agent->wanted &= ~(unsigned)CAUSE_PUSH;
		run(agent, STAGE_FETCH, ROLE_FETCH, NULL);
		return;
	}
	run(agent, STAGE_APPLY, ROLE_APPLY, agent->head);
}

void cycle_part_ended(struct agent *agent, enum role_id role, const struct message *result)
{
	if (role == ROLE_NOTIFY) {
		notify_ended(agent, result);
		return;
	}
	note_failure(agent, role, result);
	if (result->summary[0])
		message_copy(agent->summary, sizeof agent->summary, result->summary);
	switch (role) {
	case ROLE_RECOVER:
		report_recovery(agent, result);
		agent->stage = STAGE_IDLE;
		agent_ready(agent);
		staying_start(agent);
		cycle_want(agent, CAUSE_START);
		return;
	case ROLE_FETCH:
		fetched(agent, result);
		return;
	case ROLE_COMPILE:
		compiled(agent, result);
		return;
	case ROLE_APPLY:
		applied(agent, result);
		return;
	default:
		report_drift(agent, result);
		finish(agent);
	}
}

void cycle_start(struct agent *agent)
{
	run(agent, STAGE_RECOVER, ROLE_RECOVER, NULL);
}
