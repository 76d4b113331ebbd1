/* Every key of an image, in order.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_INDEX_KEYS_H
#define LD_INDEX_KEYS_H

#include "index/image.h"

struct ld_keys {
	const struct ld_image *image;
	uint32_t next_block;
	struct ld_block block;
	uint32_t tuple;
	size_t key_len; /* 0 before the first and after the last */
	uint8_t key[LD_INDEX_KEY_MAX + LD_KEY_SLACK];
	size_t first_len;
	uint8_t first[LD_INDEX_KEY_MAX]; /* of the block: the second half joins on to it */
};

void ld_keys_begin(struct ld_keys *walk, const struct ld_image *image);

/** The next key into walk->key, its tuple into walk->tuple.  LINDUNG_ENOTFOUND at the end,
 * LINDUNG_EDAMAGED where a block cannot be read. */
int ld_keys_next(struct ld_keys *walk);

#endif
