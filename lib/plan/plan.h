/*
 * The plan: desired against live, as changes of items with their impact, rails and display.
 */
#ifndef MR_PLAN_PLAN_H
#define MR_PLAN_PLAN_H

#include "base/digest.h"
#include "model/policy.h"
#include "plan/change.h"
#include "provider/provider.h"
#include "store/state.h"

struct mr_plan_server {
	const struct mr_provider *provider;
	struct mr_backend *backend;
};

struct mr_plan_input {
	struct mr_diags *diags;
	const struct mr_host *host;
	struct mr_desired *desired;
	struct mr_state *state;         /* what we own; NULL: nothing */
	const struct mr_policy *policy; /* of the last applied commit, or the built-in one */
	const struct mr_plan_server *servers;
	size_t n_servers;
	mr_str ref, commit, tree;
	const struct mr_strs *allow; /* --allow "users.close<=12" */
	mr_str only; /* --only selection: an object name, or a prefix ending in "*"; empty: all */
	bool heals_drift;        /* plan, apply and sync: true; drift: false */
	bool follows_drift_mode; /* sync, and the agent's look: only where host->drift_mode_* of the
	                            server says so, and what is "off" is not looked at */
	bool goes_on; /* the agent's look: a server that cannot be read is reported as always, and
	                 the plan is of the others */
	const struct mr_strs *contended; /* what is not healed (plan/field.h); NULL: none */
	mr_str directory;                /* of --dir, absolute; else empty */
	const char *version;             /* of mailreeve */
	void (*progress)(void *arg, const char *what, uint64_t done, uint64_t total);
	void *progress_arg;
};

struct mr_rail {
	mr_str id;
	mr_str limit;
	uint64_t actual;
	uint64_t total;
	bool is_passed;
	mr_str text; /* why refused, and which --allow would let it pass */
};

struct mr_plan;

/* Reads the servers and computes. MR_E_UNREADABLE, MR_E_INVALID. Refused rails are no error here.
 * diags, host, desired, state and the backends must outlive the plan; everything else of the input
 * is copied. */
MR_CHECK int mr_plan_make(const struct mr_plan_input *input, struct mr_plan **out);
void mr_plan_free(struct mr_plan *plan);

bool mr_plan_is_empty(const struct mr_plan *plan);
/* A server could not be read, and the plan is of the others (goes_on). */
bool mr_plan_is_part(const struct mr_plan *plan);
bool mr_plan_leaves_out(const struct mr_plan *plan, mr_str server);
/* All changes of items, in the order of struct mr_changes. Includes changes with reason drift when
 * healing. */
const struct mr_changes *mr_plan_changes(const struct mr_plan *plan);
const struct mr_rail *mr_plan_rails(const struct mr_plan *plan, size_t *out_n);
bool mr_plan_is_refused(const struct mr_plan *plan);
/* "RAIL<=N" of a rail that a person may lift. */
bool mr_plan_is_allowance(mr_str text);
/* The whole bookkeeping of ownership at the decision, for changed items and for those in order
 * already: after is the sealed desired body to own (git's value of LIVE attributes, all attributes
 * of a PARTIAL item; that is why it is not the change's after), data == NULL: forget the item.
 * before is the sealed pre-image for mr_state_own (data == NULL: it was not there, or the
 * collection is EXCLUSIVE and needs none). Nothing else is to be owned. */
const struct mr_changes *mr_plan_adoptions(const struct mr_plan *plan);
/* Over the desired tree, the policy and the sorted effects: "sha256:…" . */
mr_str mr_plan_digest(const struct mr_plan *plan);
mr_str mr_plan_effects_digest(const struct mr_plan *plan);
size_t mr_plan_drift_count(const struct mr_plan *plan);
/* Appends its name as plan/field.h says. */
void mr_plan_drift_field(const struct mr_plan *plan, size_t index, struct mr_buf *out);
bool mr_plan_drift_is(const struct mr_plan *plan, size_t index, mr_str field);
/* One of them; text is appended to: "OBJECT: ATTRIBUTE applied …, live …". */
void mr_plan_drift_row(const struct mr_plan *plan, size_t index, mr_str *out_object,
        mr_str *out_attribute, struct mr_buf *text);
/* Name of the backend that one of them is of. */
const char *mr_plan_drift_server(const struct mr_plan *plan, size_t index);
/* Calls add once for each object that changes: "user", "create". */
void mr_plan_each_change(const struct mr_plan *plan,
        void (*add)(void *arg, mr_str kind, const char *action), void *arg);
/* --fail-on: classes present: "data", "restart", "reload", "login_lost", "mail_refused", "delete",
 * … */
bool mr_plan_has_class(const struct mr_plan *plan, mr_str class_name);
bool mr_plan_is_class(mr_str class_name);

/* Whether the plan takes log-in or mail from this address, or lets it log in for the first time. */
bool mr_plan_takes_from(const struct mr_plan *plan, mr_str address);
bool mr_plan_gives_login(const struct mr_plan *plan, mr_str address);

/* What the probes of an apply shall find at RCPT TO. */
struct mr_expectation {
	mr_str address;
	bool is_accepted;
};
/* A bounded sample of changed addresses, both ways. */
const struct mr_expectation *mr_plan_expectations(const struct mr_plan *plan, size_t *out_n);

enum mr_format { MR_FORMAT_TEXT, MR_FORMAT_JSON, MR_FORMAT_MARKDOWN, MR_FORMAT_HTML };
struct mr_render_options {
	enum mr_format format;
	bool has_color;
	bool is_verbose; /* no grouping */
	mr_str summary_only;
};
void mr_plan_render(
        const struct mr_plan *plan, const struct mr_render_options *options, struct mr_buf *out);
/* summary object only, as JSON. */
void mr_plan_summary(const struct mr_plan *plan, struct mr_buf *out);

/* Saved plans (--out): the JSON document with one effect digest a change. */
struct mr_saved_plan;
MR_CHECK int mr_saved_plan_parse(struct mr_diags *diags, mr_str json, struct mr_saved_plan **out);
void mr_saved_plan_free(struct mr_saved_plan *saved);
mr_str mr_saved_plan_ref(const struct mr_saved_plan *saved); /* empty: none */
mr_str mr_saved_plan_commit(const struct mr_saved_plan *saved);
mr_str mr_saved_plan_tree(const struct mr_saved_plan *saved);
mr_str mr_saved_plan_directory(const struct mr_saved_plan *saved); /* of --dir; else empty */
/* Narrows fresh to the objects of saved. MR_E_STALE with each object that differs and how. Drift of
 * objects that saved does not touch does not count. */
MR_CHECK int mr_saved_plan_check(
        struct mr_diags *diags, const struct mr_saved_plan *saved, struct mr_plan *fresh);
/* Text or markdown of a saved plan, or of the plan of a recorded run (verb show). */
MR_CHECK int mr_saved_plan_render(const struct mr_saved_plan *saved,
        const struct mr_render_options *options, struct mr_buf *out);

#endif
