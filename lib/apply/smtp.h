/*
 * A small SMTP client (RFC 5321) for probes.
 */
#ifndef MR_APPLY_SMTP_H
#define MR_APPLY_SMTP_H

#include "apply/wire.h"

enum { MR_SMTP_TEXT = 200 };

struct mr_smtp {
	struct mr_wire wire;
	unsigned n_asked; /* recipients on this connection */
	bool has_xclient;
	char text[MR_SMTP_TEXT]; /* the last line of the last answer, or why there is none */
};

/* Connects, reads the banner and says EHLO. */
MR_CHECK int mr_smtp_open(struct mr_smtp *smtp, mr_str address, mr_str hello, int64_t timeout_ms);
void mr_smtp_close(struct mr_smtp *smtp);
/* The code of the answer to RCPT TO in a transaction of its own that is reset, or <0. */
MR_CHECK int mr_smtp_ask(struct mr_smtp *smtp, mr_str recipient);
/* Becomes a client from elsewhere (XCLIENT) and says EHLO again. */
MR_CHECK int mr_smtp_become(struct mr_smtp *smtp, mr_str client, mr_str hello);
/* Sends a message; text has CRLF line ends and no lone dot. */
MR_CHECK int mr_smtp_send(struct mr_smtp *smtp, mr_str recipient, mr_str text);

/* One line of an answer: MR_E_INVALID when it is none. */
MR_CHECK int mr_smtp_parse(mr_str line, int *out_code, bool *out_is_last, mr_str *out_text);
/* Whether an address can stand between < and > as it is. */
bool mr_smtp_can_carry(mr_str address);

#endif
