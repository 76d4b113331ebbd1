/* Files below a directory, written so that they survive: for the log, witnesses and followers.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Paths are relative to the descriptor of a directory.  What is written has reached the disk when
 * the function returns LINDUNG_OK; on an error nothing is left behind.  Reports name the path. */
#ifndef LD_LOG_DISK_H
#define LD_LOG_DISK_H

#include <sys/types.h>

#include "base/bytes.h"
#include "base/error.h"

/** Open the directory at `path` below `at` (AT_FDCWD: the working directory). */
int ld_disk_open(int *ret_fd, int at, const char *path, struct ld_report *report);
/** Make every directory in the path of a file (`file`: up to its last '/') that is not there. */
int ld_disk_make_way(int at, const char *file, mode_t mode, struct ld_report *report);
int ld_disk_make_directory(int at, const char *path, mode_t mode, struct ld_report *report);
/** Write a file, flush it; its directory is not flushed yet. */
int ld_disk_write(int at, const char *path, struct ld_span bytes, mode_t mode,
		  struct ld_report *report);
/** Write a new file for its owner alone (mode 0600), flush it and its directory; `path` from the
 * working directory.  Errors: LINDUNG_EEXISTS (nothing is written over), LINDUNG_EIO. */
int ld_disk_write_new(const char *path, struct ld_span bytes, struct ld_report *report);
/** Move a file that is flushed to its place, in one step; no directory is flushed yet. */
int ld_disk_move(int from_at, const char *from, int to_at, const char *to,
		 struct ld_report *report);
/** Flush the directory that `file` is in. */
int ld_disk_sync_parent(int at, const char *file, struct ld_report *report);
/** Flush every directory in the path of a file, up to `at`: one of them may have been made by one
 * who was killed before it was flushed. */
int ld_disk_sync_way(int at, const char *file, struct ld_report *report);
/** Write beside its place (`temporary`, in the directory `temporary_at`), flush, move, flush. */
int ld_disk_replace(int temporary_at, const char *temporary, int at, const char *path,
		    struct ld_span bytes, mode_t mode, struct ld_report *report);
/** Read a whole regular file into an empty buffer, whose limit holds.
 * Errors: LINDUNG_ENOTFOUND, LINDUNG_ELIMIT, LINDUNG_EIO, LINDUNG_ENOMEM. */
int ld_disk_read(int at, const char *path, struct ld_buffer *ret, struct ld_report *report);
bool ld_disk_exists(int at, const char *path);
/** How many names in the directory begin so. */
size_t ld_disk_count(int at, const char *prefix);
/** The largest number that is a name in the directory at `path`; 0: none, or no such directory. */
uint64_t ld_disk_largest(int at, const char *path);
/** Delete every file in the directory, but those whose names begin with '.'. */
void ld_disk_clear(int at);

#endif
