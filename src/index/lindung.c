/* The public interface: an opened index with its overlays, and the judgement of names and URLs
 * (explaining is in explain.c).
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "index/sealed.h"
#include "index/search.h"

const char *
lindung_version(void)
{
	return "0.1.0";
}

/* Give each category of a layer its bit in the common numbering, adding new ones behind. */
static int
categories_join(struct lindung *list, struct ld_layer *layer)
{
	unsigned count = list->category_count;

	for (uint32_t i = 0; i < layer->image->categories.count; i++) {
		struct ld_span key = ld_texts_get(&layer->image->categories, i);
		unsigned at = 0;

		while (at < count && !ld_span_equal(list->categories[at], key))
			at++;
		if (at == LINDUNG_CATEGORY_MAX)
			return LINDUNG_ELIMIT;
		if (at == count)
			list->categories[count++] = key;
		layer->map[i] = (uint8_t)at;
	}
	list->category_count = count;
	return LINDUNG_OK;
}

static int
layer_add(struct lindung *list, struct ld_image *image)
{
	struct ld_layer *layer = &list->layers[list->layer_count];
	int err;

	layer->image = image;
	err = categories_join(list, layer);
	if (err != LINDUNG_OK)
		return err;
	list->layer_count++;
	if (image->entry_count + image->sealed_count != 0 && image->labels_min < list->labels_min)
		list->labels_min = image->labels_min;
	return LINDUNG_OK;
}

int
lindung_open(struct lindung **ret, const char *path, unsigned flags)
{
	struct ld_image *image;
	int err = ld_image_open(&image, path, flags);

	if (err == LINDUNG_OK)
		err = ld_list_from_image(ret, image);
	if (err == LINDUNG_OK)
		(*ret)->is_operator = (flags & LINDUNG_OPERATOR) != 0;
	return err;
}

int
ld_list_from_image(struct lindung **ret, struct ld_image *image)
{
	struct lindung *list = calloc(1, sizeof *list);
	int err = LINDUNG_ENOMEM;

	if (list != NULL) {
		list->labels_min = LD_NAME_LABELS_MAX + 1;
		err = layer_add(list, image);
	}
	if (err != LINDUNG_OK) {
		ld_image_close(image);
		free(list);
		return err;
	}
	*ret = list;
	return LINDUNG_OK;
}

int
lindung_overlay(struct lindung *list, const char *path, unsigned flags)
{
	struct ld_image *image;
	int err;

	if (list->layer_count > LINDUNG_OVERLAY_MAX)
		return LINDUNG_ELIMIT;
	err = ld_image_open(&image, path, flags);
	return err == LINDUNG_OK ? ld_list_overlay_image(list, image) : err;
}

int
ld_list_overlay_image(struct lindung *list, struct ld_image *image)
{
	int err = LINDUNG_ELIMIT;

	if (list->layer_count <= LINDUNG_OVERLAY_MAX)
		err = layer_add(list, image);
	if (err != LINDUNG_OK)
		ld_image_close(image);
	return err;
}

void
ld_list_join(struct lindung *list)
{
	list->joint = list->layer_count;
}

void
lindung_close(struct lindung *list)
{
	if (list == NULL)
		return;
	for (unsigned i = 0; i < list->layer_count; i++)
		ld_image_close(list->layers[i].image);
	free(list);
}

/* ---- Judging ------------------------------------------------------------------------------- */

struct judgement {
	const struct lindung *list;
	uint64_t active;
	struct ld_effect effect;
	/* What holds for names below, once that differs. */
	struct ld_effect below;
	bool is_split;
	/* Entries that were the longest to block something, for the category to show.  Each adds a
	 * category to one of the two sets: there are 128 at most. */
	struct judgement_step {
		uint64_t block, important;
		unsigned labels, layer;
		uint32_t tuple;
		enum ld_relation relation;
	} steps[2 * LINDUNG_CATEGORY_MAX];
	unsigned step_count;
	unsigned rewrite_labels, allow_labels, protected_labels, locked_labels;
};

/* An entry of the name itself, or of a URL: perhaps not all of it holds for names below. */
static void
judgement_split(struct judgement *j, const struct ld_layer *layer, uint32_t tuple,
		enum ld_relation relation)
{
	struct ld_effect below = {0};

	if (relation == LD_RELATION_SELF)
		below = ld_effect_of(layer->image, tuple, LD_RELATION_PARENT, layer->map,
				     j->active);
	if (!j->is_split)
		j->below = j->effect;
	j->is_split = true;
	ld_effect_over(&j->below, &below);
}

static bool
judgement_add(void *ctx, const struct ld_match *match)
{
	struct judgement *j = ctx;
	const struct ld_layer *from = &j->list->layers[match->layer];
	struct ld_effect one =
		ld_effect_of(from->image, match->tuple, match->relation, from->map, j->active);
	unsigned labels = match->labels;

	if (match->relation != LD_RELATION_PARENT && (one.is_split || j->is_split))
		judgement_split(j, from, match->tuple, match->relation);
	else if (j->is_split)
		ld_effect_over(&j->below, &one);
	if (one.rewrites && !j->effect.rewrites)
		j->rewrite_labels = labels;
	if (one.is_protected && !j->effect.is_protected)
		j->protected_labels = labels;
	if (j->allow_labels == 0 && (one.allow | one.important_allow) != 0)
		j->allow_labels = labels;
	if (j->locked_labels == 0 && (one.locked_block & ~j->effect.locked_allow) != 0)
		j->locked_labels = labels;
	uint64_t block = one.block & ~(j->effect.block | j->effect.allow);
	uint64_t important =
		one.important_block & ~(j->effect.important_block | j->effect.important_allow);
	if ((block | important) != 0) {
		struct judgement_step *step = &j->steps[j->step_count++];

		step->block = block;
		step->important = important;
		step->labels = labels;
		step->layer = match->layer;
		step->tuple = match->tuple;
		step->relation = match->relation;
	}
	ld_effect_over(&j->effect, &one);
	return true;
}

/* Names below are judged as this one. */
static bool
judgement_holds_below(const struct judgement *j, enum lindung_verdict verdict)
{
	const struct ld_effect *below = &j->below;

	if (!j->is_split)
		return true;
	if (ld_effect_blocked(below) != 0)
		return verdict == LINDUNG_BLOCK;
	if (below->is_protected || !below->rewrites)
		return verdict == LINDUNG_ALLOW;
	return verdict == LINDUNG_REWRITE && ld_span_equal(below->target, j->effect.target);
}

/* Who said so: the source of the rule in this entry that blocks the category. */
static struct lindung_text
step_source(const struct judgement *j, const struct judgement_step *step, int category)
{
	const struct ld_layer *layer = &j->list->layers[step->layer];
	bool important = (step->important >> category & 1) != 0;
	uint32_t count;
	const uint8_t *rules = ld_image_tuple(layer->image, step->tuple, &count);

	for (uint32_t i = 0; i < count; i++) {
		struct ld_rule rule =
			ld_image_rule(layer->image, ld_get_le16(rules + 2 * (size_t)i));

		if (rule.action == LD_ACTION_BLOCK && ld_rule_applies(rule.scope, step->relation) &&
		    ((rule.flags & LD_ENTRY_IMPORTANT) != 0) == important &&
		    (rule.category == LD_RULE_CATEGORY_ALL ||
		     layer->map[rule.category] == category))
			return ld_text_of(ld_texts_get(&layer->image->sources, rule.source));
	}
	return (struct lindung_text){NULL, 0};
}

/* Closed by an authority's order: no more is told than that. */
static void
judgement_sealed(const struct judgement *j, struct lindung_answer *ret)
{
	*ret = (struct lindung_answer){
		.verdict = LINDUNG_BLOCK,
		.is_sealed = true,
		.category = -1,
		.match_labels = j->locked_labels,
		.holds_below = judgement_holds_below(j, LINDUNG_BLOCK),
	};
}

static void
judgement_answer(const struct judgement *j, struct lindung_answer *ret)
{
	if (__builtin_expect(j->effect.locked_block != 0 && !j->effect.is_protected, 0)) {
		judgement_sealed(j, ret);
		return;
	}
	struct lindung_answer answer = {
		.blocked = ld_effect_blocked(&j->effect),
		.allowed = ld_effect_allowed(&j->effect),
		.is_protected = j->effect.is_protected,
		.category = -1,
	};

	uint64_t blocked = answer.blocked, exist = UINT64_MAX;

	/* An entry for all categories sets every bit; only those that exist are told. */
	if (j->list->category_count < 64)
		exist = (UINT64_C(1) << j->list->category_count) - 1;
	answer.allowed &= exist;
	answer.blocked &= exist;
	if (blocked != 0) {
		answer.verdict = LINDUNG_BLOCK;
		/* Categories that do not exist only where there is no other. */
		if (answer.blocked != 0)
			blocked = answer.blocked;
		for (unsigned i = 0; i < j->step_count && answer.match_labels == 0; i++) {
			uint64_t set = (j->steps[i].important |
					(j->steps[i].block & ~j->effect.important_block)) &
				       blocked;

			if (set != 0) {
				answer.match_labels = j->steps[i].labels;
				if (answer.blocked != 0)
					answer.category = __builtin_ctzll(set);
				answer.source = step_source(j, &j->steps[i], __builtin_ctzll(set));
			}
		}
	} else if (j->effect.is_protected) {
		answer.match_labels = j->protected_labels;
	} else if (j->effect.rewrites) {
		answer.verdict = LINDUNG_REWRITE;
		answer.match_labels = j->rewrite_labels;
		answer.target.data = (const char *)j->effect.target.data;
		answer.target.len = j->effect.target.len;
	} else {
		answer.match_labels = j->allow_labels;
	}
	answer.holds_below = judgement_holds_below(j, answer.verdict);
	*ret = answer;
}

static void
judgement_begin(struct judgement *j, const struct lindung *list, uint64_t active)
{
	j->list = list;
	j->active = active;
	j->effect = (struct ld_effect){0};
	j->is_split = false;
	j->step_count = 0;
	j->rewrite_labels = j->allow_labels = j->protected_labels = j->locked_labels = 0;
}

static void
question_judge(const struct lindung *list, struct ld_question *q, uint64_t active,
	       bool without_sealed, struct lindung_answer *ret)
{
	struct judgement j;

	judgement_begin(&j, list, active);
	if (ld_search_name(list, q, without_sealed, judgement_add, &j))
		judgement_answer(&j, ret);
	else
		*ret = (struct lindung_answer){.category = -1, .holds_below = true};
}

int
lindung_lookup_name(const struct lindung *list, const char *name, size_t len, uint64_t active,
		    struct lindung_answer *ret)
{
	struct ld_question q;
	int err = ld_question_from_text(&q, name, len);

	if (err == LINDUNG_OK)
		question_judge(list, &q, active, false, ret);
	return err;
}

int
ld_list_lookup_open(const struct lindung *list, struct ld_span name, uint64_t active,
		    struct lindung_answer *ret)
{
	struct ld_question q;
	int err = ld_question_from_text(&q, (const char *)name.data, name.len);

	if (err == LINDUNG_OK)
		question_judge(list, &q, active, true, ret);
	return err;
}

int
lindung_lookup_wire(const struct lindung *list, const uint8_t *name, size_t len, uint64_t active,
		    struct lindung_answer *ret)
{
	struct ld_question q;
	int err = ld_question_from_wire(&q, name, len);

	if (err == LINDUNG_OK)
		question_judge(list, &q, active, false, ret);
	return err;
}

void
lindung_lookup_many(const struct lindung *list, struct lindung_question *questions, size_t count)
{
	/* So many that memory is kept busy: more would wait in the same queue. */
	enum { TOGETHER = 8 };
	struct {
		struct ld_question question;
		struct ld_search search;
		struct lindung_question *asked;
	} at[TOGETHER];
	struct judgement j;

	while (count > 0) {
		unsigned n = 0;

		for (; count > 0 && n < TOGETHER; count--, questions++) {
			questions->error = ld_question_from_wire(&at[n].question, questions->name,
								 questions->len);
			if (questions->error != LINDUNG_OK)
				continue;
			at[n].asked = questions;
			ld_search_begin(&at[n].search, list, &at[n].question);
			n++;
		}
		for (unsigned i = 0; i < n; i++)
			ld_search_filter(&at[i].search);
		for (unsigned i = 0; i < n; i++)
			ld_search_blocks(&at[i].search);
		for (unsigned i = 0; i < n; i++) {
			judgement_begin(&j, list, at[i].asked->active);
			ld_search_end(&at[i].search, judgement_add, &j);
			judgement_answer(&j, &at[i].asked->answer);
		}
	}
}

int
lindung_lookup_url(const struct lindung *list, const char *url, size_t len, uint64_t active,
		   struct lindung_answer *ret)
{
	struct judgement j;
	int err;

	judgement_begin(&j, list, active);
	err = ld_search_text(list, url, len, true, judgement_add, &j);
	if (err == LINDUNG_OK)
		judgement_answer(&j, ret);
	return err;
}

/* ---- Facts -------------------------------------------------------------------------------- */

unsigned
lindung_category_count(const struct lindung *list)
{
	return list->category_count;
}

struct lindung_text
lindung_category_key(const struct lindung *list, unsigned i)
{
	return i < list->category_count ? ld_text_of(list->categories[i])
					: (struct lindung_text){NULL, 0};
}

int
lindung_category_find(const struct lindung *list, const char *key, size_t len)
{
	for (unsigned i = 0; i < list->category_count; i++)
		if (ld_span_equal(list->categories[i], ld_span(key, len)))
			return (int)i;
	return -1;
}

int
lindung_facts(const struct lindung *list, unsigned layer, struct lindung_facts *ret)
{
	if (layer >= list->layer_count)
		return LINDUNG_EINVAL;
	const struct ld_image *image = list->layers[layer].image;
	*ret = (struct lindung_facts){
		.size_bytes = image->map.bytes.len,
		.entry_count = image->entry_count,
		.category_count = image->categories.count,
		.source_count = image->sources.count,
		.date_day = image->date_day,
		.format_version = image->version,
		.sealed_count = image->sealed_count,
	};
	return LINDUNG_OK;
}

int
lindung_verify(const struct lindung *list)
{
	int err = LINDUNG_OK;

	for (unsigned i = 0; err == LINDUNG_OK && i < list->layer_count; i++) {
		err = ld_image_verify_hashes(list->layers[i].image);
		if (err == LINDUNG_OK)
			err = ld_image_verify_entries(list->layers[i].image);
		if (err == LINDUNG_OK)
			err = ld_sealed_verify(list->layers[i].image);
	}
	return err;
}
