/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)64 * 1024)

struct ld_arena_block {
	struct ld_arena_block *older;
	size_t size;
	size_t used;
	alignas(max_align_t) uint8_t data[];
};

void
ld_arena_init(struct ld_arena *arena, size_t limit_bytes)
{
	*arena = (struct ld_arena){.limit_bytes = limit_bytes};
}

static struct ld_arena_block *
block_add(struct ld_arena *arena, size_t size)
{
	struct ld_arena_block *block = malloc(sizeof *block + size);

	if (block == NULL)
		return NULL;
	block->older = arena->newest;
	block->size = size;
	block->used = 0;
	arena->newest = block;
	return block;
}

void *
ld_arena_alloc(struct ld_arena *arena, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct ld_arena_block *block = arena->newest;
	void *memory;

	if (size > arena->limit_bytes - arena->used_bytes)
		return NULL;
	size_t rounded = (size + align - 1) / align * align;
	if (rounded < size)
		return NULL;
	if (block == NULL || block->size - block->used < rounded) {
		block = block_add(arena, rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES);
		if (block == NULL)
			return NULL;
	}
	memory = block->data + block->used;
	block->used += rounded;
	arena->used_bytes += size;
	memset(memory, 0, size);
	return memory;
}

struct ld_span
ld_arena_copy(struct ld_arena *arena, struct ld_span bytes)
{
	uint8_t *copy = ld_arena_alloc(arena, bytes.len + 1);

	if (copy == NULL)
		return (struct ld_span){NULL, 0};
	if (bytes.len != 0)
		memcpy(copy, bytes.data, bytes.len);
	return ld_span(copy, bytes.len);
}

void
ld_arena_clear(struct ld_arena *arena)
{
	while (arena->newest != NULL) {
		struct ld_arena_block *older = arena->newest->older;

		free(arena->newest);
		arena->newest = older;
	}
	arena->used_bytes = 0;
}
