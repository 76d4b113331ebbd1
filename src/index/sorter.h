/* Records in order of their keys, in bounded memory: sorted runs, then merged.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A record says: list `list`, line `line` puts rule `rule` with scope `scope` on this key.
 * Each thread fills a sorter of its own; ld_merge_* then reads all of them as one. */
#ifndef LD_INDEX_SORTER_H
#define LD_INDEX_SORTER_H

#include "base/error.h"
#include "base/span.h"
#include "index/format.h"

enum { LD_RECORD_SEALED = 0xff /* first octet of a key: see ld_sealed_record() */ };

struct ld_record {
	struct ld_span key; /* no zero octet in it; with LD_RECORD_SEALED it is a blinded one */
	uint16_t rule;
	uint16_t list;
	uint8_t scope;
	uint32_t line;
};

struct ld_sorter;

/** A sorter that keeps `memory_bytes` at most and writes what is more into unlinked files in
 * `directory`.  Errors: LINDUNG_ENOMEM. */
int ld_sorter_new(struct ld_sorter **ret, size_t memory_bytes, const char *directory);
void ld_sorter_free(struct ld_sorter *sorter);

/** Add a record. Errors: LINDUNG_EIO (errno: the disk is full ...), LINDUNG_ENOMEM. */
int ld_sorter_add(struct ld_sorter *sorter, const struct ld_record *record);

/** No more is added: sort what is in memory. */
int ld_sorter_finish(struct ld_sorter *sorter);

/** Give back what it holds, after the last merge: it is then empty, to be freed. */
void ld_sorter_clear(struct ld_sorter *sorter);

struct ld_merge;

/** Read `count` finished sorters, which must outlive the merge, as one. */
int ld_merge_new(struct ld_merge **ret, struct ld_sorter *const *sorters, unsigned count);
void ld_merge_free(struct ld_merge *merge);

/** The next record by key, then list, then line; its key is valid until the next call.
 * Errors: LINDUNG_ENOTFOUND at the end, LINDUNG_EIO. */
int ld_merge_next(struct ld_merge *merge, struct ld_record *ret);

#endif
