/* Sealed names in an image: blinded hashes in order, each with its tuple.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Libc only (part of liblindung).  Trust: as image.h says; what is not in order is not found. */
#ifndef LD_INDEX_SEALED_H
#define LD_INDEX_SEALED_H

#include "index/image.h"

/** Take the section in.  False: it is not as long as it says, or too short. */
bool ld_sealed_open(struct ld_image *image);

/** The search for a key (with its path, if it has one) among the sealed ones of an image that has
 * some, in two steps: the first blinds it, and so costs a keyed hash, and asks memory for what the
 * second one needs.  Ask the filter before. */
struct ld_sealed_find {
	uint8_t hash[LD_SEALED_HASH_BYTES];
	uint64_t at;
};
void ld_sealed_begin(struct ld_sealed_find *find, const struct ld_image *image, struct ld_span key);
bool ld_sealed_end(const struct ld_sealed_find *find, const struct ld_image *image,
		   uint32_t *ret_tuple);

/** Both at once; false, too, for an image that has none. */
static inline bool
ld_sealed_find(const struct ld_image *image, struct ld_span key, uint32_t *ret_tuple)
{
	struct ld_sealed_find find;

	if (image->sealed_count == 0)
		return false;
	ld_sealed_begin(&find, image, key);
	return ld_sealed_end(&find, image, ret_tuple);
}

/** They are in order, each once, and have rules that speak of sealed names.  LINDUNG_EDAMAGED. */
int ld_sealed_verify(const struct ld_image *image);

#endif
