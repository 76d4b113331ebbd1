/* Blinded entries: what is kept of a sealed name instead of the name.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * SipHash-2-4 with 128 bits of output, keyed, of a scope octet and the entry's key (host labels
 * reversed, as in name.h; a URL's path behind it).  Who has the key can try names one by one; who
 * has not learns nothing from the hashes.  Two of 2^20 names collide with a chance of 2^-88. */
#ifndef LD_NAME_BLIND_H
#define LD_NAME_BLIND_H

#include <stdint.h>

#include "base/span.h"

enum {
	LD_BLIND_BYTES = 16,
	LD_BLIND_KEY_BYTES = 16,
};

/** Blind an entry: `scope` of enum ld_scope; `key` as ld_host_to_key() makes it; `path` empty but
 * for a URL. */
void ld_blind(uint8_t ret[LD_BLIND_BYTES], const uint8_t key[LD_BLIND_KEY_BYTES], uint8_t scope,
	      struct ld_span name_key, struct ld_span path);

#endif
