/* The Merkle tree of RFC 6962 section 2: hashes, inclusion and consistency proofs (RFC 9162 section
 * 2.1.3 and 2.1.4 verify them), and the tiles of C2SP tlog-tiles in which it is kept.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Pure.  Who has the tiles hands them over through struct ld_tile_source. */
#ifndef LD_LOG_MERKLE_H
#define LD_LOG_MERKLE_H

#include "base/bytes.h"
#include "base/error.h"
#include "base/span.h"

enum {
	LD_HASH_BYTES = 32,
	LD_PROOF_HASHES_MAX = 64,
	LD_TILE_WIDTH = 256, /* hashes; entries of a bundle */
	LD_TILE_BYTES = LD_TILE_WIDTH * LD_HASH_BYTES,
	LD_TILE_LEVELS_MAX = 8,
	LD_TILE_PATH_MAX = 96,
	LD_ENTRY_MAX_BYTES = 65535, /* of a log: 16 bits say its length */
	LD_BUNDLE_MAX_BYTES = LD_TILE_WIDTH * (2 + LD_ENTRY_MAX_BYTES),
};

#define LD_TREE_SIZE_MAX ((uint64_t)INT64_MAX)

struct ld_hash {
	uint8_t bytes[LD_HASH_BYTES];
};

struct ld_proof {
	unsigned count;
	struct ld_hash hashes[LD_PROOF_HASHES_MAX];
};

void ld_hash_leaf(struct ld_hash *ret, struct ld_span entry);
void ld_hash_node(struct ld_hash *ret, const struct ld_hash *left, const struct ld_hash *right);
/** The root of the empty tree. */
void ld_hash_empty(struct ld_hash *ret);
/** SHA-256 of octets. */
void ld_hash_of(struct ld_hash *ret, struct ld_span bytes);
bool ld_hash_equal(const struct ld_hash *a, const struct ld_hash *b);

/** Errors: LINDUNG_ESIGNATURE where it does not prove it. */
int ld_proof_check_inclusion(const struct ld_proof *proof, uint64_t index, uint64_t size,
			     const struct ld_hash *leaf, const struct ld_hash *root);
int ld_proof_check_consistency(const struct ld_proof *proof, uint64_t old_size, uint64_t new_size,
			       const struct ld_hash *old_root, const struct ld_hash *new_root);

/** A tile: level 0 to 7 of hashes, or entries. */
enum { LD_TILE_ENTRIES = -1 };

struct ld_tile {
	int level; /* or LD_TILE_ENTRIES */
	uint64_t number;
	unsigned width; /* 1 to LD_TILE_WIDTH */
};

/** "tile/0/x001/067.p/5", terminated; LD_TILE_PATH_MAX octets.  Returns its length. */
size_t ld_tile_path(const struct ld_tile *tile, char *path);
/** Errors: LINDUNG_ESYNTAX: not exactly what ld_tile_path() writes. */
int ld_tile_parse(struct ld_tile *ret, struct ld_span path);

/** How many hashes (or entries) of that level a tree of `size` has in tiles. */
uint64_t ld_tile_count(int level, uint64_t size);
/** The tile with that number as a tree of `size` has it: full, or the part that is there.  False:
 * it has none. */
bool ld_tile_of(struct ld_tile *ret, int level, uint64_t number, uint64_t size);
/** The next entry of a bundle (tile/entries/...).  False at its end; `bundle->failed` where it is
 * cut. */
bool ld_bundle_next(struct ld_reader *bundle, struct ld_span *ret_entry);

/** Where tiles come from: `width` hashes of that tile into `ret` (a wider tile will do, cut). */
struct ld_tile_source {
	void *ctx;
	int (*tile)(void *ctx, const struct ld_tile *tile, struct ld_hash *ret);
};

/** Errors: those of the source, LINDUNG_EINVAL (past the size). */
int ld_tree_root(struct ld_hash *ret, uint64_t size, const struct ld_tile_source *source);
int ld_tree_prove_inclusion(struct ld_proof *ret, uint64_t index, uint64_t size,
			    const struct ld_tile_source *source);
int ld_tree_prove_consistency(struct ld_proof *ret, uint64_t old_size, uint64_t new_size,
			      const struct ld_tile_source *source);

/** A tree that only grows, in memory of a few hashes: for followers and auditors. */
struct ld_tree {
	uint64_t size;
	struct ld_hash edge[64]; /* of the full subtrees, by the bits of size */
};
/** As it was at `size`; nothing is checked: compare ld_tree_root_now() with what is known. */
int ld_tree_load(struct ld_tree *ret, uint64_t size, const struct ld_tile_source *source);
void ld_tree_append(struct ld_tree *tree, const struct ld_hash *leaf);
void ld_tree_root_now(const struct ld_tree *tree, struct ld_hash *ret);

#endif
