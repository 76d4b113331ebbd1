/* Appending: nothing unsigned is ever public, and nothing is signed that is not on the disk.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *  1. the new tiles and bundles are written to .private/stage and flushed, their directories made;
 *  2. the checkpoint over them is signed and written to .private/pending, and flushed: from here
 *     on the log is bound to that tree, and everything below is done again until it is through;
 *  3. the files are moved to their public places, which are flushed;
 *  4. witnesses are asked;
 *  5. the checkpoint takes the place of the one before, flushed: the append is acknowledged;
 *  6. pending and the parts of tiles that are full now are deleted.
 *
 * What fails in 1 or 2 leaves the log as it was. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log/disk.h"
#include "log/log_parts.h"

/* ---- Which files a growth brings ------------------------------------------------------------- */

typedef int each_tile(struct ld_log *log, const struct ld_tile *tile, struct ld_report *report);

/* Every tile, of hashes and of entries, that a tree of `new_size` has and one of `old_size` not. */
static int
for_new_tiles(struct ld_log *log, uint64_t old_size, uint64_t new_size, each_tile *each,
	      struct ld_report *report)
{
	for (int level = LD_TILE_ENTRIES; level < LD_TILE_LEVELS_MAX; level++) {
		uint64_t number = ld_tile_count(level, old_size) / LD_TILE_WIDTH;
		struct ld_tile tile;

		if (ld_tile_count(level, old_size) == ld_tile_count(level, new_size))
			continue;
		for (; ld_tile_of(&tile, level, number, new_size); number++) {
			int err = each(log, &tile, report);

			if (err != LINDUNG_OK)
				return err;
		}
	}
	return LINDUNG_OK;
}

/* The name of a tile in the stage: its path, flat. */
static void
stage_name(const struct ld_tile *tile, char name[LD_TILE_PATH_MAX])
{
	ld_tile_path(tile, name);
	for (char *c = name; *c != '\0'; c++) {
		if (*c == '/')
			*c = '_';
	}
}

/* ---- 1: the stage --------------------------------------------------------------------------- */

/* The hashes that this tile has in the tree as it is now, and how many: 0 for a new one. */
static int
tile_begun(struct ld_log *log, int level, uint64_t number, struct ld_hash hashes[LD_TILE_WIDTH],
	   unsigned *ret_kept, struct ld_report *report)
{
	struct ld_tile_source source = ld_log_tiles(log);
	struct ld_tile tile;
	int err;

	*ret_kept = 0;
	if (!ld_tile_of(&tile, level, number, log->now.size))
		return LINDUNG_OK;
	err = source.tile(source.ctx, &tile, hashes);
	if (err != LINDUNG_OK)
		return ld_fail(report, LINDUNG_EIO, "a tile cannot be read: %s",
			       lindung_strerror(err));
	*ret_kept = tile.width;
	return LINDUNG_OK;
}

/* Write what follows of one level: `fresh` hashes behind those that the tree has. */
static int
stage_level(struct ld_log *log, int level, uint64_t new_size, const struct ld_hash *fresh,
	    struct ld_report *report)
{
	uint64_t have = ld_tile_count(level, log->now.size), number = have / LD_TILE_WIDTH;
	struct ld_tile tile;

	for (; ld_tile_of(&tile, level, number, new_size); number++) {
		struct ld_hash hashes[LD_TILE_WIDTH];
		char name[LD_TILE_PATH_MAX], path[LD_TILE_PATH_MAX];
		unsigned kept;
		int err = tile_begun(log, level, number, hashes, &kept, report);

		if (err != LINDUNG_OK)
			return err;
		memcpy(hashes + kept, fresh, (tile.width - kept) * sizeof hashes[0]);
		fresh += tile.width - kept;
		stage_name(&tile, name);
		ld_tile_path(&tile, path);
		err = ld_disk_make_way(log->directory, path, 0755, report);
		if (err == LINDUNG_OK)
			err = ld_disk_write(log->stage, name,
					    ld_span(hashes, tile.width * sizeof hashes[0]), 0644,
					    report);
		if (err != LINDUNG_OK)
			return err;
	}
	return LINDUNG_OK;
}

void
ld_log_tile_root(struct ld_hash hashes[LD_TILE_WIDTH])
{
	for (unsigned n = LD_TILE_WIDTH; n > 1; n /= 2) {
		for (unsigned i = 0; i < n / 2; i++)
			ld_hash_node(&hashes[i], &hashes[2 * i], &hashes[2 * i + 1]);
	}
}

/* The roots of tiles of `level` that became full, in place over `fresh`; their number. */
static int
rise(struct ld_log *log, int level, uint64_t new_size, struct ld_hash *fresh, size_t *count,
     struct ld_report *report)
{
	uint64_t have = ld_tile_count(level, log->now.size), number = have / LD_TILE_WIDTH;
	size_t up = 0, at = 0;
	struct ld_tile tile;

	for (; ld_tile_of(&tile, level, number, new_size) && tile.width == LD_TILE_WIDTH;
	     number++) {
		struct ld_hash hashes[LD_TILE_WIDTH];
		unsigned kept;
		int err = tile_begun(log, level, number, hashes, &kept, report);

		if (err != LINDUNG_OK)
			return err;
		memcpy(hashes + kept, fresh + at, (LD_TILE_WIDTH - kept) * sizeof hashes[0]);
		at += LD_TILE_WIDTH - kept;
		ld_log_tile_root(hashes);
		fresh[up++] = hashes[0];
	}
	*count = up;
	return LINDUNG_OK;
}

static int
stage_hashes(struct ld_log *log, const struct ld_span *entries, size_t count,
	     struct ld_report *report)
{
	struct ld_hash *fresh = malloc(count * sizeof *fresh);
	uint64_t new_size = log->now.size + count;
	int err = LINDUNG_OK;

	if (fresh == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	for (size_t i = 0; i < count; i++)
		ld_hash_leaf(&fresh[i], entries[i]);
	for (int level = 0; level < LD_TILE_LEVELS_MAX && count != 0 && err == LINDUNG_OK;
	     level++) {
		err = stage_level(log, level, new_size, fresh, report);
		if (err == LINDUNG_OK)
			err = rise(log, level, new_size, fresh, &count, report);
	}
	free(fresh);
	return err;
}

static int
stage_bundle(struct ld_log *log, const struct ld_tile *tile, struct ld_span before,
	     const struct ld_span *entries, size_t count, struct ld_report *report)
{
	char name[LD_TILE_PATH_MAX], path[LD_TILE_PATH_MAX];
	struct ld_buffer bytes;
	int err;

	ld_buffer_init(&bytes, LD_BUNDLE_MAX_BYTES);
	ld_buffer_bytes(&bytes, before);
	for (size_t i = 0; i < count; i++) {
		uint8_t len[2];

		ld_put_be16(len, (uint16_t)entries[i].len);
		ld_buffer_bytes(&bytes, ld_span(len, sizeof len));
		ld_buffer_bytes(&bytes, entries[i]);
	}
	stage_name(tile, name);
	ld_tile_path(tile, path);
	err = bytes.failed ? ld_fail(report, LINDUNG_ENOMEM, "not enough memory") : LINDUNG_OK;
	if (err == LINDUNG_OK)
		err = ld_disk_make_way(log->directory, path, 0755, report);
	if (err == LINDUNG_OK)
		err = ld_disk_write(log->stage, name, ld_buffer_span(&bytes), 0644, report);
	ld_buffer_free(&bytes);
	return err;
}

static int
stage_entries(struct ld_log *log, const struct ld_span *entries, size_t count,
	      struct ld_report *report)
{
	uint64_t number = log->now.size / LD_TILE_WIDTH;
	struct ld_tile tile;
	int err;

	for (; ld_tile_of(&tile, LD_TILE_ENTRIES, number, log->now.size + count); number++) {
		struct ld_span before = {NULL, 0};
		unsigned kept = 0;

		if (number == log->now.size / LD_TILE_WIDTH && log->now.size % LD_TILE_WIDTH != 0) {
			err = ld_log_load_bundle(log, number, &log->now, report);
			if (err != LINDUNG_OK)
				return err;
			kept = log->bundle.width;
			before = ld_span(log->bundle_bytes.data, log->bundle_at[kept]);
		}
		err = stage_bundle(log, &tile, before, entries, tile.width - kept, report);
		if (err != LINDUNG_OK)
			return err;
		entries += tile.width - kept;
	}
	return LINDUNG_OK;
}

/* ---- 2: the signature ------------------------------------------------------------------------ */

static int
sign_pending(struct ld_log *log, const struct ld_span *entries, size_t count,
	     struct ld_report *report)
{
	struct ld_tree tree = log->tree;
	struct ld_checkpoint next = {.origin = log->now.origin};
	struct ld_buffer text;
	struct ld_note note;
	int err;

	for (size_t i = 0; i < count; i++) {
		struct ld_hash leaf;

		ld_hash_leaf(&leaf, entries[i]);
		ld_tree_append(&tree, &leaf);
	}
	next.size = tree.size;
	ld_tree_root_now(&tree, &next.root);
	ld_buffer_init(&text, LD_CHECKPOINT_MAX_BYTES);
	ld_buffer_free(&log->pending.note);
	ld_buffer_init(&log->pending.note, LD_CHECKPOINT_MAX_BYTES);
	err = ld_checkpoint_format(&text, &next);
	if (err == LINDUNG_OK)
		err = ld_note_sign(&log->pending.note, ld_buffer_span(&text), &log->signer, 1, 0);
	if (err == LINDUNG_OK)
		err = ld_note_parse(&note, ld_buffer_span(&log->pending.note), NULL);
	if (err == LINDUNG_OK)
		err = ld_checkpoint_parse(&log->pending.checkpoint, note.text, NULL);
	ld_buffer_free(&text);
	if (err != LINDUNG_OK)
		return ld_fail(report, err, "the checkpoint cannot be signed: %s",
			       lindung_strerror(err));
	return LINDUNG_OK;
}

/* Bind the log to what was signed.  A failure before the file is in its place leaves nothing; from
 * then on, whatever is said of the disk, it is there. */
static int
write_pending(struct ld_log *log, struct ld_report *report)
{
	int err;

	if (log->pending.is_durable)
		return LINDUNG_OK;
	err = ld_disk_write(log->private, LD_LOG_PENDING_NEW, ld_buffer_span(&log->pending.note),
			    0600, report);
	if (err != LINDUNG_OK)
		return err;
	err = ld_disk_move(log->private, LD_LOG_PENDING_NEW, log->private, LD_LOG_PENDING, report);
	if (err != LINDUNG_OK) {
		unlinkat(log->private, LD_LOG_PENDING_NEW, 0);
		return err;
	}
	log->pending.is_there = true;
	err = ld_disk_sync_parent(log->private, LD_LOG_PENDING, report);
	if (err == LINDUNG_OK)
		log->pending.is_durable = true;
	return err;
}

/* ---- 3 to 6 ---------------------------------------------------------------------------------- */

static int
move_tile(struct ld_log *log, const struct ld_tile *tile, struct ld_report *report)
{
	char name[LD_TILE_PATH_MAX], path[LD_TILE_PATH_MAX];

	stage_name(tile, name);
	ld_tile_path(tile, path);
	if (renameat(log->stage, name, log->directory, path) == 0)
		return LINDUNG_OK;
	/* Moved before, by one who did not come further. */
	if (errno == ENOENT && ld_disk_exists(log->directory, path))
		return LINDUNG_OK;
	return ld_fail(report, LINDUNG_EIO, "%s: cannot be put into its place: %s", path,
		       strerror(errno));
}

static int
flush_tile(struct ld_log *log, const struct ld_tile *tile, struct ld_report *report)
{
	char path[LD_TILE_PATH_MAX];

	ld_tile_path(tile, path);
	return ld_disk_sync_way(log->directory, path, report);
}

static int
move_stage(struct ld_log *log, struct ld_report *report)
{
	uint64_t size = log->pending.checkpoint.size;
	int err = for_new_tiles(log, log->now.size, size, move_tile, report);

	if (err != LINDUNG_OK)
		return err;
	return for_new_tiles(log, log->now.size, size, flush_tile, report);
}

/* The parts that a tile was, now that it is full. */
static int
drop_parts(struct ld_log *log, const struct ld_tile *tile, struct ld_report *report)
{
	char path[LD_TILE_PATH_MAX];
	struct ld_tile part = *tile;
	int fd;

	(void)report;
	if (tile->width != LD_TILE_WIDTH)
		return LINDUNG_OK;
	part.width = 1;
	ld_tile_path(&part, path);
	*strrchr(path, '/') = '\0';
	if (ld_disk_open(&fd, log->directory, path, NULL) != LINDUNG_OK)
		return LINDUNG_OK;
	ld_disk_clear(fd);
	close(fd);
	unlinkat(log->directory, path, AT_REMOVEDIR);
	return LINDUNG_OK;
}

/* Have witnesses sign what is in `note`; it must stay a checkpoint that we have signed. */
static int
ask_witnesses(struct ld_log *log, uint64_t old_size, const struct ld_checkpoint *checkpoint,
	      struct ld_buffer *note, struct ld_report *report)
{
	const struct ld_verifier *key = ld_signer_verifier(log->signer);
	struct ld_tile_source source = ld_log_tiles(log);
	struct ld_proof proof;
	struct ld_checkpoint after;
	struct ld_note parsed;
	uint64_t keys;
	int err;

	if (log->witness == NULL)
		return LINDUNG_OK;
	err = ld_tree_prove_consistency(&proof, old_size, checkpoint->size, &source);
	if (err != LINDUNG_OK)
		return ld_fail(report, err, "the proof for the witnesses cannot be made: %s",
			       lindung_strerror(err));
	err = log->witness(log->witness_ctx, old_size, &proof, note, report);
	if (err != LINDUNG_OK)
		return err;
	err = ld_note_parse(&parsed, ld_buffer_span(note), report);
	if (err == LINDUNG_OK)
		err = ld_note_verify(&parsed, &key, 1, &keys, NULL, report);
	if (err == LINDUNG_OK)
		err = ld_checkpoint_parse(&after, parsed.text, report);
	if (err == LINDUNG_OK &&
	    (after.size != checkpoint->size || !ld_hash_equal(&after.root, &checkpoint->root)))
		err = ld_fail(report, LINDUNG_EWITNESS,
			      "what came back from the witnesses is another checkpoint");
	return err;
}

static int
publish(struct ld_log *log, struct ld_span note, struct ld_report *report)
{
	return ld_disk_replace(log->private, LD_LOG_CHECKPOINT_NEW, log->directory, "checkpoint",
			       note, 0644, report);
}

static int
copy_note(struct ld_buffer *ret, struct ld_span note, struct ld_report *report)
{
	ld_buffer_init(ret, LD_CHECKPOINT_MAX_BYTES);
	ld_buffer_bytes(ret, note);
	return ret->failed ? ld_fail(report, LINDUNG_ENOMEM, "not enough memory") : LINDUNG_OK;
}

/* Grow the tree in memory by what was published. */
static int
grow(struct ld_log *log, struct ld_tree *ret, struct ld_report *report)
{
	struct ld_tile_source source = ld_log_tiles(log);
	struct ld_hash root;
	int err = ld_tree_load(ret, log->pending.checkpoint.size, &source);

	if (err != LINDUNG_OK)
		return ld_fail(report, err, "its tiles cannot be read: %s", lindung_strerror(err));
	ld_tree_root_now(ret, &root);
	if (!ld_hash_equal(&root, &log->pending.checkpoint.root))
		return ld_fail(report, LINDUNG_EDAMAGED,
			       "the tiles on the disk are not those that were signed");
	return LINDUNG_OK;
}

int
ld_log_finish(struct ld_log *log, struct ld_report *report)
{
	struct ld_buffer note;
	struct ld_tree tree;
	uint64_t old_size = log->now.size, new_size;
	int err;

	if (!log->pending.is_there)
		return LINDUNG_OK;
	new_size = log->pending.checkpoint.size;
	err = write_pending(log, report);
	if (err == LINDUNG_OK)
		err = move_stage(log, report);
	if (err == LINDUNG_OK)
		err = grow(log, &tree, report);
	if (err != LINDUNG_OK)
		return err;
	err = copy_note(&note, ld_buffer_span(&log->pending.note), report);
	if (err == LINDUNG_OK)
		err = ask_witnesses(log, old_size, &log->pending.checkpoint, &note, report);
	if (err == LINDUNG_OK)
		err = publish(log, ld_buffer_span(&note), report);
	if (err == LINDUNG_OK)
		err = ld_log_adopt(log, ld_buffer_span(&note), report);
	ld_buffer_free(&note);
	if (err != LINDUNG_OK)
		return err;
	log->tree = tree;
	log->pending.is_there = log->pending.is_durable = false;
	unlinkat(log->private, LD_LOG_PENDING, 0);
	for_new_tiles(log, old_size, new_size, drop_parts, NULL);
	return LINDUNG_OK;
}

bool
ld_log_is_pending(const struct ld_log *log)
{
	return log->pending.is_there;
}

int
ld_log_refresh(struct ld_log *log, struct ld_report *report)
{
	struct ld_buffer text, note;
	int err;

	if (log->signer == NULL)
		return ld_fail(report, LINDUNG_EINVAL, "%s: opened for reading", log->path);
	err = ld_log_finish(log, report);
	if (err != LINDUNG_OK || log->witness == NULL)
		return err;
	ld_buffer_init(&text, LD_CHECKPOINT_MAX_BYTES);
	ld_buffer_init(&note, LD_CHECKPOINT_MAX_BYTES);
	err = ld_checkpoint_format(&text, &log->now);
	if (err == LINDUNG_OK)
		err = ld_note_sign(&note, ld_buffer_span(&text), &log->signer, 1, 0);
	if (err != LINDUNG_OK)
		ld_fail(report, err, "the checkpoint cannot be signed: %s", lindung_strerror(err));
	if (err == LINDUNG_OK)
		err = ask_witnesses(log, log->now.size, &log->now, &note, report);
	if (err == LINDUNG_OK)
		err = publish(log, ld_buffer_span(&note), report);
	if (err == LINDUNG_OK)
		err = ld_log_adopt(log, ld_buffer_span(&note), report);
	ld_buffer_free(&text);
	ld_buffer_free(&note);
	return err;
}

static int
check_entries(const struct ld_log *log, const struct ld_span *entries, size_t count,
	      struct ld_report *report)
{
	if (log->signer == NULL)
		return ld_fail(report, LINDUNG_EINVAL, "%s: opened for reading", log->path);
	if (count == 0)
		return ld_fail(report, LINDUNG_EINVAL, "nothing to append");
	if (count > LD_LOG_APPEND_MAX || count > LD_TREE_SIZE_MAX - log->now.size)
		return ld_fail(report, LINDUNG_ELIMIT, "more than %d entries at once",
			       LD_LOG_APPEND_MAX);
	for (size_t i = 0; i < count; i++) {
		if (entries[i].len == 0 || entries[i].len > LD_ENTRY_MAX_BYTES)
			return ld_fail(report, LINDUNG_ELIMIT,
				       "an entry of %zu octets: 1 to %d are allowed",
				       entries[i].len, LD_ENTRY_MAX_BYTES);
	}
	return LINDUNG_OK;
}

int
ld_log_append(struct ld_log *log, const struct ld_span *entries, size_t count, uint64_t *ret_first,
	      struct ld_report *report)
{
	uint64_t first;
	int err = check_entries(log, entries, count, report);

	if (err == LINDUNG_OK)
		err = ld_log_finish(log, report);
	if (err != LINDUNG_OK)
		return err;
	first = log->now.size;
	err = stage_entries(log, entries, count, report);
	if (err == LINDUNG_OK)
		err = stage_hashes(log, entries, count, report);
	if (err == LINDUNG_OK && fsync(log->stage) != 0)
		err = ld_fail(report, LINDUNG_EIO, "%s/.private/" LD_LOG_STAGE ": %s", log->path,
			      strerror(errno));
	if (err == LINDUNG_OK)
		err = sign_pending(log, entries, count, report);
	if (err == LINDUNG_OK)
		err = write_pending(log, report);
	if (err != LINDUNG_OK && !log->pending.is_there) {
		ld_disk_clear(log->stage);
		return err;
	}
	if (err == LINDUNG_OK)
		err = ld_log_finish(log, report);
	if (err != LINDUNG_OK)
		return err;
	*ret_first = first;
	return LINDUNG_OK;
}

/* ---- After a crash --------------------------------------------------------------------------- */

static int
read_pending(struct ld_log *log, struct ld_report *report)
{
	const struct ld_verifier *key = ld_signer_verifier(log->signer);
	struct ld_note note;
	uint64_t keys;
	int err;

	ld_buffer_init(&log->pending.note, LD_CHECKPOINT_MAX_BYTES);
	err = ld_disk_read(log->private, LD_LOG_PENDING, &log->pending.note, report);
	if (err != LINDUNG_OK)
		return err;
	err = ld_note_parse(&note, ld_buffer_span(&log->pending.note), report);
	if (err == LINDUNG_OK)
		err = ld_note_verify(&note, &key, 1, &keys, NULL, report);
	if (err == LINDUNG_OK)
		err = ld_checkpoint_parse(&log->pending.checkpoint, note.text, report);
	if (err == LINDUNG_OK && !ld_span_equal(log->pending.checkpoint.origin, log->now.origin))
		err = LINDUNG_EDAMAGED;
	if (err != LINDUNG_OK)
		return ld_fail(report, LINDUNG_EDAMAGED,
			       ".private/" LD_LOG_PENDING " is damaged: it was signed, and what "
			       "it says must not be lost; restore it from a backup");
	return LINDUNG_OK;
}

int
ld_log_recover(struct ld_log *log, struct ld_report *report)
{
	const struct ld_checkpoint *next = &log->pending.checkpoint;
	struct ld_tree tree;
	int err = read_pending(log, report);

	if (err == LINDUNG_ENOTFOUND) {
		ld_disk_clear(log->stage);
		return LINDUNG_OK;
	}
	if (err != LINDUNG_OK)
		return err;
	if (next->size <= log->now.size) {
		/* It was published, and only its removal was interrupted. */
		if (next->size == log->now.size && !ld_hash_equal(&next->root, &log->now.root))
			return ld_fail(report, LINDUNG_EFORK,
				       ".private/" LD_LOG_PENDING " and the checkpoint are two "
				       "trees of %" PRIu64 " entries, both signed",
				       next->size);
		unlinkat(log->private, LD_LOG_PENDING, 0);
		ld_disk_clear(log->stage);
		return LINDUNG_OK;
	}
	if (next->size - log->now.size > LD_LOG_APPEND_MAX)
		return ld_fail(report, LINDUNG_EDAMAGED,
			       "the checkpoint is older than .private/" LD_LOG_PENDING
			       " by more than one append: it was restored from an old backup?");
	log->pending.is_there = true;
	err = ld_log_check_newest(log, report);
	if (err == LINDUNG_OK)
		err = move_stage(log, report);
	if (err == LINDUNG_OK)
		err = grow(log, &tree, report);
	return err;
}
