/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants those before it */
#include <cmocka.h>

#include "index/fuse.h"
#include "index/image.h"
#include "index/test_image.h"

static bool
fuse_holds(const struct ld_fuse *fuse, uint64_t hash)
{
	const struct ld_shard shard = {
		.seed = fuse->seed, .window = fuse->window, .segment_mask = fuse->segment_mask};
	struct ld_place probe = ld_shard_place(&shard, hash);

	for (int i = 0; i < 3; i++)
		assert_true(probe.at[i] < fuse->len);
	assert_true(probe.at[0] != probe.at[1] && probe.at[1] != probe.at[2]);
	return (fuse->fingerprints[probe.at[0]] ^ fuse->fingerprints[probe.at[1]] ^
		fuse->fingerprints[probe.at[2]]) == probe.fingerprint;
}

static void
check_count(uint32_t count, uint64_t *seed)
{
	uint64_t *hashes = malloc((count + 1) * sizeof *hashes);
	uint64_t *kept = malloc((count + 1) * sizeof *kept);
	struct ld_fuse fuse;
	unsigned wrong = 0, asked = 200000;

	assert_non_null(hashes);
	assert_non_null(kept);
	for (uint32_t i = 0; i < count; i++)
		kept[i] = hashes[i] = ld_test_random(seed);
	assert_int_equal(ld_fuse_build(&fuse, hashes, count), LINDUNG_OK);
	for (uint32_t i = 0; i < count; i++)
		assert_true(fuse_holds(&fuse, kept[i]));
	for (unsigned i = 0; i < asked; i++)
		wrong += fuse_holds(&fuse, ld_test_random(seed));
	/* 781 of 200,000 are to be expected, 28 the deviation.  In small filters most fingerprints
	 * are 0, and whether three of them make the right one is a draw for each of 256 values. */
	printf("%u hashes: %.3f slots each, %u of %u wrong\n", count,
	       count != 0 ? (double)fuse.len / count : 0.0, wrong, asked);
	assert_in_range(wrong, 600, 1000);
	if (count >= 100000)
		assert_true(fuse.len < 1.20 * count);
	free(fuse.fingerprints);
	free(hashes);
	free(kept);
}

static void
test_counts(void **state)
{
	static const uint32_t counts[] = {0, 1, 2, 3, 4, 5, 8, 10, 31, 100, 1000, 9999, 100000};
	uint64_t seed = ld_test_seed(3);

	(void)state;
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		check_count(counts[i], &seed);
}

/* Every small count, many times: a seed must be found for each. */
static void
test_small(void **state)
{
	uint64_t seed = ld_test_seed(4), hashes[64], kept[64];

	(void)state;
	for (int round = 0; round < 300; round++) {
		for (uint32_t count = 0; count <= 64; count++) {
			struct ld_fuse fuse;

			for (uint32_t i = 0; i < count; i++)
				kept[i] = hashes[i] = ld_test_random(&seed);
			assert_int_equal(ld_fuse_build(&fuse, hashes, count), LINDUNG_OK);
			for (uint32_t i = 0; i < count; i++)
				assert_true(fuse_holds(&fuse, kept[i]));
			free(fuse.fingerprints);
		}
	}
}

static void
test_equal_hashes(void **state)
{
	static uint64_t hashes[1000], kept[1000];
	uint64_t seed = ld_test_seed(5);

	(void)state;
	for (unsigned different = 1; different < 1000; different = different * 3 + 1) {
		struct ld_fuse fuse;

		for (unsigned i = 0; i < 1000; i++)
			kept[i] = hashes[i] =
				i < different ? ld_test_random(&seed) : kept[i % different];
		assert_int_equal(ld_fuse_build(&fuse, hashes, 1000), LINDUNG_OK);
		for (unsigned i = 0; i < 1000; i++)
			assert_true(fuse_holds(&fuse, kept[i]));
		free(fuse.fingerprints);
	}
}

/* The file must not tell in which order its names came. */
static void
test_order_does_not_matter(void **state)
{
	enum { COUNT = 5000 };
	static uint64_t a[COUNT], b[COUNT];
	uint64_t seed = ld_test_seed(6);
	struct ld_fuse x, y;

	(void)state;
	for (unsigned i = 0; i < COUNT; i++)
		a[i] = b[COUNT - 1 - i] = ld_test_random(&seed);
	assert_int_equal(ld_fuse_build(&x, a, COUNT), LINDUNG_OK);
	assert_int_equal(ld_fuse_build(&y, b, COUNT), LINDUNG_OK);
	assert_int_equal(x.seed, y.seed);
	assert_int_equal(x.len, y.len);
	assert_memory_equal(x.fingerprints, y.fingerprints, x.len);
	free(x.fingerprints);
	free(y.fingerprints);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_equal_hashes),
		cmocka_unit_test(test_order_does_not_matter),
	};

	return cmocka_run_group_tests_name("fuse", tests, NULL, NULL);
}
