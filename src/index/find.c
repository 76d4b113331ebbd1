/* The search for one key.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "index/find.h"

#include "index/block.h"

enum {
	LINE_BYTES = 64, /* of the cache; if they are not, it only costs time */
	PREFETCH_LINES = 5,
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
	uint32_t at = 0;

	while (count > 1) {
		uint32_t half = count / 2;

		/* A mask, not a branch: one that is wrong half of the time. */
		at += half & -(uint32_t)(ld_get_le64(steps + 8 * (size_t)(at + half - 1)) <= step);
		count -= half;
	}
	return at + (count == 1 && ld_get_le64(steps + 8 * (size_t)at) <= step);
}

/* The same of all groups' first steps: first of those that stay in the cache, then of some beside
 * each other, which do not wait for one another. */
static uint32_t
groups_upper(const struct ld_image *image, uint64_t step)
{
	const uint8_t *steps = image->sections[LD_SECTION_STEPS].data;
	const uint64_t *coarse = image->coarse;
	uint32_t count = image->coarse_count, at = 0, n = 0;

	while (count > 1) {
		uint32_t half = count / 2;

		at += half & -(uint32_t)(coarse[at + half - 1] <= step);
		count -= half;
	}
	at += count == 1 && coarse[at] <= step;
	if (at == 0)
		return 0;
	at = (at - 1) * LD_STEP_COARSE;
	if (image->group_count - at < LD_STEP_COARSE)
		return at + steps_upper(steps + 8 * (size_t)at, image->group_count - at, step);
	/* By quarters, then within one: seven loads, of which none waits for more than three. */
	steps += 8 * (size_t)at;
	for (uint32_t i = 1; i < 4; i++)
		n += ld_get_le64(steps + 8 * (size_t)(4 * i - 1)) <= step;
	n *= 4;
	steps += 8 * (size_t)n;
	for (uint32_t i = 0; i < 4; i++)
		n += ld_get_le64(steps + 8 * (size_t)i) <= step;
	return at + n;
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
ld_find_group(struct ld_find *find, const struct ld_image *image, struct ld_span key)
{
	const uint8_t *steps = image->sections[LD_SECTION_STEPS].data;
	/* The last group of [low - 1, high) that begins at or before the key: where the first
	 * octets do not tell, the next ones do. */
	uint64_t step = ld_step(key, 0);
	uint32_t low = 0, high = groups_upper(image, step);

	for (unsigned word = 0;;) {
		if (high == low || ld_get_le64(steps + 8 * (size_t)(high - 1)) != step) {
			low = high;
			break;
		}
		if (high - low > 1 && ld_get_le64(steps + 8 * (size_t)(high - 2)) == step)
			low += step == 0
				       ? 0
				       : steps_upper(steps + 8 * (size_t)low, high - low, step - 1);
		else
			low = high - 1;
		if (++word == LD_INDEX_STEP_WORDS)
			break;
		steps += 8 * (size_t)image->group_count;
		step = ld_step(key, word);
		high = low + steps_upper(steps + 8 * (size_t)low, high - low, step);
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

/* The fence that a block would have at this level if its cut agreed with the key. */
static inline uint32_t
number_at(struct ld_span key, size_t prefix, uint32_t level)
{
	return level << LD_INDEX_FENCE_LEVEL |
	       ld_fence(key, prefix + (size_t)level * LD_INDEX_FENCE_OCTETS);
}

/* Four fences side by side. */
typedef int32_t lanes __attribute__((vector_size(16)));

/* Of the 16 fences a bit each: `*ret_heads` those of level 0; of them those <= `window`. */
static inline uint32_t
heads_upto(const uint8_t *fences, int32_t window, uint32_t *ret_heads)
{
	lanes heads = {0}, upto = {0}, weights = {1, 2, 4, 8};

	for (unsigned i = 0; i < LD_INDEX_GROUP_BLOCKS / 4; i++, fences += 16, weights <<= 4) {
		lanes four = {(int32_t)ld_get_le32(fences), (int32_t)ld_get_le32(fences + 4),
			      (int32_t)ld_get_le32(fences + 8), (int32_t)ld_get_le32(fences + 12)};
		lanes head = (four >> LD_INDEX_FENCE_LEVEL == 0) & weights;

		heads |= head;
		upto |= head & (four <= window);
	}
	*ret_heads = (uint32_t)(heads[0] | heads[1] | heads[2] | heads[3]);
	return (uint32_t)(upto[0] | upto[1] | upto[2] | upto[3]);
}

/* The last of a group's blocks whose fences do not say that it begins past the key; `count` if
 * there is none.  All keys of the group share a prefix of so many octets: one without it is not
 * here, wherever we look. */
static uint32_t
fences_search(const uint8_t *fences, uint32_t count, struct ld_span key, size_t prefix)
{
	uint8_t copy[4 * LD_INDEX_GROUP_BLOCKS];
	uint32_t window = ld_fence(key, prefix), heads, before;

	if (__builtin_expect(count < LD_INDEX_GROUP_BLOCKS, 0)) {
		memset(copy, 0xff, sizeof copy);
		memcpy(copy, fences, 4 * (size_t)count);
		fences = copy;
	}
	before = heads_upto(fences, (int32_t)window, &heads);
	if (before == 0)
		return count;
	uint32_t at = 31u - (uint32_t)__builtin_clz(before), level = 0;
	if (ld_get_le32(fences + 4 * (size_t)at) != window) {
		/* What shares its window with this one is before the key, too. */
		uint32_t behind = heads & ~(2u * (1u << at) - 1);

		return behind != 0 ? (uint32_t)__builtin_ctz(behind) - 1 : count - 1;
	}
	/* It agrees in this window; how it goes on the next fences tell, level by level. */
	uint32_t ours = number_at(key, prefix, ++level);
	for (uint32_t i = at + 1; i < count; i++) {
		uint32_t fence = ld_get_le32(fences + 4 * (size_t)i);
		uint32_t theirs = fence >> LD_INDEX_FENCE_LEVEL;

		/* Less alike than the key: past it.  More: before it, as the last one is. */
		if (theirs < level || (theirs == level && fence > ours))
			break;
		at = i;
		if (fence == ours)
			ours = number_at(key, prefix, ++level);
	}
	return at;
}

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
	uint32_t at = fences_search(fences, count, find->key, image->group_prefix[find->group]);
	find->here = at < count;
	if (!find->here)
		return;
	find->block = start + at;
	ld_block_bounds(image, start + at, &find->start, &find->end);
	/* Ask for all of it at once: it is a few cache lines, and is read from four ends. */
	const uint8_t *bytes = image->sections[LD_SECTION_BLOCKS].data;
	const uint8_t *from = bytes + find->start / 8, *to = bytes + find->end / 8;
	for (unsigned i = 0; i < PREFETCH_LINES; i++)
		__builtin_prefetch(from + i * LINE_BYTES < to ? from + i * LINE_BYTES : to);
}

/* The fence does not say that the block's first key is before the key: it agrees with it. */
static bool
fence_agrees(const struct ld_find *find, uint32_t block)
{
	const struct ld_image *image = find->image;
	uint32_t fence = ld_get_le32(image->sections[LD_SECTION_FENCES].data + 4 * (size_t)block);

	return fence == number_at(find->key, image->group_prefix[find->group],
				  fence >> LD_INDEX_FENCE_LEVEL);
}

bool
ld_find_key(const struct ld_find *find, uint32_t *ret_tuple)
{
	uint32_t at = find->block;
	struct ld_block block;

	if (!find->here)
		return false;
	block = ld_block_at(find->image, at, find->start, find->end);
	for (;;) {
		enum search found = block_search(&block, find->key, ret_tuple);

		if (found != SEARCH_BEFORE)
			return found == SEARCH_FOUND;
		/* Between a cut and the block's first key there is nothing; but if the key agrees
		 * with the cut as far as the fence tells, it may be before the cut. */
		if (!fence_agrees(find, at) || at-- % LD_INDEX_GROUP_BLOCKS == 0)
			return false;
		block = ld_block_open(find->image, at);
	}
}

bool
ld_image_find(const struct ld_image *image, struct ld_span key, uint32_t *ret_tuple)
{
	struct ld_find find;

	ld_find_group(&find, image, key);
	ld_find_block(&find);
	return ld_find_key(&find, ret_tuple);
}
