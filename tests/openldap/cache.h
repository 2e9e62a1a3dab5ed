/*
 * A cache in memory, for tests of what is kept between runs.
 */
#ifndef TESTS_OPENLDAP_CACHE_H
#define TESTS_OPENLDAP_CACHE_H

#include "declared.h"

struct kept {
	mr_str name, value;
};

struct memory_cache {
	struct mr_cache face;
	struct mr_arena arena;
	struct kept values[32];
	size_t n_values;
	/* one mirror is enough */
	mr_str space, stamp, open_space;
	MR_VEC(struct kept) pending;
	MR_VEC(struct kept) rows;
	size_t n_scans, n_updates;
};

static inline bool memory_get(
        struct mr_cache *face, mr_str name, struct mr_arena *arena, mr_str *out)
{
	struct memory_cache *cache = face->state;

	for (size_t i = cache->n_values; i-- > 0;) {
		if (!mr_str_eq(cache->values[i].name, name))
			continue;
		*out = mr_str_copy(arena, cache->values[i].value);
		return true;
	}
	return false;
}

static inline void memory_put(struct mr_cache *face, mr_str name, mr_str value)
{
	struct memory_cache *cache = face->state;

	assert_true(cache->n_values < 32);
	cache->values[cache->n_values++] =
	        (struct kept){mr_str_copy(&cache->arena, name), mr_str_copy(&cache->arena, value)};
}

static inline int memory_begin(struct mr_cache *face, mr_str space, bool is_update)
{
	struct memory_cache *cache = face->state;

	assert_null(cache->open_space.data);
	cache->open_space = mr_str_copy(&cache->arena, space);
	cache->pending.n = 0;
	for (size_t i = 0; is_update && i < cache->rows.n; i++)
		mr_vec_push(&cache->pending, cache->rows.items[i]);
	cache->n_updates += is_update;
	cache->n_scans += !is_update;
	return 0;
}

static inline int memory_remove(struct mr_cache *face, mr_str key)
{
	struct memory_cache *cache = face->state;
	size_t n = 0;

	for (size_t i = 0; i < cache->pending.n; i++)
		if (!mr_str_eq(cache->pending.items[i].name, key))
			cache->pending.items[n++] = cache->pending.items[i];
	cache->pending.n = n;
	return 0;
}

static inline int memory_add(struct mr_cache *face, mr_str key, mr_str body)
{
	struct memory_cache *cache = face->state;

	assert_int_equal(memory_remove(face, key), 0);
	mr_vec_push(&cache->pending,
	        (struct kept){mr_str_copy(&cache->arena, key), mr_str_copy(&cache->arena, body)});
	return 0;
}

static inline void memory_abort(struct mr_cache *face)
{
	struct memory_cache *cache = face->state;

	cache->open_space = (mr_str){0};
}

static inline int memory_commit(struct mr_cache *face, mr_str stamp)
{
	struct memory_cache *cache = face->state;

	cache->rows.n = 0;
	mr_vec_each (row, &cache->pending) {
		mr_vec_push(&cache->rows, *row);
	}
	cache->space = cache->open_space;
	cache->open_space = (mr_str){0};
	cache->stamp = mr_str_copy(&cache->arena, stamp);
	return 0;
}

static inline bool memory_stamp(
        struct mr_cache *face, mr_str space, struct mr_arena *arena, mr_str *out)
{
	struct memory_cache *cache = face->state;

	if (!cache->space.data || !mr_str_eq(cache->space, space))
		return false;
	*out = mr_str_copy(arena, cache->stamp);
	return true;
}

static inline int memory_read(struct mr_cache *face, mr_str space, struct mr_cursor *out)
{
	struct memory_cache *cache = face->state;
	struct mr_sorter *sorter = mr_sorter_new();

	assert_true(mr_str_eq(cache->space, space));
	mr_vec_each (row, &cache->rows) {
		struct mr_item item = {.key = row->name, .body = row->value};

		mr_sorter_add(sorter, &item);
	}
	return mr_sorter_cursor(sorter, out, NULL);
}

static inline void memory_cache_init(struct memory_cache *cache)
{
	memset(cache, 0, sizeof *cache);
	mr_arena_init(&cache->arena);
	cache->face = (struct mr_cache){.get = memory_get,
	        .put = memory_put,
	        .mirror_begin = memory_begin,
	        .mirror_put = memory_add,
	        .mirror_remove = memory_remove,
	        .mirror_commit = memory_commit,
	        .mirror_abort = memory_abort,
	        .mirror_stamp = memory_stamp,
	        .mirror_read = memory_read,
	        .state = cache};
}

static inline void memory_cache_done(struct memory_cache *cache)
{
	mr_vec_done(&cache->rows);
	mr_vec_done(&cache->pending);
	mr_arena_done(&cache->arena);
}

#endif
