/*
 * Staging and making changes live.
 *
 * Row changes of lmdb tables are made in place. Everything else is a flip: a complete next
 * generation and a new main.cf are built aside and one rename of main.cf makes them live together.
 */
#ifndef MR_POSTFIX_APPLY_H
#define MR_POSTFIX_APPLY_H

#include "postfix/backend.h"

struct mr_postfix_shape {
	bool has_main; /* parameters change */
	bool has_rows;
	bool needs_generation; /* rows change that cannot be changed in place */
	bool needs_reload;
	bool needs_restart;
};
/* What a set of changes amounts to. */
void mr_postfix_shape_of(struct mr_backend *backend, const struct mr_change *const *changes,
        size_t n, struct mr_postfix_shape *out);

MR_CHECK int mr_postfix_stage(struct mr_backend *backend, const struct mr_change *const *changes,
        size_t n, const char *work_directory);
MR_CHECK int mr_postfix_apply(struct mr_backend *backend, const struct mr_change *const *changes,
        size_t n, const char *work_directory, bool is_undo);
MR_CHECK int mr_postfix_finish(
        struct mr_backend *backend, const char *work_directory, bool was_applied);

#endif
