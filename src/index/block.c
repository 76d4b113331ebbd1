/* Keys in blocks: the cursor over a block.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A block has two halves, and before them how many octets the first one takes.  The first key of
 * the second half joins on to the first key of the block, so that a search can tell from it in
 * which half to look.
 *
 * From the start of a half, least significant bit of each octet first, for each key: its shape
 * (the block's first key's "octets shared" says how long the prefix of the whole block is), then
 * the code of its tuple unless the shape says "same tuple".  From the end of the half backwards:
 * the symbols of all keys, 12 bits each.  So a search steps from shape to shape without looking at
 * symbols, and the two chains of dependent loads run side by side. */
#include "index/block.h"

/* Where block `i` begins, in octets; for block_count, where the last one ends. */
static uint64_t
block_start(const struct ld_image *image, uint32_t i)
{
	const uint8_t *offsets = image->sections[LD_SECTION_OFFSETS].data;

	if (i >= image->block_count)
		return image->sections[LD_SECTION_BLOCKS].len - LD_INDEX_PAD_BYTES;
	uint32_t base = ld_get_le32(offsets + 4 * (size_t)(i / LD_INDEX_GROUP_BLOCKS));
	if (__builtin_expect((base & LD_INDEX_WIDE_GROUP) == 0, 1))
		return base + (uint64_t)ld_get_le16(image->block_deltas + 2 * (size_t)i);
	uint32_t wide = base & ~LD_INDEX_WIDE_GROUP;
	const uint8_t *table = image->block_deltas + 2 * (size_t)image->block_count;
	return wide < image->wide_count
		       ? ld_get_le32(table + 4 * ((size_t)wide * LD_INDEX_GROUP_BLOCKS +
						  i % LD_INDEX_GROUP_BLOCKS))
		       : 0;
}

void
ld_block_bounds(const struct ld_image *image, uint32_t i, uint64_t *ret_start, uint64_t *ret_end)
{
	uint64_t limit = image->sections[LD_SECTION_BLOCKS].len - LD_INDEX_PAD_BYTES;
	uint64_t start = block_start(image, i), end = block_start(image, i + 1);

	*ret_start = (start < limit ? start : limit) * 8;
	*ret_end = (end < limit ? end : limit) * 8;
}

struct ld_block
ld_block_open(const struct ld_image *image, uint32_t i)
{
	uint64_t start, end;

	ld_block_bounds(image, i, &start, &end);
	return ld_block_at(image, i, start, end);
}

bool
ld_block_second(struct ld_block *block)
{
	if (block->second == 0)
		return false;
	block->half = ld_half_second(block);
	block->second = 0;
	return true;
}

bool
ld_join_read(const struct ld_image *image, uint64_t bit, struct ld_join *ret)
{
	uint64_t bits = ld_block_bits(image, bit);
	uint32_t entry = image->shapes.table[bits & 0xfff], shape = entry >> 4, used = entry & 15;

	if (used == 0)
		return false;
	if (shape == LD_SHAPE_OTHER) {
		shape = (uint32_t)(bits >> used & 0x3ff);
		used += 10;
	}
	ret->shared = shape >> 1 & 31;
	ret->symbols = shape >> 6;
	if (ret->shared == LD_SHAPE_LCP_ESCAPE) {
		ret->shared = (uint32_t)(bits >> used & 0xfff);
		used += 12;
	}
	if (ret->symbols == LD_SHAPE_COUNT_ESCAPE) {
		ret->symbols = (uint32_t)(bits >> used & 0xfff);
		used += 12;
	}
	ret->changed = (shape & 1) == 0;
	ret->shape_bits = ret->step = used;
	/* Of 57 bits this took 46 at most; too few may be left for a tuple's code. */
	if (ret->changed)
		ret->step += ld_tuple_bits(image, ld_block_bits(image, bit + used));
	return true;
}

uint16_t
ld_join_entry(const struct ld_image *image, uint32_t bits)
{
	uint32_t shape = image->shapes.table[bits] >> 4, len = image->shapes.table[bits] & 15;
	uint32_t shared = shape >> 1 & 31, symbols = shape >> 6;
	uint32_t entry = symbols << LD_JOIN_SYMBOLS | shared << LD_JOIN_SHARED | len;

	if (len == 0 || shape == LD_SHAPE_OTHER || shared == LD_SHAPE_LCP_ESCAPE ||
	    symbols == LD_SHAPE_COUNT_ESCAPE)
		return LD_JOIN_RARE;
	if ((shape & 1) != 0)
		return (uint16_t)entry;
	entry |= LD_JOIN_CHANGED;
	/* Is the tuple's code there as a whole? */
	uint32_t tuple = image->tuples.table[bits >> len];
	if (tuple == 0 || (tuple & 15) > LD_HUFFMAN_BITS_MAX - len)
		return (uint16_t)(entry | LD_JOIN_LONG);
	return (uint16_t)(entry + ld_tuple_bits(image, bits >> len));
}

bool
ld_block_next(struct ld_block *block, struct ld_stored *ret)
{
	if (!ld_half_step(&block->half, block->image, ret))
		return false;
	/* The block's first key tells in the place of what it shares the prefix of all. */
	if (block->prefix == UINT32_MAX) {
		block->prefix = ret->lcp;
		ret->lcp = 0;
	} else {
		ret->lcp += block->prefix;
	}
	return true;
}

uint32_t
ld_tuple_at(const struct ld_image *image, uint64_t bit)
{
	struct ld_join join;

	if (!ld_join_read(image, bit, &join))
		return 0;
	uint64_t bits = ld_block_bits(image, bit + join.shape_bits);
	unsigned entry = image->tuples.table[bits & 0xfff];
	uint32_t tuple = entry >> 4;

	if (tuple == image->coded_tuples)
		tuple = (uint32_t)(bits >> (entry & 15) & 0xffff);
	return tuple < image->tuple_count ? tuple : 0;
}

uint32_t
ld_block_tuple(const struct ld_block *block)
{
	return ld_tuple_at(block->image, block->half.tuple_from);
}

size_t
ld_stored_copy(const struct ld_image *image, const struct ld_stored *stored, uint8_t *key)
{
	size_t len = stored->lcp;

	for (uint64_t top = stored->top; top > stored->floor; top -= LD_INDEX_CODE_BITS) {
		uint32_t code = ld_symbol_code(image, top);

		if (code >= image->symbol_count ||
		    len + image->symbol_lens[code] > LD_INDEX_KEY_MAX)
			return 0;
		memcpy(key + len, image->symbol_texts + 8 * (size_t)code, image->symbol_lens[code]);
		len += image->symbol_lens[code];
	}
	return len;
}
