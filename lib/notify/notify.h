/*
 * Telling people and programs outside: one notice by mail, webhook or command, each from a template
 * that can be replaced.
 *
 * Nothing here decides when; that is the session's business.
 */
#ifndef MR_NOTIFY_NOTIFY_H
#define MR_NOTIFY_NOTIFY_H

#include "base/arena.h"
#include "base/diag.h"
#include "provider/provider.h"

/* X(name, meaning): what a notice is made of, and the placeholders {{name}} of the templates. */
#define MR_NOTICE_FIELDS(X)                                                                        \
	X(id, "a random number, another for each notice")                                          \
	X(time, "when it was made, RFC 3339 in UTC")                                               \
	X(host, "name of the host")                                                                \
	X(event, "what it is about: health or drift")                                              \
	X(state, "how it is now: healthy, failed, refused, …; drift, no drift")                    \
	X(previous, "how it was before, for this receiver; empty: not known")                      \
	X(summary, "all of it in one line")                                                        \
	X(reason, "why; empty when all is well")                                                   \
	X(commit, "the commit that was met last; empty: none")                                     \
	X(subject, "the first line of its message, where it is known")                             \
	X(run, "its number in the history; 0: none")                                               \
	X(since, "since when it is so, RFC 3339 in UTC")                                           \
	X(drift, "how many values others changed")                                                 \
	X(objects, "the first of them, one a line")                                                \
	X(version, "of mailreeve")

enum mr_notice_field {
#define MR_NOTICE_ID(name, meaning) MR_NOTICE_##name,
	MR_NOTICE_FIELDS(MR_NOTICE_ID)
#undef MR_NOTICE_ID
	        MR_NOTICE_COUNT
};

struct mr_notice {
	mr_str values[MR_NOTICE_COUNT];
};

enum mr_way { MR_WAY_MAIL, MR_WAY_COMMAND, MR_WAY_WEBHOOK, MR_WAY_COUNT };

const char *mr_way_name(enum mr_way way);
/* Whether agent.yaml asks for it. */
bool mr_way_is_wanted(const struct mr_host *host, enum mr_way way);

/* Addresses, paths and templates: every mistake is reported with its place; MR_E_CONFIG. */
MR_CHECK int mr_notify_check(struct mr_diags *diags, const struct mr_host *host);
/* Within host->notify_timeout_seconds. 0 when the receiver has taken it. */
MR_CHECK int mr_notify_send(struct mr_diags *diags, const struct mr_host *host, enum mr_way way,
        const struct mr_notice *notice);

#endif
