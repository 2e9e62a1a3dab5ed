/*
 * What text and markdown share: values as people read them, objects sorted by what matters, equal
 * changes grouped.
 *
 * For the plan room alone.
 */
#ifndef MR_PLAN_VIEW_H
#define MR_PLAN_VIEW_H

#include "plan/doc.h"

/* Sections in the order in which people shall meet them. */
enum mr_view_section {
	MR_VIEW_LOST, /* deletes and closes, and whatever is of risk data */
	MR_VIEW_RENAMED,
	MR_VIEW_CREATED,
	MR_VIEW_CHANGED,
	MR_VIEW_DRIFT, /* changes that put back what others changed */
	MR_VIEW_SECTION_COUNT
};
const char *mr_view_title(enum mr_view_section section);
char mr_view_mark(const struct mr_doc_object *object);

/* Objects whose line of attributes is the same. */
struct mr_view_group {
	const struct mr_doc_object **objects;
	size_t n;
	mr_str attributes; /* "quota 2G -> 5G, name …" */
};
struct mr_view {
	struct mr_arena arena;
	struct mr_view_group *groups[MR_VIEW_SECTION_COUNT];
	size_t n_groups[MR_VIEW_SECTION_COUNT];
	size_t n_objects[MR_VIEW_SECTION_COUNT];
};
/* Groups with the most objects first, then by object; is_grouping false: every object alone, by
 * object. */
void mr_view_init(struct mr_view *view, const struct mr_plan_doc *doc, bool is_grouping);
void mr_view_done(struct mr_view *view);

/* How many attributes are worth a line: a closed user's last ones are not, so that the closed stand
 * in one group. */
size_t mr_view_n_attributes(const struct mr_doc_object *object);
/* "2G -> 5G", "(secret changed, 12ab34cd)", "[a, b] -> [a]". Harmless for terminals, cut when very
 * long. */
void mr_view_attribute(const struct mr_doc_attribute *attribute, struct mr_buf *out);
void mr_view_drift(const struct mr_doc_drift *drift, struct mr_buf *out);
/* "Plan: 3 to create, …" or "No changes." */
void mr_view_closing(const struct mr_plan_doc *doc, struct mr_buf *out);
/* "log-in lost", with '-', '+' or '>' as mark. */
const char *mr_view_impact(enum mr_impact_kind kind, char *out_mark);

#endif
