/* The cursor over a block, for those who must not pay for a call: what image.h declares is enough
 * for all others. SPDX-License-Identifier: BSD-2-Clause
 *
 * Libc only (part of liblindung). */
#ifndef LD_INDEX_BLOCK_H
#define LD_INDEX_BLOCK_H

#include "index/image.h"

/* 57 bits or more from `bit` on. The section ends with LD_INDEX_PAD_BYTES, and bit <= its end. */
static inline uint64_t
ld_block_bits(const struct ld_image *image, uint64_t bit)
{
	return ld_get_le64(image->sections[LD_SECTION_BLOCKS].data + (bit >> 3)) >> (bit & 7);
}

/** What a shape of more than the usual size says in further bits. Returns the bits used. */
unsigned ld_shape_special(uint64_t bits, unsigned used, unsigned *shape, uint32_t *shared,
			  uint32_t *symbols);

/* The next key.  Inlined into the search, where the block then lives in registers. */
static inline __attribute__((always_inline)) bool
ld_block_step(struct ld_block *block, const struct ld_image *image, struct ld_stored *ret)
{
	if (block->left == 0 ||
	    __builtin_expect(block->bit > block->end || block->end < block->start, 0))
		return false;
	uint64_t bits = ld_block_bits(image, block->bit);
	unsigned entry = image->shapes.table[bits & 0xfff];
	unsigned shape = entry >> 4, used = entry & 15;
	uint32_t shared = shape >> 1 & 31, symbols = shape >> 6;

	if (__builtin_expect(shared == LD_SHAPE_LCP_ESCAPE || symbols >= LD_SHAPE_COUNT_ESCAPE, 0))
		used = ld_shape_special(bits, used, &shape, &shared, &symbols);
	/* Of 57 bits the special ones use 46 at most; too few may be left for a tuple's code. */
	uint64_t at = block->bit + used;
	bits = __builtin_expect(used > 12, 0) ? ld_block_bits(image, at) : bits >> used;
	/* A tuple's code, to be stepped over unless the shape says that there is none. */
	uint64_t changed = (uint64_t)(shape & 1) - 1;

	/* Without a branch: whether it changed cannot be foretold. */
	block->tuple_bit = (at & changed) | (block->tuple_bit & ~changed);
	block->bit = at + (image->tuple_bits[bits & 0xfff] & changed);
	block->left--;
	ret->symbols = symbols;
	ret->bit = block->symbol_bit;
	uint64_t need = (uint64_t)symbols * LD_INDEX_CODE_BITS;
	if (__builtin_expect(entry == 0 || need > block->symbol_bit - block->start, 0))
		return false;
	block->symbol_bit -= need;
	if (__builtin_expect(block->prefix == UINT32_MAX, 0)) {
		block->prefix = shared;
		shared = 0;
		ret->lcp = 0;
	} else {
		ret->lcp = block->prefix + shared;
	}
	return true;
}

/* Code number `i` of a stored key: < symbol_count, or the dictionary has none such. */
static inline uint32_t
ld_symbol_code(const struct ld_image *image, const struct ld_stored *stored, uint32_t i)
{
	return ld_block_bits(image, stored->bit - (uint64_t)(i + 1) * LD_INDEX_CODE_BITS) & 0xfff;
}

/** Where block `i` begins, in bits; for block_count, where the last one ends. */
uint64_t ld_block_start(const struct ld_image *image, uint32_t i);

/** Begin block `i`, which reaches from `start` to `end`. */
struct ld_block ld_block_at(const struct ld_image *image, uint32_t i, uint64_t start, uint64_t end);

#endif
