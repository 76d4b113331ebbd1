/* lindung diff: what came and what went from one image to another.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <getopt.h>
#include <stdio.h>

#include "index/export.h"
#include "index/format.h"
#include "name/name.h"
#include "open.h"
#include "show.h"
#include "tally.h"

int diff_main(int argc, char **argv);

enum {
	STATUS_ERROR = 2,
	ARENA_BYTES = 16 * 1024 * 1024, /* for the names of categories */
	CAME = 0,
	WENT = 1,
};

static const char usage[] =
	"usage: lindung diff [OPTION ...] OLD NEW\n"
	"\n"
	"Says which entries came (+) and went (-) from one image to another, as lines of the\n"
	"format lindung, and how many of each category.\n"
	"\n"
	"  -s, --summary  only how many\n"
	"      --json     one JSON object a line, the last with the numbers\n"
	"  -h, --help     this\n"
	"\n"
	"Exit: 0 the entries are the same, 1 they are not, 2 an error.\n";

struct diff {
	bool summary, json;
	uint64_t counts[2];
	struct ld_arena arena;
	struct ld_tally categories;
};

static const char *const signs[] = {"+", "-"};
static const char *const words[] = {"came", "went"};

static const char *
action_word(const struct ld_entry *entry)
{
	static const char *const actions[] = {"block", "allow", "rewrite", "remove"};

	return (entry->flags & LD_ENTRY_PROTECTED) != 0 ? "protect" : actions[entry->action];
}

static const char *
scope_mark(const struct ld_entry *entry)
{
	return entry->scope == LD_SCOPE_SELF ? "=" : entry->scope == LD_SCOPE_BELOW ? "*." : "";
}

static void
entry_print(unsigned change, const struct ld_entry *entry)
{
	printf("%s\t%s%s\t", signs[change], action_word(entry),
	       (entry->flags & LD_ENTRY_IMPORTANT) != 0 ? "!" : "");
	ld_show_text(stdout, entry->category);
	printf("\t%s", scope_mark(entry));
	ld_show_text(stdout, entry->host);
	ld_show_text(stdout, entry->path);
	putchar('\t');
	ld_show_text(stdout, entry->source);
	if (entry->target.len != 0) {
		putchar('\t');
		ld_show_text(stdout, entry->target);
	}
	putchar('\n');
}

static void
entry_print_json(unsigned change, const struct ld_entry *entry)
{
	char site[2 + LD_HOST_MAX + LD_INDEX_KEY_MAX + 1];
	int len = snprintf(site, sizeof site, "%s%.*s%.*s", scope_mark(entry), (int)entry->host.len,
			   (const char *)entry->host.data, (int)entry->path.len,
			   (const char *)entry->path.data);
	json_t *object = json_pack(
		"{s:s, s:s, s:o, s:o, s:o, s:b}", "change", words[change], "action",
		action_word(entry), "category", ld_show_json(entry->category), "entry",
		ld_show_json(ld_span(site, (size_t)len)), "sources", ld_show_json(entry->source),
		"important", (entry->flags & LD_ENTRY_IMPORTANT) != 0);

	if (entry->target.len != 0)
		json_object_set_new(object, "target", ld_show_json(entry->target));
	ld_show_object(stdout, object);
}

static int
each(void *ctx, int change, const struct ld_entry *entry)
{
	struct diff *d = ctx;
	unsigned column = change > 0 ? CAME : WENT;

	d->counts[column]++;
	if (d->json && !d->summary)
		entry_print_json(column, entry);
	else if (!d->summary)
		entry_print(column, entry);
	return ld_tally_add(&d->categories, entry->category, column);
}

static void
summary_print(const struct diff *d, const uint64_t sealed[2])
{
	if (d->json) {
		ld_show_object(stdout,
			       json_pack("{s:I, s:I, s:I, s:I, s:o}", words[CAME],
					 (json_int_t)d->counts[CAME], words[WENT],
					 (json_int_t)d->counts[WENT], "sealed_old",
					 (json_int_t)sealed[0], "sealed_new", (json_int_t)sealed[1],
					 "categories", ld_tally_json(&d->categories, words, 2)));
		return;
	}
	if (!d->summary && d->counts[CAME] + d->counts[WENT] != 0)
		putchar('\n');
	printf("+%s came, -%s went\n", ld_show_number(d->counts[CAME]).text,
	       ld_show_number(d->counts[WENT]).text);
	ld_tally_print(&d->categories, 2, "+-");
	if ((sealed[0] | sealed[1]) != 0)
		printf("%s sealed before, %s now: not compared\n", ld_show_number(sealed[0]).text,
		       ld_show_number(sealed[1]).text);
}

static int
diff(struct diff *d, char **paths, struct ld_report *report)
{
	struct lindung *lists[2] = {NULL, NULL};
	int err = LINDUNG_OK;

	for (int i = 0; err == LINDUNG_OK && i < 2; i++)
		err = ld_files_open(&lists[i], &(struct ld_files){.paths = {paths[i]}}, 0, report);
	if (err == LINDUNG_OK) {
		err = ld_export_diff(lists[0], lists[1], each, d);
		if (err != LINDUNG_OK)
			ld_fail(report, err, "%s or %s: %s", paths[0], paths[1],
				lindung_strerror(err));
	}
	if (err == LINDUNG_OK)
		summary_print(d, (const uint64_t[2]){ld_export_sealed(lists[0]),
						     ld_export_sealed(lists[1])});
	lindung_close(lists[0]);
	lindung_close(lists[1]);
	return err;
}

int
diff_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"summary", no_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct diff d = {.summary = false};
	struct ld_report report;
	int c, err;

	while ((c = getopt_long(argc, argv, "sh", options, NULL)) != -1) {
		switch (c) {
		case 's':
			d.summary = true;
			break;
		case 'j':
			d.json = true;
			break;
		case 'h':
			return fputs(usage, stdout) < 0;
		default:
			fputs("lindung diff --help tells more.\n", stderr);
			return STATUS_ERROR;
		}
	}
	if (argc - optind != 2) {
		fputs("lindung diff: expected two images\nlindung diff --help tells more.\n",
		      stderr);
		return STATUS_ERROR;
	}
	ld_arena_init(&d.arena, ARENA_BYTES);
	d.categories.arena = &d.arena;
	err = diff(&d, argv + optind, &report);
	ld_tally_free(&d.categories);
	ld_arena_clear(&d.arena);
	if (err != LINDUNG_OK)
		fprintf(stderr, "lindung diff: %s\n", report.text);
	if (err != LINDUNG_OK || !ld_show_end("lindung diff"))
		return STATUS_ERROR;
	return d.counts[CAME] + d.counts[WENT] != 0;
}
