/* What a log is made of: for log.c, log_read.c and log_append.c alone.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_LOG_LOG_PARTS_H
#define LD_LOG_LOG_PARTS_H

#include "log/log.h"

/* Below DIR/.private. */
#define LD_LOG_LOCK "lock"
#define LD_LOG_PENDING "pending"
#define LD_LOG_PENDING_NEW "pending.new"
#define LD_LOG_CHECKPOINT_NEW "checkpoint.new"
#define LD_LOG_BLOCK_NEW "block.new"
#define LD_LOG_STAGE "stage"

struct ld_log {
	char *path;
	int directory;
	/* Of a writer; else -1 and NULL. */
	int private;
	int stage;
	int lock;
	const struct ld_signer *signer;
	ld_log_witness *witness;
	void *witness_ctx;

	struct ld_buffer checkpoint; /* as it is served */
	struct ld_checkpoint now;    /* what it says; points into it */
	struct ld_tree tree;         /* a writer's, at now.size */

	/* A checkpoint that is signed and not public yet. */
	struct {
		bool is_there;
		bool is_durable; /* in DIR/.private/pending, for certain */
		struct ld_buffer note;
		struct ld_checkpoint checkpoint; /* points into it */
	} pending;

	/* The tile that was read last, of each level. */
	struct {
		struct ld_tile tile; /* width 0: none */
		struct ld_hash hashes[LD_TILE_WIDTH];
	} tiles[LD_TILE_LEVELS_MAX];
	/* The bundle that was read last, checked against the tree of `bundle_size`. */
	struct ld_tile bundle; /* width 0: none */
	struct ld_buffer bundle_bytes;
	size_t bundle_at[LD_TILE_WIDTH + 1];
};

/** Read and check the pending checkpoint that a crash left, put its files into their places. */
int ld_log_recover(struct ld_log *log, struct ld_report *report);
/** No file is there of a tree that is larger than the checkpoint's, or than the pending one's.
 * Errors: LINDUNG_EDAMAGED. */
int ld_log_check_newest(struct ld_log *log, struct ld_report *report);
/** Take what `bytes` says for what the log says now. */
int ld_log_adopt(struct ld_log *log, struct ld_span bytes, struct ld_report *report);
/** Read the file of a tile: that part, or the full one (a part may be gone by then). */
int ld_log_read_tile(struct ld_log *log, const struct ld_tile *tile, struct ld_buffer *ret,
		     struct ld_report *report);
/** The root of a full tile's hashes, into the first of them; the others are used up. */
void ld_log_tile_root(struct ld_hash hashes[LD_TILE_WIDTH]);
/** Where the first `width` entries of a bundle begin, and the last of them ends; their hashes.
 * Errors: LINDUNG_EDAMAGED. */
int ld_log_cut_bundle(struct ld_span bytes, unsigned width, size_t *at, struct ld_hash *leaves);
/** The entries of a tile of entries, as a tree of `size` with that root has them, into
 * log->bundle_bytes.  Errors: LINDUNG_EDAMAGED, LINDUNG_EIO. */
int ld_log_load_bundle(struct ld_log *log, uint64_t number, const struct ld_checkpoint *tree,
		       struct ld_report *report);

#endif
