/*
 * Generations: directories that hold one complete set of our tables.
 */
#ifndef MR_POSTFIX_GENERATION_H
#define MR_POSTFIX_GENERATION_H

#include "postfix/backend.h"

/* Builds CONFIG_DIRECTORY/mailreeve/gen-N, N one above all that are there: every table that is
 * desired, or live and still named by the staged main.cf, with the live rows as changed. Row counts
 * are read back. *out_path is empty when there is nothing to hold. */
MR_CHECK int mr_postfix_build_generation(struct mr_backend *backend,
        const struct mr_change *const *changes, size_t n, const struct mr_maincf *staged,
        mr_str *out_path);
/* Removes generations but the live one, keep (may be empty), and those that a process still holds
 * open. */
MR_CHECK int mr_postfix_sweep_generations(struct mr_backend *backend, mr_str keep);

#endif
