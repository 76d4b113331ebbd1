/* Keys in blocks: the cursor over a block, and the search for one key.
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
#include "index/image.h"

/* 57 bits or more from `bit` on. The section ends with LD_INDEX_PAD_BYTES, and bit <= its end. */
static inline uint64_t
bits_at(const struct ld_image *image, uint64_t bit)
{
	return ld_get_le64(image->sections[LD_SECTION_BLOCKS].data + (bit >> 3)) >> (bit & 7);
}

/* Rank of an octet among those of host names: never falls as the octet grows.  Only '-' and '/'
 * share one; see ld_fence() for that. */
static const uint8_t fence_rank[256] = {
	[0x00] = 0,
	[0x01 ... 0x2c] = 1,
	[0x2d ... 0x2f] = 2, /* - */
	['0'] = 3,
	['1'] = 4,
	['2'] = 5,
	['3'] = 6,
	['4'] = 7,
	['5'] = 8,
	['6'] = 9,
	['7'] = 10,
	['8'] = 11,
	['9' ... 0x5e] = 12,
	[0x5f ... 0x60] = 13, /* _ */
	['a'] = 14,
	['b'] = 15,
	['c'] = 16,
	['d'] = 17,
	['e'] = 18,
	['f'] = 19,
	['g'] = 20,
	['h'] = 21,
	['i'] = 22,
	['j'] = 23,
	['k'] = 24,
	['l'] = 25,
	['m'] = 26,
	['n'] = 27,
	['o'] = 28,
	['p'] = 29,
	['q'] = 30,
	['r'] = 31,
	['s'] = 32,
	['t'] = 33,
	['u'] = 34,
	['v'] = 35,
	['w'] = 36,
	['x'] = 37,
	['y'] = 38,
	['z' ... 0xff] = 39,
};

enum { FENCE_RANKS = 40 };

/* Six octets as a number in base 40; zeros behind the end.  Behind a '/' every place counts as the
 * highest: a path has octets of any kind, which 40 ranks cannot tell apart, and a fence must never
 * fall as keys rise.  So "a/" and all that begins with it is not below "a-z", and equal to itself.
 */
static inline uint32_t
fence_from(struct ld_span key, size_t from, size_t host_len)
{
	const uint8_t *octets = key.data + (from < key.len ? from : key.len);
	uint32_t behind = host_len < key.len ? FENCE_RANKS - 1 : 0;
	size_t known = host_len < key.len ? host_len + 1 : key.len;
	uint32_t fence = 0;

	/* 40^6 is the last power that 32 bits hold, as 40^12 is for 64.  What stands behind the key
	 * is read, and masked: a branch could not foretell where it ends. */
	for (size_t i = 0; i < LD_INDEX_FENCE_OCTETS; i++) {
		uint32_t mask = -(uint32_t)(from + i < known);

		fence = fence * FENCE_RANKS + ((fence_rank[octets[i]] & mask) | (behind & ~mask));
	}
	return fence;
}

uint32_t
ld_fence(struct ld_span key, size_t from, size_t host_len)
{
	return fence_from(key, from, host_len);
}

uint64_t
ld_step(struct ld_span key, size_t from, size_t host_len)
{
	return fence_from(key, from, host_len) * UINT64_C(4096000000) +
	       fence_from(key, from + LD_INDEX_FENCE_OCTETS, host_len);
}

/* Where block `i` begins, in bits; for block_count, where the last one ends. */
static uint64_t
block_start(const struct ld_image *image, uint32_t i)
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
ld_block_open(const struct ld_image *image, uint32_t i)
{
	const uint8_t *bytes = image->sections[LD_SECTION_BLOCKS].data;
	uint64_t start = block_start(image, i), end = block_start(image, i + 1);
	uint64_t last = image->entry_count - (uint64_t)i * LD_INDEX_BLOCK_KEYS;
	uint32_t count = last < LD_INDEX_BLOCK_KEYS ? (uint32_t)last : LD_INDEX_BLOCK_KEYS;

	/* Ask for all of it at once: it is a few cache lines, and is read from four ends. */
	for (uint64_t at = start / 8 + 64; at < end / 8 && at < start / 8 + 512; at += 64)
		__builtin_prefetch(bytes + at);
	__builtin_prefetch(bytes + end / 8);
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

/* What a shape of more than the usual size says in further bits. Returns the bits used. */
static __attribute__((noinline)) unsigned
shape_special(uint64_t bits, unsigned used, unsigned *shape, uint32_t *shared, uint32_t *symbols)
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

/* The next key.  Inlined into the search, where the block then lives in registers. */
static inline __attribute__((always_inline)) bool
block_step(struct ld_block *block, const struct ld_image *image, struct ld_stored *ret)
{
	if (block->left == 0 ||
	    __builtin_expect(block->bit > block->end || block->end < block->start, 0))
		return false;
	uint64_t bits = bits_at(image, block->bit);
	unsigned entry = image->shapes.table[bits & 0xfff];
	unsigned shape = entry >> 4, used = entry & 15;
	uint32_t shared = shape >> 1 & 31, symbols = shape >> 6;

	if (__builtin_expect(shared == LD_SHAPE_LCP_ESCAPE || symbols >= LD_SHAPE_COUNT_ESCAPE, 0))
		used = shape_special(bits, used, &shape, &shared, &symbols);
	/* Of 57 bits the special ones use 46 at most; too few may be left for a tuple's code. */
	uint64_t at = block->bit + used;
	bits = __builtin_expect(used > 12, 0) ? bits_at(image, at) : bits >> used;
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

bool
ld_block_next(struct ld_block *block, struct ld_stored *ret)
{
	return block_step(block, block->image, ret);
}

uint32_t
ld_block_tuple(const struct ld_block *block)
{
	const struct ld_image *image = block->image;
	uint64_t bits = bits_at(image, block->tuple_bit);
	unsigned entry = image->tuples.table[bits & 0xfff];
	uint32_t tuple = entry >> 4;

	if (tuple == image->coded_tuples)
		tuple = (uint32_t)(bits >> (entry & 15) & 0xffff);
	return tuple < image->tuple_count ? tuple : 0;
}

/* Code number `i` of a stored key: < symbol_count, or the dictionary has none such. */
static inline uint32_t
symbol_code(const struct ld_image *image, const struct ld_stored *stored, uint32_t i)
{
	return bits_at(image, stored->bit - (uint64_t)(i + 1) * LD_INDEX_CODE_BITS) & 0xfff;
}

size_t
ld_stored_copy(const struct ld_image *image, const struct ld_stored *stored, uint8_t *key)
{
	size_t len = stored->lcp;

	for (uint32_t i = 0; i < stored->symbols; i++) {
		uint32_t code = symbol_code(image, stored, i);

		if (code >= image->symbol_count ||
		    len + image->symbol_lens[code] > LD_INDEX_KEY_MAX)
			return 0;
		memcpy(key + len, image->symbol_texts + 8 * (size_t)code, image->symbol_lens[code]);
		len += image->symbol_lens[code];
	}
	return len;
}

/* Up to 8 octets of the key from `at` on, zeros behind its end. */
static inline uint64_t
key_word(struct ld_span key, size_t at)
{
	static const uint64_t masks[9] = {
		0,          0xff,         0xffff,         0xffffff,
		0xffffffff, 0xffffffffff, 0xffffffffffff, 0xffffffffffffff,
		UINT64_MAX};
	size_t left = key.len - at;

	return ld_get_le64(key.data + at) & masks[left < 8 ? left : 8];
}

/* Compare what is stored from octet `*same` on with the key, of which `*same` octets agree already;
 * <0: the stored one comes first.  `*same` becomes how many agree. */
static inline __attribute__((always_inline)) int
stored_compare(const struct ld_image *image, const struct ld_stored *stored, struct ld_span key,
	       size_t *same)
{
	size_t at = *same;

	for (uint32_t i = 0; i < stored->symbols; i++) {
		uint32_t code = symbol_code(image, stored, i);

		if (__builtin_expect(code >= image->symbol_count, 0))
			return 1;
		uint64_t text = ld_get_le64(image->symbol_texts + 8 * (size_t)code);
		uint32_t len = image->symbol_lens[code];
		uint64_t ours = key_word(key, at);
		uint64_t differ = (text ^ ours) & (UINT64_MAX >> (64 - 8 * len));

		/* Stored octets are never zero, so that past the key's end they differ from it. */
		if (differ != 0) {
			unsigned shift = (unsigned)__builtin_ctzll(differ) & ~7u;

			*same = at + shift / 8;
			return (text >> shift & 0xff) < (ours >> shift & 0xff) ? -1 : 1;
		}
		at += len;
	}
	*same = at;
	return at == key.len ? 0 : -1;
}

/* How many of these steps are <= `step`; they rise. */
static uint32_t
steps_upper(const uint8_t *steps, uint32_t count, uint64_t step)
{
	const uint8_t *base = steps;

	while (count > 1) {
		uint32_t half = count / 2;

		/* A product, not a branch: one that is wrong half of the time. */
		base += 8 * (size_t)half * (ld_get_le64(base + 8 * (size_t)(half - 1)) <= step);
		count -= half;
	}
	return (uint32_t)((base - steps) / 8) + (count == 1 && ld_get_le64(base) <= step);
}

/* How many of a group's fences are <= `fence`. */
static uint32_t
fences_upper(const uint8_t *fences, uint32_t count, uint32_t fence)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++)
		n += ld_get_le32(fences + 4 * (size_t)i) <= fence;
	return n;
}

enum search { SEARCH_FOUND, SEARCH_NOT_HERE, SEARCH_BEFORE };

/* Look for the key in one block.  SEARCH_BEFORE: even the first key of the block is past it. */
static enum search
block_search(const struct ld_image *image, uint32_t at, struct ld_span key, uint32_t *ret_tuple)
{
	struct ld_block block = ld_block_open(image, at), second;
	struct ld_stored stored;
	size_t same = 0, same_second;
	int order;

	if (!block_step(&block, image, &stored))
		return SEARCH_NOT_HERE;
	order = stored_compare(image, &stored, key, &same);
	if (order > 0)
		return SEARCH_BEFORE;
	/* Keys rise.  `same` is how far the key asked for agrees with one that comes before it: one
	 * that shares more with that one comes before it too, one that shares less comes after it,
	 * and only one that shares just as much has to be looked at. */
	second = block;
	same_second = same;
	if (order < 0 && ld_block_second(&second) && block_step(&second, image, &stored) &&
	    stored.lcp >= same) {
		int order_second =
			stored.lcp > same ? -1 : stored_compare(image, &stored, key, &same_second);

		if (order_second <= 0) {
			block = second;
			same = same_second;
			order = order_second;
		}
	}
	while (order < 0 && block_step(&block, image, &stored)) {
		if (stored.lcp < same)
			return SEARCH_NOT_HERE;
		if (stored.lcp == same)
			order = stored_compare(image, &stored, key, &same);
	}
	if (order != 0)
		return SEARCH_NOT_HERE;
	*ret_tuple = ld_block_tuple(&block);
	return SEARCH_FOUND;
}

/* The first key of this group is at or before the key. */
static bool
group_begins_by(const struct ld_image *image, uint32_t group, struct ld_span key)
{
	struct ld_block block = ld_block_open(image, group * LD_INDEX_GROUP_BLOCKS);
	struct ld_stored stored;
	size_t same = 0;

	return block_step(&block, image, &stored) &&
	       stored_compare(image, &stored, key, &same) <= 0;
}

/* Look for the key among the blocks of one group.  All keys of a group share a prefix; fences tell
 * what comes behind it.  A key without that prefix is not here, wherever we look. */
static bool
group_search(const struct ld_image *image, uint32_t group, struct ld_span key, size_t host_len,
	     uint32_t *ret_tuple)
{
	uint32_t start = group * LD_INDEX_GROUP_BLOCKS;
	uint32_t count = image->block_count - start < LD_INDEX_GROUP_BLOCKS
				 ? image->block_count - start
				 : LD_INDEX_GROUP_BLOCKS;
	const uint8_t *fences = image->sections[LD_SECTION_FENCES].data + 4 * (size_t)start;

	/* What is needed next, all at once: one trip to memory instead of three. */
	__builtin_prefetch(fences);
	__builtin_prefetch(image->block_deltas + 2 * (size_t)start);
	__builtin_prefetch(image->sections[LD_SECTION_OFFSETS].data + 4 * (size_t)group);
	uint32_t fence = fence_from(key, image->group_prefix[group], host_len);
	uint32_t high = fences_upper(fences, count, fence);
	while (high-- > 0) {
		enum search found = block_search(image, start + high, key, ret_tuple);

		if (found != SEARCH_BEFORE)
			return found == SEARCH_FOUND;
		/* Between the fence and the block's first key there is nothing; but if the fence
		 * holds just the octets that the key has there, the key may be before the fence. */
		if (ld_get_le32(fences + 4 * (size_t)high) != fence)
			return false;
	}
	return false;
}

bool
ld_image_find(const struct ld_image *image, struct ld_span key, uint32_t *ret_tuple)
{
	const uint8_t *steps = image->sections[LD_SECTION_STEPS].data;
	/* The last group of [low - 1, high) that begins at or before the key: where the first
	 * octets do not tell, the next ones do. */
	uint32_t low = 0, high = image->group_count;
	size_t host_len =
		(image->flags & LD_INDEX_FLAG_URLS) != 0 ? ld_span_find(key, '/') : key.len;

	for (size_t word = 0; word < LD_INDEX_STEP_WORDS && low < high; word++) {
		uint64_t step = ld_step(key, word * LD_INDEX_STEP_OCTETS, host_len);
		uint32_t from = low;

		high = from + steps_upper(steps + 8 * (size_t)from, high - from, step);
		if (high == from || ld_get_le64(steps + 8 * (size_t)(high - 1)) != step) {
			low = high;
			break;
		}
		if (high - from > 1 && ld_get_le64(steps + 8 * (size_t)(high - 2)) == step)
			low = from + (step == 0 ? 0
						: steps_upper(steps + 8 * (size_t)from, high - from,
							      step - 1));
		else
			low = high - 1;
		steps += 8 * (size_t)image->group_count;
	}
	low -= low > 0;
	/* Groups whose first keys agree with the key in all that steps tell: ask the keys
	 * themselves.  The fences of a group that begins behind the key would tell nothing: they
	 * hold for keys with the group's prefix. */
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (group_begins_by(image, middle, key))
			low = middle;
		else
			high = middle;
	}
	return low < high && group_search(image, low, key, host_len, ret_tuple);
}
