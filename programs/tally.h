/* Counts by name: how many entries of each category, of each source.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROGRAMS_TALLY_H
#define LD_PROGRAMS_TALLY_H

#include <jansson.h>

#include "base/arena.h"

enum { LD_TALLY_COLUMNS = 2 };

struct ld_tally {
	struct ld_arena *arena;
	void *root;
	struct ld_tally_row *last; /* the one counted last: most often the next one, too */
};

/** Count one more of `name` in this column.  LINDUNG_ENOMEM. */
int ld_tally_add(struct ld_tally *tally, struct ld_span name, unsigned column);

/** A line each, in the order of names: the counts of the first `columns`, each with its sign before
 * it, then the name. */
void ld_tally_print(const struct ld_tally *tally, unsigned columns, const char *signs);

/** {"name": count} or, with two keys, {"name": {key: count, key: count}}. */
json_t *ld_tally_json(const struct ld_tally *tally, const char *const *keys, unsigned columns);

void ld_tally_free(struct ld_tally *tally);

#endif
