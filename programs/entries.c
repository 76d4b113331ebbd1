/* SPDX-License-Identifier: BSD-2-Clause */
#include "entries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"
#include "list/canonical.h"

enum { ARENA_BYTES = 64 * 1024 * 1024 };

int
ld_entries_init(struct ld_entries *ret, struct ld_report *report)
{
	const char *path;
	int err;

	*ret = (struct ld_entries){.count = 0};
	ld_arena_init(&ret->arena, ARENA_BYTES);
	ld_buffer_init(&ret->lines, LD_ENTRIES_MAX_BYTES);
	path = ld_data_path("protected.yaml", &ret->arena);
	err = ld_psl_open_quick(&ret->suffixes, report);
	if (err == LINDUNG_OK && path != NULL)
		err = ld_data_protected(&ret->protects, &ret->protect_count, path, &ret->arena,
					report);
	if (err == LINDUNG_OK) {
		err = ld_admission_new(&ret->admission, ret->suffixes, ret->protects,
				       ret->protect_count, false);
		if (err != LINDUNG_OK)
			ld_fail(report, err, "%s", lindung_strerror(err));
	}
	return err;
}

void
ld_entries_free(struct ld_entries *entries)
{
	ld_admission_free(entries->admission);
	ld_psl_close(entries->suffixes);
	ld_buffer_free(&entries->lines);
	ld_arena_clear(&entries->arena);
}

/* ---- What the parsers hand over -------------------------------------------------------------- */

struct reading {
	struct ld_entries *entries;
	struct ld_report *report;
	struct ld_span word; /* of the command line; empty: a file is read */
};

static int
on_reject(void *ctx, enum ld_reject reason, uint64_t number, struct ld_span text)
{
	struct reading *r = ctx;

	(void)number;
	(void)text;
	if (r->word.len != 0)
		return ld_fail(r->report, LINDUNG_ENAME, "%.*s: %s", (int)r->word.len,
			       (const char *)r->word.data, ld_reject_text(reason));
	r->entries->rejected[reason]++;
	return LINDUNG_OK;
}

static int
on_entry(void *ctx, const struct ld_entry *entry, uint64_t number)
{
	struct reading *r = ctx;
	struct ld_entries *x = r->entries;
	enum ld_reject reason = ld_admission_check(x->admission, entry);

	/* An exception in a list of others is not what this party says. */
	if (reason == LD_REJECT_COUNT && entry->action != LD_ACTION_BLOCK)
		reason = LD_REJECT_ACTION;
	if (reason == LD_REJECT_PROTECTED && x->opens)
		reason = LD_REJECT_COUNT;
	if (reason != LD_REJECT_COUNT)
		return on_reject(r, reason, number, entry->host);
	ld_entry_write(&x->lines, entry);
	ld_buffer_bytes(&x->lines, LD_SPAN("\n"));
	x->count++;
	return x->lines.failed ? ld_fail(r->report, LINDUNG_ELIMIT,
					 "more entries than one statement can have: split the list")
			       : LINDUNG_OK;
}

int
ld_entries_word(struct ld_entries *entries, const char *word, struct ld_report *report)
{
	struct reading reading = {entries, report, ld_span_str(word)};
	const struct ld_list_sink sink = {&reading, on_entry, on_reject};
	const struct ld_list_options options = {.csv_column = NULL};
	struct ld_list_parser *parser;
	char *text;
	int len, err;

	for (const char *c = word; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return ld_fail(report, LINDUNG_ENAME, "%s: a control character", word);
	len = asprintf(&text, "block\tx\t%s\t-\n", word);
	if (len < 0)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	const struct ld_list_chunk chunk = {.bytes = ld_span(text, (size_t)len), .first_line = 1};
	err = ld_list_parser_new(&parser, LD_LIST_LINDUNG, &options);
	if (err == LINDUNG_OK) {
		err = ld_list_parse(parser, &chunk, &sink);
		ld_list_parser_free(parser);
	}
	free(text);
	return err;
}

static int
input_parse(struct ld_list_input *input, struct ld_list_parser *parser,
	    const struct ld_list_sink *sink, struct ld_report *report)
{
	bool more = true;
	int err = LINDUNG_OK;

	while (err == LINDUNG_OK && more) {
		struct ld_list_chunk chunk = {.first_line = 0};
		void *memory = NULL;

		err = ld_list_input_next(input, &chunk, &memory, report);
		if (err == LINDUNG_OK)
			err = ld_list_parse(parser, &chunk, sink);
		more = chunk.bytes.len != 0;
		free(memory);
	}
	return err;
}

int
ld_entries_file(struct ld_entries *entries, const char *path, const char *format,
		struct ld_report *report)
{
	struct reading reading = {entries, report, LD_SPAN("")};
	const struct ld_list_sink sink = {&reading, on_entry, on_reject};
	const struct ld_list_options options = {.csv_column = NULL};
	struct ld_list_parser *parser = NULL;
	struct ld_list_input *input;
	int found = format != NULL ? ld_list_format_find(format) : LD_LIST_AUTO, err;

	if (found < 0 || (format != NULL && !ld_list_format_is_read((enum ld_list_format)found)))
		return ld_fail(report, LINDUNG_EFORMAT, "there is no format \"%s\" to read",
			       format);
	err = ld_list_input_open(&input, path, report);
	if (err != LINDUNG_OK)
		return err;
	if (found == LD_LIST_AUTO)
		found = ld_list_detect(ld_list_input_peek(input));
	if (found == LD_LIST_AUTO)
		err = ld_fail(report, LINDUNG_EFORMAT,
			      "%s: not one line in ten looks like an entry of a list; --format "
			      "says what it is",
			      path);
	if (err == LINDUNG_OK)
		err = ld_list_parser_new(&parser, (enum ld_list_format)found, &options);
	if (err == LINDUNG_OK)
		err = input_parse(input, parser, &sink, report);
	ld_list_parser_free(parser);
	ld_list_input_close(input);
	return err;
}
