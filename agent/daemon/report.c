/*
 * What a cycle came to, for people: events of the journal on every change, the line of 'systemctl
 * status', and the note that 'mailreeve status' reads.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/supervise.h"

static const char *const stage_words[] = {
        [STAGE_IDLE] = "waiting",
        [STAGE_RECOVER] = "ending what was interrupted",
        [STAGE_FETCH] = "fetching",
        [STAGE_COMPILE] = "reading the desired state",
        [STAGE_APPLY] = "applying",
        [STAGE_LOOK] = "looking for drift",
};

static const struct {
	int status;
	enum event_id id;
} events_of_status[] = {
        {MAILREEVE_REFUSED, EVENT_REFUSED},
        {MAILREEVE_STALE, EVENT_DEFERRED},
        {MAILREEVE_ROLLED_BACK, EVENT_ROLLED_BACK},
        {MAILREEVE_STUCK, EVENT_STUCK},
        {MAILREEVE_INVALID, EVENT_INVALID},
        {MAILREEVE_UNREADABLE, EVENT_UNREADABLE},
        {MAILREEVE_BUSY, EVENT_DEFERRED},
        {MAILREEVE_DENIED, EVENT_DENIED},
};

static enum event_id event_of(const struct agent *agent, int status)
{
	if (agent->failed_in == ROLE_FETCH)
		return EVENT_FETCH_FAILED;
	for (size_t i = 0; i < sizeof events_of_status / sizeof events_of_status[0]; i++)
		if (events_of_status[i].status == status)
			return events_of_status[i].id;
	return EVENT_FAILED;
}

static const char *short_commit(const char *commit, char *out, size_t size)
{
	(void)snprintf(out, size, "%.12s", commit);
	return out;
}

static void tell_success(struct agent *agent)
{
	const struct message *outcome = &agent->outcome;
	char commit[16];

	if (outcome->is_changed)
		log_event(&(struct event){.id = EVENT_APPLIED,
		                  .run = outcome->run,
		                  .commit = outcome->commit},
		        "applied %s as run %" PRId64 ": read back and probed",
		        short_commit(outcome->commit, commit, sizeof commit), outcome->run);
	else if (agent->standing.status)
		log_event(&(struct event){.id = EVENT_HEALTHY, .commit = outcome->commit},
		        "in order again: %s is live",
		        short_commit(outcome->commit, commit, sizeof commit));
}

static void tell_failure(struct agent *agent)
{
	const struct message *outcome = &agent->outcome;
	const char *text = outcome->text[0] ? outcome->text : "no reason was given";

	log_event(&(struct event){.id = event_of(agent, outcome->status),
	                  .status = outcome->status,
	                  .run = outcome->run,
	                  .commit = outcome->commit},
	        "%s (exit status %d)", text, outcome->status);
}

/* The same failure again, at each interval, is not worth a line. */
static bool is_news(const struct agent *agent)
{
	const struct standing *standing = &agent->standing;

	return !standing->is_known || standing->status != agent->outcome.status ||
	       strcmp(standing->commit, agent->outcome.commit) != 0 ||
	       strcmp(standing->text, agent->outcome.text) != 0;
}

void report_cycle(struct agent *agent)
{
	if (agent->outcome.status == 0)
		tell_success(agent);
	else if (is_news(agent))
		tell_failure(agent);
	agent->standing.is_known = true;
	agent->standing.status = agent->outcome.status;
	agent->standing.failed_in = agent->failed_in;
	message_copy(agent->standing.commit, sizeof agent->standing.commit, agent->outcome.commit);
	message_copy(agent->standing.text, sizeof agent->standing.text, agent->outcome.text);
}

void report_recovery(struct agent *agent, const struct message *result)
{
	(void)agent;
	if (result->status)
		log_event(&(struct event){.id = EVENT_RECOVERY_FAILED, .status = result->status},
		        "%s (exit status %d)", result->text, result->status);
	else if (result->is_changed)
		log_event(&(struct event){.id = EVENT_RECOVERED},
		        "an interrupted apply was found and ended: see 'mailreeve history'");
}

/* The part named each of them; here only that they are gone. */
void report_drift(struct agent *agent, const struct message *result)
{
	if (result->status && result->n_drift == 0)
		return; /* not seen is not gone */
	if (agent->n_drift > 0 && result->n_drift == 0)
		log_event(&(struct event){.id = EVENT_DRIFT_GONE}, "no drift any more");
	agent->n_drift = result->n_drift;
	agent->drift_told = result->digest;
}

static void say_summary(const struct agent *agent, char *out, size_t size)
{
	char commit[16];

	if (agent->summary[0])
		message_copy(out, size, agent->summary);
	else if (!agent->standing.is_known)
		message_copy(out, size, "nothing synced yet");
	else if (agent->standing.status)
		(void)snprintf(out, size, "failed (%d): %.200s", agent->standing.status,
		        agent->standing.text);
	else
		(void)snprintf(out, size, "healthy: %s is live",
		        short_commit(agent->standing.commit, commit, sizeof commit));
}

/* A look for drift leaves what is planned; any other cycle plans anew when it ends. */
static int64_t planned(const struct agent *agent)
{
	bool stands = agent->stage == STAGE_IDLE || agent->causes == CAUSE_DRIFT;

	return stands ? agent->next_try : 0;
}

/* What cannot be noted is only missing in 'mailreeve status'. */
static void note(const struct agent *agent)
{
	const struct mailreeve_agent_note note = {.pid = getpid(),
	        .started = agent->started,
	        .next_try = planned(agent),
	        .doing = stage_words[agent->stage],
	        .last_error = agent->standing.status ? agent->standing.text : NULL};

	(void)!mailreeve_agent_note(agent->session, &note);
}

void report_state(struct agent *agent)
{
	char summary[512];

	note(agent);
	say_summary(agent, summary, sizeof summary);
	if (agent->n_drift > 0)
		(void)sd_notifyf(0, "STATUS=%s; %" PRIu64 " drifted; %s", summary, agent->n_drift,
		        stage_words[agent->stage]);
	else
		(void)sd_notifyf(0, "STATUS=%s; %s", summary, stage_words[agent->stage]);
}
