/* lindung submit: hand signed statements in.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "arguments.h"
#include "base/file.h"
#include "hand_in.h"
#include "passphrase.h"
#include "show.h"

int submit_main(int argc, char **argv);

enum { OPTION_HOME, OPTION_POLICY, OPTION_LOG_KEY, OPTION_PASSPHRASE, OPTION_AT, OPTION_COUNT };

static const struct ld_argument_row rows[OPTION_COUNT] = {
	[OPTION_HOME] = {"home", "DIR",
			 "where your keys are; otherwise $LINDUNG_HOME or "
			 "~/.config/lindung",
			 '\0', false, false},
	[OPTION_POLICY] = {"policy", "FILE", "otherwise that beside the log, or HOME/policy", '\0',
			   false, false},
	[OPTION_LOG_KEY] = {"log-key", "NAME",
			    "into a directory: the key that signs the log; "
			    "otherwise log",
			    '\0', false, false},
	[OPTION_PASSPHRASE] = {"passphrase-fd", "FD",
			       "read that key's passphrase from this "
			       "descriptor; not from the terminal",
			       '\0', false, false},
	[OPTION_AT] = {"at", "TIME", "the time to go by, as 2026-11-22T07:00:00Z; otherwise now",
		       '\0', false, false},
};

static const char head[] =
	"usage: lindung submit [OPTION ...] FILE ... [WHERE]\n"
	"\n"
	"Hands signed statements in, in this order.  WHERE is a URL, or a directory with a log of\n"
	"one's own; otherwise that of HOME.\n"
	"\n";

static const char tail[] =
	"\nExit: 0 all are in the log, 1 not all are (those before the one named are), 2 wrong "
	"usage.\n"
	"See lindung-log(1).\n";

static bool
is_place(const char *word)
{
	struct stat st;

	return ld_home_is_url(word) || (stat(word, &st) == 0 && S_ISDIR(st.st_mode));
}

static int
file_give(struct ld_hand_in *hand_in, const char *path, struct ld_report *report)
{
	struct ld_report why = {{0}};
	struct ld_parcel parcel;
	uint64_t index;
	uint8_t *data;
	size_t len;
	int err = ld_read_file(path, LD_PARCEL_MAX_BYTES, &data, &len, report);

	if (err != LINDUNG_OK)
		return err;
	err = ld_parcel_split(&parcel, ld_span(data, len), &why);
	if (err == LINDUNG_OK)
		err = ld_hand_in_give(hand_in, &parcel, &index, &why);
	free(data);
	if (err != LINDUNG_OK)
		return ld_fail(report, err, "%s: %.400s", path, why.text);
	if (index == UINT64_MAX)
		printf("%s: received; the log will show it\n", path);
	else
		printf("%s: number %s in the log\n", path, ld_show_number(index).text);
	return fflush(stdout) == 0 ? LINDUNG_OK
				   : ld_fail(report, LINDUNG_EIO, "cannot write the output");
}

static int
submit(const struct ld_arguments *arguments, struct ld_report *report)
{
	struct ld_hand_in_options options = {.passphrase_fd = LD_PASSPHRASE_TERMINAL,
					     .policy = ld_argument(arguments, OPTION_POLICY),
					     .log_key = ld_argument(arguments, OPTION_LOG_KEY)};
	const char *fd = ld_argument(arguments, OPTION_PASSPHRASE), *where = NULL;
	int files = arguments->word_count;
	struct ld_hand_in *hand_in = NULL;
	struct ld_home home;
	int err = ld_home_find(&home, ld_argument(arguments, OPTION_HOME), report);

	if (err != LINDUNG_OK)
		return err;
	if (files > 0 && is_place(arguments->words[files - 1]))
		where = arguments->words[--files];
	if (files == 0)
		err = ld_fail(report, LINDUNG_EINVAL, "which statements? Name their files");
	if (err == LINDUNG_OK)
		err = ld_home_time(&options.now_s, ld_argument(arguments, OPTION_AT), report);
	if (err == LINDUNG_OK && fd != NULL)
		err = ld_passphrase_fd_read(&options.passphrase_fd, fd, report);
	if (err == LINDUNG_OK && where == NULL)
		err = ld_home_log(&where, &home, NULL, report);
	if (err == LINDUNG_OK)
		err = ld_hand_in_open(&hand_in, &home, where, &options, report);
	for (int i = 0; err == LINDUNG_OK && i < files; i++)
		err = file_give(hand_in, arguments->words[i], report);
	ld_hand_in_close(hand_in);
	ld_home_free(&home);
	return err;
}

int
submit_main(int argc, char **argv)
{
	struct ld_report report = {{0}};
	struct ld_arguments arguments;
	int err, status;

	if (!ld_arguments_read(&arguments, rows, OPTION_COUNT, head, tail, argc, argv, &status))
		return status;
	err = submit(&arguments, &report);
	return ld_arguments_end("submit", err, &report);
}
