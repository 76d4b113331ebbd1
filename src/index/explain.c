/* Why a name or URL is judged as it is.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "index/search.h"

struct explanation {
	const struct lindung *list;
	uint64_t active;
	struct ld_effect effect; /* of the entries seen: all of them are longer */
	int (*each)(void *ctx, const struct lindung_reason *reason);
	void *ctx;
	int stopped;
	struct ld_effect whole; /* of all entries: what came out */
	bool is_sealed;         /* some entry is sealed */
};

static bool
whole_add(void *ctx, const struct ld_match *match)
{
	struct explanation *x = ctx;
	const struct ld_layer *layer = &x->list->layers[match->layer];
	struct ld_effect one =
		ld_effect_of(layer->image, match->tuple, match->relation, layer->map, x->active);

	x->is_sealed |= match->is_sealed && one.locked_block != 0;
	ld_effect_over(&x->whole, &one);
	return true;
}

/* This rule is why its category came out as it did. */
static bool
rule_decides(const struct explanation *x, const struct ld_rule *rule, uint64_t set)
{
	bool important = (rule->flags & LD_ENTRY_IMPORTANT) != 0;
	bool locked = (rule->flags & LD_ENTRY_LOCKED) != 0;
	const struct ld_effect *longer = &x->effect;
	uint64_t said = longer->important_block | longer->important_allow;

	if ((rule->flags & LD_ENTRY_PROTECTED) != 0)
		return true;
	if (x->whole.is_protected)
		return false;
	if (locked)
		return (set & ~(longer->locked_block | longer->locked_allow)) != 0;
	if (x->whole.locked_block != 0)
		return false;
	if (rule->action == LD_ACTION_REWRITE)
		return !longer->rewrites && ld_effect_blocked(&x->whole) == 0;
	if (!important)
		said |= longer->block | longer->allow | x->whole.important_block |
			x->whole.important_allow;
	set &= ~said;
	if (rule->action == LD_ACTION_BLOCK)
		set &= ld_effect_blocked(&x->whole);
	return set != 0;
}

static size_t
entry_text(char *text, struct ld_span key, uint8_t scope)
{
	struct ld_span host = ld_span_first(key, ld_span_find(key, '/'));
	size_t at = 0;

	if (scope == LD_SCOPE_SELF)
		text[at++] = '=';
	if (scope == LD_SCOPE_BELOW) {
		text[at++] = '*';
		text[at++] = '.';
	}
	at += ld_key_to_host(text + at, host);
	memcpy(text + at, key.data + host.len, key.len - host.len);
	return at + key.len - host.len;
}

static bool
explanation_add(void *ctx, const struct ld_match *match)
{
	struct explanation *x = ctx;
	const struct ld_layer *layer = &x->list->layers[match->layer];
	char text[LD_INDEX_KEY_MAX + 8];
	uint32_t count;
	const uint8_t *rules = ld_image_tuple(layer->image, match->tuple, &count);

	if (match->is_sealed && !x->list->is_operator)
		return true;
	for (uint32_t i = 0; i < count && x->stopped == 0; i++) {
		struct ld_rule rule =
			ld_image_rule(layer->image, ld_get_le16(rules + 2 * (size_t)i));
		bool all = rule.category == LD_RULE_CATEGORY_ALL;
		uint64_t set = all ? UINT64_MAX : UINT64_C(1) << layer->map[rule.category];

		if ((rule.flags & LD_ENTRY_LOCKED) == 0)
			set &= x->active;
		if (!ld_rule_applies(rule.scope, match->relation) || set == 0 ||
		    rule.action == LD_ACTION_REMOVE)
			continue;
		struct lindung_reason reason = {
			.entry = {text, entry_text(text, match->key, rule.scope)},
			.category = all ? (struct lindung_text){"*", 1}
					: ld_text_of(ld_texts_get(&layer->image->categories,
								  rule.category)),
			.source = ld_text_of(ld_texts_get(&layer->image->sources, rule.source)),
			.action = rule.action == LD_ACTION_BLOCK     ? LINDUNG_BLOCK
				  : rule.action == LD_ACTION_REWRITE ? LINDUNG_REWRITE
								     : LINDUNG_ALLOW,
			.decides = rule_decides(x, &rule, set),
			.important = (rule.flags & LD_ENTRY_IMPORTANT) != 0,
			.is_protected = (rule.flags & LD_ENTRY_PROTECTED) != 0,
			.is_sealed = match->is_sealed,
			.layer = match->layer,
			.target = ld_text_of(ld_texts_get(&layer->image->targets, rule.target)),
		};
		x->stopped = x->each(x->ctx, &reason);
	}
	struct ld_effect one =
		ld_effect_of(layer->image, match->tuple, match->relation, layer->map, x->active);
	ld_effect_over(&x->effect, &one);
	return x->stopped == 0;
}

int
lindung_explain(const struct lindung *list, const char *name_or_url, size_t len, uint64_t active,
		int (*each)(void *ctx, const struct lindung_reason *reason), void *ctx)
{
	struct explanation x = {.list = list, .active = active, .each = each, .ctx = ctx};
	bool is_url = len != 0 && memchr(name_or_url, '/', len) != NULL;
	int err;

	err = ld_search_text(list, name_or_url, len, is_url, whole_add, &x);
	if (err != LINDUNG_OK)
		return err;
	/* One reason for all that is sealed: neither which nor how many, and of no entry. */
	if (x.is_sealed && !list->is_operator) {
		const struct lindung_reason reason = {.action = LINDUNG_BLOCK,
						      .decides = !x.whole.is_protected,
						      .is_sealed = true};

		x.stopped = each(ctx, &reason);
	}
	if (x.stopped == 0)
		err = ld_search_text(list, name_or_url, len, is_url, explanation_add, &x);
	return err != LINDUNG_OK ? err : x.stopped;
}
