/* Names that are not ASCII, through libidn2: UTS #46, non-transitional.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_NAME_IDNA_H
#define LD_NAME_IDNA_H

#include "name/name.h"

/** UTF-8 text to canonical host text (A-labels).  Text that is all ASCII passes through
 * ld_host_from_text() unchecked by IDNA, as do ASCII labels beside others ("r3---sn-x"); A-labels
 * beside labels that are not ASCII are checked.  `host` has LD_HOST_MAX + 1 bytes.
 * Errors: LINDUNG_EIDNA (IDNA refuses it, or it is not UTF-8), LINDUNG_ELIMIT (also for more than
 * 4 * LD_HOST_MAX octets of text that is not ASCII), LINDUNG_ENOMEM, and ld_host_from_text()'s. */
int ld_idna_to_host(char *host, size_t *ret_len, struct ld_span utf8);

/** Host text with its A-labels shown as Unicode, for people; A-labels that IDNA would not have made
 * are left as they are.  `text` has 4 * LD_HOST_MAX + 1 bytes, is terminated.  Returns its length.
 */
size_t ld_idna_to_unicode(char *text, struct ld_span host);

/** Version of libidn2 and its Unicode tables, as "2.3.3". */
const char *ld_idna_version(void);

#endif
