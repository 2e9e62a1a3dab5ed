/*
 * The parts of the agent. Each is a process of its own: the program again, told which part it is.
 * It talks to the supervisor over one socket and ends when that closes.
 */
#ifndef AGENT_DAEMON_ROLES_H
#define AGENT_DAEMON_ROLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailreeve.h"

/* Descriptors that a part finds open. */
enum { ROLE_CHANNEL = 3, ROLE_CONFIG = 4, ROLE_FIRST_FREE = 5 };

/* X(ID, name, what it does, deadline in seconds (0: it stays), function) */
#define ROLES(X)                                                                                   \
	X(RECOVER, "recover", "ends an interrupted apply", 1800, role_recover)                     \
	X(FETCH, "fetch", "brings the mirror of the repository up to date", 180, role_fetch)       \
	X(COMPILE, "compile", "reads and checks the desired state", 600, role_compile)             \
	X(APPLY, "apply", "plans and applies", 7200, role_apply)                                   \
	X(LOOK, "look", "looks what others changed", 600, role_look)                               \
	X(NOTIFY, "notify", "writes metrics, tells receivers", 300, role_notify)                   \
	X(WATCH, "watch", "watches the repository and the servers' files", 0, role_watch)          \
	X(WATCH_LDAP, "watch-ldap", "watches the directory", 0, role_watch_ldap)                   \
	X(METRICS, "metrics", "serves metrics", 0, role_metrics)

enum role_id {
#define ROLE_ID(id, name, what, deadline, run) ROLE_##id,
	ROLES(ROLE_ID)
#undef ROLE_ID
	        ROLE_COUNT
};

/* What a part is called with. */
struct role_call {
	int channel;
	const char *commit; /* of compile and apply */
	uint64_t told;      /* digest of what the part before said: the same is not said again */
};

struct role {
	const char *name;
	const char *what;
	unsigned deadline_seconds;
	int (*run)(struct mailreeve *session, const struct role_call *call); /* an exit status */
};
extern const struct role roles[ROLE_COUNT];

/* Runs the part of that name in this process. MAILREEVE_USAGE when there is none, or when the
 * channel is not there: people do not start parts. */
int role_main(struct mailreeve *session, const char *name, const char *commit, const char *told);

/* Gives up every right that agent.yaml's 'user' does not have, for good, and the way to new ones.
 * Where no such user is named, only the latter. Returns an exit status. */
int role_drop(struct mailreeve *session);
/* The diagnostics of the session as lines of the log, at most a handful, unless they are those of
 * before. Returns their digest. */
uint64_t role_tell(struct mailreeve *session, const struct role_call *call);
/* FNV-1a, only to tell whether a text is that of before; begins with ROLE_DIGEST. */
#define ROLE_DIGEST 14695981039346656037U
uint64_t role_digest(uint64_t digest, const char *text);

int role_recover(struct mailreeve *session, const struct role_call *call);
int role_fetch(struct mailreeve *session, const struct role_call *call);
int role_compile(struct mailreeve *session, const struct role_call *call);
int role_apply(struct mailreeve *session, const struct role_call *call);
int role_look(struct mailreeve *session, const struct role_call *call);
int role_notify(struct mailreeve *session, const struct role_call *call);
int role_watch(struct mailreeve *session, const struct role_call *call);
int role_watch_ldap(struct mailreeve *session, const struct role_call *call);
int role_metrics(struct mailreeve *session, const struct role_call *call);

#endif
