/* IP addresses in lists: sinks that mean "blocked", and real ones that answers are rewritten to.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_LIST_ADDRESS_H
#define LD_LIST_ADDRESS_H

#include "base/span.h"

enum {
	/* Bytes of a rewrite's target, terminated: "CNAME " and a host, or "AAAA " and an address.
	 */
	LD_TARGET_MAX = 264,
};

enum ld_address_kind {
	LD_ADDRESS_NONE,   /* not an address */
	LD_ADDRESS_SINK,   /* leads nowhere: unspecified, loopback, broadcast */
	LD_ADDRESS_REAL,   /* a host of somebody's */
	LD_ADDRESS_SCOPED, /* with a %zone: means something on one machine only */
};

/** What the text is.  Of a real address the target is written, "A 192.0.2.1", terminated. */
enum ld_address_kind ld_address_read(char target[LD_TARGET_MAX], struct ld_span text);

#endif
