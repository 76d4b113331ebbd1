/* A command line by a table: what is taken, and the text of --help, come from the same rows.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROGRAMS_ARGUMENTS_H
#define LD_PROGRAMS_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum {
	LD_ARGUMENT_ROWS_MAX = 32,
	LD_ARGUMENT_VALUES_MAX = 64, /* of an option that may be given several times */
};

struct ld_argument_row {
	const char *name;  /* long, without "--" */
	const char *value; /* what --help calls it; NULL: it takes none */
	const char *help;
	char letter; /* or '\0' */
	bool many;   /* may be given several times; else the last one counts */
	bool hidden; /* this command does not have it */
};

struct ld_arguments {
	unsigned counts[LD_ARGUMENT_ROWS_MAX];
	const char *values[LD_ARGUMENT_ROWS_MAX][LD_ARGUMENT_VALUES_MAX];
	char **words; /* what is no option */
	int word_count;
};

/** What programs exit with: 0, all is well. */
enum { LD_EXIT_FAILED = 1, LD_EXIT_USAGE = 2 };

/** Read a command line by `count` rows.  What is wrong is said on standard error; with --help the
 * text is printed: `head`, the options, `tail`.  False: the program is to end, with
 * `*ret_status`. */
bool ld_arguments_read(struct ld_arguments *ret, const struct ld_argument_row *rows, size_t count,
		       const char *head, const char *tail, int argc, char **argv, int *ret_status);
/** The end of `lindung COMMAND`: say `report` where there is an error, and whether all that was
 * printed has arrived.  Returns what to exit with: LD_EXIT_USAGE for LINDUNG_EINVAL. */
int ld_arguments_end(const char *command, int err, const struct ld_report *report);
/** The value of row `row`, or NULL; of one without a value, its name. */
const char *ld_argument(const struct ld_arguments *arguments, size_t row);

#endif
