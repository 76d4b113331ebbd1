/* Follows a log with a clock that jumps, for tests/sync.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: follow_clock POLICY DIR URL IMAGE SECONDS...
 *
 * Takes up what is in DIR, then a step at each time, SECONDS from now; after each what is in effect
 * goes into IMAGE-1, IMAGE-2 ..., and a line tells the error, or 0. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "process/follow.h"

int
main(int argc, char **argv)
{
	struct ld_follow_result result;
	struct ld_follow *follow;
	struct ld_report report;

	if (argc < 6)
		return 2;
	const struct ld_follow_config config = {
		.url = argv[3], .policy = argv[1], .state = argv[2]};
	if (ld_follow_open(&follow, &config, &report) != LINDUNG_OK ||
	    ld_follow_restore(follow, &report) != LINDUNG_OK) {
		fprintf(stderr, "%s\n", report.text);
		return 1;
	}
	for (int i = 5; i < argc; i++) {
		char path[4096];
		int err = ld_follow_step(follow, time(NULL) + strtoll(argv[i], NULL, 10), &result,
					 &report);

		snprintf(path, sizeof path, "%s-%d", argv[4], i - 4);
		printf("%d\n", err);
		if (ld_follow_export(follow, path, &report) != LINDUNG_OK)
			fprintf(stderr, "%s\n", report.text);
	}
	ld_follow_free(follow);
	return 0;
}
