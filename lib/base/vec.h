/*
 * Growing arrays. MR_VEC(struct mr_x) names the type; storage is the caller's, released by
 * mr_vec_done.
 */
#ifndef MR_BASE_VEC_H
#define MR_BASE_VEC_H

#include <stddef.h>
#include <stdlib.h>

#define MR_VEC(type)                                                                               \
	struct {                                                                                   \
		type *items;                                                                       \
		size_t n;                                                                          \
		size_t capacity;                                                                   \
	}

/* Room for one more; returns the new items pointer. Aborts when memory is out. */
void *mr_vec_grow(void *items, size_t n, size_t *capacity, size_t item_size);

#define mr_vec_push(vec, ...)                                                                      \
	((vec)->items = mr_vec_grow(                                                               \
	         (vec)->items, (vec)->n, &(vec)->capacity, sizeof *(vec)->items),                  \
	        (vec)->items[(vec)->n++] = (__VA_ARGS__))
#define mr_vec_done(vec) (free((vec)->items), (vec)->items = NULL, (vec)->n = (vec)->capacity = 0)
#define mr_vec_each(item, vec)                                                                     \
	for (__typeof__(*(vec)->items) *item = (vec)->items;                                       \
	        (vec)->n > 0 && (item) < (vec)->items + (vec)->n; (item)++)

#endif
