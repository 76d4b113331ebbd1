/* Images for tests, from lists in our own format (formats/list.md), built without the checks that
 * ordinary lists must pass.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_INDEX_TEST_IMAGE_H
#define LD_INDEX_TEST_IMAGE_H

#include "index/build.h"
#include "index/layers.h"

struct ld_test_options {
	unsigned sorters;    /* 0: 1 */
	size_t memory_bytes; /* of each; 0: 16 MiB */
	unsigned threads;    /* 0: 1 */
	uint64_t shuffle;    /* not 0: entries come in an order made of it */
	bool overlay;
	bool drop_covered;
	const char *directory; /* for scratch files; NULL: /tmp */
};

/** Build an image at `path` from lines in our own format. */
int ld_test_build(const char *path, struct ld_span list, const struct ld_test_options *options,
		  struct ld_build_stats *ret, struct ld_report *report);

/** The same, opened; ends the program with a message if that fails. */
struct lindung *ld_test_open(const char *list);
/** Build and lay over. */
int ld_test_overlay(struct lindung *list, const char *text);

/** Judge a name, or a URL if it has a '/'; an error ends the program. */
struct lindung_answer ld_test_ask(const struct lindung *list, const char *text, uint64_t active);
bool ld_test_blocked(const struct lindung *list, const char *text);

/** The bit of a category; one that there is not ends the program. */
uint64_t ld_test_bit(const struct lindung *list, const char *category);

/** The next number of a sequence (splitmix64: Steele, Lea, Flood, OOPSLA 2014). */
static inline uint64_t
ld_test_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/** LINDUNG_TEST_SEED, or the default; printed, so that a failure can be had again. */
uint64_t ld_test_seed(uint64_t fallback);

#endif
