/* Blinded entries: what is kept of a sealed name instead of the name.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Octets of one, to be copied, compared and sorted as a whole:
 *    0-15  SipHash-2-4 with 128 bits, keyed, of the entry's key (host labels reversed, as in
 * name.h; a URL's path behind it) 16-23  what the index's filter knows that key by (key.h),
 * little-endian; an image has 8 bits of it 24     labels of the host 25     scope, of enum ld_scope
 * The first 25 depend on the name and the key alone.
 *
 * Who has the key can try names one by one, and so can who has octets 16 to 23; an image has both
 * the hashes and their key.  They keep a list from being read, not from being asked
 * (doc/sealed.md). Of 2^20 names two collide with a chance of 2^-89. */
#ifndef LD_NAME_BLIND_H
#define LD_NAME_BLIND_H

#include <stdint.h>

#include "base/span.h"

enum {
	LD_BLIND_BYTES = 26,
	LD_BLIND_HASH_BYTES = 16,
	LD_BLIND_FILTER_AT = 16,
	LD_BLIND_LABELS_AT = 24,
	LD_BLIND_SCOPE_AT = 25,
	LD_BLIND_KEY_BYTES = 16,
};

/** Blind an entry: `scope` of enum ld_scope; `name_key` as ld_host_to_key() makes it; `path` empty
 * but for a URL.  Of both nothing is left on the stack. */
void ld_blind(uint8_t ret[LD_BLIND_BYTES], const uint8_t key[LD_BLIND_KEY_BYTES], uint8_t scope,
	      struct ld_span name_key, struct ld_span path);

#endif
