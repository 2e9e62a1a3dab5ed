/*
 * libmailreeve: configuration-as-code for Postfix, Dovecot and OpenLDAP.
 *
 * A session reads one host's configuration (agent.yaml) and offers what the program mailreeve does:
 * validate, plan, apply, sync, roll back. The library never prints, never exits and keeps no global
 * state; results are text in the asked format, what went wrong is a list of diagnostics. One
 * session is used by one thread at a time.
 *
 * Every function that can fail returns a status with the meaning of the program's exit codes.
 */
#ifndef MAILREEVE_H
#define MAILREEVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MAILREEVE_API __attribute__((visibility("default")))

enum mailreeve_status {
	MAILREEVE_OK = 0,
	MAILREEVE_FAILED = 1,      /* unexpected error */
	MAILREEVE_CHANGES = 2,     /* there are changes, where that was asked for */
	MAILREEVE_REFUSED = 3,     /* a rail, a policy, --fail-on, or no consent */
	MAILREEVE_STALE = 4,       /* the saved plan is stale */
	MAILREEVE_ROLLED_BACK = 5, /* the apply failed and everything was rolled back */
	MAILREEVE_STUCK = 6,       /* the apply failed and the rollback is incomplete */
	MAILREEVE_USAGE = 64,
	MAILREEVE_INVALID = 65,    /* the desired state is invalid */
	MAILREEVE_UNREADABLE = 69, /* a server could not be read completely */
	MAILREEVE_BUSY = 75,       /* try again later */
	MAILREEVE_DENIED = 77,     /* signature or right missing */
	MAILREEVE_CONFIG = 78,     /* the host's configuration is wrong */
};

enum mailreeve_format {
	MAILREEVE_TEXT,
	MAILREEVE_JSON,
	MAILREEVE_MARKDOWN,
	MAILREEVE_HTML,
	MAILREEVE_GITHUB, /* workflow commands, for validate */
	MAILREEVE_SARIF,  /* SARIF 2.1.0, for validate */
};

/* A result: NUL terminated. Release with mailreeve_text_done; safe on a zeroed one. */
struct mailreeve_text {
	char *data;
	size_t size;
};
MAILREEVE_API void mailreeve_text_done(struct mailreeve_text *text);

struct mailreeve_options {
	const char *config;       /* agent.yaml; NULL: none, for work that touches no server */
	unsigned lock_timeout_ms; /* how long to wait for another writer */
	bool has_color;           /* in text results */
	bool is_verbose;
	/* Called between steps that may take long; total is 0 when unknown. May be NULL. */
	void (*progress)(void *arg, const char *what, uint64_t done, uint64_t total);
	/* Told at once what a person must know while a call is still running. May be NULL. */
	void (*notice)(void *arg, const char *text);
	/* Asked between the steps of an apply: true takes back what was begun, unless all of it is
	 * live already. May be NULL. */
	bool (*is_stopping)(void *arg);
	void *arg;
};

struct mailreeve;

/* Reads the configuration. *out is made even on failure, so that its diagnostics can be read. */
MAILREEVE_API int mailreeve_open(const struct mailreeve_options *options, struct mailreeve **out);
MAILREEVE_API void mailreeve_close(struct mailreeve *session);

/* What went wrong or deserves a warning since the session was opened, sorted: "FILE:LINE:COLUMN:
 * error: TEXT [RULE]" lines. Never holds a secret. */
MAILREEVE_API void mailreeve_diagnostics(
        const struct mailreeve *session, struct mailreeve_text *out);

/* What a desired state is read from: a folder, or a commit of the configured repository. */
struct mailreeve_source {
	const char *directory; /* a plain folder, uncommitted changes included; else NULL */
	const char *ref;       /* branch, tag or commit; NULL: the head of the configured branch */
};

/* Offline: syntax, types, cross-references, lints. The diagnostics are *out, in the asked format.
 */
MAILREEVE_API int mailreeve_validate(struct mailreeve *session,
        const struct mailreeve_source *source, enum mailreeve_format format,
        struct mailreeve_text *out);

struct mailreeve_plan_options {
	struct mailreeve_source source;
	enum mailreeve_format format;
	const char *out_file;       /* the plan as a file for apply; NULL: none */
	const char *only;           /* an object, or a prefix that ends in '*'; NULL: all */
	const char *const *fail_on; /* classes, NULL terminated; NULL: none */
	const char *const *allow;   /* "users.close<=12", NULL terminated; NULL: none */
	bool has_detailed_status;   /* MAILREEVE_CHANGES when there are any */
};

/* Desired against live; writes nothing but out_file. */
MAILREEVE_API int mailreeve_plan(struct mailreeve *session,
        const struct mailreeve_plan_options *options, struct mailreeve_text *out);
/* What others changed since the last apply. The source is the last applied commit. */
MAILREEVE_API int mailreeve_drift(struct mailreeve *session,
        const struct mailreeve_plan_options *options, struct mailreeve_text *out);

struct mailreeve_apply_options {
	struct mailreeve_source source;
	enum mailreeve_format format;
	const char *plan_file; /* a saved plan; NULL: plan now */
	const char *only;
	const char *const *allow;        /* NULL terminated; NULL: none */
	uint64_t confirm_within_seconds; /* without mailreeve_confirm by then it is taken back; 0:
	                                    no probation */
	/* Shown the plan before anything is changed; false ends with MAILREEVE_REFUSED. NULL:
	 * consent was given. */
	bool (*consent)(void *arg, const char *plan);
	void *consent_arg;
};

/* One transaction over all servers. *out is the plan that was carried out, and its result. */
MAILREEVE_API int mailreeve_apply(struct mailreeve *session,
        const struct mailreeve_apply_options *options, struct mailreeve_text *out);
/* Fetch, verify, plan, rails, apply, probe; never asks. */
MAILREEVE_API int mailreeve_sync(
        struct mailreeve *session, enum mailreeve_format format, struct mailreeve_text *out);
/* Brings back the state before a run (0: the last applied one) by the same path as an apply. */
MAILREEVE_API int mailreeve_rollback(struct mailreeve *session, int64_t run,
        const struct mailreeve_apply_options *options, struct mailreeve_text *out);

/* Keeps a change that is on probation. */
MAILREEVE_API int mailreeve_confirm(
        struct mailreeve *session, int64_t run, struct mailreeve_text *out);

/* Whether a sync can work here: rights, servers, units, files, clock, disk, repository, each with a
 * remedy where it cannot (format mailreeve.doctor/1). MAILREEVE_CONFIG when it cannot. Nothing is
 * changed on a server. */
MAILREEVE_API int mailreeve_doctor(
        struct mailreeve *session, enum mailreeve_format format, struct mailreeve_text *out);
MAILREEVE_API int mailreeve_get_status(
        struct mailreeve *session, enum mailreeve_format format, struct mailreeve_text *out);
/* run 0: all of them, newest first. */
MAILREEVE_API int mailreeve_history(struct mailreeve *session, int64_t run,
        enum mailreeve_format format, struct mailreeve_text *out);
/* A saved plan (a file's path) or a recorded run (its number) in full. */
MAILREEVE_API int mailreeve_show(struct mailreeve *session, const char *what,
        enum mailreeve_format format, struct mailreeve_text *out);
/* Which files and lines decide an object's attributes. */
MAILREEVE_API int mailreeve_why(struct mailreeve *session, const struct mailreeve_source *source,
        const char *object, enum mailreeve_format format, struct mailreeve_text *out);

/* A person looked at a state database that is damaged, missing or older than its anchor: what is
 * there is right from now on. */
MAILREEVE_API int mailreeve_trust(struct mailreeve *session, struct mailreeve_text *out);

/* Nothing is applied until then: 2h, 2026-11-28, or 2026-11-28T06:00Z. Plans and drift go on. */
MAILREEVE_API int mailreeve_pause(struct mailreeve *session, const char *reason, const char *until,
        struct mailreeve_text *out);
MAILREEVE_API int mailreeve_resume(struct mailreeve *session, struct mailreeve_text *out);

/* The JSON Schema of the language. */
MAILREEVE_API int mailreeve_schema(struct mailreeve_text *out);
/* "{SCHEME}hash" of a password, made by Dovecot's doveadm (the password goes through a pipe).
 * scheme NULL: the strongest that the installed doveadm offers. */
MAILREEVE_API int mailreeve_hash_password(struct mailreeve *session, const char *scheme,
        const char *password, struct mailreeve_text *out);
/* Writes a small valid repository with comments and a commented agent.yaml. Refuses to overwrite.
 */
MAILREEVE_API int mailreeve_init(
        struct mailreeve *session, const char *directory, struct mailreeve_text *out);

MAILREEVE_API const char *mailreeve_version(void);

/*
 * For a program that stays: the parts of a sync, each fit for a process of its own, and what such a
 * program must know of agent.yaml.
 */
struct mailreeve_facts {
	const char *host;
	const char *state_directory;
	const char *repository_path; /* of a repository on this machine; NULL: a remote one */
	const char *branch;
	const char *user;            /* who fetches, parses and watches; NULL: no other user */
	const char *metrics_address; /* HOST:PORT; NULL: not served */
	uint64_t interval_seconds;
	bool is_ldap_managed;
	bool looks_for_drift; /* drift.mode of some server is not "off" */
	bool heals_drift;     /* of some server is "heal" */
};
/* Texts belong to the session. False: no configuration was read. */
MAILREEVE_API bool mailreeve_get_facts(struct mailreeve *session, struct mailreeve_facts *out);
/* Makes what a user with fewer rights needs below the state directory, and gives it to that user
 * (facts.user). Needs the right to do so; without such a user nothing is done. */
MAILREEVE_API int mailreeve_share_source(struct mailreeve *session);

struct mailreeve_outcome {
	int64_t run;       /* its record in the history; 0: none */
	bool is_changed;   /* something was written to a server */
	size_t n_drift;    /* what others changed and what was left so */
	char commit[72];   /* hex, NUL terminated; empty: none */
	char reason[1024]; /* the first error, one line; empty: none */
};
/* Brings the mirror up to date; out->commit is the head of the branch. Touches no server. */
MAILREEVE_API int mailreeve_fetch(struct mailreeve *session, struct mailreeve_outcome *out);
/* Reads and checks a commit of the mirror for this host and keeps the result for the apply. Touches
 * no server, resolves no secret. */
MAILREEVE_API int mailreeve_compile(
        struct mailreeve *session, const char *commit, struct mailreeve_outcome *out);
/* Plan, rails, apply, probe of a commit that was fetched, as mailreeve_sync. text: the plan and
 * what came of it. */
MAILREEVE_API int mailreeve_sync_commit(struct mailreeve *session, const char *commit,
        struct mailreeve_text *text, struct mailreeve_outcome *out);
/* Ends an apply that was interrupted, if there is one. */
MAILREEVE_API int mailreeve_recover(struct mailreeve *session, struct mailreeve_outcome *out);

/* A sync that ended in a part of it, before any apply could put it on record: for metrics and
 * notices. */
MAILREEVE_API int mailreeve_note(
        struct mailreeve *session, int status, const struct mailreeve_outcome *outcome);
/* Writes the metrics, and tells the receivers of agent.yaml (notify) what is another state than
 * they were told last; mailreeve_sync does so itself. Whoever cannot be told is a warning. Takes as
 * long as the receivers do, up to notify.timeout each. */
MAILREEVE_API int mailreeve_notify(struct mailreeve *session);
/* The metrics of this host in the OpenMetrics text format. */
MAILREEVE_API int mailreeve_metrics(struct mailreeve *session, struct mailreeve_text *out);

struct mailreeve_watch {
	/* Something below a managed tree moved: "ldap/DN" and its modifiersName as far as they are
	 * known; NULL: not known. Told without both once when the watch stands, and again after
	 * every outage: what moved before that has no name. Own writes are told too. */
	void (*moved)(void *arg, const char *object, const char *who);
	void *arg;
	int stop_fd; /* readable or closed: end */
};
/* Blocks and tells as it happens what moves in the trees in which we own entries; trees that an
 * apply brings are noticed within ten seconds. An outage is waited out and said once by
 * options.notice. Reads the state database, so it needs the right to. MAILREEVE_OK when stopped. */
MAILREEVE_API int mailreeve_watch_directory(
        struct mailreeve *session, const struct mailreeve_watch *watch);
/* Every folder, and name in it (NULL: any), that is read of what is managed in files. Some come
 * more than once, some folders may not be there yet, and an apply may bring others. Starts no
 * program, needs no running server. What cannot be read is the result, after all that is known was
 * told. */
MAILREEVE_API int mailreeve_watch_paths(struct mailreeve *session,
        void (*each)(void *arg, const char *server, const char *path, const char *name), void *arg);

/* One agent a state directory: the descriptor holds the lock until it is closed. MAILREEVE_BUSY
 * names who holds it. */
MAILREEVE_API int mailreeve_agent_begin(struct mailreeve *session, int *out_lock_fd);
struct mailreeve_agent_note {
	int64_t pid, started, next_try; /* seconds since 1970; 0: not known */
	const char *doing;
	const char *last_error; /* NULL: none */
};
/* For 'mailreeve status'. */
MAILREEVE_API int mailreeve_agent_note(
        struct mailreeve *session, const struct mailreeve_agent_note *note);
/* How things stand, in one line. */
MAILREEVE_API int mailreeve_summary(struct mailreeve *session, struct mailreeve_text *out);

struct mailreeve_drift_row {
	const char *object;
	const char *attribute;
	const char *text; /* one line: both, and what was applied and what is live */
};
/* Compares live with the last applied commit and calls each for what others changed. Nothing was
 * applied yet: no rows. MAILREEVE_UNREADABLE also when some servers could be read: the rows are
 * theirs. */
MAILREEVE_API int mailreeve_look(struct mailreeve *session,
        void (*each)(void *arg, const struct mailreeve_drift_row *row), void *arg,
        struct mailreeve_outcome *out);

#ifdef __cplusplus
}
#endif

#endif
