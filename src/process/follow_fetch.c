/* What comes from the log, verified.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "process/follow_parts.h"

enum {
	URL_MAX = 2048 + 128,
	BUNDLE_MAX_BYTES = LD_TILE_WIDTH * (2 + 65535),
	STATUS_OK = 200,
	STATUS_PART = 206,
	STATUS_SAME = 304,
	STATUS_NONE = 404,
	PART_MIN_BYTES = 64 * 1024, /* of a block, that are worth keeping */
};

static void
url_make(const struct ld_follow *f, const char *path, char url[URL_MAX])
{
	size_t len = strlen(f->config.url);

	while (len > 0 && f->config.url[len - 1] == '/')
		len--;
	snprintf(url, URL_MAX, "%.*s/%s", (int)len, f->config.url, path);
}

static void
fetch_all(struct ld_follow *f, struct ld_fetch *fetches, size_t count)
{
	uint64_t had = 0;

	ld_follow_moves(f);
	for (size_t i = 0; i < count; i++)
		had += fetches[i].resume_from;
	ld_fetch_all(f->fetcher, fetches, count);
	f->result->requests += count;
	for (size_t i = 0; i < count; i++) {
		f->result->bytes += fetches[i].body.len;
		if (fetches[i].retry_after_s > f->result->retry_after_s)
			f->result->retry_after_s = fetches[i].retry_after_s;
	}
	f->result->bytes -= had < f->result->bytes ? had : 0;
}

/* An answer that is no file. */
static int
status_fail(const struct ld_fetch *fetch, struct ld_report *report)
{
	if (fetch->error != LINDUNG_OK) {
		*report = fetch->report;
		return fetch->error;
	}
	return ld_fail(report, LINDUNG_ENET, "%.300s: the server answers %u", fetch->url,
		       fetch->status);
}

static bool
is_file(const struct ld_fetch *fetch)
{
	return fetch->error == LINDUNG_OK &&
	       (fetch->status == STATUS_OK || fetch->status == STATUS_PART);
}

/* ---- The checkpoint ------------------------------------------------------------------------- */

int
ld_follow_checkpoint(struct ld_follow *f, time_t now_s, struct ld_buffer *ret,
		     struct ld_trusted *ret_trusted, char tag[LD_FETCH_TAG_MAX], bool *ret_new,
		     struct ld_report *report)
{
	char url[URL_MAX];
	struct ld_fetch fetch = {.url = url, .limit_bytes = LD_CHECKPOINT_MAX_BYTES};
	bool has = f->checkpoint.len != 0;
	struct ld_checkpoint now;
	struct ld_report why;
	int err;

	url_make(f, "checkpoint", url);
	if (has)
		memcpy(fetch.tag, f->checkpoint_tag, sizeof fetch.tag);
	ld_buffer_init(&fetch.body, LD_CHECKPOINT_MAX_BYTES);
	fetch_all(f, &fetch, 1);
	if (has && fetch.error == LINDUNG_OK && fetch.status == STATUS_SAME)
		ld_buffer_bytes(&fetch.body, ld_buffer_span(&f->checkpoint));
	else if (!is_file(&fetch)) {
		err = status_fail(&fetch, report);
		ld_buffer_free(&fetch.body);
		return err;
	}
	/* Also one that is the same: it may have grown too old. */
	err = ld_checkpoint_check(ret_trusted, ld_buffer_span(&fetch.body),
				  ld_policy_trust(f->policy), (uint64_t)now_s, &why);
	if (err != LINDUNG_OK)
		ld_fail(report, err, "%.250s: %.230s", url, why.text);
	now = ret_trusted->checkpoint;
	if (err == LINDUNG_OK && has && now.size < f->seen.size)
		err = ld_fail(report, LINDUNG_EROLLBACK,
			      "%.200s: rollback: it shows %llu statements, and %llu were seen", url,
			      (unsigned long long)now.size, (unsigned long long)f->seen.size);
	if (err == LINDUNG_OK && has && now.size == f->seen.size &&
	    !ld_hash_equal(&now.root, &f->seen.root))
		err = ld_fail(report, LINDUNG_EFORK,
			      "%.200s: fork: another history of the same %llu statements", url,
			      (unsigned long long)now.size);
	if (err == LINDUNG_EFORK)
		ld_follow_evidence_write(f, ld_buffer_span(&fetch.body));
	if (err != LINDUNG_OK) {
		ld_buffer_free(&fetch.body);
		return err;
	}
	*ret_new =
		!has || !ld_span_equal(ld_buffer_span(&fetch.body), ld_buffer_span(&f->checkpoint));
	memcpy(tag, fetch.tag, sizeof fetch.tag);
	*ret = fetch.body;
	return LINDUNG_OK;
}

/* ---- Fork, or a mirror that lies ------------------------------------------------------------- */

struct tiles {
	struct ld_follow *f;
	uint64_t size;
};

static int
tile_fetch(void *ctx, const struct ld_tile *tile, struct ld_hash *ret)
{
	const struct tiles *tiles = ctx;
	char path[LD_TILE_PATH_MAX], url[URL_MAX];
	struct ld_fetch fetch = {.url = url, .limit_bytes = LD_TILE_BYTES};
	struct ld_tile whole = *tile;
	size_t wanted = (size_t)tile->width * LD_HASH_BYTES;
	int err = LINDUNG_ENET;

	/* As the tree has it; once it has grown past that, whole. */
	(void)ld_tile_of(&whole, tile->level, tile->number, tiles->size);
	for (int i = 0; i < 2 && err != LINDUNG_OK; i++) {
		ld_tile_path(&whole, path);
		url_make(tiles->f, path, url);
		fetch.body.len = 0;
		fetch_all(tiles->f, &fetch, 1);
		if (is_file(&fetch) && fetch.body.len >= wanted) {
			memcpy(ret, fetch.body.data, wanted);
			err = LINDUNG_OK;
		}
		whole.width = LD_TILE_WIDTH;
	}
	ld_buffer_free(&fetch.body);
	return err;
}

/* The entries do not give the checkpoint's root: is the log another one, or the mirror wrong? */
static int
mismatch_tell(struct ld_follow *f, const struct ld_checkpoint *to, struct ld_report *report)
{
	struct tiles tiles = {f, to->size};
	struct ld_tile_source source = {&tiles, tile_fetch};
	struct ld_checkpoint old = {.origin = to->origin, .size = f->tree.size};
	struct ld_report why;
	int err;

	if (f->tree.size == 0 || to->size <= f->tree.size)
		return ld_fail(report, LINDUNG_EDAMAGED,
			       "%.200s: the entries are not those of the checkpoint",
			       f->config.url);
	ld_tree_root_now(&f->tree, &old.root);
	err = ld_checkpoint_continues(&old, to, &source, &why);
	if (err == LINDUNG_EFORK)
		return ld_fail(
			report, err,
			"%.200s: fork: its %llu statements do not continue the %llu that were "
			"seen",
			f->config.url, (unsigned long long)to->size,
			(unsigned long long)f->tree.size);
	/* It is the log that we know, and the entries are not its; or neither are the tiles. */
	return ld_fail(
		report, LINDUNG_EDAMAGED,
		err == LINDUNG_OK
			? "%.200s: the entries are not those of the log: the mirror is wrong"
			: "%.200s: neither entries nor tiles are those of the checkpoint: the "
			  "mirror is wrong, or the log forked",
		f->config.url);
}

/* ---- Entries -------------------------------------------------------------------------------- */

/* The octets of the entries of one bundle that are had already. */
struct had {
	struct ld_buffer *body;
};

static int
had_add(void *ctx, uint64_t index, struct ld_span entry)
{
	struct had *had = ctx;
	uint8_t len[2];

	(void)index;
	ld_put_be16(len, (uint16_t)entry.len);
	ld_buffer_bytes(had->body, ld_span(len, sizeof len));
	ld_buffer_bytes(had->body, entry);
	return LINDUNG_OK;
}

static int
bundle_prepare(struct ld_follow *f, uint64_t number, uint64_t size, char url[URL_MAX],
	       struct ld_fetch *fetch, struct ld_report *report)
{
	uint64_t first = number * LD_TILE_WIDTH;
	char path[LD_TILE_PATH_MAX];
	struct ld_tile tile;
	int err = LINDUNG_OK;

	(void)ld_tile_of(&tile, LD_TILE_ENTRIES, number, size);
	ld_tile_path(&tile, path);
	url_make(f, path, url);
	*fetch = (struct ld_fetch){.url = url, .limit_bytes = BUNDLE_MAX_BYTES};
	ld_buffer_init(&fetch->body, BUNDLE_MAX_BYTES);
	if (first < f->tree.size) {
		/* It begins with what we have: only the rest is to come. */
		struct had had = {&fetch->body};

		err = ld_follow_entries(f, first, f->tree.size, had_add, &had, report);
		fetch->resume_from = fetch->body.len;
	}
	return err;
}

/* The entries of a bundle that are new, behind the others. */
static int
bundle_take(struct ld_follow *f, struct ld_fetch *fetch, uint64_t number, uint64_t size,
	    struct ld_tree *tree, struct ld_buffer *ret, struct ld_report *report)
{
	uint64_t index = number * LD_TILE_WIDTH, end = index + LD_TILE_WIDTH;
	struct ld_reader r = ld_reader(ld_buffer_span(&fetch->body));
	struct ld_span entry;

	end = end < size ? end : size;
	for (; index < end && ld_bundle_next(&r, &entry); index++) {
		struct ld_hash leaf;
		uint8_t len[2];

		if (index < f->tree.size)
			continue;
		ld_hash_leaf(&leaf, entry);
		ld_tree_append(tree, &leaf);
		ld_put_be16(len, (uint16_t)entry.len);
		ld_buffer_bytes(ret, ld_span(len, sizeof len));
		ld_buffer_bytes(ret, entry);
	}
	if (index != end)
		return ld_fail(report, LINDUNG_EDAMAGED, "%.300s: it has fewer entries than named",
			       fetch->url);
	return ret->failed ? ld_fail(report, LINDUNG_ELIMIT, "too much is new at once")
			   : LINDUNG_OK;
}

/* Some bundles at a time, in order. */
static int
bundles_some(struct ld_follow *f, uint64_t first, unsigned count, uint64_t size,
	     struct ld_tree *tree, struct ld_buffer *ret, struct ld_report *report)
{
	char urls[LD_FOLLOW_BUNDLES][URL_MAX];
	struct ld_fetch fetches[LD_FOLLOW_BUNDLES] = {0};
	int err = LINDUNG_OK;

	for (unsigned i = 0; i < count && err == LINDUNG_OK; i++)
		err = bundle_prepare(f, first + i, size, urls[i], &fetches[i], report);
	if (err == LINDUNG_OK)
		fetch_all(f, fetches, count);
	for (unsigned i = 0; i < count && err == LINDUNG_OK; i++) {
		if (fetches[i].status == STATUS_NONE) {
			/* The log has grown since: the bundle is whole now. */
			char path[LD_TILE_PATH_MAX];
			struct ld_tile tile = {LD_TILE_ENTRIES, first + i, LD_TILE_WIDTH};

			ld_tile_path(&tile, path);
			url_make(f, path, urls[i]);
			fetch_all(f, &fetches[i], 1);
		}
		err = is_file(&fetches[i])
			      ? bundle_take(f, &fetches[i], first + i, size, tree, ret, report)
			      : status_fail(&fetches[i], report);
	}
	for (unsigned i = 0; i < count; i++)
		ld_buffer_free(&fetches[i].body);
	return err;
}

int
ld_follow_bundles(struct ld_follow *f, const struct ld_checkpoint *to, struct ld_buffer *ret,
		  struct ld_tree *ret_tree, struct ld_report *report)
{
	uint64_t next = f->tree.size / LD_TILE_WIDTH;
	uint64_t end = (to->size + LD_TILE_WIDTH - 1) / LD_TILE_WIDTH;
	struct ld_tree tree = f->tree;
	struct ld_hash root;
	int err = LINDUNG_OK;

	while (next < end && err == LINDUNG_OK) {
		unsigned count =
			end - next < LD_FOLLOW_BUNDLES ? (unsigned)(end - next) : LD_FOLLOW_BUNDLES;

		err = bundles_some(f, next, count, to->size, &tree, ret, report);
		next += count;
	}
	/* The rest of another history does not even fit behind what we have. */
	if (err == LINDUNG_EDAMAGED)
		return mismatch_tell(f, to, report);
	if (err != LINDUNG_OK)
		return err;
	ld_tree_root_now(&tree, &root);
	if (!ld_hash_equal(&root, &to->root))
		return mismatch_tell(f, to, report);
	*ret_tree = tree;
	return LINDUNG_OK;
}

/* ---- Blocks --------------------------------------------------------------------------------- */

static void
block_prepare(struct ld_follow *f, const uint8_t hash[32], char url[URL_MAX],
	      struct ld_fetch *fetch)
{
	char name[80], path[FOLLOW_PATH_MAX];
	struct ld_map map;

	ld_follow_block_name(name, hash, "");
	url_make(f, name, url);
	*fetch = (struct ld_fetch){.url = url, .limit_bytes = LD_BLOCK_STORED_MAX_BYTES};
	ld_buffer_init(&fetch->body, LD_BLOCK_STORED_MAX_BYTES);
	ld_follow_block_name(name, hash, ".part");
	if (ld_map_open(&map, ld_follow_path(f, name, path)) != LINDUNG_OK)
		return;
	ld_buffer_bytes(&fetch->body, map.bytes);
	fetch->resume_from = fetch->body.failed ? 0 : fetch->body.len;
	ld_map_close(&map);
}

static int
block_take(struct ld_follow *f, const uint8_t hash[32], struct ld_fetch *fetch,
	   struct ld_report *report)
{
	char name[80], path[FOLLOW_PATH_MAX];
	struct ld_report why;
	struct ld_hash is;
	int err;

	ld_follow_block_name(name, hash, ".part");
	if (!is_file(fetch)) {
		if (fetch->resume_from >= PART_MIN_BYTES)
			(void)ld_follow_block_write(
				f, name, ld_span(fetch->body.data, fetch->resume_from), &why);
		return status_fail(fetch, report);
	}
	(void)unlink(ld_follow_path(f, name, path));
	ld_hash_of(&is, ld_buffer_span(&fetch->body));
	if (memcmp(is.bytes, hash, LD_HASH_BYTES) != 0)
		return ld_fail(report, LINDUNG_EDAMAGED,
			       "%.300s: its content has another hash: it is not used", fetch->url);
	ld_follow_block_name(name, hash, "");
	err = ld_follow_block_write(f, name, ld_buffer_span(&fetch->body), report);
	return err;
}

int
ld_follow_blocks(struct ld_follow *f, const uint8_t (*hashes)[32], size_t count,
		 struct ld_report *report)
{
	int err = LINDUNG_OK;

	for (size_t first = 0; first < count; first += LD_FOLLOW_BLOCKS) {
		char urls[LD_FOLLOW_BLOCKS][URL_MAX];
		struct ld_fetch fetches[LD_FOLLOW_BLOCKS];
		size_t some = count - first < LD_FOLLOW_BLOCKS ? count - first : LD_FOLLOW_BLOCKS;

		for (size_t i = 0; i < some; i++)
			block_prepare(f, hashes[first + i], urls[i], &fetches[i]);
		fetch_all(f, fetches, some);
		for (size_t i = 0; i < some; i++) {
			struct ld_report why;
			int one = block_take(f, hashes[first + i], &fetches[i], &why);

			ld_buffer_free(&fetches[i].body);
			if (one == LINDUNG_OK || err != LINDUNG_OK)
				continue;
			err = one;
			*report = why;
		}
	}
	return err;
}
