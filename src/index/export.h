/* The entries of an opened list, in order: as they stand, or as they take effect.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What writers read (struct ld_list_source): base and overlays as one list. */
#ifndef LD_INDEX_EXPORT_H
#define LD_INDEX_EXPORT_H

#include <lindung/lindung.h>

#include "list/list.h"

struct ld_export;

/** Go through `list`, which must outlive it.
 * `effective` false: every entry of every category as it stands (for the format LINDUNG), those of
 * one rule with all their sources joined by ','.
 * `effective` true: what is enforced when the categories `active` are: an entry only where the
 * verdict differs from what the entries above it make of the name; see struct ld_list_source.
 * Errors: LINDUNG_ENOMEM. */
int ld_export_new(struct ld_export **ret, const struct lindung *list, bool effective,
		  uint64_t active);
void ld_export_free(struct ld_export *export);

/** For ld_list_write(); valid until ld_export_free().  Its errors: LINDUNG_EDAMAGED. */
struct ld_list_source ld_export_source(struct ld_export *export);

/** Sealed entries of all layers: they are in no list that is written. */
uint64_t ld_export_sealed(const struct lindung *list);

/** Every entry of a list as it stands, in order.  `each` returns LINDUNG_OK to go on. */
int ld_export_each(const struct lindung *list, int (*each)(void *ctx, const struct ld_entry *entry),
		   void *ctx);

/** Compare two lists entry by entry (as they stand).  `each` is called in order with +1 for what
 * only `new` has, -1 for what only `old` has; it returns LINDUNG_OK to go on. */
int ld_export_diff(const struct lindung *old, const struct lindung *new,
		   int (*each)(void *ctx, int change, const struct ld_entry *entry), void *ctx);

#endif
