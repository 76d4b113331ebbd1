/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/siphash.h"

#include "base/bytes.h"

static uint64_t
turn(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void
mix(uint64_t v[4], unsigned rounds)
{
	while (rounds-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = turn(v[1], 13) ^ v[0];
		v[3] = turn(v[3], 16) ^ v[2];
		v[0] = turn(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = turn(v[1], 17) ^ v[2];
		v[3] = turn(v[3], 21) ^ v[0];
		v[2] = turn(v[2], 32);
	}
}

uint64_t
ld_siphash(const uint8_t key[LD_SIPHASH_KEY_BYTES], struct ld_span bytes)
{
	uint64_t k0 = ld_get_le64(key), k1 = ld_get_le64(key + 8);
	/* "somepseudorandomlygeneratedbytes" */
	uint64_t v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
			 k1 ^ 0x7465646279746573};
	uint8_t tail[8] = {[7] = (uint8_t)bytes.len};
	size_t at = 0;

	for (; bytes.len - at >= 8; at += 8) {
		uint64_t word = ld_get_le64(bytes.data + at);

		v[3] ^= word;
		mix(v, 2);
		v[0] ^= word;
	}
	if (at < bytes.len)
		memcpy(tail, bytes.data + at, bytes.len - at);
	uint64_t last = ld_get_le64(tail);
	v[3] ^= last;
	mix(v, 2);
	v[0] ^= last;
	v[2] ^= 0xff;
	mix(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
