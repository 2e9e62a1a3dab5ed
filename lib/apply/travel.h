/*
 * The probe message: sent by SMTP, found by IMAP, removed again.
 */
#ifndef MR_APPLY_TRAVEL_H
#define MR_APPLY_TRAVEL_H

#include "provider/provider.h"

/* What the mailbox probe saw; each step includes those before it. */
enum mr_travel {
	MR_TRAVEL_NOT_ASKED, /* not configured */
	MR_TRAVEL_NO_GREETING,
	MR_TRAVEL_NO_LOGIN,
	MR_TRAVEL_NOT_SENT,
	MR_TRAVEL_NOT_ARRIVED,
	MR_TRAVEL_ARRIVED, /* or, without a probe mailbox, as far as it goes */
};

/* Greeting at host->probe_imap; with a mailbox and its password file also log-in, and with
 * host->probe_smtp a message that must arrive. text: the server's last words. */
enum mr_travel mr_travel(const struct mr_host *host, int64_t timeout_ms, char text[200]);
/* "mailreeve-probe-" and 16 hex digits nobody can guess. */
void mr_travel_token(char token[40]);

#endif
