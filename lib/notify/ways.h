/*
 * The ways out, for notify.c alone: each sends what was filled in, under a deadline.
 */
#ifndef MR_NOTIFY_WAYS_H
#define MR_NOTIFY_WAYS_H

#include "notify/notify.h"

struct mr_message {
	const struct mr_host *host;
	mr_str subject; /* of mail */
	mr_str body;
	unsigned timeout_ms;
};

/* By sendmail(1) of the managed Postfix instance. */
MR_CHECK int mr_send_mail(struct mr_diags *diags, const struct mr_message *message);
/* Given to the program's standard input. */
MR_CHECK int mr_send_command(struct mr_diags *diags, const struct mr_message *message);
/* Posted over https, with a signature where a secret is configured. */
MR_CHECK int mr_send_webhook(struct mr_diags *diags, const struct mr_message *message);

/* https, or http that does not leave the machine. */
bool mr_webhook_is_url(mr_str url);
/* sha256=HEX over the body (RFC 2104, with SHA-256). */
void mr_webhook_sign(mr_str body, mr_str secret, struct mr_buf *out);

#endif
