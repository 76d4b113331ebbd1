/* Memory by lifetime: many small things that die together.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Not for several threads at once. */
#ifndef LD_BASE_ARENA_H
#define LD_BASE_ARENA_H

#include <stddef.h>

#include "base/span.h"

struct ld_arena_block;

struct ld_arena {
	struct ld_arena_block *newest;
	size_t used_bytes; /* in all blocks, what was asked for */
	size_t limit_bytes;
};

/** An empty arena that refuses to grow past `limit_bytes`. */
void ld_arena_init(struct ld_arena *arena, size_t limit_bytes);

/** Memory for `size` bytes, zeroed, aligned for any type; NULL without memory or at the limit. */
void *ld_arena_alloc(struct ld_arena *arena, size_t size) __attribute__((malloc));

/** A copy of the span's bytes with a NUL behind them (not counted); data is NULL if it fails. */
struct ld_span ld_arena_copy(struct ld_arena *arena, struct ld_span bytes);

/** Give everything back; the arena is empty and may be used again. */
void ld_arena_clear(struct ld_arena *arena);

#endif
