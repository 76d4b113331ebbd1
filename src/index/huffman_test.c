/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants those before it */
#include <cmocka.h>

#include "index/huffman.h"
#include "index/test_image.h"

enum { ORACLE_MAX = 24 };

/* The least cost of any prefix code of at most 12 bits, by trying how many of the open nodes of
 * each level become leaves.  Nothing of package-merge is in it. */
struct oracle {
	unsigned count;
	uint64_t frequency[ORACLE_MAX];  /* falling */
	uint64_t behind[ORACLE_MAX + 1]; /* sum of those from i on */
	uint64_t best[LD_HUFFMAN_BITS_MAX + 1][ORACLE_MAX + 1][ORACLE_MAX + 1];
};

static uint64_t
oracle_best(struct oracle *o, unsigned level, unsigned done, unsigned nodes)
{
	unsigned left = o->count - done;
	uint64_t least = UINT64_MAX;

	if (left == 0)
		return 0;
	if (nodes > left)
		nodes = left;
	if (nodes == 0 || (level == LD_HUFFMAN_BITS_MAX && nodes < left))
		return UINT64_MAX;
	if (nodes == left)
		return 0;
	if (o->best[level][done][nodes] != 0)
		return o->best[level][done][nodes];
	for (unsigned leaves = 0; leaves <= nodes; leaves++) {
		uint64_t rest = o->behind[done + leaves];
		uint64_t cost;

		if (level == LD_HUFFMAN_BITS_MAX)
			cost = leaves == left ? 0 : UINT64_MAX;
		else
			cost = oracle_best(o, level + 1, done + leaves, 2 * (nodes - leaves));
		if (cost != UINT64_MAX && cost + rest < least)
			least = cost + rest;
	}
	o->best[level][done][nodes] = least;
	return least;
}

static int
falling(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x < y) - (x > y);
}

static void
check_optimal(const uint64_t *frequencies, unsigned count)
{
	struct oracle *o = calloc(1, sizeof *o);
	uint8_t lengths[ORACLE_MAX];
	uint64_t cost = 0, kraft = 0;

	assert_non_null(o);
	assert_int_equal(ld_huffman_lengths(lengths, frequencies, count), LINDUNG_OK);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(lengths[i] == 0, frequencies[i] == 0);
		assert_true(lengths[i] <= LD_HUFFMAN_BITS_MAX);
		cost += frequencies[i] * lengths[i];
		kraft += lengths[i] != 0 ? 1u << (LD_HUFFMAN_BITS_MAX - lengths[i]) : 0;
		if (frequencies[i] != 0)
			o->frequency[o->count++] = frequencies[i];
	}
	assert_true(kraft <= 1u << LD_HUFFMAN_BITS_MAX);
	qsort(o->frequency, o->count, sizeof *o->frequency, falling);
	for (unsigned i = o->count; i-- > 0;)
		o->behind[i] = o->behind[i + 1] + o->frequency[i];
	if (o->count >= 2)
		assert_int_equal(cost, oracle_best(o, 0, 0, 1));
	free(o);
}

static void
test_optimal(void **state)
{
	uint64_t seed = ld_test_seed(1);
	uint64_t frequencies[ORACLE_MAX];

	(void)state;
	for (int round = 0; round < 3000; round++) {
		unsigned count = 2 + (unsigned)(ld_test_random(&seed) % (ORACLE_MAX - 2));
		unsigned shift = (unsigned)(ld_test_random(&seed) % 40);

		for (unsigned i = 0; i < count; i++) {
			uint64_t f = ld_test_random(&seed);

			/* Flat, steep and with holes. */
			frequencies[i] = f % 7 == 0 ? 0 : (f >> 32 >> (shift * i / count % 32)) + 1;
		}
		check_optimal(frequencies, count);
	}
}

static void
test_limit(void **state)
{
	uint64_t fibonacci[ORACLE_MAX] = {1, 1};
	uint8_t lengths[ORACLE_MAX];
	unsigned longest = 0;

	(void)state;
	for (unsigned i = 2; i < ORACLE_MAX; i++)
		fibonacci[i] = fibonacci[i - 1] + fibonacci[i - 2];
	for (unsigned count = 3; count <= ORACLE_MAX; count++)
		check_optimal(fibonacci, count);
	/* Without the limit the rarest would take 23 bits. */
	assert_int_equal(ld_huffman_lengths(lengths, fibonacci, ORACLE_MAX), LINDUNG_OK);
	for (unsigned i = 0; i < ORACLE_MAX; i++)
		longest = lengths[i] > longest ? lengths[i] : longest;
	assert_int_equal(longest, LD_HUFFMAN_BITS_MAX);
}

static void
test_few_symbols(void **state)
{
	uint64_t frequencies[5] = {0, 0, 9, 0, 0};
	uint8_t lengths[5];
	struct ld_huffman decoder;

	(void)state;
	assert_int_equal(ld_huffman_lengths(lengths, frequencies, 5), LINDUNG_OK);
	assert_memory_equal(lengths, "\0\0\1\0\0", 5);
	/* The other bit is no code. */
	assert_int_equal(ld_huffman_decoder(&decoder, ld_span(lengths, 5)), LINDUNG_OK);
	assert_int_equal(decoder.table[0], 2 << 4 | 1);
	assert_int_equal(decoder.table[1], 0);
	frequencies[4] = UINT64_C(1) << 40;
	assert_int_equal(ld_huffman_lengths(lengths, frequencies, 5), LINDUNG_OK);
	assert_memory_equal(lengths, "\0\0\1\0\1", 5);
	memset(frequencies, 0, sizeof frequencies);
	assert_int_equal(ld_huffman_lengths(lengths, frequencies, 5), LINDUNG_OK);
	assert_memory_equal(lengths, "\0\0\0\0\0", 5);
	assert_int_equal(ld_huffman_decoder(&decoder, ld_span(lengths, 5)), LINDUNG_OK);
	for (unsigned i = 0; i < 1u << LD_HUFFMAN_BITS_MAX; i++)
		assert_int_equal(decoder.table[i], 0);
	assert_int_equal(ld_huffman_lengths(lengths, frequencies, 0), LINDUNG_OK);
}

/* What is coded is what is decoded, with any bits behind it. */
static void
test_decodes(void **state)
{
	uint64_t seed = ld_test_seed(2);
	static uint64_t frequencies[LD_HUFFMAN_SYMBOLS_MAX];
	static uint8_t lengths[LD_HUFFMAN_SYMBOLS_MAX];
	static uint16_t codes[LD_HUFFMAN_SYMBOLS_MAX];
	static struct ld_huffman decoder;

	(void)state;
	for (unsigned i = 0; i < LD_HUFFMAN_SYMBOLS_MAX; i++)
		frequencies[i] = ld_test_random(&seed) >> (ld_test_random(&seed) % 60 + 4);
	assert_int_equal(ld_huffman_lengths(lengths, frequencies, LD_HUFFMAN_SYMBOLS_MAX),
			 LINDUNG_OK);
	ld_huffman_codes(codes, lengths, LD_HUFFMAN_SYMBOLS_MAX);
	assert_int_equal(ld_huffman_decoder(&decoder, ld_span(lengths, sizeof lengths)),
			 LINDUNG_OK);
	for (unsigned i = 0; i < LD_HUFFMAN_SYMBOLS_MAX; i++) {
		if (lengths[i] == 0)
			continue;
		for (unsigned behind = 0; behind < 1u << (LD_HUFFMAN_BITS_MAX - lengths[i]);
		     behind++)
			assert_int_equal(decoder.table[codes[i] | behind << lengths[i]],
					 i << 4 | lengths[i]);
	}
}

static void
test_refuses(void **state)
{
	static const struct {
		const char *lengths;
		size_t count;
		int err;
	} cases[] = {
		{"\1\1", 2, LINDUNG_OK},
		{"\1\1\1", 3, LINDUNG_EDAMAGED},
		{"\1\1\14", 3, LINDUNG_EDAMAGED},
		{"\1\2\2\2", 4, LINDUNG_EDAMAGED},
		{"\1\2\3\4\5\6\7\10\11\12\13\14\14", 13, LINDUNG_OK},
		{"\1\2\3\4\5\6\7\10\11\12\13\14\14\14", 14, LINDUNG_EDAMAGED},
		{"\15", 1, LINDUNG_EDAMAGED},
		{"\377", 1, LINDUNG_EDAMAGED},
		{"", 0, LINDUNG_OK},
	};
	static uint8_t many[LD_HUFFMAN_SYMBOLS_MAX + 1];
	struct ld_huffman decoder;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(
			ld_huffman_decoder(&decoder, ld_span(cases[i].lengths, cases[i].count)),
			cases[i].err);
	assert_int_equal(ld_huffman_decoder(&decoder, ld_span(many, sizeof many)),
			 LINDUNG_EDAMAGED);
	assert_int_equal(ld_huffman_decoder(&decoder, ld_span(many, sizeof many - 1)), LINDUNG_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_optimal),     cmocka_unit_test(test_limit),
		cmocka_unit_test(test_few_symbols), cmocka_unit_test(test_decodes),
		cmocka_unit_test(test_refuses),
	};

	return cmocka_run_group_tests_name("huffman", tests, NULL, NULL);
}
