/* One line on the terminal that tells how far it is; nothing where standard error is none.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One thread at a time. */
#ifndef LD_PROGRAMS_PROGRESS_H
#define LD_PROGRAMS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct ld_bar {
	bool on;
	bool shown;
	int64_t last_ms;
	int64_t start_ms;
	const char *what;
};

void ld_bar_start(struct ld_bar *bar, bool quiet);
/** For ld_compile(): `ctx` is the bar. */
void ld_bar_update(void *ctx, const char *what, uint64_t done, uint64_t total);
/** Take the line away. */
void ld_bar_stop(struct ld_bar *bar);

#endif
