/* lindung dump: the list in an image back as text, in any format that is written.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "index/export_file.h"
#include "interrupt.h"
#include "open.h"
#include "show.h"
#include "written.h"

int dump_main(int argc, char **argv);

enum { WRONG_USAGE = 2 };

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
};

/* ---- Writing -------------------------------------------------------------------------------- */

static int
dump_to(struct dump *d, int fd)
{
	struct ld_export_file file = {.format = d->format, .active = d->active};
	struct ld_number date = ld_show_day(ld_list_day(d->list));
	struct ld_export_outcome outcome;
	int err;

	file.options = d->options;
	if (!d->has_serial)
		file.options.rpz_serial = ld_written_serial(date.text);
	err = ld_export_file(fd, d->list, &file, &outcome, &d->report);
	return err == LINDUNG_OK ? ld_written_tell(&outcome, d->format, d->output, &d->report)
				 : err;
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
