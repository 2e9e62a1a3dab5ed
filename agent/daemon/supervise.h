/*
 * The supervisor: the main process of the agent. It starts the parts, passes on what they say,
 * keeps time, and reads nothing that comes from outside but messages of a fixed form.
 */
#ifndef AGENT_DAEMON_SUPERVISE_H
#define AGENT_DAEMON_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "daemon/message.h"
#include "daemon/roles.h"

/* Why a sync or a look is wanted; several at once are one. */
enum cause {
	CAUSE_START = 1 << 0,
	CAUSE_PUSH = 1 << 1,
	CAUSE_INTERVAL = 1 << 2,
	CAUSE_ASKED = 1 << 3,
	CAUSE_DRIFT = 1 << 4, /* alone: only what is live is looked at, nothing fetched */
};

/* One at a time. */
enum stage { STAGE_IDLE, STAGE_RECOVER, STAGE_FETCH, STAGE_COMPILE, STAGE_APPLY, STAGE_LOOK };

struct agent;

/* A part that runs. */
struct child {
	struct agent *agent;
	enum role_id role;
	pid_t pid; /* 0: does not run */
	int channel;
	sd_event_source *input, *ending, *deadline;
	struct message result; /* the DONE message; kind 0: none came */
	bool is_asked;         /* to end */
	bool is_late;
	unsigned failures; /* in a row, of a part that stays */
	uint64_t began_usec;
	sd_event_source *again; /* when it is started next */
};

enum { MOST_CLIENTS = 16 };

/* Somebody at the control socket. */
struct client {
	struct agent *agent;
	int fd; /* -1: free */
	sd_event_source *input;
	bool is_waiting;  /* asked for a sync */
	bool is_in_cycle; /* the sync that runs is the one that was asked for */
};

/* What the last sync came to; the same again is not said again. */
struct standing {
	int status;
	char commit[72];
	char text[1024];
	enum role_id failed_in;
	bool is_known;
};

struct agent {
	const char *config_path; /* as given */
	int config;              /* a copy of what is in force */
	struct mailreeve *session;
	struct mailreeve_facts facts;
	sd_event *event;
	struct child children[ROLE_COUNT];
	int control;
	struct client clients[MOST_CLIENTS];
	sd_event_source *begin, *interval, *patience;

	enum stage stage;
	unsigned wanted; /* causes that wait */
	unsigned causes; /* of the cycle that runs */
	unsigned restarts;
	char head[72];          /* what the last fetch found; empty: nothing yet */
	char compiled[72];      /* a head that is known to be good */
	struct message invalid; /* of the head that is known to be bad; status 0: none */
	struct message outcome; /* of the cycle that runs: its first failure, else its apply */
	enum role_id failed_in;
	char summary[256]; /* how things stand, as the last part saw it */
	struct standing standing;
	uint64_t drift_told, apply_told, notify_told; /* digests of what these parts said last */
	uint64_t n_drift;
	bool is_notice_due;        /* once the part that tells has ended */
	unsigned failures;         /* syncs in a row that deserve another try soon */
	int64_t started, next_try; /* time of day */
	bool is_stopping;
	int lock; /* one agent a state directory */
};

/* supervise.c */
int agent_run(const char *config_path);
/* What was interrupted before is ended. */
void agent_ready(struct agent *agent);
/* Ends the loop when no part runs any more. */
void agent_end(struct agent *agent);

/* child.c: 0, or -errno. */
int child_start(struct agent *agent, enum role_id role, const char *commit, uint64_t told);
void child_stop(struct child *child, int signal_number);
bool child_runs(const struct agent *agent, enum role_id role);
/* How a part ended that says nothing itself. */
void child_explain(const struct child *child, int how, int status, struct message *out);

/* cycle.c */
void cycle_want(struct agent *agent, enum cause cause);
void cycle_start(struct agent *agent);
void cycle_part_ended(struct agent *agent, enum role_id role, const struct message *result);

/* staying.c: parts that stay. */
void staying_start(struct agent *agent);
void staying_restart(struct agent *agent);
void staying_ended(struct child *child, const struct message *result);
void staying_message(struct child *child, const struct message *message);
bool staying_is(enum role_id role);

/* control.c: 0, or -errno. */
int control_open(struct agent *agent);
void control_close(struct agent *agent);
void control_begin(struct agent *agent);
void control_answer(struct agent *agent, const struct message *result);

/* notify.c: the outside is told how things stand. */
void notify_start(struct agent *agent);
void notify_ended(struct agent *agent, const struct message *result);

/* report.c */
void report_recovery(struct agent *agent, const struct message *result);
void report_cycle(struct agent *agent);
void report_drift(struct agent *agent, const struct message *result);
/* What the service manager and 'status' are told: what is done now, and how things stand. */
void report_state(struct agent *agent);

#endif
