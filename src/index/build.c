/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/build.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "index/encode.h"
#include "index/fuse.h"
#include "index/gather.h"
#include "index/image.h"

enum { OUT_BYTES = 256 * 1024 };

/* ---- The file as it grows ------------------------------------------------------------------- */

struct output {
	int fd;
	uint64_t at;
	uint8_t *buffer;
	size_t used;
	int error;
	uint64_t starts[LD_SECTION_COUNT], lens[LD_SECTION_COUNT];
};

static void
out_flush(struct output *o)
{
	if (o->error == LINDUNG_OK)
		o->error = ld_write_all(o->fd, o->buffer, o->used);
	o->used = 0;
}

static void
out_bytes(struct output *o, struct ld_span bytes)
{
	o->at += bytes.len;
	while (bytes.len != 0) {
		size_t n = OUT_BYTES - o->used < bytes.len ? OUT_BYTES - o->used : bytes.len;

		memcpy(o->buffer + o->used, bytes.data, n);
		o->used += n;
		bytes = ld_span_from(bytes, n);
		if (o->used == OUT_BYTES)
			out_flush(o);
	}
}

static void
out_zeros(struct output *o, size_t count)
{
	static const uint8_t zeros[64];

	for (; count > sizeof zeros; count -= sizeof zeros)
		out_bytes(o, ld_span(zeros, sizeof zeros));
	out_bytes(o, ld_span(zeros, count));
}

static void
out_le32(struct output *o, uint32_t v)
{
	uint8_t bytes[4];

	ld_put_le32(bytes, v);
	out_bytes(o, ld_span(bytes, sizeof bytes));
}

static void
out_le64(struct output *o, uint64_t v)
{
	uint8_t bytes[8];

	ld_put_le64(bytes, v);
	out_bytes(o, ld_span(bytes, sizeof bytes));
}

static void
section_begin(struct output *o, enum ld_section section)
{
	out_zeros(o, (LD_INDEX_ALIGN_BYTES - o->at % LD_INDEX_ALIGN_BYTES) % LD_INDEX_ALIGN_BYTES);
	o->starts[section] = o->at;
}

static void
section_end(struct output *o, enum ld_section section)
{
	o->lens[section] = o->at - o->starts[section];
}

static void
section_put(struct output *o, enum ld_section section, struct ld_span bytes)
{
	section_begin(o, section);
	out_bytes(o, bytes);
	section_end(o, section);
}

/* ---- Sections ------------------------------------------------------------------------------- */

static void
codes_put(struct output *o, const struct ld_encoded *e)
{
	section_begin(o, LD_SECTION_CODES);
	out_bytes(o, ld_span(e->shape_lengths, LD_SHAPE_SYMBOLS));
	out_bytes(o, ld_span(e->tuple_lengths, e->coded_tuples + 1));
	section_end(o, LD_SECTION_CODES);
}

static void
dictionary_put(struct output *o, const struct ld_dictionary *d)
{
	section_begin(o, LD_SECTION_DICTIONARY);
	out_le32(o, d->count);
	for (uint32_t i = 0; i < d->count; i++)
		out_le64(o, d->texts[i]);
	out_bytes(o, ld_span(d->lens, d->count));
	section_end(o, LD_SECTION_DICTIONARY);
}

/* The blocks of a group reach further than 16 bits: each has its place in a table of its own. */
static bool
group_is_wide(const struct ld_encoded *e, uint32_t first)
{
	uint64_t span = 0;

	for (uint32_t i = first; i + 1 < first + LD_INDEX_GROUP_BLOCKS && i + 1 < e->block_count;
	     i++)
		span += e->block_bytes[i];
	return span > UINT16_MAX;
}

static int
offsets_put(struct output *o, const struct ld_encoded *e)
{
	uint64_t at = 0;
	uint32_t wide_count = 0;

	section_begin(o, LD_SECTION_OFFSETS);
	for (uint32_t i = 0; i < e->block_count; i++) {
		if (at > LD_INDEX_BLOCKS_BYTES_MAX)
			return LINDUNG_ELIMIT;
		if (i % LD_INDEX_GROUP_BLOCKS == 0)
			out_le32(o, group_is_wide(e, i) ? LD_INDEX_WIDE_GROUP | wide_count++
							: (uint32_t)at);
		at += e->block_bytes[i];
	}
	uint32_t delta = 0;
	for (uint32_t i = 0; i < e->block_count; i++) {
		uint8_t bytes[2];

		if (i % LD_INDEX_GROUP_BLOCKS == 0)
			delta = 0;
		ld_put_le16(bytes, (uint16_t)delta);
		out_bytes(o, ld_span(bytes, sizeof bytes));
		delta += e->block_bytes[i];
	}
	at = 0;
	for (uint32_t first = 0; first < e->block_count; first += LD_INDEX_GROUP_BLOCKS) {
		bool wide = group_is_wide(e, first);

		for (uint32_t i = first; i < first + LD_INDEX_GROUP_BLOCKS; i++) {
			if (wide)
				out_le32(o, (uint32_t)at);
			at += i < e->block_count ? e->block_bytes[i] : 0;
		}
	}
	section_end(o, LD_SECTION_OFFSETS);
	return LINDUNG_OK;
}

static void
blocks_put(struct output *o, const struct ld_encoded *e)
{
	section_begin(o, LD_SECTION_BLOCKS);
	for (unsigned i = 0; i < e->buffer_count; i++)
		out_bytes(o, ld_buffer_span(&e->blocks[i]));
	out_zeros(o, LD_INDEX_PAD_BYTES);
	section_end(o, LD_SECTION_BLOCKS);
}

/* ---- The filter ----------------------------------------------------------------------------- */

struct filter_work {
	const uint64_t *hashes;
	uint64_t count;
	unsigned shard_bits;
	struct ld_fuse *fuses;
	pthread_mutex_t lock;
	unsigned next;
	int error;
};

static int
shard_build(struct filter_work *work, unsigned shard)
{
	uint64_t *mine;
	uint32_t count = 0;
	int err;

	for (uint64_t i = 0; i < work->count; i++)
		count += ld_shard_of(work->hashes[i], work->shard_bits) == shard;
	mine = malloc(((size_t)count + 1) * sizeof *mine);
	if (mine == NULL)
		return LINDUNG_ENOMEM;
	count = 0;
	for (uint64_t i = 0; i < work->count; i++)
		if (ld_shard_of(work->hashes[i], work->shard_bits) == shard)
			mine[count++] = work->hashes[i];
	err = ld_fuse_build(&work->fuses[shard], mine, count);
	free(mine);
	return err;
}

static void *
filter_run(void *argument)
{
	struct filter_work *work = argument;
	int err = LINDUNG_OK;

	for (;;) {
		pthread_mutex_lock(&work->lock);
		unsigned shard = work->next++;
		if (err != LINDUNG_OK)
			work->error = err;
		bool stop = work->error != LINDUNG_OK || shard >> work->shard_bits != 0;
		pthread_mutex_unlock(&work->lock);
		if (stop)
			return NULL;
		err = shard_build(work, shard);
	}
}

static int
filter_build(struct filter_work *work, unsigned threads)
{
	pthread_t other[LD_ENCODE_THREADS_MAX];
	unsigned others = 0;

	pthread_mutex_init(&work->lock, NULL);
	while (others + 1 < threads && others < LD_ENCODE_THREADS_MAX &&
	       pthread_create(&other[others], NULL, filter_run, work) == 0)
		others++;
	filter_run(work);
	while (others > 0)
		pthread_join(other[--others], NULL);
	pthread_mutex_destroy(&work->lock);
	return work->error;
}

static void
sealed_put(struct output *o, const struct ld_gathered *g, const uint8_t *key)
{
	section_begin(o, LD_SECTION_SEALED);
	if (g->sealed_count != 0) {
		out_bytes(o, ld_span(key, LD_SEALED_KEY_BYTES));
		out_bytes(o, ld_buffer_span(&g->sealed_hashes));
	}
	for (uint64_t i = 0; i < g->sealed_count; i++) {
		uint8_t bytes[2];

		ld_put_le16(bytes, g->tuple_final[ld_get_le16(g->sealed_tuples.data + 2 * i)]);
		out_bytes(o, ld_span(bytes, sizeof bytes));
	}
	section_end(o, LD_SECTION_SEALED);
}

static int
filter_put(struct output *o, const struct ld_gathered *g, unsigned threads)
{
	struct filter_work work = {.hashes = g->hashes, .count = g->hash_count};
	uint32_t shards, offset;
	int err;

	while (g->hash_count >> work.shard_bits > LD_INDEX_SHARD_KEYS)
		work.shard_bits++;
	shards = 1u << work.shard_bits;
	work.fuses = calloc(shards, sizeof *work.fuses);
	if (work.fuses == NULL)
		return LINDUNG_ENOMEM;
	err = shards <= LD_INDEX_SHARDS_MAX ? filter_build(&work, threads) : LINDUNG_ELIMIT;
	if (err == LINDUNG_OK) {
		section_begin(o, LD_SECTION_FILTER);
		out_le32(o, work.shard_bits);
		offset = 4 + 20 * shards;
		for (uint32_t i = 0; i < shards; i++) {
			out_le64(o, work.fuses[i].seed);
			out_le32(o, offset);
			out_le32(o, work.fuses[i].window);
			out_le32(o, work.fuses[i].segment_mask);
			offset += work.fuses[i].len;
		}
		for (uint32_t i = 0; i < shards; i++)
			out_bytes(o, ld_span(work.fuses[i].fingerprints, work.fuses[i].len));
		section_end(o, LD_SECTION_FILTER);
	}
	for (uint32_t i = 0; i < shards; i++)
		free(work.fuses[i].fingerprints);
	free(work.fuses);
	return err;
}

/* ---- The whole ------------------------------------------------------------------------------ */

static int
header_put(const struct output *o, const struct ld_gathered *g, const struct ld_encoded *e,
	   const struct ld_build_options *options)
{
	uint8_t h[LD_INDEX_HEADER_BYTES] = {0};
	void *map = mmap(NULL, o->at, PROT_READ, MAP_SHARED, o->fd, 0);

	if (map == MAP_FAILED)
		return LINDUNG_EIO;
	memcpy(h, LD_INDEX_MAGIC, 8);
	ld_put_le32(h + LD_HEADER_VERSION, LD_INDEX_VERSION);
	ld_put_le32(h + LD_HEADER_FLAGS, (options->overlay ? LD_INDEX_FLAG_OVERLAY : 0) |
						 (g->url_count != 0 ? LD_INDEX_FLAG_URLS : 0));
	ld_put_le64(h + LD_HEADER_FILE_BYTES, o->at);
	ld_put_le64(h + LD_HEADER_ENTRIES, g->key_count);
	ld_put_le32(h + LD_HEADER_DATE, options->date_day);
	ld_put_le32(h + LD_HEADER_SUFFIX_DATE, options->suffix_date);
	ld_put_le32(h + LD_HEADER_BLOCKS, e->block_count);
	ld_put_le32(h + LD_HEADER_LABELS_MIN, g->labels_min);
	ld_put_le32(h + LD_HEADER_LABELS_MAX, g->labels_max);
	for (int i = 0; i < LD_SECTION_COUNT; i++) {
		uint8_t *at = h + LD_HEADER_SECTIONS + i * 24;

		ld_put_le64(at, o->starts[i]);
		ld_put_le64(at + 8, o->lens[i]);
		ld_put_le64(at + 16,
			    ld_hash_bytes(ld_span((uint8_t *)map + o->starts[i], o->lens[i]),
					  (uint64_t)i));
	}
	ld_put_le64(h + LD_HEADER_HASH,
		    ld_hash_bytes(ld_span(h, LD_HEADER_HASH), LD_INDEX_VERSION));
	munmap(map, o->at);
	return pwrite(o->fd, h, sizeof h, 0) == sizeof h ? LINDUNG_OK : LINDUNG_EIO;
}

static int
image_write(struct output *o, const struct ld_gathered *g, const struct ld_encoded *e,
	    const struct ld_build_options *options)
{
	int err;

	out_zeros(o, LD_INDEX_HEADER_BYTES);
	section_put(o, LD_SECTION_CATEGORIES, ld_buffer_span(&g->categories));
	section_put(o, LD_SECTION_SOURCES, ld_buffer_span(&g->sources));
	section_put(o, LD_SECTION_TARGETS, ld_buffer_span(&g->targets));
	section_put(o, LD_SECTION_RULES, ld_buffer_span(&g->rules));
	section_put(o, LD_SECTION_TUPLES, ld_buffer_span(&g->tuples));
	codes_put(o, e);
	dictionary_put(o, e->dictionary);
	section_begin(o, LD_SECTION_STEPS);
	for (int i = 0; i < LD_INDEX_STEP_WORDS; i++)
		out_bytes(o, ld_buffer_span(&g->steps[i]));
	out_bytes(o, ld_buffer_span(&g->prefixes));
	section_end(o, LD_SECTION_STEPS);
	section_put(o, LD_SECTION_FENCES, ld_buffer_span(&g->fences));
	err = offsets_put(o, e);
	if (err != LINDUNG_OK)
		return err;
	blocks_put(o, e);
	err = filter_put(o, g, options->threads);
	sealed_put(o, g, options->blind_key);
	out_flush(o);
	if (err == LINDUNG_OK)
		err = o->error;
	return err == LINDUNG_OK ? header_put(o, g, e, options) : err;
}

static int
file_write(const char *path, const struct ld_gathered *g, const struct ld_encoded *e,
	   const struct ld_build_options *options, struct ld_build_stats *stats,
	   struct ld_report *report)
{
	struct ld_replace file;
	struct output o = {.buffer = malloc(OUT_BYTES)};
	int err;

	if (o.buffer == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", path);
	err = ld_replace_begin(&file, path, report);
	if (err == LINDUNG_OK) {
		o.fd = file.fd;
		err = image_write(&o, g, e, options);
		if (err != LINDUNG_OK) {
			ld_fail(report, err, "%s: cannot be written: %s", path,
				err == LINDUNG_EIO ? strerror(errno) : lindung_strerror(err));
			ld_replace_abandon(&file);
		} else {
			err = ld_replace_commit(&file, report);
		}
	}
	free(o.buffer);
	stats->size_bytes = o.at;
	memcpy(stats->section_bytes, o.lens, sizeof stats->section_bytes);
	return err;
}

int
ld_build(const char *path, const struct ld_rules *rules, struct ld_sorter *const *sorters,
	 unsigned sorter_count, const struct ld_build_options *options,
	 const struct ld_build_rejects *rejects, struct ld_build_stats *ret,
	 struct ld_report *report)
{
	struct ld_build_stats stats = {0};
	struct ld_gathered keys;
	struct ld_encoded encoded;
	struct ld_merge *merge;
	int err = ld_merge_new(&merge, sorters, sorter_count);

	if (err != LINDUNG_OK)
		return ld_fail(report, err, "merging: %s", lindung_strerror(err));
	err = ld_gather(&keys, rules, merge, options, rejects, report);
	ld_merge_free(merge);
	for (unsigned i = 0; i < sorter_count; i++)
		ld_sorter_clear(sorters[i]);
	if (err != LINDUNG_OK)
		return err;
	if (options->progress != NULL)
		options->progress(options->progress_ctx, "encoding", 0, 0);
	err = ld_encode(&encoded, &keys, options->threads);
	if (err == LINDUNG_OK) {
		if (options->progress != NULL)
			options->progress(options->progress_ctx, "writing", 0, 0);
		err = file_write(path, &keys, &encoded, options, &stats, report);
		stats.symbols = encoded.dictionary->count;
		ld_encoded_free(&encoded);
	} else {
		ld_fail(report, err, "encoding: %s", lindung_strerror(err));
	}
	stats.keys = keys.key_count;
	stats.urls = keys.url_count;
	stats.sealed = keys.sealed_count;
	stats.covered = keys.covered_count;
	stats.rules = keys.rule_count;
	stats.tuples = keys.tuple_count;
	ld_gathered_free(&keys);
	if (err == LINDUNG_OK)
		*ret = stats;
	return err;
}
