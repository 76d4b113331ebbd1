/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/dictionary.h"

#include <stdlib.h>

#include "base/error.h"

enum {
	ROUNDS = 6,
	PAIR_SLOTS_MIN = 1 << 10,
	PAIR_SLOTS_MAX = 1 << 20,
	PAIR_COUNT_MIN = 3, /* a pair seen less often is no candidate */
};

static inline uint32_t
slot_of(uint64_t text, unsigned len)
{
	uint64_t hash = (text ^ (uint64_t)len << 59) * 0x9e3779b97f4a7c15u;

	return (uint32_t)(hash >> 50) & (LD_DICTIONARY_SLOTS - 1);
}

/* Code of this string, or -1. */
static inline int
code_find(const struct ld_dictionary *d, uint64_t text, unsigned len)
{
	for (uint32_t at = slot_of(text, len); d->slots[at] != 0;
	     at = (at + 1) & (LD_DICTIONARY_SLOTS - 1)) {
		unsigned code = d->slots[at] - 1u;

		if (d->texts[code] == text && d->lens[code] == len)
			return (int)code;
	}
	return -1;
}

static void
code_add(struct ld_dictionary *d, uint64_t text, unsigned len)
{
	uint32_t at = slot_of(text, len);
	uint8_t *longest = &d->longest[text & 0xffff];

	while (d->slots[at] != 0)
		at = (at + 1) & (LD_DICTIONARY_SLOTS - 1);
	d->texts[d->count] = text;
	d->lens[d->count] = (uint8_t)len;
	d->slots[at] = (uint16_t)++d->count;
	if (len > 1 && *longest < len)
		*longest = (uint8_t)len;
}

static void
dictionary_reset(struct ld_dictionary *d, const bool octets[256])
{
	memset(d, 0, sizeof *d);
	for (unsigned i = 0; i < 256; i++)
		if (octets[i])
			code_add(d, i, 1);
}

/* Up to 8 octets from here, zeros behind the end. */
static inline uint64_t
word_at(struct ld_span text, size_t at)
{
	uint64_t word = 0;
	size_t left = text.len - at;

	if (left >= 8)
		return ld_get_le64(text.data + at);
	for (size_t i = 0; i < left; i++)
		word |= (uint64_t)text.data[at + i] << (8 * i);
	return word;
}

uint32_t
ld_dictionary_encode(const struct ld_dictionary *d, struct ld_span text,
		     uint16_t codes[LD_INDEX_KEY_MAX])
{
	uint16_t best[LD_INDEX_KEY_MAX + 1], choice[LD_INDEX_KEY_MAX];
	uint32_t count = 0;

	LD_ASSERT(text.len <= LD_INDEX_KEY_MAX);
	/* From the end: the fewest codes for what lies behind each place; of two ways as short as
	 * each other the one with the longer first string. */
	best[text.len] = 0;
	for (size_t at = text.len; at-- > 0;) {
		uint64_t word = word_at(text, at);
		size_t left = text.len - at;
		unsigned longest = left > 1 ? d->longest[word & 0xffff] : 0;

		choice[at] = (uint16_t)code_find(d, word & 0xff, 1);
		best[at] = (uint16_t)(best[at + 1] + 1);
		if (longest > left)
			longest = (unsigned)left;
		for (unsigned len = 2; len <= longest; len++) {
			uint64_t part = len == 8 ? word : word & ((UINT64_C(1) << (8 * len)) - 1);
			int code = best[at + len] < best[at] ? code_find(d, part, len) : -1;

			if (code >= 0) {
				best[at] = (uint16_t)(best[at + len] + 1);
				choice[at] = (uint16_t)code;
			}
		}
	}
	for (size_t at = 0; at < text.len; at += d->lens[choice[at]])
		codes[count++] = choice[at];
	return count;
}

struct pair {
	uint16_t first, second;
	uint32_t count;
};

struct pairs {
	struct pair *slots;
	uint32_t size; /* a power of two */
	uint32_t used;
};

struct candidate {
	uint64_t gain;
	uint64_t text;
	uint8_t len;
};

static void
pair_count(struct pairs *pairs, uint16_t first, uint16_t second)
{
	uint32_t mask = pairs->size - 1;
	uint32_t at = (((uint32_t)first << 12 | second) * 2654435761u >> 12) & mask;

	while (pairs->slots[at].count != 0 &&
	       (pairs->slots[at].first != first || pairs->slots[at].second != second))
		at = (at + 1) & mask;
	if (pairs->slots[at].count == 0) {
		/* Past this the table would grow slow; what came first is kept. */
		if (pairs->used > pairs->size / 4 * 3)
			return;
		pairs->used++;
		pairs->slots[at].first = first;
		pairs->slots[at].second = second;
	}
	pairs->slots[at].count++;
}

static void
samples_count(const struct ld_dictionary *d, struct ld_span samples, uint32_t *singles,
	      struct pairs *pairs)
{
	uint16_t codes[LD_INDEX_KEY_MAX];

	memset(singles, 0, LD_INDEX_SYMBOLS_MAX * sizeof *singles);
	memset(pairs->slots, 0, pairs->size * sizeof *pairs->slots);
	pairs->used = 0;
	while (samples.len != 0) {
		size_t len = ld_get_le16(samples.data);
		uint32_t n = ld_dictionary_encode(d, ld_span(samples.data + 2, len), codes);

		for (uint32_t i = 0; i < n; i++) {
			singles[codes[i]]++;
			if (i + 1 < n &&
			    d->lens[codes[i]] + d->lens[codes[i + 1]] <= LD_INDEX_SYMBOL_BYTES_MAX)
				pair_count(pairs, codes[i], codes[i + 1]);
		}
		samples = ld_span_from(samples, 2 + len);
	}
}

static int
candidate_order(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->gain != y->gain)
		return x->gain > y->gain ? -1 : 1;
	if (x->len != y->len)
		return x->len > y->len ? -1 : 1;
	return (x->text > y->text) - (x->text < y->text);
}

static size_t
candidates_list(struct candidate *candidates, const struct ld_dictionary *d,
		const uint32_t *singles, const struct pairs *pairs)
{
	size_t n = 0;

	for (uint32_t i = 0; i < d->count; i++)
		if (d->lens[i] > 1 && singles[i] != 0)
			candidates[n++] = (struct candidate){(uint64_t)singles[i] * d->lens[i],
							     d->texts[i], d->lens[i]};
	for (uint32_t i = 0; i < pairs->size; i++) {
		const struct pair *p = &pairs->slots[i];

		if (p->count < PAIR_COUNT_MIN)
			continue;
		unsigned first = d->lens[p->first], second = d->lens[p->second];
		candidates[n++] =
			(struct candidate){(uint64_t)p->count * (first + second),
					   d->texts[p->first] | d->texts[p->second] << (8 * first),
					   (uint8_t)(first + second)};
	}
	qsort(candidates, n, sizeof *candidates, candidate_order);
	return n;
}

/* There are no more different pairs than octets. */
static uint32_t
pair_slots(struct ld_span samples)
{
	uint32_t size = PAIR_SLOTS_MIN;

	while (size < PAIR_SLOTS_MAX && size < 2 * samples.len)
		size *= 2;
	return size;
}

int
ld_dictionary_train(struct ld_dictionary *d, const bool octets[256], struct ld_span samples)
{
	struct pairs pairs = {.size = pair_slots(samples)};
	uint32_t *singles = malloc(LD_INDEX_SYMBOLS_MAX * sizeof *singles);
	struct candidate *candidates =
		malloc((LD_INDEX_SYMBOLS_MAX + pairs.size) * sizeof *candidates);
	int err = LINDUNG_ENOMEM;

	pairs.slots = malloc(pairs.size * sizeof *pairs.slots);
	if (singles == NULL || pairs.slots == NULL || candidates == NULL)
		goto done;
	dictionary_reset(d, octets);
	for (int round = 0; round < ROUNDS && samples.len != 0; round++) {
		samples_count(d, samples, singles, &pairs);
		size_t n = candidates_list(candidates, d, singles, &pairs);
		dictionary_reset(d, octets);
		for (size_t i = 0; i < n && d->count < LD_INDEX_SYMBOLS_MAX; i++)
			if (code_find(d, candidates[i].text, candidates[i].len) < 0)
				code_add(d, candidates[i].text, candidates[i].len);
	}
	err = LINDUNG_OK;
done:
	free(singles);
	free(pairs.slots);
	free(candidates);
	return err;
}
