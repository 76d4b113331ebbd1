/* SPDX-License-Identifier: BSD-2-Clause */
#include "log/bech32.h"

#include <sodium.h>

enum {
	SYMBOLS = (LD_BECH32_VALUE_BYTES * 8 + 4) / 5, /* of five bits */
	CHECKSUM = 6,
};

static const char lower[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
static const char upper[] = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";

static const char *
letters_for(const char *prefix)
{
	return prefix[0] >= 'A' && prefix[0] <= 'Z' ? upper : lower;
}

static uint32_t
polymod_step(uint32_t sum, uint8_t symbol)
{
	static const uint32_t generator[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
					      0x2a1462b3};
	uint32_t top = sum >> 25;

	sum = (sum & 0x1ffffff) << 5 ^ symbol;
	for (unsigned i = 0; i < 5; i++)
		sum ^= (top >> i & 1) != 0 ? generator[i] : 0;
	return sum;
}

/* Over the prefix in lower case and the symbols. */
static uint32_t
checksum(const char *prefix, const uint8_t *symbols, size_t count)
{
	uint32_t sum = 1;

	for (const char *c = prefix; *c != '\0'; c++)
		sum = polymod_step(sum, (uint8_t)(*c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c) >> 5);
	sum = polymod_step(sum, 0);
	for (const char *c = prefix; *c != '\0'; c++)
		sum = polymod_step(sum, (uint8_t)(*c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c) & 31);
	for (size_t i = 0; i < count; i++)
		sum = polymod_step(sum, symbols[i]);
	return sum;
}

/* Symbol `i` of the value; what is past its end is zero. */
static uint8_t
symbol_of(const uint8_t *value, size_t i)
{
	size_t bit = i * 5, octet = bit / 8;
	unsigned window = (unsigned)value[octet] << 8;

	if (octet + 1 < LD_BECH32_VALUE_BYTES)
		window |= value[octet + 1];
	return (uint8_t)(window >> (11 - bit % 8) & 31);
}

void
ld_bech32_write(char *text, const char *prefix, const uint8_t value[LD_BECH32_VALUE_BYTES])
{
	const char *letters = letters_for(prefix);
	uint8_t symbols[SYMBOLS + CHECKSUM] = {0};
	size_t len = strlen(prefix);

	for (size_t i = 0; i < SYMBOLS; i++)
		symbols[i] = symbol_of(value, i);
	uint32_t sum = checksum(prefix, symbols, sizeof symbols) ^ 1;
	for (size_t i = 0; i < CHECKSUM; i++)
		symbols[SYMBOLS + i] = (uint8_t)(sum >> 5 * (CHECKSUM - 1 - i) & 31);
	memcpy(text, prefix, len);
	text[len++] = '1';
	for (size_t i = 0; i < sizeof symbols; i++)
		text[len++] = letters[symbols[i]];
	text[len] = '\0';
	sodium_memzero(symbols, sizeof symbols);
}

static bool
symbols_read(uint8_t symbols[SYMBOLS + CHECKSUM], const char *letters, struct ld_span text)
{
	if (text.len != SYMBOLS + CHECKSUM)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const char *at = text.data[i] != '\0' ? strchr(letters, text.data[i]) : NULL;

		if (at == NULL)
			return false;
		symbols[i] = (uint8_t)(at - letters);
	}
	return true;
}

bool
ld_bech32_read(uint8_t ret[LD_BECH32_VALUE_BYTES], const char *prefix, struct ld_span text)
{
	uint8_t symbols[SYMBOLS + CHECKSUM];
	uint8_t value[LD_BECH32_VALUE_BYTES + 1] = {0};
	struct ld_span head = ld_span_str(prefix);
	bool good = ld_span_starts(text, head) &&
		    ld_span_starts(ld_span_from(text, head.len), LD_SPAN("1")) &&
		    symbols_read(symbols, letters_for(prefix), ld_span_from(text, head.len + 1)) &&
		    checksum(prefix, symbols, sizeof symbols) == 1;

	for (size_t i = 0; good && i < SYMBOLS; i++) {
		size_t bit = i * 5, octet = bit / 8;
		unsigned window = (unsigned)symbols[i] << (11 - bit % 8);

		value[octet] |= (uint8_t)(window >> 8);
		value[octet + 1] |= (uint8_t)window;
	}
	/* Four bits are left over: zero, or this is another text of the same. */
	good = good && value[LD_BECH32_VALUE_BYTES] == 0;
	if (good)
		memcpy(ret, value, LD_BECH32_VALUE_BYTES);
	sodium_memzero(symbols, sizeof symbols);
	sodium_memzero(value, sizeof value);
	return good;
}
