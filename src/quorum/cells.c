/* Cells: what the entries of statements are kept as.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The text of an entry in the pool: two octets each of the length of key and path, its scope, key
 * and path.  Of a sealed one: its blinded hash alone. */
#include <string.h>

#include "base/siphash.h"
#include "name/key.h"
#include "name/name.h"
#include "quorum/state.h"

enum { TEXT_HEAD = 5 };

struct ld_cell_text
ld_cell_text(const struct ld_quorum *q, const struct ld_cell *cell)
{
	const uint8_t *at = q->pool.at + cell->text;

	if ((cell->flags & LD_CELL_SEALED) != 0)
		return (struct ld_cell_text){.blind = at};
	size_t key = ld_get_le16(at), path = ld_get_le16(at + 2);
	return (struct ld_cell_text){.scope = at[4],
				     .key = ld_span(at + TEXT_HEAD, key),
				     .path = ld_span(at + TEXT_HEAD + key, path)};
}

static bool
text_same(const struct ld_cell_text *a, const struct ld_cell_text *b)
{
	if (a->blind != NULL || b->blind != NULL)
		return a->blind != NULL && b->blind != NULL &&
		       memcmp(a->blind, b->blind, LD_BLIND_BYTES) == 0;
	return a->scope == b->scope && ld_span_equal(a->key, b->key) &&
	       ld_span_equal(a->path, b->path);
}

static uint64_t
text_hash(const struct ld_quorum *q, uint16_t category, const struct ld_cell_text *text)
{
	uint8_t head[8] = {0};
	uint64_t parts[3];

	ld_put_le16(head, category);
	head[2] = text->scope;
	if (text->blind != NULL)
		return ld_siphash(q->secret, ld_span(text->blind, LD_BLIND_BYTES)) ^
		       ld_siphash(q->secret, ld_span(head, sizeof head));
	parts[0] = ld_get_le64(head);
	parts[1] = ld_siphash(q->secret, text->key);
	parts[2] = text->path.len != 0 ? ld_siphash(q->secret, text->path) : 0;
	return ld_siphash(q->secret, ld_span(parts, sizeof parts));
}

struct wanted {
	const struct ld_quorum *q;
	uint16_t category;
	const struct ld_cell_text *text;
};

static bool
cell_same(const void *ctx, uint32_t number)
{
	const struct wanted *w = ctx;
	const struct ld_cell *cell = &w->q->cells.at[number];

	if (cell->category != w->category)
		return false;
	struct ld_cell_text text = ld_cell_text(w->q, cell);
	return text_same(&text, w->text);
}

static uint64_t
cell_hash(const void *ctx, uint32_t number)
{
	const struct ld_quorum *q = ctx;
	struct ld_cell_text text = ld_cell_text(q, &q->cells.at[number]);

	return text_hash(q, q->cells.at[number].category, &text);
}

uint32_t
ld_cell_find(const struct ld_quorum *q, uint16_t category, const struct ld_cell_text *text)
{
	struct wanted w = {q, category, text};

	if (q->by_entry.size == 0)
		return LD_NONE;
	return ld_table_find(&q->by_entry, text_hash(q, category, text), cell_same, &w)->number;
}

static int
text_put(struct ld_quorum *q, const struct ld_cell_text *text)
{
	size_t len = text->blind != NULL ? (size_t)LD_BLIND_BYTES
					 : TEXT_HEAD + text->key.len + text->path.len;
	uint8_t *at;

	if (q->pool.count + len > UINT32_MAX || LD_ROOM(&q->pool, len) != LINDUNG_OK)
		return LINDUNG_ENOMEM;
	at = q->pool.at + q->pool.count;
	q->pool.count += len;
	if (text->blind != NULL) {
		memcpy(at, text->blind, LD_BLIND_BYTES);
		return LINDUNG_OK;
	}
	ld_put_le16(at, (uint16_t)text->key.len);
	ld_put_le16(at + 2, (uint16_t)text->path.len);
	at[4] = text->scope;
	memcpy(at + TEXT_HEAD, text->key.data, text->key.len);
	if (text->path.len != 0)
		memcpy(at + TEXT_HEAD + text->key.len, text->path.data, text->path.len);
	return LINDUNG_OK;
}

static int
cell_make(struct ld_quorum *q, uint16_t category, const struct ld_cell_text *text, bool is_popular,
	  uint32_t *ret)
{
	struct wanted w = {q, category, text};
	uint64_t hash = text_hash(q, category, text);
	struct ld_slot *slot;
	int err = ld_table_room(&q->by_entry, cell_hash, q);

	if (err != LINDUNG_OK)
		return err;
	slot = ld_table_find(&q->by_entry, hash, cell_same, &w);
	if (slot->number != LD_NONE) {
		*ret = slot->number;
		return LINDUNG_OK;
	}
	if (LD_ROOM(&q->cells, 1) != LINDUNG_OK)
		return LINDUNG_ENOMEM;
	struct ld_cell cell = {
		.text = (uint32_t)q->pool.count,
		.record = LD_NONE,
		.category = category,
		.flags = (uint8_t)((is_popular ? LD_CELL_POPULAR : 0) |
				   (text->blind != NULL ? LD_CELL_SEALED : 0)),
	};
	err = text_put(q, text);
	if (err != LINDUNG_OK)
		return err;
	*ret = (uint32_t)q->cells.count++;
	q->cells.at[*ret] = cell;
	ld_slot_take(&q->by_entry, slot, hash, *ret);
	return LINDUNG_OK;
}

/* ---- Entries --------------------------------------------------------------------------------- */

struct taker {
	struct ld_quorum *q;
	uint32_t number;
	bool is_sealed;
};

static int
entry_take(void *ctx, const struct ld_entry *entry)
{
	const struct taker *t = ctx;
	struct ld_quorum *q = t->q;
	struct ld_said *said = ld_said_at(q, t->number);
	uint8_t key[LD_HOST_MAX], blind[LD_BLIND_BYTES];
	struct ld_cell_text text = {.scope = entry->scope, .path = entry->path};
	uint32_t cell;
	int err;

	/* The block was checked as a whole before. */
	LD_ASSERT(entry->host.len <= LD_HOST_MAX && entry->path.len <= UINT16_MAX);
	if (t->is_sealed && entry->scope != LD_SCOPE_URL && q->suffixes != NULL &&
	    ld_psl_is_suffix(q->suffixes, entry->host))
		return LINDUNG_OK;
	text.key = ld_span(key, ld_host_to_key(key, entry->host));
	bool is_popular = ld_popular_has(&q->policy->popular, text.key, entry->scope);
	if (t->is_sealed) {
		ld_blind(blind, q->blind_key, entry->scope, text.key, entry->path);
		explicit_bzero(key, sizeof key);
		text = (struct ld_cell_text){.blind = blind};
	}
	err = cell_make(q, said->category, &text, is_popular, &cell);
	if (err == LINDUNG_OK)
		err = LD_ROOM(&q->records, 1);
	if (err != LINDUNG_OK)
		return err;
	q->records.at[q->records.count] = (struct ld_record){
		.cell = cell, .next = q->cells.at[cell].record, .said = t->number};
	q->cells.at[cell].record = (uint32_t)q->records.count++;
	said->record_count++;
	return ld_cell_touch(q, cell);
}

int
ld_cells_take(struct ld_quorum *q, uint32_t number, const struct ld_statement *statement,
	      struct ld_span stored, struct ld_report *report)
{
	struct taker t = {q, number, statement->entries == LD_ENTRIES_SEALED};

	ld_said_at(q, number)->first_record = (uint32_t)q->records.count;
	if (statement->entries == LD_ENTRIES_INLINE)
		return ld_block_inline(statement, entry_take, &t);
	return ld_block_read(statement, stored, q->openers, entry_take, &t, report);
}

int
ld_cell_touch(struct ld_quorum *q, uint32_t cell)
{
	if ((q->cells.at[cell].flags & LD_CELL_TOUCHED) != 0)
		return LINDUNG_OK;
	if (LD_ROOM(&q->touched, 1) != LINDUNG_OK)
		return LINDUNG_ENOMEM;
	q->cells.at[cell].flags |= LD_CELL_TOUCHED;
	q->touched.at[q->touched.count++] = cell;
	return LINDUNG_OK;
}

int
ld_said_touch(struct ld_quorum *q, uint32_t number)
{
	const struct ld_said *said = ld_said_at(q, number);
	int err = LINDUNG_OK;

	while ((said->flags & LD_SAID_WHOLE) != 0)
		said = ld_said_at(q, said->target);
	for (uint32_t i = 0; i < said->record_count && err == LINDUNG_OK; i++)
		err = ld_cell_touch(q, q->records.at[said->first_record + i].cell);
	return err;
}
