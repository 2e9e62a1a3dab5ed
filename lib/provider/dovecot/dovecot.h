/*
 * The Dovecot backend's own types: what its files share. Not for other rooms.
 *
 * Files of ours, all in DIRNAME(dovecot.conf)/mailreeve: mailreeve.conf (settings), users
 * (passwd-file), denied and denied.SERVICE (who may not log in). dovecot.conf has one line of ours,
 * its last.
 */
#ifndef MR_DOVECOT_DOVECOT_H
#define MR_DOVECOT_DOVECOT_H

#include <sys/types.h>
#include <time.h>

#include "base/arena.h"
#include "base/attrs.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/file.h"
#include "base/vec.h"
#include "provider/provider.h"

#define MR_DOVECOT_INCLUDE_LINE "!include_try mailreeve/mailreeve.conf"
#define MR_DOVECOT_FILE_LIMIT   ((size_t)1 << 30)

/* One setting by its path, "service imap-login/inet_listener imaps/port". */
struct mr_dovecot_setting {
	mr_str path;
	mr_str value;
	bool is_sensitive;
	struct mr_loc loc; /* wired ones: of accounts */
};

/* Settings in path order, one of each path; the views live in an arena of somebody else. */
struct mr_dovecot_settings {
	MR_VEC(struct mr_dovecot_setting) list;
};

/* Denied services: one file each. The first denies all. */
enum mr_dovecot_deny {
	MR_DENY_ALL,
	MR_DENY_IMAP,
	MR_DENY_POP3,
	MR_DENY_SMTP,
	MR_DENY_SUBMISSION,
	MR_DENY_SIEVE,
	MR_DENY_COUNT
};

struct mr_dovecot_version;

struct mr_backend {
	struct mr_arena arena; /* as long as the backend */
	const struct mr_provider_options *options;
	struct mr_provider_options options_copy;
	struct mr_diags *diags;
	const char *config;    /* dovecot.conf */
	const char *directory; /* DIRNAME(config) */
	const char *own_directory;
	const char *settings_path, *users_path;
	const char *denied_path[MR_DENY_COUNT];
	struct mr_collection collections[2];
	/* judged by collections() */
	struct mr_dovecot_settings desired; /* declared and wired, 2.4's names */
	uid_t uid;
	gid_t gid;
	bool has_owner;
	bool is_delivered_to; /* Postfix hands mail over by LMTP */
	/* facts.c */
	const struct mr_dovecot_version *version; /* NULL: not asked yet */
	mr_str version_text;
	bool has_live, has_base, has_defaults;
	struct mr_dovecot_settings live, base,
	        defaults; /* as doveconf -a says, the installed version's names */
	struct mr_arena live_arena;
	bool was_read, has_read_failed;
	struct mr_file_owner secret_owner; /* of files with password hashes: root:dovecot 0640 */
	time_t rows_written;               /* the second in which apply() last did; 0: never */
};

/* settings_list.c: lists in path order. */
void mr_dovecot_settings_done(struct mr_dovecot_settings *settings);
/* Puts it in or replaces the one of that path. Views are not copied. */
void mr_dovecot_settings_set(
        struct mr_dovecot_settings *settings, const struct mr_dovecot_setting *setting);
void mr_dovecot_settings_remove(struct mr_dovecot_settings *settings, mr_str path);
const struct mr_dovecot_setting *mr_dovecot_settings_find(
        const struct mr_dovecot_settings *settings, mr_str path);
/* Splits a path into its sections and the setting's own name: "a x/b" -> {"a x", "b"}. A name of a
 * socket may hold slashes: "unix_listener /run/x". Returns the number of parts, at most limit; 0:
 * no path. */
size_t mr_dovecot_path_split(mr_str path, mr_str *parts, size_t limit);
#define MR_DOVECOT_DEPTH 8

/* conf.c: Dovecot's configuration syntax. Adds what the text says to *out, copied into arena.
 * is_output: the text was printed by doveconf. passdb and userdb blocks without a name are left
 * out. */
MR_CHECK int mr_dovecot_conf_parse(
        struct mr_arena *arena, mr_str text, struct mr_dovecot_settings *out, size_t *out_bad_line);
/* A value as it must stand in a file; quoted where it has to be. */
void mr_dovecot_conf_quote(mr_str value, struct mr_buf *out);
bool mr_dovecot_conf_can_hold(mr_str value);

/* includes.c: the files that dovecot.conf draws in. */
struct mr_dovecot_stamps {
	struct mr_digest live; /* of every byte that the configuration is made of */
	struct mr_digest base; /* the same without our file */
};
MR_CHECK int mr_dovecot_stamp(struct mr_backend *backend, struct mr_dovecot_stamps *out);
/* Tells folder and name (NULL: any) of every file that the configuration is made of or would be if
 * it were there; some more than once. */
MR_CHECK int mr_dovecot_places(struct mr_backend *backend,
        void (*each)(void *arg, const char *folder, const char *name), void *arg);
/* dovecot.conf with every relative name made absolute and ours replaced by own_path (NULL: left
 * out): the same configuration when read from elsewhere. */
MR_CHECK int mr_dovecot_main_elsewhere(
        struct mr_backend *backend, const char *own_path, struct mr_buf *out);
/* dovecot.conf with our line at its end, or without it. */
void mr_dovecot_main_with_line(mr_str text, bool wants_line, struct mr_buf *out);

/* facts.c: what the installed programs say; kept in the cache while nothing that they read has
 * changed. */
MR_CHECK int mr_dovecot_learn_version(struct mr_backend *backend);
MR_CHECK int mr_dovecot_learn_defaults(struct mr_backend *backend);
MR_CHECK int mr_dovecot_learn_base(struct mr_backend *backend);
MR_CHECK int mr_dovecot_learn_live(struct mr_backend *backend);
/* Services, and settings outside of any block such as base_dir, as they are by default, where
 * doveconf -a leaves that out. */
MR_CHECK int mr_dovecot_complete(struct mr_backend *backend, struct mr_dovecot_settings *settings);
/* Adds the default of one setting that doveconf -d left out of the whole; nothing when there is no
 * such setting. */
MR_CHECK int mr_dovecot_learn_default_of(struct mr_backend *backend, mr_str path);
void mr_dovecot_forget_live(struct mr_backend *backend);
/* Blank separated names of doveadm pw -l, with a blank before and behind. */
MR_CHECK int mr_dovecot_schemes(struct mr_backend *backend, struct mr_arena *arena, mr_str *out);

/* What a passwd-file row says of the quota, as it stands there. */
struct mr_dovecot_quota {
	mr_str storage, messages;
};

/* version23.c, version24.c: 2.4's names and values in the words of the installed version and back.
 */
struct mr_dovecot_version {
	const char *prefix;               /* "2.3." */
	const char *const *list_schemes;  /* the program that lists password schemes */
	const char *const *more_defaults; /* asks for what doveconf -d leaves out; NULL: nothing */
	const char *listener_address;     /* the setting of an inet_listener */
	const char *refused_schemes; /* blank separated; weak ones that no log-in gets by with */
	uint64_t quota_unit;         /* bytes that a quota without a unit counts */
	bool has_one_location;       /* the parts of where mail is make one setting */
	/* doveconf -a does not say what services and some others are by default, nor -d all of that
	 */
	bool hides_defaults;
	/* Whether the installed version can say it; *out_hint (static text, may be NULL) otherwise.
	 */
	bool (*knows)(
	        const struct mr_dovecot_settings *defaults, mr_str path, const char **out_hint);
	/* What the setting (2.4's path) is in this configuration (the version's names): false when
	 * not there. */
	bool (*value_in)(struct mr_arena *arena, const struct mr_dovecot_settings *in, mr_str path,
	        mr_str *out);
	/* All settings of a configuration in 2.4's names that differ from the defaults. */
	void (*all_in)(struct mr_arena *arena, const struct mr_dovecot_settings *in,
	        const struct mr_dovecot_settings *defaults, struct mr_dovecot_settings *out);
	/* Whether this configuration (the version's names) counts quota already. */
	bool (*has_quota)(const struct mr_dovecot_settings *in);
	/* A whole mailreeve.conf. */
	void (*render)(struct mr_arena *arena, const struct mr_dovecot_settings *settings,
	        struct mr_buf *out);
	/* The fields of a passwd-file row that say the quota; nothing for none. */
	void (*quota_fields)(mr_str quota, mr_str messages, struct mr_buf *out);
	/* Takes a row's field in; false when it says nothing of the quota. */
	bool (*quota_read)(mr_str name, mr_str value, struct mr_dovecot_quota *out);
	/* For the twin: the users of FOLDER/users; mail below the home or FOLDER/home. */
	void (*twin_accounts)(const char *folder, struct mr_buf *out);
	void (*twin_mail)(const struct mr_dovecot_settings *effective, const char *folder,
	        struct mr_buf *out);
};
const struct mr_dovecot_version *mr_dovecot_version_find(mr_str text);
/* Whether two values mean the same: sizes, times, truth, words. */
bool mr_dovecot_value_same(mr_str a, mr_str b);

/* own.c: our settings file. It says in comments, in 2.4's words, what the rest was rendered from.
 */
struct mr_dovecot_own {
	struct mr_dovecot_settings settings;
	bool is_there;
	bool is_edited; /* by somebody else: what it says in comments is not what it does */
};
MR_CHECK int mr_dovecot_own_read(
        struct mr_backend *backend, struct mr_arena *arena, struct mr_dovecot_own *out);
MR_CHECK int mr_dovecot_own_format(struct mr_backend *backend, struct mr_arena *arena,
        const struct mr_dovecot_settings *settings, struct mr_buf *out);
void mr_dovecot_own_parse(struct mr_arena *arena, mr_str text, struct mr_dovecot_own *out);
bool mr_dovecot_is_database(mr_str path); /* a part of a passdb or userdb block */

/* wired.c: the settings that follow from accounts. */
MR_CHECK int mr_dovecot_wire(
        struct mr_backend *backend, struct mr_desired *desired, bool has_quota, uint64_t n_users);

/* row.c: one line of the passwd-file and what it means. */
struct mr_dovecot_row {
	mr_str address, password, uid, gid, name, home, state, extra;
};
/* false: no row at all. */
bool mr_dovecot_row_parse(mr_str line, struct mr_dovecot_row *out);
/* The live body of a row of which the files deny these services (bits 1 << MR_DENY_x). */
mr_str mr_dovecot_row_body(const struct mr_dovecot_version *version,
        struct mr_attrs_builder *builder, const struct mr_dovecot_row *row, unsigned denied);
/* The line, with its line feed, that a body stands for. MR_E_INVALID: it cannot be said in a
 * passwd-file. */
MR_CHECK int mr_dovecot_row_format(
        const struct mr_dovecot_version *version, mr_str address, mr_str body, struct mr_buf *out);
/* The files that must name a user of this body. */
unsigned mr_dovecot_row_denied(mr_str body);
unsigned mr_dovecot_denied_of(enum mr_user_state state, unsigned bits);
void mr_dovecot_add_services(struct mr_attrs_builder *builder, unsigned bits);

/* user.c: the body of a declared user; uid and gid as in the backend. */
mr_str mr_dovecot_user_body(
        struct mr_backend *backend, struct mr_attrs_builder *builder, const struct mr_user *user);

/* rows.c: the passwd-file and the deny files as one stream of items. */
MR_CHECK int mr_dovecot_rows_observe(
        struct mr_backend *backend, const struct mr_strs *only, struct mr_cursor *out);
MR_CHECK int mr_dovecot_rows_project(
        struct mr_backend *backend, struct mr_desired *desired, struct mr_cursor *out);

/* settings.c */
MR_CHECK int mr_dovecot_settings_observe(
        struct mr_backend *backend, const struct mr_strs *only, struct mr_cursor *out);
MR_CHECK int mr_dovecot_settings_project(struct mr_backend *backend, struct mr_cursor *out);
mr_str mr_dovecot_settings_revert(struct mr_backend *backend, mr_str path, mr_str pre_image);
/* The settings that our file shall hold after these changes. Unless is_undo, each must be as before
 * or after in what is in force; an undo looks at our file alone, since the configuration may be
 * unreadable as it is. */
MR_CHECK int mr_dovecot_settings_edit(struct mr_backend *backend, struct mr_arena *arena,
        const struct mr_change *const *changes, size_t n, bool is_undo,
        struct mr_dovecot_settings *out);

/* judge.c */
MR_CHECK int mr_dovecot_judge(struct mr_backend *backend, struct mr_desired *desired);

/* edit_rows.c: the users file and the deny files with changes carried out. */
struct mr_dovecot_edit {
	struct mr_buf users;
	struct mr_buf denied[MR_DENY_COUNT];
	struct mr_buf dropped[MR_DENY_COUNT]; /* lines that leave the file */
	bool changes_users;
	bool adds_denied[MR_DENY_COUNT], drops_denied[MR_DENY_COUNT];
};
void mr_dovecot_edit_done(struct mr_dovecot_edit *edit);
/* A row that is as after stays; one that is neither as before nor as after is MR_E_CONFLICT.
 * Released by the caller in any case. is_trusted: the files are known to be our own work, half done
 * maybe: no conflict is looked for. */
MR_CHECK int mr_dovecot_rows_edit(struct mr_backend *backend,
        const struct mr_change *const *changes, size_t n, bool is_trusted,
        struct mr_dovecot_edit *out);

/* stage.c, twin.c, apply.c, activate.c */
MR_CHECK int mr_dovecot_stage(struct mr_backend *backend, const struct mr_change *const *changes,
        size_t n, const char *work_directory);
/* Starts the configuration with these settings as a throw-away twin: own folders, ports and mail,
 * and speaks to it. */
MR_CHECK int mr_dovecot_twin(
        struct mr_backend *backend, const struct mr_dovecot_settings *settings);
MR_CHECK int mr_dovecot_apply(struct mr_backend *backend, const struct mr_change *const *changes,
        size_t n, const char *work_directory, bool is_undo);
MR_CHECK int mr_dovecot_finish(
        struct mr_backend *backend, const char *work_directory, bool was_applied);
enum mr_activation mr_dovecot_activation(
        struct mr_backend *backend, const struct mr_change *const *changes, size_t n);
MR_CHECK int mr_dovecot_activate(struct mr_backend *backend, const struct mr_change *const *changes,
        size_t n, enum mr_activation what, bool is_undo);
MR_CHECK int mr_dovecot_probe(struct mr_backend *backend);
/* The master process of the live configuration, which must be known, or 0. */
pid_t mr_dovecot_master(struct mr_backend *backend);
/* inspect.c */
MR_CHECK int mr_dovecot_inspect(struct mr_backend *backend, struct mr_inspection *out);
/* Whether the server whose base_dir this is answers a look-up of nobody on its socket within two
 * seconds. false tells nothing: not every Dovecot has that socket, or speaks the same there. */
bool mr_dovecot_answers(mr_str base_directory);

/* process.c: whether a process runs; one that ended and was not waited for does not. */
bool mr_dovecot_is_alive(pid_t pid);

bool mr_dovecot_is_rows(const struct mr_collection *in);

#endif
