/* The first half of building: records, merged, become keys with tuples of rules.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_INDEX_GATHER_H
#define LD_INDEX_GATHER_H

#include "base/bytes.h"
#include "index/build.h"

enum {
	LD_GATHER_MARK_BLOCKS = 256,
	LD_GATHERED_HEADER = 4, /* before each key: its length (2), its tuple (2) */
};

/** Keys in order in an unlinked file, each behind its header, with what encoding needs to know of
 * them. */
struct ld_gathered {
	int fd;
	uint64_t len;
	uint64_t key_count, url_count, covered_count;
	uint64_t *marks; /* where block i * LD_GATHER_MARK_BLOCKS begins in the file */
	size_t mark_count;
	struct ld_buffer fences;                     /* u32 a block, as they stand in the file */
	struct ld_buffer steps[LD_INDEX_STEP_WORDS]; /* u64 a group each, likewise */
	struct ld_buffer prefixes;                   /* an octet a group, likewise */
	uint64_t *hashes;                            /* of every key, and of every sealed one */
	uint64_t hash_count;
	uint64_t sealed_count;
	struct ld_buffer sealed_hashes,
		sealed_tuples; /* as they stand in the file; u16, gathered */
	uint32_t labels_min, labels_max;
	bool octets[256];         /* that occur in keys */
	struct ld_buffer samples; /* whole blocks of keys, as in the file */
	/* The sections that speak of rules, ready: */
	struct ld_buffer categories, sources, targets, rules, tuples;
	uint32_t rule_count, tuple_count;
	uint64_t *tuple_changes; /* of each tuple: how often it begins */
	uint16_t *tuple_final;   /* of the numbers in the file: the final ones */
};

int ld_gather(struct ld_gathered *ret, const struct ld_rules *rules, struct ld_merge *merge,
	      const struct ld_build_options *options, const struct ld_build_rejects *rejects,
	      struct ld_report *report);
void ld_gathered_free(struct ld_gathered *gathered);

#endif
