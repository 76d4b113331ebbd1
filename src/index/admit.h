/* Which entries an ordinary list may make, and how an entry becomes a record.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An admission is read-only once made: any number of threads. */
#ifndef LD_INDEX_ADMIT_H
#define LD_INDEX_ADMIT_H

#include "index/compile.h"

enum { LD_PROTECTED_LIST = LD_COMPILE_LISTS_MAX /* number of the list that protections are of */ };

struct ld_admission;

/** The spans in `protects` must outlive it. */
int ld_admission_new(struct ld_admission **ret, const struct ld_psl *suffixes,
		     const struct ld_protected *protects, size_t count, bool overlay);
void ld_admission_free(struct ld_admission *admission);

/** LD_REJECT_COUNT: it may be taken; else why not. */
enum ld_reject ld_admission_check(const struct ld_admission *admission,
				  const struct ld_entry *entry);

/** All that is checked of an entry and its rule, whoever brings them; and its key, of which `key`
 * has LD_INDEX_KEY_MAX octets.  `*ret_text` (or NULL): what of it is told with the reason. */
enum ld_reject ld_admission_take(const struct ld_admission *admission, const struct ld_entry *entry,
				 const struct ld_rule_text *rule, uint8_t *key, size_t *ret_len,
				 struct ld_span *ret_text);

/** The category is one of those that are locked. */
bool ld_category_is_locked(const struct ld_compile_options *options, struct ld_span category);

/** Add the protections themselves. Errors: as ld_rules_intern() and ld_sorter_add(). */
int ld_protections_add(struct ld_rules *rules, struct ld_sorter *sorter,
		       const struct ld_protected *protects, size_t count);

/** The key of an entry: its host's, and its path.  `key` has LD_INDEX_KEY_MAX octets.  Returns its
 * length; 0 if it would be too long. */
size_t ld_entry_key(uint8_t *key, const struct ld_entry *entry);

#endif
