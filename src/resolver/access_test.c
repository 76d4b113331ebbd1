/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may ask: decided before anything else is looked at. */
#include "resolver/test_bench.h"

static struct ld_prefixes *set;

static struct bench *
bench_allowing(const char *text, bool drop)
{
	struct ld_resolver_config config = bench_config;
	struct ld_prefix prefix;
	struct bench *bench;

	assert_int_equal(ld_prefix_from_text(&prefix, ld_span_str(text), NULL), LINDUNG_OK);
	assert_int_equal(ld_prefixes_new(&set, &prefix, 1, NULL, 0), LINDUNG_OK);
	config.access = set;
	config.access_drop = drop;
	bench = bench_new(&config);
	bench->from.address_len = 4;
	memcpy(bench->from.address, "\xc0\0\2\1", 4);
	return bench;
}

static void
bench_end(struct bench *bench)
{
	bench_free(bench);
	ld_prefixes_free(set);
}

static void
who_may_not_ask_is_refused(void **state)
{
	static const struct row rows[] = {
		{{.name = "www.example", .type = A}, "REFUSED qr rd ra | www.example A"},
		{{.name = "casino.example", .type = A, .edns = true},
		 "REFUSED qr rd ra | casino.example A | opt 1232 ede 18"},
		{{.name = "localhost", .type = A, .edns = true},
		 "REFUSED qr rd ra | localhost A | opt 1232 ede 18"},
	};
	struct bench *bench = bench_allowing("192.0.2.128/25", false);

	(void)state;
	CHECK_ROWS(bench, rows);
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_DENIED), 3);
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_REFUSED), 3);
	assert_string_equal(bench_answer_bytes(bench, LD_SPAN("no question at all")), "drop");
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_DROPPED), 1);
	bench->from.address[3] = 128;
	assert_string_equal(bench_answer(bench, (struct ld_show_query){.name = "a", .type = A}),
			    "ask");
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_DENIED), 4);
	/* Nobody knows who asks: then he is none of those who may. */
	bench->from.address_len = 0;
	assert_string_equal(bench_answer(bench, (struct ld_show_query){.name = "a", .type = A}),
			    "REFUSED qr rd ra | a A");
	bench_end(bench);
}

static void
who_may_not_ask_is_not_answered(void **state)
{
	struct bench *bench = bench_allowing("2001:db8::/32", true);

	(void)state;
	assert_string_equal(bench_answer(bench, (struct ld_show_query){.name = "a", .type = A}),
			    "drop");
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_DENIED), 1);
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_DROPPED), 1);
	bench->from.address_len = 16;
	memcpy(bench->from.address, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	assert_string_equal(bench_answer(bench, (struct ld_show_query){.name = "a", .type = A}),
			    "ask");
	bench_end(bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_may_not_ask_is_refused),
		cmocka_unit_test(who_may_not_ask_is_not_answered),
	};

	return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
