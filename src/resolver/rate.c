/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/rate.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/siphash.h"

enum {
	SECOND_US = 1000000,
	SETS = LD_RATE_ENTRIES / LD_RATE_WAYS,
	CLIENT_BITS4 = 32,
	KEY_BYTES = 1 + 16,
};

struct bucket {
	uint32_t tag; /* of the hash what does not choose the set; not 0 in use */
	uint32_t held;
	int64_t until_us;
};

struct ld_rate {
	struct ld_rate_config config;
	int64_t costs_us[LD_RATE_KINDS]; /* 0: not limited */
	uint8_t secret[LD_SIPHASH_KEY_BYTES];
	_Alignas(64) struct bucket sets[SETS][LD_RATE_WAYS]; /* a set is a line of the cache */
};

/* What one of each kind costs.  False: nothing is limited. */
static bool
costs_make(int64_t costs_us[LD_RATE_KINDS], const struct ld_rate_config *config)
{
	const uint32_t rates[LD_RATE_KINDS] = {
		[LD_RATE_ANSWER] = config->per_second,
		[LD_RATE_NODATA] = config->nodata_per_second,
		[LD_RATE_NXDOMAIN] = config->nxdomain_per_second,
		[LD_RATE_ERROR] = config->error_per_second,
		[LD_RATE_QUERY] = config->client_per_second,
		[LD_RATE_QUERY_PROVEN] = config->client_per_second,
	};
	bool limited = false;

	for (unsigned kind = 0; kind < LD_RATE_KINDS; kind++) {
		uint32_t rate = rates[kind];

		if (rate == 0 && kind < LD_RATE_QUERY)
			rate = config->per_second;
		costs_us[kind] = rate != 0 ? SECOND_US / rate : 0;
		limited |= rate != 0;
	}
	return limited;
}

int
ld_rate_new(struct ld_rate **ret, const struct ld_rate_config *config)
{
	int64_t costs_us[LD_RATE_KINDS];
	struct ld_rate *rate;

	if (!costs_make(costs_us, config)) {
		*ret = NULL;
		return LINDUNG_OK;
	}
	rate = aligned_alloc(_Alignof(struct ld_rate), sizeof *rate);
	if (rate == NULL)
		return LINDUNG_ENOMEM;
	memset(rate, 0, sizeof *rate);
	rate->config = *config;
	memcpy(rate->costs_us, costs_us, sizeof costs_us);
	if (getrandom(rate->secret, sizeof rate->secret, 0) != sizeof rate->secret) {
		ld_rate_free(rate);
		return LINDUNG_EIO;
	}
	*ret = rate;
	return LINDUNG_OK;
}

void
ld_rate_free(struct ld_rate *rate)
{
	free(rate);
}

/* The kind, and of the address as many bits as make a place. */
static uint64_t
place_hash(const struct ld_rate *rate, enum ld_rate_kind kind, const struct ld_from *from)
{
	bool is_query = kind == LD_RATE_QUERY || kind == LD_RATE_QUERY_PROVEN;
	uint8_t key[KEY_BYTES] = {(uint8_t)(kind << 1 | (from->address_len == 16))};
	unsigned bits = rate->config.prefix6;

	if (from->address_len != 16)
		bits = is_query ? CLIENT_BITS4 : rate->config.prefix4;
	memcpy(key + 1, from->address, bits / 8);
	if (bits % 8 != 0)
		key[1 + bits / 8] = (uint8_t)(from->address[bits / 8] & 0xff00 >> bits % 8);
	return ld_siphash(rate->secret, ld_span(key, sizeof key));
}

static struct bucket *
bucket_find(struct ld_rate *rate, uint64_t hash)
{
	struct bucket *set = rate->sets[hash % SETS], *rested = set;
	uint32_t tag = (uint32_t)(hash >> 32) | 1;

	for (unsigned i = 0; i < LD_RATE_WAYS; i++) {
		if (set[i].tag == tag)
			return &set[i];
		if (set[i].until_us < rested->until_us)
			rested = &set[i];
	}
	*rested = (struct bucket){.tag = tag, .until_us = INT64_MIN};
	return rested;
}

enum ld_rate_step
ld_rate_take(struct ld_rate *rate, enum ld_rate_kind kind, const struct ld_from *from,
	     int64_t now_ms)
{
	const struct ld_rate_config *config = &rate->config;
	int64_t now_us = now_ms * 1000, last_us = now_us + config->window_s * (int64_t)SECOND_US;
	struct bucket *bucket;

	if (rate->costs_us[kind] == 0 ||
	    ld_prefixes_hold(config->exempt, from->address, from->address_len))
		return LD_RATE_SEND;
	bucket = bucket_find(rate, place_hash(rate, kind, from));
	if (bucket->until_us < now_us - SECOND_US)
		bucket->until_us = now_us - SECOND_US;
	bucket->until_us += rate->costs_us[kind];
	if (bucket->until_us <= now_us)
		return LD_RATE_SEND;
	if (bucket->until_us > last_us)
		bucket->until_us = last_us;
	bucket->held++;
	if (config->leak != 0 && bucket->held % config->leak == 0)
		return LD_RATE_LEAK;
	if (config->slip != 0 && bucket->held % config->slip == 0)
		return LD_RATE_SLIP;
	return LD_RATE_HOLD;
}
