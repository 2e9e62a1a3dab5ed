/*
 * What a backend is: the contract between the program and one kind of server.
 *
 * A backend projects the desired state into items of its collections, observes live items, and
 * carries out changes. It has no diff and no undo of its own: undo is apply() with reversed
 * changes.
 *
 * Every call reports problems into the diagnostics given at open, with the server's own words.
 * No child process and no connection without a deadline.
 */
#ifndef MR_PROVIDER_H
#define MR_PROVIDER_H

#include "base/arena.h"
#include "base/cursor.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fingerprint.h"
#include "model/desired.h"
#include "plan/change.h"

struct mr_backend; /* each backend defines its own */

/* A cache that can be thrown away at any time: small blobs by name, kept between runs. */
struct mr_cache {
	/* true and *out (copied into arena) when there; false otherwise. */
	bool (*get)(struct mr_cache *cache, mr_str name, struct mr_arena *arena, mr_str *out);
	void (*put)(struct mr_cache *cache, mr_str name, mr_str value);
	/* An ordered side table of items by space ("ldap/dc=example,dc=org"): mirrors of live
	 * collections. begin replaces the whole space unless is_update; rows become visible at
	 * commit. */
	int (*mirror_begin)(struct mr_cache *cache, mr_str space, bool is_update);
	int (*mirror_put)(struct mr_cache *cache, mr_str key, mr_str body);
	int (*mirror_remove)(struct mr_cache *cache, mr_str key);
	int (*mirror_commit)(struct mr_cache *cache, mr_str stamp);
	void (*mirror_abort)(struct mr_cache *cache);
	/* The stamp given at the last commit of the space; false when there is no mirror. */
	bool (*mirror_stamp)(
	        struct mr_cache *cache, mr_str space, struct mr_arena *arena, mr_str *out);
	int (*mirror_read)(struct mr_cache *cache, mr_str space, struct mr_cursor *out);
	void *state;
};

/* The host's configuration (agent.yaml) as the backends need it. Empty views: not given. */
struct mr_host_postfix {
	bool is_managed;
	mr_str config_directory; /* "/etc/postfix" */
};
struct mr_host_dovecot {
	bool is_managed;
	mr_str config; /* "/etc/dovecot/dovecot.conf" */
};
struct mr_host_ldap {
	bool is_managed;
	mr_str uri;
	bool is_external_bind;
	mr_str bind_dn;
	mr_str password_file;
	mr_str ca_file;
	bool start_tls;
};

struct mr_host {
	mr_str name;        /* host: */
	mr_str run_as_user; /* of the agent's parts that need no rights; empty: no other */
	mr_str repository_url, repository_branch, repository_path, ssh_key, known_hosts,
	        repository_ca_file;
	bool signatures_required;
	mr_str allowed_signers;
	mr_str state_directory;
	uint64_t interval_seconds;
	struct mr_host_postfix postfix;
	struct mr_host_dovecot dovecot;
	struct mr_host_ldap ldap;
	bool services_are_direct; /* services.manager: direct */
	mr_str secrets_directory, age_identity;
	uint64_t drift_heals; /* of one value within an hour until it counts as contended */
	mr_str drift_mode;    /* "off" "report" "heal" */
	mr_str drift_mode_postfix, drift_mode_dovecot, drift_mode_ldap; /* resolved: never empty */
	mr_str probe_smtp, probe_imap, probe_mailbox;
	mr_str probe_password_file; /* probes.password_file: for log-in of the probe mailbox; may be
	                               empty */
	uint64_t probe_timeout_seconds;
	mr_str listen_metrics;
	mr_str metrics_textfile;
	mr_str notify_mail, notify_mail_from;
	mr_str notify_webhook, notify_secret_file, notify_ca_file;
	mr_str notify_command, notify_templates;
	uint64_t notify_timeout_seconds;
};

struct mr_provider_options {
	const struct mr_host *host;
	struct mr_diags *diags;
	struct mr_cache *cache;  /* may be NULL */
	const uint8_t *seal_key; /* 32 bytes, the host's; for keyed digests of secrets */
};

enum mr_completeness { MR_READ_COMPLETE, MR_READ_PARTIAL, MR_READ_FAILED };

/* What a plan says of a server. */
struct mr_live_info {
	mr_str version; /* "3.7.11"; the backend owns it */
	enum mr_completeness read;
	uint64_t entries; /* openldap */
};

/* A file of TLS that a setting of the server names. */
struct mr_tls_file {
	const char *setting;
	mr_str path;
	bool is_key;
};

/* A server as it stands, for doctor. Views belong to the backend. */
struct mr_inspection {
	mr_str version;
	const char *supported; /* NULL: this version is; else which ones are */
	bool is_running;
	bool must_run;     /* an apply cannot work while it does not */
	bool must_be_well; /* nor while probe finds a fault */
	mr_str folders[3]; /* that an apply writes to */
	size_t n_folders;
	struct mr_tls_file tls[8]; /* none when the server offers no TLS */
	size_t n_tls;
	bool has_tables;    /* the two below mean something here */
	mr_str keyed_table; /* type of the tables that can be changed in place; empty: none */
};

enum mr_activation { MR_ACTIVATE_NOTHING, MR_ACTIVATE_RELOAD, MR_ACTIVATE_RESTART };

/* Where a change that is not ours comes from, as far as the server itself keeps it. Nothing is
 * guessed: what is not known is an empty view. */
struct mr_trace {
	mr_str by;    /* the name that the directory keeps of who wrote */
	mr_str since; /* "2026-11-22T13:00:00Z" */
	mr_str file;  /* of what stands in files: which one was written last */
	mr_str owner; /* and whose it is, which need not be who wrote it */
};
struct mr_trace_of {
	const struct mr_collection *in;
	mr_str key, attribute;
	bool is_live;       /* the item is there */
	int64_t applied_at; /* of our own last apply; 0: none */
};

/* Looking on while others write. */
struct mr_provider_watch {
	const struct mr_strs *trees; /* DNs of the trees to look at */
	uint64_t interval_seconds;   /* how often the host looks in any case */
	int stop_fd;                 /* readable or closed: end; -1: never */
	/* What moved and who wrote it; empty views: not known. */
	void (*moved)(void *arg, mr_str object, mr_str who);
	/* What keeps it from looking on stands in the diagnostics, which the callee clears; told
	 * with every try that fails. When all is well again, moved is told without a name. */
	void (*trouble)(void *arg);
	/* Asked every some seconds: true ends the watch. */
	bool (*is_over)(void *arg);
	void *arg;
};

/* One attribute as a plan displays it: the name in the language's words. */
struct mr_provider {
	const char *name; /* "postfix" */

	MR_CHECK int (*open)(const struct mr_provider_options *options, struct mr_backend **out);
	void (*close)(struct mr_backend *backend);
	/* Valid after the first observe. */
	MR_CHECK int (*describe)(struct mr_backend *backend, struct mr_live_info *out);

	/* What doctor wants to know; changes nothing, needs nothing else before. NULL: nothing is
	 * known besides describe and probe. */
	int (*inspect)(struct mr_backend *backend, struct mr_inspection *out);

	/* Adds whatever tells cheaply that everything this backend would read is as it was at
	 * another time: identities of files, contextCSN. False when that cannot be told. May be
	 * called before all others. NULL: never. */
	bool (*fingerprint)(struct mr_backend *backend, struct mr_fingerprint *print);
	/* The same for one collection: what it is read from, and what decides how the desired state
	 * is projected into it. After collections. NULL: never. */
	bool (*fingerprint_of)(struct mr_backend *backend, const struct mr_collection *in,
	        struct mr_fingerprint *print);

	/* Blocks until it is stopped and tells what moves. Outages are waited out. NULL: what this
	 * backend reads stands in files. */
	MR_CHECK int (*watch)(struct mr_backend *backend, const struct mr_provider_watch *watch);
	/* Every folder and the name in it (NULL: any) that a read looks at: the files that we own
	 * or that decide what they mean. Starts no program; needs no running server; a folder may
	 * come more than once, or not be there yet. What cannot be read is reported after all that
	 * is known was told. NULL: no files. */
	MR_CHECK int (*watched)(struct mr_backend *backend,
	        void (*each)(void *arg, const char *folder, const char *name), void *arg);
	/* Who changed an item last. Never fails: what cannot be had is left empty. After observe.
	 * Views live in arena. NULL: never known. */
	void (*who)(struct mr_backend *backend, const struct mr_trace_of *of,
	        struct mr_arena *arena, struct mr_trace *out);

	/* The collections that this desired state, or the live state that we own, has on this
	 * server. Also judges the desired state against this server (unknown parameter, map type
	 * not on offer, scheme not known): errors go to the diagnostics with their place and the
	 * result is MR_E_INVALID. The array belongs to the backend. Called once, before project and
	 * observe. */
	MR_CHECK int (*collections)(
	        struct mr_backend *backend, struct mr_desired *desired, struct mr_collections *out);

	/* Desired items of a collection, in key order. */
	MR_CHECK int (*project)(struct mr_backend *backend, const struct mr_collection *in,
	        struct mr_desired *desired, struct mr_cursor *out);

	/* Live items of a collection in key order: complete, or an error (MR_E_UNREADABLE with the
	 * server's own words); never a part without an error. only != NULL: just these keys
	 * (sorted; those not there are left out), read from the server itself and no cache. */
	MR_CHECK int (*observe)(struct mr_backend *backend, const struct mr_collection *in,
	        const struct mr_strs *only, struct mr_cursor *out);

	/* Whether two values of an attribute mean the same to the server. NULL: mr_attr_same. */
	bool (*same)(struct mr_backend *backend, const struct mr_collection *in,
	        const struct mr_attr *desired, const struct mr_attr *live);

	/* What a live-only item that we own goes back to (a parameter's pre-image): a body, or data
	 * == NULL for "remove it". NULL: always remove. pre_image is the body before we first
	 * touched it (may be NULL data). */
	mr_str (*revert_to)(struct mr_backend *backend, const struct mr_collection *in, mr_str key,
	        mr_str pre_image);

	/* S1: builds everything for these changes aside and lets the server's own checkers, our own
	 * checks and, where parameters or settings change, a throw-away twin judge it. The live
	 * server is not touched. work_directory is private to this transaction (it survives a
	 * crash). All changes of this backend. MR_E_REJECTED with the checker's words;
	 * MR_E_CONFLICT when a before no longer holds. */
	MR_CHECK int (*stage)(struct mr_backend *backend, const struct mr_change *const *changes,
	        size_t n, const char *work_directory);

	/* S3/S4: makes one batch live (all of one collection; n in key order). Judged by looking at
	 * the world: an item that is as after already is done; one that is neither before nor after
	 * is MR_E_CONFLICT and nothing of it is touched. Idempotent. is_undo: the changes are
	 * reversed ones of a transaction that was staged in work_directory; the backend may then
	 * put back its exact pre-image files. Works in a new process. */
	MR_CHECK int (*apply)(struct mr_backend *backend, const struct mr_change *const *changes,
	        size_t n, const char *work_directory, bool is_undo);

	/* What must be done for these changes (all of this backend) to be in force, and doing it
	 * (S5). The result is awaited; what it really did is found out by verification. is_undo: be
	 * thorough (a throttled Postfix needs stop and start). */
	enum mr_activation (*activation)(
	        struct mr_backend *backend, const struct mr_change *const *changes, size_t n);
	MR_CHECK int (*activate)(struct mr_backend *backend, const struct mr_change *const *changes,
	        size_t n, enum mr_activation what, bool is_undo);

	/* S6: is the server itself well: listens, answers, processes alive. MR_E_FAILED with what
	 * is not. */
	MR_CHECK int (*probe)(struct mr_backend *backend);

	/* Numbers worth watching beside what is managed: the lengths of queues. Bounded; what
	 * cannot be had is not told. NULL: none. */
	void (*measure)(struct mr_backend *backend,
	        void (*tell)(void *arg, const char *name, uint64_t value), void *arg);

	/* S9 and after an undo: removes what only this transaction needed. */
	MR_CHECK int (*finish)(
	        struct mr_backend *backend, const char *work_directory, bool was_applied);
};

extern const struct mr_provider mr_provider_postfix;
extern const struct mr_provider mr_provider_dovecot;
extern const struct mr_provider mr_provider_openldap;

#endif
