/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/rate.h"
#include "resolver/test_bench.h"

static struct ld_from
from_text(const char *text)
{
	struct ld_from from = {.transport = LD_TRANSPORT_UDP};
	struct ld_prefix prefix;

	assert_int_equal(ld_prefix_from_text(&prefix, ld_span_str(text), NULL), LINDUNG_OK);
	from.address_len = prefix.len;
	memcpy(from.address, prefix.octets, prefix.len);
	return from;
}

static struct ld_rate *
rate_new(struct ld_rate_config config)
{
	struct ld_rate *rate = NULL;

	if (config.window_s == 0)
		config.window_s = 15;
	config.prefix4 = 24;
	config.prefix6 = 56;
	assert_int_equal(ld_rate_new(&rate, &config), LINDUNG_OK);
	assert_non_null(rate);
	return rate;
}

/* How many of `count` at once are sent whole. */
static unsigned
sent_of(struct ld_rate *rate, enum ld_rate_kind kind, const char *text, int64_t now_ms,
	unsigned count)
{
	struct ld_from from = from_text(text);
	unsigned sent = 0;

	for (unsigned i = 0; i < count; i++)
		sent += ld_rate_take(rate, kind, &from, now_ms) == LD_RATE_SEND;
	return sent;
}

static void
a_second_goes_out_at_once(void **state)
{
	struct ld_rate *rate = rate_new((struct ld_rate_config){.per_second = 10});

	(void)state;
	assert_int_equal(sent_of(rate, LD_RATE_ANSWER, "192.0.2.1", 1000000, 12), 10);
	/* Two were too many: they are paid for first. */
	assert_int_equal(sent_of(rate, LD_RATE_ANSWER, "192.0.2.1", 1000100, 1), 0);
	assert_int_equal(sent_of(rate, LD_RATE_ANSWER, "192.0.2.1", 1000400, 5), 1);
	/* However long it rests, no more than a second's worth is saved. */
	assert_int_equal(sent_of(rate, LD_RATE_ANSWER, "192.0.2.1", 9000000, 100), 10);
	ld_rate_free(rate);
}

static void
who_keeps_asking_stays_out(void **state)
{
	struct ld_rate *rate = rate_new((struct ld_rate_config){.per_second = 10, .window_s = 3});
	int64_t now_ms = 1000000;
	unsigned sent = 0;

	(void)state;
	/* A hundred a second, for a minute. */
	for (; now_ms < 1060000; now_ms += 10)
		sent += sent_of(rate, LD_RATE_ANSWER, "192.0.2.1", now_ms, 1);
	assert_in_range(sent, 10, 12);
	/* And then no longer than the window. */
	assert_int_equal(sent_of(rate, LD_RATE_ANSWER, "192.0.2.1", now_ms + 2800, 1), 0);
	assert_int_equal(sent_of(rate, LD_RATE_ANSWER, "192.0.2.1", now_ms + 3400, 1), 1);
	ld_rate_free(rate);
}

static void
places_and_kinds_are_apart(void **state)
{
	struct ld_rate *rate =
		rate_new((struct ld_rate_config){.per_second = 5, .nxdomain_per_second = 2});

	(void)state;
	assert_int_equal(sent_of(rate, LD_RATE_ANSWER, "192.0.2.1", 1000000, 9), 5);
	assert_int_equal(sent_of(rate, LD_RATE_ANSWER, "192.0.2.255", 1000000, 9), 0);
	assert_int_equal(sent_of(rate, LD_RATE_ANSWER, "192.0.3.1", 1000000, 9), 5);
	assert_int_equal(sent_of(rate, LD_RATE_NXDOMAIN, "192.0.2.1", 1000000, 9), 2);
	assert_int_equal(sent_of(rate, LD_RATE_NODATA, "192.0.2.1", 1000000, 9), 5);
	assert_int_equal(sent_of(rate, LD_RATE_ERROR, "192.0.2.1", 1000000, 9), 5);
	assert_int_equal(sent_of(rate, LD_RATE_QUERY, "192.0.2.1", 1000000, 9), 9);
	assert_int_equal(sent_of(rate, LD_RATE_ANSWER, "2001:db8::1", 1000000, 9), 5);
	assert_int_equal(sent_of(rate, LD_RATE_ANSWER, "2001:db8:0:ff::1", 1000000, 9), 0);
	assert_int_equal(sent_of(rate, LD_RATE_ANSWER, "2001:db8:0:100::1", 1000000, 9), 5);
	/* The first octets of an IPv6 address are no IPv4 address. */
	assert_int_equal(sent_of(rate, LD_RATE_ANSWER, "c000:200::", 1000000, 9), 5);
	ld_rate_free(rate);
}

static void
clients_are_counted_alone(void **state)
{
	struct ld_rate *rate = rate_new((struct ld_rate_config){.client_per_second = 3});

	(void)state;
	assert_int_equal(sent_of(rate, LD_RATE_QUERY, "192.0.2.1", 1000000, 9), 3);
	assert_int_equal(sent_of(rate, LD_RATE_QUERY, "192.0.2.2", 1000000, 9), 3);
	assert_int_equal(sent_of(rate, LD_RATE_QUERY_PROVEN, "192.0.2.1", 1000000, 9), 3);
	assert_int_equal(sent_of(rate, LD_RATE_ANSWER, "192.0.2.1", 1000000, 9), 9);
	ld_rate_free(rate);
}

static void
some_slip_and_some_leak(void **state)
{
	struct ld_rate *rate =
		rate_new((struct ld_rate_config){.per_second = 1, .slip = 2, .leak = 5});
	struct ld_from from = from_text("192.0.2.1");
	unsigned steps[4] = {0};

	(void)state;
	for (unsigned i = 0; i < 101; i++)
		steps[ld_rate_take(rate, LD_RATE_ANSWER, &from, 1000000)]++;
	assert_int_equal(steps[LD_RATE_SEND], 1);
	assert_int_equal(steps[LD_RATE_LEAK], 20);
	assert_int_equal(steps[LD_RATE_SLIP], 40);
	assert_int_equal(steps[LD_RATE_HOLD], 40);
	ld_rate_free(rate);
}

static void
the_exempt_are_not_counted(void **state)
{
	struct ld_prefix prefix;
	struct ld_prefixes *exempt;
	struct ld_rate *rate;

	(void)state;
	assert_int_equal(ld_prefix_from_text(&prefix, LD_SPAN("192.0.2.0/25"), NULL), LINDUNG_OK);
	assert_int_equal(ld_prefixes_new(&exempt, &prefix, 1, NULL, 0), LINDUNG_OK);
	rate = rate_new((struct ld_rate_config){.per_second = 1, .exempt = exempt});
	assert_int_equal(sent_of(rate, LD_RATE_ANSWER, "192.0.2.1", 1000000, 50), 50);
	assert_int_equal(sent_of(rate, LD_RATE_ANSWER, "192.0.2.129", 1000000, 50), 1);
	ld_rate_free(rate);
	ld_prefixes_free(exempt);
}

/* Many places, in a table that is too small for all: who is shut out is not forgotten for those
 * who ask once. */
static void
a_flood_of_places_forgets_nobody(void **state)
{
	struct ld_rate *rate = rate_new((struct ld_rate_config){.per_second = 5});

	(void)state;
	assert_int_equal(sent_of(rate, LD_RATE_ANSWER, "192.0.2.1", 1000000, 500), 5);
	for (uint32_t i = 0; i < 4 * LD_RATE_ENTRIES; i++) {
		struct ld_from from = {.address_len = 4};

		ld_put_be32(from.address, 0x0a000000 + (i << 8));
		assert_int_equal(ld_rate_take(rate, LD_RATE_ANSWER, &from, 1000100), LD_RATE_SEND);
	}
	assert_int_equal(sent_of(rate, LD_RATE_ANSWER, "192.0.2.1", 1000200, 9), 0);
	ld_rate_free(rate);
}

static void
nothing_is_limited_by_default(void **state)
{
	struct ld_rate_config config = {.window_s = 15, .slip = 2};
	struct ld_rate *rate = (struct ld_rate *)&config;

	(void)state;
	assert_int_equal(ld_rate_new(&rate, &config), LINDUNG_OK);
	assert_null(rate);
	config.error_per_second = 1;
	assert_int_equal(ld_rate_new(&rate, &config), LINDUNG_OK);
	assert_int_equal(sent_of(rate, LD_RATE_ANSWER, "::1", 1000000, 9), 9);
	assert_int_equal(sent_of(rate, LD_RATE_ERROR, "::1", 1000000, 9), 1);
	ld_rate_free(rate);
}

/* ---- In a worker -------------------------------------------------------------------------- */

static struct bench *
bench_limited(struct ld_rate_config rate)
{
	struct ld_resolver_config config = bench_config;
	struct bench *bench;

	config.rate = rate;
	config.rate.window_s = 15;
	config.rate.prefix4 = 24;
	config.rate.prefix6 = 56;
	bench = bench_new(&config);
	bench->from = from_text("192.0.2.1");
	return bench;
}

static void
answers_are_held_back(void **state)
{
	static const struct row rows[] = {
		{{.name = "casino.example", .type = A, .edns = true},
		 "NXDOMAIN qr rd ra | casino.example A" BLOCK_SOA(
			 "casino.example") " | opt 1232" GAMBLING},
		{{.name = "casino.example", .type = A, .edns = true}, "drop"},
		{{.name = "casino.example", .type = A, .edns = true},
		 "NOERROR qr tc rd ra | casino.example A | opt 1232"},
		{{.name = "localhost", .type = A}, "drop"}, /* an answer, too */
		{{.name = "none.test", .type = A},
		 "NXDOMAIN qr rd ra | none.test A" ZONE_SOA("test")},
		{{.name = "none.test", .type = A}, "drop"},
		{{.name = "home.arpa", .type = A},
		 "NOERROR qr rd ra | home.arpa A" ZONE_SOA("home.arpa")},
		{{.name = "home.arpa", .type = A}, "drop"},
		{{.name = "a", .type = LD_TYPE_AXFR}, "REFUSED qr rd ra | a AXFR"},
		{{.name = "a", .type = LD_TYPE_AXFR}, "drop"},
	};
	struct bench *bench = bench_limited((struct ld_rate_config){.per_second = 1, .slip = 2});

	(void)state;
	CHECK_ROWS(bench, rows);
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_RATE_DROPPED), 5);
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_RATE_SLIPPED), 1);
	/* Over TCP nobody asks in another's name. */
	bench->from.transport = LD_TRANSPORT_TCP;
	for (unsigned i = 0; i < 20; i++)
		assert_string_not_equal(bench_answer(bench, rows[0].query), "drop");
	bench_free(bench);
}

static void
answers_from_upstream_are_held_back(void **state)
{
	static const struct ld_show_query query = {.name = "www.example", .type = A};
	static const char response[] = "NOERROR | www.example A | an www.example 60 A 192.0.2.1";
	struct bench *bench = bench_limited((struct ld_rate_config){.per_second = 1});

	(void)state;
	assert_string_equal(bench_answer(bench, query), "ask");
	assert_string_equal(bench_finish(bench, good, response),
			    "NOERROR qr rd ra | www.example A | an www.example 60 A 192.0.2.1");
	assert_string_equal(bench_answer(bench, query), "drop");
	bench->now_ms += 61000;
	assert_string_equal(bench_answer(bench, query), "ask");
	assert_string_not_equal(bench_finish(bench, good, response), "");
	assert_string_equal(bench_answer(bench, query), "drop");
	assert_string_equal(bench_answer(bench, (struct ld_show_query){.name = "b", .type = A}),
			    "ask");
	struct ld_writer w = ld_writer(bench->out, sizeof bench->out);
	ld_worker_finish(bench->worker, bench->now_ms, &bench->ask, &good, &w);
	assert_int_not_equal(w.len, 0); /* the first error */
	w = ld_writer(bench->out, sizeof bench->out);
	ld_worker_finish(bench->worker, bench->now_ms, &bench->ask, &good, &w);
	assert_int_equal(w.len, 0);
	assert_false(w.failed);
	bench_free(bench);
}

static void
queries_of_a_client_are_limited(void **state)
{
	static const struct ld_show_query query = {.name = "localhost", .type = A, .edns = true};
	struct bench *bench =
		bench_limited((struct ld_rate_config){.client_per_second = 2, .slip = 2});

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		assert_string_equal(bench_answer(bench, query),
				    "NOERROR qr rd ra | localhost A | an localhost 10800 A "
				    "127.0.0.1 | opt 1232");
	assert_string_equal(bench_answer(bench, query), "drop");
	assert_string_equal(bench_answer(bench, query),
			    "NOERROR qr tc rd ra | localhost A | opt 1232");
	/* What was asked in his name does not count against him who comes himself. */
	bench->from.transport = LD_TRANSPORT_TLS;
	for (unsigned i = 0; i < 2; i++)
		assert_string_equal(bench_answer(bench, query),
				    "NOERROR qr rd ra | localhost A | an localhost 10800 A "
				    "127.0.0.1 | opt 1232");
	assert_string_equal(bench_answer(bench, query),
			    "REFUSED qr rd ra | localhost A | opt 1232 ede 31");
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_RATE_REFUSED), 1);
	bench_free(bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_goes_out_at_once),
		cmocka_unit_test(who_keeps_asking_stays_out),
		cmocka_unit_test(places_and_kinds_are_apart),
		cmocka_unit_test(clients_are_counted_alone),
		cmocka_unit_test(some_slip_and_some_leak),
		cmocka_unit_test(the_exempt_are_not_counted),
		cmocka_unit_test(a_flood_of_places_forgets_nobody),
		cmocka_unit_test(nothing_is_limited_by_default),
		cmocka_unit_test(answers_are_held_back),
		cmocka_unit_test(answers_from_upstream_are_held_back),
		cmocka_unit_test(queries_of_a_client_are_limited),
	};

	return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
