/* Reading a log: tiles, entries, blocks.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>

#include "log/block.h"
#include "log/disk.h"
#include "log/log_parts.h"
#include "log/text.h"

int
ld_log_read_tile(struct ld_log *log, const struct ld_tile *tile, struct ld_buffer *ret,
		 struct ld_report *report)
{
	char path[LD_TILE_PATH_MAX];
	struct ld_tile full = *tile;
	int err;

	ld_tile_path(tile, path);
	err = ld_disk_read(log->directory, path, ret, report);
	if (err == LINDUNG_ENOTFOUND && tile->width < LD_TILE_WIDTH) {
		full.width = LD_TILE_WIDTH;
		ld_tile_path(&full, path);
		if (ld_disk_read(log->directory, path, ret, NULL) == LINDUNG_OK)
			return LINDUNG_OK;
	}
	if (err == LINDUNG_ENOTFOUND || err == LINDUNG_ELIMIT)
		return ld_fail(report, LINDUNG_EDAMAGED, "%s: a tile is missing or too long: %s",
			       log->path, path);
	return err;
}

static int
source_tile(void *ctx, const struct ld_tile *tile, struct ld_hash *ret)
{
	struct ld_log *log = ctx;
	struct ld_tile *kept;
	struct ld_buffer bytes;
	int err;

	if (tile->level < 0 || tile->level >= LD_TILE_LEVELS_MAX || tile->width == 0 ||
	    tile->width > LD_TILE_WIDTH)
		return LINDUNG_EINVAL;
	kept = &log->tiles[tile->level].tile;
	if (kept->number != tile->number || kept->width < tile->width) {
		ld_buffer_init(&bytes, LD_TILE_BYTES);
		err = ld_log_read_tile(log, tile, &bytes, NULL);
		if (err == LINDUNG_OK && bytes.len != LD_TILE_BYTES &&
		    bytes.len != (size_t)tile->width * LD_HASH_BYTES)
			err = LINDUNG_EDAMAGED;
		if (err != LINDUNG_OK) {
			ld_buffer_free(&bytes);
			return err;
		}
		memcpy(log->tiles[tile->level].hashes, bytes.data, bytes.len);
		*kept = *tile;
		kept->width = (unsigned)(bytes.len / LD_HASH_BYTES);
		ld_buffer_free(&bytes);
	}
	memcpy(ret, log->tiles[tile->level].hashes, (size_t)tile->width * LD_HASH_BYTES);
	return LINDUNG_OK;
}

struct ld_tile_source
ld_log_tiles(struct ld_log *log)
{
	return (struct ld_tile_source){.ctx = log, .tile = source_tile};
}

/* Whether the tile that begins with this leaf belongs to the tree. */
static int
check_leaves(struct ld_log *log, const struct ld_tile *tile, const struct ld_hash *leaf,
	     const struct ld_checkpoint *tree)
{
	struct ld_tile_source source = ld_log_tiles(log);
	uint64_t first = tile->number * LD_TILE_WIDTH;
	struct ld_proof proof;
	int err;

	/* The proof of one leaf goes through every other leaf of its tile, full or not. */
	err = ld_tree_prove_inclusion(&proof, first, tree->size, &source);
	if (err == LINDUNG_OK)
		err = ld_proof_check_inclusion(&proof, first, tree->size, leaf, &tree->root);
	return err;
}

int
ld_log_cut_bundle(struct ld_span bytes, unsigned width, size_t *at, struct ld_hash *leaves)
{
	struct ld_reader reader = ld_reader(bytes);
	struct ld_span entry;

	for (unsigned i = 0; i < width; i++) {
		at[i] = reader.at;
		if (!ld_bundle_next(&reader, &entry))
			return LINDUNG_EDAMAGED;
		ld_hash_leaf(&leaves[i], entry);
	}
	at[width] = reader.at;
	return LINDUNG_OK;
}

int
ld_log_load_bundle(struct ld_log *log, uint64_t number, const struct ld_checkpoint *tree,
		   struct ld_report *report)
{
	struct ld_hash leaves[LD_TILE_WIDTH], kept[LD_TILE_WIDTH];
	struct ld_tile bundle, tile;
	int err;

	if (!ld_tile_of(&bundle, LD_TILE_ENTRIES, number, tree->size))
		return ld_fail(report, LINDUNG_ENOTFOUND, "%s: it has %" PRIu64 " entries",
			       log->path, tree->size);
	if (log->bundle.width == bundle.width && log->bundle.number == number)
		return LINDUNG_OK;
	log->bundle.width = 0;
	ld_buffer_free(&log->bundle_bytes);
	ld_buffer_init(&log->bundle_bytes, LD_BUNDLE_MAX_BYTES);
	err = ld_log_read_tile(log, &bundle, &log->bundle_bytes, report);
	if (err != LINDUNG_OK)
		return err;
	tile = bundle;
	tile.level = 0;
	err = ld_log_cut_bundle(ld_buffer_span(&log->bundle_bytes), bundle.width, log->bundle_at,
				leaves);
	if (err == LINDUNG_OK)
		err = source_tile(log, &tile, kept);
	if (err == LINDUNG_OK && memcmp(kept, leaves, bundle.width * sizeof leaves[0]) != 0)
		err = LINDUNG_EDAMAGED;
	if (err == LINDUNG_OK)
		err = check_leaves(log, &tile, &leaves[0], tree);
	if (err == LINDUNG_EIO || err == LINDUNG_ENOMEM)
		return ld_fail(report, err,
			       "%s: the tiles of entries from %" PRIu64 " on cannot be read",
			       log->path, number * LD_TILE_WIDTH);
	if (err != LINDUNG_OK)
		return ld_fail(report, LINDUNG_EDAMAGED,
			       "%s: entries from %" PRIu64 " on are not what the tree says",
			       log->path, number * LD_TILE_WIDTH);
	log->bundle = bundle;
	return LINDUNG_OK;
}

int
ld_log_entry(struct ld_log *log, uint64_t index, struct ld_buffer *ret, struct ld_report *report)
{
	unsigned within = (unsigned)(index % LD_TILE_WIDTH);
	struct ld_span entry;
	int err;

	if (index >= log->now.size)
		return ld_fail(report, LINDUNG_ENOTFOUND, "%s: it has %" PRIu64 " entries",
			       log->path, log->now.size);
	err = ld_log_load_bundle(log, index / LD_TILE_WIDTH, &log->now, report);
	if (err != LINDUNG_OK)
		return err;
	entry = ld_span(log->bundle_bytes.data + log->bundle_at[within] + 2,
			log->bundle_at[within + 1] - log->bundle_at[within] - 2);
	ld_buffer_bytes(ret, entry);
	return ret->failed ? ld_fail(report, LINDUNG_ENOMEM, "not enough memory") : LINDUNG_OK;
}

/* ---- Blocks --------------------------------------------------------------------------------- */

enum { BLOCK_PATH_MAX = 6 + 2 * LD_HASH_BYTES + 1 };

static void
block_path(char path[BLOCK_PATH_MAX], const uint8_t hash[LD_HASH_BYTES])
{
	memcpy(path, "block/", 6);
	ld_text_to_hex(path + 6, ld_span(hash, LD_HASH_BYTES));
}

int
ld_log_get_block(struct ld_log *log, const uint8_t hash[LD_HASH_BYTES], struct ld_buffer *ret,
		 struct ld_report *report)
{
	char path[BLOCK_PATH_MAX];
	struct ld_buffer bytes;
	struct ld_hash is;
	int err;

	block_path(path, hash);
	ld_buffer_init(&bytes, LD_BLOCK_STORED_MAX_BYTES);
	err = ld_disk_read(log->directory, path, &bytes, report);
	if (err == LINDUNG_ELIMIT)
		err = LINDUNG_EDAMAGED;
	if (err != LINDUNG_OK)
		return err;
	ld_hash_of(&is, ld_buffer_span(&bytes));
	if (memcmp(is.bytes, hash, LD_HASH_BYTES) != 0) {
		err = ld_fail(report, LINDUNG_EDAMAGED,
			      "%s/%s: the block is not what its name says", log->path, path);
	} else {
		ld_buffer_bytes(ret, ld_buffer_span(&bytes));
		if (ret->failed)
			err = ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	}
	ld_buffer_free(&bytes);
	return err;
}

int
ld_log_put_block(struct ld_log *log, const uint8_t hash[LD_HASH_BYTES], struct ld_span stored,
		 struct ld_report *report)
{
	char path[BLOCK_PATH_MAX];
	struct ld_buffer there;
	struct ld_hash is;
	bool good;
	int err;

	if (log->signer == NULL)
		return ld_fail(report, LINDUNG_EINVAL, "%s: opened for reading", log->path);
	if (stored.len > LD_BLOCK_STORED_MAX_BYTES)
		return ld_fail(report, LINDUNG_ELIMIT, "a block of more than %d bytes",
			       LD_BLOCK_STORED_MAX_BYTES);
	ld_hash_of(&is, stored);
	if (memcmp(is.bytes, hash, LD_HASH_BYTES) != 0)
		return ld_fail(report, LINDUNG_EDAMAGED, "the block is not what its hash says");
	block_path(path, hash);
	ld_buffer_init(&there, LD_BLOCK_STORED_MAX_BYTES);
	good = ld_log_get_block(log, hash, &there, NULL) == LINDUNG_OK;
	ld_buffer_free(&there);
	/* It may be there because of one who was killed before the directory was flushed. */
	if (good)
		return ld_disk_sync_way(log->directory, path, report);
	err = ld_disk_make_way(log->directory, path, 0755, report);
	if (err != LINDUNG_OK)
		return err;
	err = ld_disk_replace(log->private, LD_LOG_BLOCK_NEW, log->directory, path, stored, 0644,
			      report);
	return err == LINDUNG_OK ? ld_disk_sync_way(log->directory, path, report) : err;
}
