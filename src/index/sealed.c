/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/sealed.h"

#include "base/siphash.h"
#include "list/entry.h"

bool
ld_sealed_open(struct ld_image *image)
{
	struct ld_span section = image->sections[LD_SECTION_SEALED];

	if (section.len == 0)
		return true;
	if (section.len < LD_SEALED_KEY_BYTES + LD_SEALED_ENTRY_BYTES ||
	    (section.len - LD_SEALED_KEY_BYTES) % LD_SEALED_ENTRY_BYTES != 0 ||
	    image->labels_min == 0 || image->tuple_count == 0)
		return false;
	image->sealed_count = (section.len - LD_SEALED_KEY_BYTES) / LD_SEALED_ENTRY_BYTES;
	image->sealed_key = section.data;
	image->sealed_hashes = section.data + LD_SEALED_KEY_BYTES;
	image->sealed_tuples =
		image->sealed_hashes + (size_t)image->sealed_count * LD_SEALED_HASH_BYTES;
	return true;
}

static const uint8_t *
hash_at(const struct ld_image *image, uint64_t i)
{
	return image->sealed_hashes + (size_t)i * LD_SEALED_HASH_BYTES;
}

/* The first octets of a hash as a number that rises with it. */
static uint64_t
head(const uint8_t *hash)
{
	return (uint64_t)ld_get_be32(hash) << 32 | ld_get_be32(hash + 4);
}

void
ld_sealed_begin(struct ld_sealed_find *find, const struct ld_image *image, struct ld_span key)
{
	ld_siphash_128(find->hash, image->sealed_key, key, (struct ld_span){NULL, 0});
	/* Hashes are spread evenly: it would stand here if they were quite so. */
	find->at = (uint64_t)((unsigned __int128)head(find->hash) * image->sealed_count >> 64);
	__builtin_prefetch(hash_at(image, find->at));
}

/* Where it stands as far as the hash at `at` tells: within some places of there. */
static uint64_t
place_near(const struct ld_image *image, uint64_t at, uint64_t wanted)
{
	uint64_t found = head(hash_at(image, at)), count = image->sealed_count, way;

	if (found <= wanted) {
		way = (uint64_t)((unsigned __int128)(wanted - found) * count >> 64);
		return way < count - at ? at + way : count - 1;
	}
	way = (uint64_t)((unsigned __int128)(found - wanted) * count >> 64);
	return way < at ? at - way : 0;
}

bool
ld_sealed_end(const struct ld_sealed_find *find, const struct ld_image *image, uint32_t *ret_tuple)
{
	uint64_t wanted = head(find->hash), count = image->sealed_count, step = 4, low, high;
	uint64_t at = place_near(image, find->at, wanted);

	/* Ever further away, until it is between two of them. */
	if (head(hash_at(image, at)) > wanted) {
		for (high = at; step < high && head(hash_at(image, high - step)) > wanted;
		     step *= 2)
			high -= step;
		low = step < high ? high - step : 0;
	} else {
		for (low = at; step < count - low && head(hash_at(image, low + step)) <= wanted;
		     step *= 2)
			low += step;
		high = step < count - low ? low + step : count;
	}
	/* The last one of [low, high) that is not past it, all of it compared. */
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (memcmp(hash_at(image, middle), find->hash, sizeof find->hash) <= 0)
			low = middle;
		else
			high = middle;
	}
	if (memcmp(hash_at(image, low), find->hash, sizeof find->hash) != 0)
		return false;
	uint32_t tuple = ld_get_le16(image->sealed_tuples + 2 * (size_t)low);
	if (tuple >= image->tuple_count)
		return false;
	*ret_tuple = tuple;
	return true;
}

/* Sealed names are closed, or no longer. */
static bool
tuple_seals(const struct ld_image *image, uint32_t tuple)
{
	uint32_t count;
	const uint8_t *rules = ld_image_tuple(image, tuple, &count);

	for (uint32_t i = 0; i < count; i++) {
		struct ld_rule rule = ld_image_rule(image, ld_get_le16(rules + 2 * (size_t)i));

		if ((rule.flags & LD_ENTRY_LOCKED) == 0 ||
		    (rule.action != LD_ACTION_BLOCK && rule.action != LD_ACTION_REMOVE))
			return false;
	}
	return count != 0;
}

int
ld_sealed_verify(const struct ld_image *image)
{
	for (uint64_t i = 0; i < image->sealed_count; i++) {
		uint32_t tuple = ld_get_le16(image->sealed_tuples + 2 * (size_t)i);

		if ((i > 0 &&
		     memcmp(hash_at(image, i - 1), hash_at(image, i), LD_SEALED_HASH_BYTES) >= 0) ||
		    tuple >= image->tuple_count || !tuple_seals(image, tuple))
			return LINDUNG_EDAMAGED;
	}
	return LINDUNG_OK;
}
