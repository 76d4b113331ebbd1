/* SPDX-License-Identifier: BSD-2-Clause */
#include "arguments.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "show.h"

enum { HELP = LD_ARGUMENT_ROWS_MAX + 256, COLUMN = 26, LINE = 96 };

static const struct ld_argument_row help_row = {.name = "help", .letter = 'h', .help = "this"};

/* The help of one option, its lines broken between words. */
static void
help_print(const char *text, int at)
{
	while (*text != '\0') {
		int len = (int)strcspn(text, " ");

		if (at + len > LINE)
			at = printf("\n%*s", COLUMN, "") - 1;
		at += printf("%.*s ", len, text);
		text += len;
		text += *text == ' ';
	}
	putchar('\n');
}

static void
row_print(const struct ld_argument_row *row)
{
	char letter[8] = "   ";
	int at;

	if (row->letter != '\0')
		snprintf(letter, sizeof letter, "-%c,", row->letter);
	at = printf("  %s --%s%s%s ", letter, row->name, row->value != NULL ? " " : "",
		    row->value != NULL ? row->value : "");
	if (at >= COLUMN)
		at = printf("\n%*s", COLUMN, "") - 1;
	else
		at += printf("%*s", COLUMN - at, "");
	help_print(row->help, at);
}

static void
usage_print(const struct ld_argument_row *rows, size_t count, const char *head, const char *tail)
{
	fputs(head, stdout);
	for (size_t i = 0; i < count; i++)
		if (!rows[i].hidden)
			row_print(&rows[i]);
	row_print(&help_row);
	fputs(tail, stdout);
}

static void
tables_make(struct option *longs, char *letters, const struct ld_argument_row *rows, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		int wants = rows[i].value != NULL ? required_argument : no_argument;

		if (rows[i].hidden)
			continue;
		longs[n++] = (struct option){rows[i].name, wants, NULL, 256 + (int)i};
		if (rows[i].letter == '\0')
			continue;
		*letters++ = rows[i].letter;
		if (wants == required_argument)
			*letters++ = ':';
	}
	longs[n++] = (struct option){"help", no_argument, NULL, HELP};
	longs[n] = (struct option){NULL, 0, NULL, 0};
	*letters++ = 'h';
	*letters = '\0';
}

/* Number of the row that getopt_long() means; `count` for none. */
static size_t
row_find(const struct ld_argument_row *rows, size_t count, int c)
{
	size_t i;

	if (c >= 256)
		return (size_t)(c - 256);
	for (i = 0; i < count; i++)
		if (!rows[i].hidden && rows[i].letter == c)
			break;
	return i;
}

static bool
value_take(struct ld_arguments *a, const struct ld_argument_row *row, size_t i)
{
	if (!row->many)
		a->counts[i] = 0;
	if (a->counts[i] == LD_ARGUMENT_VALUES_MAX) {
		fprintf(stderr, "--%s: at most %d of them\n", row->name, LD_ARGUMENT_VALUES_MAX);
		return false;
	}
	a->values[i][a->counts[i]++] = row->value != NULL ? optarg : row->name;
	return true;
}

bool
ld_arguments_read(struct ld_arguments *ret, const struct ld_argument_row *rows, size_t count,
		  const char *head, const char *tail, int argc, char **argv, int *ret_status)
{
	struct option longs[LD_ARGUMENT_ROWS_MAX + 2];
	char letters[2 * LD_ARGUMENT_ROWS_MAX + 2];
	int c;

	LD_ASSERT(count <= LD_ARGUMENT_ROWS_MAX);
	memset(ret, 0, sizeof *ret);
	tables_make(longs, letters, rows, count);
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		size_t i = row_find(rows, count, c);

		if (c == 'h' || c == HELP) {
			usage_print(rows, count, head, tail);
			*ret_status = 0;
			return false;
		}
		if (c == '?' || !value_take(ret, &rows[i], i)) {
			fprintf(stderr, "lindung %s --help tells more.\n", argv[0]);
			*ret_status = LD_EXIT_USAGE;
			return false;
		}
	}
	ret->words = argv + optind;
	ret->word_count = argc - optind;
	return true;
}

int
ld_arguments_end(const char *command, int err, const struct ld_report *report)
{
	char program[64];

	snprintf(program, sizeof program, "lindung %s", command);
	if (err != LINDUNG_OK)
		fprintf(stderr, "%s: %s\n", program, report->text);
	if (err == LINDUNG_EINVAL)
		return LD_EXIT_USAGE;
	return err == LINDUNG_OK && ld_show_end(program) ? 0 : LD_EXIT_FAILED;
}

const char *
ld_argument(const struct ld_arguments *arguments, size_t row)
{
	unsigned count = arguments->counts[row];

	return count != 0 ? arguments->values[row][count - 1] : NULL;
}
