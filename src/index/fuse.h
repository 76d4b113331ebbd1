/* Building the filter: binary fuse filters, one for each part of the hash space.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Thomas Mueller Graf and Daniel Lemire, "Binary Fuse Filters: Fast and Smaller Than Xor Filters",
 * ACM JEA 27 (2022).  Three probes, 8-bit fingerprints: about 9.0 bits a key, 1 false "perhaps"
 * in 256.  The result is a pure function of the set of hashes. */
#ifndef LD_INDEX_FUSE_H
#define LD_INDEX_FUSE_H

#include "base/error.h"
#include "base/span.h"

/** A finished part, malloc()ed fingerprints. */
struct ld_fuse {
	uint64_t seed;
	uint32_t window;
	uint32_t segment_mask;
	uint32_t len;
	uint8_t *fingerprints;
};

/** Build the filter of `count` hashes (reordered; equal ones are allowed).
 * Errors: LINDUNG_ENOMEM, LINDUNG_EINTERNAL (no seed of 100 worked: never seen). */
int ld_fuse_build(struct ld_fuse *ret, uint64_t *hashes, uint32_t count);

#endif
