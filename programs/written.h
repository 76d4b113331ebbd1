/* A list that was written in a format: what the format could not say, told to people.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROGRAMS_WRITTEN_H
#define LD_PROGRAMS_WRITTEN_H

#include "index/export_file.h"

/** Say it on standard error (of the format LINDUNG, which says all, nothing); of a format that has
 * no place for a comment also in OUTPUT.note.txt, if there is an output. */
int ld_written_tell(const struct ld_export_outcome *outcome, enum ld_list_format format,
		    const char *output, struct ld_report *report);

/** The serial of a zone, of a day as "2026-11-22": 2026112200. */
uint32_t ld_written_serial(const char *date);

#endif
