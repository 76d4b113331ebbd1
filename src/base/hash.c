/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hash.h"

#include "base/bytes.h"

/* Odd numbers with about as many ones as zeros: the fraction bits of the square roots of 2, 3, 5
 * and 7, the lowest bit set. */
#define K0 0x6a09e667f3bcc909u
#define K1 0xbb67ae8584caa73bu
#define K2 0x3c6ef372fe94f82bu
#define K3 0xa54ff53a5f1d36f1u

uint64_t
ld_hash_bytes(struct ld_span bytes, uint64_t seed)
{
	uint64_t hash = ld_mix64(seed ^ K0, K1);
	const uint8_t *at = bytes.data;
	size_t left = bytes.len;
	uint8_t tail[16] = {0};

	for (; left >= 16; at += 16, left -= 16)
		hash = ld_mix64(ld_get_le64(at) ^ K1, ld_get_le64(at + 8) ^ hash);
	if (left != 0)
		memcpy(tail, at, left);
	hash = ld_mix64(ld_get_le64(tail) ^ K2, ld_get_le64(tail + 8) ^ hash);
	return ld_mix64(hash ^ K3, bytes.len ^ K0);
}
