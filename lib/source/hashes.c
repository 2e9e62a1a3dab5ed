/*
 * The set of hashes. SipHash-2-4 with a key of this process.
 */
#include "source/hashes.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/arena.h"

static uint64_t rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static uint64_t load64(const char *data)
{
	uint64_t word;

	memcpy(&word, data, sizeof word);
	return word;
}

static void rounds(uint64_t v[4], unsigned n)
{
	while (n--) {
		v[0] += v[1];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[0] = rotate(v[0], 32);
		v[2] += v[3];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[2] = rotate(v[2], 32);
	}
}

/* The process's key, made at first use. */
static const uint64_t *process_key(void)
{
	static uint64_t key[2];

	if (!key[0] && getrandom(key, sizeof key, 0) != (ssize_t)sizeof key)
		key[0] = 1;
	key[0] |= 1;
	return key;
}

uint64_t mr_hash_text(mr_str text)
{
	const uint64_t *key = process_key();
	uint64_t v[4] = {key[0] ^ 0x736f6d6570736575U, key[1] ^ 0x646f72616e646f6dU,
	        key[0] ^ 0x6c7967656e657261U, key[1] ^ 0x7465646279746573U};
	uint64_t last = (uint64_t)text.size << 56;
	size_t at = 0;

	for (; at + 8 <= text.size; at += 8) {
		uint64_t word = load64(text.data + at);

		v[3] ^= word;
		rounds(v, 2);
		v[0] ^= word;
	}
	for (unsigned i = 0; at < text.size; at++, i += 8)
		last |= (uint64_t)(unsigned char)text.data[at] << i;
	v[3] ^= last;
	rounds(v, 2);
	v[0] ^= last;
	v[2] ^= 0xFF;
	rounds(v, 4);
	last = v[0] ^ v[1] ^ v[2] ^ v[3];
	return last ? last : 1;
}

void mr_hashes_done(struct mr_hashes *set)
{
	free(set->slots);
	*set = (struct mr_hashes){0};
}

static size_t slot_of(const struct mr_hashes *set, uint64_t hash)
{
	size_t slot = hash & (set->capacity - 1);

	while (set->slots[slot] && set->slots[slot] != hash)
		slot = (slot + 1) & (set->capacity - 1);
	return slot;
}

static void grow(struct mr_hashes *set)
{
	struct mr_hashes bigger = {
	        .capacity = set->capacity ? set->capacity * 2 : 1024, .n = set->n};

	bigger.slots = mr_xrealloc(NULL, bigger.capacity, sizeof *bigger.slots);
	memset(bigger.slots, 0, bigger.capacity * sizeof *bigger.slots);
	for (size_t i = 0; i < set->capacity; i++)
		if (set->slots[i])
			bigger.slots[slot_of(&bigger, set->slots[i])] = set->slots[i];
	free(set->slots);
	*set = bigger;
}

bool mr_hashes_add(struct mr_hashes *set, uint64_t hash)
{
	size_t slot;

	if ((set->n + 1) * 4 >= set->capacity * 3)
		grow(set);
	slot = slot_of(set, hash);
	if (set->slots[slot])
		return false;
	set->slots[slot] = hash;
	set->n++;
	return true;
}

bool mr_hashes_has(const struct mr_hashes *set, uint64_t hash)
{
	return set->capacity && set->slots[slot_of(set, hash)];
}
