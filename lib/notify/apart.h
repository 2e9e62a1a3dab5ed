/*
 * Doing something in a process of its own, without our rights: whatever comes of it, the caller
 * goes on at the deadline.
 */
#ifndef MR_NOTIFY_APART_H
#define MR_NOTIFY_APART_H

#include "base/buf.h"
#include "base/diag.h"

struct mr_apart {
	const char *what; /* for messages: "the webhook" */
	mr_str user;      /* whose rights it gets when we are root; empty: ours */
	unsigned timeout_ms;
	bool bars_rights; /* nor can it get new ones */
	/* Runs in the child: false and *why (one line) when it did not work. */
	bool (*work)(void *arg, struct mr_buf *why);
	void *arg;
};

/* 0, or MR_E_TIMEOUT, MR_E_FAILED, MR_E_CONFIG with the reason. No process is left behind. */
MR_CHECK int mr_apart(struct mr_diags *diags, const struct mr_apart *apart);

#endif
