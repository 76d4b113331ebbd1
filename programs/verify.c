/* lindung verify: is the image whole, and what is in it?
 * SPDX-License-Identifier: BSD-2-Clause */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "index/export.h"
#include "open.h"
#include "show.h"
#include "tally.h"

int verify_main(int argc, char **argv);

enum { WRONG_USAGE = 2, ARENA_BYTES = 256 * 1024 * 1024 };

static const char usage[] =
	"usage: lindung verify [OPTION ...] FILE\n"
	"\n"
	"Checks the hashes and the structure of an image, and says what is in it.\n"
	"\n"
	"      --json   as one JSON object\n"
	"  -h, --help   this\n"
	"\n"
	"Exit: 0 it is whole, 1 it is not (or cannot be read), 2 wrong usage.\n";

/* What stands in an image: entries, once by category and once by source. */
struct contents {
	struct ld_arena arena;
	struct ld_tally categories, sources;
	uint64_t entries;
};

static int
entry_count(void *ctx, const struct ld_entry *entry)
{
	struct contents *c = ctx;
	struct ld_span rest = entry->source;
	int err = ld_tally_add(&c->categories, entry->category, 0);

	c->entries++;
	while (err == LINDUNG_OK && rest.len != 0) {
		size_t len = ld_span_find(rest, ',');

		err = ld_tally_add(&c->sources, ld_span_first(rest, len), 0);
		rest = ld_span_from(rest, len + 1);
	}
	return err;
}

static void
contents_print(const struct contents *c, const char *path, const struct lindung_facts *facts)
{
	printf("%s: whole\n", path);
	printf("%12" PRIu32 "  format version\n", facts->format_version);
	printf("%12s  date\n", ld_show_day(facts->date_day).text);
	printf("%12s  bytes\n", ld_show_number(facts->size_bytes).text);
	printf("%12s  names and URLs\n", ld_show_number(facts->entry_count).text);
	if (facts->sealed_count != 0)
		printf("%12s  sealed ones, not listed\n", ld_show_number(facts->sealed_count).text);
	printf("%12s  entries, by category:\n", ld_show_number(c->entries).text);
	ld_tally_print(&c->categories, 1, "");
	puts("by source:");
	ld_tally_print(&c->sources, 1, "");
}

static void
contents_print_json(const struct contents *c, const char *path, const struct lindung_facts *facts)
{
	json_t *object = json_pack(
		"{s:o, s:b, s:i, s:s, s:I, s:I, s:I, s:I, s:o, s:o}", "file",
		ld_show_json(ld_span_str(path)), "whole", true, "format_version",
		(int)facts->format_version, "date", ld_show_day(facts->date_day).text, "size_bytes",
		(json_int_t)facts->size_bytes, "keys", (json_int_t)facts->entry_count, "sealed",
		(json_int_t)facts->sealed_count, "entries", (json_int_t)c->entries, "categories",
		ld_tally_json(&c->categories, NULL, 1), "sources",
		ld_tally_json(&c->sources, NULL, 1));

	ld_show_object(stdout, object);
}

static int
verify(const char *path, bool json, struct ld_report *report)
{
	const struct ld_files files = {.paths = {path}};
	struct contents c = {.entries = 0};
	struct lindung_facts facts;
	struct lindung *list;
	int err = ld_files_open(&list, &files, LINDUNG_VERIFY, report);

	if (err != LINDUNG_OK)
		return err;
	ld_arena_init(&c.arena, ARENA_BYTES);
	c.categories.arena = c.sources.arena = &c.arena;
	err = lindung_verify(list);
	if (err == LINDUNG_OK)
		err = ld_export_each(list, entry_count, &c);
	if (err == LINDUNG_OK)
		err = lindung_facts(list, 0, &facts);
	if (err != LINDUNG_OK)
		ld_fail(report, err, "%s: %s", path, lindung_strerror(err));
	else if (json)
		contents_print_json(&c, path, &facts);
	else
		contents_print(&c, path, &facts);
	ld_tally_free(&c.categories);
	ld_tally_free(&c.sources);
	ld_arena_clear(&c.arena);
	lindung_close(list);
	return err;
}

int
verify_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct ld_report report;
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'h':
			return fputs(usage, stdout) < 0;
		default:
			fputs("lindung verify --help tells more.\n", stderr);
			return WRONG_USAGE;
		}
	}
	if (argc - optind != 1) {
		fputs("lindung verify: expected one image\nlindung verify --help tells more.\n",
		      stderr);
		return WRONG_USAGE;
	}
	if (verify(argv[optind], json, &report) != LINDUNG_OK) {
		fprintf(stderr, "lindung verify: %s\n", report.text);
		return 1;
	}
	return ld_show_end("lindung verify") ? 0 : 1;
}
