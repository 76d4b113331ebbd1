/* The dictionary of an image: up to 4096 strings of 1 to 8 octets, of which keys are put together.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Trained on a sample of what has to be stored, in rounds: encode the sample with what is there,
 * count how often each string and each pair of neighbours came, keep those that save most (the idea
 * of FSST: Boncz, Neumann, Leis, PVLDB 13(11), 2020, with 12-bit codes and shortest parses). */
#ifndef LD_INDEX_DICTIONARY_H
#define LD_INDEX_DICTIONARY_H

#include "base/bytes.h"
#include "index/format.h"

enum { LD_DICTIONARY_SLOTS = 16384 };

struct ld_dictionary {
	uint32_t count;
	uint64_t texts[LD_INDEX_SYMBOLS_MAX]; /* little endian, zeros behind */
	uint8_t lens[LD_INDEX_SYMBOLS_MAX];
	/* To find a string: open addressing, code + 1. */
	uint16_t slots[LD_DICTIONARY_SLOTS];
	/* The longest string that begins with these two octets (hashed): bounds the search. */
	uint8_t longest[65536];
};

/** A dictionary of the octets set in `octets` (256 flags) and what `samples` teaches: strings, each
 * a u16 length (as ld_put_le16) and its octets.  A pure function of both.
 * Errors: LINDUNG_ENOMEM. */
int ld_dictionary_train(struct ld_dictionary *dictionary, const bool octets[256],
			struct ld_span samples);

/** Codes for `text` (<= LD_INDEX_KEY_MAX octets, all of them known), as few as can be.  Returns
 * how many. */
uint32_t ld_dictionary_encode(const struct ld_dictionary *dictionary, struct ld_span text,
			      uint16_t codes[LD_INDEX_KEY_MAX]);

#endif
