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

uint64_t
ld_block_start(const struct ld_image *image, uint32_t i)
{
	const uint8_t *offsets = image->sections[LD_SECTION_OFFSETS].data;
	uint64_t end = (image->sections[LD_SECTION_BLOCKS].len - LD_INDEX_PAD_BYTES) * 8;

	if (i >= image->block_count)
		return end;
	uint32_t group = i / LD_INDEX_GROUP_BLOCKS;
	uint32_t base = ld_get_le32(offsets + 4 * (size_t)group);
	uint64_t at;
	if (__builtin_expect((base & LD_INDEX_WIDE_GROUP) == 0, 1)) {
		at = base + (uint64_t)ld_get_le16(image->block_deltas + 2 * (size_t)i);
	} else {
		uint32_t wide = base & ~LD_INDEX_WIDE_GROUP;
		const uint8_t *table = image->block_deltas + 2 * (size_t)image->block_count;

		at = wide < image->wide_count
			     ? ld_get_le32(table + 4 * ((size_t)wide * LD_INDEX_GROUP_BLOCKS +
							i % LD_INDEX_GROUP_BLOCKS))
			     : 0;
	}
	return at * 8 < end ? at * 8 : end;
}

struct ld_block
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
		.start = middle,
		.bit = middle,
		.left = count < LD_INDEX_HALF_KEYS ? count : LD_INDEX_HALF_KEYS,
		.prefix = UINT32_MAX,
	};
	middle += (uint64_t)first_len * 8;
	block.end = block.symbol_bit = middle < end ? middle : end;
	block.second = count - block.left;
	block.second_end = end;
	return block;
}

struct ld_block
ld_block_open(const struct ld_image *image, uint32_t i)
{
	return ld_block_at(image, i, ld_block_start(image, i), ld_block_start(image, i + 1));
}

bool
ld_block_second(struct ld_block *block)
{
	if (block->second == 0)
		return false;
	block->start = block->bit = block->end;
	block->end = block->symbol_bit = block->second_end;
	block->left = block->second;
	block->second = 0;
	return true;
}

unsigned
ld_shape_special(uint64_t bits, unsigned used, unsigned *shape, uint32_t *shared, uint32_t *symbols)
{
	if (*shape == LD_SHAPE_OTHER) {
		*shape = bits >> used & 0x3ff;
		used += 10;
	}
	*shared = *shape >> 1 & 31;
	*symbols = *shape >> 6;
	if (*shared == LD_SHAPE_LCP_ESCAPE) {
		*shared = (uint32_t)(bits >> used & 0xfff);
		used += 12;
	}
	if (*symbols == LD_SHAPE_COUNT_ESCAPE) {
		*symbols = (uint32_t)(bits >> used & 0xfff);
		used += 12;
	}
	return used;
}

bool
ld_block_next(struct ld_block *block, struct ld_stored *ret)
{
	return ld_block_step(block, block->image, ret);
}

uint32_t
ld_block_tuple(const struct ld_block *block)
{
	const struct ld_image *image = block->image;
	uint64_t bits = ld_block_bits(image, block->tuple_bit);
	unsigned entry = image->tuples.table[bits & 0xfff];
	uint32_t tuple = entry >> 4;

	if (tuple == image->coded_tuples)
		tuple = (uint32_t)(bits >> (entry & 15) & 0xffff);
	return tuple < image->tuple_count ? tuple : 0;
}

size_t
ld_stored_copy(const struct ld_image *image, const struct ld_stored *stored, uint8_t *key)
{
	size_t len = stored->lcp;

	for (uint32_t i = 0; i < stored->symbols; i++) {
		uint32_t code = ld_symbol_code(image, stored, i);

		if (code >= image->symbol_count ||
		    len + image->symbol_lens[code] > LD_INDEX_KEY_MAX)
			return 0;
		memcpy(key + len, image->symbol_texts + 8 * (size_t)code, image->symbol_lens[code]);
		len += image->symbol_lens[code];
	}
	return len;
}
