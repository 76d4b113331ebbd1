/* The rules of an image while it is made: who says what about which category.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Threads: interning is for any number at once; the rest for one, when none interns. */
#ifndef LD_INDEX_RULES_H
#define LD_INDEX_RULES_H

#include "base/error.h"
#include "base/span.h"

/** A rule but for its scope (which stands with each record). */
struct ld_rule_text {
	struct ld_span category; /* "*": every one */
	struct ld_span source;
	struct ld_span target;
	uint8_t action;
	uint8_t flags;
};

struct ld_rules;

int ld_rules_new(struct ld_rules **ret);
void ld_rules_free(struct ld_rules *rules);

/** The number of this rule, the same for the same rule; texts are copied.
 * Errors: LINDUNG_ELIMIT (too many rules, or a text past LD_INDEX_TEXT_MAX), LINDUNG_ENOMEM. */
int ld_rules_intern(struct ld_rules *rules, const struct ld_rule_text *rule, uint16_t *ret);

unsigned ld_rules_count(const struct ld_rules *rules);
const struct ld_rule_text *ld_rules_get(const struct ld_rules *rules, uint16_t number);

/** Total order of rules by content. */
int ld_rule_text_compare(const struct ld_rule_text *a, const struct ld_rule_text *b);

#endif
