/* Starting a child: this program, executed anew.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROCESS_SPAWN_H
#define LD_PROCESS_SPAWN_H

#include <sys/types.h>

#include "process/role.h"

/** Keep this program's file open, so that the children are the same program even after a newer one
 * was installed.  Errors: LINDUNG_EIO with a report. */
int ld_spawn_open(struct ld_report *report);

/** Its descriptor. */
int ld_spawn_program(void);

/** Start a child; *ret_fd: the parent's end of its channel.
 * Errors: LINDUNG_EIO, LINDUNG_ENOMEM with a report. */
int ld_spawn(pid_t *ret_pid, int *ret_fd, const struct ld_role_entry *entry,
	     struct ld_report *report);

/** "ended with status 1", "ended by signal 9 (Killed)" */
void ld_spawn_describe(int status, struct ld_report *ret);

#endif
