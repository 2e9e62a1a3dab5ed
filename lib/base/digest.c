/*
 * Digests by libsodium: SHA-256, and BLAKE2b-256 with a key.
 */
#include "base/digest.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(struct mr_hash), "the state fits");
static_assert(crypto_hash_sha256_BYTES == sizeof(struct mr_digest), "a digest is a SHA-256");

static crypto_hash_sha256_state *state_of(struct mr_hash *hash)
{
	return (crypto_hash_sha256_state *)(void *)hash->opaque;
}

void mr_hash_init(struct mr_hash *hash)
{
	(void)crypto_hash_sha256_init(state_of(hash));
}

void mr_hash_add(struct mr_hash *hash, mr_str bytes)
{
	(void)crypto_hash_sha256_update(
	        state_of(hash), (const unsigned char *)bytes.data, bytes.size);
}

void mr_hash_add_sized(struct mr_hash *hash, mr_str bytes)
{
	uint8_t size[8];

	for (size_t i = 0; i < sizeof size; i++)
		size[i] = (uint8_t)((uint64_t)bytes.size >> (8 * i));
	mr_hash_add(hash, (mr_str){(const char *)size, sizeof size});
	mr_hash_add(hash, bytes);
}

struct mr_digest mr_hash_final(struct mr_hash *hash)
{
	struct mr_digest digest;

	(void)crypto_hash_sha256_final(state_of(hash), digest.bytes);
	return digest;
}

struct mr_digest mr_digest_of(mr_str bytes)
{
	struct mr_hash hash;

	mr_hash_init(&hash);
	mr_hash_add(&hash, bytes);
	return mr_hash_final(&hash);
}

struct mr_digest mr_digest_keyed(mr_str bytes, const uint8_t key[32])
{
	struct mr_digest digest;

	if (crypto_generichash(digest.bytes, sizeof digest.bytes, (const unsigned char *)bytes.data,
	            bytes.size, key, 32) != 0)
		abort();
	return digest;
}

struct mr_digest mr_digest_hmac(mr_str bytes, mr_str key)
{
	crypto_auth_hmacsha256_state state;
	struct mr_digest digest;

	(void)crypto_auth_hmacsha256_init(&state, (const unsigned char *)key.data, key.size);
	(void)crypto_auth_hmacsha256_update(&state, (const unsigned char *)bytes.data, bytes.size);
	(void)crypto_auth_hmacsha256_final(&state, digest.bytes);
	sodium_memzero(&state, sizeof state);
	return digest;
}

bool mr_digest_eq(const struct mr_digest *a, const struct mr_digest *b)
{
	return sodium_memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void mr_digest_format(const struct mr_digest *digest, struct mr_buf *out)
{
	char *end = mr_buf_reserve(out, 2 * sizeof digest->bytes + 1);

	(void)sodium_bin2hex(
	        end, 2 * sizeof digest->bytes + 1, digest->bytes, sizeof digest->bytes);
	out->size += 2 * sizeof digest->bytes;
}
