/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/fuse.h"

#include <stdlib.h>

#include "index/image.h"

enum { SEEDS_MAX = 100, SEGMENT_BITS_MAX = 18 };

/* The paper's sizes, in whole numbers so that every machine makes the same file.
 * Segment length: 2^floor(log(n) / log(3.33) + 2.25), so 2^e from n = 3.33^(e - 2.25) on. */
static unsigned
segment_bits(uint32_t count)
{
	static const uint32_t from[SEGMENT_BITS_MAX + 1] = {
		0,     0,     1,      3,      9,       28,      92,       304,      1010,     3362,
		11193, 37273, 124118, 413310, 1376322, 4583150, 15261887, 50822082, 169237530};
	unsigned bits = 2;

	while (bits < SEGMENT_BITS_MAX && count >= from[bits + 1])
		bits++;
	return bits;
}

/* Slots for `count` keys: 1.125 a key, for small sets 0.875 + 0.25 ln(10^6) / ln(n). */
static uint64_t
slots(uint32_t count)
{
	if (count <= 1)
		return 4;
	unsigned floor_log = 31 - (unsigned)__builtin_clz(count);
	/* log2(n) in 1/65536, its fraction taken linearly: never too large. */
	uint64_t log = ((uint64_t)floor_log << 16) + (((uint64_t)count << 16) >> floor_log) - 65536;
	uint64_t factor = 57344 + UINT64_C(326558) * 65536 / log; /* 0.875, 0.25 log2(10^6) */

	if (factor < 73728)
		factor = 73728; /* 1.125 */
	return ((uint64_t)count * factor >> 16) + 1;
}

/* What one attempt works with. */
struct peeling {
	struct ld_shard shard;
	uint32_t len;
	uint8_t *degree;  /* of each slot: keys that use it, times 4, and xor of which probe */
	uint64_t *keys;   /* of each slot: xor of the keys that use it */
	uint32_t *alone;  /* slots with one key left */
	uint64_t *order;  /* keys as they were peeled */
	uint8_t *slot_of; /* and by which of its three probes */
};

static void
peeling_free(struct peeling *p)
{
	free(p->degree);
	free(p->keys);
	free(p->alone);
	free(p->order);
	free(p->slot_of);
}

static bool
peeling_new(struct peeling *p, uint32_t count)
{
	unsigned bits = segment_bits(count);
	uint32_t length = 1u << bits;
	uint32_t segments = (uint32_t)((slots(count) + length - 1) / length);

	segments = segments > 2 ? segments - 2 : 1;
	p->shard = (struct ld_shard){.segment_mask = length - 1, .window = segments * length};
	p->len = (segments + 2) * length;
	p->degree = malloc(p->len);
	p->keys = malloc((size_t)p->len * sizeof *p->keys);
	p->alone = malloc((size_t)p->len * sizeof *p->alone);
	p->order = malloc(((size_t)count + 1) * sizeof *p->order);
	p->slot_of = malloc((size_t)count + 1);
	return p->degree != NULL && p->keys != NULL && p->alone != NULL && p->order != NULL &&
	       p->slot_of != NULL;
}

/* Find an order in which each key has a slot of its own when its turn comes.  False: this seed has
 * none (or a slot counts more than 63 keys, which equal hashes make). */
static bool
peel(struct peeling *p, const uint64_t *hashes, uint32_t count)
{
	uint32_t alone = 0, done = 0;

	memset(p->degree, 0, p->len);
	memset(p->keys, 0, (size_t)p->len * sizeof *p->keys);
	for (uint32_t i = 0; i < count; i++) {
		struct ld_place probe = ld_shard_place(&p->shard, hashes[i]);

		for (unsigned j = 0; j < 3; j++) {
			uint32_t at = probe.at[j];

			if (p->degree[at] >= 252)
				return false;
			p->degree[at] = (uint8_t)((p->degree[at] + 4) ^ j);
			p->keys[at] ^= hashes[i];
		}
	}
	for (uint32_t at = 0; at < p->len; at++)
		if (p->degree[at] >> 2 == 1)
			p->alone[alone++] = at;
	while (alone > 0) {
		uint32_t slot = p->alone[--alone];

		if (p->degree[slot] >> 2 != 1)
			continue;
		uint64_t key = p->keys[slot];
		unsigned mine = p->degree[slot] & 3;
		struct ld_place probe = ld_shard_place(&p->shard, key);
		p->order[done] = key;
		p->slot_of[done++] = (uint8_t)mine;
		for (unsigned j = 0; j < 3; j++) {
			uint32_t at = probe.at[j];

			p->degree[at] = (uint8_t)((p->degree[at] - 4) ^ j);
			p->keys[at] ^= key;
			if (j != mine && p->degree[at] >> 2 == 1)
				p->alone[alone++] = at;
		}
	}
	return done == count;
}

static int
hash_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint32_t
hashes_unique(uint64_t *hashes, uint32_t count)
{
	uint32_t n = 0;

	qsort(hashes, count, sizeof *hashes, hash_order);
	for (uint32_t i = 0; i < count; i++)
		if (n == 0 || hashes[n - 1] != hashes[i])
			hashes[n++] = hashes[i];
	return n;
}

static void
fingerprints_set(const struct peeling *p, uint32_t count, uint8_t *fingerprints)
{
	for (uint32_t i = count; i-- > 0;) {
		struct ld_place probe = ld_shard_place(&p->shard, p->order[i]);
		uint8_t others = 0;

		for (unsigned j = 0; j < 3; j++)
			if (j != p->slot_of[i])
				others ^= fingerprints[probe.at[j]];
		fingerprints[probe.at[p->slot_of[i]]] = probe.fingerprint ^ others;
	}
}

int
ld_fuse_build(struct ld_fuse *ret, uint64_t *hashes, uint32_t count)
{
	struct peeling p = {0};
	uint8_t *fingerprints = NULL;
	int err = LINDUNG_ENOMEM;

	if (!peeling_new(&p, count) || (fingerprints = calloc(p.len, 1)) == NULL)
		goto done;
	err = LINDUNG_EINTERNAL;
	for (uint64_t seed = 0; seed < SEEDS_MAX; seed++) {
		p.shard.seed = seed * 0x9e3779b97f4a7c15u;
		/* Two equal hashes can never be peeled apart: rare enough to look only now. */
		if (seed == 3)
			count = hashes_unique(hashes, count);
		if (!peel(&p, hashes, count))
			continue;
		fingerprints_set(&p, count, fingerprints);
		*ret = (struct ld_fuse){.seed = p.shard.seed,
					.window = p.shard.window,
					.segment_mask = p.shard.segment_mask,
					.len = p.len,
					.fingerprints = fingerprints};
		fingerprints = NULL;
		err = LINDUNG_OK;
		break;
	}
done:
	free(fingerprints);
	peeling_free(&p);
	return err;
}
