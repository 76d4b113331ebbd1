/* What the entries of a name decide, category by category, and how those of a name and of its
 * parents combine: the one place where precedence among entries is written.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * At one name: a locked entry beats one that is not, an important one any that is neither; then
 * allow beats block.  Over names: each category is decided by the longest entry that speaks of it,
 * locked ones before important ones before all others.  Locked ones count whichever categories are
 * active.  A protected name is open whatever else is said.  A rewrite counts where nothing blocks.
 */
#ifndef LD_INDEX_EFFECT_H
#define LD_INDEX_EFFECT_H

#include "index/image.h"
#include "list/entry.h"

/** Sets of categories. */
struct ld_effect {
	uint64_t block, allow;                     /* by ordinary entries: never both */
	uint64_t important_block, important_allow; /* never both */
	uint64_t locked_block, locked_allow;       /* never both */
	bool is_protected;
	bool rewrites;
	bool is_split;         /* it is another one for names below */
	struct ld_span target; /* if it rewrites */
};

/** How the entry's name lies to the name asked about. */
enum ld_relation { LD_RELATION_SELF, LD_RELATION_PARENT, LD_RELATION_URL };

static inline bool
ld_rule_applies(uint8_t scope, enum ld_relation relation)
{
	switch (relation) {
	case LD_RELATION_SELF:
		return (scope & LD_SCOPE_SELF) != 0;
	case LD_RELATION_PARENT:
		return (scope & LD_SCOPE_BELOW) != 0;
	case LD_RELATION_URL:
	default:
		return (scope & LD_SCOPE_URL) != 0;
	}
}

/** What one tuple decides. `map`: the bit of each of the image's categories. */
static inline struct ld_effect
ld_effect_of(const struct ld_image *image, uint32_t tuple, enum ld_relation relation,
	     const uint8_t *map, uint64_t active)
{
	struct ld_effect effect = {0};
	uint32_t count;
	const uint8_t *rules = ld_image_tuple(image, tuple, &count);

	for (uint32_t i = 0; i < count; i++) {
		struct ld_rule rule = ld_image_rule(image, ld_get_le16(rules + 2 * (size_t)i));
		uint64_t set = rule.category == LD_RULE_CATEGORY_ALL
				       ? UINT64_MAX
				       : UINT64_C(1) << map[rule.category];
		bool important = (rule.flags & LD_ENTRY_IMPORTANT) != 0;

		effect.is_split |= rule.scope != LD_SCOPE_TREE;
		if (!ld_rule_applies(rule.scope, relation))
			continue;
		if ((rule.flags & LD_ENTRY_LOCKED) != 0) {
			if (rule.action == LD_ACTION_BLOCK)
				effect.locked_block |= set;
			else if (rule.action == LD_ACTION_ALLOW)
				effect.locked_allow |= set;
		} else if (rule.action == LD_ACTION_BLOCK)
			*(important ? &effect.important_block : &effect.block) |= set & active;
		else if (rule.action == LD_ACTION_ALLOW)
			*(important ? &effect.important_allow : &effect.allow) |= set & active;
		else if (rule.action == LD_ACTION_REWRITE && (set & active) != 0 &&
			 rule.target != LD_RULE_NO_TARGET && !effect.rewrites) {
			effect.rewrites = true;
			effect.target = ld_texts_get(&image->targets, rule.target);
		}
		effect.is_protected |= (rule.flags & LD_ENTRY_PROTECTED) != 0;
	}
	effect.block &= ~effect.allow;
	effect.important_block &= ~effect.important_allow;
	effect.locked_block &= ~effect.locked_allow;
	return effect;
}

/** Lay `longer` over `shorter`, in place of `longer`. */
static inline void
ld_effect_over(struct ld_effect *longer, const struct ld_effect *shorter)
{
	uint64_t said = longer->block | longer->allow;
	uint64_t important = longer->important_block | longer->important_allow;
	uint64_t locked = longer->locked_block | longer->locked_allow;

	longer->block |= shorter->block & ~said;
	longer->allow |= shorter->allow & ~said;
	longer->important_block |= shorter->important_block & ~important;
	longer->important_allow |= shorter->important_allow & ~important;
	longer->locked_block |= shorter->locked_block & ~locked;
	longer->locked_allow |= shorter->locked_allow & ~locked;
	longer->is_protected |= shorter->is_protected;
	if (!longer->rewrites && shorter->rewrites) {
		longer->rewrites = true;
		longer->target = shorter->target;
	}
}

/** The categories in which it blocks in the end. */
static inline uint64_t
ld_effect_blocked(const struct ld_effect *effect)
{
	uint64_t others = effect->important_block | (effect->block & ~effect->important_allow);

	return effect->is_protected ? 0 : effect->locked_block | others;
}

/** The categories in which an allow entry decided. */
static inline uint64_t
ld_effect_allowed(const struct ld_effect *effect)
{
	return effect->important_allow | (effect->allow & ~effect->important_block);
}

#endif
