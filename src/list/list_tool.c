/* Read a list and show what came of it: for the tests, not installed.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: list_tool [-nq] [-c COLUMN] FORMAT|auto FILE
 *
 * Entries go to standard output in the format LINDUNG (a '~' behind the action: the entry is taken
 * back, $badfilter), with -n the number of the line and a tab before each; rejections to standard
 * error as "file:line: reason: text".  -q prints neither but the counts, and how long the parsing
 * of a line took. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "list/list.h"

struct tool {
	const char *file;
	bool quiet;
	bool number;
	uint64_t entries;
	uint64_t rejects[LD_REJECT_COUNT];
	uint64_t lines;
	int64_t parse_ns;
};

static void
put(FILE *to, struct ld_span text)
{
	if (text.len != 0)
		fwrite(text.data, 1, text.len, to);
}

static int
on_entry(void *ctx, const struct ld_entry *entry, uint64_t line)
{
	static const char *const actions[] = {"block", "allow", "rewrite", "remove"};
	static const char *const marks[] = {"", "=", "*.", "", ""};
	struct tool *tool = ctx;
	bool is_protected = (entry->flags & LD_ENTRY_PROTECTED) != 0;

	tool->entries++;
	if (tool->quiet)
		return LINDUNG_OK;
	if (tool->number)
		printf("%llu\t", (unsigned long long)line);
	printf("%s%s%s\t", is_protected ? "protect" : actions[entry->action],
	       entry->flags & LD_ENTRY_IMPORTANT ? "!" : "",
	       entry->flags & LD_ENTRY_BADFILTER ? "~" : "");
	put(stdout, entry->category);
	printf("\t%s", marks[entry->scope]);
	put(stdout, entry->host);
	put(stdout, entry->path);
	putchar('\t');
	put(stdout, entry->source);
	if (entry->target.len != 0) {
		putchar('\t');
		put(stdout, entry->target);
	}
	putchar('\n');
	return LINDUNG_OK;
}

static int
on_reject(void *ctx, enum ld_reject reason, uint64_t line, struct ld_span text)
{
	struct tool *tool = ctx;

	tool->rejects[reason]++;
	if (tool->quiet)
		return LINDUNG_OK;
	fprintf(stderr, "%s:%llu: %s: ", tool->file, (unsigned long long)line,
		ld_reject_key(reason));
	put(stderr, text);
	fputc('\n', stderr);
	return LINDUNG_OK;
}

static int
read_chunks(struct tool *tool, struct ld_list_input *input, struct ld_list_parser *parser,
	    struct ld_report *report)
{
	const struct ld_list_sink sink = {tool, on_entry, on_reject};
	struct ld_list_chunk chunk;
	int err;

	do {
		void *memory = NULL;

		err = ld_list_input_next(input, &chunk, &memory, report);
		if (err != LINDUNG_OK)
			return err;
		int64_t begin_ns = ld_clock_ns();
		err = ld_list_parse(parser, &chunk, &sink);
		tool->parse_ns += ld_clock_ns() - begin_ns;
		for (size_t i = 0; i < chunk.bytes.len; i++)
			tool->lines += chunk.bytes.data[i] == '\n';
		free(memory);
	} while (err == LINDUNG_OK && chunk.bytes.len != 0);
	return err;
}

static void
print_counts(const struct tool *tool)
{
	printf("entries %llu\n", (unsigned long long)tool->entries);
	for (int i = 0; i < LD_REJECT_COUNT; i++) {
		if (tool->rejects[i] != 0)
			printf("%s %llu\n", ld_reject_key((enum ld_reject)i),
			       (unsigned long long)tool->rejects[i]);
	}
	if (tool->lines != 0)
		printf("ns-a-line %.1f\n", (double)tool->parse_ns / (double)tool->lines);
}

static int
read_list(struct tool *tool, int format, const struct ld_list_options *options,
	  struct ld_report *report)
{
	struct ld_list_input *input;
	struct ld_list_parser *parser;

	int err = ld_list_input_open(&input, tool->file, report);
	if (err != LINDUNG_OK)
		return err;
	struct ld_span beginning = ld_list_input_peek(input);
	if (format == LD_LIST_AUTO)
		format = ld_list_detect(beginning);
	if (tool->quiet)
		printf("format %s\n", ld_list_format_key((enum ld_list_format)format));
	err = ld_list_parser_new(&parser, (enum ld_list_format)format, options);
	if (err != LINDUNG_OK) {
		/* What cannot be unpacked cannot be detected: say the former. */
		struct ld_list_chunk chunk;
		void *memory = NULL;

		int read_err = ld_list_input_next(input, &chunk, &memory, report);
		free(memory);
		ld_list_input_close(input);
		return read_err != LINDUNG_OK
			       ? read_err
			       : ld_fail(report, err, "%s: not a list in a format that is read",
					 tool->file);
	}
	err = read_chunks(tool, input, parser, report);
	ld_list_parser_free(parser);
	ld_list_input_close(input);
	if (tool->quiet)
		print_counts(tool);
	return err;
}

int
main(int argc, char **argv)
{
	struct tool tool = {0};
	struct ld_list_options options = {0};
	struct ld_report report = {0};
	int option;

	while ((option = getopt(argc, argv, "nqc:")) != -1) {
		if (option == 'q')
			tool.quiet = true;
		else if (option == 'n')
			tool.number = true;
		else if (option == 'c')
			options.csv_column = optarg;
		else
			return 2;
	}
	int format = argc - optind == 2 ? ld_list_format_find(argv[optind]) : -1;
	if (format < 0) {
		fputs("usage: list_tool [-nq] [-c COLUMN] FORMAT|auto FILE\n", stderr);
		return 2;
	}
	tool.file = argv[optind + 1];
	int err = read_list(&tool, format, &options, &report);
	if (err != LINDUNG_OK) {
		fprintf(stderr, "list_tool: %s: %s\n", lindung_strerror(err), report.text);
		return 2;
	}
	return 0;
}
