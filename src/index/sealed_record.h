/* Blinded entries on their way through the sorter: behind all others, by their hash.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A record's key has no zero octet, a blinded entry may: each half of an octet becomes one. */
#ifndef LD_INDEX_SEALED_RECORD_H
#define LD_INDEX_SEALED_RECORD_H

#include "index/sorter.h"
#include "name/blind.h"

enum { LD_SEALED_RECORD_BYTES = 1 + 2 * LD_BLIND_SCOPE_AT };

/** The key of a blinded entry's record: of all but its scope, which stands beside it. */
static inline void
ld_sealed_record(uint8_t key[LD_SEALED_RECORD_BYTES], const uint8_t blind[LD_BLIND_BYTES])
{
	key[0] = LD_RECORD_SEALED;
	for (unsigned i = 0; i < LD_BLIND_SCOPE_AT; i++) {
		key[1 + 2 * i] = (uint8_t)('a' + (blind[i] >> 4));
		key[2 + 2 * i] = (uint8_t)('a' + (blind[i] & 15));
	}
}

static inline void
ld_sealed_record_read(uint8_t ret_blind[LD_BLIND_BYTES], struct ld_span key)
{
	LD_ASSERT(key.len == LD_SEALED_RECORD_BYTES);
	for (unsigned i = 0; i < LD_BLIND_SCOPE_AT; i++)
		ret_blind[i] =
			(uint8_t)((key.data[1 + 2 * i] - 'a') << 4 | (key.data[2 + 2 * i] - 'a'));
	ret_blind[LD_BLIND_SCOPE_AT] = 0;
}

#endif
