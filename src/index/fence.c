/* Fence numbers: what steps and fences tell of a key.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "index/image.h"

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
