/* The frame of all readers: lines out of chunks, entries and rejections to the sink.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "list/parser.h"

static const struct ld_format_reader *const readers[] = {
	&ld_reader_lindung, &ld_reader_hosts, &ld_reader_domains, &ld_reader_wildcard,
	&ld_reader_squid,   &ld_reader_urls,  &ld_reader_adblock, &ld_reader_dnsmasq,
	&ld_reader_unbound, &ld_reader_rpz,   &ld_reader_csv,
};

int
ld_list_parser_new(struct ld_list_parser **ret, enum ld_list_format format,
		   const struct ld_list_options *options)
{
	static const struct ld_list_options no_options = {0};
	const struct ld_format_reader *reader = NULL;

	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		if (readers[i]->format == format)
			reader = readers[i];
	}
	if (reader == NULL)
		return LINDUNG_EINVAL;
	struct ld_list_parser *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return LINDUNG_ENOMEM;
	p->reader = reader;
	if (reader->open != NULL) {
		int err = reader->open(p, options != NULL ? options : &no_options);
		if (err != LINDUNG_OK) {
			free(p);
			return err;
		}
	}
	*ret = p;
	return LINDUNG_OK;
}

void
ld_list_parser_free(struct ld_list_parser *p)
{
	if (p == NULL)
		return;
	if (p->reader->close != NULL)
		p->reader->close(p);
	free(p);
}

int
ld_list_parse(struct ld_list_parser *p, const struct ld_list_chunk *chunk,
	      const struct ld_list_sink *sink)
{
	struct ld_span rest = chunk->bytes;
	int err = LINDUNG_OK;

	p->sink = sink;
	if (rest.len == 0)
		return p->reader->end != NULL ? p->reader->end(p) : LINDUNG_OK;
	p->line_number = chunk->first_line;
	while (rest.len != 0 && err == LINDUNG_OK) {
		size_t end = ld_span_find(rest, '\n');
		struct ld_span line = {rest.data, end};

		rest = ld_span_from(rest, end + 1);
		if (line.len > LD_LIST_LINE_MAX_BYTES)
			err = ld_parser_reject(p, LD_REJECT_TOO_LONG,
					       ld_span_first(line, LD_SHOWN_MAX_BYTES));
		else
			err = p->reader->line(p, line);
		p->line_number++;
	}
	return err;
}

int
ld_parser_entry(struct ld_list_parser *p, const struct ld_entry *entry)
{
	return p->sink->entry(p->sink->ctx, entry, p->line_number);
}

static bool
has_control(struct ld_span text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

int
ld_parser_reject(struct ld_list_parser *p, enum ld_reject reason, struct ld_span text)
{
	text = ld_span_trim(text);
	if (ld_reject_is_strict(reason) && has_control(text))
		reason = LD_REJECT_BINARY;
	return p->sink->reject(p->sink->ctx, reason, p->line_number, text);
}

int
ld_parser_apart(struct ld_list_parser *p, struct ld_span kept, uint64_t first_line,
		int (*line)(struct ld_list_parser *p, struct ld_span line))
{
	uint64_t line_number = p->line_number;
	int err = LINDUNG_OK;

	for (p->line_number = first_line; kept.len != 0 && err == LINDUNG_OK; p->line_number++) {
		size_t end = ld_span_find(kept, '\n');
		struct ld_span text = ld_span_first(kept, end);

		err = p->line_number == first_line ? ld_parser_reject(p, LD_REJECT_SYNTAX, text)
						   : line(p, text);
		kept = ld_span_from(kept, end + 1);
	}
	p->line_number = line_number;
	return err;
}

bool
ld_seen_add(struct ld_seen *seen, struct ld_span name)
{
	if (ld_span_ends(name, LD_SPAN(".")))
		name.len--;
	for (size_t i = 0; i < seen->count; i++) {
		const struct ld_span *other = &seen->names[i];

		if (other->len == name.len &&
		    strncasecmp((const char *)other->data, (const char *)name.data, name.len) == 0)
			return true;
	}
	if (seen->count < LD_SEEN_MAX)
		seen->names[seen->count++] = name;
	return false;
}

struct ld_span
ld_word_next(struct ld_span *rest)
{
	struct ld_span s = ld_span_trim(*rest);
	size_t len = 0;

	while (len < s.len && s.data[len] != ' ' && s.data[len] != '\t')
		len++;
	*rest = ld_span_from(s, len);
	return ld_span_first(s, len);
}

struct ld_span
ld_field_next(struct ld_span *rest, uint8_t separator)
{
	size_t end = ld_span_find(*rest, separator);
	struct ld_span field = ld_span_first(*rest, end);

	*rest = ld_span_from(*rest, end + 1);
	return field;
}

bool
ld_text_starts(struct ld_span text, const char *prefix)
{
	size_t len = strlen(prefix);

	return text.len >= len && strncasecmp((const char *)text.data, prefix, len) == 0;
}

bool
ld_text_is(struct ld_span text, const char *word)
{
	return text.len == strlen(word) && ld_text_starts(text, word);
}
