/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/image.h"

#include <stdlib.h>

#include "base/hash.h"
#include "index/block.h"
#include "index/sealed.h"
#include "list/entry.h"

struct ld_span
ld_texts_get(const struct ld_texts *texts, uint32_t i)
{
	if (i >= texts->count)
		return (struct ld_span){NULL, 0};
	uint32_t start = i == 0 ? 0 : ld_get_le32(texts->ends + 4 * (size_t)(i - 1));

	return ld_span(texts->bytes.data + start, ld_get_le32(texts->ends + 4 * (size_t)i) - start);
}

static bool
texts_open(struct ld_texts *ret, struct ld_span section, uint32_t limit)
{
	uint32_t count, last = 0;

	if (section.len < 4 || (count = ld_get_le32(section.data)) > limit ||
	    section.len - 4 < (size_t)count * 4)
		return false;
	ret->count = count;
	ret->ends = section.data + 4;
	ret->bytes = ld_span_from(section, 4 + (size_t)count * 4);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t end = ld_get_le32(ret->ends + 4 * (size_t)i);

		if (end < last || end - last > LD_INDEX_TEXT_MAX || end > ret->bytes.len)
			return false;
		last = end;
	}
	return true;
}

static bool
rules_open(struct ld_image *image)
{
	struct ld_span section = image->sections[LD_SECTION_RULES];

	if (section.len % LD_RULE_BYTES != 0 || section.len / LD_RULE_BYTES > LD_INDEX_RULES_MAX)
		return false;
	uint8_t flags = LD_ENTRY_IMPORTANT | LD_ENTRY_PROTECTED;
	if (image->version > 2)
		flags |= LD_ENTRY_LOCKED;
	image->rule_count = (uint32_t)(section.len / LD_RULE_BYTES);
	for (uint32_t i = 0; i < image->rule_count; i++) {
		struct ld_rule rule = ld_image_rule(image, i);

		if (rule.action > LD_ACTION_REMOVE || rule.scope < LD_SCOPE_SELF ||
		    rule.scope > LD_SCOPE_URL || (rule.flags & ~flags) != 0 ||
		    (rule.category != LD_RULE_CATEGORY_ALL &&
		     rule.category >= image->categories.count) ||
		    rule.source >= image->sources.count ||
		    (rule.target != LD_RULE_NO_TARGET && rule.target >= image->targets.count))
			return false;
	}
	return true;
}

static bool
tuples_open(struct ld_image *image)
{
	struct ld_span section = image->sections[LD_SECTION_TUPLES];
	uint32_t count, last = 0;

	if (section.len < 4 || (count = ld_get_le32(section.data)) > LD_INDEX_TUPLES_MAX ||
	    section.len - 4 < (size_t)count * 4)
		return false;
	image->tuple_count = count;
	image->tuple_ends = section.data + 4;
	image->tuple_rules = image->tuple_ends + (size_t)count * 4;
	size_t room = (section.len - 4 - (size_t)count * 4) / 2;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t end = ld_get_le32(image->tuple_ends + 4 * (size_t)i);

		if (end < last || end - last > LD_INDEX_TUPLE_RULES_MAX || end > room)
			return false;
		last = end;
	}
	for (uint32_t i = 0; i < last; i++)
		if (ld_get_le16(image->tuple_rules + 2 * (size_t)i) >= image->rule_count)
			return false;
	return count > 0 || image->entry_count == 0;
}

static bool
codes_open(struct ld_image *image)
{
	struct ld_span section = image->sections[LD_SECTION_CODES];

	if (section.len < LD_SHAPE_SYMBOLS + 1 ||
	    section.len - LD_SHAPE_SYMBOLS > LD_HUFFMAN_SYMBOLS_MAX)
		return false;
	image->coded_tuples = (uint32_t)(section.len - LD_SHAPE_SYMBOLS - 1);
	if (image->coded_tuples > image->tuple_count ||
	    ld_huffman_decoder(&image->shapes, ld_span_first(section, LD_SHAPE_SYMBOLS)) !=
		    LINDUNG_OK ||
	    ld_huffman_decoder(&image->tuples, ld_span_from(section, LD_SHAPE_SYMBOLS)) !=
		    LINDUNG_OK)
		return false;
	for (uint32_t bits = 0; bits < 1u << LD_HUFFMAN_BITS_MAX; bits++)
		image->joins[bits] = ld_join_entry(image, bits);
	return true;
}

static bool
dictionary_open(struct ld_image *image)
{
	struct ld_span section = image->sections[LD_SECTION_DICTIONARY];
	uint32_t count;

	if (section.len < 4 || (count = ld_get_le32(section.data)) > LD_INDEX_SYMBOLS_MAX ||
	    section.len != 4 + (size_t)count * 9)
		return false;
	image->symbol_count = count;
	image->symbol_texts = section.data + 4;
	image->symbol_lens = image->symbol_texts + (size_t)count * 8;
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *text = image->symbol_texts + 8 * (size_t)i;
		uint32_t len = image->symbol_lens[i];

		/* A zero octet would agree with what is not there behind the end of a key, and an
		 * octet behind its end would seem to be of it. */
		if (len == 0 || len > LD_INDEX_SYMBOL_BYTES_MAX || memchr(text, 0, len) != NULL ||
		    (len < 8 && ld_get_le64(text) >> 8 * len != 0))
			return false;
	}
	return true;
}

static bool
blocks_open(struct ld_image *image)
{
	struct ld_span fences = image->sections[LD_SECTION_FENCES];
	uint64_t blocks = (image->entry_count + LD_INDEX_BLOCK_KEYS - 1) / LD_INDEX_BLOCK_KEYS;

	uint64_t groups = (blocks + LD_INDEX_GROUP_BLOCKS - 1) / LD_INDEX_GROUP_BLOCKS;
	struct ld_span offsets = image->sections[LD_SECTION_OFFSETS];
	size_t wide = offsets.len - (size_t)(groups * 4 + blocks * 2);

	if (blocks != image->block_count || fences.len != (size_t)image->block_count * 4 ||
	    offsets.len < groups * 4 + blocks * 2 || wide % (4 * LD_INDEX_GROUP_BLOCKS) != 0 ||
	    image->sections[LD_SECTION_BLOCKS].len < LD_INDEX_PAD_BYTES)
		return false;
	image->block_deltas = offsets.data + groups * 4;
	image->wide_count = (uint32_t)(wide / (4 * LD_INDEX_GROUP_BLOCKS));
	image->group_count = (uint32_t)groups;
	struct ld_span steps = image->sections[LD_SECTION_STEPS];
	if (steps.len != (size_t)groups * (8 * LD_INDEX_STEP_WORDS + 1))
		return false;
	image->group_prefix = steps.data + (size_t)groups * 8 * LD_INDEX_STEP_WORDS;
	/* So few that they stay in the cache. */
	image->coarse_count = (uint32_t)((groups + LD_STEP_COARSE - 1) / LD_STEP_COARSE);
	image->coarse = malloc((image->coarse_count + 1) * sizeof *image->coarse);
	if (image->coarse == NULL)
		return false;
	for (uint32_t i = 0; i < image->coarse_count; i++)
		image->coarse[i] = ld_get_le64(steps.data + (size_t)i * 8 * LD_STEP_COARSE);
	return true;
}

/* u32 shard bits, then for each shard: u64 seed, u32 offset, u32 window, u32 segment mask. */
static bool
filter_open(struct ld_image *image)
{
	struct ld_span section = image->sections[LD_SECTION_FILTER];
	uint32_t count;

	if (section.len < 4 || (image->shard_bits = ld_get_le32(section.data)) > 12)
		return false;
	count = 1u << image->shard_bits;
	if ((section.len - 4) / 20 < count)
		return false;
	image->shards = calloc(count, sizeof *image->shards);
	if (image->shards == NULL)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *at = section.data + 4 + (size_t)i * 20;
		struct ld_shard shard = {
			.seed = ld_get_le64(at),
			.offset = ld_get_le32(at + 8),
			.window = ld_get_le32(at + 12),
			.segment_mask = ld_get_le32(at + 16),
		};
		uint64_t length = (uint64_t)shard.segment_mask + 1;

		/* Places run to window + 2 segments; the mask may move one within its segment only
		 * if the segment length is a power of two and the window a multiple of it. */
		if (shard.segment_mask > 1u << 22 || (length & (length - 1)) != 0 ||
		    shard.window % length != 0 || shard.window == 0 ||
		    (uint64_t)shard.offset + shard.window + 2 * length > section.len)
			return false;
		image->shards[i] = shard;
	}
	return true;
}

static int
header_open(struct ld_image *image)
{
	struct ld_span file = image->map.bytes;
	const uint8_t *h = file.data;

	if (file.len < LD_INDEX_HEADER_BYTES || memcmp(h, LD_INDEX_MAGIC, 8) != 0)
		return LINDUNG_EFORMAT;
	image->version = ld_get_le32(h + LD_HEADER_VERSION);
	if (image->version < LD_INDEX_VERSION_MIN || image->version > LD_INDEX_VERSION)
		return LINDUNG_EVERSION;
	if (ld_get_le64(h + LD_HEADER_HASH) !=
		    ld_hash_bytes(ld_span(h, LD_HEADER_HASH), image->version) ||
	    ld_get_le64(h + LD_HEADER_FILE_BYTES) != file.len)
		return LINDUNG_EDAMAGED;
	image->flags = ld_get_le32(h + LD_HEADER_FLAGS);
	if ((image->flags & ~(uint32_t)LD_INDEX_FLAGS_KNOWN) != 0)
		return LINDUNG_EVERSION;
	image->entry_count = ld_get_le64(h + LD_HEADER_ENTRIES);
	image->block_count = ld_get_le32(h + LD_HEADER_BLOCKS);
	image->labels_min = ld_get_le32(h + LD_HEADER_LABELS_MIN);
	image->labels_max = ld_get_le32(h + LD_HEADER_LABELS_MAX);
	image->date_day = ld_get_le32(h + LD_HEADER_DATE);
	image->suffix_date = ld_get_le32(h + LD_HEADER_SUFFIX_DATE);
	if (image->labels_max > LD_INDEX_LABELS_MAX || image->labels_min > image->labels_max ||
	    (image->labels_min == 0 && image->entry_count != 0))
		return LINDUNG_EDAMAGED;
	for (int i = 0; i < ld_section_count(image->version); i++) {
		uint64_t offset = ld_get_le64(h + LD_HEADER_SECTIONS + i * 24);
		uint64_t len = ld_get_le64(h + LD_HEADER_SECTIONS + i * 24 + 8);

		if (offset > file.len || len > file.len - offset)
			return LINDUNG_EDAMAGED;
		image->sections[i] = ld_span(h + offset, len);
	}
	return LINDUNG_OK;
}

static int
image_check(struct ld_image *image, unsigned flags)
{
	int err = header_open(image);

	if (err != LINDUNG_OK)
		return err;
	if ((flags & LINDUNG_VERIFY) != 0 && (err = ld_image_verify_hashes(image)) != LINDUNG_OK)
		return err;
	if (!texts_open(&image->categories, image->sections[LD_SECTION_CATEGORIES],
			LINDUNG_CATEGORY_MAX) ||
	    !texts_open(&image->sources, image->sections[LD_SECTION_SOURCES], UINT16_MAX) ||
	    !texts_open(&image->targets, image->sections[LD_SECTION_TARGETS], UINT16_MAX) ||
	    !rules_open(image) || !tuples_open(image) || !codes_open(image) ||
	    !dictionary_open(image) || !blocks_open(image) || !filter_open(image) ||
	    !ld_sealed_open(image))
		return LINDUNG_EDAMAGED;
	return LINDUNG_OK;
}

/* What stands between two sections is zero, and ends where the second must begin. */
static bool
gap_is_whole(struct ld_span gap)
{
	for (size_t i = 0; i < gap.len; i++)
		if (gap.data[i] != 0)
			return false;
	return gap.len < LD_INDEX_ALIGN_BYTES;
}

int
ld_image_verify_hashes(const struct ld_image *image)
{
	struct ld_span file = image->map.bytes;
	size_t at = LD_INDEX_HEADER_BYTES;

	for (int i = 0; i < ld_section_count(image->version); i++) {
		struct ld_span section = image->sections[i];
		size_t begins = (size_t)(section.data - file.data);

		if (begins < at || begins % LD_INDEX_ALIGN_BYTES != 0 ||
		    !gap_is_whole(ld_span(file.data + at, begins - at)) ||
		    ld_get_le64(file.data + LD_HEADER_SECTIONS + i * 24 + 16) !=
			    ld_hash_bytes(section, (uint64_t)i))
			return LINDUNG_EDAMAGED;
		at = begins + section.len;
	}
	return at == file.len ? LINDUNG_OK : LINDUNG_EDAMAGED;
}

static int
image_new(struct ld_image **ret, struct ld_map map, unsigned flags)
{
	struct ld_image *image = calloc(1, sizeof *image);
	int err;

	if (image == NULL) {
		ld_map_close(&map);
		return LINDUNG_ENOMEM;
	}
	image->map = map;
	err = image_check(image, flags);
	if (err != LINDUNG_OK) {
		ld_image_close(image);
		return err;
	}
	*ret = image;
	return LINDUNG_OK;
}

int
ld_image_open(struct ld_image **ret, const char *path, unsigned flags)
{
	struct ld_map map;
	int err = ld_map_open(&map, path);

	return err == LINDUNG_OK ? image_new(ret, map, flags) : err;
}

int
ld_image_open_fd(struct ld_image **ret, int fd, unsigned flags)
{
	struct ld_map map;
	int err = ld_map_fd(&map, fd);

	return err == LINDUNG_OK ? image_new(ret, map, flags) : err;
}

int
ld_image_from_memory(struct ld_image **ret, struct ld_span bytes, unsigned flags)
{
	return image_new(ret, (struct ld_map){.bytes = bytes, .borrowed = true}, flags);
}

void
ld_image_close(struct ld_image *image)
{
	if (image == NULL)
		return;
	ld_map_close(&image->map);
	free(image->shards);
	free(image->coarse);
	free(image);
}
