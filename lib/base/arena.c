/*
 * Arenas: a chain of blocks, the newest first; allocation moves a pointer.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT           _Alignof(max_align_t)
#define FIRST_BLOCK_BYTES   ((size_t)4096)
#define LARGEST_BLOCK_BYTES ((size_t)1 << 20)

struct mr_arena_block {
	struct mr_arena_block *older;
	size_t capacity;
	size_t used;
	_Alignas(max_align_t) char data[];
};

static struct mr_arena_block *block_new(struct mr_arena *arena, size_t size)
{
	size_t capacity = arena->head ? arena->head->capacity * 2 : FIRST_BLOCK_BYTES;
	struct mr_arena_block *block;

	if (capacity > LARGEST_BLOCK_BYTES)
		capacity = LARGEST_BLOCK_BYTES;
	if (capacity < size)
		capacity = size;
	/* calloc: fresh pages come zeroed from the kernel, so that large blocks are not written
	 * twice */
	block = calloc(1, sizeof *block + capacity);
	if (!block)
		abort();
	block->capacity = capacity;
	block->older = arena->head;
	arena->head = block;
	return block;
}

void mr_arena_init(struct mr_arena *arena)
{
	*arena = (struct mr_arena)MR_ARENA_INIT;
}

void mr_arena_done(struct mr_arena *arena)
{
	while (arena->head) {
		struct mr_arena_block *older = arena->head->older;

		free(arena->head);
		arena->head = older;
	}
	arena->used_bytes = 0;
}

void mr_arena_reset(struct mr_arena *arena)
{
	struct mr_arena_block *kept = arena->head;

	if (!kept)
		return;
	arena->head = kept->older;
	mr_arena_done(arena);
	memset(kept->data, 0, kept->used);
	kept->older = NULL;
	kept->used = 0;
	arena->head = kept;
}

void *mr_alloc(struct mr_arena *arena, size_t size)
{
	struct mr_arena_block *block = arena->head;
	void *memory;

	if (size > SIZE_MAX / 2)
		abort();
	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (!block || block->capacity - block->used < size)
		block = block_new(arena, size);
	memory = block->data + block->used;
	block->used += size;
	arena->used_bytes += size;
	return memory;
}

void *mr_alloc_n(struct mr_arena *arena, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		abort();
	return mr_alloc(arena, total);
}

mr_str mr_str_copy(struct mr_arena *arena, mr_str s)
{
	char *copy = mr_alloc(arena, s.size + 1);

	if (s.size)
		memcpy(copy, s.data, s.size);
	return (mr_str){copy, s.size};
}

mr_str mr_str_printf(struct mr_arena *arena, const char *format, ...)
{
	va_list arguments;
	int size;
	char *text;

	va_start(arguments, format);
	size = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (size < 0)
		abort();
	text = mr_alloc(arena, (size_t)size + 1);
	va_start(arguments, format);
	(void)vsnprintf(text, (size_t)size + 1, format, arguments);
	va_end(arguments);
	return (mr_str){text, (size_t)size};
}

void *mr_xrealloc(void *old, size_t n, size_t size)
{
	size_t total;
	void *memory;

	if (__builtin_mul_overflow(n, size, &total))
		abort();
	memory = realloc(old, total ? total : 1);
	if (!memory)
		abort();
	return memory;
}
