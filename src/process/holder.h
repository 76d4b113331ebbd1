/* The list in force: opened, watched, replaced; never given up for a bad one.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The files are copied into sealed memory and looked up there, so that one that is overwritten in
 * place or cut short (a plain cp does both) cannot hurt a running server.  An overlay that does not
 * exist is no overlay, and becomes one when its file appears.
 *
 * A new list is taken if all its files verify, the image did not lose more than shrink_max_percent
 * of its entries, and every category that is to be closed is in it; else the old one stays.  The
 * main thread's alone, but for what it puts on the board. */
#ifndef LD_PROCESS_HOLDER_H
#define LD_PROCESS_HOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include <lindung/lindung.h>

#include "base/error.h"
#include "process/thread.h"

struct ld_holder;

struct ld_holder_config {
	const char *image;
	const char *const *overlays;
	unsigned overlay_count;
	unsigned shrink_max_percent;   /* 100: take any */
	const char *const *categories; /* keys that must be in the list */
	unsigned category_count;
};

/** Load for the first time.  `board` outlives the holder.
 * Errors: those of lindung_open() with a report. */
int ld_holder_open(struct ld_holder **ret, const struct ld_holder_config *config,
		   struct ld_board *board, struct ld_report *report);
/** No thread looks anything up any more.  NULL is a no-op. */
void ld_holder_close(struct ld_holder *holder);

/** The files were replaced since they were last read (or tried), and have come to rest: the same at
 * two looks in a row. */
bool ld_holder_changed(struct ld_holder *holder);

/** Load again, and put it up if it is good; `forced`: even if it shrank or lost a category.
 * LINDUNG_OK with a report that says what is in force now; else with one that says what is wrong,
 * and the old list stays up. */
int ld_holder_reload(struct ld_holder *holder, bool forced, struct ld_report *report);

/** Close lists that no thread uses: each is at this generation or past it. */
void ld_holder_sweep(struct ld_holder *holder, uint64_t generation);

/** "583,012 names in 9 categories, 3.9 MB, of 2026-11-22, 1 overlay" */
void ld_holder_describe(const struct ld_holder *holder, struct ld_report *ret);

struct ld_holder_facts {
	uint64_t entries; /* of all layers */
	unsigned categories;
	unsigned overlays;
	uint64_t bytes;
	uint32_t date_day;   /* of the newest layer */
	int64_t loaded_ms;   /* monotonic */
	uint64_t loads;      /* that were taken */
	uint64_t load_fails; /* that were not */
};

void ld_holder_facts(const struct ld_holder *holder, struct ld_holder_facts *ret);

#endif
