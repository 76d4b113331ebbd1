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

/** Talk to systemd, if it started us (sd_notify(3), without its library): open what it takes while
 * it can be opened, and hide it from the children. */
void ld_system_notify_open(void);
/** How often it wants to hear from us: half of the time it waits; 0: never. */
unsigned ld_system_watchdog_ms(void);
/** Tell it: "READY=1" ... */
void ld_system_notify(const char *state);

/** Files that this process may have open, sockets included. */
unsigned ld_system_files(void);

/** Of so many connections wanted, those that it may have if all such wishes are `parts`: half of
 * its files at most, for all.  Else whoever opens connections and says nothing would leave none for
 * anything else. */
unsigned ld_system_connections(unsigned wanted, unsigned parts);

/** Processor cores this process may run on; at least 1. */
unsigned ld_system_cores(void);

#endif
