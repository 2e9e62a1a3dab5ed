/*
 * A plan as it is shown: the document behind JSON, text, markdown and HTML, made from a fresh plan
 * or from a saved one.
 *
 * For the plan room alone. It holds no secret: sensitive values are left out when it is made.
 */
#ifndef MR_PLAN_DOC_H
#define MR_PLAN_DOC_H

#include "base/json.h"
#include "plan/plan.h"

struct mr_doc_values {
	struct mr_strs list;
	bool is_there;
};

struct mr_doc_attribute {
	mr_str name;
	bool is_sensitive; /* then nothing but name and fingerprint is set */
	bool is_list;      /* shown as a list even with one value */
	struct mr_doc_values before, after;
	mr_str fingerprint; /* 8 hex digits of the new secret's keyed digest; may be empty */
};

struct mr_doc_object {
	mr_str object;
	enum mr_action action;
	enum mr_reason reason;
	enum mr_risk risk;
	mr_str at;           /* "FILE:LINE:COLUMN"; may be empty */
	mr_str renamed_from; /* object name; else empty */
	mr_str means;        /* of a change of state, in people's words; may be empty */
	struct mr_doc_attribute *attributes;
	size_t n_attributes;
	struct mr_strs targets;
	mr_str effect; /* hex digest of what is done to its items */
};

struct mr_doc_drift {
	mr_str object;
	mr_str attribute;
	bool is_sensitive;
	struct mr_strs applied, live;
	struct mr_trace trace;
	const char *server; /* name of its backend; NULL in a saved plan */
};

struct mr_doc_server {
	mr_str name; /* "postfix", "dovecot", "ldap" */
	mr_str version;
	mr_str read; /* "complete" "partial" "failed" */
	mr_str uri;  /* ldap */
	uint64_t entries;
};

struct mr_doc_action {
	mr_str service;
	mr_str action; /* "reload" "restart" */
};

struct mr_doc_route {
	mr_str address;
	mr_str object;
	mr_str before, after; /* data == NULL: none of its own */
};

struct mr_doc_address {
	mr_str address;
	mr_str object; /* of the change behind it; empty in a saved plan */
};

enum mr_impact_kind {
	MR_IMPACT_LOGIN_LOST,
	MR_IMPACT_LOGIN_GAINED,
	MR_IMPACT_MAIL_REFUSED,
	MR_IMPACT_MAIL_ACCEPTED,
	MR_IMPACT_COUNT
};

struct mr_impact {
	MR_VEC(struct mr_doc_address) lists[MR_IMPACT_COUNT];
	MR_VEC(struct mr_doc_route) routes;
};

struct mr_doc_warning {
	mr_str rule, at, text;
};

struct mr_plan_doc {
	mr_str digest, effects_digest, created, version, host;
	mr_str ref, commit, tree, directory;
	uint64_t counts[MR_ACTION_COUNT];
	uint64_t unchanged;
	bool heals_drift;
	MR_VEC(struct mr_doc_server) servers;
	MR_VEC(struct mr_doc_action) actions;
	struct mr_impact impact;
	MR_VEC(struct mr_rail) rails;
	MR_VEC(struct mr_doc_object) objects; /* by object */
	MR_VEC(struct mr_doc_drift) drift;
	MR_VEC(struct mr_doc_warning) warnings;
};

void mr_plan_doc_done(struct mr_plan_doc *doc);
void mr_impact_done(struct mr_impact *impact);

/* The words of the enumerations; actions as shown for this object: a user is closed, not deleted.
 */
const char *mr_action_word(enum mr_action action, mr_str object);
const char *mr_reason_word(enum mr_reason reason);
const char *mr_risk_word(enum mr_risk risk);
const char *mr_impact_word(enum mr_impact_kind kind);

void mr_doc_json(const struct mr_plan_doc *doc, struct mr_buf *out);
/* Its changes alone. */
void mr_doc_changes_json(const struct mr_plan_doc *doc, struct mr_buf *out);
void mr_doc_summary_json(const struct mr_plan_doc *doc, struct mr_buf *out);
void mr_doc_text(
        const struct mr_plan_doc *doc, const struct mr_render_options *options, struct mr_buf *out);
void mr_doc_markdown(
        const struct mr_plan_doc *doc, const struct mr_render_options *options, struct mr_buf *out);
void mr_doc_html(
        const struct mr_plan_doc *doc, const struct mr_render_options *options, struct mr_buf *out);
void mr_doc_render(
        const struct mr_plan_doc *doc, const struct mr_render_options *options, struct mr_buf *out);
/* The inverse of mr_doc_json. MR_E_INVALID with what is wrong in diags. */
MR_CHECK int mr_doc_parse(
        struct mr_diags *diags, struct mr_arena *arena, mr_str json, struct mr_plan_doc *out);

#endif
