/* Any bytes as the path of a tile, and as a bundle of entries.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "log/merkle.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ld_reader bundle = ld_reader(ld_span(data, size));
	struct ld_span entry;
	struct ld_tile tile;
	size_t octets = 0;

	if (ld_tile_parse(&tile, ld_span(data, size)) == LINDUNG_OK) {
		char path[LD_TILE_PATH_MAX];

		LD_ASSERT(ld_span_equal(ld_span(path, ld_tile_path(&tile, path)),
					ld_span(data, size)));
		LD_ASSERT(tile.width >= 1 && tile.width <= LD_TILE_WIDTH);
	}
	while (ld_bundle_next(&bundle, &entry)) {
		struct ld_hash leaf;

		ld_hash_leaf(&leaf, entry);
		octets += 2 + entry.len;
	}
	LD_ASSERT(bundle.failed || octets == size);
	return 0;
}
