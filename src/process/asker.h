/* A thread that asks the Internet: the other end of a resolver thread's link, and its upstream.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The recursor's main thread makes it, starts it, gives it links, pings it, joins and frees it; all
 * else is the thread's own.  When a link ends, the answers to what was asked over it are for
 * nobody; the thread waits for the next. */
#ifndef LD_PROCESS_ASKER_H
#define LD_PROCESS_ASKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "conf/conf.h"
#include "upstream/upstream.h"

struct ld_asker;

/** How a configuration asks upstream; its texts stay those of `conf`. */
struct ld_upstream_config ld_asker_config(const struct ld_conf *conf);

/** Its upstream is made here, with all files that it reads.  Errors: those of ld_upstream_new(). */
int ld_asker_new(struct ld_asker **ret, const struct ld_upstream_config *config,
		 struct ld_report *report);
/** Errors: LINDUNG_ENOMEM. */
int ld_asker_start(struct ld_asker *asker);
/** Answer what comes over this link from now on; it is the thread's to close. */
void ld_asker_link(struct ld_asker *asker, int fd);
/** Ask for a sign of life ... */
void ld_asker_ping(struct ld_asker *asker, uint32_t number);
/** ... and the number of the last one given. */
uint32_t ld_asker_pong(const struct ld_asker *asker);
/** What came over the link was no message; true once for each time. */
bool ld_asker_broken(struct ld_asker *asker);
/** End soon. */
void ld_asker_stop(struct ld_asker *asker);
/** Waits for a started thread to end.  NULL is a no-op. */
void ld_asker_free(struct ld_asker *asker);

#endif
