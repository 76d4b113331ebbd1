/* Entries of statements: read from a block, and made.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "log/block.h"

#include <stdlib.h>

#include "list/canonical.h"
#include "list/list.h"
#include "list/pack.h"
#include "log/merkle.h"
#include "log/seal.h"
#include "log/secret.h"
#include "log/text.h"

enum {
	LINE_MAX_BYTES = LD_ENTRY_TEXT_MAX_BYTES + 1,
	/* Of inline entries, so that the note with its signatures stays below LD_NOTE_MAX_BYTES. */
	INLINE_MAX_BYTES = 40 * 1024,
	SHOWN_MAX_BYTES = 80, /* of a line that is refused */
};

/* ---- Reading -------------------------------------------------------------------------------- */

int
ld_block_inline(const struct ld_statement *statement, ld_block_each *each, void *ctx)
{
	struct ld_span rest = statement->inline_entries, line;
	int err = LINDUNG_OK;

	while (err == LINDUNG_OK && ld_text_line(&rest, &line)) {
		struct ld_entry entry;

		ld_entry_split(&entry, ld_span_from(line, 1)); /* behind the blank */
		err = each(ctx, &entry);
	}
	return err;
}

/* So many entries, each canonical, in order.  What is sealed is not shown. */
static int
content_check(struct ld_span content, uint32_t count, struct ld_report *report)
{
	uint8_t keys[2][LD_ENTRY_ORDER_MAX_BYTES];
	struct ld_span before = {NULL, 0}, line;
	uint32_t found = 0;

	for (; ld_text_line(&content, &line); found++) {
		struct ld_entry entry;
		uint8_t *memory = keys[found % 2];

		if (found == count)
			return ld_fail(report, LINDUNG_ESYNTAX,
				       "the block has more entries than the %u of its statement",
				       count);
		if (!ld_entry_parse(&entry, line))
			return ld_fail(report, LINDUNG_ESYNTAX,
				       "line %u of the block is no canonical entry", found + 1);
		struct ld_span key = ld_span(memory, ld_entry_order(memory, &entry));
		if (found != 0 && ld_span_compare(before, key) >= 0)
			return ld_fail(report, LINDUNG_ESYNTAX,
				       "line %u of the block stands there twice or out of order",
				       found + 1);
		before = key;
	}
	if (content.len != 0)
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "the last line of the block does not end with LF");
	if (found != count)
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "the block has %u entries instead of the %u of its statement", found,
			       count);
	return LINDUNG_OK;
}

static int
content_hand_over(struct ld_span content, ld_block_each *each, void *ctx)
{
	struct ld_span line;
	int err = LINDUNG_OK;

	while (err == LINDUNG_OK && ld_text_line(&content, &line)) {
		struct ld_entry entry;

		ld_entry_split(&entry, line);
		err = each(ctx, &entry);
	}
	return err;
}

/* What so many entries can take at most. */
static size_t
content_limit(uint32_t count)
{
	size_t limit = (size_t)count * LINE_MAX_BYTES;

	return limit < LD_BLOCK_CONTENT_MAX_BYTES ? limit : LD_BLOCK_CONTENT_MAX_BYTES;
}

static int
packed_read(const struct ld_statement *statement, struct ld_span stored, ld_block_each *each,
	    void *ctx, struct ld_report *report)
{
	uint8_t *content;
	size_t len;
	int err =
		ld_pack_open(&content, &len, stored, content_limit(statement->entry_count), report);

	if (err != LINDUNG_OK)
		return err;
	err = content_check(ld_span(content, len), statement->entry_count, report);
	if (err == LINDUNG_OK)
		err = content_hand_over(ld_span(content, len), each, ctx);
	free(content);
	return err;
}

/* Entries in the clear lie in locked memory alone, but for single ones that pass over the stack. */
static int
sealed_read(const struct ld_statement *statement, struct ld_span stored,
	    const struct ld_openers *openers, ld_block_each *each, void *ctx,
	    struct ld_report *report)
{
	struct ld_opened opened = {0};
	int err = ld_unseal(&opened, stored, openers, report);

	if (err != LINDUNG_OK)
		return err;
	if (opened.bytes.len > content_limit(statement->entry_count))
		err = ld_fail(report, LINDUNG_ELIMIT,
			      "the sealed block has more octets than %u entries can have",
			      statement->entry_count);
	if (err == LINDUNG_OK)
		err = content_check(opened.bytes, statement->entry_count, report);
	if (err == LINDUNG_OK)
		err = content_hand_over(opened.bytes, each, ctx);
	ld_opened_free(&opened);
	ld_secret_stack_wipe();
	return err;
}

int
ld_block_read(const struct ld_statement *statement, struct ld_span stored,
	      const struct ld_openers *openers, ld_block_each *each, void *ctx,
	      struct ld_report *report)
{
	struct ld_hash hash;

	if (statement->entries != LD_ENTRIES_BLOCK && statement->entries != LD_ENTRIES_SEALED)
		return ld_fail(report, LINDUNG_EINVAL, "the statement names no block");
	if (stored.len > LD_BLOCK_STORED_MAX_BYTES)
		return ld_fail(report, LINDUNG_ELIMIT, "the block has more than 64 MiB");
	ld_hash_of(&hash, stored);
	if (memcmp(hash.bytes, statement->block_hash, sizeof hash.bytes) != 0)
		return ld_fail(report, LINDUNG_EDAMAGED,
			       "the block is not the one that the statement names: its hash is "
			       "another");
	return statement->entries == LD_ENTRIES_SEALED
		       ? sealed_read(statement, stored, openers, each, ctx, report)
		       : packed_read(statement, stored, each, ctx, report);
}

/* ---- Making --------------------------------------------------------------------------------- */

/* Grown at once, so that no copy of what it holds is left behind. */
static void
buffer_reserve(struct ld_buffer *b, size_t len)
{
	if (len != 0 && ld_buffer_room(b, len < b->limit ? len : b->limit) != NULL)
		b->len = 0;
}

static void
buffer_wipe(struct ld_buffer *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->len);
	ld_buffer_free(b);
}

/* An entry that is being put in order: where its text and its key stand. */
struct item {
	uint32_t text, key;
	uint16_t text_len, key_len;
};

struct gathering {
	struct item *items;
	uint32_t count, size;
	struct ld_buffer text, keys;
};

static int
gather_entry(struct gathering *g, const struct ld_entry *entry)
{
	uint8_t key[LD_ENTRY_ORDER_MAX_BYTES];
	struct item item = {.text = (uint32_t)g->text.len, .key = (uint32_t)g->keys.len};

	if (g->count == g->size) {
		uint32_t size = g->size != 0 ? 2 * g->size : 256;
		struct item *items = realloc(g->items, size * sizeof *items);

		if (items == NULL)
			return LINDUNG_ENOMEM;
		g->items = items;
		g->size = size;
	}
	ld_entry_write(&g->text, entry);
	item.text_len = (uint16_t)(g->text.len - item.text);
	item.key_len = (uint16_t)ld_entry_order(key, entry);
	ld_buffer_bytes(&g->keys, ld_span(key, item.key_len));
	if (g->text.failed || g->keys.failed)
		return LINDUNG_ENOMEM;
	g->items[g->count++] = item;
	return LINDUNG_OK;
}

/* One line of what was handed over. */
static int
gather_line(struct gathering *g, struct ld_list_parser *parser, struct ld_span line,
	    uint64_t number, struct ld_report *report)
{
	char text[LD_ENTRY_TEXT_MAX_BYTES];
	struct ld_entry entry, again;
	struct ld_buffer canonical = {
		.data = (uint8_t *)text, .size = sizeof text, .limit = sizeof text};
	struct ld_span shown = ld_span_first(line, SHOWN_MAX_BYTES);

	if (g->count == LD_STATEMENT_ENTRIES_MAX)
		return ld_fail(report, LINDUNG_ELIMIT,
			       "line %llu: more than %d entries: make more statements of them",
			       (unsigned long long)number, LD_STATEMENT_ENTRIES_MAX);
	enum ld_reject reason = line.len > LD_LIST_LINE_MAX_BYTES
					? LD_REJECT_TOO_LONG
					: ld_list_read_entry(parser, line, &entry);
	if (reason == LD_REJECT_COUNT) {
		ld_entry_write(&canonical, &entry);
		if (canonical.failed)
			reason = LD_REJECT_TOO_LONG;
		else if (!ld_entry_parse(&again, ld_buffer_span(&canonical)))
			reason = LD_REJECT_SINGLE_LABEL;
	}
	if (reason != LD_REJECT_COUNT)
		return ld_fail(report, LINDUNG_ENAME, "line %llu: %.*s: %s",
			       (unsigned long long)number, (int)shown.len, (const char *)shown.data,
			       ld_reject_text(reason));
	int err = gather_entry(g, &again);
	return err == LINDUNG_OK ? err : ld_fail(report, err, "not enough memory for the entries");
}

static int
gather_lines(struct gathering *g, struct ld_span lines, struct ld_report *report)
{
	struct ld_list_parser *parser;
	uint64_t number = 0;
	int err = ld_list_parser_new(&parser, LD_LIST_LINDUNG, NULL);

	if (err != LINDUNG_OK)
		return ld_fail(report, err, "not enough memory for the entries");
	while (err == LINDUNG_OK && lines.len != 0) {
		size_t end = ld_span_find(lines, '\n');
		struct ld_span line = ld_span_trim(ld_span_first(lines, end));

		number++;
		lines = ld_span_from(lines, end + 1);
		if (line.len != 0 && line.data[0] != '#')
			err = gather_line(g, parser, line, number, report);
	}
	ld_list_parser_free(parser);
	return err;
}

static int
item_compare(const void *a, const void *b, void *ctx)
{
	const struct item *x = a, *y = b;
	const uint8_t *keys = ctx;

	return ld_span_compare(ld_span(keys + x->key, x->key_len),
			       ld_span(keys + y->key, y->key_len));
}

/* In order, each once. */
static void
gathering_sort(struct gathering *g)
{
	uint32_t kept = 0;

	if (g->count != 0)
		qsort_r(g->items, g->count, sizeof *g->items, item_compare, g->keys.data);
	for (uint32_t i = 0; i < g->count; i++) {
		if (kept == 0 || item_compare(&g->items[kept - 1], &g->items[i], g->keys.data) != 0)
			g->items[kept++] = g->items[i];
	}
	g->count = kept;
}

/* Write the entries, a line each, with `before` in front. */
static void
gathering_write(struct ld_buffer *ret, const struct gathering *g, const char *before)
{
	for (uint32_t i = 0; i < g->count; i++) {
		ld_buffer_bytes(ret, ld_span_str(before));
		ld_buffer_bytes(ret,
				ld_span(g->text.data + g->items[i].text, g->items[i].text_len));
		ld_buffer_bytes(ret, LD_SPAN("\n"));
	}
}

static int
block_store(struct ld_statement *statement, const struct gathering *g,
	    const struct ld_recipients *recipients, struct ld_buffer *ret, struct ld_report *report)
{
	struct ld_buffer content;
	struct ld_hash hash;
	size_t start = ret->len;
	int err = LINDUNG_ELIMIT;

	ld_buffer_init(&content, LD_BLOCK_CONTENT_MAX_BYTES);
	buffer_reserve(&content, g->text.len + g->count);
	gathering_write(&content, g, "");
	if (!content.failed)
		err = recipients != NULL ? ld_seal(ret, ld_buffer_span(&content), recipients)
					 : ld_pack(ret, ld_buffer_span(&content));
	buffer_wipe(&content);
	if (err == LINDUNG_OK && ret->len - start > LD_BLOCK_STORED_MAX_BYTES)
		err = LINDUNG_ELIMIT;
	if (err != LINDUNG_OK) {
		ret->len = start;
		return ld_fail(report, err,
			       err == LINDUNG_ELIMIT
				       ? "too many entries for a block (128 MiB, packed 64 MiB): "
					 "make more statements of them"
				       : "not enough memory for the block");
	}
	ld_hash_of(&hash, ld_span_from(ld_buffer_span(ret), start));
	statement->entries = recipients != NULL ? LD_ENTRIES_SEALED : LD_ENTRIES_BLOCK;
	memcpy(statement->block_hash, hash.bytes, sizeof hash.bytes);
	return LINDUNG_OK;
}

static int
gathering_store(struct ld_statement *statement, const struct gathering *g,
		const struct ld_recipients *recipients, struct ld_buffer *ret_inline,
		struct ld_buffer *ret_stored, struct ld_report *report)
{
	size_t start = ret_inline->len;

	if (g->count == 0)
		return ld_fail(report, LINDUNG_ENAME, "there is no entry");
	if (recipients != NULL || g->count > LD_STATEMENT_INLINE_MAX ||
	    g->text.len + 2 * (size_t)g->count > INLINE_MAX_BYTES) {
		int err = block_store(statement, g, recipients, ret_stored, report);

		if (err != LINDUNG_OK)
			return err;
		statement->inline_entries = (struct ld_span){NULL, 0};
	} else {
		gathering_write(ret_inline, g, " ");
		if (ret_inline->failed)
			return ld_fail(report, LINDUNG_ENOMEM, "no room for the entries");
		statement->entries = LD_ENTRIES_INLINE;
		statement->inline_entries = ld_span_from(ld_buffer_span(ret_inline), start);
	}
	statement->entry_count = g->count;
	return LINDUNG_OK;
}

int
ld_block_make(struct ld_statement *statement, struct ld_span lines,
	      const struct ld_recipients *recipients, struct ld_buffer *ret_inline,
	      struct ld_buffer *ret_stored, struct ld_report *report)
{
	struct gathering g = {0};

	ld_buffer_init(&g.text, 2 * (size_t)LD_BLOCK_CONTENT_MAX_BYTES);
	ld_buffer_init(&g.keys, 2 * (size_t)LD_BLOCK_CONTENT_MAX_BYTES);
	buffer_reserve(&g.text, 2 * lines.len);
	buffer_reserve(&g.keys, 3 * lines.len);
	int err = gather_lines(&g, lines, report);
	if (err == LINDUNG_OK) {
		gathering_sort(&g);
		err = gathering_store(statement, &g, recipients, ret_inline, ret_stored, report);
	}
	free(g.items);
	buffer_wipe(&g.text);
	buffer_wipe(&g.keys);
	return err;
}
