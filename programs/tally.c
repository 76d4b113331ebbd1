/* SPDX-License-Identifier: BSD-2-Clause */
#include "tally.h"

#include <search.h>
#include <stdio.h>

#include "base/error.h"
#include "show.h"

struct ld_tally_row {
	struct ld_span name;
	uint64_t counts[LD_TALLY_COLUMNS];
};

static int
row_compare(const void *a, const void *b)
{
	const struct ld_tally_row *x = a, *y = b;

	return ld_span_compare(x->name, y->name);
}

static struct ld_tally_row *
row_find(struct ld_tally *tally, struct ld_span name)
{
	struct ld_tally_row wanted = {.name = name}, *row;
	struct ld_tally_row **found = tfind(&wanted, &tally->root, row_compare);

	if (found != NULL)
		return *found;
	row = ld_arena_alloc(tally->arena, sizeof *row);
	if (row == NULL)
		return NULL;
	row->name = ld_arena_copy(tally->arena, name);
	if (row->name.data == NULL || tsearch(row, &tally->root, row_compare) == NULL)
		return NULL;
	return row;
}

int
ld_tally_add(struct ld_tally *tally, struct ld_span name, unsigned column)
{
	if (tally->last == NULL || !ld_span_equal(tally->last->name, name))
		tally->last = row_find(tally, name);
	if (tally->last == NULL)
		return LINDUNG_ENOMEM;
	tally->last->counts[column]++;
	return LINDUNG_OK;
}

struct printing {
	unsigned columns;
	const char *signs;
	const char *const *keys;
	json_t *object;
};

static void
row_print(const void *node, VISIT visit, void *ctx)
{
	const struct ld_tally_row *row = *(struct ld_tally_row *const *)node;
	const struct printing *p = ctx;

	if (visit != postorder && visit != leaf)
		return;
	for (unsigned i = 0; i < p->columns; i++) {
		struct ld_number n = ld_show_number(row->counts[i]);
		char text[sizeof n.text + 1];

		snprintf(text, sizeof text, "%.1s%s", p->signs + i, n.text);
		printf("%12s  ", text);
	}
	ld_show_text(stdout, row->name);
	putchar('\n');
}

void
ld_tally_print(const struct ld_tally *tally, unsigned columns, const char *signs)
{
	struct printing p = {.columns = columns, .signs = signs};

	twalk_r(tally->root, row_print, &p);
}

static void
row_json(const void *node, VISIT visit, void *ctx)
{
	const struct ld_tally_row *row = *(struct ld_tally_row *const *)node;
	const struct printing *p = ctx;
	json_t *value;

	if (visit != postorder && visit != leaf)
		return;
	if (p->columns == 1) {
		value = json_integer((json_int_t)row->counts[0]);
	} else {
		value = json_object();
		for (unsigned i = 0; i < p->columns; i++)
			json_object_set_new(value, p->keys[i],
					    json_integer((json_int_t)row->counts[i]));
	}
	json_object_setn_new(p->object, (const char *)row->name.data, row->name.len, value);
}

json_t *
ld_tally_json(const struct ld_tally *tally, const char *const *keys, unsigned columns)
{
	struct printing p = {.columns = columns, .keys = keys, .object = json_object()};

	twalk_r(tally->root, row_json, &p);
	return p.object;
}

static void
row_keep(void *row)
{
	/* Rows lie in the arena. */
	(void)row;
}

void
ld_tally_free(struct ld_tally *tally)
{
	tdestroy(tally->root, row_keep);
	tally->root = NULL;
	tally->last = NULL;
}
