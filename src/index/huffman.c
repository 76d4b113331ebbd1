/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/huffman.h"

#include <stdlib.h>

/* Lengths by package-merge (Larmore, Hirschberg 1990), in the form where each level keeps, of
 * every node, only how many leaves it holds of the sorted symbols: that many of the rarest. */
struct package {
	uint64_t weight;
	int symbol; /* -1: two packages of the level below */
};

struct leaf {
	uint64_t frequency;
	unsigned symbol;
};

static int
leaf_order(const void *a, const void *b)
{
	const struct leaf *x = a, *y = b;

	if (x->frequency != y->frequency)
		return x->frequency < y->frequency ? -1 : 1;
	return x->symbol < y->symbol ? -1 : 1;
}

/* Merge the sorted leaves with pairs of the level below; returns how many packages there are. */
static unsigned
level_make(struct package *level, const struct package *below, unsigned below_count,
	   const struct leaf *leaves, unsigned leaf_count)
{
	unsigned pairs = below_count / 2, l = 0, p = 0, n = 0;

	while (l < leaf_count || p < pairs) {
		uint64_t pair = p < pairs ? below[2 * p].weight + below[2 * p + 1].weight : 0;

		if (p >= pairs || (l < leaf_count && leaves[l].frequency <= pair)) {
			level[n++] = (struct package){leaves[l].frequency, (int)leaves[l].symbol};
			l++;
		} else {
			level[n++] = (struct package){pair, -1};
			p++;
		}
	}
	return n;
}

/* Take the `take` lightest packages of a level: a leaf's code grows by a bit each time its leaf is
 * taken, a pair takes two of the level below. */
static void
levels_count(uint8_t *lengths, struct package *const *levels, unsigned take)
{
	for (int level = LD_HUFFMAN_BITS_MAX - 1; level >= 0 && take > 0; level--) {
		unsigned pairs = 0;

		for (unsigned i = 0; i < take; i++) {
			if (levels[level][i].symbol >= 0)
				lengths[levels[level][i].symbol]++;
			else
				pairs++;
		}
		take = 2 * pairs;
	}
}

int
ld_huffman_lengths(uint8_t *lengths, const uint64_t *frequencies, unsigned count)
{
	struct package *levels[LD_HUFFMAN_BITS_MAX], *memory;
	struct leaf *leaves;
	unsigned used = 0, n = 0;

	LD_ASSERT(count <= LD_HUFFMAN_SYMBOLS_MAX);
	leaves = calloc(count + 1, sizeof *leaves);
	memory = calloc((size_t)LD_HUFFMAN_BITS_MAX * 2 * (count + 1), sizeof *memory);
	if (leaves == NULL || memory == NULL) {
		free(leaves);
		free(memory);
		return LINDUNG_ENOMEM;
	}
	memset(lengths, 0, count);
	for (unsigned i = 0; i < count; i++)
		if (frequencies[i] != 0)
			leaves[used++] = (struct leaf){frequencies[i], i};
	qsort(leaves, used, sizeof *leaves, leaf_order);
	if (used == 1) {
		lengths[leaves[0].symbol] = 1;
	} else if (used > 1) {
		for (int level = 0; level < LD_HUFFMAN_BITS_MAX; level++) {
			levels[level] = memory + (size_t)level * 2 * (count + 1);
			n = level_make(levels[level], level > 0 ? levels[level - 1] : NULL, n,
				       leaves, used);
		}
		levels_count(lengths, levels, 2 * used - 2);
	}
	free(leaves);
	free(memory);
	return LINDUNG_OK;
}

static unsigned
bits_reversed(unsigned code, unsigned len)
{
	unsigned reversed = 0;

	for (unsigned i = 0; i < len; i++)
		reversed |= (code >> i & 1u) << (len - 1 - i);
	return reversed;
}

void
ld_huffman_codes(uint16_t *codes, const uint8_t *lengths, unsigned count)
{
	unsigned next = 0;

	for (unsigned len = 1; len <= LD_HUFFMAN_BITS_MAX; len++, next <<= 1)
		for (unsigned i = 0; i < count; i++)
			if (lengths[i] == len)
				codes[i] = (uint16_t)bits_reversed(next++, len);
}

int
ld_huffman_decoder(struct ld_huffman *ret, struct ld_span lengths)
{
	unsigned next = 0;

	if (lengths.len > LD_HUFFMAN_SYMBOLS_MAX)
		return LINDUNG_EDAMAGED;
	memset(ret, 0, sizeof *ret);
	for (unsigned len = 1; len <= LD_HUFFMAN_BITS_MAX; len++, next <<= 1) {
		for (unsigned i = 0; i < lengths.len; i++) {
			if (lengths.data[i] > LD_HUFFMAN_BITS_MAX)
				return LINDUNG_EDAMAGED;
			if (lengths.data[i] != len)
				continue;
			if (next >= 1u << len)
				return LINDUNG_EDAMAGED;
			for (unsigned at = bits_reversed(next, len); at < 1u << LD_HUFFMAN_BITS_MAX;
			     at += 1u << len)
				ret->table[at] = (uint16_t)(i << 4 | len);
			next++;
		}
	}
	return LINDUNG_OK;
}
