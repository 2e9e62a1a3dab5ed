/*
 * main.cf as Postfix reads it, and editing it in place without moving any other byte.
 *
 * A logical line is a physical line and the indented ones after it; comment and blank lines do not
 * end it and are no part of its value. Of several lines for one name the last wins (postconf(5)).
 */
#ifndef MR_POSTFIX_MAINCF_H
#define MR_POSTFIX_MAINCF_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"

struct mr_maincf_entry {
	mr_str name;
	mr_str value;       /* normal form, as postconf -n shows it: words joined by one blank */
	size_t start;       /* offset of its first physical line */
	size_t value_start; /* offset behind "name =" and the blanks that follow it on that line */
	size_t end;         /* behind the line end of its last physical line */
};

struct mr_maincf {
	mr_str text;
	struct mr_arena arena;
	MR_VEC(struct mr_maincf_entry) entries; /* in file order */
};

/* text must outlive *out. MR_E_INVALID and *out_line (from 1) when Postfix could not read it
 * either: a line without '=', a NUL byte. *out can be released in any case. */
MR_CHECK int mr_maincf_parse(mr_str text, struct mr_maincf *out, size_t *out_line);
void mr_maincf_done(struct mr_maincf *maincf);

/* The value in force, or NULL when the file does not set it. */
const struct mr_maincf_entry *mr_maincf_find(const struct mr_maincf *maincf, mr_str name);

/* The text with the parameter set to value in all its lines, or with a line appended when there is
 * none; value.data == NULL takes its lines out. Comment lines inside a replaced value stay, below
 * it. */
void mr_maincf_edit(const struct mr_maincf *maincf, mr_str name, mr_str value, struct mr_buf *out);

/* Words joined by one blank. */
mr_str mr_maincf_normal(struct mr_arena *arena, mr_str value);

#endif
