/* Sorted records to an image file: merge, train, encode, filter, write.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The file is a pure function of the set of (key, rule, scope) and the options: not of the order of
 * lists, of threads, or of memory. */
#ifndef LD_INDEX_BUILD_H
#define LD_INDEX_BUILD_H

#include "index/format.h"
#include "index/rules.h"
#include "index/sorter.h"
#include "list/list.h"

/** Called now and then from the building thread; `done` of `total` in some unit. */
typedef void ld_progress(void *ctx, const char *what, uint64_t done, uint64_t total);

struct ld_build_options {
	uint32_t date_day;
	uint32_t suffix_date;
	bool overlay;
	bool drop_covered; /* leave out entries that their parents make needless */
	unsigned threads;
	const char *directory;    /* for scratch files */
	const uint8_t *blind_key; /* LD_SEALED_KEY_BYTES, where there are sealed records */
	ld_progress *progress;    /* or NULL */
	void *progress_ctx;
};

struct ld_build_stats {
	uint64_t keys; /* in the image */
	uint64_t urls; /* of them */
	uint64_t sealed;
	uint64_t covered; /* of them: blocked by a parent in the same categories (dropped ones too)
			   */
	uint64_t size_bytes;
	uint64_t section_bytes[LD_SECTION_COUNT];
	uint32_t rules, tuples, symbols;
};

/** Told of each record that gave no entry of its own. */
struct ld_build_rejects {
	void *ctx;
	void (*reject)(void *ctx, enum ld_reject reason, const struct ld_record *record);
};

/** Merge all sorters (finished; they are empty afterwards) and write the image to `path` as a
 * whole. */
int ld_build(const char *path, const struct ld_rules *rules, struct ld_sorter *const *sorters,
	     unsigned sorter_count, const struct ld_build_options *options,
	     const struct ld_build_rejects *rejects, struct ld_build_stats *ret,
	     struct ld_report *report);

#endif
