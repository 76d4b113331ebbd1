/* Hashes of keys (the form of name.h in which names are stored): what the index's filter knows them
 * by.  SPDX-License-Identifier: BSD-2-Clause
 *
 * Part of the file format (formats/index.md).  Not cryptographic.  Libc only (part of liblindung).
 */
#ifndef LD_NAME_KEY_H
#define LD_NAME_KEY_H

#include "base/bytes.h"
#include "base/hash.h"

enum { LD_KEY_MAX = 4095 /* octets: a host, and a path */ };

#define LD_KEY_HASH_ROOT 0x452821e638d01377u
#define LD_KEY_HASH_A 0xbe5466cf34e90c6du
#define LD_KEY_HASH_B 0xc0ac29b7c97c50ddu

/** Hash of a name from that of its parent and its first label.  `label` may be read up to 15
 * octets past its end (what stands there does not matter). */
static inline uint64_t
ld_key_hash_label(uint64_t parent, const uint8_t *label, size_t len)
{
	/* From 16 - n on: n times 0xff, then zeros.  How long a label is cannot be foretold. */
	static const uint8_t masks[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	uint64_t hash = parent ^ (len * LD_KEY_HASH_B);

	for (; len > 16; label += 16, len -= 16)
		hash = ld_mix64(ld_get_le64(label) ^ hash,
				ld_get_le64(label + 8) ^ LD_KEY_HASH_A ^ hash >> 32);
	uint64_t low = ld_get_le64(label) & ld_get_le64(masks + 16 - len);
	uint64_t high = ld_get_le64(label + 8) & ld_get_le64(masks + 24 - len);
	return ld_mix64(low ^ hash, high ^ LD_KEY_HASH_A ^ hash >> 32);
}

/** Hash of a key with a path, from that of its host. */
static inline uint64_t
ld_key_hash_path(uint64_t host, struct ld_span path)
{
	return ld_hash_bytes(path, host);
}

/** Hash of a whole key, and how many labels its host has.  The key is copied nowhere but, label by
 * label, onto the stack, which is wiped. */
uint64_t ld_key_hash(struct ld_span key, unsigned *ret_labels);

#endif
