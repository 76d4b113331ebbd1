/* The second half of building: keys in order become blocks of bits.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_INDEX_ENCODE_H
#define LD_INDEX_ENCODE_H

#include "index/dictionary.h"
#include "index/gather.h"
#include "index/huffman.h"

enum { LD_ENCODE_THREADS_MAX = 16 };

struct ld_encoded {
	struct ld_dictionary *dictionary;
	uint8_t shape_lengths[LD_SHAPE_SYMBOLS];
	uint8_t tuple_lengths[LD_HUFFMAN_SYMBOLS_MAX];
	uint32_t coded_tuples;
	uint32_t block_count;
	uint32_t *block_bytes;                          /* of each block */
	struct ld_buffer blocks[LD_ENCODE_THREADS_MAX]; /* all of them, one behind the other */
	unsigned buffer_count;
};

/** Train the codes and encode all keys with `threads` threads.
 * Errors: LINDUNG_ENOMEM, LINDUNG_EIO (of the scratch file). */
int ld_encode(struct ld_encoded *ret, const struct ld_gathered *keys, unsigned threads);
void ld_encoded_free(struct ld_encoded *encoded);

#endif
