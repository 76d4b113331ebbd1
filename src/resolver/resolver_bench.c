/* SPDX-License-Identifier: BSD-2-Clause */
/* Nanoseconds a query, from bytes to bytes, on one core, with a list of one entry: what is measured
 * is everything but the index. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "resolver/cookie.h"
#include "resolver/fake_list.h"
#include "resolver/resolver.h"
#include "upstream/upstream.h"
#include "wire/show.h"

enum {
	NAMES = 4096, /* so that it is not one entry that is always in the first-level cache */
	ROUNDS = 500,
};

static const struct fake_entry entries[] = {
	{.name = "casino.example", .category = "gambling", .action = LINDUNG_BLOCK},
};

struct query {
	uint8_t bytes[128];
	size_t len;
};

static struct query queries[NAMES];

static const uint8_t secret[LD_COOKIE_SECRET_BYTES] = "sixteen octets..";

static const struct ld_from from = {
	.transport = LD_TRANSPORT_UDP,
	.address_len = 4,
	.address = {192, 0, 2, 1},
};

static uint32_t
unix_s(void)
{
	return 1700000000;
}

/* A cookie that proves the address. */
static struct ld_span
cookie_option(void)
{
	static uint8_t option[4 + LD_COOKIE_BYTES] = {0, LD_OPTION_COOKIE, 0, LD_COOKIE_BYTES};
	struct ld_cookie_secrets secrets;

	ld_cookie_secrets_init(&secrets, secret, 1);
	ld_cookie_take(&secrets, NULL, LD_SPAN("client01"), ld_span(from.address, from.address_len),
		       unix_s(), option + 4);
	return ld_span(option, sizeof option);
}

static void
make_queries(const char *zone, bool edns, struct ld_span options)
{
	for (unsigned i = 0; i < NAMES; i++) {
		char name[64];
		struct ld_writer w = ld_writer(queries[i].bytes, sizeof queries[i].bytes);

		snprintf(name, sizeof name, "www%u.%s", i, zone);
		ld_show_build_query(&w, &(struct ld_show_query){.name = name,
								.type = LD_TYPE_A,
								.edns = edns,
								.options = options});
		queries[i].len = w.len;
	}
}

static void
learn(struct ld_worker *worker, const struct ld_ask *ask)
{
	uint8_t memory[512];
	char text[512], name[64];
	struct ld_writer w = ld_writer(memory, sizeof memory);
	struct ld_upstream_result result = {.ede = -1};

	ld_name_to_text(&ask->name, name);
	snprintf(text, sizeof text,
		 "NOERROR | %s A | an %s 3600 CNAME cdn.%s | an cdn.%s 3600 A "
		 "192.0.2.1 | an cdn.%s 3600 A 192.0.2.2",
		 name, name, name, name, name);
	ld_show_build_response(&w, text);
	result.message = ld_span(w.data, w.len);
	ld_worker_learn(worker, 0, ask, &result);
}

/* Median of the rounds, so that a neighbour on the machine does not count. */
static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
measure(struct ld_worker *worker, const char *what)
{
	static double rounds[ROUNDS];
	static uint8_t memory[4096];
	struct ld_ask ask;
	unsigned asks = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		int64_t start = ld_clock_ns();

		for (unsigned i = 0; i < NAMES; i++) {
			struct ld_writer w = ld_writer(memory, sizeof memory);
			enum ld_step step = ld_worker_query(
				worker, &from, 1000 + round,
				ld_span(queries[i].bytes, queries[i].len), &w, &ask);

			if (step == LD_STEP_ASK) {
				learn(worker, &ask);
				asks++;
			}
		}
		rounds[round] = (double)(ld_clock_ns() - start) / NAMES;
	}
	qsort(rounds, ROUNDS, sizeof *rounds, by_size);
	printf("%-32s %6.0f ns a query (least %.0f), %u of %u asked upstream\n", what,
	       rounds[ROUNDS / 2], rounds[0], asks, NAMES * ROUNDS);
}

int
main(void)
{
	struct ld_resolver_config config = {
		.block_ttl_s = 30,
		.block_ede = 17,
		.cache_bytes = 16 << 20,
		.cache_ttl_max_s = 86400,
		.cache_negative_ttl_max_s = 900,
		.udp_payload_bytes = 1232,
		.canaries = true,
		.unix_s = unix_s,
		.cookie_secrets = secret,
		.cookie_secret_count = 1,
	};
	struct ld_span none = {NULL, 0};
	struct lindung *list = fake_list_new(entries, 1);
	struct ld_resolver *resolver;
	struct ld_worker *worker;

	if (ld_resolver_new(&resolver, &config, NULL) != LINDUNG_OK ||
	    ld_worker_new(&worker, resolver) != LINDUNG_OK)
		return 1;
	ld_worker_set_list(worker, list);
	make_queries("casino.example", false, none);
	measure(worker, "closed, without EDNS");
	make_queries("casino.example", true, none);
	measure(worker, "closed, with EDNS and reason");
	make_queries("casino.example", true, cookie_option());
	measure(worker, "the same, with a cookie of ours");
	make_queries("open.example", false, none);
	measure(worker, "from the cache, without EDNS");
	make_queries("open.example", true, none);
	measure(worker, "from the cache, with EDNS");
	ld_worker_free(worker);
	ld_resolver_free(resolver);
	fake_list_free(list);
	return 0;
}
