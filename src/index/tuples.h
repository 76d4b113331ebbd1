/* Sets of rules while an image is made: each name has one, few are different.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An element of a tuple is rank << 4 | scope; the rank of a rule is its place among all rules
 * ordered by content, so that nothing depends on the order in which lists were read. */
#ifndef LD_INDEX_TUPLES_H
#define LD_INDEX_TUPLES_H

#include "index/rules.h"

struct ld_tuples;
struct ld_gathered;

int ld_tuples_new(struct ld_tuples **ret, const struct ld_rules *rules);
void ld_tuples_free(struct ld_tuples *tuples);

uint32_t ld_tuples_rank(const struct ld_tuples *tuples, uint16_t rule);
const struct ld_rule_text *ld_tuples_rule(const struct ld_tuples *tuples, uint32_t rank);
/** The categories a rule speaks of, as bits private to this building. */
uint64_t ld_tuples_categories(const struct ld_tuples *tuples, uint32_t rank);
bool ld_tuples_any_badfilter(const struct ld_tuples *tuples);

/** The number of the tuple of these elements (which rise). LINDUNG_ELIMIT, LINDUNG_ENOMEM. */
int ld_tuples_intern(struct ld_tuples *tuples, const uint32_t *elements, uint32_t count,
		     uint32_t *ret);
/** This tuple begins once more. */
void ld_tuples_count(struct ld_tuples *tuples, uint32_t tuple);

/** Number rules and tuples for good, most frequent first, and fill in what `out` says of them.
 * LINDUNG_ELIMIT past LINDUNG_CATEGORY_MAX categories. */
int ld_tuples_finish(struct ld_tuples *tuples, struct ld_gathered *out);

#endif
