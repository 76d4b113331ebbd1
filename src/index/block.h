/* The cursor over a block, for those who must not pay for a call: what image.h declares is enough
 * for all others.
 * SPDX-License-Identifier: BSD-2-Clause
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

/* What 12 bits tell of a key whose shape begins with them, if its tuple's code ends within them
 * too:
 *
 *   bits 0-4    how many bits to step over, for the next key
 *   bit 5       the tuple's code stands there: it is not that of the key before
 *   bits 6-10   octets shared past the prefix
 *   bits 11-14  symbols
 *   bit 15      the tuple's code goes on: bits 0-4 are those of the shape alone
 *
 * All bits: it takes more to tell. */
enum {
	LD_JOIN_STEP = 0x1f,
	LD_JOIN_CHANGED = 1 << 5,
	LD_JOIN_SHARED = 6,
	LD_JOIN_SYMBOLS = 11,
	LD_JOIN_LONG = 1 << 15,
	LD_JOIN_RARE = 0xffff,
};

/** How a key joins on, told in full. */
struct ld_join {
	uint32_t shape_bits, step, shared, symbols;
	bool changed;
};

/** From the bits of its shape.  False: there is none such. */
bool ld_join_read(const struct ld_image *image, uint64_t bit, struct ld_join *ret);

/** What the table of joins has for these 12 bits. */
uint16_t ld_join_entry(const struct ld_image *image, uint32_t bits);

/** Bits of the tuple's code that begins here, with its raw bits. */
static inline uint32_t
ld_tuple_bits(const struct ld_image *image, uint64_t bits)
{
	uint32_t entry = image->tuples.table[bits & 0xfff];

	return (entry & 15) + (entry >> 4 == image->coded_tuples && entry != 0 ? 16 : 0);
}

/** The next key of a half; ret->lcp is without the prefix.  False at the end, or where it is
 * damaged. Inlined into the search, where the half then lives in registers. */
static inline __attribute__((always_inline)) bool
ld_half_step(struct ld_half *half, const struct ld_image *image, struct ld_stored *ret)
{
	if (half->left == 0 || __builtin_expect(half->bit > half->end, 0))
		return false;
	uint64_t bits = ld_block_bits(image, half->bit);
	uint32_t entry = image->joins[bits & 0xfff];
	uint64_t step = entry & LD_JOIN_STEP, symbols = entry >> LD_JOIN_SYMBOLS;
	bool changed = (entry & LD_JOIN_CHANGED) != 0;

	ret->lcp = entry >> LD_JOIN_SHARED & 31;
	if (__builtin_expect(entry >= LD_JOIN_LONG, 0)) {
		struct ld_join join;

		if (entry != LD_JOIN_RARE) {
			symbols &= 15;
			step += ld_tuple_bits(image, bits >> step);
		} else if (ld_join_read(image, half->bit, &join)) {
			step = join.step;
			changed = join.changed;
			symbols = join.symbols;
			ret->lcp = join.shared;
		} else {
			return false;
		}
	}
	/* Without a branch: whether the tuple changes cannot be foretold. */
	half->tuple_from = changed ? half->bit : half->tuple_from;
	half->bit += step;
	half->left--;
	ret->top = half->symbol_bit;
	symbols *= LD_INDEX_CODE_BITS;
	if (__builtin_expect(symbols > half->symbol_bit - half->start, 0))
		return false;
	half->symbol_bit -= symbols;
	ret->floor = half->symbol_bit;
	return true;
}

/** The code of the symbol that ends (begins, read backwards) at `top`: < symbol_count, or the
 * dictionary has none such. */
static inline uint32_t
ld_symbol_code(const struct ld_image *image, uint64_t top)
{
	return ld_block_bits(image, top - LD_INDEX_CODE_BITS) & 0xfff;
}

/** The tuple of the key whose shape stands here: < tuple_count always. */
uint32_t ld_tuple_at(const struct ld_image *image, uint64_t bit);

/** The second half of a block whose first one is at hand. */
static inline struct ld_half
ld_half_second(const struct ld_block *block)
{
	return (struct ld_half){
		.start = block->half.end,
		.bit = block->half.end,
		.end = block->second_end,
		.symbol_bit = block->second_end,
		.left = block->second,
	};
}

/** Where block `i` (< block_count) begins and ends, in bits. */
void ld_block_bounds(const struct ld_image *image, uint32_t i, uint64_t *ret_start,
		     uint64_t *ret_end);

/** Begin block `i`, which reaches from `start` to `end`. */
static inline struct ld_block
ld_block_at(const struct ld_image *image, uint32_t i, uint64_t start, uint64_t end)
{
	const uint8_t *bytes = image->sections[LD_SECTION_BLOCKS].data;
	uint64_t last = image->entry_count - (uint64_t)i * LD_INDEX_BLOCK_KEYS;
	uint32_t count = last < LD_INDEX_BLOCK_KEYS ? (uint32_t)last : LD_INDEX_BLOCK_KEYS;
	/* One octet, or 255 and three more. */
	uint32_t first_len = bytes[start / 8];
	uint64_t middle = start + 8;

	if (__builtin_expect(first_len == 255, 0)) {
		first_len = ld_get_le32(bytes + start / 8) >> 8;
		middle += 24;
	}
	struct ld_block block = {
		.image = image,
		.half = {.start = middle,
			 .bit = middle,
			 .left = count < LD_INDEX_HALF_KEYS ? count : LD_INDEX_HALF_KEYS},
		.prefix = UINT32_MAX,
	};
	middle += (uint64_t)first_len * 8;
	block.half.end = block.half.symbol_bit = middle < end ? middle : end;
	block.second = count - block.half.left;
	block.second_end = end;
	return block;
}

#endif
