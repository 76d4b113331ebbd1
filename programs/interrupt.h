/* Ctrl-C in the middle of writing a file: what was written so far is taken away.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROGRAMS_INTERRUPT_H
#define LD_PROGRAMS_INTERRUPT_H

#include "base/error.h"

/** From here on SIGINT, SIGTERM and SIGHUP end the process only after the unfinished files that it
 * holds open beside `path` (as ld_replace_begin() makes them) are removed; and a limit on file
 * sizes is an error of the write, not a signal.  Call it before other threads are made; `path`
 * outlives the process's work. */
int ld_interrupt_guard(const char *path, struct ld_report *report);

#endif
