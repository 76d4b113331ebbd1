/* The search for one key in one image, in three steps: each waits once for memory, and asks for
 * what the next one needs.  Whoever has several keys takes each step for all of them before the
 * next. SPDX-License-Identifier: BSD-2-Clause
 *
 * Libc only (part of liblindung).  Lives on the stack of one look-up; the key must stay. */
#ifndef LD_INDEX_FIND_H
#define LD_INDEX_FIND_H

#include "index/image.h"

struct ld_find {
	const struct ld_image *image;
	struct ld_span key;
	uint32_t group;      /* the only one that the key can be in, if `here` */
	uint32_t block;      /* of all: the one that it can be in */
	bool here;           /* it is not ruled out yet */
	uint64_t start, end; /* of that block, in bits */
};

/** Which group?  LD_KEY_SLACK octets behind the key must be readable; what stands there does not
 * matter. */
void ld_find_group(struct ld_find *find, const struct ld_image *image, struct ld_span key);
/** Which block? */
void ld_find_block(struct ld_find *find);
/** True, and its tuple, if it is in the image. */
bool ld_find_key(const struct ld_find *find, uint32_t *ret_tuple);

#endif
