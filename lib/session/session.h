/*
 * The session: what the public calls share. Opens the host's configuration, the state, the desired
 * state and the servers, each at most once, and releases them in reverse.
 */
#ifndef MR_SESSION_SESSION_H
#define MR_SESSION_SESSION_H

#include "base/arena.h"
#include "base/diag.h"
#include "mailreeve.h"
#include "plan/plan.h"
#include "provider/provider.h"
#include "source/compile.h"
#include "source/repo.h"
#include "source/tree.h"
#include "store/state.h"

enum { MR_SESSION_SERVERS = 3 };

struct mailreeve {
	struct mailreeve_options options;
	struct mr_arena arena;
	struct mr_diags diags;
	struct mr_host host;
	bool has_host;
	struct mr_repo *repo;
	struct mr_state *state;
	struct mr_plan_server servers[MR_SESSION_SERVERS];
	size_t n_servers;
	bool is_unprivileged;      /* a part of the agent that may read no secret and no state */
	bool wants_signature;      /* what is wanted is to be applied */
	unsigned fetch_timeout_ms; /* 0: the repository's own */
};

/* One desired state, opened from a folder, a commit, or nothing (before the first run). Views live
 * in the session's arena. */
struct mr_wanted {
	struct mr_tree *tree;
	struct mr_desired *desired;
	mr_str ref, commit, subject;
	mr_str tree_id;
	mr_str directory; /* when it is a folder */
};
void mr_wanted_done(struct mr_wanted *wanted);

/* All return 0 or an MR_E code with diagnostics. */
MR_CHECK int mr_session_open_state(struct mailreeve *session, bool is_writer, const char *purpose);
MR_CHECK int mr_session_open_repo(struct mailreeve *session);
MR_CHECK int mr_session_open_servers(struct mailreeve *session);
/* Whatever the caller named: a folder, else a ref of the repository, fetched first. */
MR_CHECK int mr_session_want(
        struct mailreeve *session, const struct mailreeve_source *source, struct mr_wanted *out);
/* A commit that the mirror holds; the empty view is the empty state. */
MR_CHECK int mr_session_want_commit(
        struct mailreeve *session, mr_str commit, struct mr_wanted *out);

/* What a plan is made with, beside the desired state. */
struct mr_planning {
	const char *const *allow; /* NULL terminated, or NULL */
	const char *only;
	bool heals_drift;
	bool follows_drift_mode; /* heals only where agent.yaml says so, server by server */
	bool goes_on;            /* without a server that cannot be read (mr_plan_is_part) */
};
MR_CHECK int mr_session_plan(struct mailreeve *session, const struct mr_wanted *wanted,
        const struct mr_planning *how, struct mr_plan **out);

/* MR_E_REFUSED and a diagnostic for each rail that does not pass. */
MR_CHECK int mr_session_judge_rails(struct mailreeve *session, const struct mr_plan *plan);
void mr_session_render(const struct mailreeve *session, const struct mr_plan *plan,
        enum mailreeve_format format, struct mr_buf *out);

/* For verbs that write no other format: MR_E_USAGE. */
MR_CHECK int mr_session_only_text_or_json(struct mailreeve *session, enum mailreeve_format format);

/* All that went wrong, in one line; empty: nothing. */
mr_str mr_session_reasons(struct mailreeve *session);
/* Fills commit and reason of an outcome. */
void mr_session_tell(struct mailreeve *session, mr_str commit, struct mailreeve_outcome *out);
/* Who is on record in the history. */
mr_str mr_session_who(struct mailreeve *session);
/* A path inside the state directory, NUL terminated, in the session's arena. */
const char *mr_session_path(struct mailreeve *session, const char *name);
/* The same inside its folder 'source': what is made from the repository alone, and may belong to
 * the user that fetches and parses. The folder is made when the state directory is there. */
const char *mr_session_source_path(struct mailreeve *session, const char *name);
/* A NUL-terminated copy in the session's arena; NULL for the empty view. */
const char *mr_session_text_or_null(struct mailreeve *session, mr_str s);
void mr_session_progress(struct mailreeve *session, const char *what);
/* Moves a buffer's bytes into a public text; the buffer is empty afterwards. */
void mr_session_give(struct mr_buf *from, struct mailreeve_text *out);

#endif
