/* What the server asks of the system for itself: limits, rights, word to systemd.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROCESS_SYSTEM_H
#define LD_PROCESS_SYSTEM_H

#include "base/error.h"

/** As many descriptors as may be; no core dump, which would hold what people asked. */
void ld_system_limits(void);

/** Become `user` for good, if started as root; "" stays.
 * Errors: LINDUNG_ENOTFOUND, LINDUNG_EINVAL, with a report. */
int ld_system_user(const char *user, struct ld_report *report);

/** Tell systemd, if it started us: "READY=1" ... (sd_notify(3), without its library). */
void ld_system_notify(const char *state);

/** Files that this process may have open, sockets included. */
unsigned ld_system_files(void);

/** Processor cores this process may run on; at least 1. */
unsigned ld_system_cores(void);

#endif
