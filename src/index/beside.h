/* Names beside listed ones, and random ones made of them: what is asked to find out whether an
 * index is exact.  For tests and measurements; libc only. SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_INDEX_BESIDE_H
#define LD_INDEX_BESIDE_H

#include <stdint.h>

#include "base/span.h"

enum ld_beside {
	LD_BESIDE_CHILD,
	LD_BESIDE_CHANGED,  /* one letter */
	LD_BESIDE_INSERTED, /* one letter more */
	LD_BESIDE_TAKEN,    /* one letter less */
	LD_BESIDE_PARENT,
	LD_BESIDE_WITHIN, /* a label more behind the first */
	LD_BESIDE_KINDS,
};

/** The next number of a sequence (splitmix64: Steele, Lea, Flood, OOPSLA 2014). */
static inline uint64_t
ld_beside_draw(uint64_t *random)
{
	uint64_t z = (*random += 0x9e3779b97f4a7c15u);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

typedef void ld_beside_each(void *ctx, enum ld_beside kind, struct ld_span name);

/** Call `each` for a name of each kind; those that would be no names are left out. */
void ld_beside(struct ld_span host, uint64_t *random, ld_beside_each *each, void *ctx);

enum { LD_BESIDE_NAME_BYTES = 1024 };

/** A name of a label, or less, of one listed name, some letters, and the end of another.
 * `name` has LD_BESIDE_NAME_BYTES.  The empty span if what came out is no name. */
struct ld_span ld_beside_random(char *name, struct ld_span one, struct ld_span other,
				uint64_t *random);

#endif
