/*
 * Located diagnostics: everything the program has to say about what is wrong, in one sortable list.
 *
 * Text follows the message rules: lower case, no full stop; what failed first, its subject in
 * single quotes, then the reason; what to do about it goes into the hint. Never a secret.
 */
#ifndef MR_BASE_DIAG_H
#define MR_BASE_DIAG_H

#include "base/arena.h"
#include "base/error.h"
#include "base/vec.h"

#include <stdint.h>

/* A place in the desired state. line and column count from 1; 0 means not known; empty path: none.
 */
struct mr_loc {
	mr_str path;
	uint32_t line;
	uint32_t column;
};

enum mr_severity { MR_ERROR, MR_WARNING, MR_NOTE };

struct mr_diag {
	enum mr_severity severity;
	mr_str rule; /* "MR-YAML-ANCHOR"; empty when it is no rule of the language */
	struct mr_loc loc;
	mr_str object; /* "user/alice@example.org"; may be empty */
	mr_str text;
	mr_str hint; /* may be empty */
};

/* Owns copies of everything that is added. */
struct mr_diags {
	struct mr_arena arena;
	MR_VEC(struct mr_diag) list;
	size_t n_errors;
	size_t n_warnings;
};

void mr_diags_init(struct mr_diags *diags);
void mr_diags_done(struct mr_diags *diags);
void mr_diags_clear(struct mr_diags *diags);

/* Adds a copy of *diag. */
void mr_diags_add(struct mr_diags *diags, const struct mr_diag *diag);
/* The common case: an error or warning of a rule at a place. hint may be NULL. loc may be NULL. */
void mr_diags_at(struct mr_diags *diags, enum mr_severity severity, const char *rule,
        const struct mr_loc *loc, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Sets the hint / object of the diagnostic that was added last. */
void mr_diags_hint(struct mr_diags *diags, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
void mr_diags_object(struct mr_diags *diags, mr_str object);

/* Adds an error without a place and returns code: return mr_fail(diags, MR_E_CONFIG, "…"). */
int mr_fail(struct mr_diags *diags, int code, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* By path, line, column, severity; stable. Those without a path come first. Drops exact
 * repetitions. */
void mr_diags_sort(struct mr_diags *diags);

/* "FILE:LINE:COLUMN: error: TEXT [RULE-ID]  (hint: …)" without line end; control characters made
 * harmless. */
struct mr_buf;
void mr_diag_format(const struct mr_diag *diag, struct mr_buf *out);
/* Of that "FILE:LINE:COLUMN: "; nothing when it has no place. */
void mr_diag_format_place(const struct mr_diag *diag, struct mr_buf *out);

#endif
