/*
 * What was said: diagnostics of attempts that may yet turn out not to matter.
 */
#ifndef MR_APPLY_SAID_H
#define MR_APPLY_SAID_H

#include "base/diag.h"

/* Forgets what was said after the first mark diagnostics: an attempt that is made again. */
void mr_said_rewind(struct mr_diags *diags, size_t mark);
/* Turns errors after mark into warnings: faults that were there before. */
void mr_said_soften(struct mr_diags *diags, size_t mark);
/* The text of the first error after mark, or the empty view. */
mr_str mr_said_first(const struct mr_diags *diags, size_t mark);

/* For a failure that was reported, or does not matter, and after which there is nothing else to do.
 */
static inline void mr_said_enough(int code)
{
	(void)code;
}

#endif
