/*
 * Keys that were seen in the mappings of one file, to find those that stand twice.
 */
#ifndef MR_SOURCE_SEEN_H
#define MR_SOURCE_SEEN_H

#include "base/str.h"

#include <stdint.h>

struct mr_seen_key;

/* One table for all mappings: a mapping is a number. Zeroed is empty. */
struct mr_seen {
	struct mr_seen_key *keys;
	size_t n, capacity;
};

void mr_seen_done(struct mr_seen *seen);
/* The line where the mapping had this key already, or 0 and it is noted. */
uint32_t mr_seen_add(struct mr_seen *seen, uint64_t mapping, mr_str key, uint32_t line);

#endif
