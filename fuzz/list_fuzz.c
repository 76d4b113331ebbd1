/* Every list reader: the first octet chooses the format, the second where the chunks end.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "list/list.h"
#include "name/name.h"

struct seen {
	uint64_t lines;
	uint64_t calls;
};

static int
on_entry(void *ctx, const struct ld_entry *entry, uint64_t line)
{
	struct seen *seen = ctx;
	char host[LD_HOST_MAX + 1];
	size_t len = 0;

	LD_ASSERT(line >= 1 && line <= seen->lines);
	LD_ASSERT(ld_host_from_text(host, &len, entry->host) == LINDUNG_OK);
	LD_ASSERT(ld_span_equal(ld_span(host, len), entry->host));
	LD_ASSERT(entry->action <= LD_ACTION_REMOVE);
	LD_ASSERT(entry->scope >= LD_SCOPE_SELF && entry->scope <= LD_SCOPE_URL);
	LD_ASSERT((entry->scope == LD_SCOPE_URL) == (entry->path.len != 0));
	LD_ASSERT(entry->path.len == 0 || entry->path.data[0] == '/');
	LD_ASSERT((entry->action == LD_ACTION_REWRITE) == (entry->target.len != 0));
	for (size_t i = 0; i < entry->path.len; i++)
		LD_ASSERT(entry->path.data[i] > 0x20 && entry->path.data[i] < 0x7f);
	for (size_t i = 0; i < entry->source.len; i++)
		LD_ASSERT(entry->source.data[i] >= 0x20 && entry->source.data[i] != ',');
	seen->calls++;
	return LINDUNG_OK;
}

static int
on_reject(void *ctx, enum ld_reject reason, uint64_t line, struct ld_span text)
{
	struct seen *seen = ctx;
	uint8_t sum = 0;

	LD_ASSERT(line >= 1 && line <= seen->lines);
	LD_ASSERT((unsigned)reason < LD_REJECT_COUNT);
	/* The whole text must be there to be read. */
	for (size_t i = 0; i < text.len; i++)
		sum ^= text.data[i];
	seen->calls += sum & 1;
	return LINDUNG_OK;
}

static void
parse(struct ld_list_parser *parser, struct ld_span text, size_t step,
      const struct ld_list_sink *sink)
{
	struct ld_list_chunk chunk = {.first_line = 1};

	while (text.len != 0) {
		size_t end = text.len < step ? text.len : step;

		end += ld_span_find(ld_span_from(text, end), '\n') + 1;
		chunk.bytes = ld_span_first(text, end);
		LD_ASSERT(ld_list_parse(parser, &chunk, sink) == LINDUNG_OK);
		for (size_t i = 0; i < chunk.bytes.len; i++)
			chunk.first_line += chunk.bytes.data[i] == '\n';
		text = ld_span_from(text, end);
	}
	chunk.bytes = text;
	LD_ASSERT(ld_list_parse(parser, &chunk, sink) == LINDUNG_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ld_list_options named_column = {.csv_column = "name"};
	struct seen seen = {.lines = 1};
	const struct ld_list_sink sink = {&seen, on_entry, on_reject};
	struct ld_list_parser *parser;

	if (size < 2)
		return 0;
	struct ld_span text = ld_span_from(ld_span(data, size), 2);
	for (size_t i = 0; i < text.len; i++)
		seen.lines += text.data[i] == '\n';
	(void)ld_list_detect(text);
	enum ld_list_format format = (enum ld_list_format)(data[0] % LD_LIST_CHROMIUM);
	if (ld_list_parser_new(&parser, format, data[0] >= 0x80 ? &named_column : NULL) !=
	    LINDUNG_OK)
		return 0;
	parse(parser, text, data[1] >= 0x80 ? SIZE_MAX / 2 : data[1], &sink);
	ld_list_parser_free(parser);
	return 0;
}
