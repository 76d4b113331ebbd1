/* Reader of tables: CSV as in RFC 4180, with ',', ';' or tab.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The separator is the one that the first record has most of.  The column is the one that the
 * caller names by its header, or the first in which a name or URL stands.  What other columns hold
 * does not matter, not even whether it is text. */
#include <stdlib.h>

#include "list/parser.h"

/* Where in a record the reader stands between two octets. */
enum place { AT_FIELD, IN_FIELD, IN_QUOTES, BEHIND_QUOTE };

struct csv {
	uint8_t separator; /* 0: not known yet */
	enum { COLUMN_UNKNOWN, COLUMN_KNOWN, COLUMN_MISSING } column_state;
	bool past_first;
	size_t column;
	char *column_name;
	enum place place;
	uint64_t first_line; /* of the record whose quote is open */
	size_t len;
	uint8_t record[LD_LIST_LINE_MAX_BYTES + 1]; /* its lines, each with its end */
};

static int
csv_open(struct ld_list_parser *p, const struct ld_list_options *options)
{
	struct csv *csv = calloc(1, sizeof(*csv));

	if (csv != NULL && options->csv_column != NULL)
		csv->column_name = strdup(options->csv_column);
	if (csv == NULL || (options->csv_column != NULL && csv->column_name == NULL)) {
		free(csv);
		return LINDUNG_ENOMEM;
	}
	p->state = csv;
	return LINDUNG_OK;
}

static void
csv_close(struct ld_list_parser *p)
{
	struct csv *csv = p->state;

	free(csv->column_name);
	free(csv);
}

/* ---- Fields --------------------------------------------------------------------------------- */

static enum place
step(enum place place, uint8_t octet, uint8_t separator)
{
	switch (place) {
	case IN_QUOTES:
		return octet == '"' ? BEHIND_QUOTE : IN_QUOTES;
	case BEHIND_QUOTE:
		if (octet == '"')
			return IN_QUOTES;
		return octet == separator ? AT_FIELD : IN_FIELD;
	case AT_FIELD:
		if (octet == '"')
			return IN_QUOTES;
		return octet == separator ? AT_FIELD : IN_FIELD;
	case IN_FIELD:
		break;
	}
	return octet == separator ? AT_FIELD : IN_FIELD;
}

/* The next field, taken off the record, without its quotes. */
static struct ld_span
next_field(const struct csv *csv, struct ld_span *rest)
{
	enum place place = AT_FIELD;
	size_t end = 0;

	while (end < rest->len) {
		place = step(place, rest->data[end], csv->separator);
		if (place == AT_FIELD)
			break;
		end++;
	}
	struct ld_span field = ld_span_trim(ld_span_first(*rest, end));
	*rest = ld_span_from(*rest, end + 1);
	if (field.len >= 2 && field.data[0] == '"' && field.data[field.len - 1] == '"')
		field = ld_span_trim(ld_span(field.data + 1, field.len - 2));
	return field;
}

static void
find_separator(struct csv *csv, struct ld_span record)
{
	static const uint8_t separators[] = {',', ';', '\t'};
	size_t most = 0;

	csv->separator = ',';
	for (size_t i = 0; i < sizeof(separators); i++) {
		enum place place = AT_FIELD;
		size_t count = 0;

		for (size_t at = 0; at < record.len; at++) {
			place = step(place, record.data[at], separators[i]);
			count += place == AT_FIELD;
		}
		if (count > most) {
			most = count;
			csv->separator = separators[i];
		}
	}
}

/* ---- Records -------------------------------------------------------------------------------- */

/* A name of two labels or more, or a URL: what tells the column. */
static bool
is_site(struct ld_span field)
{
	char host[LD_HOST_MAX + 1];
	size_t len = 0;

	if (memmem(field.data, field.len, "://", 3) != NULL)
		return true;
	return ld_host_from_text(host, &len, field) == LINDUNG_OK && memchr(host, '.', len) != NULL;
}

static void
find_column(struct csv *csv, struct ld_span record)
{
	bool by_name = csv->column_name != NULL;

	for (size_t i = 0; record.len != 0; i++) {
		struct ld_span field = next_field(csv, &record);

		if (by_name ? ld_text_is(field, csv->column_name) : is_site(field)) {
			csv->column = i;
			csv->column_state = COLUMN_KNOWN;
			return;
		}
	}
	if (by_name)
		csv->column_state = COLUMN_MISSING;
}

static int
csv_record(struct ld_list_parser *p, struct ld_span record)
{
	const struct ld_entry like = {.action = LD_ACTION_BLOCK, .scope = LD_SCOPE_TREE};
	struct csv *csv = p->state;
	struct ld_span shown = ld_span_first(record, ld_span_find(record, '\n'));
	struct ld_span field = {NULL, 0};
	bool is_first = !csv->past_first;

	csv->past_first = true;
	if (csv->column_state == COLUMN_UNKNOWN)
		find_column(csv, record);
	bool is_header =
		is_first && (csv->column_name != NULL || csv->column_state == COLUMN_UNKNOWN);
	if (is_header && csv->column_state != COLUMN_MISSING)
		return ld_parser_reject(p, LD_REJECT_COMMENT, shown);
	if (csv->column_state != COLUMN_KNOWN)
		return ld_parser_reject(p, LD_REJECT_SYNTAX, shown);
	for (size_t i = 0; i <= csv->column; i++)
		field = next_field(csv, &record);
	if (field.len == 0)
		return ld_parser_reject(p, LD_REJECT_SYNTAX, shown);
	return ld_parser_site(p, field, &like, LD_SCOPE_TREE);
}

/* ---- Lines ---------------------------------------------------------------------------------- */

/* Whether a quote is still open behind this line. */
static bool
stays_open(struct csv *csv, struct ld_span line)
{
	for (size_t i = 0; i < line.len; i++)
		csv->place = step(csv->place, line.data[i], csv->separator);
	if (csv->place == IN_QUOTES)
		return true;
	csv->place = AT_FIELD;
	return false;
}

static enum ld_reject
blank_or_comment(struct ld_span line)
{
	line = ld_span_trim(line);
	if (line.len == 0)
		return LD_REJECT_BLANK;
	return line.data[0] == '#' ? LD_REJECT_COMMENT : LD_REJECT_NONE;
}

/* A line, joined with none. */
static int
line_alone(struct ld_list_parser *p, struct ld_span line)
{
	struct csv *csv = p->state;
	enum ld_reject reason = blank_or_comment(line);

	if (reason == LD_REJECT_NONE && stays_open(csv, line)) {
		csv->place = AT_FIELD;
		reason = LD_REJECT_SYNTAX;
	}
	return reason == LD_REJECT_NONE ? csv_record(p, line) : ld_parser_reject(p, reason, line);
}

/* The quote that was opened is never closed: so its line is wrong, and the lines behind it are
 * records of their own. */
static int
csv_end(struct ld_list_parser *p)
{
	struct csv *csv = p->state;
	struct ld_span kept = ld_span(csv->record, csv->len);

	csv->len = 0;
	csv->place = AT_FIELD;
	return ld_parser_apart(p, kept, csv->first_line, line_alone);
}

static int
csv_line(struct ld_list_parser *p, struct ld_span line)
{
	struct csv *csv = p->state;
	int err = LINDUNG_OK;

	if (csv->len + line.len + 1 > sizeof(csv->record))
		err = csv_end(p);
	if (err != LINDUNG_OK)
		return err;
	if (csv->len == 0) {
		enum ld_reject reason = blank_or_comment(line);

		if (reason != LD_REJECT_NONE)
			return ld_parser_reject(p, reason, line);
		if (csv->separator == 0)
			find_separator(csv, line);
		csv->first_line = p->line_number;
	}
	bool is_open = stays_open(csv, line);
	if (csv->len == 0 && !is_open)
		return csv_record(p, line);
	memcpy(csv->record + csv->len, line.data, line.len);
	csv->len += line.len;
	csv->record[csv->len++] = '\n';
	if (is_open)
		return LINDUNG_OK;
	uint64_t line_number = p->line_number;
	struct ld_span record = ld_span(csv->record, csv->len - 1);
	csv->len = 0;
	p->line_number = csv->first_line;
	err = csv_record(p, record);
	p->line_number = line_number;
	return err;
}

const struct ld_format_reader ld_reader_csv = {
	.format = LD_LIST_CSV,
	.line = csv_line,
	.open = csv_open,
	.end = csv_end,
	.close = csv_close,
};
