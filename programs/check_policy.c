/* lindung check-policy: is this policy right, what is laxer in it, what can never happen?
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "arguments.h"
#include "data.h"
#include "quorum/policy.h"

int check_policy_main(int argc, char **argv);

enum { ARENA_BYTES = 1024 * 1024 };

enum { OPTION_POPULAR, OPTION_COUNT };

static const struct ld_argument_row rows[OPTION_COUNT] = {
	[OPTION_POPULAR] = {"popular", "FILE",
			    "what \"popular builtin\" means; otherwise popular.txt of the data "
			    "folder",
			    '\0', false, false},
};

static const char head[] =
	"usage: lindung check-policy [--popular FILE] FILE\n"
	"\n"
	"Reads the policy of a follower, as every follower does, and says what is odd about it: "
	"what\n"
	"is laxer than what it includes, and why; what is used nowhere; what nobody can satisfy.\n"
	"Prints the hash of its meaning: followers with the same one decide alike.\n"
	"\n";

static const char tail[] =
	"\nExit: 0 it is right, 1 it is not, or cannot work as written, 2 wrong usage. See\n"
	"formats/policy.md.\n";

static int
remark_print(void *ctx, const char *text, bool is_wrong)
{
	unsigned *wrong = ctx;

	*wrong += is_wrong;
	return printf("%s %s\n", is_wrong ? "wrong:" : "note: ", text) < 0 ? LINDUNG_EIO
									   : LINDUNG_OK;
}

static int
check(const char *path, const char *popular)
{
	struct ld_policy *policy;
	struct ld_report report;
	uint8_t hash[32];
	unsigned wrong = 0;
	int err = ld_policy_open(&policy, path, popular, &report);

	if (err != LINDUNG_OK) {
		fprintf(stderr, "lindung check-policy: %s\n", report.text);
		return 1;
	}
	err = ld_policy_remarks(policy, remark_print, &wrong);
	ld_policy_hash(policy, hash);
	ld_policy_free(policy);
	printf("%s: %s, hash ", path, wrong == 0 ? "OK" : "cannot work as it is written");
	for (size_t i = 0; i < sizeof hash; i++)
		printf("%02x", hash[i]);
	if (printf("\n") < 0 || err != LINDUNG_OK)
		return 1;
	return wrong != 0;
}

int
check_policy_main(int argc, char **argv)
{
	struct ld_arguments arguments;
	struct ld_arena arena;
	const char *popular;
	int status;

	if (!ld_arguments_read(&arguments, rows, OPTION_COUNT, head, tail, argc, argv, &status))
		return status;
	if (arguments.word_count != 1) {
		fputs("lindung check-policy: which policy? One file is wanted\n", stderr);
		return LD_EXIT_USAGE;
	}
	ld_arena_init(&arena, ARENA_BYTES);
	popular = ld_argument(&arguments, OPTION_POPULAR);
	if (popular == NULL)
		popular = ld_data_path("popular.txt", &arena);
	status = check(arguments.words[0], popular);
	ld_arena_clear(&arena);
	return status;
}
