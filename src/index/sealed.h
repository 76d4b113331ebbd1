/* Sealed names in an image: blinded hashes in order, each with its tuple.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Libc only (part of liblindung).  Trust: as image.h says; what is not in order is not found. */
#ifndef LD_INDEX_SEALED_H
#define LD_INDEX_SEALED_H

#include "index/image.h"

/** Take the section in.  False: it is not as long as it says, or too short. */
bool ld_sealed_open(struct ld_image *image);

/** Find a key (with its path, if it has one) among the sealed ones: blinds it, and so costs a keyed
 * hash; ask the filter before. */
bool ld_sealed_find(const struct ld_image *image, struct ld_span key, uint32_t *ret_tuple);

/** They are in order, each once, and have rules that speak of sealed names.  LINDUNG_EDAMAGED. */
int ld_sealed_verify(const struct ld_image *image);

#endif
