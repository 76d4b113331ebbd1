/* A file's content in sealed memory, and whether the file at a path is still the same.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROCESS_SNAPSHOT_H
#define LD_PROCESS_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"

/** What tells one state of the file at a path from another; all zero: there is none. */
struct ld_mark {
	uint64_t device, inode, size;
	int64_t modified_ns, changed_ns;
};

void ld_mark_take(struct ld_mark *ret, const char *path);
bool ld_mark_equal(const struct ld_mark *a, const struct ld_mark *b);

/** A file that is loaded again when it changes. */
struct ld_watched {
	const char *path;
	struct ld_mark read; /* as it was when last read, whatever came of it */
	struct ld_mark seen; /* as it was at the last look */
};

/** They are about to be read: what is replaced from now on is read again. */
void ld_watched_read(struct ld_watched *files, unsigned count);
/** One look: some changed since they were read, and all have come to rest (they are as they were at
 * the last look). */
bool ld_watched_changed(struct ld_watched *files, unsigned count);

/** Copy the regular file at `path` into memory that nobody can change; *ret_fd is the caller's.
 * Errors: LINDUNG_ENOTFOUND (no such file), LINDUNG_EIO, with a report. */
int ld_snapshot_take(int *ret_fd, const char *path, struct ld_report *report);

/** The same of what is in memory already.  Errors: LINDUNG_EIO, with a report. */
int ld_snapshot_of(int *ret_fd, struct ld_span bytes, struct ld_report *report);

#endif
