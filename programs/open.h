/* An image with its overlays, and the categories that count, as the command line names them.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROGRAMS_OPEN_H
#define LD_PROGRAMS_OPEN_H

#include <lindung/lindung.h>

#include "base/error.h"

/** The files of one list: the image, then overlays. */
struct ld_files {
	const char *paths[LINDUNG_OVERLAY_MAX + 1]; /* the image first; NULL: not yet given */
	unsigned overlays;
};

/** One overlay more.  LINDUNG_ELIMIT with a report. */
int ld_files_overlay(struct ld_files *files, const char *path, struct ld_report *report);

/** Open them all.  Errors: those of lindung_open(), with a report that names the file. */
int ld_files_open(struct lindung **ret, const struct ld_files *files, unsigned flags,
		  struct ld_report *report);

/** "adult,gambling" to a set; NULL: every one.  A key that the list does not have is an error. */
int ld_categories_read(uint64_t *ret, const struct lindung *list, const char *keys,
		       struct ld_report *report);

/** Date of the newest layer. */
uint32_t ld_list_day(const struct lindung *list);

#endif
