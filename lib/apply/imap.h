/*
 * A small IMAP client (RFC 3501) for probes: log in, find one message by its subject, remove it.
 */
#ifndef MR_APPLY_IMAP_H
#define MR_APPLY_IMAP_H

#include "apply/wire.h"

struct mr_imap {
	struct mr_wire wire;
	unsigned n_sent;  /* commands: their tags */
	uint32_t n_found; /* of the last search */
	uint32_t uid;     /* the last one found */
	bool has_uidplus;
	char text[200]; /* the last answer, or why there is none */
};

/* Connects and reads the greeting. */
MR_CHECK int mr_imap_open(struct mr_imap *imap, mr_str address, int64_t timeout_ms);
void mr_imap_close(struct mr_imap *imap);
/* LOGIN and SELECT INBOX. MR_E_DENIED when the server says no. */
MR_CHECK int mr_imap_login(struct mr_imap *imap, mr_str user, mr_str password);
/* Fills n_found and uid. subject: letters, digits and '-'. */
MR_CHECK int mr_imap_find(struct mr_imap *imap, mr_str subject);
/* Deletes and expunges the message uid. */
MR_CHECK int mr_imap_remove(struct mr_imap *imap);

/* "* SEARCH 3 9": false for any other line. */
bool mr_imap_parse_search(mr_str line, uint32_t *out_n, uint32_t *out_last);
/* A quoted string: false when text has bytes that cannot be quoted. */
struct mr_buf;
bool mr_imap_quote(mr_str text, struct mr_buf *out);

#endif
