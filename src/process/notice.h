/* What the recursor has to say of the servers it forwards to: once when one cannot be used as it
 * is, once when it can again, however many threads find that out. SPDX-License-Identifier:
 * BSD-2-Clause
 *
 * Any thread tells; one takes the lines. */
#ifndef LD_PROCESS_NOTICE_H
#define LD_PROCESS_NOTICE_H

#include <stdbool.h>

#include "base/error.h"

struct ld_notices;

/** `servers`: as configured; they outlive it.  NULL without memory. */
struct ld_notices *ld_notices_new(const char *const *servers);
/** NULL is a no-op. */
void ld_notices_free(struct ld_notices *notices);

/** An ld_upstream_notice, for a `struct ld_notices *`. */
void ld_notices_tell(void *ctx, unsigned server, const char *why);

/** The next line for a person; false: there is none. */
bool ld_notices_next(struct ld_notices *notices, struct ld_report *ret);

#endif
