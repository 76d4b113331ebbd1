/* SPDX-License-Identifier: BSD-2-Clause */
#include "name/blind.h"

#include "base/siphash.h"
#include "name/key.h"

void
ld_blind(uint8_t ret[LD_BLIND_BYTES], const uint8_t key[LD_BLIND_KEY_BYTES], uint8_t scope,
	 struct ld_span name_key, struct ld_span path)
{
	unsigned labels;
	uint64_t filter = ld_key_hash(name_key, &labels);

	if (path.len != 0)
		filter = ld_key_hash_path(filter, path);
	ld_siphash_128(ret, key, name_key, path);
	ld_put_le64(ret + LD_BLIND_FILTER_AT, filter);
	ret[LD_BLIND_LABELS_AT] = (uint8_t)labels;
	ret[LD_BLIND_SCOPE_AT] = scope;
}
