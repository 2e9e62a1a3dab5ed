/*
 * The fixed vocabulary between the parts of the agent, and between the agent and 'sync --now':
 * whole messages of one size over SOCK_SEQPACKET, so that nothing has to be parsed.
 */
#ifndef AGENT_DAEMON_MESSAGE_H
#define AGENT_DAEMON_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

enum message_kind {
	MESSAGE_DONE = 1, /* a part has ended its work: status, run, commit, text and so on */
	MESSAGE_READY,    /* a part that stays has begun to */
	MESSAGE_MOVED,    /* something that is watched may have changed: subject, text */
	MESSAGE_SYNC,     /* a client asks for a sync; answered by MESSAGE_DONE */
	MESSAGE_KIND_END
};

struct message {
	uint32_t kind;
	int32_t status; /* an exit status */
	int64_t run;
	uint64_t n_drift;
	uint64_t digest;    /* of the drift that was seen */
	uint8_t is_changed; /* something was written to a server */
	char subject[31];   /* of MOVED: "repository", "postfix", "dovecot", "ldap" */
	char commit[72];
	char summary[256]; /* of DONE: how things stand, one line */
	char text[1024];   /* why, one line */
};

/* 0, or -errno. Never blocks for longer than the peer's buffer is full; never raises SIGPIPE. */
int message_send(int fd, const struct message *message);
/* 1 a message, every text of it ended by NUL; 0 end, or nothing there on a descriptor that does not
 * block; -EPROTO what is none; else -errno. */
int message_receive(int fd, struct message *out);
/* Cuts at the size, and at no place inside a character. */
void message_copy(char *out, size_t size, const char *text);

#endif
