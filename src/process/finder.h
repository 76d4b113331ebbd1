/* Addresses of a host, for a process that fetches by HTTP: asked of the same servers as names that
 * no list closes are, but not by way of the resolver, which may have no list yet, or one that
 * closes that host.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Made by one thread, then used by one; blocks until there is an answer, upstream.timeout-ms at
 * most.  What was found last is used on for a minute, and for longer while nothing can be found. */
#ifndef LD_PROCESS_FINDER_H
#define LD_PROCESS_FINDER_H

#include "conf/conf.h"
#include "net/fetch.h"

struct ld_finder;

/** Reads all files that it needs.  `conf` outlives it.
 * Errors: LINDUNG_ENOMEM, those of ld_upstream_new(). */
int ld_finder_new(struct ld_finder **ret, const struct ld_conf *conf, struct ld_report *report);
/** NULL is a no-op. */
void ld_finder_free(struct ld_finder *finder);
/** An ld_fetch_resolve, of a `struct ld_finder *`. */
int ld_finder_find(void *ctx, const char *host, char ret[LD_FETCH_ADDRESSES_MAX],
		   struct ld_report *report);

#endif
