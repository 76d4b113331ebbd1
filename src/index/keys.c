/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/keys.h"

void
ld_keys_begin(struct ld_keys *walk, const struct ld_image *image)
{
	walk->image = image;
	walk->next_block = 0;
	walk->block = (struct ld_block){.image = image};
	walk->tuple = 0;
	walk->key_len = walk->first_len = 0;
}

int
ld_keys_next(struct ld_keys *walk)
{
	struct ld_stored stored;
	bool first = false;

	if (walk->block.half.left == 0) {
		if (ld_block_second(&walk->block)) {
			memcpy(walk->key, walk->first, walk->first_len);
			walk->key_len = walk->first_len;
		} else if (walk->next_block < walk->image->block_count) {
			walk->block = ld_block_open(walk->image, walk->next_block++);
			first = true;
		} else {
			walk->key_len = 0;
			return LINDUNG_ENOTFOUND;
		}
	}
	if (!ld_block_next(&walk->block, &stored) || stored.lcp > walk->key_len)
		return LINDUNG_EDAMAGED;
	size_t len = ld_stored_copy(walk->image, &stored, walk->key);
	if (len == 0 || len <= stored.lcp)
		return LINDUNG_EDAMAGED;
	walk->key_len = len;
	walk->tuple = ld_block_tuple(&walk->block);
	if (first) {
		memcpy(walk->first, walk->key, len);
		walk->first_len = len;
	}
	return LINDUNG_OK;
}

int
ld_image_verify_entries(const struct ld_image *image)
{
	struct ld_keys walk;
	uint8_t before[LD_INDEX_KEY_MAX];
	size_t before_len = 0;
	uint64_t count = 0;
	int err;

	ld_keys_begin(&walk, image);
	while ((err = ld_keys_next(&walk)) == LINDUNG_OK) {
		struct ld_span key = ld_span(walk.key, walk.key_len);
		unsigned labels;
		uint64_t hash = ld_key_hash(key, &labels);
		uint32_t tuple;

		if (ld_span_compare(ld_span(before, before_len), key) >= 0 ||
		    !ld_image_may_hold(image, hash) || labels < image->labels_min ||
		    labels > image->labels_max || !ld_image_find(image, key, &tuple) ||
		    tuple != walk.tuple)
			return LINDUNG_EDAMAGED;
		memcpy(before, walk.key, walk.key_len);
		before_len = walk.key_len;
		count++;
	}
	return err == LINDUNG_ENOTFOUND && count == image->entry_count ? LINDUNG_OK
								       : LINDUNG_EDAMAGED;
}
