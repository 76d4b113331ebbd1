/* What a backup is: an age v1 file of a tar, whose first file says of which version it is.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROGRAMS_BACKUP_H
#define LD_PROGRAMS_BACKUP_H

#include <stdint.h>

/* The first file, and how it begins; what follows in it is for people. */
#define LD_BACKUP_NAME "lindung-backup"
#define LD_BACKUP_HEAD "lindung backup 1\n"

enum { LD_BACKUP_HEAD_MAX = 256 };

/** Of the tar; it is held in memory. */
static const uint64_t LD_BACKUP_MAX_BYTES = UINT64_C(4) << 30;

#endif
