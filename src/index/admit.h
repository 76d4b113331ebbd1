/* Which entries an ordinary list may make, and how an entry becomes a record.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An admission is read-only once made: any number of threads. */
#ifndef LD_INDEX_ADMIT_H
#define LD_INDEX_ADMIT_H

#include "index/compile.h"

struct ld_admission;

/** The spans in `protects` must outlive it. */
int ld_admission_new(struct ld_admission **ret, const struct ld_psl *suffixes,
		     const struct ld_protected *protects, size_t count, bool overlay);
void ld_admission_free(struct ld_admission *admission);

/** LD_REJECT_COUNT: it may be taken; else why not. */
enum ld_reject ld_admission_check(const struct ld_admission *admission,
				  const struct ld_entry *entry);

/** The key of an entry: its host's, and its path.  `key` has LD_INDEX_KEY_MAX octets.  Returns its
 * length; 0 if it would be too long. */
size_t ld_entry_key(uint8_t *key, const struct ld_entry *entry);

#endif
