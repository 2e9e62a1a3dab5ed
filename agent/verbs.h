/*
 * The command line as tables: global options, verbs and their options. Help, completion and the man
 * page are written from them.
 */
#ifndef AGENT_VERBS_H
#define AGENT_VERBS_H

#include <stdbool.h>
#include <stddef.h>

#include "mailreeve.h"

enum { MAX_REPEATS = 64, MAX_OPTIONS = 12 };

enum option_id {
	OPT_NONE,
	OPT_CONFIG,
	OPT_FORMAT,
	OPT_COLOR,
	OPT_QUIET,
	OPT_VERBOSE,
	OPT_LOCK_TIMEOUT,
	OPT_HELP,
	OPT_VERSION,
	OPT_REF,
	OPT_DIR,
	OPT_OUT,
	OPT_ONLY,
	OPT_DETAILED_EXITCODE,
	OPT_FAIL_ON,
	OPT_ALLOW,
	OPT_YES,
	OPT_SCHEME,
	OPT_CONFIRM_WITHIN,
	OPT_NOW,
	OPT_REASON,
	OPT_UNTIL,
	OPT_COUNT
};

struct option_spec {
	enum option_id id;
	const char *name;     /* without the dashes */
	const char *argument; /* "FILE"; NULL: takes none */
	const char *meaning;
	const char *words; /* for completion: "text json markdown"; NULL: a file, or free text */
	bool is_repeatable;
};

/* What was asked for on the command line. */
struct request {
	const struct verb *verb;
	const char *values[OPT_COUNT];      /* NULL: not given; options without an argument: "" */
	const char *allow[MAX_REPEATS + 1]; /* NULL terminated */
	const char *fail_on[MAX_REPEATS + 1];
	char classes[1024]; /* the words of fail_on */
	const char *operands[3];
	size_t n_operands;
	enum mailreeve_format format;
	unsigned lock_timeout_ms;
	unsigned confirm_within_seconds; /* 0: no probation */
	bool has_color;
};

enum verb_way {
	HAS_OWN_LOG = 1,  /* tells its diagnostics itself */
	JUDGES_CONFIG = 2 /* is run also where agent.yaml cannot be used */
};

struct verb {
	const char *name;
	const char *operands; /* "[DIR]" */
	size_t max_operands;
	const char *summary;
	const char *details; /* paragraphs of the help and the man page */
	const char *example;
	enum option_id options[MAX_OPTIONS]; /* beside the global ones; ends with OPT_NONE */
	const char *formats;                 /* the words that --format knows here */
	bool needs_config;                   /* false: works without agent.yaml */
	unsigned ways;                       /* of enum verb_way */
	int (*run)(const struct request *request, struct mailreeve *session);
};

extern const struct verb verbs[];
extern const size_t n_verbs;
extern const struct option_spec option_specs[];
extern const size_t n_option_specs;

const struct verb *verb_find(const char *name);
const struct option_spec *option_find(enum option_id id);
bool option_is_global(enum option_id id);
bool verb_has_option(const struct verb *verb, enum option_id id);

/* One file a verb, or a family of verbs: agent/cli/. */
int cli_init(const struct request *request, struct mailreeve *session);
int cli_validate(const struct request *request, struct mailreeve *session);
int cli_plan(const struct request *request, struct mailreeve *session);
int cli_apply(const struct request *request, struct mailreeve *session);
int cli_agent(const struct request *request, struct mailreeve *session);
int cli_sync(const struct request *request, struct mailreeve *session);
int cli_confirm(const struct request *request, struct mailreeve *session);
int cli_rollback(const struct request *request, struct mailreeve *session);
int cli_pause(const struct request *request, struct mailreeve *session);
int cli_resume(const struct request *request, struct mailreeve *session);
int cli_status(const struct request *request, struct mailreeve *session);
int cli_history(const struct request *request, struct mailreeve *session);
int cli_show(const struct request *request, struct mailreeve *session);
int cli_drift(const struct request *request, struct mailreeve *session);
int cli_why(const struct request *request, struct mailreeve *session);
int cli_hash_password(const struct request *request, struct mailreeve *session);
int cli_schema(const struct request *request, struct mailreeve *session);
int cli_doctor(const struct request *request, struct mailreeve *session);
int cli_trust(const struct request *request, struct mailreeve *session);
int cli_completion(const struct request *request, struct mailreeve *session);

#endif
