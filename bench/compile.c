/* Lists to an image through the library, with the time of each stage.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: bench_compile [-O] MEMORY_MIB THREADS IMAGE < LISTS    figures as JSON
 *
 * LISTS: category, format, source and path of a list on each line, a tab between two of them.
 * -O makes an overlay. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bench.h"
#include "index/compile.h"

enum { STAGES_MAX = 16 };

static const char *const section_names[LD_SECTION_COUNT] = {
	[LD_SECTION_CATEGORIES] = "categories", [LD_SECTION_SOURCES] = "sources",
	[LD_SECTION_TARGETS] = "targets",       [LD_SECTION_RULES] = "rules",
	[LD_SECTION_TUPLES] = "tuples",         [LD_SECTION_CODES] = "codes",
	[LD_SECTION_DICTIONARY] = "dictionary", [LD_SECTION_STEPS] = "steps",
	[LD_SECTION_FENCES] = "fences",         [LD_SECTION_OFFSETS] = "offsets",
	[LD_SECTION_BLOCKS] = "blocks",         [LD_SECTION_FILTER] = "filter",
};

/* When each stage was first heard of. */
struct stages {
	const char *names[STAGES_MAX];
	int64_t starts_ns[STAGES_MAX];
	unsigned count;
};

static void
on_progress(void *ctx, const char *what, uint64_t done, uint64_t total)
{
	struct stages *stages = ctx;

	(void)done;
	(void)total;
	if (stages->count < STAGES_MAX &&
	    (stages->count == 0 || strcmp(stages->names[stages->count - 1], what) != 0)) {
		stages->names[stages->count] = what;
		stages->starts_ns[stages->count++] = ld_clock_ns();
	}
}

static size_t
lists_read(struct ld_compile_list *lists)
{
	char *line = NULL;
	size_t count = 0, size = 0;

	while (getline(&line, &size, stdin) > 0) {
		char *rest = line;
		struct ld_compile_list *list = &lists[count++];

		if (count > LD_COMPILE_LISTS_MAX)
			bench_die("more than %d lists", LD_COMPILE_LISTS_MAX);
		line[strcspn(line, "\n")] = '\0';
		list->category = strsep(&rest, "\t");
		const char *format = rest != NULL ? strsep(&rest, "\t") : "";
		list->source = rest != NULL ? strsep(&rest, "\t") : NULL;
		list->path = rest;
		int number = ld_list_format_find(format);
		if (number < 0 || list->path == NULL)
			bench_die("line %zu is not category, format, source, path", count);
		list->format = (enum ld_list_format)number;
		line = NULL; /* the list's now */
	}
	return count;
}

static void
print(const struct ld_compile_stats *stats, const struct stages *stages, int64_t start, int64_t end)
{
	printf("{\"seconds\": %.6f, \"lines\": %llu, \"entries\": %llu, \"keys\": %llu, "
	       "\"size_bytes\": %llu,\n  \"stages\": {",
	       (double)(end - start) / 1e9, (unsigned long long)stats->total.lines,
	       (unsigned long long)stats->total.entries, (unsigned long long)stats->build.keys,
	       (unsigned long long)stats->build.size_bytes);
	for (unsigned i = 0; i < stages->count; i++) {
		int64_t next = i + 1 < stages->count ? stages->starts_ns[i + 1] : end;

		printf("%s\"%s\": %.6f", i > 0 ? ", " : "", stages->names[i],
		       (double)(next - (i > 0 ? stages->starts_ns[i] : start)) / 1e9);
	}
	fputs("},\n  \"sections\": {", stdout);
	for (unsigned i = 0; i < LD_SECTION_COUNT; i++)
		printf("%s\"%s\": %llu", i > 0 ? ", " : "", section_names[i],
		       (unsigned long long)stats->build.section_bytes[i]);
	fputs("},\n  \"rejects\": {", stdout);
	for (unsigned i = 0, told = 0; i < LD_REJECT_COUNT; i++)
		if (stats->total.rejects[i] != 0)
			printf("%s\"%s\": %llu", told++ > 0 ? ", " : "", ld_reject_key(i),
			       (unsigned long long)stats->total.rejects[i]);
	puts("}}");
}

int
main(int argc, char **argv)
{
	static struct ld_compile_list lists[LD_COMPILE_LISTS_MAX];
	struct stages stages = {.count = 0};
	struct ld_compile_stats stats;
	struct ld_report report;
	struct ld_psl *suffixes;
	bool overlay = argc > 1 && strcmp(argv[1], "-O") == 0;

	argv += overlay;
	if (argc - overlay != 4)
		bench_die("usage: bench_compile [-O] MEMORY_MIB THREADS IMAGE < LISTS");
	size_t count = lists_read(lists);
	int64_t start = ld_clock_ns();
	if (ld_psl_open(&suffixes, NULL, &report) != LINDUNG_OK)
		bench_die("%s", report.text);
	const struct ld_compile_options options = {
		.memory_bytes = (size_t)atol(argv[1]) << 20,
		.threads = (unsigned)atoi(argv[2]),
		.directory = "/var/tmp",
		.overlay = overlay,
		.suffixes = suffixes,
		.progress = on_progress,
		.progress_ctx = &stages,
	};
	if (ld_compile(argv[3], lists, count, &options, &stats, &report) != LINDUNG_OK)
		bench_die("%s", report.text);
	print(&stats, &stages, start, ld_clock_ns());
	free(stats.lists);
	ld_psl_close(suffixes);
	return 0;
}
