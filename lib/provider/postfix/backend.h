/*
 * The Postfix backend's own state, shared by the files of this room.
 *
 * Our tables live in one directory a generation, CONFIG_DIRECTORY/mailreeve/gen-N; the parameter
 * `mailreeve` in main.cf names the live one and all parameters that use the tables say
 * TYPE:${mailreeve}/NAME.
 */
#ifndef MR_POSTFIX_BACKEND_H
#define MR_POSTFIX_BACKEND_H

#include "postfix/maincf.h"
#include "postfix/postconf.h"
#include "postfix/table.h"
#include "provider/provider.h"

/* The tables that mailreeve wires itself, each named like the parameter it serves. */
enum mr_wired {
	MR_WIRED_MAILBOX_DOMAINS,
	MR_WIRED_MAILBOX_MAPS,
	MR_WIRED_ALIAS_DOMAINS,
	MR_WIRED_ALIAS_MAPS,
	MR_WIRED_RELAY_DOMAINS,
	MR_WIRED_RELAY_RECIPIENTS,
	MR_WIRED_TRANSPORT,
	MR_WIRED_SENDER_LOGIN,
	MR_WIRED_COUNT
};

struct mr_wiring {
	mr_str name;
	enum mr_rank rank;
	bool decides_class; /* a row decides an address's class or transport, which smtpd remembers
	                     */
	const char *object; /* kind of the natural object of a live row: "user" */
};
extern const struct mr_wiring mr_wirings[MR_WIRED_COUNT];

struct mr_domain_fact {
	mr_str name;
	enum mr_domain_kind kind;
	enum mr_domain_state state; /* of an alias domain: its target's when that is worse */
	bool has_catch_all;
	mr_str alias_of;
};

struct mr_domain_link { /* an active alias domain */
	mr_str target;
	mr_str alias;
};

struct mr_postfix_table {
	mr_str name;
	int wired; /* enum mr_wired, or -1: declared under postfix.tables, or only live */
	bool is_desired;
	bool is_live;
	enum mr_table_kind kind;      /* desired */
	enum mr_table_kind live_kind; /* as found in the live generation */
	struct mr_loc loc;
};

struct mr_backend {
	const struct mr_host *host;
	struct mr_diags *diags;
	struct mr_cache *cache;
	struct mr_arena arena;
	const char *config_directory;
	const char *main_path;
	const char *own_directory; /* CONFIG_DIRECTORY/mailreeve */
	bool has_postconf;
	struct mr_postconf postconf;
	bool has_main;
	struct mr_buf main_text;
	struct mr_maincf main;
	mr_str generation; /* path of the live one; empty: none */

	bool has_keyed_kind;
	enum mr_table_kind keyed_kind;         /* what "default" means on this host */
	MR_VEC(struct mr_domain_fact) domains; /* by name */
	MR_VEC(struct mr_domain_link) links;   /* by target, alias */
	bool is_wired[MR_WIRED_COUNT];
	struct mr_loc wired_loc[MR_WIRED_COUNT];
	mr_str delivery;                        /* virtual_transport */
	MR_VEC(struct mr_postfix_table) tables; /* by name */
	MR_VEC(mr_str) sensitive;               /* parameters whose declared value is a secret */
	MR_VEC(struct mr_collection) collections;
	bool was_running;    /* Postfix ran when the transaction was staged or activated */
	bool is_flip_staged; /* what was staged goes live by a new main.cf */
};

/* main.cf, read again; the live generation from it. MR_E_UNREADABLE. */
MR_CHECK int mr_postfix_read_main(struct mr_backend *backend);
/* postconf's answers, once. */
MR_CHECK int mr_postfix_know_host(struct mr_backend *backend);
/* A file of the live configuration directory or of ours. */
const char *mr_postfix_path(struct mr_backend *backend, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
struct mr_postfix_table *mr_postfix_find_table(struct mr_backend *backend, mr_str name);
/* The table's name of a collection "postfix.table/NAME"; empty for postfix.main. */
mr_str mr_postfix_table_name(mr_str collection);
/* The value in force: main.cf's, else the built-in default; not expanded. */
mr_str mr_postfix_value(struct mr_backend *backend, mr_str name);
/* The same with $name, ${name} and $(name) replaced. MR_E_INVALID when nesting does not end. */
MR_CHECK int mr_postfix_expand(struct mr_backend *backend, mr_str value, struct mr_buf *out);
/* Owner and mode of our tables: root, the mail system's group, 0640. */
struct mr_file_owner mr_postfix_table_owner(struct mr_backend *backend);

/* Domains, alias domains and which tables they call for. */
MR_CHECK int mr_postfix_survey(struct mr_backend *backend, struct mr_desired *desired);
const struct mr_domain_fact *mr_postfix_find_domain(const struct mr_backend *backend, mr_str name);
/* Errors of the declared parameters and tables on this host; MR_E_INVALID when there was one. */
MR_CHECK int mr_postfix_judge(struct mr_backend *backend, struct mr_desired *desired);
/* A declared value as it goes into main.cf: sizes as numbers, types before bare ${mailreeve}/NAME,
 * normal form. */
mr_str mr_postfix_render_value(
        struct mr_backend *backend, struct mr_arena *arena, mr_str name, mr_str value);

/* What a declared row or a wired table's row projects to. */
MR_CHECK int mr_postfix_project_wired(struct mr_backend *backend, enum mr_wired wired,
        struct mr_desired *desired, struct mr_cursor *out);
MR_CHECK int mr_postfix_project_table(struct mr_backend *backend,
        const struct mr_postfix_table *table, struct mr_desired *desired, struct mr_cursor *out);
MR_CHECK int mr_postfix_project_main(
        struct mr_backend *backend, struct mr_desired *desired, struct mr_cursor *out);
int mr_postfix_sort(struct mr_backend *backend, struct mr_sorter *sorter, const char *what,
        struct mr_cursor *out);

#endif
