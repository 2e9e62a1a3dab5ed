/*
 * Digests: SHA-256 over canonical bytes, and keyed fingerprints (HMAC-like, keyed BLAKE2b-256) for
 * secrets.
 */
#ifndef MR_BASE_DIGEST_H
#define MR_BASE_DIGEST_H

#include "base/buf.h"
#include "base/str.h"

#include <stdint.h>

struct mr_digest {
	uint8_t bytes[32];
};

struct mr_hash {
	uint64_t opaque[32]; /* holds libsodium's SHA-256 state; mr_hash.c asserts that it fits */
};

void mr_hash_init(struct mr_hash *hash);
void mr_hash_add(struct mr_hash *hash, mr_str bytes);
/* Adds the size first, so that ("ab","c") and ("a","bc") differ. */
void mr_hash_add_sized(struct mr_hash *hash, mr_str bytes);
struct mr_digest mr_hash_final(struct mr_hash *hash);
struct mr_digest mr_digest_of(mr_str bytes);
struct mr_digest mr_digest_keyed(mr_str bytes, const uint8_t key[32]);
/* HMAC-SHA-256 (RFC 2104), with a key of any size. */
struct mr_digest mr_digest_hmac(mr_str bytes, mr_str key);
bool mr_digest_eq(const struct mr_digest *a, const struct mr_digest *b);
/* 64 hex digits. */
void mr_digest_format(const struct mr_digest *digest, struct mr_buf *out);

#endif
