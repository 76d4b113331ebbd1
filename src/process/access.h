/* The sets of addresses that the configuration names: who may ask, and from where.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Made once by the main thread, then read-only and shared by all. */
#ifndef LD_PROCESS_ACCESS_H
#define LD_PROCESS_ACCESS_H

#include "conf/conf.h"
#include "net/prefix.h"
#include "resolver/resolver.h"

struct ld_access {
	struct ld_prefixes *allowed;             /* access.allow, access.deny */
	struct ld_prefixes *exempt;              /* rate.exempt */
	struct ld_prefixes *proxies;             /* proxy.from */
	const struct ld_conf_addresses *proxied; /* proxy.listen */
};

/** Keeps what points into `conf`, which outlives it.
 * Errors: LINDUNG_ELIMIT, LINDUNG_ENOMEM with a report. */
int ld_access_make(struct ld_access *ret, const struct ld_conf *conf, struct ld_report *report);
/** The limits of the configuration. */
struct ld_rate_config ld_access_rate(const struct ld_access *access, const struct ld_conf *conf);
/** Whether what comes in at the socket begins with a PROXY header. */
bool ld_access_proxied(const struct ld_access *access, int socket);
/** Of what was made or is all zero. */
void ld_access_clear(struct ld_access *access);

#endif
