/* Files in one: a tar of POSIX (ustar), as far as a backup needs it, so that it can be looked into
 * without us.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Regular files alone; their folders follow from their names. */
#ifndef LD_PROGRAMS_ARCHIVE_H
#define LD_PROGRAMS_ARCHIVE_H

#include <sys/types.h>

#include "base/bytes.h"
#include "base/error.h"

enum {
	LD_ARCHIVE_NAME_MAX = 255, /* octets */
	LD_ARCHIVE_FILES_MAX = 4 * 1024 * 1024,
};

/** Add a file.  Errors: LINDUNG_ELIMIT (its name is too long), with a report; of memory the
 * buffer's `failed` tells. */
int ld_archive_add(struct ld_buffer *to, const char *name, mode_t mode, int64_t time_s,
		   struct ld_span bytes, struct ld_report *report);
/** The two empty blocks at the end. */
void ld_archive_end(struct ld_buffer *to);

/** A file; `name` is terminated, relative, and has no "." or ".." in it.  LINDUNG_OK to go on. */
typedef int ld_archive_file(void *ctx, const char *name, mode_t mode, struct ld_span bytes);
/** Each file of an archive.  Errors: LINDUNG_EDAMAGED, LINDUNG_ELIMIT, with a report; those of
 * `file`. */
int ld_archive_each(struct ld_span archive, ld_archive_file *file, void *ctx,
		    struct ld_report *report);

#endif
