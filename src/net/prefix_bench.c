/* SPDX-License-Identifier: BSD-2-Clause */
/* Nanoseconds to look an address up: in the networks that may ask by default, and in 65536. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/prefix.h"

enum { ADDRESSES = 4096, ROUNDS = 5000 };

static uint8_t addresses[ADDRESSES][16];
static struct ld_prefix many[LD_PREFIXES_MAX];

static struct ld_prefixes *
set_of(const struct ld_prefix *prefixes, unsigned count)
{
	struct ld_prefixes *set;

	LD_ASSERT(ld_prefixes_new(&set, prefixes, count, NULL, 0) == LINDUNG_OK);
	return set;
}

static void
measure(const char *what, const struct ld_prefixes *set, unsigned len)
{
	unsigned held = 0;
	int64_t start = ld_clock_ns(), took_ns;

	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 0; i < ADDRESSES; i++)
			held += ld_prefixes_hold(set, addresses[i], len);
	took_ns = ld_clock_ns() - start;
	printf("%-32s %5.1f ns (%u held)\n", what, (double)took_ns / ((double)ADDRESSES * ROUNDS),
	       held / ROUNDS);
}

int
main(void)
{
	static const char *const local[] = {"127.0.0.0/8",    "10.0.0.0/8",     "172.16.0.0/12",
					    "192.168.0.0/16", "169.254.0.0/16", "::1",
					    "fc00::/7",       "fe80::/10"};
	struct ld_prefix prefixes[8];
	struct ld_prefixes *set;

	srand(1);
	for (unsigned i = 0; i < ADDRESSES * 16; i++)
		addresses[i / 16][i % 16] = (uint8_t)rand();
	for (unsigned i = 0; i < ADDRESSES; i += 2)
		addresses[i][0] = 10; /* half of IPv4 may ask */
	for (unsigned i = 0; i < 8; i++)
		LD_ASSERT(ld_prefix_from_text(&prefixes[i], ld_span_str(local[i]), NULL) ==
			  LINDUNG_OK);
	set = set_of(prefixes, 8);
	measure("the default, IPv4", set, 4);
	measure("the default, IPv6", set, 16);
	ld_prefixes_free(set);
	for (unsigned i = 0; i < LD_PREFIXES_MAX; i++) {
		many[i].len = i % 2 ? 4 : 16;
		many[i].bits = 24;
		for (unsigned k = 0; k < 3; k++)
			many[i].octets[k] = (uint8_t)rand();
	}
	set = set_of(many, LD_PREFIXES_MAX);
	measure("65536 prefixes, IPv4", set, 4);
	measure("65536 prefixes, IPv6", set, 16);
	ld_prefixes_free(set);
	return 0;
}
