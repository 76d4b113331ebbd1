/* A log on trial: what is done to it while it is killed, and what must be true afterwards.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * For log_crash_test.c and log_power_test.c.  What fails, fails the test of cmocka that runs. */
#ifndef LD_LOG_TEST_TRIAL_H
#define LD_LOG_TEST_TRIAL_H

#include "log/log.h"

enum {
	TRIAL_BEGUN_WITH = 254, /* entries: the second append makes a tile full */
	TRIAL_SIZE_MAX = 320,
	TRIAL_PATH_MAX = 128,
};

/* What outlives the process that appends: in memory that it shares with the test. */
extern struct trial {
	uint64_t nonce; /* no two entries are alike */
	uint64_t content[TRIAL_SIZE_MAX];
	uint64_t acknowledged; /* entries */
	struct ld_hash shown[TRIAL_SIZE_MAX];
	bool is_shown[TRIAL_SIZE_MAX]; /* a witness has seen a tree of that size */
	bool has_block;
	char wrong[LD_REPORT_MAX_BYTES]; /* what was found while appending */
} * trial;

/** Where the log is that is worked on and checked. */
extern char trial_path[TRIAL_PATH_MAX];

int trial_setup(void **state);
int trial_teardown(void **state);
/** A directory and all below it; where there is none, nothing. */
void trial_remove(const char *path);
/** A new log with TRIAL_BEGUN_WITH entries. */
void trial_begin(void);
/** Open it, append three times, put a block; what fails is tried again. */
void trial_work(void);
/** Open it and finish what is pending. */
void trial_recover(void);
/** Nothing acknowledged is lost, nothing shown is taken back, and it takes more. */
void trial_check(void);

#endif
