/*
 * Arenas: memory with one lifetime. What is allocated together is released together.
 *
 * Allocation cannot fail: when memory is out the process is ended by abort(), which every state
 * change of this program survives (docs/architecture.md, "Crash safety").
 */
#ifndef MR_BASE_ARENA_H
#define MR_BASE_ARENA_H

#include "base/str.h"

#include <stdint.h>

struct mr_arena_block;

struct mr_arena {
	struct mr_arena_block *head;
	size_t used_bytes;
};

#define MR_ARENA_INIT                                                                              \
	{                                                                                          \
		0                                                                                  \
	}
#define MR_DONE(type) __attribute__((cleanup(mr_##type##_done)))

void mr_arena_init(struct mr_arena *arena);
void mr_arena_done(struct mr_arena *arena);
/* Releases everything but one block: cheap reuse in loops. */
void mr_arena_reset(struct mr_arena *arena);

/* Zeroed memory, aligned for any type. */
void *mr_alloc(struct mr_arena *arena, size_t size) __attribute__((malloc, returns_nonnull));
/* n * size with overflow check. */
void *mr_alloc_n(struct mr_arena *arena, size_t n, size_t size)
        __attribute__((malloc, returns_nonnull));
/* A copy of the bytes, NUL terminated behind the view's size. */
mr_str mr_str_copy(struct mr_arena *arena, mr_str s);
mr_str mr_str_printf(struct mr_arena *arena, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/* malloc/realloc that abort instead of failing, for the few owners outside an arena. */
void *mr_xrealloc(void *old, size_t n, size_t size);

#endif
