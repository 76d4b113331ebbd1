/* lindung dump: the list in an image back as text, in any format that is written.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "index/export.h"
#include "interrupt.h"
#include "open.h"
#include "show.h"

int dump_main(int argc, char **argv);

enum { WRONG_USAGE = 2, TITLE_MAX_BYTES = 4096 };

static const char usage[] =
	"usage: lindung dump [OPTION ...] FILE\n"
	"\n"
	"Writes the list in an image as text, by default in the format lindung, which says all.\n"
	"What another format cannot say is left out and told on standard error.\n"
	"\n"
	"  -f, --format FORMAT     see lindung(1)\n"
	"  -o, --overlay FILE      lay this over the image; may be given several times\n"
	"  -c, --categories A,B    only these\n"
	"      --output FILE       write there, in place of standard output\n"
	"      --title TEXT        for the header\n"
	"      --cut               write as many as the target takes; else too many are an error\n"
	"      --rpz-origin NAME   name of the zone; else rpz.lindung.\n"
	"      --rpz-serial N      else made from the list's date\n"
	"      --sink ADDRESS      of the format hosts; else 0.0.0.0\n"
	"  -h, --help              this\n"
	"\n"
	"Exit: 0 done, 1 it failed, 2 wrong usage.\n";

enum option_key { KEY_OUTPUT = 256, KEY_TITLE, KEY_CUT, KEY_ORIGIN, KEY_SERIAL, KEY_SINK };

struct dump {
	struct ld_files files;
	struct ld_report report;
	const char *output, *categories;
	enum ld_list_format format;
	struct ld_write_options options;
	bool has_serial, help;
	/* While it is written: */
	const struct lindung *list;
	uint64_t active;
	struct ld_list_source all;
};

/* ---- Entries of some categories, as they stand ---------------------------------------------- */

static int
chosen_rewind(void *ctx)
{
	const struct dump *d = ctx;

	return d->all.rewind(d->all.ctx);
}

static int
chosen_next(void *ctx, struct ld_entry *ret)
{
	const struct dump *d = ctx;
	struct ld_entry entry;
	int err, number = -1;

	do {
		err = d->all.next(d->all.ctx, &entry);
		if (err != LINDUNG_OK)
			return err;
		number = lindung_category_find(d->list, (const char *)entry.category.data,
					       entry.category.len);
		/* One without a number is of every category. */
	} while (number >= 0 && (d->active >> number & 1) == 0);
	*ret = entry;
	return LINDUNG_OK;
}

/* ---- What the format cannot say ------------------------------------------------------------- */

static void
summary_write(struct ld_buffer *out, const struct ld_write_summary *s, uint64_t sealed,
	      const char *format)
{
	const struct {
		uint64_t count;
		const char *what;
	} rows[] = {
		{s->no_url, "parts of sites by URL, left out"},
		{s->no_self, "names without their subdomains, left out"},
		{s->no_below, "subdomains without the name itself, left out"},
		{s->no_tree, "domains with their subdomains, left out"},
		{s->no_allow, "exceptions, left out"},
		{s->no_rewrite, "rewrites, left out"},
		{s->past_limit, "past what the target takes, left out"},
		{s->no_important, "written, but not as important"},
		{sealed, "sealed ones, never listed"},
		{s->between, "records added for names between two listed ones"},
	};

	ld_buffer_printf(out, "%s: %s of %s entries written\n", format,
			 ld_show_number(s->written).text, ld_show_number(s->read).text);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].count != 0)
			ld_buffer_printf(out, "%12s  %s\n", ld_show_number(rows[i].count).text,
					 rows[i].what);
}

/* Formats that have no place for a comment. */
static bool
needs_note(enum ld_list_format format)
{
	return format == LD_LIST_CHROMIUM || format == LD_LIST_FIREFOX || format == LD_LIST_APPLE;
}

static int
note_write(struct dump *d, struct ld_span summary)
{
	struct ld_replace file = {.fd = -1};
	char *path;
	int err;

	if (asprintf(&path, "%s.note.txt", d->output) < 0)
		return ld_fail(&d->report, LINDUNG_ENOMEM, "not enough memory");
	err = ld_replace_begin(&file, path, &d->report);
	if (err == LINDUNG_OK) {
		const char *limits = ld_list_format_limits(d->format);

		err = ld_write_all(file.fd, summary.data, summary.len);
		if (err == LINDUNG_OK)
			err = ld_write_all(file.fd, limits, strlen(limits));
		if (err == LINDUNG_OK)
			err = ld_write_all(file.fd, "\n", 1);
		if (err != LINDUNG_OK)
			ld_fail(&d->report, err, "%s: cannot be written: %s", path,
				strerror(errno));
	}
	if (err == LINDUNG_OK)
		err = ld_replace_commit(&file, &d->report);
	ld_replace_abandon(&file);
	free(path);
	return err;
}

static int
summary_tell(struct dump *d, const struct ld_write_summary *summary)
{
	struct ld_buffer text;
	int err = LINDUNG_OK;

	ld_buffer_init(&text, TITLE_MAX_BYTES);
	summary_write(&text, summary, d->options.sealed, ld_list_format_key(d->format));
	if ((d->format != LD_LIST_LINDUNG || d->options.sealed != 0) && !text.failed)
		fwrite(text.data, 1, text.len, stderr);
	if (d->output != NULL && needs_note(d->format))
		err = note_write(d, ld_buffer_span(&text));
	ld_buffer_free(&text);
	return err;
}

/* ---- Writing -------------------------------------------------------------------------------- */

/* The serial of a day: 2026112200. */
static uint32_t
serial_of(const char *date)
{
	unsigned year, month, day;

	if (sscanf(date, "%4u-%2u-%2u", &year, &month, &day) != 3 || year > 4293)
		return 1;
	return ((year * 100 + month) * 100 + day) * 100;
}

static int
dump_to(struct dump *d, int fd)
{
	bool effective = d->format != LD_LIST_LINDUNG;
	struct ld_number date = ld_show_day(ld_list_day(d->list));
	struct ld_write_summary summary;
	struct ld_export *export;
	int err = ld_export_new(&export, d->list, effective, d->active);

	if (err != LINDUNG_OK)
		return ld_fail(&d->report, err, "%s", lindung_strerror(err));
	struct ld_list_source source = d->all = ld_export_source(export);
	if (!effective)
		source = (struct ld_list_source){d, chosen_rewind, chosen_next};
	d->options.sealed = ld_list_sealed(d->list);
	if (ld_list_day(d->list) != 0)
		d->options.date = date.text;
	if (!d->has_serial)
		d->options.rpz_serial = serial_of(date.text);
	err = ld_list_write(fd, d->format, &source, &d->options, &summary, &d->report);
	ld_export_free(export);
	d->options.date = NULL;
	return err == LINDUNG_OK ? summary_tell(d, &summary) : err;
}

static int
dump_output(struct dump *d)
{
	struct ld_replace file;
	int err;

	if (d->output == NULL)
		return dump_to(d, STDOUT_FILENO);
	err = ld_interrupt_guard(d->output, &d->report);
	if (err == LINDUNG_OK)
		err = ld_replace_begin(&file, d->output, &d->report);
	if (err != LINDUNG_OK)
		return err;
	err = dump_to(d, file.fd);
	if (err == LINDUNG_OK)
		err = ld_replace_commit(&file, &d->report);
	ld_replace_abandon(&file);
	return err;
}

static int
dump_run(struct dump *d)
{
	struct lindung *list = NULL;
	int err = ld_files_open(&list, &d->files, 0, &d->report);

	if (err == LINDUNG_OK)
		err = ld_categories_read(&d->active, list, d->categories, &d->report);
	if (err == LINDUNG_OK) {
		d->list = list;
		err = dump_output(d);
	}
	lindung_close(list);
	return err;
}

/* ---- The command line ----------------------------------------------------------------------- */

static int
serial_read(struct dump *d, const char *text)
{
	char *end;
	unsigned long long n = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || n > UINT32_MAX)
		return ld_fail(&d->report, LINDUNG_EINVAL,
			       "--rpz-serial: expected 0 to 4294967295, not %s", text);
	d->options.rpz_serial = (uint32_t)n;
	d->has_serial = true;
	return LINDUNG_OK;
}

static int
format_read(struct dump *d, const char *text)
{
	int format = ld_list_format_find(text);

	if (format < 0 || !ld_list_format_is_written((enum ld_list_format)format))
		return ld_fail(&d->report, LINDUNG_EINVAL,
			       "--format: no list is written in the format %s; see lindung(1)",
			       text);
	d->format = (enum ld_list_format)format;
	return LINDUNG_OK;
}

static int
option_read(struct dump *d, int c)
{
	switch (c) {
	case 'f':
		return format_read(d, optarg);
	case 'o':
		return ld_files_overlay(&d->files, optarg, &d->report);
	case 'c':
		d->categories = optarg;
		return LINDUNG_OK;
	case KEY_OUTPUT:
		d->output = optarg;
		return LINDUNG_OK;
	case KEY_TITLE:
		d->options.title = optarg;
		return LINDUNG_OK;
	case KEY_CUT:
		d->options.cut = true;
		return LINDUNG_OK;
	case KEY_ORIGIN:
		d->options.rpz_origin = optarg;
		return LINDUNG_OK;
	case KEY_SERIAL:
		return serial_read(d, optarg);
	case KEY_SINK:
		d->options.sink_address = optarg;
		return LINDUNG_OK;
	case 'h':
		d->help = true;
		return LINDUNG_OK;
	default:
		return LINDUNG_EINVAL;
	}
}

static int
arguments_read(struct dump *d, int argc, char **argv)
{
	static const struct option options[] = {
		{"format", required_argument, NULL, 'f'},
		{"overlay", required_argument, NULL, 'o'},
		{"categories", required_argument, NULL, 'c'},
		{"output", required_argument, NULL, KEY_OUTPUT},
		{"title", required_argument, NULL, KEY_TITLE},
		{"cut", no_argument, NULL, KEY_CUT},
		{"rpz-origin", required_argument, NULL, KEY_ORIGIN},
		{"rpz-serial", required_argument, NULL, KEY_SERIAL},
		{"sink", required_argument, NULL, KEY_SINK},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c, err = LINDUNG_OK;

	while (err == LINDUNG_OK && !d->help &&
	       (c = getopt_long(argc, argv, "f:o:c:h", options, NULL)) != -1)
		err = option_read(d, c);
	if (err == LINDUNG_OK && !d->help && argc - optind != 1)
		err = ld_fail(&d->report, LINDUNG_EINVAL, "expected one image");
	if (err == LINDUNG_OK && !d->help)
		d->files.paths[0] = argv[optind];
	return err;
}

int
dump_main(int argc, char **argv)
{
	struct dump d = {.format = LD_LIST_LINDUNG};

	if (arguments_read(&d, argc, argv) != LINDUNG_OK) {
		if (d.report.text[0] != '\0')
			fprintf(stderr, "lindung dump: %s\n", d.report.text);
		fputs("lindung dump --help tells more.\n", stderr);
		return WRONG_USAGE;
	}
	if (d.help)
		return fputs(usage, stdout) < 0;
	if (dump_run(&d) != LINDUNG_OK) {
		fprintf(stderr, "lindung dump: %s\n", d.report.text);
		return 1;
	}
	return 0;
}
