/*
 * A small SMTP client for probes: loopback only, one deadline for all of a dialogue, never a
 * message.
 */
#ifndef MR_POSTFIX_SMTP_H
#define MR_POSTFIX_SMTP_H

#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

struct mr_postfix_smtp {
	int fd;           /* -1: not connected */
	bool has_greeted; /* with 220 */
	int64_t deadline_ms;
	struct mr_buf input;
	struct mr_buf reply; /* the last reply's lines, joined by blanks */
};

/* Connects to a numeric address and reads the greeting: its code, or MR_E_FAILED / MR_E_TIMEOUT
 * with the reason as text in smtp->reply. */
MR_CHECK int mr_postfix_smtp_open(
        struct mr_postfix_smtp *smtp, const char *address, unsigned port, unsigned timeout_ms);
/* Waits on where the greeting did not come in time. */
MR_CHECK int mr_postfix_smtp_await_greeting(struct mr_postfix_smtp *smtp, unsigned timeout_ms);
/* Only whether something listens there. */
bool mr_postfix_smtp_listens(const char *address, unsigned port, unsigned timeout_ms);
/* Sends one line and reads the reply: its code, or <0. */
MR_CHECK int mr_postfix_smtp_command(struct mr_postfix_smtp *smtp, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
void mr_postfix_smtp_close(struct mr_postfix_smtp *smtp);

#endif
