/* Any bytes as a statement: what is taken has exactly one text, and its entries can be heard.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "log/block.h"
#include "log/note.h"

static int
count(void *ctx, const struct ld_entry *entry)
{
	uint32_t *entries = ctx;

	LD_ASSERT(entry->host.len != 0);
	(*entries)++;
	return LINDUNG_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ld_statement statement;
	struct ld_report report;
	struct ld_buffer text;
	uint32_t entries = 0;

	if (ld_statement_parse(&statement, ld_span(data, size), &report) != LINDUNG_OK)
		return 0;
	LD_ASSERT(statement.expires_s > statement.time_s);
	LD_ASSERT(ld_block_inline(&statement, count, &entries) == LINDUNG_OK);
	LD_ASSERT(entries == (statement.entries == LD_ENTRIES_INLINE ? statement.entry_count : 0));
	ld_buffer_init(&text, LD_NOTE_MAX_BYTES + 4096);
	LD_ASSERT(ld_statement_format(&text, &statement, &report) == LINDUNG_OK);
	LD_ASSERT(ld_span_equal(ld_buffer_span(&text), ld_span(data, size)));
	ld_buffer_free(&text);
	return 0;
}
