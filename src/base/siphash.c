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

/* A message on its way: what is less than a word waits for more. */
struct sip {
	uint64_t v[4], word;
	size_t len;
};

static struct sip
sip_begin(const uint8_t key[LD_SIPHASH_KEY_BYTES])
{
	uint64_t k0 = ld_get_le64(key), k1 = ld_get_le64(key + 8);

	/* "somepseudorandomlygeneratedbytes" */
	return (struct sip){.v = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
				  k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573}};
}

static void
sip_word(struct sip *sip, uint64_t word)
{
	sip->v[3] ^= word;
	mix(sip->v, 2);
	sip->v[0] ^= word;
}

static void
sip_octet(struct sip *sip, uint8_t octet)
{
	sip->word |= (uint64_t)octet << 8 * (sip->len % 8);
	if (++sip->len % 8 == 0) {
		sip_word(sip, sip->word);
		sip->word = 0;
	}
}

static void
sip_add(struct sip *sip, struct ld_span bytes)
{
	size_t at = 0;

	while (at < bytes.len && sip->len % 8 != 0)
		sip_octet(sip, bytes.data[at++]);
	for (; bytes.len - at >= 8; at += 8, sip->len += 8)
		sip_word(sip, ld_get_le64(bytes.data + at));
	while (at < bytes.len)
		sip_octet(sip, bytes.data[at++]);
}

static void
sip_end(struct sip *sip, uint8_t form)
{
	sip_word(sip, sip->word | (uint64_t)sip->len << 56);
	sip->v[2] ^= form;
	mix(sip->v, 4);
}

static uint64_t
sip_number(const struct sip *sip)
{
	return sip->v[0] ^ sip->v[1] ^ sip->v[2] ^ sip->v[3];
}

uint64_t
ld_siphash(const uint8_t key[LD_SIPHASH_KEY_BYTES], struct ld_span bytes)
{
	struct sip sip = sip_begin(key);

	sip_add(&sip, bytes);
	sip_end(&sip, 0xff);
	return sip_number(&sip);
}

void
ld_siphash_128(uint8_t ret[LD_SIPHASH_128_BYTES], const uint8_t key[LD_SIPHASH_KEY_BYTES],
	       struct ld_span bytes, struct ld_span behind)
{
	struct sip sip = sip_begin(key);

	sip.v[1] ^= 0xee;
	sip_add(&sip, bytes);
	sip_add(&sip, behind);
	sip_end(&sip, 0xee);
	ld_put_le64(ret, sip_number(&sip));
	sip.v[1] ^= 0xdd;
	mix(sip.v, 4);
	ld_put_le64(ret + 8, sip_number(&sip));
}
