/* What overlays take away: how many names that the image closes are open with them.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROCESS_LOST_H
#define LD_PROCESS_LOST_H

#include <lindung/lindung.h>

#include "conf/conf.h"

/** Count the names of `base` (the image alone) that are closed in it, and open in `list` (the same
 * with its overlays); `categories`: those that are closed, none for every one.  Looks only at what
 * the overlays name, unless they hold rules that open whole trees.  Errors: LINDUNG_EDAMAGED,
 * LINDUNG_ENOMEM. */
int ld_lost_count(const struct lindung *base, const struct lindung *list,
		  const struct ld_conf_texts *categories, uint64_t *ret);

#endif
