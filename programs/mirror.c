/* SPDX-License-Identifier: BSD-2-Clause */
#include "mirror.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "log/block.h"
#include "log/log.h"
#include "net/fetch.h"

enum {
	CONNECT_MS = 10 * 1000,
	STALL_MS = 30 * 1000,
	TOTAL_MS = 10 * 60 * 1000,
	NAME_MAX_BYTES = 128, /* of a file of the log */
};

struct mirror {
	struct ld_report *report;
	const char *url, *folder;
	struct ld_fetcher *fetcher;
	struct ld_buffer bytes; /* of the checkpoint */
	struct ld_checkpoint checkpoint;
	uint64_t had; /* statements that were here before */
	/* Files that came and are not verified yet, each terminated: taken away where they are not
	 * of the log. */
	struct ld_buffer fresh;
	/* Files to fetch. */
	unsigned wanted;
	char names[LD_FETCH_AT_ONCE_MAX][NAME_MAX_BYTES];
	size_t limit_bytes;
	bool may_be_missing;
};

static int
fail_net(struct mirror *m, const char *url, const struct ld_fetch *fetch)
{
	if (fetch->error != LINDUNG_OK)
		return ld_fail(m->report, fetch->error, "%s: %.300s", url, fetch->report.text);
	return ld_fail(m->report, LINDUNG_ENET, "%s: the server answers %u", url, fetch->status);
}

static char *
path_make(const char *folder, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", folder, name) >= 0 ? path : NULL;
}

/* Make the folders that the file stands in, and write it. */
static int
file_write(struct mirror *m, const char *name, struct ld_span bytes)
{
	char *path = path_make(m->folder, name);
	struct ld_replace file;
	int err;

	if (path == NULL)
		return ld_fail(m->report, LINDUNG_ENOMEM, "not enough memory");
	for (char *slash = path + strlen(m->folder) + 1; (slash = strchr(slash, '/')) != NULL;
	     slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	err = ld_replace_begin(&file, path, m->report);
	if (err == LINDUNG_OK && ld_write_all(file.fd, bytes.data, bytes.len) != LINDUNG_OK) {
		err = ld_fail(m->report, LINDUNG_EIO, "%s: %s", path, strerror(errno));
		ld_replace_abandon(&file);
	} else if (err == LINDUNG_OK) {
		err = ld_replace_commit(&file, m->report);
	}
	free(path);
	return err;
}

/* ---- Fetching
 * -------------------------------------------------------------------------------------- */

/* A block's name says its hash. */
static bool
is_what_it_says(const char *name, struct ld_span bytes)
{
	char hex[2 * LD_HASH_BYTES + 1];
	struct ld_hash hash;

	if (strncmp(name, "block/", 6) != 0)
		return true;
	ld_hash_of(&hash, bytes);
	for (int i = 0; i < LD_HASH_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash.bytes[i]);
	return strcmp(name + 6, hex) == 0;
}

static int
fetched_take(struct mirror *m, const char *name, const struct ld_fetch *fetch)
{
	if (fetch->error == LINDUNG_OK && fetch->status == 404 && m->may_be_missing)
		return LINDUNG_OK;
	if (fetch->error != LINDUNG_OK || fetch->status != 200)
		return fail_net(m, fetch->url, fetch);
	if (!is_what_it_says(name, ld_buffer_span(&fetch->body)))
		return ld_fail(m->report, LINDUNG_EDAMAGED,
			       "%s: it does not have the hash that it is named by", fetch->url);
	ld_buffer_bytes(&m->fresh, ld_span(name, strlen(name) + 1));
	return file_write(m, name, ld_buffer_span(&fetch->body));
}

static int
wanted_fetch(struct mirror *m)
{
	struct ld_fetch fetches[LD_FETCH_AT_ONCE_MAX] = {{0}};
	char *urls[LD_FETCH_AT_ONCE_MAX] = {NULL};
	unsigned count = m->wanted;
	int err = LINDUNG_OK;

	for (unsigned i = 0; i < count; i++) {
		urls[i] = path_make(m->url, m->names[i]);
		if (urls[i] == NULL)
			err = ld_fail(m->report, LINDUNG_ENOMEM, "not enough memory");
		fetches[i].url = urls[i];
		fetches[i].limit_bytes = m->limit_bytes;
		ld_buffer_init(&fetches[i].body, m->limit_bytes);
	}
	if (err == LINDUNG_OK)
		ld_fetch_all(m->fetcher, fetches, count);
	for (unsigned i = 0; i < count; i++) {
		if (err == LINDUNG_OK)
			err = fetched_take(m, m->names[i], &fetches[i]);
		ld_buffer_free(&fetches[i].body);
		free(urls[i]);
	}
	m->wanted = 0;
	return err;
}

/* Fetch a file that is not here, with others, at the latest when wanted_fetch() is called. */
static int
want(struct mirror *m, const char *name)
{
	char *path = path_make(m->folder, name);
	bool here = path != NULL && access(path, F_OK) == 0;

	free(path);
	if (here)
		return LINDUNG_OK;
	snprintf(m->names[m->wanted++], NAME_MAX_BYTES, "%s", name);
	return m->wanted == LD_FETCH_AT_ONCE_MAX ? wanted_fetch(m) : LINDUNG_OK;
}

static int
level_fetch(struct mirror *m, int level)
{
	uint64_t count = ld_tile_count(level, m->checkpoint.size);
	char name[LD_TILE_PATH_MAX];
	struct ld_tile tile;
	int err = LINDUNG_OK;

	m->limit_bytes = level == LD_TILE_ENTRIES ? LD_BUNDLE_MAX_BYTES : LD_TILE_BYTES;
	for (uint64_t i = 0; err == LINDUNG_OK && i <= count; i++) {
		if (!ld_tile_of(&tile, level, i, m->checkpoint.size))
			continue;
		ld_tile_path(&tile, name);
		err = want(m, name);
	}
	return err == LINDUNG_OK ? wanted_fetch(m) : err;
}

/* ---- Verifying
 * ---------------------------------------------------------------------------------------- */

static int
tile_read(void *ctx, const struct ld_tile *tile, struct ld_hash *ret)
{
	struct mirror *m = ctx;
	struct ld_tile has;
	char name[LD_TILE_PATH_MAX], *path;
	uint8_t *data;
	size_t len;
	int err;

	/* A tile that has become wider since is here as that. */
	if (!ld_tile_of(&has, tile->level, tile->number, m->checkpoint.size))
		return LINDUNG_ENOTFOUND;
	ld_tile_path(&has, name);
	path = path_make(m->folder, name);
	err = path != NULL ? ld_read_file(path, LD_TILE_BYTES, &data, &len, m->report)
			   : LINDUNG_ENOMEM;
	free(path);
	if (err != LINDUNG_OK)
		return err;
	if (len != (size_t)has.width * LD_HASH_BYTES || tile->width > has.width)
		err = LINDUNG_EDAMAGED;
	else
		memcpy(ret, data, (size_t)tile->width * LD_HASH_BYTES);
	free(data);
	return err;
}

static int
bundle_check(struct mirror *m, uint64_t number)
{
	struct ld_hash hashes[LD_TILE_WIDTH], leaf;
	struct ld_tile tile, bundle;
	char name[LD_TILE_PATH_MAX], *path;
	struct ld_span entry;
	uint8_t *data;
	size_t len;
	unsigned count = 0;
	int err;

	if (!ld_tile_of(&tile, 0, number, m->checkpoint.size) ||
	    !ld_tile_of(&bundle, LD_TILE_ENTRIES, number, m->checkpoint.size))
		return LINDUNG_OK;
	err = tile_read(m, &tile, hashes);
	ld_tile_path(&bundle, name);
	path = path_make(m->folder, name);
	if (err == LINDUNG_OK)
		err = path != NULL ? ld_read_file(path, LD_BUNDLE_MAX_BYTES, &data, &len, m->report)
				   : LINDUNG_ENOMEM;
	free(path);
	if (err != LINDUNG_OK)
		return err;
	struct ld_reader reader = ld_reader(ld_span(data, len));
	while (ld_bundle_next(&reader, &entry) && count < tile.width) {
		ld_hash_leaf(&leaf, entry);
		if (!ld_hash_equal(&leaf, &hashes[count++]))
			err = LINDUNG_EDAMAGED;
	}
	free(data);
	return reader.failed || count != tile.width ? LINDUNG_EDAMAGED : err;
}

static int
tree_check(struct mirror *m)
{
	const struct ld_tile_source source = {.ctx = m, .tile = tile_read};
	struct ld_hash root;
	int err = LINDUNG_OK;

	if (m->checkpoint.size != 0) {
		err = ld_tree_root(&root, m->checkpoint.size, &source);
		if (err == LINDUNG_OK && !ld_hash_equal(&root, &m->checkpoint.root))
			err = LINDUNG_EDAMAGED;
	}
	for (uint64_t i = m->had / LD_TILE_WIDTH;
	     err == LINDUNG_OK && i <= m->checkpoint.size / LD_TILE_WIDTH; i++)
		err = bundle_check(m, i);
	if (err == LINDUNG_EDAMAGED)
		ld_fail(m->report, err,
			"%s: what the server has is not what the log's checkpoint says; nothing of "
			"it was kept",
			m->url);
	return err;
}

/* Against what was seen before. */
static int
history_check(struct mirror *m, struct ld_span before)
{
	const struct ld_tile_source source = {.ctx = m, .tile = tile_read};
	struct ld_checkpoint seen;
	struct ld_note note;
	int err;

	if (before.len == 0)
		return LINDUNG_OK;
	err = ld_note_parse(&note, before, m->report);
	if (err == LINDUNG_OK)
		err = ld_checkpoint_parse(&seen, note.text, m->report);
	return err == LINDUNG_OK
		       ? ld_checkpoint_continues(&seen, &m->checkpoint, &source, m->report)
		       : err;
}

/* ---- Blocks
 * -----------------------------------------------------------------------------------------------
 */

static int
blocks_of(struct mirror *m, struct ld_log *log)
{
	struct ld_statement statement;
	struct ld_buffer bytes;
	struct ld_note note;
	char name[NAME_MAX_BYTES];
	int err = LINDUNG_OK;

	ld_buffer_init(&bytes, LD_ENTRY_MAX_BYTES);
	for (uint64_t i = m->had; err == LINDUNG_OK && i < m->checkpoint.size; i++) {
		bytes.len = 0;
		err = ld_log_entry(log, i, &bytes, m->report);
		if (err != LINDUNG_OK ||
		    ld_note_parse(&note, ld_buffer_span(&bytes), NULL) != LINDUNG_OK ||
		    ld_statement_parse(&statement, note.text, NULL) != LINDUNG_OK ||
		    (statement.entries != LD_ENTRIES_BLOCK &&
		     statement.entries != LD_ENTRIES_SEALED))
			continue;
		snprintf(name, sizeof name, "block/");
		for (int j = 0; j < LD_HASH_BYTES; j++)
			snprintf(name + 6 + 2 * j, 3, "%02x", statement.block_hash[j]);
		err = want(m, name);
	}
	ld_buffer_free(&bytes);
	return err == LINDUNG_OK ? wanted_fetch(m) : err;
}

static int
blocks_fetch(struct mirror *m)
{
	struct ld_log *log;
	int err = ld_log_open(&log, m->folder, NULL, m->report);

	if (err != LINDUNG_OK)
		return err;
	m->limit_bytes = LD_BLOCK_STORED_MAX_BYTES;
	m->may_be_missing = true; /* that is for who reads the log to say */
	err = blocks_of(m, log);
	ld_log_close(log);
	return err;
}

/* ---- All of it
 * -----------------------------------------------------------------------------------------------
 */

static int
checkpoint_fetch(struct mirror *m, const struct ld_trust *trust, int64_t now_s)
{
	struct ld_trusted trusted;
	char *url = path_make(m->url, "checkpoint");
	struct ld_fetch fetch = {.url = url, .limit_bytes = LD_CHECKPOINT_MAX_BYTES};
	int err = LINDUNG_OK;

	if (url == NULL)
		return ld_fail(m->report, LINDUNG_ENOMEM, "not enough memory");
	ld_buffer_init(&fetch.body, LD_CHECKPOINT_MAX_BYTES);
	ld_fetch_all(m->fetcher, &fetch, 1);
	if (fetch.error != LINDUNG_OK || fetch.status != 200)
		err = fail_net(m, url, &fetch);
	ld_buffer_bytes(&m->bytes, ld_buffer_span(&fetch.body));
	ld_buffer_free(&fetch.body);
	free(url);
	if (err == LINDUNG_OK)
		err = ld_checkpoint_check(&trusted, ld_buffer_span(&m->bytes), trust,
					  (uint64_t)now_s, m->report);
	if (err == LINDUNG_OK)
		m->checkpoint = trusted.checkpoint;
	return err;
}

static void
fresh_remove(struct mirror *m)
{
	for (size_t at = 0; at < m->fresh.len; at += strlen((char *)m->fresh.data + at) + 1) {
		char *path = path_make(m->folder, (char *)m->fresh.data + at);

		if (path != NULL)
			unlink(path);
		free(path);
	}
}

static int
log_fetch(struct mirror *m, struct ld_span before)
{
	int err = level_fetch(m, LD_TILE_ENTRIES);

	for (int level = 0; err == LINDUNG_OK && level < LD_TILE_LEVELS_MAX; level++)
		err = level_fetch(m, level);
	if (err == LINDUNG_OK)
		err = tree_check(m);
	/* Tiles of another history do not fit those that were kept: the one shows as the other. */
	if (err == LINDUNG_EDAMAGED && before.len != 0 && m->had != 0)
		ld_fail(m->report, err,
			"%s: what the server has does not go on from what was seen of the log "
			"before: a fork, or a damaged server; nothing of it was kept",
			m->url);
	if (err == LINDUNG_OK)
		err = history_check(m, before);
	if (err != LINDUNG_OK)
		fresh_remove(m);
	else
		err = file_write(m, "checkpoint", ld_buffer_span(&m->bytes));
	m->fresh.len = 0;
	return err == LINDUNG_OK ? blocks_fetch(m) : err;
}

static int
update(struct mirror *m, const struct ld_trust *trust, int64_t now_s, struct ld_span before)
{
	struct ld_checkpoint seen;
	struct ld_note note;
	int err = checkpoint_fetch(m, trust, now_s);

	if (err != LINDUNG_OK)
		return err;
	if (before.len != 0 && ld_note_parse(&note, before, NULL) == LINDUNG_OK &&
	    ld_checkpoint_parse(&seen, note.text, NULL) == LINDUNG_OK) {
		m->had = seen.size;
		/* Smaller, or of the same size: no tile is needed to judge it. */
		if (m->checkpoint.size <= seen.size)
			err = history_check(m, before);
	}
	return err == LINDUNG_OK ? log_fetch(m, before) : err;
}

int
ld_mirror_update(const char **ret_folder, struct ld_home *home, const char *url,
		 const struct ld_trust *trust, int64_t now_s, struct ld_report *report)
{
	const struct ld_fetch_options options = {
		.connect_ms = CONNECT_MS, .stall_ms = STALL_MS, .total_ms = TOTAL_MS};
	struct ld_span place = ld_span_str(url);
	struct mirror m = {.report = report, .folder = ld_home_path(home, "mirror")};
	const char *checkpoint = ld_home_path(home, "mirror/checkpoint");
	uint8_t *before = NULL;
	size_t before_len = 0;
	int err = ld_home_make(home, report);

	while (place.len > 1 && place.data[place.len - 1] == '/')
		place.len--;
	m.url = (const char *)ld_arena_copy(&home->arena, place).data;
	if (err == LINDUNG_OK && (m.folder == NULL || checkpoint == NULL || m.url == NULL))
		err = ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	if (err == LINDUNG_OK && mkdir(m.folder, 0755) != 0 && errno != EEXIST)
		err = ld_fail(report, LINDUNG_EIO, "%s: %s", m.folder, strerror(errno));
	if (err == LINDUNG_OK && access(checkpoint, F_OK) == 0)
		err = ld_read_file(checkpoint, LD_CHECKPOINT_MAX_BYTES, &before, &before_len,
				   report);
	ld_buffer_init(&m.bytes, LD_CHECKPOINT_MAX_BYTES);
	ld_buffer_init(&m.fresh, 64 * 1024 * 1024);
	if (err == LINDUNG_OK)
		err = ld_fetcher_new(&m.fetcher, &options, report);
	if (err == LINDUNG_OK)
		err = update(&m, trust, now_s, ld_span(before, before_len));
	if (err == LINDUNG_OK)
		*ret_folder = m.folder;
	ld_fetcher_free(m.fetcher);
	ld_buffer_free(&m.bytes);
	ld_buffer_free(&m.fresh);
	free(before);
	return err;
}
