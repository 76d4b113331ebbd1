/* Names that are not ASCII, through libidn2: UTS #46, non-transitional.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_NAME_IDNA_H
#define LD_NAME_IDNA_H

#include "name/name.h"

/** UTF-8 text to canonical host text (A-labels); ASCII text passes through ld_host_from_text().
 * Existing A-labels are checked.  `host` has LD_HOST_MAX + 1 bytes.
 * Errors: LINDUNG_EIDNA (IDNA refuses it, or it is not UTF-8), and ld_host_from_text()'s. */
int ld_idna_to_host(char *host, size_t *ret_len, struct ld_span utf8);

/** Host text with its A-labels shown as Unicode, for people; labels that do not decode are left as
 * they are.  `text` has 4 * LD_HOST_MAX + 1 bytes, is terminated.  Returns its length. */
size_t ld_idna_to_unicode(char *text, struct ld_span host);

/** Version of libidn2 and its Unicode tables, as "2.3.3". */
const char *ld_idna_version(void);

#endif
