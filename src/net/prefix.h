/* Prefixes of addresses as people write them, and sets of them that are asked for every packet.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Text: "192.0.2.0/24", "2001:db8::/32", "192.0.2.1" (that address alone).  IPv4 inside IPv6
 * (::ffff:192.0.2.0/120) is IPv4, as everywhere here.
 *
 * A set is read-only once made, and may be asked by any thread; asking allocates nothing.  Limit:
 * LD_PREFIXES_MAX prefixes, which take up to 32 octets each, and 2 KB. */
#ifndef LD_NET_PREFIX_H
#define LD_NET_PREFIX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"

enum { LD_PREFIXES_MAX = 65536 };

struct ld_prefix {
	uint8_t octets[16]; /* network order; of IPv4 the first four; behind `bits` all zero */
	uint8_t len;        /* octets: 4 or 16 */
	uint8_t bits;
};

/** Errors: LINDUNG_ESYNTAX with a report: no such address, a length that is too large, or bits set
 * behind the length (192.0.2.1/24), which may be a slip either way. */
int ld_prefix_from_text(struct ld_prefix *ret, struct ld_span text, struct ld_report *report);

struct ld_prefixes;

/** The set of addresses that the longest prefix which holds them puts in rather than out; where
 * both lists have the same prefix it is out, and where no prefix holds an address, too. Errors:
 * LINDUNG_ELIMIT (more than LD_PREFIXES_MAX in all), LINDUNG_ENOMEM. */
int ld_prefixes_new(struct ld_prefixes **ret, const struct ld_prefix *in, unsigned in_count,
		    const struct ld_prefix *out, unsigned out_count);
/** NULL is a no-op. */
void ld_prefixes_free(struct ld_prefixes *set);

/** Whether the address, of 4 or 16 octets, is in.  Any other length, and NULL, hold nothing. */
bool ld_prefixes_hold(const struct ld_prefixes *set, const uint8_t *octets, unsigned len);

#endif
