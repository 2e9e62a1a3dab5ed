/*
 * A compact set of texts: 64-bit keyed hashes in open addressing, eight bytes a text at half load.
 */
#ifndef MR_SOURCE_HASHES_H
#define MR_SOURCE_HASHES_H

#include "base/str.h"

#include <stdint.h>

struct mr_hashes {
	uint64_t *slots; /* 0: free */
	size_t n, capacity;
};

/* Never 0. The same text always gives the same hash within a process; nobody outside can make two
 * texts meet. */
uint64_t mr_hash_text(mr_str text);
void mr_hashes_done(struct mr_hashes *set);
/* False when it was in the set already. */
bool mr_hashes_add(struct mr_hashes *set, uint64_t hash);
bool mr_hashes_has(const struct mr_hashes *set, uint64_t hash);

#endif
