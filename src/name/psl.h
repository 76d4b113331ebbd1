/* Public suffixes, through libpsl: publicsuffix.org's list, both its sections.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An opened list is read-only: any number of threads. */
#ifndef LD_NAME_PSL_H
#define LD_NAME_PSL_H

#include "name/name.h"

struct ld_psl;

/** Open the list at `path`, or with NULL the newest that the system has (Debian's
 * /usr/share/publicsuffix, else libpsl's built-in one).
 * Errors: LINDUNG_EIO, LINDUNG_EFORMAT, LINDUNG_ENOMEM. */
int ld_psl_open(struct ld_psl **ret, const char *path, struct ld_report *report);
/** Open the system's list for a few questions: in a tenth of a millisecond where Debian's compiled
 * one is installed, while ld_psl_open() takes some, and makes each of a million questions cheaper.
 */
int ld_psl_open_quick(struct ld_psl **ret, struct ld_report *report);
void ld_psl_close(struct ld_psl *psl);

/** `host` (canonical) is itself a public suffix: "com", "co.uk", "blogspot.com".  A single label
 * always is (the list's default rule "*"), and so is what stands under a "*." in the list:
 * "kobe.jp" because of "*.kobe.jp". */
bool ld_psl_is_suffix(const struct ld_psl *psl, struct ld_span host);

/** The registrable domain in `host`: its public suffix and one label more; the empty span if it has
 * none.  Points into `host`. */
struct ld_span ld_psl_registrable(const struct ld_psl *psl, struct ld_span host);

/** The list's date, "2026-11-01", from its VERSION line or its file's time; "unknown". */
const char *ld_psl_date(const struct ld_psl *psl);

/** The same as a number, 20261101; 0 if it is unknown. */
uint32_t ld_psl_date_number(const struct ld_psl *psl);

#endif
