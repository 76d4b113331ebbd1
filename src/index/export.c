/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/export.h"

#include <stdlib.h>

#include "base/arena.h"
#include "index/keys.h"
#include "index/layers.h"

enum {
	ENTRIES_MAX = LD_INDEX_TUPLE_RULES_MAX + 8,
	SOURCES_MAX_BYTES = 1024 * 1024,
};

/* A name above the one at hand. */
struct above {
	size_t key_len;
	struct ld_effect below; /* what all entries down to this one make of names below it */
};

struct ld_export {
	const struct lindung *list;
	bool effective;
	uint64_t active;
	struct ld_keys keys[LINDUNG_OVERLAY_MAX + 1];
	bool has_key[LINDUNG_OVERLAY_MAX + 1];
	/* The name at hand and what is to be told of it. */
	uint8_t key[LD_INDEX_KEY_MAX + LD_KEY_SLACK];
	size_t key_len;
	char host[LD_HOST_MAX + 1];
	struct ld_entry entries[ENTRIES_MAX];
	unsigned entry_count, entry_next;
	struct ld_buffer sources; /* joined, for entries with more than one */
	struct above above[LD_INDEX_LABELS_MAX + 1];
	unsigned above_count;
	uint8_t above_key[LD_INDEX_KEY_MAX];
};

int
ld_export_new(struct ld_export **ret, const struct lindung *list, bool effective, uint64_t active)
{
	struct ld_export *x = calloc(1, sizeof *x);

	if (x == NULL)
		return LINDUNG_ENOMEM;
	x->list = list;
	x->effective = effective;
	x->active = active;
	ld_buffer_init(&x->sources, SOURCES_MAX_BYTES);
	*ret = x;
	return LINDUNG_OK;
}

void
ld_export_free(struct ld_export *x)
{
	if (x == NULL)
		return;
	ld_buffer_free(&x->sources);
	free(x);
}

static int
layer_next(struct ld_export *x, unsigned layer)
{
	int err = ld_keys_next(&x->keys[layer]);

	x->has_key[layer] = err == LINDUNG_OK;
	return err == LINDUNG_ENOTFOUND ? LINDUNG_OK : err;
}

static int
export_rewind(void *ctx)
{
	struct ld_export *x = ctx;
	int err = LINDUNG_OK;

	for (unsigned i = 0; err == LINDUNG_OK && i < x->list->layer_count; i++) {
		ld_keys_begin(&x->keys[i], x->list->layers[i].image);
		err = layer_next(x, i);
	}
	x->entry_count = x->entry_next = x->above_count = 0;
	return err;
}

/* ---- As they stand -------------------------------------------------------------------------- */

/* Two rules say the same, but for who says so. */
static bool
rules_alike(const struct ld_rule *a, const struct ld_rule *b)
{
	return a->category == b->category && a->action == b->action && a->scope == b->scope &&
	       a->flags == b->flags && a->target == b->target;
}

static struct ld_span
rule_category(const struct ld_image *image, const struct ld_rule *rule)
{
	return rule->category == LD_RULE_CATEGORY_ALL
		       ? LD_SPAN("*")
		       : ld_texts_get(&image->categories, rule->category);
}

/* One entry for all rules from `i` on that are alike; rules stand in an order that brings the same
 * category, action and flags together, with the sources rising, but scopes between them. */
static void
entry_stand(struct ld_export *x, const struct ld_image *image, const struct ld_rule *rules,
	    uint32_t count, uint32_t i)
{
	struct ld_span path = ld_span_from(ld_span(x->key, x->key_len),
					   ld_span_find(ld_span(x->key, x->key_len), '/'));
	size_t start = x->sources.len;

	for (uint32_t j = 0; j < i; j++)
		if (rules_alike(&rules[j], &rules[i]))
			return;
	for (uint32_t j = i; j < count; j++) {
		if (!rules_alike(&rules[j], &rules[i]))
			continue;
		if (j > i)
			ld_buffer_bytes(&x->sources, LD_SPAN(","));
		ld_buffer_bytes(&x->sources, ld_texts_get(&image->sources, rules[j].source));
	}
	x->entries[x->entry_count++] = (struct ld_entry){
		.action = rules[i].action,
		.scope = rules[i].scope,
		.flags = rules[i].flags,
		.path = path,
		.category = rule_category(image, &rules[i]),
		.target = ld_texts_get(&image->targets, rules[i].target),
		/* The buffer may still move: for now only where it begins. */
		.source = ld_span(NULL, x->sources.len - start),
	};
}

static int
key_stand(struct ld_export *x, unsigned layer)
{
	const struct ld_image *image = x->list->layers[layer].image;
	struct ld_rule rules[LD_INDEX_TUPLE_RULES_MAX];
	uint32_t count;
	const uint8_t *numbers = ld_image_tuple(image, x->keys[layer].tuple, &count);
	size_t at = 0;

	x->sources.len = 0;
	for (uint32_t i = 0; i < count; i++)
		rules[i] = ld_image_rule(image, ld_get_le16(numbers + 2 * (size_t)i));
	for (uint32_t i = 0; i < count; i++)
		/* A removal is none of a list's entries, but all that an overlay alone may hold. */
		if (rules[i].action != LD_ACTION_REMOVE || layer == 0)
			entry_stand(x, image, rules, count, i);
	if (x->sources.failed)
		return LINDUNG_ENOMEM;
	for (unsigned i = 0; i < x->entry_count; i++) {
		if (x->entries[i].source.len == 0)
			continue;
		x->entries[i].source.data = x->sources.data + at;
		at += x->entries[i].source.len;
	}
	return LINDUNG_OK;
}

/* ---- As they take effect -------------------------------------------------------------------- */

enum outcome { OUTCOME_OPEN, OUTCOME_BLOCK, OUTCOME_REWRITE };

struct verdict {
	enum outcome outcome;
	bool is_protected;
	struct ld_span target;
};

static struct verdict
verdict_of(const struct ld_effect *effect)
{
	struct verdict v = {.outcome = OUTCOME_OPEN, .is_protected = effect->is_protected};

	if (ld_effect_blocked(effect) != 0) {
		v.outcome = OUTCOME_BLOCK;
	} else if (!effect->is_protected && effect->rewrites) {
		v.outcome = OUTCOME_REWRITE;
		v.target = effect->target;
	}
	return v;
}

static bool
verdicts_equal(const struct verdict *a, const struct verdict *b)
{
	return a->outcome == b->outcome && ld_span_equal(a->target, b->target);
}

static void
entry_effective(struct ld_export *x, const struct verdict *v, uint8_t scope, struct ld_span path)
{
	static const uint8_t action[] = {
		[OUTCOME_OPEN] = LD_ACTION_ALLOW,
		[OUTCOME_BLOCK] = LD_ACTION_BLOCK,
		[OUTCOME_REWRITE] = LD_ACTION_REWRITE,
	};

	x->entries[x->entry_count++] = (struct ld_entry){
		.action = action[v->outcome], .scope = scope, .path = path, .target = v->target};
}

/* What the entries above make of this name; the stack is cut back to its parents. */
static const struct ld_effect *
effect_above(struct ld_export *x)
{
	static const struct ld_effect none;

	while (x->above_count > 0) {
		size_t len = x->above[x->above_count - 1].key_len;

		if (x->key_len > len && memcmp(x->key, x->above_key, len) == 0 &&
		    x->key[len] == LD_KEY_SEPARATOR)
			return &x->above[x->above_count - 1].below;
		x->above_count--;
	}
	return &none;
}

/* URL entries: told where they change what the entries for names make of their host. */
static void
url_effective(struct ld_export *x, unsigned layer, size_t host_len)
{
	const struct ld_layer *l = &x->list->layers[layer];
	struct ld_effect effect =
		ld_effect_of(l->image, x->keys[layer].tuple, LD_RELATION_URL, l->map, x->active);
	struct lindung_answer host;
	struct ld_span path = ld_span(x->key + host_len, x->key_len - host_len);

	/* Its host's own entries may come later in the order: ask. */
	if (ld_list_lookup_open(x->list, ld_span_str(x->host), x->active, &host) != LINDUNG_OK)
		return;
	struct verdict v = verdict_of(&effect);
	if (v.outcome == OUTCOME_BLOCK && host.verdict != LINDUNG_BLOCK && !host.is_protected)
		entry_effective(x, &v, LD_SCOPE_URL, path);
	if (v.outcome == OUTCOME_OPEN && host.verdict == LINDUNG_BLOCK &&
	    (host.blocked & ~ld_effect_allowed(&effect)) == 0)
		entry_effective(x, &v, LD_SCOPE_URL, path);
}

static bool
layer_has(const struct ld_export *x, unsigned layer)
{
	return x->has_key[layer] &&
	       ld_span_equal(ld_span(x->keys[layer].key, x->keys[layer].key_len),
			     ld_span(x->key, x->key_len));
}

/* Of two joined lists the lower one speaks, too. */
static void
joined_add(const struct ld_export *x, unsigned layer, struct ld_effect *self,
	   struct ld_effect *below)
{
	unsigned i = layer >= x->list->joint ? x->list->joint : 0;

	while (i > 0 && !layer_has(x, i - 1))
		i--;
	if (i == 0)
		return;
	const struct ld_layer *l = &x->list->layers[i - 1];
	struct ld_effect lower_self =
		ld_effect_of(l->image, x->keys[i - 1].tuple, LD_RELATION_SELF, l->map, x->active);
	struct ld_effect lower_below =
		ld_effect_of(l->image, x->keys[i - 1].tuple, LD_RELATION_PARENT, l->map, x->active);
	ld_effect_over(self, &lower_self);
	ld_effect_over(below, &lower_below);
}

/* A protection in a layer below shows through. */
static void
protections_add(const struct ld_export *x, unsigned layer, struct ld_effect *self,
		struct ld_effect *below)
{
	for (unsigned i = 0; i < layer; i++) {
		const struct ld_layer *l = &x->list->layers[i];

		if (!layer_has(x, i))
			continue;
		self->is_protected |= ld_effect_of(l->image, x->keys[i].tuple, LD_RELATION_SELF,
						   l->map, x->active)
					      .is_protected;
		below->is_protected |= ld_effect_of(l->image, x->keys[i].tuple, LD_RELATION_PARENT,
						    l->map, x->active)
					       .is_protected;
	}
}

static int
key_effective(struct ld_export *x, unsigned layer)
{
	const struct ld_layer *l = &x->list->layers[layer];
	size_t host_len = ld_span_find(ld_span(x->key, x->key_len), '/');

	if (host_len < x->key_len) {
		url_effective(x, layer, host_len);
		return LINDUNG_OK;
	}
	const struct ld_effect *above = effect_above(x);
	struct verdict before = verdict_of(above);
	struct ld_effect self =
		ld_effect_of(l->image, x->keys[layer].tuple, LD_RELATION_SELF, l->map, x->active);
	struct ld_effect below =
		ld_effect_of(l->image, x->keys[layer].tuple, LD_RELATION_PARENT, l->map, x->active);
	joined_add(x, layer, &self, &below);
	protections_add(x, layer, &self, &below);
	ld_effect_over(&self, above);
	ld_effect_over(&below, above);
	struct verdict at_self = verdict_of(&self), at_below = verdict_of(&below);
	if (verdicts_equal(&at_self, &at_below)) {
		if (!verdicts_equal(&at_self, &before))
			entry_effective(x, &at_self, LD_SCOPE_TREE, ld_span(NULL, 0));
	} else {
		if (!verdicts_equal(&at_self, &before))
			entry_effective(x, &at_self, LD_SCOPE_SELF, ld_span(NULL, 0));
		if (!verdicts_equal(&at_below, &before))
			entry_effective(x, &at_below, LD_SCOPE_BELOW, ld_span(NULL, 0));
	}
	/* No host has so many parents: labels that are empty stand in damaged files only. */
	if (x->above_count == sizeof x->above / sizeof *x->above)
		return LINDUNG_EDAMAGED;
	memcpy(x->above_key, x->key, x->key_len);
	x->above[x->above_count++] = (struct above){x->key_len, below};
	return LINDUNG_OK;
}

/* ---- Going through -------------------------------------------------------------------------- */

/* The next name of any layer; the topmost layer that has it speaks. */
static int
key_next(struct ld_export *x)
{
	unsigned layer = LINDUNG_OVERLAY_MAX + 1;
	int err = LINDUNG_OK;

	for (unsigned i = 0; i < x->list->layer_count; i++) {
		if (!x->has_key[i])
			continue;
		if (layer > LINDUNG_OVERLAY_MAX ||
		    ld_span_compare(ld_span(x->keys[i].key, x->keys[i].key_len),
				    ld_span(x->keys[layer].key, x->keys[layer].key_len)) <= 0)
			layer = i;
	}
	if (layer > LINDUNG_OVERLAY_MAX)
		return LINDUNG_ENOTFOUND;
	memcpy(x->key, x->keys[layer].key, x->keys[layer].key_len);
	x->key_len = x->keys[layer].key_len;
	size_t host_len = ld_span_find(ld_span(x->key, x->key_len), '/');
	if (host_len > LD_HOST_MAX)
		return LINDUNG_EDAMAGED;
	ld_key_to_host(x->host, ld_span(x->key, host_len));
	x->entry_count = x->entry_next = 0;
	err = x->effective ? key_effective(x, layer) : key_stand(x, layer);
	for (unsigned i = 0; err == LINDUNG_OK && i < x->list->layer_count; i++)
		if (layer_has(x, i))
			err = layer_next(x, i);
	return err;
}

static int
export_next(void *ctx, struct ld_entry *ret)
{
	struct ld_export *x = ctx;

	while (x->entry_next == x->entry_count) {
		int err = key_next(x);

		if (err != LINDUNG_OK)
			return err;
	}
	*ret = x->entries[x->entry_next++];
	ret->host = ld_span_str(x->host);
	return LINDUNG_OK;
}

struct ld_list_source
ld_export_source(struct ld_export *x)
{
	return (struct ld_list_source){.ctx = x, .rewind = export_rewind, .next = export_next};
}

/* ---- Differences ---------------------------------------------------------------------------- */

static int
entry_compare(const struct ld_export *a, const struct ld_entry *x, const struct ld_export *b,
	      const struct ld_entry *y)
{
	int order = ld_span_compare(ld_span(a->key, a->key_len), ld_span(b->key, b->key_len));

	if (order == 0)
		order = ld_span_compare(x->category, y->category);
	if (order == 0)
		order = (int)x->action - (int)y->action;
	if (order == 0)
		order = (int)x->flags - (int)y->flags;
	if (order == 0)
		order = (int)x->scope - (int)y->scope;
	if (order == 0)
		order = ld_span_compare(x->target, y->target);
	return order;
}

static int
entry_order(const void *a, const void *b)
{
	static const struct ld_export same;

	return entry_compare(&same, a, &same, b);
}

/* Next, with the entries of each name in the order by which they are compared. */
static int
diff_next(struct ld_export *x, struct ld_entry *ret, bool *has)
{
	bool fresh = x->entry_next == x->entry_count;
	int err = export_next(x, ret);

	if (err == LINDUNG_OK && fresh && x->entry_count > 1) {
		qsort(x->entries, x->entry_count, sizeof *x->entries, entry_order);
		*ret = x->entries[0];
		ret->host = ld_span_str(x->host);
	}
	*has = err == LINDUNG_OK;
	return err == LINDUNG_ENOTFOUND ? LINDUNG_OK : err;
}

static int
diff_run(struct ld_export *a, struct ld_export *b,
	 int (*each)(void *ctx, int change, const struct ld_entry *entry), void *ctx)
{
	struct ld_entry x, y;
	bool has_x = false, has_y = false;
	int err = export_rewind(a);

	if (err == LINDUNG_OK)
		err = export_rewind(b);
	if (err == LINDUNG_OK)
		err = diff_next(a, &x, &has_x);
	if (err == LINDUNG_OK)
		err = diff_next(b, &y, &has_y);
	while (err == LINDUNG_OK && (has_x || has_y)) {
		int order = !has_x ? 1 : !has_y ? -1 : entry_compare(a, &x, b, &y);

		if (order < 0)
			err = each(ctx, -1, &x);
		else if (order > 0)
			err = each(ctx, 1, &y);
		if (err == LINDUNG_OK && order <= 0)
			err = diff_next(a, &x, &has_x);
		if (err == LINDUNG_OK && order >= 0)
			err = diff_next(b, &y, &has_y);
	}
	return err;
}

int
ld_export_each(const struct lindung *list, int (*each)(void *ctx, const struct ld_entry *entry),
	       void *ctx)
{
	struct ld_export *export;
	struct ld_entry entry;
	int err = ld_export_new(&export, list, false, LINDUNG_ALL);

	if (err != LINDUNG_OK)
		return err;
	struct ld_list_source source = ld_export_source(export);
	err = source.rewind(source.ctx);
	while (err == LINDUNG_OK) {
		err = source.next(source.ctx, &entry);
		if (err == LINDUNG_OK)
			err = each(ctx, &entry);
	}
	ld_export_free(export);
	return err == LINDUNG_ENOTFOUND ? LINDUNG_OK : err;
}

int
ld_export_diff(const struct lindung *old, const struct lindung *new,
	       int (*each)(void *ctx, int change, const struct ld_entry *entry), void *ctx)
{
	struct ld_export *a = NULL, *b = NULL;
	int err = ld_export_new(&a, old, false, LINDUNG_ALL);

	if (err == LINDUNG_OK)
		err = ld_export_new(&b, new, false, LINDUNG_ALL);
	if (err == LINDUNG_OK)
		err = diff_run(a, b, each, ctx);
	ld_export_free(a);
	ld_export_free(b);
	return err;
}

uint64_t
ld_export_sealed(const struct lindung *list)
{
	uint64_t sealed = 0;

	for (unsigned i = 0; i < list->layer_count; i++)
		sealed += list->layers[i].image->sealed_count;
	return sealed;
}
