/*
 * Of several files the one that was written last: where a foreign change most likely stands.
 */
#ifndef MR_FILESET_NEWEST_H
#define MR_FILESET_NEWEST_H

#include "provider/provider.h"

struct mr_fileset_newest {
	struct mr_arena *arena;
	mr_str path;
	int64_t mtime;
	unsigned uid;
};

/* Files that are not there do not count. */
void mr_fileset_newest_add(struct mr_fileset_newest *newest, const char *path);
/* Fills *out unless that file may be as our own last apply left it. */
void mr_fileset_newest_trace(
        const struct mr_fileset_newest *newest, int64_t applied_at, struct mr_trace *out);

#endif
