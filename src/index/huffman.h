/* Canonical prefix codes of at most 12 bits, written least significant bit first.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_INDEX_HUFFMAN_H
#define LD_INDEX_HUFFMAN_H

#include "base/error.h"
#include "base/span.h"

enum {
	LD_HUFFMAN_BITS_MAX = 12,
	LD_HUFFMAN_SYMBOLS_MAX = 2048,
};

/** For each 12 bits to come: symbol << 4 | length of its code; 0 where no code fits. */
struct ld_huffman {
	uint16_t table[1 << LD_HUFFMAN_BITS_MAX];
};

/** Code lengths (0: no code) for `count` <= LD_HUFFMAN_SYMBOLS_MAX symbols of these frequencies.
 * Optimal but for the limit of 12 bits, and a pure function of the frequencies. */
int ld_huffman_lengths(uint8_t *lengths, const uint64_t *frequencies, unsigned count);

/** The codes themselves, bits reversed for writing. */
void ld_huffman_codes(uint16_t *codes, const uint8_t *lengths, unsigned count);

/** The decoder.  Errors: LINDUNG_EDAMAGED (lengths that are no prefix code). */
int ld_huffman_decoder(struct ld_huffman *ret, struct ld_span lengths);

#endif
