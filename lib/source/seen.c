/*
 * Seen keys by a keyed hash over mapping and key, in open addressing.
 */
#include "source/seen.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "source/hashes.h"

struct mr_seen_key {
	uint64_t hash; /* 0: free */
	uint32_t line;
};

void mr_seen_done(struct mr_seen *seen)
{
	free(seen->keys);
	*seen = (struct mr_seen){0};
}

static size_t slot_of(const struct mr_seen *seen, uint64_t hash)
{
	size_t slot = hash & (seen->capacity - 1);

	while (seen->keys[slot].hash && seen->keys[slot].hash != hash)
		slot = (slot + 1) & (seen->capacity - 1);
	return slot;
}

static void grow(struct mr_seen *seen)
{
	struct mr_seen bigger = {
	        .n = seen->n, .capacity = seen->capacity ? seen->capacity * 2 : 256};

	bigger.keys = mr_xrealloc(NULL, bigger.capacity, sizeof *bigger.keys);
	memset(bigger.keys, 0, bigger.capacity * sizeof *bigger.keys);
	for (size_t i = 0; i < seen->capacity; i++)
		if (seen->keys[i].hash)
			bigger.keys[slot_of(&bigger, seen->keys[i].hash)] = seen->keys[i];
	free(seen->keys);
	*seen = bigger;
}

uint32_t mr_seen_add(struct mr_seen *seen, uint64_t mapping, mr_str key, uint32_t line)
{
	/* The number is spread by an odd constant, which is a bijection: two mappings never meet by
	 * it alone. */
	uint64_t hash = mr_hash_text(key) ^ mapping * 0x9e3779b97f4a7c15U;
	size_t slot;

	hash = hash ? hash : 1;
	if (seen->n * 2 >= seen->capacity)
		grow(seen);
	slot = slot_of(seen, hash);
	if (seen->keys[slot].hash)
		return seen->keys[slot].line;
	seen->keys[slot] = (struct mr_seen_key){hash, line};
	seen->n++;
	return 0;
}
