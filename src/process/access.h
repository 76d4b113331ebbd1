/* The sets of addresses that the configuration names: who may ask, and from where.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Made once by the main thread, then read-only and shared by all. */
#ifndef LD_PROCESS_ACCESS_H
#define LD_PROCESS_ACCESS_H

#include "conf/conf.h"
#include "net/prefix.h"

struct ld_access {
	struct ld_prefixes *allowed; /* access.allow, access.deny */
};

/** Errors: LINDUNG_ELIMIT, LINDUNG_ENOMEM with a report. */
int ld_access_make(struct ld_access *ret, const struct ld_conf *conf, struct ld_report *report);
/** Of what was made or is all zero. */
void ld_access_clear(struct ld_access *access);

#endif
