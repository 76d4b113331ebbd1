/* SPDX-License-Identifier: BSD-2-Clause */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	INTERVAL_MS = 100,
	QUIET_MS = 300, /* what is over sooner needs no bar */
	WIDTH = 30,
};

void
ld_bar_start(struct ld_bar *bar, bool quiet)
{
	*bar = (struct ld_bar){.on = !quiet && isatty(STDERR_FILENO) == 1,
			       .start_ms = ld_clock_monotonic_ms()};
}

void
ld_bar_update(void *ctx, const char *what, uint64_t done, uint64_t total)
{
	static const char full[] = "##############################";
	struct ld_bar *bar = ctx;
	int64_t now = ld_clock_monotonic_ms();
	bool same = bar->what != NULL && strcmp(bar->what, what) == 0;

	if (!bar->on || now - bar->start_ms < QUIET_MS ||
	    (same && now - bar->last_ms < INTERVAL_MS))
		return;
	bar->what = what;
	bar->last_ms = now;
	bar->shown = true;
	if (total == 0) {
		fprintf(stderr, "\r%-10s\033[K", what);
		return;
	}
	double part = done < total ? (double)done / (double)total : 1;
	fprintf(stderr, "\r%-10s [%-*.*s] %3d %%\033[K", what, WIDTH, (int)(part * WIDTH), full,
		(int)(part * 100));
}

void
ld_bar_stop(struct ld_bar *bar)
{
	if (bar->shown)
		fputs("\r\033[K", stderr);
	bar->on = bar->shown = false;
}
