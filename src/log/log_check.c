/* Every public file of a log, whether anybody reads it or not, against what the entries give.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log/disk.h"
#include "log/log_parts.h"
#include "log/text.h"

struct check {
	struct ld_log *log;
	ld_log_fault *fault;
	void *ctx;
	/* Of the full tiles of the level that is checked: the hashes of the one above. */
	struct ld_hash *roots;
	size_t root_count;
};

/* What a tile, or a bundle, has to have in its file. */
struct content {
	struct ld_span bytes;
	size_t at[LD_TILE_WIDTH + 1]; /* where each hash or entry begins, and the last ends */
};

/* False: there is no such file. */
static bool
file_check(const struct check *c, const char *path, struct ld_span is)
{
	struct ld_buffer bytes;
	int err;

	ld_buffer_init(&bytes, is.len);
	err = ld_disk_read(c->log->directory, path, &bytes, NULL);
	if (err != LINDUNG_ENOTFOUND &&
	    (err != LINDUNG_OK || !ld_span_equal(ld_buffer_span(&bytes), is)))
		c->fault(c->ctx, path, "is not what the statements give");
	ld_buffer_free(&bytes);
	return err != LINDUNG_ENOTFOUND;
}

/* The file of a tile as the tree has it, and of the parts that it was. */
static void
tile_check(const struct check *c, const struct ld_tile *tile, const struct content *content)
{
	struct ld_tile full = *tile, part = *tile;
	char path[LD_TILE_PATH_MAX], full_path[LD_TILE_PATH_MAX];

	ld_tile_path(tile, path);
	full.width = LD_TILE_WIDTH;
	ld_tile_path(&full, full_path);
	/* The log may have gone on meanwhile. */
	if (!file_check(c, path, ld_span_first(content->bytes, content->at[tile->width])) &&
	    !ld_disk_exists(c->log->directory, full_path))
		c->fault(c->ctx, path, "is missing");
	part.width = 1;
	ld_tile_path(&part, path);
	*strrchr(path, '/') = '\0';
	if (!ld_disk_exists(c->log->directory, path))
		return;
	for (; part.width < tile->width; part.width++) {
		ld_tile_path(&part, path);
		file_check(c, path, ld_span_first(content->bytes, content->at[part.width]));
	}
}

static void
hashes_check(struct check *c, const struct ld_tile *tile, struct ld_hash *hashes)
{
	struct content content = {.bytes = ld_span(hashes, tile->width * sizeof hashes[0])};

	for (unsigned i = 0; i <= tile->width; i++)
		content.at[i] = i * sizeof hashes[0];
	tile_check(c, tile, &content);
	if (tile->width == LD_TILE_WIDTH) {
		ld_log_tile_root(hashes);
		c->roots[c->root_count++] = hashes[0];
	}
}

/* A bundle, and the tile of its leaves.  False: no entries can be had of it. */
static bool
bundle_check(struct check *c, const struct ld_tile *bundle)
{
	struct ld_hash leaves[LD_TILE_WIDTH];
	struct ld_tile tile = *bundle;
	struct content content;
	char path[LD_TILE_PATH_MAX];
	struct ld_buffer bytes;
	int err;

	ld_buffer_init(&bytes, LD_BUNDLE_MAX_BYTES);
	err = ld_log_read_tile(c->log, bundle, &bytes, NULL);
	content.bytes = ld_buffer_span(&bytes);
	if (err == LINDUNG_OK)
		err = ld_log_cut_bundle(content.bytes, bundle->width, content.at, leaves);
	if (err == LINDUNG_OK) {
		tile_check(c, bundle, &content);
		tile.level = 0;
		hashes_check(c, &tile, leaves);
	} else {
		ld_tile_path(bundle, path);
		c->fault(c->ctx, path, "has not the statements that it should have");
	}
	ld_buffer_free(&bytes);
	return err == LINDUNG_OK;
}

static void
tiles_check(struct check *c)
{
	struct ld_tile tile;

	for (uint64_t i = 0; ld_tile_of(&tile, LD_TILE_ENTRIES, i, c->log->now.size); i++)
		if (!bundle_check(c, &tile))
			return;
	for (int level = 1; level < LD_TILE_LEVELS_MAX; level++) {
		struct ld_hash *hashes = c->roots;

		/* In place: a level has fewer hashes than the one below it has tiles. */
		c->root_count = 0;
		for (uint64_t i = 0; ld_tile_of(&tile, level, i, c->log->now.size); i++) {
			hashes_check(c, &tile, hashes);
			hashes += tile.width;
		}
	}
}

/* Also those that no statement names. */
static void
blocks_check(const struct check *c)
{
	int fd = openat(c->log->directory, "block", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		uint8_t hash[LD_HASH_BYTES];
		char path[sizeof entry->d_name + 8];
		struct ld_buffer bytes;

		if (!ld_text_from_hex(hash, LD_HASH_BYTES, ld_span_str(entry->d_name)))
			continue;
		ld_buffer_init(&bytes, SIZE_MAX);
		snprintf(path, sizeof path, "block/%s", entry->d_name);
		if (ld_log_get_block(c->log, hash, &bytes, NULL) != LINDUNG_OK)
			c->fault(c->ctx, path, "is not what its name says");
		ld_buffer_free(&bytes);
	}
	if (dir != NULL)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

int
ld_log_check_files(struct ld_log *log, ld_log_fault *fault, void *ctx, struct ld_report *report)
{
	struct check check = {.log = log, .fault = fault, .ctx = ctx};

	check.roots = calloc(log->now.size / LD_TILE_WIDTH + 1, sizeof *check.roots);
	if (check.roots == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	tiles_check(&check);
	blocks_check(&check);
	free(check.roots);
	return LINDUNG_OK;
}
