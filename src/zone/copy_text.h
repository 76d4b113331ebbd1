/* Inside src/zone: what the text of a copy (copy_text.c) needs of it.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_ZONE_COPY_TEXT_H
#define LD_ZONE_COPY_TEXT_H

#include "zone/copy.h"

/** Every record, the SOA too, in canonical order, or with the SOA first.  `each` returns LINDUNG_OK
 * to go on. Errors: LINDUNG_ENOMEM, those of `each`. */
int ld_copy_each(struct ld_zone_copy *copy, bool soa_first,
		 int (*each)(void *ctx, const struct ld_zone_copy_record *record), void *ctx);

#endif
