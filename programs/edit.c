/* lindung edit: change an overlay.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "data.h"
#include "edit_list.h"
#include "index/admit.h"
#include "interrupt.h"
#include "index/export.h"
#include "open.h"

int edit_main(int argc, char **argv);

enum {
	WRONG_USAGE = 2,
	ARENA_BYTES = 256 * 1024 * 1024,
};

static const char usage[] =
	"usage: lindung edit -o OVERLAY [OPTION ...] CHANGE ...\n"
	"\n"
	"Changes an overlay (a new one, if there is none), which a running server takes up at "
	"once.\n"
	"\n"
	"  add CATEGORY ENTRY      close it in this category\n"
	"  allow CATEGORY ENTRY    open it in this category ('*': in every one)\n"
	"  remove ENTRY            the name (or URL) itself has no entry any more\n"
	"\n"
	"  -o, --overlay FILE      the overlay\n"
	"  -b, --base FILE         what it lies over: entries that a name has there are kept "
	"beside\n"
	"                          the new one; several times: the image, then overlays\n"
	"      --source LABEL      who says so; else \"edit\"\n"
	"  -h, --help              this\n"
	"\n"
	"An ENTRY is a domain with its subdomains, \"=host\" for one name alone, \"*.domain\" for\n"
	"its subdomains alone, or \"host/path\".\n"
	"\n"
	"Exit: 0 done, 1 it failed and the overlay is as it was, 2 wrong usage.\n";

struct edit {
	struct ld_report report;
	struct ld_edit_list list;
	struct ld_files base;
	bool has_base;
	struct lindung *below; /* NULL without a base */
	const char *overlay, *source;
	struct ld_psl *suffixes;
	const struct ld_protected *protects;
	size_t protect_count;
	struct ld_admission *admission;
};

/* ---- One change ----------------------------------------------------------------------------- */

/* What the reader of our format makes of one line. */
struct line {
	struct edit *edit;
	struct ld_span text; /* the entry as it was given, for messages */
};

static int
on_reject(void *ctx, enum ld_reject reason, uint64_t number, struct ld_span text)
{
	struct line *line = ctx;

	(void)number;
	(void)text;
	return ld_fail(&line->edit->report, LINDUNG_ESYNTAX, "%.*s: %s", (int)line->text.len,
		       (const char *)line->text.data, ld_reject_text(reason));
}

static int
removal_add(struct edit *x, const struct ld_entry *entry)
{
	ld_edit_drop(&x->list, entry, true);
	/* Where nothing below speaks of the site there is nothing to take away. */
	if (x->below != NULL && !ld_edit_below_has(x->below, entry))
		return LINDUNG_OK;
	return ld_edit_add(&x->list, entry);
}

static int
on_entry(void *ctx, const struct ld_entry *entry, uint64_t number)
{
	struct line *line = ctx;
	struct edit *x = line->edit;
	enum ld_reject reason = ld_admission_check(x->admission, entry);
	int err = LINDUNG_OK;

	if (reason != LD_REJECT_COUNT)
		return on_reject(line, reason, number, entry->host);
	if (entry->action == LD_ACTION_REMOVE)
		return removal_add(x, entry);
	if (!ld_edit_has(&x->list, entry) && x->below != NULL)
		err = ld_edit_copy_site(&x->list, x->below, entry);
	ld_edit_drop(&x->list, entry, false);
	return err == LINDUNG_OK ? ld_edit_add(&x->list, entry) : err;
}

static int
change(struct edit *x, const char *action, const char *category, const char *entry)
{
	struct line line = {.edit = x, .text = ld_span_str(entry)};
	const struct ld_list_sink sink = {&line, on_entry, on_reject};
	const struct ld_list_options options = {.csv_column = NULL};
	struct ld_list_parser *parser;
	char *text;
	int len = asprintf(&text, "%s\t%s\t%s\t%s\n", action, category, entry, x->source);

	if (len < 0)
		return ld_fail(&x->report, LINDUNG_ENOMEM, "not enough memory");
	const struct ld_list_chunk chunk = {.bytes = ld_span(text, (size_t)len), .first_line = 1};
	int err = ld_list_parser_new(&parser, LD_LIST_LINDUNG, &options);
	if (err == LINDUNG_OK) {
		err = ld_list_parse(parser, &chunk, &sink);
		ld_list_parser_free(parser);
	}
	free(text);
	if (err != LINDUNG_OK && x->report.text[0] == '\0')
		ld_fail(&x->report, err, "%s: %s", entry, lindung_strerror(err));
	return err;
}

/* ---- All of them ---------------------------------------------------------------------------- */

/* How many words the change that begins here has; 0 if it is none. */
static int
change_words(char **words, int count)
{
	if (count >= 2 && strcmp(words[0], "remove") == 0)
		return 2;
	if (count >= 3 && (strcmp(words[0], "add") == 0 || strcmp(words[0], "allow") == 0))
		return 3;
	return 0;
}

/* Text that would end a field, or the line. */
static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((uint8_t)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

static int
changes_check(struct edit *x, char **words, int count)
{
	int used = 0;

	if (count == 0)
		return ld_fail(&x->report, LINDUNG_EINVAL, "no change: add, allow or remove?");
	for (int i = 0; i < count; i++)
		if (has_control(words[i]))
			return ld_fail(&x->report, LINDUNG_EINVAL, "%s: a control character",
				       words[i]);
	for (int at = 0; at < count; at += used) {
		used = change_words(words + at, count - at);
		if (used == 0)
			return ld_fail(&x->report, LINDUNG_EINVAL,
				       "expected \"add CATEGORY ENTRY\", \"allow CATEGORY ENTRY\" "
				       "or \"remove ENTRY\", not \"%s\" with %d words behind it",
				       words[at], count - at - 1);
		if (used == 3 && !ld_category_key_is_valid(ld_span_str(words[at + 1])) &&
		    !(words[at][1] == 'l' && strcmp(words[at + 1], "*") == 0))
			return ld_fail(&x->report, LINDUNG_EINVAL,
				       "category: expected a-z, 0-9 and '-', at most %d, not %s",
				       LD_CATEGORY_KEY_MAX, words[at + 1]);
	}
	return LINDUNG_OK;
}

static int
changes_make(struct edit *x, char **words, int count)
{
	int used, err = LINDUNG_OK;

	for (int at = 0; err == LINDUNG_OK && at < count; at += used) {
		used = change_words(words + at, count - at);
		if (used == 2)
			err = change(x, "remove", "*", words[at + 1]);
		else
			err = change(x, words[at][1] == 'l' ? "allow" : "block", words[at + 1],
				     words[at + 2]);
	}
	return err;
}

static int
overlay_load(struct edit *x)
{
	const struct ld_files files = {.paths = {x->overlay}};
	struct lindung *overlay;
	int err;

	if (access(x->overlay, F_OK) != 0)
		return LINDUNG_OK;
	err = ld_files_open(&overlay, &files, LINDUNG_VERIFY, &x->report);
	if (err != LINDUNG_OK)
		return err;
	/* They could not be written again. */
	if (ld_export_sealed(overlay) != 0)
		err = ld_fail(&x->report, LINDUNG_EEXPRESS,
			      "%s: it has sealed entries, which cannot be edited: begin an overlay "
			      "of your own",
			      x->overlay);
	if (err == LINDUNG_OK) {
		err = ld_edit_load(&x->list, overlay);
		if (err != LINDUNG_OK)
			ld_fail(&x->report, err, "%s: %s", x->overlay, lindung_strerror(err));
	}
	lindung_close(overlay);
	return err;
}

static int
rules_load(struct edit *x)
{
	const char *path = ld_data_path("protected.yaml", &x->list.arena);
	int err = ld_psl_open_quick(&x->suffixes, &x->report);

	if (err == LINDUNG_OK && path != NULL)
		err = ld_data_protected(&x->protects, &x->protect_count, path, &x->list.arena,
					&x->report);
	if (err == LINDUNG_OK) {
		err = ld_admission_new(&x->admission, x->suffixes, x->protects, x->protect_count,
				       true);
		if (err != LINDUNG_OK)
			ld_fail(&x->report, err, "%s", lindung_strerror(err));
	}
	return err;
}

static int
edit_write(struct edit *x)
{
	const char *slash = strrchr(x->overlay, '/');
	struct ld_compile_options options = {
		.memory_bytes = LD_COMPILE_MEMORY_MIN_BYTES, .threads = 1, .suffixes = x->suffixes};
	struct ld_span folder =
		slash != NULL && slash != x->overlay
			? ld_arena_copy(&x->list.arena,
					ld_span(x->overlay, (size_t)(slash - x->overlay)))
			: ld_span_str(slash != NULL ? "/" : ".");
	/* Without suffixes: what was admitted once, by an older list of them, is not for this
	 * change to take out. */
	const char *categories = ld_data_path("categories.yaml", &x->list.arena);
	int err = ld_data_today(&options.date_day, &x->report);

	if (err == LINDUNG_OK && categories != NULL)
		err = ld_data_locked(&options.locked, &options.locked_count, categories,
				     &x->list.arena, &x->report);
	options.directory = (const char *)folder.data;
	if (err == LINDUNG_OK)
		err = ld_interrupt_guard(x->overlay, &x->report);
	return err == LINDUNG_OK ? ld_edit_write(&x->list, x->overlay, &options, &x->report) : err;
}

static int
edit_run(struct edit *x, char **words, int count)
{
	int err = rules_load(x);

	if (err == LINDUNG_OK && x->has_base)
		err = ld_files_open(&x->below, &x->base, 0, &x->report);
	if (err == LINDUNG_OK)
		err = overlay_load(x);
	if (err == LINDUNG_OK)
		err = changes_make(x, words, count);
	if (err == LINDUNG_OK)
		err = edit_write(x);
	lindung_close(x->below);
	ld_admission_free(x->admission);
	ld_psl_close(x->suffixes);
	return err;
}

/* ---- The command line ----------------------------------------------------------------------- */

static int
option_read(struct edit *x, int c)
{
	switch (c) {
	case 'o':
		x->overlay = optarg;
		return LINDUNG_OK;
	case 'b':
		if (x->has_base)
			return ld_files_overlay(&x->base, optarg, &x->report);
		x->base.paths[0] = optarg;
		x->has_base = true;
		return LINDUNG_OK;
	case 's':
		x->source = optarg;
		if (has_control(optarg) || strchr(optarg, ',') != NULL)
			return ld_fail(&x->report, LINDUNG_EINVAL,
				       "--source: a label holds no comma and no control character");
		return LINDUNG_OK;
	default:
		return LINDUNG_EINVAL;
	}
}

int
edit_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"overlay", required_argument, NULL, 'o'},
		{"base", required_argument, NULL, 'b'},
		{"source", required_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct edit x = {.source = "edit"};
	int c, err = LINDUNG_OK, status = WRONG_USAGE;

	while (err == LINDUNG_OK && (c = getopt_long(argc, argv, "o:b:h", options, NULL)) != -1) {
		if (c == 'h')
			return fputs(usage, stdout) < 0;
		err = option_read(&x, c);
	}
	if (err == LINDUNG_OK && x.overlay == NULL)
		err = ld_fail(&x.report, LINDUNG_EINVAL, "which overlay? Name it with -o FILE");
	if (err == LINDUNG_OK)
		err = changes_check(&x, argv + optind, argc - optind);
	if (err != LINDUNG_OK) {
		if (x.report.text[0] != '\0')
			fprintf(stderr, "lindung edit: %s\n", x.report.text);
		fputs("lindung edit --help tells more.\n", stderr);
		return status;
	}
	ld_arena_init(&x.list.arena, ARENA_BYTES);
	status = edit_run(&x, argv + optind, argc - optind) == LINDUNG_OK ? 0 : 1;
	if (status != 0)
		fprintf(stderr, "lindung edit: %s\n", x.report.text);
	ld_arena_clear(&x.list.arena);
	return status;
}
