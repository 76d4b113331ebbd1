/* Memory for secrets: locked (never on swap), left out of cores, guarded, wiped.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * sodium_malloc(), with the lock checked: where the system's limit (RLIMIT_MEMLOCK) does not allow
 * it there is no memory, instead of memory that is not locked. */
#ifndef LD_LOG_SECRET_H
#define LD_LOG_SECRET_H

#include <stddef.h>

#include "base/error.h"

/** Zeroed, aligned for any type.  Errors: LINDUNG_ENOMEM with a report. */
int ld_secret_alloc(void **ret, size_t bytes, struct ld_report *report);
/** Wipe and give back.  NULL is a no-op. */
void ld_secret_free(void *secret);
/** Wipe what functions that were called left below on the stack. */
void ld_secret_stack_wipe(void);

#endif
