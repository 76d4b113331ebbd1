/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/rules.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"
#include "index/format.h"

enum { SLOTS = 1 << 17, TEXT_BYTES_MAX = 64 * 1024 * 1024 };

struct ld_rules {
	pthread_mutex_t lock;
	struct ld_arena texts;
	unsigned count;
	struct ld_rule_text rules[LD_INDEX_RULES_MAX];
	uint32_t slots[SLOTS]; /* number + 1 */
};

int
ld_rules_new(struct ld_rules **ret)
{
	struct ld_rules *rules = calloc(1, sizeof *rules);

	if (rules == NULL)
		return LINDUNG_ENOMEM;
	pthread_mutex_init(&rules->lock, NULL);
	ld_arena_init(&rules->texts, TEXT_BYTES_MAX);
	*ret = rules;
	return LINDUNG_OK;
}

void
ld_rules_free(struct ld_rules *rules)
{
	if (rules == NULL)
		return;
	pthread_mutex_destroy(&rules->lock);
	ld_arena_clear(&rules->texts);
	free(rules);
}

int
ld_rule_text_compare(const struct ld_rule_text *a, const struct ld_rule_text *b)
{
	int order = ld_span_compare(a->category, b->category);

	if (order == 0)
		order = (int)a->action - (int)b->action;
	if (order == 0)
		order = (int)a->flags - (int)b->flags;
	if (order == 0)
		order = ld_span_compare(a->source, b->source);
	return order != 0 ? order : ld_span_compare(a->target, b->target);
}

static uint64_t
rule_hash(const struct ld_rule_text *rule)
{
	uint64_t hash = ld_hash_bytes(rule->category, (uint64_t)rule->action << 8 | rule->flags);

	return ld_hash_bytes(rule->target, ld_hash_bytes(rule->source, hash));
}

static int
rule_add(struct ld_rules *rules, const struct ld_rule_text *rule)
{
	struct ld_rule_text copy = *rule;

	if (rules->count == LD_INDEX_RULES_MAX || rule->category.len > LD_INDEX_TEXT_MAX ||
	    rule->source.len > LD_INDEX_TEXT_MAX || rule->target.len > LD_INDEX_TEXT_MAX)
		return LINDUNG_ELIMIT;
	copy.category = ld_arena_copy(&rules->texts, rule->category);
	copy.source = ld_arena_copy(&rules->texts, rule->source);
	copy.target = ld_arena_copy(&rules->texts, rule->target);
	if (copy.category.data == NULL || copy.source.data == NULL || copy.target.data == NULL)
		return LINDUNG_ENOMEM;
	rules->rules[rules->count++] = copy;
	return LINDUNG_OK;
}

int
ld_rules_intern(struct ld_rules *rules, const struct ld_rule_text *rule, uint16_t *ret)
{
	uint32_t at = (uint32_t)rule_hash(rule) & (SLOTS - 1);
	int err = LINDUNG_OK;

	pthread_mutex_lock(&rules->lock);
	while (rules->slots[at] != 0 &&
	       ld_rule_text_compare(&rules->rules[rules->slots[at] - 1], rule) != 0)
		at = (at + 1) & (SLOTS - 1);
	if (rules->slots[at] == 0) {
		err = rule_add(rules, rule);
		if (err == LINDUNG_OK)
			rules->slots[at] = rules->count;
	}
	if (err == LINDUNG_OK)
		*ret = (uint16_t)(rules->slots[at] - 1);
	pthread_mutex_unlock(&rules->lock);
	return err;
}

unsigned
ld_rules_count(const struct ld_rules *rules)
{
	return rules->count;
}

const struct ld_rule_text *
ld_rules_get(const struct ld_rules *rules, uint16_t number)
{
	return &rules->rules[number];
}
