/* Bringing a quorum to a time, and telling what changed.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "base/siphash.h"
#include "name/name.h"
#include "quorum/state.h"

static uint64_t
effect_hash(const void *ctx, uint32_t number)
{
	const struct ld_quorum *q = ctx;

	return ld_siphash(q->secret, ld_span(&q->effects.at[number], sizeof q->effects.at[0]));
}

struct wanted_effect {
	const struct ld_quorum *q;
	const struct ld_effect *effect;
};

static bool
effect_same(const void *ctx, uint32_t number)
{
	const struct wanted_effect *w = ctx;

	return memcmp(&w->q->effects.at[number], w->effect, sizeof *w->effect) == 0;
}

/* The number of an effect, which is kept once.  (All of its octets are set, so that it can be
 * compared as such.) */
static int
effect_number(struct ld_quorum *q, const struct ld_effect *effect, uint32_t *ret)
{
	struct wanted_effect w = {q, effect};
	struct ld_slot *slot;
	uint64_t hash;

	if (effect->count == 0) {
		*ret = 0;
		return LINDUNG_OK;
	}
	if (ld_table_room(&q->by_effect, effect_hash, q) != LINDUNG_OK ||
	    LD_ROOM(&q->effects, 1) != LINDUNG_OK)
		return LINDUNG_ENOMEM;
	hash = ld_siphash(q->secret, ld_span(effect, sizeof *effect));
	slot = ld_table_find(&q->by_effect, hash, effect_same, &w);
	if (slot->number == LD_NONE) {
		q->effects.at[q->effects.count] = *effect;
		ld_slot_take(&q->by_effect, slot, hash, (uint32_t)q->effects.count++);
	}
	*ret = slot->number;
	return LINDUNG_OK;
}

enum { SOURCES_BYTES = LD_EFFECTIVE_SOURCES_MAX * (LD_PARTY_ID_MAX + 24) };

int
ld_cell_tell(const struct ld_quorum *q, const struct ld_cell *cell, const struct ld_effect *effect,
	     ld_quorum_each *each, void *ctx)
{
	struct ld_cell_text text = ld_cell_text(q, cell);
	struct ld_effective told = {.is_sealed = text.blind != NULL};
	char host[LD_HOST_MAX + 1], sources[SOURCES_BYTES];
	size_t len = 0;

	if (told.is_sealed)
		memcpy(told.blind, text.blind, sizeof told.blind);
	else
		told.entry.host = ld_span(host, ld_key_to_host(host, text.key));
	for (unsigned i = 0; i < effect->count; i++)
		len += (size_t)snprintf(sources + len, sizeof sources - len, "%s%s:%u",
					i == 0 ? "" : ",",
					q->parties.at[ld_said_at(q, effect->sources[i])->party]->id,
					effect->sources[i]);
	told.entry.action = effect->count == 0 ? (uint8_t)LD_ACTION_REMOVE : effect->action;
	told.entry.scope = text.scope;
	told.entry.path = text.path;
	told.entry.category = ld_span_str(q->categories.at[cell->category].key);
	told.entry.source = ld_span(sources, len);
	return each(ctx, &told);
}

static int
cell_settle(struct ld_quorum *q, uint32_t number, ld_quorum_each *change, void *ctx)
{
	struct ld_side sides[2];
	struct ld_effect effect;
	uint32_t found;
	int err = ld_judge(q, number, sides, &effect);

	if (err == LINDUNG_OK)
		err = effect_number(q, &effect, &found);
	if (err != LINDUNG_OK) {
		q->is_broken = true;
		return err;
	}
	struct ld_cell *cell = &q->cells.at[number];
	if (found != cell->effect && change != NULL)
		err = ld_cell_tell(q, cell, &effect, change, ctx);
	if (err != LINDUNG_OK)
		return err;
	cell->effect = found;
	cell->flags &= (uint8_t)~LD_CELL_TOUCHED;
	return LINDUNG_OK;
}

/* What the clock has ended or begun. */
static int
clock_turn(struct ld_quorum *q)
{
	struct ld_due due;
	int err = LINDUNG_OK;

	while (err == LINDUNG_OK && ld_due_take(q, q->now_s, &due)) {
		if (due.is_party) {
			err = ld_party_touch(q, due.number);
			continue;
		}
		if (ld_said_at(q, due.number)->action == LD_STATEMENT_DECIDE)
			err = ld_decision_touch(q, ld_said_at(q, due.number)->target);
		if (err == LINDUNG_OK)
			err = ld_said_touch(q, due.number);
	}
	for (; q->dirty.count > 0 && err == LINDUNG_OK; q->dirty.count--) {
		uint32_t number = q->dirty.at[q->dirty.count - 1];

		err = ld_decide(q, number);
		if (err == LINDUNG_OK)
			err = ld_said_touch(q, number);
		ld_said_at(q, number)->flags &= (uint16_t)~LD_SAID_DIRTY;
	}
	return err;
}

int
ld_quorum_settle(struct ld_quorum *q, int64_t now_s, ld_quorum_each *change, void *ctx,
		 int64_t *ret_next_s)
{
	int err;

	if (q->is_broken)
		return LINDUNG_ENOMEM;
	if (now_s < q->now_s)
		return LINDUNG_EINVAL;
	q->now_s = now_s;
	err = clock_turn(q);
	if (err != LINDUNG_OK) {
		q->is_broken = true;
		return err;
	}
	while (q->touched.count > 0) {
		err = cell_settle(q, q->touched.at[q->touched.count - 1], change, ctx);
		if (err != LINDUNG_OK)
			return err;
		q->touched.count--;
	}
	*ret_next_s = q->due.count > 0 ? q->due.at[0].time_s : INT64_MAX;
	return LINDUNG_OK;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static int
cell_order(const void *a, const void *b, void *ctx)
{
	/* As ld_entry_order() has it. */
	static const uint8_t ranks[] = {
		[LD_SCOPE_TREE] = 0, [LD_SCOPE_SELF] = 1, [LD_SCOPE_BELOW] = 2, [LD_SCOPE_URL] = 3};
	const struct ld_quorum *q = ctx;
	const struct ld_cell *x = &q->cells.at[*(const uint32_t *)a];
	const struct ld_cell *y = &q->cells.at[*(const uint32_t *)b];
	struct ld_cell_text s = ld_cell_text(q, x), t = ld_cell_text(q, y);
	int order;

	if ((s.blind != NULL) != (t.blind != NULL))
		return s.blind != NULL ? 1 : -1;
	if (s.blind != NULL) {
		order = memcmp(s.blind, t.blind, LD_BLIND_BYTES);
	} else {
		order = ld_span_compare(s.key, t.key);
		if (order == 0)
			order = (int)ranks[s.scope] - (int)ranks[t.scope];
		if (order == 0)
			order = ld_span_compare(s.path, t.path);
	}
	return order != 0 ? order
			  : strcmp(q->categories.at[x->category].key,
				   q->categories.at[y->category].key);
}

int
ld_quorum_effective(const struct ld_quorum *q, ld_quorum_each *each, void *ctx)
{
	uint32_t *cells = reallocarray(NULL, q->cells.count + 1, sizeof *cells);
	size_t count = 0;
	int err = LINDUNG_OK;

	if (cells == NULL)
		return LINDUNG_ENOMEM;
	for (size_t i = 0; i < q->cells.count; i++)
		if (q->cells.at[i].effect != 0)
			cells[count++] = (uint32_t)i;
	qsort_r(cells, count, sizeof *cells, cell_order, (void *)(uintptr_t)q);
	for (size_t i = 0; i < count && err == LINDUNG_OK; i++) {
		const struct ld_cell *cell = &q->cells.at[cells[i]];

		err = ld_cell_tell(q, cell, &q->effects.at[cell->effect], each, ctx);
	}
	free(cells);
	return err;
}
