/* One mapped index file: checked when opened, then asked where a key stands.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Libc only (part of liblindung).  An opened image is read-only: any number of threads.
 *
 * Trust: ld_image_open() checks everything but the blocks, fences and filter, so that no look-up
 * reads outside the mapping whatever those hold; damaged ones give wrong answers at worst. */
#ifndef LD_INDEX_IMAGE_H
#define LD_INDEX_IMAGE_H

#include <lindung/lindung.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/hash.h"
#include "index/format.h"
#include "index/huffman.h"
#include "name/key.h"

enum { LD_KEY_SLACK = 8, LD_STEP_COARSE = 16 };

/** A table of texts: u32 count, u32 end of each, then the octets. */
struct ld_texts {
	uint32_t count;
	const uint8_t *ends;
	struct ld_span bytes;
};

/** One part of the filter: a binary fuse filter with three probes and 8-bit fingerprints
 * (Graf, Lemire, JEA 2022). */
struct ld_shard {
	uint32_t offset;       /* of its fingerprints in the section */
	uint32_t segment_mask; /* length of a segment, a power of two, less one */
	uint32_t window;       /* segments a key may begin in, times their length */
	uint64_t seed;
};

struct ld_rule {
	uint8_t category; /* LD_RULE_CATEGORY_ALL: every one */
	uint8_t action;   /* enum ld_action */
	uint8_t scope;
	uint8_t flags;
	uint16_t source;
	uint16_t target;
};

struct ld_image {
	struct ld_map map;
	uint32_t version, flags;
	uint64_t entry_count;
	uint32_t block_count;
	uint32_t labels_min, labels_max;
	uint32_t date_day, suffix_date;
	struct ld_span sections[LD_SECTION_COUNT];
	struct ld_texts categories, sources, targets;
	uint32_t rule_count, tuple_count, symbol_count;
	const uint8_t *tuple_ends;  /* u32 each */
	const uint8_t *tuple_rules; /* u16 each */
	const uint8_t *symbol_texts;
	const uint8_t *symbol_lens;
	uint32_t coded_tuples; /* tuples 0 ... have a code; its last symbol says: 16 raw bits */
	unsigned shard_bits;   /* the hash's highest bits that choose the shard */
	struct ld_shard *shards;
	struct ld_huffman shapes, tuples;
	uint16_t joins[1 << LD_HUFFMAN_BITS_MAX]; /* both together: ld_join_entry() */
	uint32_t group_count, coarse_count;
	uint64_t *coarse;            /* the first step of every LD_STEP_COARSE groups */
	const uint8_t *group_prefix; /* an octet each: how many octets all its keys share */
	const uint8_t *block_deltas; /* u16 each */
	uint32_t wide_count;
	uint64_t sealed_count;
	const uint8_t *sealed_key, *sealed_hashes, *sealed_tuples;
};

/** Sections of a file of this version. */
static inline int
ld_section_count(uint32_t version)
{
	return version == 2 ? LD_SECTION_SEALED : LD_SECTION_COUNT;
}

/** Map and check.  Errors as lindung_open(). */
int ld_image_open(struct ld_image **ret, const char *path, unsigned flags);
/** The same of a descriptor, which stays the caller's. */
int ld_image_open_fd(struct ld_image **ret, int fd, unsigned flags);
/** The same on memory that the caller keeps until the image is closed. */
int ld_image_from_memory(struct ld_image **ret, struct ld_span bytes, unsigned flags);
void ld_image_close(struct ld_image *image);

/** Check every hash.  LINDUNG_EDAMAGED. */
int ld_image_verify_hashes(const struct ld_image *image);

/** Check that every key can be read, that keys rise, that the filter holds each and that each is
 * found.  LINDUNG_EDAMAGED. */
int ld_image_verify_entries(const struct ld_image *image);

struct ld_span ld_texts_get(const struct ld_texts *texts, uint32_t i);

static inline struct ld_rule
ld_image_rule(const struct ld_image *image, uint32_t i)
{
	const uint8_t *p = image->sections[LD_SECTION_RULES].data + (size_t)i * LD_RULE_BYTES;

	return (struct ld_rule){.category = p[0],
				.action = p[1] & 15,
				.scope = p[1] >> 4,
				.flags = p[2],
				.source = ld_get_le16(p + 4),
				.target = ld_get_le16(p + 6)};
}

/** The rules of a tuple: `*ret_count` u16 (read with ld_get_le16). */
static inline const uint8_t *
ld_image_tuple(const struct ld_image *image, uint32_t tuple, uint32_t *ret_count)
{
	uint32_t start = tuple == 0 ? 0 : ld_get_le32(image->tuple_ends + 4 * (size_t)(tuple - 1));

	*ret_count = ld_get_le32(image->tuple_ends + 4 * (size_t)tuple) - start;
	return image->tuple_rules + 2 * (size_t)start;
}

/* ---- The filter --------------------------------------------------------------------------- */

/** Where a key's octets stand in its shard. */
struct ld_place {
	uint32_t at[3];
	uint8_t fingerprint;
};

static inline struct ld_place
ld_shard_place(const struct ld_shard *shard, uint64_t key)
{
	uint64_t hash = key ^ shard->seed;

	hash = (hash ^ hash >> 32) * 0x9fb21c651e98df25u;
	hash ^= hash >> 28;
	hash *= 0xd6e8feb86659fd93u;
	hash ^= hash >> 32;
	/* The window in which the three segments begin, then a place in each. */
	uint32_t first = (uint32_t)((unsigned __int128)hash * shard->window >> 64);
	uint32_t length = shard->segment_mask + 1;

	return (struct ld_place){
		.at = {first, (first + length) ^ ((uint32_t)(hash >> 18) & shard->segment_mask),
		       (first + 2 * length) ^ ((uint32_t)hash & shard->segment_mask)},
		.fingerprint = (uint8_t)(hash >> 36 ^ hash),
	};
}

static inline unsigned
ld_shard_of(uint64_t key, unsigned shard_bits)
{
	return shard_bits == 0 ? 0 : (unsigned)(key >> (64 - shard_bits));
}

/** A key's octets in the filter. */
struct ld_probe {
	const uint8_t *octet[3];
	uint8_t fingerprint;
};

static inline struct ld_probe
ld_image_probe(const struct ld_image *image, uint64_t key)
{
	const struct ld_shard *shard = &image->shards[ld_shard_of(key, image->shard_bits)];
	const uint8_t *at = image->sections[LD_SECTION_FILTER].data + shard->offset;
	struct ld_place place = ld_shard_place(shard, key);

	return (struct ld_probe){{at + place.at[0], at + place.at[1], at + place.at[2]},
				 place.fingerprint};
}

static inline bool
ld_probe_agrees(const struct ld_probe *probe)
{
	return (*probe->octet[0] ^ *probe->octet[1] ^ *probe->octet[2]) == probe->fingerprint;
}

/** False: the key is surely not in the image.  True: it is, or 1 in 256 it is not. */
static inline bool
ld_image_may_hold(const struct ld_image *image, uint64_t key)
{
	struct ld_probe probe = ld_image_probe(image, key);

	return ld_probe_agrees(&probe);
}

/* ---- Keys in blocks ----------------------------------------------------------------------- */

/** A cursor over the keys of half a block, in order: two strings of bits, shapes and tuple codes
 * from its start on, symbols from its end backwards.  Places are in bits from the start of the
 * section. */
struct ld_half {
	uint64_t start, end;
	uint64_t bit;        /* where the next shape stands */
	uint64_t symbol_bit; /* the symbols used so far reach down to here */
	uint64_t tuple_from; /* the shape of the key whose tuple is the present one's */
	uint32_t left;       /* keys not yet read */
};

/** A cursor over a block: its first half, then its second. */
struct ld_block {
	const struct ld_image *image;
	struct ld_half half;
	uint32_t prefix; /* octets that all keys of the block share; UINT32_MAX: not yet known */
	uint32_t second; /* keys in the second half, while in the first */
	uint64_t second_end;
};

/** One stored key as it joins on to the one before it; that of the second half on to the first. */
struct ld_stored {
	uint32_t lcp;        /* octets shared with that key */
	uint64_t top, floor; /* the symbols that make up the rest stand from the top down */
};

/** Eight octets of a key as a number that rises with them, zeros behind its end: what a step holds.
 * LD_KEY_SLACK octets behind the key must be readable. */
static inline uint64_t
ld_step(struct ld_span key, unsigned word)
{
	size_t at = word * LD_INDEX_STEP_OCTETS < key.len ? word * LD_INDEX_STEP_OCTETS : key.len;
	size_t left = key.len - at;
	uint64_t octets =
		(uint64_t)ld_get_be32(key.data + at) << 32 | ld_get_be32(key.data + at + 4);

	return left >= 8 ? octets : octets & ~(UINT64_MAX >> 8 * left);
}

/** The same of four, their lower 7 bits: what a fence holds. */
static inline uint32_t
ld_fence(struct ld_span key, size_t from)
{
	size_t at = from < key.len ? from : key.len, left = key.len - at;
	uint32_t octets = ld_get_be32(key.data + at) & 0x7f7f7f7f;

	if (left < 4)
		octets &= ~(UINT32_MAX >> 8 * left);
	octets = (octets & 0x7f007f) | (octets & 0x7f007f00) >> 1;
	return (octets & 0x3fff) | (octets & 0x3fff0000) >> 2;
}

/** Begin block `i` (< block_count). */
struct ld_block ld_block_open(const struct ld_image *image, uint32_t i);
/** The next key of this half.  False at its end, or where the block is damaged. */
bool ld_block_next(struct ld_block *block, struct ld_stored *ret);
/** Go on to the second half.  False if there is none. */
bool ld_block_second(struct ld_block *block);
/** The tuple of the key just read: < tuple_count always. */
uint32_t ld_block_tuple(const struct ld_block *block);
/** Append the stored octets to `key`, which holds stored->lcp octets; LD_INDEX_KEY_MAX at most.
 * Returns the new length, 0 if it is damaged. */
size_t ld_stored_copy(const struct ld_image *image, const struct ld_stored *stored, uint8_t *key);

/** Find a key.  True, and its tuple, if it is in the image.  LD_KEY_SLACK octets behind the key
 * must be readable; what stands there does not matter. */
bool ld_image_find(const struct ld_image *image, struct ld_span key, uint32_t *ret_tuple);

#endif
