/*
 * Growing arrays: the one function behind the macros.
 */
#include "base/vec.h"

#include "base/arena.h"

void *mr_vec_grow(void *items, size_t n, size_t *capacity, size_t item_size)
{
	if (n < *capacity)
		return items;
	if (__builtin_mul_overflow(*capacity, (size_t)2, capacity))
		abort();
	if (*capacity < 8)
		*capacity = 8;
	return mr_xrealloc(items, *capacity, item_size);
}
