/* The search for one key.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "index/find.h"

#include "index/block.h"

enum {
	LINE_BYTES =
		64, /* of the cache: asking for memory too often or too seldom only costs time */
	PREFETCH_BYTES_MAX = 512,
};

/* Compare what is stored from octet `*same` on with the key, of which `*same` octets agree already;
 * <0: the stored one comes first.  `*same` becomes how many agree. */
static inline __attribute__((always_inline)) int
stored_compare(const struct ld_image *image, const struct ld_stored *stored, struct ld_span key,
	       size_t *same)
{
	uint64_t top = stored->top;
	size_t at = *same;

	for (; top > stored->floor && at < key.len; top -= LD_INDEX_CODE_BITS) {
		uint32_t code = ld_symbol_code(image, top);

		if (__builtin_expect(code >= image->symbol_count, 0))
			return 1;
		/* There are zeros behind its end, and it has none. */
		uint64_t text = ld_get_le64(image->symbol_texts + 8 * (size_t)code);
		unsigned unused = (unsigned)__builtin_clzll(text) & ~7u;
		uint64_t ours = ld_get_le64(key.data + at), differ = text ^ ours;

		if (differ << unused != 0) {
			unsigned shift = (unsigned)__builtin_ctzll(differ) & ~7u;

			at += shift / 8;
			/* Past the key's end is something else. */
			*same = at < key.len ? at : key.len;
			return at < key.len && (text >> shift & 0xff) < (ours >> shift & 0xff) ? -1
											       : 1;
		}
		at += 8 - unused / 8;
	}
	*same = at < key.len ? at : key.len;
	if (at > key.len || top > stored->floor)
		return 1;
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
block_search(const struct ld_block *block, struct ld_span key, uint32_t *ret_tuple)
{
	const struct ld_image *image = block->image;
	struct ld_half half = block->half, second = ld_half_second(block);
	struct ld_stored stored;
	size_t same = 0, same_second;
	int order;

	if (!ld_half_step(&half, image, &stored))
		return SEARCH_NOT_HERE;
	size_t prefix = stored.lcp;
	order = stored_compare(image, &stored, key, &same);
	if (order > 0)
		return SEARCH_BEFORE;
	/* Keys rise.  `same` is how far the key asked for agrees with one that comes before it: one
	 * that shares more with that one comes before it too, one that shares less comes after it,
	 * and only one that shares just as much has to be looked at. */
	same_second = same;
	if (order < 0 && ld_half_step(&second, image, &stored) && prefix + stored.lcp >= same) {
		int order_second = prefix + stored.lcp > same
					   ? -1
					   : stored_compare(image, &stored, key, &same_second);

		if (order_second <= 0) {
			half = second;
			same = same_second;
			order = order_second;
		}
	}
	while (order < 0 && ld_half_step(&half, image, &stored)) {
		if (prefix + stored.lcp < same)
			return SEARCH_NOT_HERE;
		if (prefix + stored.lcp == same)
			order = stored_compare(image, &stored, key, &same);
	}
	if (order != 0)
		return SEARCH_NOT_HERE;
	*ret_tuple = ld_tuple_at(image, half.tuple_from);
	return SEARCH_FOUND;
}

/* The first key of this group is at or before the key. */
static bool
group_begins_by(const struct ld_image *image, uint32_t group, struct ld_span key)
{
	struct ld_block block = ld_block_open(image, group * LD_INDEX_GROUP_BLOCKS);
	struct ld_stored stored;
	size_t same = 0;

	return ld_half_step(&block.half, image, &stored) &&
	       stored_compare(image, &stored, key, &same) <= 0;
}

void
ld_find_group(struct ld_find *find, const struct ld_image *image, struct ld_span key,
	      size_t host_len)
{
	const uint8_t *steps = image->sections[LD_SECTION_STEPS].data;
	/* The last group of [low - 1, high) that begins at or before the key: where the first
	 * octets do not tell, the next ones do. */
	uint32_t low = 0, high = image->group_count;

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
	find->image = image;
	find->key = key;
	find->host_len = host_len;
	find->group = low;
	find->here = low < high;
	if (!find->here)
		return;
	/* What is needed next, all at once: one trip to memory instead of three. */
	size_t start = (size_t)low * LD_INDEX_GROUP_BLOCKS;
	__builtin_prefetch(image->group_prefix + low);
	__builtin_prefetch(image->sections[LD_SECTION_FENCES].data + 4 * start);
	__builtin_prefetch(image->block_deltas + 2 * start);
	__builtin_prefetch(image->sections[LD_SECTION_OFFSETS].data + 4 * (size_t)low);
}

/* All keys of a group share a prefix; fences tell what comes behind it.  A key without that prefix
 * is not here, wherever we look. */
void
ld_find_block(struct ld_find *find)
{
	const struct ld_image *image = find->image;
	uint32_t start = find->group * LD_INDEX_GROUP_BLOCKS;

	if (!find->here)
		return;
	uint32_t count = image->block_count - start < LD_INDEX_GROUP_BLOCKS
				 ? image->block_count - start
				 : LD_INDEX_GROUP_BLOCKS;
	const uint8_t *fences = image->sections[LD_SECTION_FENCES].data + 4 * (size_t)start;
	find->fence = ld_fence(find->key, image->group_prefix[find->group], find->host_len);
	find->blocks = fences_upper(fences, count, find->fence);
	find->here = find->blocks > 0;
	if (!find->here)
		return;
	find->start = ld_block_start(image, start + find->blocks - 1);
	find->end = ld_block_start(image, start + find->blocks);
	/* Ask for all of it at once: it is a few cache lines, and is read from four ends. */
	const uint8_t *bytes = image->sections[LD_SECTION_BLOCKS].data;
	for (uint64_t at = find->start / 8;
	     at < find->end / 8 && at < find->start / 8 + PREFETCH_BYTES_MAX; at += LINE_BYTES)
		__builtin_prefetch(bytes + at);
	__builtin_prefetch(bytes + find->end / 8);
}

bool
ld_find_key(const struct ld_find *find, uint32_t *ret_tuple)
{
	const struct ld_image *image = find->image;
	uint32_t start = find->group * LD_INDEX_GROUP_BLOCKS, left = find->blocks;
	const uint8_t *fences = image->sections[LD_SECTION_FENCES].data + 4 * (size_t)start;
	struct ld_block block;

	if (!find->here)
		return false;
	block = ld_block_at(image, start + left - 1, find->start, find->end);
	for (;;) {
		enum search found = block_search(&block, find->key, ret_tuple);

		if (found != SEARCH_BEFORE)
			return found == SEARCH_FOUND;
		/* Between the fence and the block's first key there is nothing; but if the fence
		 * holds just the octets that the key has there, the key may be before the fence. */
		left--;
		if (ld_get_le32(fences + 4 * (size_t)left) != find->fence || left == 0)
			return false;
		block = ld_block_open(image, start + left - 1);
	}
}

bool
ld_image_find(const struct ld_image *image, struct ld_span key, uint32_t *ret_tuple)
{
	struct ld_find find;

	ld_find_group(&find, image, key, ld_span_find(key, '/'));
	ld_find_block(&find);
	return ld_find_key(&find, ret_tuple);
}
