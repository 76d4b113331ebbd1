/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/test_bench.h"

static const char *const allowed[] = {"school.example"};

static struct bench *
bench_protected(void)
{
	struct ld_resolver_config config = bench_config;

	config.rebinding_protection = true;
	config.rebinding_allowed = allowed;
	config.rebinding_allowed_count = 1;
	return bench_new(&config);
}

/* What a client gets of an answer with this record. */
static const char *
told(struct bench *bench, const char *name, uint16_t type, const char *record)
{
	char response[512];

	bench->now_ms += 100000;
	assert_string_equal(
		bench_answer(bench,
			     (struct ld_show_query){.name = name, .type = type, .edns = true}),
		"ask");
	snprintf(response, sizeof response, "NOERROR | %s %s | an %s 60 %s", name,
		 type == A               ? "A"
		 : type == LD_TYPE_AAAA  ? "AAAA"
		 : type == LD_TYPE_HTTPS ? "HTTPS"
					 : "SVCB",
		 name, record);
	return bench_finish(bench, good, response);
}

static void
private_addresses_are_not_told(void **state)
{
	static const struct {
		uint16_t type;
		const char *record;
		bool refused;
	} rows[] = {
		{A, "A 10.0.0.0", true},
		{A, "A 10.255.255.255", true},
		{A, "A 9.255.255.255", false},
		{A, "A 11.0.0.0", false},
		{A, "A 0.0.0.0", true},
		{A, "A 0.255.255.255", true},
		{A, "A 1.0.0.0", false},
		{A, "A 127.0.0.1", true},
		{A, "A 127.255.255.255", true},
		{A, "A 128.0.0.1", false},
		{A, "A 100.64.0.0", true},
		{A, "A 100.127.255.255", true},
		{A, "A 100.63.255.255", false},
		{A, "A 100.128.0.0", false},
		{A, "A 169.254.169.254", true},
		{A, "A 169.253.255.255", false},
		{A, "A 172.16.0.0", true},
		{A, "A 172.31.255.255", true},
		{A, "A 172.15.255.255", false},
		{A, "A 172.32.0.0", false},
		{A, "A 192.168.0.0", true},
		{A, "A 192.169.0.0", false},
		{A, "A 192.0.2.1", false},
		{LD_TYPE_AAAA, "AAAA ::", true},
		{LD_TYPE_AAAA, "AAAA ::1", true},
		{LD_TYPE_AAAA, "AAAA ::127.0.0.1", true},
		{LD_TYPE_AAAA, "AAAA ::ffff:192.168.1.1", true},
		{LD_TYPE_AAAA, "AAAA ::ffff:192.0.2.1", false},
		{LD_TYPE_AAAA, "AAAA 64:ff9b::10.0.0.1", true},
		{LD_TYPE_AAAA, "AAAA 64:ff9b::192.0.2.1", false},
		{LD_TYPE_AAAA, "AAAA fc00::1", true},
		{LD_TYPE_AAAA, "AAAA fdff:ffff::1", true},
		{LD_TYPE_AAAA, "AAAA fbff::1", false},
		{LD_TYPE_AAAA, "AAAA fe80::1", true},
		{LD_TYPE_AAAA, "AAAA febf::1", true},
		{LD_TYPE_AAAA, "AAAA fec0::1", true},
		{LD_TYPE_AAAA, "AAAA fe00::1", false},
		{LD_TYPE_AAAA, "AAAA ff02::1", false},
		{LD_TYPE_AAAA, "AAAA 2001:db8::1", false},
		/* Hints: alpn, then ipv4hint 192.0.2.1 and 10.0.0.1; or ipv6hint fd00::1. */
		{LD_TYPE_HTTPS, "HTTPS #0001000001000302683200040008c00002010a000001", true},
		{LD_TYPE_HTTPS, "HTTPS #0001000001000302683200040004c0000201", false},
		{LD_TYPE_SVCB, "SVCB #00010000060010fd000000000000000000000000000001", true},
		{LD_TYPE_SVCB, "SVCB #0001000006001020010db8000000000000000000000001", false},
		/* A length that leads out of it is malformed, which others say. */
		{LD_TYPE_SVCB, "SVCB #000100000400080a000001", false},
	};
	struct bench *bench = bench_protected();

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *shown = told(bench, "a.example", rows[i].type, rows[i].record);
		bool refused = strstr(shown, BLOCK_SOA("a.example") " | opt 1232 ede 17 Blocked: "
								    "DNS rebinding") != NULL;

		if (refused != rows[i].refused || (refused && strstr(shown, " | an ") != NULL))
			fail_msg("%s: %s", rows[i].record, shown);
	}
	bench_free(bench);
}

static void
one_such_address_is_enough(void **state)
{
	struct bench *bench = bench_protected();
	const char *refused = "NOERROR qr rd ra | a.example A" BLOCK_SOA(
		"a.example") " | opt 1232 ede 17 Blocked: DNS rebinding";
	struct ld_show_query query = {.name = "a.example", .type = A, .edns = true};

	(void)state;
	assert_string_equal(bench_answer(bench, query), "ask");
	assert_string_equal(
		bench_finish(bench, validated,
			     "NOERROR | a.example A | an a.example 60 CNAME b.example | an "
			     "b.example 60 A 192.0.2.1 | an b.example 60 A 10.0.0.1"),
		refused);
	/* It is remembered, for as long as an answer for a closed name holds. */
	assert_string_equal(bench_answer(bench, query), refused);
	query.dnssec_ok = true;
	query.flags = LD_FLAG_AD;
	assert_string_equal(bench_answer(bench, query),
			    "NOERROR qr rd ra | a.example A" BLOCK_SOA(
				    "a.example") " | opt 1232 do ede 17 Blocked: DNS rebinding");
	bench->now_ms += 29999;
	assert_string_not_equal(bench_answer(bench, query), "ask");
	bench->now_ms += 1;
	assert_string_equal(bench_answer(bench, query), "ask");
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_REBINDING), 4);
	bench_free(bench);
}

/* The name that was asked for must be allowed: an alias could lead from anywhere to it. */
static void
a_domain_may_be_allowed(void **state)
{
	struct bench *bench = bench_protected();

	(void)state;
	assert_non_null(
		strstr(told(bench, "nas.school.example", A, "A 10.0.0.1"), " A 10.0.0.1 |"));
	assert_non_null(strstr(told(bench, "School.Example", A, "A 10.0.0.1"), " A 10.0.0.1 |"));
	assert_null(strstr(told(bench, "a.preschool.example", A, "A 10.0.0.1"), "10.0.0.1"));
	assert_null(strstr(told(bench, "evil.example", A,
				"CNAME nas.school.example | an nas.school.example 60 A 10.0.0.1"),
			   "10.0.0.1"));
	bench_free(bench);
	/* Without protection all is told. */
	bench = bench_new(&bench_config);
	assert_non_null(strstr(told(bench, "a.example", A, "A 10.0.0.1"), " A 10.0.0.1 |"));
	bench_free(bench);
}

/* 0.0.0.0 of an upstream that filters is no rebinding, but is not told either. */
static void
upstream_that_filters_without_saying_so(void **state)
{
	struct ld_resolver_config config = bench_config;
	static const struct {
		const char *response, *told;
	} rows[] = {
		{"NOERROR | a.example A | an a.example 60 A 0.0.0.0",
		 "NOERROR qr rd ra | a.example A" BLOCK_SOA("a.example") " | opt 1232 ede 35"},
		{"NXDOMAIN | a.example A", "NXDOMAIN qr rd ra | a.example A | opt 1232 ede 35"},
		{"NOERROR | a.example A", "NOERROR qr rd ra | a.example A | opt 1232 ede 35"},
		{"NXDOMAIN | a.example A | au example 60 SOA ns.example 60",
		 "NXDOMAIN qr rd ra | a.example A | au example 60 SOA ns.example 60 | opt 1232"},
		{"NOERROR | a.example A | an a.example 60 A 192.0.2.1",
		 "NOERROR qr rd ra | a.example A | an a.example 60 A 192.0.2.1 | opt 1232"},
	};

	(void)state;
	config.rebinding_protection = config.upstream_filters = true;
	struct bench *bench = bench_new(&config);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bench->now_ms += 100000;
		assert_string_equal(bench_answer(bench, (struct ld_show_query){.name = "a.example",
									       .type = A,
									       .edns = true}),
				    "ask");
		assert_string_equal(bench_finish(bench, good, rows[i].response), rows[i].told);
	}
	bench_free(bench);
	config.upstream_filters = false;
	bench = bench_new(&config);
	bench_answer(bench, (struct ld_show_query){.name = "a.example", .type = A, .edns = true});
	assert_string_equal(bench_finish(bench, good, "NXDOMAIN | a.example A"),
			    "NXDOMAIN qr rd ra | a.example A | opt 1232");
	bench_free(bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(private_addresses_are_not_told),
		cmocka_unit_test(one_such_address_is_enough),
		cmocka_unit_test(a_domain_may_be_allowed),
		cmocka_unit_test(upstream_that_filters_without_saying_so),
	};

	return cmocka_run_group_tests_name("rebind", tests, NULL, NULL);
}
