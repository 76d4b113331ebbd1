/* SipHash-2-4: a hash keyed by a secret, for values that a stranger must not be able to make.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * As Aumasson and Bernstein defined it (2012), with 64 or 128 bits; RFC 9018 makes the cookies of
 * DNS with it. */
#ifndef LD_BASE_SIPHASH_H
#define LD_BASE_SIPHASH_H

#include <stdint.h>

#include "base/span.h"

enum { LD_SIPHASH_KEY_BYTES = 16, LD_SIPHASH_128_BYTES = 16 };

/** 64 bits; written in little-endian order they are the octets of the definition. */
uint64_t ld_siphash(const uint8_t key[LD_SIPHASH_KEY_BYTES], struct ld_span bytes);

/** 128 bits of `bytes` and what stands behind them in another place (perhaps nothing), as if they
 * were one.  Nothing of them is copied but, in passing, fewer than eight octets. */
void ld_siphash_128(uint8_t ret[LD_SIPHASH_128_BYTES], const uint8_t key[LD_SIPHASH_KEY_BYTES],
		    struct ld_span bytes, struct ld_span behind);

#endif
