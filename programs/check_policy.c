/* lindung check-policy: is this policy right, what is laxer in it, what can never happen?
 * SPDX-License-Identifier: BSD-2-Clause */
#include <getopt.h>
#include <stdio.h>

#include "data.h"
#include "quorum/policy.h"

int check_policy_main(int argc, char **argv);

enum { ARENA_BYTES = 1024 * 1024 };

static const char usage[] =
	"usage: lindung check-policy [--popular FILE] FILE\n"
	"\n"
	"Reads the policy of a follower, as every follower does, and says what is odd about it: "
	"what\n"
	"is laxer than what it includes, and why; what is used nowhere; what nobody can satisfy.\n"
	"Prints the hash of its meaning: followers with the same one decide alike.\n"
	"\n"
	"  --popular FILE     what \"popular builtin\" means; popular.txt of the data folder\n"
	"  -h, --help         this\n"
	"\n"
	"Exit: 0 it is right, 1 it is not, or cannot work as written, 2 wrong usage. See\n"
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
	static const struct option options[] = {
		{"popular", required_argument, NULL, 'P'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct ld_arena arena;
	const char *popular = NULL;
	int c, status;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'P':
			popular = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (argc - optind != 1) {
		fputs("lindung check-policy: which policy? One file is wanted\n", stderr);
		return 2;
	}
	ld_arena_init(&arena, ARENA_BYTES);
	if (popular == NULL)
		popular = ld_data_path("popular.txt", &arena);
	status = check(argv[optind], popular);
	ld_arena_clear(&arena);
	return status;
}
