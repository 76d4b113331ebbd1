/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/tuples.h"

#include <lindung/lindung.h>
#include <stdlib.h>

#include "base/hash.h"
#include "index/gather.h"
#include "index/image.h"

enum { SLOTS = 1 << 17 };

struct tuple {
	uint32_t start, count; /* in elements */
	uint64_t changes;
};

struct ld_tuples {
	const struct ld_rules *rules;
	unsigned rule_count;
	uint16_t *rank_of;  /* rule to rank */
	uint16_t *by_rank;  /* rank to rule */
	uint64_t *category; /* of a rank: set of categories */
	bool badfilter;
	struct tuple *tuples;
	uint32_t tuple_count;
	uint32_t *elements;
	size_t element_count, element_size;
	uint32_t *slots; /* tuple + 1 */
};

static int
rule_order(const void *a, const void *b, void *rules)
{
	return ld_rule_text_compare(ld_rules_get(rules, *(const uint16_t *)a),
				    ld_rules_get(rules, *(const uint16_t *)b));
}

/* Rules stand in order of category: number the categories as they come. */
static int
categories_number(struct ld_tuples *t)
{
	struct ld_span before = {NULL, 0};
	int bit = -1;

	for (unsigned rank = 0; rank < t->rule_count; rank++) {
		const struct ld_rule_text *rule = ld_rules_get(t->rules, t->by_rank[rank]);

		t->badfilter |= (rule->flags & LD_ENTRY_BADFILTER) != 0;
		if (ld_span_equal(rule->category, LD_SPAN("*"))) {
			t->category[rank] = UINT64_MAX;
			continue;
		}
		if (bit < 0 || !ld_span_equal(rule->category, before))
			bit++;
		if (bit == LINDUNG_CATEGORY_MAX)
			return LINDUNG_ELIMIT;
		before = rule->category;
		t->category[rank] = UINT64_C(1) << bit;
	}
	return LINDUNG_OK;
}

int
ld_tuples_new(struct ld_tuples **ret, const struct ld_rules *rules)
{
	struct ld_tuples *t = calloc(1, sizeof *t);
	int err = LINDUNG_ENOMEM;

	if (t == NULL)
		return LINDUNG_ENOMEM;
	t->rules = rules;
	t->rule_count = ld_rules_count(rules);
	t->rank_of = calloc(t->rule_count + 1, sizeof *t->rank_of);
	t->by_rank = calloc(t->rule_count + 1, sizeof *t->by_rank);
	t->category = calloc(t->rule_count + 1, sizeof *t->category);
	t->tuples = calloc(LD_INDEX_TUPLES_MAX, sizeof *t->tuples);
	t->slots = calloc(SLOTS, sizeof *t->slots);
	if (t->rank_of != NULL && t->by_rank != NULL && t->category != NULL && t->tuples != NULL &&
	    t->slots != NULL) {
		for (unsigned i = 0; i < t->rule_count; i++)
			t->by_rank[i] = (uint16_t)i;
		qsort_r(t->by_rank, t->rule_count, sizeof *t->by_rank, rule_order,
			(void *)(uintptr_t)rules);
		for (unsigned i = 0; i < t->rule_count; i++)
			t->rank_of[t->by_rank[i]] = (uint16_t)i;
		err = categories_number(t);
	}
	if (err != LINDUNG_OK) {
		ld_tuples_free(t);
		return err;
	}
	*ret = t;
	return LINDUNG_OK;
}

void
ld_tuples_free(struct ld_tuples *t)
{
	if (t == NULL)
		return;
	free(t->rank_of);
	free(t->by_rank);
	free(t->category);
	free(t->tuples);
	free(t->elements);
	free(t->slots);
	free(t);
}

uint32_t
ld_tuples_rank(const struct ld_tuples *t, uint16_t rule)
{
	return t->rank_of[rule];
}

const struct ld_rule_text *
ld_tuples_rule(const struct ld_tuples *t, uint32_t rank)
{
	return ld_rules_get(t->rules, t->by_rank[rank]);
}

uint64_t
ld_tuples_categories(const struct ld_tuples *t, uint32_t rank)
{
	return t->category[rank];
}

bool
ld_tuples_any_badfilter(const struct ld_tuples *t)
{
	return t->badfilter;
}

static int
tuple_add(struct ld_tuples *t, const uint32_t *elements, uint32_t count)
{
	if (t->tuple_count == LD_INDEX_TUPLES_MAX)
		return LINDUNG_ELIMIT;
	if (t->element_size - t->element_count < count) {
		size_t size = (t->element_size + count) * 2;
		uint32_t *grown = realloc(t->elements, size * sizeof *grown);

		if (grown == NULL)
			return LINDUNG_ENOMEM;
		t->elements = grown;
		t->element_size = size;
	}
	memcpy(t->elements + t->element_count, elements, count * sizeof *elements);
	t->tuples[t->tuple_count++] = (struct tuple){(uint32_t)t->element_count, count, 0};
	t->element_count += count;
	return LINDUNG_OK;
}

int
ld_tuples_intern(struct ld_tuples *t, const uint32_t *elements, uint32_t count, uint32_t *ret)
{
	size_t bytes = count * sizeof *elements;
	uint32_t at = (uint32_t)ld_hash_bytes(ld_span(elements, bytes), 0) & (SLOTS - 1);

	for (; t->slots[at] != 0; at = (at + 1) & (SLOTS - 1)) {
		const struct tuple *tuple = &t->tuples[t->slots[at] - 1];

		if (tuple->count == count &&
		    memcmp(t->elements + tuple->start, elements, bytes) == 0) {
			*ret = t->slots[at] - 1;
			return LINDUNG_OK;
		}
	}
	int err = tuple_add(t, elements, count);
	if (err == LINDUNG_OK) {
		t->slots[at] = t->tuple_count;
		*ret = t->tuple_count - 1;
	}
	return err;
}

void
ld_tuples_count(struct ld_tuples *t, uint32_t tuple)
{
	t->tuples[tuple].changes++;
}

/* ---- The sections --------------------------------------------------------------------------- */

struct text_set {
	struct ld_span *texts;
	uint32_t count;
};

static int
span_order(const void *a, const void *b)
{
	return ld_span_compare(*(const struct ld_span *)a, *(const struct ld_span *)b);
}

static void
text_set_sort(struct text_set *set)
{
	uint32_t n = 0;

	qsort(set->texts, set->count, sizeof *set->texts, span_order);
	for (uint32_t i = 0; i < set->count; i++)
		if (n == 0 || !ld_span_equal(set->texts[n - 1], set->texts[i]))
			set->texts[n++] = set->texts[i];
	set->count = n;
}

static uint16_t
text_set_find(const struct text_set *set, struct ld_span text)
{
	const struct ld_span *at = bsearch(&text, set->texts, set->count, sizeof text, span_order);

	return at != NULL ? (uint16_t)(at - set->texts) : LD_RULE_NO_TARGET;
}

static void
text_set_write(const struct text_set *set, struct ld_buffer *out)
{
	uint32_t end = 0;
	uint8_t *room = ld_buffer_room(out, 4 + (size_t)set->count * 4);

	if (room == NULL)
		return;
	ld_put_le32(room, set->count);
	for (uint32_t i = 0; i < set->count; i++) {
		end += (uint32_t)set->texts[i].len;
		ld_put_le32(room + 4 + 4 * (size_t)i, end);
	}
	for (uint32_t i = 0; i < set->count; i++)
		ld_buffer_bytes(out, set->texts[i]);
}

static int
element_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The elements that stand in a tuple, each once, in order: their places are the rules' numbers. */
static uint32_t *
elements_used(const struct ld_tuples *t, uint32_t *ret_count)
{
	uint32_t *used = malloc((t->element_count + 1) * sizeof *used);
	uint32_t n = 0;

	if (used == NULL)
		return NULL;
	if (t->element_count != 0)
		memcpy(used, t->elements, t->element_count * sizeof *used);
	qsort(used, t->element_count, sizeof *used, element_order);
	for (size_t i = 0; i < t->element_count; i++)
		if (n == 0 || used[n - 1] != used[i])
			used[n++] = used[i];
	*ret_count = n;
	return used;
}

static int
rules_write(const struct ld_tuples *t, const uint32_t *used, uint32_t count,
	    struct ld_gathered *out)
{
	struct text_set sets[3] = {0};
	int err = LINDUNG_ENOMEM;

	for (int i = 0; i < 3; i++)
		if ((sets[i].texts = calloc(count + 1u, sizeof *sets[i].texts)) == NULL)
			goto done;
	for (uint32_t i = 0; i < count; i++) {
		const struct ld_rule_text *rule = ld_tuples_rule(t, used[i] >> 4);

		if (!ld_span_equal(rule->category, LD_SPAN("*")))
			sets[0].texts[sets[0].count++] = rule->category;
		sets[1].texts[sets[1].count++] = rule->source;
		if (rule->target.len != 0)
			sets[2].texts[sets[2].count++] = rule->target;
	}
	for (int i = 0; i < 3; i++)
		text_set_sort(&sets[i]);
	text_set_write(&sets[0], &out->categories);
	text_set_write(&sets[1], &out->sources);
	text_set_write(&sets[2], &out->targets);
	for (uint32_t i = 0; i < count; i++) {
		const struct ld_rule_text *rule = ld_tuples_rule(t, used[i] >> 4);
		uint8_t bytes[LD_RULE_BYTES] = {0};

		bytes[0] = ld_span_equal(rule->category, LD_SPAN("*"))
				   ? LD_RULE_CATEGORY_ALL
				   : (uint8_t)text_set_find(&sets[0], rule->category);
		bytes[1] = (uint8_t)(rule->action | (used[i] & 15) << 4);
		bytes[2] = rule->flags;
		ld_put_le16(bytes + 4, text_set_find(&sets[1], rule->source));
		ld_put_le16(bytes + 6, rule->target.len != 0 ? text_set_find(&sets[2], rule->target)
							     : LD_RULE_NO_TARGET);
		ld_buffer_bytes(&out->rules, ld_span(bytes, sizeof bytes));
	}
	err = LINDUNG_OK;
done:
	for (int i = 0; i < 3; i++)
		free(sets[i].texts);
	return err;
}

static int
tuple_order(const void *a, const void *b, void *context)
{
	const struct ld_tuples *t = context;
	const struct tuple *x = &t->tuples[*(const uint16_t *)a];
	const struct tuple *y = &t->tuples[*(const uint16_t *)b];

	if (x->changes != y->changes)
		return x->changes > y->changes ? -1 : 1;
	for (uint32_t i = 0; i < x->count && i < y->count; i++)
		if (t->elements[x->start + i] != t->elements[y->start + i])
			return t->elements[x->start + i] < t->elements[y->start + i] ? -1 : 1;
	return (x->count > y->count) - (x->count < y->count);
}

static int
tuples_write(struct ld_tuples *t, const uint32_t *used, uint32_t used_count,
	     struct ld_gathered *out)
{
	uint16_t *order = calloc(t->tuple_count + 1u, sizeof *order);
	uint8_t *ends = ld_buffer_room(&out->tuples, 4 + (size_t)t->tuple_count * 4);
	size_t ends_at = 4;
	uint32_t end = 0;

	out->tuple_final = calloc(t->tuple_count + 1u, sizeof *out->tuple_final);
	out->tuple_changes = calloc(t->tuple_count + 1u, sizeof *out->tuple_changes);
	if (order == NULL || ends == NULL || out->tuple_final == NULL ||
	    out->tuple_changes == NULL) {
		free(order);
		return LINDUNG_ENOMEM;
	}
	ld_put_le32(ends, t->tuple_count);
	for (uint32_t i = 0; i < t->tuple_count; i++)
		order[i] = (uint16_t)i;
	qsort_r(order, t->tuple_count, sizeof *order, tuple_order, t);
	for (uint32_t i = 0; i < t->tuple_count; i++) {
		const struct tuple *tuple = &t->tuples[order[i]];
		uint8_t *room = ld_buffer_room(&out->tuples, 2 * (size_t)tuple->count);

		if (room == NULL)
			break;
		out->tuple_final[order[i]] = (uint16_t)i;
		out->tuple_changes[i] = tuple->changes;
		for (uint32_t j = 0; j < tuple->count; j++) {
			const uint32_t *at = bsearch(&t->elements[tuple->start + j], used,
						     used_count, sizeof *used, element_order);

			LD_ASSERT(at != NULL);
			ld_put_le16(room + 2 * (size_t)j, (uint16_t)(at - used));
		}
		end += tuple->count;
		ld_put_le32(out->tuples.data + ends_at, end);
		ends_at += 4;
	}
	free(order);
	out->tuple_count = t->tuple_count;
	return out->tuples.failed ? LINDUNG_ENOMEM : LINDUNG_OK;
}

int
ld_tuples_finish(struct ld_tuples *t, struct ld_gathered *out)
{
	struct ld_buffer *buffers[] = {&out->categories, &out->sources, &out->targets, &out->rules,
				       &out->tuples};
	uint32_t *used, count;
	int err;

	for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
		ld_buffer_init(buffers[i], SIZE_MAX);
	used = elements_used(t, &count);
	if (used == NULL)
		return LINDUNG_ENOMEM;
	if (count > LD_INDEX_RULES_MAX) {
		free(used);
		return LINDUNG_ELIMIT;
	}
	out->rule_count = count;
	err = rules_write(t, used, count, out);
	if (err == LINDUNG_OK)
		err = tuples_write(t, used, count, out);
	free(used);
	for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
		if (buffers[i]->failed)
			err = LINDUNG_ENOMEM;
	return err;
}
