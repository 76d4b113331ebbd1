/* Files: mapped for reading, replaced as a whole.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_BASE_FILE_H
#define LD_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/span.h"

/** A file mapped read-only.  `bytes` is valid until ld_map_close(). */
struct ld_map {
	struct ld_span bytes;
	uint64_t device;
	uint64_t inode;
	int64_t modified_ns;
	bool borrowed; /* not mapped here: ld_map_close() leaves the bytes alone */
};

/** Map the regular file at `path`.  An empty file gives an empty span.
 * Errors: LINDUNG_EIO with the reason in errno. */
int ld_map_open(struct ld_map *ret, const char *path);
/** The same for a descriptor, which stays the caller's. */
int ld_map_fd(struct ld_map *ret, int fd);
void ld_map_close(struct ld_map *map);

/** A file that is being written beside its place, and takes that place in one step. */
struct ld_replace {
	int fd;
	char *path;      /* where it will stand */
	char *temporary; /* where it stands now */
};

/** Begin to write what will stand at `path` (mode 0644 less the umask) in the same directory. */
int ld_replace_begin(struct ld_replace *ret, const char *path, struct ld_report *report);
/** Flush it to the disk, rename it into place, flush the directory.  Ends the transaction whatever
 * the outcome: on an error what stood at the path stands there still. */
int ld_replace_commit(struct ld_replace *file, struct ld_report *report);
/** Throw away what was written.  Safe after a commit, and on a zeroed struct with fd -1. */
void ld_replace_abandon(struct ld_replace *file);

/** Write all of it, through interruptions and short writes. Errors: LINDUNG_EIO with errno. */
int ld_write_all(int fd, const void *data, size_t len);

/** Read a whole file of at most `limit` bytes into malloc()ed memory, NUL behind it (not counted).
 * Errors: LINDUNG_EIO, LINDUNG_ELIMIT, LINDUNG_ENOMEM. The caller frees ret->data. */
int ld_read_file(const char *path, size_t limit, uint8_t **ret_data, size_t *ret_len,
		 struct ld_report *report);

#endif
