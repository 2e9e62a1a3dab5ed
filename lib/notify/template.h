/*
 * Templates: text with {{name}} placeholders, and nothing else that means anything.
 */
#ifndef MR_NOTIFY_TEMPLATE_H
#define MR_NOTIFY_TEMPLATE_H

#include "notify/notify.h"

enum mr_template_escape {
	MR_ESCAPE_LINES, /* text for people: control characters made harmless, lines stay */
	MR_ESCAPE_LINE,  /* the same in one line */
	MR_ESCAPE_JSON   /* the inside of a JSON string */
};

/* The template of a way out: the file of that name in notify.templates, else the built-in one. */
MR_CHECK int mr_template_load(struct mr_diags *diags, const struct mr_host *host, enum mr_way way,
        struct mr_arena *arena, mr_str *out);
const char *mr_template_builtin(enum mr_way way);
const char *mr_template_file_name(enum mr_way way);

/* Placeholders that are not known or not closed are errors at their place. MR_E_CONFIG. */
MR_CHECK int mr_template_check(struct mr_diags *diags, mr_str path, mr_str text);
/* Appends. The text was checked before: what is no placeholder stays as it is. */
void mr_template_expand(mr_str text, const struct mr_notice *notice, enum mr_template_escape escape,
        struct mr_buf *out);

/* "Subject: …", an empty line, the body. False: it is not of this form. */
bool mr_template_split_mail(mr_str text, mr_str *out_subject, mr_str *out_body);

#endif
