/* Any bytes as a stored block, as the content of one, and as lines to make one of.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The first octet chooses which; the second is how many entries the statement names. */
#include "fuzz.h"
#include "list/canonical.h"
#include "list/pack.h"
#include "log/block.h"
#include "log/merkle.h"

enum { ROOM = 64 * 1024 * 1024 };

struct heard {
	uint32_t count;
	struct ld_buffer text;
};

static int
hear(void *ctx, const struct ld_entry *entry)
{
	struct heard *h = ctx;
	struct ld_entry again;
	size_t start = h->text.len;

	ld_entry_write(&h->text, entry);
	LD_ASSERT(ld_entry_parse(&again, ld_span_from(ld_buffer_span(&h->text), start)));
	ld_buffer_bytes(&h->text, LD_SPAN("\n"));
	h->count++;
	return LINDUNG_OK;
}

/* All of it is heard, or nothing. */
static void
read_stored(struct ld_span stored, uint32_t count)
{
	struct ld_statement s = {.entries = LD_ENTRIES_BLOCK, .entry_count = count};
	struct heard h = {0};
	struct ld_report report;
	struct ld_hash hash;

	ld_hash_of(&hash, stored);
	memcpy(s.block_hash, hash.bytes, sizeof hash.bytes);
	ld_buffer_init(&h.text, ROOM);
	int err = ld_block_read(&s, stored, NULL, hear, &h, &report);
	LD_ASSERT(h.count == (err == LINDUNG_OK ? count : 0));
	ld_buffer_free(&h.text);
}

/* What is made can be read, and making it again changes nothing. */
static void
make(struct ld_span lines)
{
	struct ld_statement s = {0}, again = {0};
	struct heard h = {0};
	struct ld_report report;
	struct ld_buffer text, stored, other;

	ld_buffer_init(&text, ROOM);
	ld_buffer_init(&other, ROOM);
	ld_buffer_init(&stored, ROOM);
	ld_buffer_init(&h.text, ROOM);
	if (ld_block_make(&s, lines, NULL, &text, &stored, &report) == LINDUNG_OK) {
		int err = s.entries == LD_ENTRIES_INLINE
				  ? ld_block_inline(&s, hear, &h)
				  : ld_block_read(&s, ld_buffer_span(&stored), NULL, hear, &h,
						  &report);

		LD_ASSERT(err == LINDUNG_OK && h.count == s.entry_count);
		LD_ASSERT(ld_block_make(&again, ld_buffer_span(&h.text), NULL, &other, &other,
					&report) == LINDUNG_OK);
		LD_ASSERT(again.entry_count == s.entry_count && again.entries == s.entries);
		LD_ASSERT(s.entries == LD_ENTRIES_INLINE
				  ? ld_span_equal(s.inline_entries, again.inline_entries)
				  : memcmp(s.block_hash, again.block_hash, sizeof s.block_hash) ==
					    0);
	}
	ld_buffer_free(&text);
	ld_buffer_free(&other);
	ld_buffer_free(&stored);
	ld_buffer_free(&h.text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ld_buffer stored;

	if (size < 2)
		return 0;
	struct ld_span rest = ld_span(data + 2, size - 2);
	if (data[0] % 3 == 0) {
		read_stored(rest, data[1]);
	} else if (data[0] % 3 == 1) {
		ld_buffer_init(&stored, ROOM);
		LD_ASSERT(ld_pack(&stored, rest) == LINDUNG_OK);
		read_stored(ld_buffer_span(&stored), data[1]);
		ld_buffer_free(&stored);
	} else {
		make(rest);
	}
	return 0;
}
