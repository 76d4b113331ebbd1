/* Text for people that strangers wrote: what may stand in it, through libunistring.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * UTF-8 in Unicode normal form C, of the characters that Unicode 14.0 assigns, without controls,
 * bidi controls, other characters that are not seen, and blanks other than U+0020 (the joiners
 * U+200C and U+200D may stand: scripts need them).  The set is fixed (tools/prose-table), so that
 * every version of the program says the same of the same text. */
#ifndef LD_NAME_PROSE_H
#define LD_NAME_PROSE_H

#include "base/error.h"
#include "base/span.h"

enum { LD_PROSE_MAX_BYTES = 4096 };

/** LINDUNG_OK; LINDUNG_ESYNTAX with what is wrong, a predicate ("is not UTF-8"), in `*ret_fault`;
 * LINDUNG_ENOMEM. */
int ld_prose_check(struct ld_span text, const char **ret_fault);

#endif
