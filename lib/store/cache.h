/*
 * What the two files of the cache share.
 */
#ifndef MR_STORE_CACHE_H
#define MR_STORE_CACHE_H

#include "store/private.h"

enum cache_statement {
	CACHE_BOOT_GET,
	CACHE_BOOT_SET,
	CACHE_GET,
	CACHE_PUT,
	CACHE_SPACE_FIND,
	CACHE_SPACE_SET,
	CACHE_MIRROR_CLEAR,
	CACHE_MIRROR_PUT,
	CACHE_MIRROR_REMOVE,
	CACHE_STATEMENT_COUNT
};

struct cache {
	struct mr_sql sql;
	char *path;        /* NULL: a temporary one */
	mr_str space_name; /* of the mirror being written */
	int64_t space;
};

/* NULL: the cache is of no use. */
sqlite3_stmt *mr_cache_statement(struct cache *cache, enum cache_statement number);
/* After a failed call: goes on with an empty temporary cache. What the file holds is removed when
 * damaged. */
void mr_cache_give_up(struct cache *cache);
/* Fills in the functions of cache_mirror.c. */
void mr_cache_add_mirrors(struct mr_cache *face);

#endif
