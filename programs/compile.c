/* lindung compile: lists to one image.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "compile.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "data.h"
#include "interrupt.h"
#include "progress.h"
#include "show.h"

int compile_main(int argc, char **argv);

enum {
	ARENA_BYTES = 256 * 1024 * 1024,
	MEMORY_BYTES = 256 * 1024 * 1024,
	WRONG_USAGE = 2,
};

static const char usage[] =
	"usage: lindung compile -o FILE [OPTION ...] LIST ...\n"
	"       lindung compile -o FILE --manifest lists.yaml\n"
	"\n"
	"Compiles lists of websites (\"-\": standard input; .gz and .zst too) into one image.\n"
	"\n"
	"For the lists that follow them:\n"
	"  -c, --category KEY      what harm they do; '*' with --allow: every category\n"
	"  -f, --format FORMAT     their format; else found out from the content\n"
	"  -s, --source LABEL      who says so; else the file's name\n"
	"      --csv-column NAME   the column of a table that holds the names\n"
	"  -a, --allow             what they name is open\n"
	"For all:\n"
	"  -o, --output FILE       the image\n"
	"      --manifest FILE     lists with all this, as data/starter/lists.yaml\n"
	"      --overlay           an overlay: changes to lay over an image\n"
	"      --drop-covered      leave out entries whose parent is listed alike\n"
	"      --protected FILE    names that nothing closes; else data/protected.yaml\n"
	"      --no-protected      without protected names\n"
	"      --suffixes FILE     public suffix list; else the system's\n"
	"      --date YYYY-MM-DD   of the image; else $SOURCE_DATE_EPOCH, else today\n"
	"      --rejects[=all]     tell each line that was not taken; all: comments, too\n"
	"      --strict            exit 1 if a line other than a comment was not taken\n"
	"      --memory SIZE       for sorting, as 64M; else 256M\n"
	"      --threads N         else as many as there are cores\n"
	"      --scratch DIR       for what does not fit into memory; else that of FILE\n"
	"      --json              the summary as JSON\n"
	"  -q, --quiet             no progress, no summary\n"
	"  -h, --help              this\n"
	"\n"
	"Exit: 0 done, 1 it failed (or --strict), 2 wrong usage. See lindung(1).\n";

enum option_key {
	KEY_CSV_COLUMN = 256,
	KEY_MANIFEST,
	KEY_OVERLAY,
	KEY_DROP_COVERED,
	KEY_PROTECTED,
	KEY_NO_PROTECTED,
	KEY_SUFFIXES,
	KEY_DATE,
	KEY_REJECTS,
	KEY_STRICT,
	KEY_MEMORY,
	KEY_THREADS,
	KEY_SCRATCH,
	KEY_JSON,
};

static const struct option long_options[] = {
	{"category", required_argument, NULL, 'c'},
	{"format", required_argument, NULL, 'f'},
	{"source", required_argument, NULL, 's'},
	{"csv-column", required_argument, NULL, KEY_CSV_COLUMN},
	{"allow", no_argument, NULL, 'a'},
	{"output", required_argument, NULL, 'o'},
	{"manifest", required_argument, NULL, KEY_MANIFEST},
	{"overlay", no_argument, NULL, KEY_OVERLAY},
	{"drop-covered", no_argument, NULL, KEY_DROP_COVERED},
	{"protected", required_argument, NULL, KEY_PROTECTED},
	{"no-protected", no_argument, NULL, KEY_NO_PROTECTED},
	{"suffixes", required_argument, NULL, KEY_SUFFIXES},
	{"date", required_argument, NULL, KEY_DATE},
	{"rejects", optional_argument, NULL, KEY_REJECTS},
	{"strict", no_argument, NULL, KEY_STRICT},
	{"memory", required_argument, NULL, KEY_MEMORY},
	{"threads", required_argument, NULL, KEY_THREADS},
	{"scratch", required_argument, NULL, KEY_SCRATCH},
	{"json", no_argument, NULL, KEY_JSON},
	{"quiet", no_argument, NULL, 'q'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

/* What was asked for, as far as it is read. */
struct request {
	struct ld_arena arena;
	struct ld_report report;
	const char *output, *protected_path, *suffixes_path;
	struct ld_compile_list now; /* for the next list; its path is none */
	struct ld_manifest_list *lists;
	size_t list_count;
	struct ld_compile_options options;
	bool no_protected, strict, rejects, all_rejects, json, quiet, has_date, help;
};

/* ---- The command line ----------------------------------------------------------------------- */

static int
list_add(struct request *r, const struct ld_manifest_list *list)
{
	struct ld_manifest_list *more = reallocarray(r->lists, r->list_count + 1, sizeof *r->lists);

	if (more == NULL)
		return ld_fail(&r->report, LINDUNG_ENOMEM, "not enough memory");
	r->lists = more;
	r->lists[r->list_count++] = *list;
	return LINDUNG_OK;
}

/* Each line of our own format tells its category. */
static bool
tells_categories(const struct ld_compile_list *list)
{
	struct ld_list_input *input;
	bool tells = list->format == LD_LIST_LINDUNG;

	if (list->format != LD_LIST_AUTO || strcmp(list->path, "-") == 0)
		return tells;
	if (ld_list_input_open(&input, list->path, NULL) != LINDUNG_OK)
		return true; /* what is wrong with the file is told when it is read */
	tells = ld_list_detect(ld_list_input_peek(input)) == LD_LIST_LINDUNG;
	ld_list_input_close(input);
	return tells;
}

static int
operand_add(struct request *r, const char *path)
{
	struct ld_manifest_list list = {.list = r->now};

	list.list.path = path;
	if (list.list.source == NULL)
		list.list.source = ld_data_label(path, &r->arena);
	if (list.list.source == NULL)
		return ld_fail(&r->report, LINDUNG_ENOMEM, "not enough memory");
	return list_add(r, &list);
}

static int
manifest_add(struct request *r, const char *path)
{
	const struct ld_manifest_list *lists;
	size_t count;
	int err = ld_data_manifest(&lists, &count, path, &r->arena, &r->report);

	for (size_t i = 0; err == LINDUNG_OK && i < count; i++)
		err = list_add(r, &lists[i]);
	return err;
}

static int
size_read(size_t *ret, const char *text, struct ld_report *report)
{
	static const char units[] = "KMG";
	char *end;
	unsigned long long n = strtoull(text, &end, 10);
	const char *unit = *end != '\0' ? strchr(units, *end & ~0x20) : NULL;

	if (*text < '0' || *text > '9' || n > SIZE_MAX >> 31 ||
	    (*end != '\0' && (unit == NULL || end[1] != '\0')))
		return ld_fail(report, LINDUNG_EINVAL, "--memory: expected a size, as 64M, not %s",
			       text);
	if (unit != NULL)
		n <<= 10 * (unit - units + 1);
	if (n < LD_COMPILE_MEMORY_MIN_BYTES)
		return ld_fail(report, LINDUNG_EINVAL, "--memory: at least %dM, not %s",
			       LD_COMPILE_MEMORY_MIN_BYTES >> 20, text);
	*ret = n;
	return LINDUNG_OK;
}

static int
date_read(uint32_t *ret, const char *text, struct ld_report *report)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%d", &tm);
	time_t t = timegm(&tm);

	if (end == NULL || *end != '\0' || strlen(text) != 10 || t < 0)
		return ld_fail(report, LINDUNG_EINVAL,
			       "--date: expected YYYY-MM-DD from 1970 on, not %s", text);
	*ret = (uint32_t)(t / 86400);
	return LINDUNG_OK;
}

static int
threads_read(unsigned *ret, const char *text, struct ld_report *report)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || n < 1 || n > LD_COMPILE_THREADS_MAX)
		return ld_fail(report, LINDUNG_EINVAL, "--threads: expected 1 to %d, not %s",
			       LD_COMPILE_THREADS_MAX, text);
	*ret = (unsigned)n;
	return LINDUNG_OK;
}

static int
source_read(struct request *r, const char *text)
{
	for (const char *at = text; *at != '\0'; at++)
		if ((uint8_t)*at < 0x20 || *at == 0x7f || *at == ',')
			return ld_fail(&r->report, LINDUNG_EINVAL,
				       "--source: a label holds no comma and no control character");
	r->now.source = text;
	return LINDUNG_OK;
}

static int
category_read(struct request *r, const char *text)
{
	if (strcmp(text, "*") != 0 && !ld_category_key_is_valid(ld_span_str(text)))
		return ld_fail(&r->report, LINDUNG_EINVAL,
			       "--category: expected a-z, 0-9 and '-', at most %d, not %s",
			       LD_CATEGORY_KEY_MAX, text);
	r->now.category = text;
	return LINDUNG_OK;
}

static int
format_read(struct request *r, const char *text)
{
	int format = ld_list_format_find(text);

	if (format < 0 ||
	    (format != LD_LIST_AUTO && !ld_list_format_is_read((enum ld_list_format)format)))
		return ld_fail(&r->report, LINDUNG_EINVAL,
			       "--format: no list is read in the format %s; see lindung(1)", text);
	r->now.format = (enum ld_list_format)format;
	return LINDUNG_OK;
}

static int
rejects_read(struct request *r, const char *text)
{
	if (text != NULL && strcmp(text, "all") != 0)
		return ld_fail(&r->report, LINDUNG_EINVAL,
			       "--rejects: expected nothing, or \"all\", not %s", text);
	r->rejects = true;
	r->all_rejects = text != NULL;
	return LINDUNG_OK;
}

/* Options that are one value or flag. */
static int
option_set(struct request *r, int c)
{
	switch (c) {
	case 'a':
		r->now.allow = true;
		return LINDUNG_OK;
	case 'o':
		r->output = optarg;
		return LINDUNG_OK;
	case 'q':
		r->quiet = true;
		return LINDUNG_OK;
	case 'h':
		r->help = true;
		return LINDUNG_OK;
	case KEY_CSV_COLUMN:
		r->now.csv_column = optarg;
		return LINDUNG_OK;
	case KEY_OVERLAY:
		r->options.overlay = true;
		return LINDUNG_OK;
	case KEY_DROP_COVERED:
		r->options.drop_covered = true;
		return LINDUNG_OK;
	case KEY_PROTECTED:
		r->protected_path = optarg;
		return LINDUNG_OK;
	case KEY_NO_PROTECTED:
		r->no_protected = true;
		return LINDUNG_OK;
	case KEY_SUFFIXES:
		r->suffixes_path = optarg;
		return LINDUNG_OK;
	case KEY_STRICT:
		r->strict = true;
		return LINDUNG_OK;
	case KEY_SCRATCH:
		r->options.directory = optarg;
		return LINDUNG_OK;
	case KEY_JSON:
		r->json = true;
		return LINDUNG_OK;
	default:
		/* getopt has said what is wrong. */
		return LINDUNG_EINVAL;
	}
}

/* Options whose value is read, and operands. */
static int
option_read(struct request *r, int c)
{
	switch (c) {
	case 1:
		return operand_add(r, optarg);
	case 'c':
		return category_read(r, optarg);
	case 'f':
		return format_read(r, optarg);
	case 's':
		return source_read(r, optarg);
	case KEY_MANIFEST:
		return manifest_add(r, optarg);
	case KEY_DATE:
		r->has_date = true;
		return date_read(&r->options.date_day, optarg, &r->report);
	case KEY_REJECTS:
		return rejects_read(r, optarg);
	case KEY_MEMORY:
		return size_read(&r->options.memory_bytes, optarg, &r->report);
	case KEY_THREADS:
		return threads_read(&r->options.threads, optarg, &r->report);
	default:
		return option_set(r, c);
	}
}

/* What each option says is right; is it, together? */
static int
request_check(struct request *r)
{
	if (r->output == NULL)
		return ld_fail(&r->report, LINDUNG_EINVAL,
			       "where to? Give the image's name with -o FILE");
	if (r->list_count == 0)
		return ld_fail(&r->report, LINDUNG_EINVAL,
			       "no list: name files, \"-\" for standard input, or --manifest FILE");
	if (r->no_protected && r->protected_path != NULL)
		return ld_fail(&r->report, LINDUNG_EINVAL,
			       "--protected and --no-protected contradict each other");
	for (size_t i = 0; i < r->list_count; i++) {
		struct ld_compile_list *list = &r->lists[i].list;

		if (list->category == NULL && list->allow)
			list->category = "*";
		if (list->category == NULL && !tells_categories(list))
			return ld_fail(&r->report, LINDUNG_EINVAL,
				       "%s: in which category? Put --category KEY before it",
				       list->path);
		if (list->category != NULL && strcmp(list->category, "*") == 0 && !list->allow)
			return ld_fail(&r->report, LINDUNG_EINVAL,
				       "%s: category '*' is for --allow alone", list->path);
	}
	return r->has_date ? LINDUNG_OK : ld_data_today(&r->options.date_day, &r->report);
}

static int
request_read(struct request *r, int argc, char **argv)
{
	int c, err = LINDUNG_OK;

	while (err == LINDUNG_OK && !r->help &&
	       (c = getopt_long(argc, argv, "-ac:f:s:o:qh", long_options, NULL)) != -1)
		err = option_read(r, c);
	if (r->help)
		return LINDUNG_OK;
	for (; err == LINDUNG_OK && optind < argc; optind++)
		err = operand_add(r, argv[optind]);
	return err == LINDUNG_OK ? request_check(r) : err;
}

/* ---- Compiling ------------------------------------------------------------------------------ */

/* Are the categories known, and which of them are locked?  Without categories.yaml any will do. */
static int
categories_check(struct request *r)
{
	const char *path = ld_data_path("categories.yaml", &r->arena);
	const char *const *keys;
	size_t count;
	int err = LINDUNG_OK;

	if (path == NULL)
		return LINDUNG_OK;
	err = ld_data_locked(&r->options.locked, &r->options.locked_count, path, &r->arena,
			     &r->report);
	if (err == LINDUNG_OK)
		err = ld_data_categories(&keys, &count, path, &r->arena, &r->report);
	for (size_t i = 0; err == LINDUNG_OK && i < r->list_count; i++) {
		const char *key = r->lists[i].list.category;
		const char *nearest = key != NULL ? ld_data_nearest(keys, count, key) : NULL;

		if (nearest == NULL || strcmp(key, "*") == 0 || strcmp(nearest, key) == 0)
			continue;
		ld_fail(&r->report, LINDUNG_EINVAL,
			"%s: category \"%s\" is not in %s; did you mean \"%s\"?",
			r->lists[i].list.path, key, path, nearest);
		if (r->strict)
			return LINDUNG_EINVAL;
		fprintf(stderr, "lindung compile: %s\n", r->report.text);
	}
	return err;
}

static int
protected_load(struct request *r)
{
	const char *path = r->protected_path;

	if (r->no_protected)
		return LINDUNG_OK;
	if (path == NULL)
		path = ld_data_path("protected.yaml", &r->arena);
	if (path == NULL)
		return ld_fail(&r->report, LINDUNG_EIO,
			       "protected.yaml, the names that nothing may close, is not found: "
			       "give --protected FILE, set LINDUNG_DATA to its folder, or go "
			       "without by --no-protected");
	return ld_data_protected(&r->options.protects, &r->options.protect_count, path, &r->arena,
				 &r->report);
}

/* Where what does not fit into memory goes: beside the image there must be room anyhow. */
static int
scratch_choose(struct request *r)
{
	const char *slash = strrchr(r->output, '/');
	size_t len = slash != NULL ? (size_t)(slash - r->output) : 0;

	if (r->options.directory != NULL)
		return LINDUNG_OK;
	if (slash == NULL)
		r->options.directory = ".";
	else if (len == 0)
		r->options.directory = "/";
	else
		r->options.directory =
			(const char *)ld_arena_copy(&r->arena, ld_span(r->output, len)).data;
	return r->options.directory != NULL
		       ? LINDUNG_OK
		       : ld_fail(&r->report, LINDUNG_ENOMEM, "not enough memory");
}

static void
reject_print(void *ctx, int list, enum ld_reject reason, uint64_t line, struct ld_span text)
{
	const struct request *r = ctx;

	if (!r->all_rejects && (reason == LD_REJECT_COMMENT || reason == LD_REJECT_BLANK))
		return;
	ld_show_text(stderr, ld_span_str(list >= 0 ? r->lists[list].list.path : "protected names"));
	fprintf(stderr, ":%llu: %s: ", (unsigned long long)line, ld_reject_key(reason));
	ld_show_text(stderr, text);
	putc('\n', stderr);
}

/* The most memory that was resident, of this program alone: getrusage() would count what the
 * process held before it became this program, too, and so tell of whoever started it. */
static uint64_t
memory_peak(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	unsigned long long kib = 0;
	char line[128];

	while (status != NULL && fgets(line, sizeof line, status) != NULL)
		if (sscanf(line, "VmHWM: %llu kB", &kib) == 1)
			break;
	if (status != NULL)
		fclose(status);
	return (uint64_t)kib * 1024;
}

/* What the manifest says of its lists, and what was found. */
static void
names_check(const struct request *r, const struct ld_compile_stats *stats)
{
	for (size_t i = 0; i < r->list_count; i++)
		if (r->lists[i].counted && r->lists[i].names != stats->lists[i].entries)
			fprintf(stderr,
				"lindung compile: %s: %s entries were taken, the manifest says %s "
				"(--rejects tells why)\n",
				r->lists[i].list.path, ld_show_number(stats->lists[i].entries).text,
				ld_show_number(r->lists[i].names).text);
}

static int
status_of(const struct request *r, const struct ld_compile_stats *stats)
{
	uint64_t minded = 0;

	for (int i = 0; i < LD_REJECT_COUNT; i++)
		if (ld_reject_is_strict((enum ld_reject)i))
			minded += stats->total.rejects[i];
	if (!r->strict || minded == 0)
		return 0;
	fprintf(stderr,
		"lindung compile: %s lines or entries were not taken, and --strict minds%s\n",
		ld_show_number(minded).text, r->rejects ? "" : " (--rejects tells which)");
	return 1;
}

/* Everything is at hand: go. */
static int
compile(struct request *r, const struct ld_compile_list *lists)
{
	int64_t start = ld_clock_ns();
	struct ld_compile_stats stats;
	struct ld_bar bar;
	int err = ld_interrupt_guard(r->output, &r->report);

	if (err != LINDUNG_OK)
		return err;
	/* Lines of rejections and a bar would write over each other. */
	ld_bar_start(&bar, r->quiet || r->rejects);
	r->options.progress = ld_bar_update;
	r->options.progress_ctx = &bar;
	r->options.reject = r->rejects ? reject_print : NULL;
	r->options.reject_ctx = r;
	err = ld_compile(r->output, lists, r->list_count, &r->options, &stats, &r->report);
	ld_bar_stop(&bar);
	if (err != LINDUNG_OK)
		return err;
	const struct ld_compile_summary summary = {
		.output = r->output,
		.lists = lists,
		.list_count = r->list_count,
		.stats = &stats,
		.seconds = (double)(ld_clock_ns() - start) / 1e9,
		.memory_bytes = memory_peak(),
		.date_day = r->options.date_day,
	};
	if (r->json)
		ld_compile_print_json(&summary);
	else if (!r->quiet)
		ld_compile_print(&summary);
	fflush(stdout);
	names_check(r, &stats);
	int status = status_of(r, &stats);
	free(stats.lists);
	return ld_show_end("lindung compile") ? status : 1;
}

static int
request_run(struct request *r)
{
	struct ld_compile_list *lists = calloc(r->list_count, sizeof *lists);
	struct ld_psl *suffixes = NULL;
	int err = lists != NULL ? categories_check(r)
				: ld_fail(&r->report, LINDUNG_ENOMEM, "not enough memory");

	if (err == LINDUNG_OK)
		err = protected_load(r);
	if (err == LINDUNG_OK)
		err = scratch_choose(r);
	if (err == LINDUNG_OK)
		err = ld_psl_open(&suffixes, r->suffixes_path, &r->report);
	if (err == LINDUNG_OK) {
		r->options.suffixes = suffixes;
		for (size_t i = 0; i < r->list_count; i++)
			lists[i] = r->lists[i].list;
		err = compile(r, lists);
	}
	ld_psl_close(suffixes);
	free(lists);
	return err;
}

static unsigned
cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > LD_COMPILE_THREADS_MAX ? LD_COMPILE_THREADS_MAX : (unsigned)n;
}

int
compile_main(int argc, char **argv)
{
	struct request r = {.options = {.memory_bytes = MEMORY_BYTES, .threads = cores()}};
	int status = WRONG_USAGE;

	ld_arena_init(&r.arena, ARENA_BYTES);
	if (request_read(&r, argc, argv) != LINDUNG_OK) {
		if (r.report.text[0] != '\0')
			fprintf(stderr, "lindung compile: %s\n", r.report.text);
		fputs("lindung compile --help tells more.\n", stderr);
	} else if (r.help) {
		status = fputs(usage, stdout) < 0;
	} else {
		status = request_run(&r);
		if (status < 0) {
			fprintf(stderr, "lindung compile: %s\n", r.report.text);
			status = 1;
		}
	}
	free(r.lists);
	ld_arena_clear(&r.arena);
	return status;
}
