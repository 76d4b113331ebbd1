/* Hashes of the index file: one for names, label by label, and one for whole sections.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Neither is cryptographic.  The first spreads names over the filter, the second finds damage; who
 * wants to know *who* made a file looks at signatures, not here.  Both are part of the file format
 * (formats/index.md) and never change within a version. */
#ifndef LD_BASE_HASH_H
#define LD_BASE_HASH_H

#include <stdint.h>

#include "base/span.h"

/** Mix 128 bits of product down to 64. */
static inline uint64_t
ld_mix64(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/** Hash of a section: 64 bits. */
uint64_t ld_hash_bytes(struct ld_span bytes, uint64_t seed);

#endif
