/* The index file as it lies on the disk: numbers, names and limits of formats/index.md.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_INDEX_FORMAT_H
#define LD_INDEX_FORMAT_H

#include <stdint.h>

#include "name/key.h"

/* As in PNG: an octet that is not ASCII, then line ends that a text-mode copy would change. */
#define LD_INDEX_MAGIC "\x89LDX\r\n\x1a\n"

enum {
	LD_INDEX_VERSION = 3,
	LD_INDEX_VERSION_MIN = 2, /* that is read: without the last section, and without locks */
	LD_INDEX_HEADER_BYTES = 512,
	LD_INDEX_ALIGN_BYTES = 64,
	LD_INDEX_BLOCK_KEYS = 32, /* keys in one block; the last may hold fewer */
	LD_INDEX_HALF_KEYS = 16,  /* of them in its first half */
	LD_INDEX_PAD_BYTES = 16,  /* zeros behind the blocks: a reader may load past the last bit */

	LD_INDEX_KEY_MAX = LD_KEY_MAX,
	LD_INDEX_GROUP_BLOCKS =
		16,              /* blocks that share a base offset and a first step of searching */
	LD_INDEX_STEP_WORDS = 4, /* for a group's first step */
	LD_INDEX_STEP_OCTETS = 8,  /* of a key, in one of these words */
	LD_INDEX_FENCE_OCTETS = 4, /* of a key, in a block's fence: 7 bits each */
	LD_INDEX_FENCE_LEVEL = 28, /* above them: so many windows of the block before are its too */
	LD_INDEX_LABELS_MAX = 127,
	LD_INDEX_SYMBOLS_MAX = 4096, /* of the dictionary: 12-bit codes */
	LD_INDEX_SYMBOL_BYTES_MAX = 8,
	LD_INDEX_CODE_BITS = 12,
	LD_INDEX_RULES_MAX = 65535,
	LD_INDEX_TUPLES_MAX = 65535,
	LD_INDEX_TUPLE_RULES_MAX = 1024, /* rules that one name may carry */
	LD_INDEX_TEXT_MAX = 512,         /* octets of a category, source or target */
	LD_INDEX_SHARDS_MAX = 4096,
	LD_INDEX_SHARD_KEYS = 1 << 20, /* about so many keys share a part of the filter */
};

/* A group whose blocks reach further than 16 bits: the number of its 16 offsets in the table behind
 * all others, instead of the group's own offset. */
#define LD_INDEX_WIDE_GROUP 0x80000000u
#define LD_INDEX_BLOCKS_BYTES_MAX 0x7fffffffu

/* Offsets into the header. */
enum {
	LD_HEADER_MAGIC = 0,
	LD_HEADER_VERSION = 8,
	LD_HEADER_FLAGS = 12,
	LD_HEADER_FILE_BYTES = 16,
	LD_HEADER_ENTRIES = 24,
	LD_HEADER_SEED = 32,
	LD_HEADER_DATE = 40,        /* days since 1970-01-01 */
	LD_HEADER_SUFFIX_DATE = 44, /* of the public suffix list, yyyymmdd */
	LD_HEADER_BLOCKS = 48,
	LD_HEADER_LABELS_MIN = 52, /* fewest and most labels of a key's host */
	LD_HEADER_LABELS_MAX = 56,
	LD_HEADER_SECTIONS = 64, /* LD_SECTION_COUNT times offset, length, hash: 24 octets */
	LD_HEADER_HASH = 504,    /* of the 504 octets before it */
};

enum {
	LD_INDEX_FLAG_OVERLAY = 1,
	LD_INDEX_FLAG_URLS = 2, /* there are keys with paths */
	LD_INDEX_FLAGS_KNOWN = 3,
};

enum ld_section {
	LD_SECTION_CATEGORIES, /* texts */
	LD_SECTION_SOURCES,    /* texts */
	LD_SECTION_TARGETS,    /* texts */
	LD_SECTION_RULES,      /* 8 octets each */
	LD_SECTION_TUPLES,     /* u32 count, u32 end of each, u16 rules */
	LD_SECTION_CODES,      /* code lengths: 1025 for shapes, then one a tuple that has a code */
	LD_SECTION_DICTIONARY, /* u32 count, then 8 octets and a length each */
	LD_SECTION_STEPS,      /* four times u64 a group, then an octet a group */
	LD_SECTION_FENCES,     /* u32 a block */
	LD_SECTION_OFFSETS,    /* u32 a group, u16 a block, then 16 u32 a wide group */
	LD_SECTION_BLOCKS,
	LD_SECTION_FILTER,
	LD_SECTION_SEALED, /* key, then all hashes, then u16 each: tuples; or nothing */
	LD_SECTION_COUNT,
};

enum {
	LD_SEALED_KEY_BYTES = 16,
	LD_SEALED_HASH_BYTES = 16,
	LD_SEALED_ENTRY_BYTES = LD_SEALED_HASH_BYTES + 2,
};

/* A rule: who says what about a category. 8 octets: category, action and scope, flags, zero,
 * source (u16), target (u16; 0xffff: none). */
enum {
	LD_RULE_BYTES = 8,
	LD_RULE_CATEGORY_ALL = 0xff,
	LD_RULE_NO_TARGET = 0xffff,
};

/* The shape of a stored key: how it joins on to the one before it.  One code for all of
 * same tuple (1 bit), octets shared past the block's prefix (0-31), symbols (0-15). */
enum {
	LD_SHAPE_LCP_ESCAPE = 31,   /* then 12 raw bits */
	LD_SHAPE_COUNT_ESCAPE = 15, /* then 12 raw bits */
	LD_SHAPE_COUNT = 1024,
	LD_SHAPE_OTHER = 1024, /* a shape without a code: then its 10 bits */
	LD_SHAPE_SYMBOLS = 1025,
};

#endif
