/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "resolver/fake_list.h"
#include "resolver/resolver.h"
#include "upstream/upstream.h"
#include "wire/show.h"

static const struct fake_entry entries[] = {
	{.name = "casino.example", .category = "gambling", .action = LINDUNG_BLOCK},
	{.name = "shop.casino.example", .category = "gambling", .action = LINDUNG_ALLOW},
	{.name = "adult.example", .category = "adult", .action = LINDUNG_BLOCK},
	{.name = "onion", .category = "adult", .action = LINDUNG_BLOCK},
	{.name = "search.example",
	 .category = "safesearch",
	 .action = LINDUNG_REWRITE,
	 .target = "CNAME safe.example"},
	{.name = "img.example",
	 .category = "safesearch",
	 .action = LINDUNG_REWRITE,
	 .target = "A 192.0.2.9"},
	{.name = "img6.example",
	 .category = "safesearch",
	 .action = LINDUNG_REWRITE,
	 .target = "AAAA 2001:db8::9"},
	{.name = "help.adult.example",
	 .category = "adult",
	 .action = LINDUNG_ALLOW,
	 .is_protected = true},
};

static const struct ld_resolver_config plain_config = {
	.block_mode = LD_BLOCK_NXDOMAIN,
	.block_ttl_s = 30,
	.block_ede = 17,
	.cache_bytes = 1 << 20,
	.cache_ttl_max_s = 86400,
	.cache_negative_ttl_max_s = 900,
	.udp_payload_bytes = 1232,
};

/* A worker and what belongs to it. */
struct bench {
	struct ld_resolver *resolver;
	struct ld_worker *worker;
	struct lindung *list;
	struct ld_from from;
	int64_t now_ms;
	struct ld_ask ask;
	uint8_t out[LD_MESSAGE_MAX_BYTES];
	size_t out_len;
};

static struct bench *
bench_new(const struct ld_resolver_config *config)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct ld_report report;

	assert_non_null(bench);
	assert_int_equal(ld_resolver_new(&bench->resolver, config, &report), LINDUNG_OK);
	assert_int_equal(ld_worker_new(&bench->worker, bench->resolver), LINDUNG_OK);
	bench->list = fake_list_new(entries, sizeof entries / sizeof *entries);
	ld_worker_set_list(bench->worker, bench->list);
	bench->now_ms = 1000000;
	return bench;
}

static void
bench_free(struct bench *bench)
{
	ld_worker_free(bench->worker);
	ld_resolver_free(bench->resolver);
	fake_list_free(bench->list);
	free(bench);
}

/* The answer to these octets as a line; "drop" or "ask" where there is none. */
static const char *
answer_bytes(struct bench *bench, struct ld_span query)
{
	struct ld_writer w = ld_writer(bench->out, sizeof bench->out);
	enum ld_step step =
		ld_worker_query(bench->worker, &bench->from, bench->now_ms, query, &w, &bench->ask);

	bench->out_len = w.len;
	if (step != LD_STEP_ANSWER)
		return step == LD_STEP_DROP ? "drop" : "ask";
	assert_false(w.failed);
	assert_int_equal(ld_get_be16(w.data), ld_get_be16(query.data));
	return ld_show_message(ld_span(w.data, w.len));
}

static const char *
answer(struct bench *bench, struct ld_show_query query)
{
	uint8_t memory[512];
	struct ld_writer w = ld_writer(memory, sizeof memory);

	ld_show_build_query(&w, &query);
	assert_false(w.failed);
	return answer_bytes(bench, ld_span(w.data, w.len));
}

/* Upstream says this to what was asked last: learnt, and finished for that client. */
static const char *
finish(struct bench *bench, struct ld_upstream_result result, const char *response)
{
	static uint8_t memory[LD_MESSAGE_MAX_BYTES];
	struct ld_writer message = ld_writer(memory, sizeof memory);
	struct ld_writer w = ld_writer(bench->out, sizeof bench->out);

	if (response != NULL) {
		ld_show_build_response(&message, response);
		result.message = ld_span(message.data, message.len);
	}
	ld_worker_learn(bench->worker, bench->now_ms, &bench->ask, &result);
	ld_worker_finish(bench->worker, bench->now_ms, &bench->ask, &result, &w);
	bench->out_len = w.len;
	assert_false(w.failed);
	return ld_show_message(ld_span(w.data, w.len));
}

static const struct ld_upstream_result good = {.ede = -1};
static const struct ld_upstream_result validated = {.ede = -1, .secure = true};

#define A LD_TYPE_A
#define SOA_OF(owner, zone) " | au " owner " 30 SOA " zone " 30"
#define BLOCK_SOA(owner) " | au " owner " 30 SOA lindung.invalid 30"
#define GAMBLING " ede 17 Blocked: gambling (list fake)"

struct row {
	struct ld_show_query query;
	const char *answer;
};

static void
check_rows(struct bench *bench, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *got = answer(bench, rows[i].query);

		if (strcmp(got, rows[i].answer) != 0)
			fail_msg("row %zu, %s:\n   got %s\nwanted %s", i, rows[i].query.name, got,
				 rows[i].answer);
	}
}

#define CHECK_ROWS(bench, rows) check_rows(bench, rows, sizeof rows / sizeof *rows)

static void
closed_names_do_not_exist(void **state)
{
	static const struct row rows[] = {
		{{.name = "casino.example", .type = A},
		 "NXDOMAIN qr rd ra | casino.example A" BLOCK_SOA("casino.example")},
		{{.name = "WWW.Casino.exAMPle", .type = A},
		 "NXDOMAIN qr rd ra | WWW.Casino.exAMPle A" BLOCK_SOA("Casino.exAMPle")},
		{{.name = "a.b.casino.example", .type = A, .edns = true},
		 "NXDOMAIN qr rd ra | a.b.casino.example A" BLOCK_SOA(
			 "casino.example") " | opt 1232" GAMBLING},
		/* DO is copied; nothing is signed, and nothing claims to be. */
		{{.name = "casino.example",
		  .type = A,
		  .edns = true,
		  .dnssec_ok = true,
		  .flags = LD_FLAG_AD},
		 "NXDOMAIN qr rd ra | casino.example A" BLOCK_SOA(
			 "casino.example") " | opt 1232 do" GAMBLING},
		{{.name = "casino.example", .type = A, .flags = LD_FLAG_CD},
		 "NXDOMAIN qr rd ra cd | casino.example A" BLOCK_SOA("casino.example")},
		{{.name = "casino.example", .type = A, .no_rd = true},
		 "NXDOMAIN qr ra | casino.example A" BLOCK_SOA("casino.example")},
		/* Whatever the type. */
		{{.name = "casino.example", .type = LD_TYPE_AAAA},
		 "NXDOMAIN qr rd ra | casino.example AAAA" BLOCK_SOA("casino.example")},
		{{.name = "casino.example", .type = LD_TYPE_HTTPS},
		 "NXDOMAIN qr rd ra | casino.example HTTPS" BLOCK_SOA("casino.example")},
		{{.name = "casino.example", .type = LD_TYPE_ANY},
		 "NXDOMAIN qr rd ra | casino.example ANY" BLOCK_SOA("casino.example")},
		{{.name = "casino.example", .type = 1000},
		 "NXDOMAIN qr rd ra | casino.example TYPE1000" BLOCK_SOA("casino.example")},
		{{.name = "adult.example", .type = A, .edns = true},
		 "NXDOMAIN qr rd ra | adult.example A" BLOCK_SOA(
			 "adult.example") " | opt 1232 ede 17 Blocked: adult (list fake)"},
		/* Opened below, protected, beside, above. */
		{{.name = "shop.casino.example", .type = A}, "ask"},
		{{.name = "help.adult.example", .type = A}, "ask"},
		{{.name = "xcasino.example", .type = A}, "ask"},
		{{.name = "example", .type = A}, "ask"},
		{{.name = ".", .type = LD_TYPE_NS}, "ask"},
	};
	struct bench *bench = bench_new(&plain_config);

	(void)state;
	CHECK_ROWS(bench, rows);
	bench->from.transport = LD_TRANSPORT_TCP;
	CHECK_ROWS(bench, rows);
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_BLOCKED), 22);
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_QUERIES_UDP), 16);
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_QUERIES_TCP), 16);
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_LOCAL), 0);
	bench_free(bench);
}

static void
modes_of_closing(void **state)
{
	static const struct row nodata[] = {
		{{.name = "casino.example", .type = A},
		 "NOERROR qr rd ra | casino.example A" BLOCK_SOA("casino.example")},
	};
	static const struct row zero[] = {
		{{.name = "www.casino.example", .type = A, .edns = true},
		 "NOERROR qr rd ra | www.casino.example A | an www.casino.example 30 A 0.0.0.0 | "
		 "opt 1232 ede 15 Blocked: gambling (list fake)"},
		{{.name = "casino.example", .type = LD_TYPE_AAAA},
		 "NOERROR qr rd ra | casino.example AAAA | an casino.example 30 AAAA ::"},
		{{.name = "casino.example", .type = LD_TYPE_HTTPS},
		 "NOERROR qr rd ra | casino.example HTTPS" BLOCK_SOA("casino.example")},
	};
	static const struct row address[] = {
		{{.name = "casino.example", .type = A},
		 "NOERROR qr rd ra | casino.example A | an casino.example 30 A 192.0.2.80"},
		{{.name = "casino.example", .type = LD_TYPE_AAAA},
		 "NOERROR qr rd ra | casino.example AAAA" BLOCK_SOA("casino.example")},
	};
	struct ld_resolver_config config = plain_config;
	struct bench *bench;

	(void)state;
	config.block_mode = LD_BLOCK_NODATA;
	bench = bench_new(&config);
	CHECK_ROWS(bench, nodata);
	bench_free(bench);
	config.block_mode = LD_BLOCK_ZERO;
	config.block_ede = LD_EDE_BLOCKED;
	bench = bench_new(&config);
	CHECK_ROWS(bench, zero);
	bench_free(bench);
	config.block_mode = LD_BLOCK_ADDRESS;
	config.has_address4 = true;
	memcpy(config.address4, "\xc0\0\2\x50", 4);
	bench = bench_new(&config);
	CHECK_ROWS(bench, address);
	bench_free(bench);
}

static void
only_the_categories_chosen_close(void **state)
{
	static const char *const keys[] = {"adult", "no-such-category"};
	static const struct row rows[] = {
		{{.name = "casino.example", .type = A}, "ask"},
		{{.name = "adult.example", .type = A},
		 "NXDOMAIN qr rd ra | adult.example A" BLOCK_SOA("adult.example")},
		{{.name = "img.example", .type = A}, "ask"},
	};
	struct ld_resolver_config config = plain_config;
	struct bench *bench;

	(void)state;
	config.categories = keys;
	config.category_count = 2;
	bench = bench_new(&config);
	CHECK_ROWS(bench, rows);
	bench_free(bench);
	config.category_count = 0;
	bench = bench_new(&config);
	assert_string_equal(
		answer(bench, (struct ld_show_query){.name = "adult.example", .type = A}), "ask");
	bench_free(bench);
}

static void
wrong_configurations_are_refused(void **state)
{
	struct ld_resolver_config config = plain_config;
	struct ld_resolver *resolver = NULL;
	struct ld_report report;

	(void)state;
	config.udp_payload_bytes = 511;
	assert_int_equal(ld_resolver_new(&resolver, &config, &report), LINDUNG_ECONFIG);
	config = plain_config;
	config.cache_bytes = 1000;
	assert_int_equal(ld_resolver_new(&resolver, &config, &report), LINDUNG_ECONFIG);
	config = plain_config;
	config.block_mode = LD_BLOCK_ADDRESS;
	assert_int_equal(ld_resolver_new(&resolver, &config, &report), LINDUNG_ECONFIG);
	assert_null(resolver);
	ld_resolver_free(NULL);
	ld_worker_free(NULL);
}

static void
nothing_is_let_through_without_a_list(void **state)
{
	static const struct row rows[] = {
		{{.name = "www.example", .type = A}, "SERVFAIL qr rd ra | www.example A"},
		{{.name = "www.example", .type = A, .edns = true},
		 "SERVFAIL qr rd ra | www.example A | opt 1232 ede 14 The list is not loaded"},
		{{.name = "localhost", .type = A},
		 "NOERROR qr rd ra | localhost A | an localhost 10800 A 127.0.0.1"},
	};
	struct bench *bench = bench_new(&plain_config);

	(void)state;
	assert_string_equal(answer(bench, (struct ld_show_query){.name = "a.example", .type = A}),
			    "ask");
	ld_worker_set_list(bench->worker, NULL);
	assert_string_equal(
		finish(bench, good, "NOERROR | a.example A | an a.example 60 A 192.0.2.1"),
		"SERVFAIL qr rd ra | a.example A");
	CHECK_ROWS(bench, rows);
	bench_free(bench);
}

/* ---- Names and types answered here -------------------------------------------------------- */

#define ZONE_SOA(zone) " | au " zone " 10800 SOA " zone " 10800"

static void
special_names_never_leave(void **state)
{
	static const struct row rows[] = {
		{{.name = "localhost", .type = A},
		 "NOERROR qr rd ra | localhost A | an localhost 10800 A 127.0.0.1"},
		{{.name = "a.LocalHost", .type = LD_TYPE_AAAA},
		 "NOERROR qr rd ra | a.LocalHost AAAA | an a.LocalHost 10800 AAAA ::1"},
		{{.name = "localhost", .type = LD_TYPE_MX},
		 "NOERROR qr rd ra | localhost MX" ZONE_SOA("localhost")},
		{{.name = "invalid", .type = A},
		 "NXDOMAIN qr rd ra | invalid A" ZONE_SOA("invalid")},
		{{.name = "a.b.test", .type = A},
		 "NXDOMAIN qr rd ra | a.b.test A" ZONE_SOA("test")},
		/* The fake list closes it, too: special names come first. */
		{{.name = "x.ONION", .type = A, .edns = true},
		 "NXDOMAIN qr rd ra | x.ONION A" ZONE_SOA("ONION") " | opt 1232"},
		{{.name = "printer.local", .type = A},
		 "NXDOMAIN qr rd ra | printer.local A" ZONE_SOA("local")},
		{{.name = "a.alt", .type = A}, "NXDOMAIN qr rd ra | a.alt A" ZONE_SOA("alt")},
		{{.name = "home.arpa", .type = A},
		 "NOERROR qr rd ra | home.arpa A" ZONE_SOA("home.arpa")},
		{{.name = "nas.home.arpa", .type = A},
		 "NXDOMAIN qr rd ra | nas.home.arpa A" ZONE_SOA("home.arpa")},
		{{.name = "_dns.resolver.arpa", .type = LD_TYPE_SVCB},
		 "NOERROR qr rd ra | _dns.resolver.arpa SVCB" ZONE_SOA("resolver.arpa")},
		{{.name = "1.2.3.10.in-addr.arpa", .type = LD_TYPE_PTR},
		 "NXDOMAIN qr rd ra | 1.2.3.10.in-addr.arpa PTR" ZONE_SOA("10.in-addr.arpa")},
		{{.name = "1.1.168.192.in-addr.arpa", .type = LD_TYPE_PTR},
		 "NXDOMAIN qr rd ra | 1.1.168.192.in-addr.arpa PTR" ZONE_SOA(
			 "168.192.in-addr.arpa")},
		{{.name = "1.1.16.172.in-addr.arpa", .type = LD_TYPE_PTR},
		 "NXDOMAIN qr rd ra | 1.1.16.172.in-addr.arpa PTR" ZONE_SOA("16.172.in-addr.arpa")},
		{{.name = "31.172.in-addr.arpa", .type = LD_TYPE_PTR},
		 "NOERROR qr rd ra | 31.172.in-addr.arpa PTR" ZONE_SOA("31.172.in-addr.arpa")},
		{{.name = "1.127.100.in-addr.arpa", .type = LD_TYPE_PTR},
		 "NXDOMAIN qr rd ra | 1.127.100.in-addr.arpa PTR" ZONE_SOA("127.100.in-addr.arpa")},
		{{.name = "x.d.f.ip6.arpa", .type = LD_TYPE_PTR},
		 "NXDOMAIN qr rd ra | x.d.f.ip6.arpa PTR" ZONE_SOA("d.f.ip6.arpa")},
		{{.name = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6."
			  "arpa",
		  .type = LD_TYPE_PTR},
		 "NOERROR qr rd ra | "
		 "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
		 "ip6.arpa PTR" ZONE_SOA(
			 "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
			 "0.0.0.ip6.arpa")},
		/* Their neighbours do. */
		{{.name = "15.172.in-addr.arpa", .type = LD_TYPE_PTR}, "ask"},
		{{.name = "32.172.in-addr.arpa", .type = LD_TYPE_PTR}, "ask"},
		{{.name = "x16.172.in-addr.arpa", .type = LD_TYPE_PTR}, "ask"},
		{{.name = "172.in-addr.arpa", .type = LD_TYPE_PTR}, "ask"},
		{{.name = "63.100.in-addr.arpa", .type = LD_TYPE_PTR}, "ask"},
		{{.name = "128.100.in-addr.arpa", .type = LD_TYPE_PTR}, "ask"},
		{{.name = "8.8.8.8.in-addr.arpa", .type = LD_TYPE_PTR}, "ask"},
		{{.name = "arpa", .type = LD_TYPE_NS}, "ask"},
		{{.name = "mylocal", .type = A}, "ask"},
		{{.name = "local.example", .type = A}, "ask"},
		{{.name = "ipv4only.arpa", .type = LD_TYPE_AAAA}, "ask"},
		/* The octets of "local" with its length at the end of a label are not that name. */
		{{.name = "a\\005local", .type = A}, "ask"},
	};
	struct bench *bench = bench_new(&plain_config);

	(void)state;
	CHECK_ROWS(bench, rows);
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_LOCAL), 18);
	bench_free(bench);
}

static void
questions_that_nobody_needs_are_refused(void **state)
{
	static const struct row rows[] = {
		{{.name = "version.bind", .type = LD_TYPE_TXT, .class_ = LD_CLASS_CH},
		 "REFUSED qr rd ra | version.bind TXT"},
		{{.name = "www.example", .type = A, .class_ = LD_CLASS_ANY},
		 "REFUSED qr rd ra | www.example A"},
		{{.name = "www.example", .type = LD_TYPE_AXFR},
		 "REFUSED qr rd ra | www.example AXFR"},
		{{.name = "casino.example", .type = LD_TYPE_IXFR, .edns = true},
		 "REFUSED qr rd ra | casino.example IXFR | opt 1232"},
		{{.name = "www.example", .type = LD_TYPE_MAILA},
		 "REFUSED qr rd ra | www.example MAILA"},
		{{.name = "www.example", .type = LD_TYPE_OPT},
		 "REFUSED qr rd ra | www.example OPT"},
		{{.name = "www.example", .type = 0}, "REFUSED qr rd ra | www.example TYPE0"},
		/* Without RD nothing is asked for, and nothing told of what others asked for. */
		{{.name = "www.example", .type = A, .no_rd = true, .edns = true},
		 "REFUSED qr ra | www.example A | opt 1232 ede 20"},
	};
	static const struct row any[] = {
		/* "RFC8482" and an empty string. */
		{{.name = "www.example", .type = LD_TYPE_ANY},
		 "NOERROR qr rd ra | www.example ANY | an www.example 3600 HINFO #0752464338343832"
		 "00"},
	};
	struct bench *bench = bench_new(&plain_config);

	(void)state;
	CHECK_ROWS(bench, rows);
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_REFUSED), 8);
	CHECK_ROWS(bench, any);
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_LOCAL), 1);
	bench_free(bench);
}

/* RFC 8906 section 8 and RFC 6891, to a resolver: RD=1.  The name is answered here. */
static void
odd_queries_are_answered_right(void **state)
{
#define L "localhost"
#define LOOP "NOERROR qr rd ra | localhost A | an localhost 10800 A 127.0.0.1"
	static const struct row rows[] = {
		/* 8.1.1, 8.1.2 */
		{{.name = L, .type = A}, LOOP},
		{{.name = L, .type = 1000}, "NOERROR qr rd ra | localhost TYPE1000" ZONE_SOA(L)},
		/* 8.1.3: CD, AD, the reserved flag, RD */
		{{.name = L, .type = A, .flags = LD_FLAG_CD},
		 "NOERROR qr rd ra cd | localhost A | an localhost 10800 A 127.0.0.1"},
		{{.name = L, .type = A, .flags = LD_FLAG_AD}, LOOP},
		{{.name = L, .type = A, .flags = LD_FLAG_Z}, LOOP},
		{{.name = L,
		  .type = A,
		  .flags = LD_FLAG_AA | LD_FLAG_TC | LD_FLAG_RA | LD_RCODE_REFUSED},
		 LOOP},
		/* 8.2.1: EDNS; 8.2.2: version 1; 8.2.3: an option; 8.2.4: flags */
		{{.name = L, .type = A, .edns = true}, LOOP " | opt 1232"},
		{{.name = L, .type = A, .edns = true, .version = 1},
		 "BADVERS qr rd ra | localhost A | opt 1232"},
		{{.name = L,
		  .type = A,
		  .edns = true,
		  .options = {(const uint8_t *)"\0\x64\0\0", 4}},
		 LOOP " | opt 1232"},
		{{.name = L,
		  .type = A,
		  .edns = true,
		  .version = 255,
		  .options = {(const uint8_t *)"\0\x64\0\0", 4}},
		 "BADVERS qr rd ra | localhost A | opt 1232"},
		/* 8.2.8: DO; 8.2.9: DO with version 1 */
		{{.name = L, .type = A, .edns = true, .dnssec_ok = true}, LOOP " | opt 1232 do"},
		{{.name = L, .type = A, .edns = true, .dnssec_ok = true, .version = 1},
		 "BADVERS qr rd ra | localhost A | opt 1232 do"},
		/* 8.2.10: several options: cookie, NSID, EXPIRE, a client subnet */
		{{.name = L,
		  .type = A,
		  .edns = true,
		  .options = {(const uint8_t *)"\0\x0a\0\x08"
					       "12345678"
					       "\0\3\0\0\0\x09\0\0\0\x08\0\4\0\1\0\0",
			      28}},
		 LOOP " | opt 1232"},
		{{.name = L, .type = A, .edns = true, .udp_size = 1}, LOOP " | opt 1232"},
	};
	struct bench *bench = bench_new(&plain_config);

	(void)state;
	CHECK_ROWS(bench, rows);
	bench_free(bench);
}

static void
octets_that_are_no_query(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *answer;
	} rows[] = {
		/* 8.1.4: an unknown opcode, without and with a body: the header only */
		{"\x12\x34\x79\0\0\0\0\0\0\0\0\0", 12, "NOTIMP opcode15 qr rd ra"},
		{"\x12\x34\x28\0\0\1\0\0\0\0\0\0\0\0\1\0\1", 17, "NOTIMP opcode5 qr ra"},
		/* a status request; a notify */
		{"\x12\x34\x10\0\0\0\0\0\0\0\0\0", 12, "NOTIMP opcode2 qr ra"},
		{"\x12\x34\x24\0\0\0\0\0\0\0\0\0", 12, "NOTIMP opcode4 qr ra"},
		/* no question; two of them; a name cut short; octets at the end */
		{"\x12\x34\1\0\0\0\0\0\0\0\0\0", 12, "FORMERR qr rd ra"},
		{"\x12\x34\1\0\0\2\0\0\0\0\0\0\0\0\1\0\1\0\0\1\0\1", 22, "FORMERR qr rd ra"},
		{"\x12\x34\1\0\0\1\0\0\0\0\0\0\3ww", 15, "FORMERR qr rd ra"},
		{"\x12\x34\1\0\0\1\0\0\0\0\0\0\0\0\1\0\1x", 18, "FORMERR qr rd ra | . A"},
		/* two OPT: FORMERR, with the OPT of one who knows EDNS */
		{"\x12\x34\1\0\0\1\0\0\0\0\0\2\0\0\1\0\1\0\0\x29\2\0\0\0\0\0\0\0\0\0\x29\2\0\0\0\0"
		 "\0"
		 "\0\0",
		 39, "FORMERR qr rd ra | . A | opt 1232"},
		/* responses, and less than a header */
		{"\x12\x34\x81\0\0\1\0\0\0\0\0\0\0\0\1\0\1", 17, "drop"},
		{"\x12\x34\1\0\0\1\0\0\0\0\0", 11, "drop"},
		{"", 0, "drop"},
	};
	struct bench *bench = bench_new(&plain_config);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_string_equal(answer_bytes(bench, ld_span(rows[i].bytes, rows[i].len)),
				    rows[i].answer);
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_FORMERR), 9);
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_DROPPED), 3);
	bench_free(bench);
}

/* ---- Answers from upstream ---------------------------------------------------------------- */

static void
an_answer_is_told_and_kept(void **state)
{
	struct bench *bench = bench_new(&plain_config);
	const struct ld_show_query query = {.name = "wWw.Example", .type = A};

	(void)state;
	assert_string_equal(answer(bench, query), "ask");
	assert_string_equal(
		finish(bench, good, "NOERROR | www.example A | an www.example 60 A 192.0.2.1"),
		"NOERROR qr rd ra | wWw.Example A | an wWw.Example 60 A 192.0.2.1");
	assert_string_equal(answer(bench, query),
			    "NOERROR qr rd ra | wWw.Example A | an wWw.Example 60 A 192.0.2.1");
	bench->now_ms += 59999;
	assert_string_equal(
		answer(bench,
		       (struct ld_show_query){.name = "www.eXample", .type = A, .edns = true}),
		"NOERROR qr rd ra | www.eXample A | an www.eXample 1 A 192.0.2.1 | opt 1232");
	/* Of another type, class, or with CD, it is another question. */
	assert_string_equal(
		answer(bench, (struct ld_show_query){.name = "www.example", .type = LD_TYPE_AAAA}),
		"ask");
	assert_string_equal(answer(bench, (struct ld_show_query){.name = "www.example",
								 .type = A,
								 .flags = LD_FLAG_CD}),
			    "ask");
	bench->now_ms += 1;
	assert_string_equal(answer(bench, query), "ask");
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_CACHED), 2);
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_RESOLVED), 1);
	bench_free(bench);
}

static void
negative_answers_hold_as_long_as_the_soa_says(void **state)
{
	struct bench *bench = bench_new(&plain_config);
	const struct ld_show_query query = {.name = "no.example", .type = A};

	(void)state;
	assert_string_equal(answer(bench, query), "ask");
	assert_string_equal(
		finish(bench, good, "NXDOMAIN | no.example A | au example 3600 SOA ns.example 5"),
		"NXDOMAIN qr rd ra | no.example A | au example 5 SOA ns.example 5");
	bench->now_ms += 4000;
	assert_string_equal(answer(bench, query),
			    "NXDOMAIN qr rd ra | no.example A | au example 1 SOA ns.example 5");
	bench->now_ms += 1000;
	assert_string_equal(answer(bench, query), "ask");
	/* Without an SOA it is told, and not kept. */
	assert_string_equal(finish(bench, good, "NXDOMAIN | no.example A"),
			    "NXDOMAIN qr rd ra | no.example A");
	assert_string_equal(answer(bench, query), "ask");
	/* So is an answer whose TTL is 0, and a chain that leads nowhere. */
	finish(bench, good, "NOERROR | no.example A | an no.example 0 A 192.0.2.1");
	assert_string_equal(answer(bench, query), "ask");
	finish(bench, good, "NOERROR | no.example A | an no.example 60 CNAME a.example");
	assert_string_equal(answer(bench, query), "ask");
	bench_free(bench);
}

static void
failures_are_told_why_and_kept_for_seconds(void **state)
{
	struct ld_upstream_result failure = {
		.error = LINDUNG_ENET, .ede = 22, .ede_text = "No server answered"};
	const char *told = "SERVFAIL qr rd ra | a.example A | opt 1232 ede 22 No server answered";
	struct bench *bench = bench_new(&plain_config);
	const struct ld_show_query query = {.name = "a.example", .type = A, .edns = true};
	int lasts_ms = 1000;

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_string_equal(answer(bench, query), "ask");
		assert_string_equal(finish(bench, failure, NULL), told);
		bench->now_ms += lasts_ms - 1;
		assert_string_equal(answer(bench, query), told);
		bench->now_ms += 1;
		lasts_ms = lasts_ms * 2 < 5000 ? lasts_ms * 2 : 5000;
	}
	bench->now_ms += 10000;
	assert_string_equal(answer(bench, query), "ask");
	finish(bench, failure, NULL);
	bench->now_ms += 1000;
	assert_string_equal(answer(bench, query), "ask");
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_FAILED), 9);
	bench_free(bench);
}

static void
what_is_no_answer_to_the_question_is_a_failure(void **state)
{
	static const char *const responses[] = {
		"NOERROR | b.example A | an b.example 60 A 192.0.2.1",
		"NOERROR | a.example AAAA | an a.example 60 AAAA ::1",
		"NOERROR | a.example A | an a.example 60 A #010203",
		"NOERROR",
	};
	struct bench *bench = bench_new(&plain_config);
	const struct ld_show_query query = {.name = "a.example", .type = A, .edns = true};

	(void)state;
	for (size_t i = 0; i < sizeof responses / sizeof *responses; i++) {
		bench->now_ms += 20000;
		assert_string_equal(answer(bench, query), "ask");
		assert_int_equal(
			strncmp(finish(bench, good, responses[i]), "SERVFAIL qr rd ra ", 18), 0);
		assert_int_equal(strncmp(answer(bench, query), "SERVFAIL qr rd ra ", 18), 0);
	}
	bench_free(bench);
}

static void
what_upstream_says_of_itself_is_told(void **state)
{
#define TOLD(ede) "SERVFAIL qr rd ra | a.example A | opt 1232 ede " ede
	static const struct {
		const char *response, *told;
	} rows[] = {
		/* REFUSED speaks of us, not of the client; it need not repeat the question. */
		{"REFUSED | a.example A", TOLD("22 Upstream could not answer")},
		{"SERVFAIL", TOLD("22 Upstream could not answer")},
		{"SERVFAIL | a.example A | ad . 0 OPT #000f00020006", TOLD("6")},
		{"SERVFAIL | a.example A | ad . 0 OPT #00030000000f000500066f6f6f", TOLD("6 ooo")},
		{"SERVFAIL | a.example A | ad . 0 OPT #000f000300060a", TOLD("6")},
		{"SERVFAIL | a.example A | ad . 0 OPT #000f0001000f",
		 TOLD("22 Upstream could not answer")},
		{"NOERROR | a.example A | an a.example 1 A 0.0.0.0 | ad . 0 OPT #000f0002000f",
		 "NOERROR qr rd ra | a.example A | an a.example 1 A 0.0.0.0 | opt 1232 ede 35"},
	};
	struct bench *bench = bench_new(&plain_config);
	const struct ld_show_query query = {.name = "a.example", .type = A, .edns = true};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bench->now_ms += 20000;
		assert_string_equal(answer(bench, query), "ask");
		assert_string_equal(finish(bench, good, rows[i].response), rows[i].told);
		assert_string_equal(answer(bench, query), rows[i].told);
	}
	bench_free(bench);
}

static void
authentic_data_only_if_validated_and_asked_for(void **state)
{
	static const char response[] = "NOERROR | a.example A | an a.example 60 A 192.0.2.1 | an "
				       "a.example 60 RRSIG #"
				       "0001080200000000000000000000000000000000";
	static const char plain[] = " | a.example A | an a.example 60 A 192.0.2.1";
	static const char with_signature[] = " | an a.example 60 RRSIG #"
					     "0001080200000000000000000000000000000000";
	static const struct {
		bool secure;
		bool ad, dnssec_ok;
		const char *flags;
	} rows[] = {
		{true, false, false, "NOERROR qr rd ra"},
		{true, true, false, "NOERROR qr rd ra ad"},
		{true, false, true, "NOERROR qr rd ra ad"},
		{false, true, false, "NOERROR qr rd ra"},
		{false, true, true, "NOERROR qr rd ra"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bench *bench = bench_new(&plain_config);
		struct ld_show_query query = {
			"a.example",
			A,
			.flags = rows[i].ad ? LD_FLAG_AD : 0,
			.edns = rows[i].dnssec_ok,
			.dnssec_ok = rows[i].dnssec_ok,
		};
		char wanted[512];

		snprintf(wanted, sizeof wanted, "%s%s%s%s", rows[i].flags, plain,
			 rows[i].dnssec_ok ? with_signature : "",
			 rows[i].dnssec_ok ? " | opt 1232 do" : "");
		assert_string_equal(answer(bench, query), "ask");
		assert_string_equal(finish(bench, rows[i].secure ? validated : good, response),
				    wanted);
		assert_string_equal(answer(bench, query), wanted);
		/* One without signatures serves only those who want none, and the reverse. */
		query.edns = true;
		query.dnssec_ok = !query.dnssec_ok;
		assert_string_equal(answer(bench, query), "ask");
		bench_free(bench);
	}
}

static void
one_entry_serves_all_where_nothing_is_signed(void **state)
{
	struct bench *bench = bench_new(&plain_config);

	(void)state;
	assert_string_equal(answer(bench, (struct ld_show_query){.name = "a.example", .type = A}),
			    "ask");
	finish(bench, good, "NOERROR | a.example A | an a.example 60 A 192.0.2.1");
	assert_string_equal(
		answer(bench,
		       (struct ld_show_query){
			       .name = "a.example", .type = A, .edns = true, .dnssec_ok = true}),
		"NOERROR qr rd ra | a.example A | an a.example 60 A 192.0.2.1 | opt 1232 do");
	bench_free(bench);
}

/* ---- Size --------------------------------------------------------------------------------- */

/* It is remembered, but no longer than the list. */
static void
the_reason_is_that_of_the_list_in_force(void **state)
{
	static const struct fake_entry others[] = {
		{.name = "adult.example", .category = "gambling", .action = LINDUNG_BLOCK},
	};
	struct bench *bench = bench_new(&plain_config);
	struct lindung *other = fake_list_new(others, 1);
	struct ld_show_query query = {.name = "Adult.example", .type = A, .edns = true};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_non_null(strstr(answer(bench, query), "Blocked: adult (list fake)"));
		assert_non_null(strstr(answer(bench, query), "Blocked: adult (list fake)"));
		ld_worker_set_list(bench->worker, other);
		assert_non_null(strstr(answer(bench, query), "Blocked: gambling (list fake)"));
		assert_non_null(strstr(answer(bench, query), "Blocked: gambling (list fake)"));
		ld_worker_set_list(bench->worker, bench->list);
	}
	fake_list_free(other);
	bench_free(bench);
}

static void
long_answers_are_cut_for_udp(void **state)
{
	struct bench *bench = bench_new(&plain_config);
	struct ld_buffer response;
	static const struct {
		uint16_t udp_size;
		bool edns, tcp;
		size_t max;
		bool cut;
	} rows[] = {
		{0, false, false, 512, true},     {512, true, false, 512, true},
		{800, true, false, 800, true},    {1232, true, false, 1232, false},
		{4096, true, false, 1232, false}, {0, false, true, 65535, false},
	};

	(void)state;
	ld_buffer_init(&response, 1 << 20);
	ld_buffer_printf(&response, "NOERROR | a.example A");
	for (unsigned i = 0; i < 60; i++) /* 960 octets */
		ld_buffer_printf(&response, " | an a.example 60 A 192.0.2.%u", i);
	for (unsigned i = 0; i < 30; i++) /* some hundred more that nobody needs */
		ld_buffer_printf(&response, " | ad x%u.example 60 A 192.0.2.%u", i, i);
	ld_buffer_bytes(&response, ld_span("", 1));
	for (unsigned pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
			struct ld_show_query query = {.name = "a.example",
						      .type = A,
						      .edns = rows[i].edns,
						      .udp_size = rows[i].udp_size};
			bench->from.transport = rows[i].tcp ? LD_TRANSPORT_TCP : LD_TRANSPORT_UDP;
			bench->now_ms += pass == 0 ? 100000 : 0;
			const char *shown = answer(bench, query);

			/* First from upstream each time, then from the cache each time. */
			assert_int_equal(strcmp(shown, "ask") == 0, pass == 0);
			if (pass == 0)
				shown = finish(bench, good, (const char *)response.data);
			assert_true(bench->out_len <= rows[i].max);
			assert_int_equal(strncmp(shown, "NOERROR qr tc rd ra | a.example A", 33) ==
						 0,
					 rows[i].cut);
			assert_int_equal(strstr(shown, "192.0.2.59") == NULL, rows[i].cut);
			assert_null(strstr(shown, "x29.example"));
			assert_int_equal(strstr(shown, "opt 1232") != NULL, rows[i].edns);
			assert_null(strstr(shown, "malformed"));
		}
	}
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_TRUNCATED), 6);
	ld_buffer_free(&response);
	bench_free(bench);
}

static void
answers_past_the_limit_are_not_kept(void **state)
{
	struct bench *bench = bench_new(&plain_config);
	struct ld_buffer response;

	(void)state;
	bench->from.transport = LD_TRANSPORT_TCP;
	for (unsigned records = 253; records <= 254; records++) {
		ld_buffer_init(&response, 1 << 20);
		ld_buffer_printf(&response, "NOERROR | a%u.example A", records);
		for (unsigned i = 0; i < records; i++) /* 28 octets and 16 for each */
			ld_buffer_printf(&response, " | an a%u.example 60 A 192.0.2.%u", records,
					 i);
		ld_buffer_bytes(&response, ld_span("", 1));
		char name[32];
		snprintf(name, sizeof name, "a%u.example", records);
		assert_string_equal(answer(bench, (struct ld_show_query){.name = name, .type = A}),
				    "ask");
		finish(bench, good, (const char *)response.data);
		assert_int_equal(bench->out_len, 12 + 18 + 16 * records);
		assert_int_equal(
			strcmp(answer(bench, (struct ld_show_query){.name = name, .type = A}),
			       "ask") != 0,
			12 + 18 + 16 * records <= 4096);
		ld_buffer_free(&response);
	}
	bench_free(bench);
}

/* The longest name, the longest reason: they fit into 512 octets. */
static void
a_closed_answer_always_fits(void **state)
{
	struct bench *bench = bench_new(&plain_config);
	char name[300];
	int len = 0;

	(void)state;
	/* 3 labels of 63, one of 45, casino.example: 255 octets in wire form. */
	for (int i = 0; i < 3; i++)
		len += snprintf(name + len, sizeof name - len, "%063d.", 0);
	snprintf(name + len, sizeof name - len, "%045d.casino.example", 0);
	const char *shown = answer(
		bench,
		(struct ld_show_query){.name = name, .type = A, .edns = true, .udp_size = 512});
	assert_non_null(strstr(shown, GAMBLING));
	assert_int_equal(strncmp(shown, "NXDOMAIN qr rd ra | ", 20), 0);
	assert_in_range(bench->out_len, 300, 512);
	bench_free(bench);
}

/* ---- Names that the answer leads to ------------------------------------------------------- */

static void
targets_are_judged_too(void **state)
{
	static const struct {
		const char *name;
		uint16_t type;
		const char *response;
		bool closed;
	} rows[] = {
		{.name = "a1.example",
		 .type = A,
		 "NOERROR | a1.example A | an a1.example 60 CNAME x.Casino.example | an "
		 "x.casino.example 60 A 192.0.2.1",
		 true},
		{.name = "a2.example",
		 .type = A,
		 "NOERROR | a2.example A | an a2.example 60 CNAME b.example | an b.example 60 "
		 "CNAME "
		 "casino.example | an casino.example 60 A 192.0.2.1",
		 true},
		{.name = "a3.example",
		 .type = LD_TYPE_HTTPS,
		 "NOERROR | a3.example HTTPS | an a3.example 60 HTTPS 0 casino.example",
		 true},
		{.name = "a4.example",
		 .type = LD_TYPE_HTTPS,
		 "NOERROR | a4.example HTTPS | an a4.example 60 HTTPS 1 .",
		 false},
		{.name = "x.a5.example",
		 .type = A,
		 "NOERROR | x.a5.example A | an a5.example 60 DNAME casino.example | an "
		 "x.a5.example "
		 "60 A 192.0.2.1",
		 true},
		{.name = "shop.a6.example",
		 .type = A,
		 "NOERROR | shop.a6.example A | an a6.example 60 DNAME casino.example | an "
		 "shop.a6.example 60 A 192.0.2.1",
		 false},
		{.name = "a7.example",
		 .type = LD_TYPE_DNAME,
		 "NOERROR | a7.example DNAME | an a7.example 60 DNAME casino.example",
		 true},
		/* A chain that ends in nothing. */
		{.name = "a8.example",
		 .type = A,
		 "NXDOMAIN | a8.example A | an a8.example 60 CNAME casino.example | au example 60 "
		 "SOA ns.example 60",
		 true},
		/* Names that nobody is led to. */
		{.name = "a9.example",
		 .type = LD_TYPE_MX,
		 "NOERROR | a9.example MX | an a9.example 60 MX 1 casino.example",
		 false},
		{.name = "a0.example",
		 .type = A,
		 "NOERROR | a0.example A | an a0.example 60 A 192.0.2.1",
		 false},
		/* A protected name, and one opened in this category, may lead where they like. */
		{.name = "help.adult.example",
		 .type = A,
		 "NOERROR | help.adult.example A | an help.adult.example 60 CNAME adult.example | "
		 "an "
		 "adult.example 60 A 192.0.2.1",
		 false},
		{.name = "shop.casino.example",
		 .type = A,
		 "NOERROR | shop.casino.example A | an shop.casino.example 60 CNAME casino.example "
		 "| "
		 "an casino.example 60 A 192.0.2.1",
		 false},
		{.name = "shop2.shop.casino.example",
		 .type = A,
		 "NOERROR | shop2.shop.casino.example A | an shop2.shop.casino.example 60 CNAME "
		 "adult.example | an adult.example 60 A 192.0.2.1",
		 true},
	};
	struct bench *bench = bench_new(&plain_config);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ld_show_query query = {
			.name = rows[i].name, .type = rows[i].type, .edns = true};
		char first[1024];

		assert_string_equal(answer(bench, query), "ask");
		snprintf(first, sizeof first, "%s", finish(bench, good, rows[i].response));
		if ((strstr(first, " ede 17 Blocked: ") != NULL) != rows[i].closed)
			fail_msg("row %zu: %s", i, first);
		/* And out of the cache, as often as one likes. */
		for (int j = 0; j < 3; j++)
			assert_string_equal(answer(bench, query), first);
	}
	assert_string_equal(
		answer(bench,
		       (struct ld_show_query){.name = "a1.example", .type = A, .edns = true}),
		"NXDOMAIN qr rd ra | a1.example A" BLOCK_SOA("a1.example") " | opt 1232" GAMBLING);
	bench_free(bench);
}

static void
targets_are_judged_once_a_list(void **state)
{
	static const struct fake_entry more[] = {
		{.name = "cdn.example", .category = "adult", .action = LINDUNG_BLOCK},
	};
	struct bench *bench = bench_new(&plain_config);
	struct lindung *other = fake_list_new(more, 1);
	struct ld_show_query query = {.name = "a.example", .type = A};
	unsigned before;

	(void)state;
	assert_string_equal(answer(bench, query), "ask");
	finish(bench, good,
	       "NOERROR | a.example A | an a.example 60 CNAME cdn.example | an cdn.example 60 A "
	       "192.0.2.1");
	const char *open = "NOERROR qr rd ra | a.example A | an a.example 60 CNAME cdn.example | "
			   "an cdn.example 60 A 192.0.2.1";
	assert_string_equal(answer(bench, query), open);
	before = fake_list_lookups(bench->list);
	assert_string_equal(answer(bench, query), open);
	assert_int_equal(fake_list_lookups(bench->list), before + 1); /* the name alone */

	ld_worker_set_list(bench->worker, other);
	assert_string_equal(answer(bench, query),
			    "NXDOMAIN qr rd ra | a.example A" BLOCK_SOA("a.example"));
	ld_worker_set_list(bench->worker, bench->list);
	assert_string_equal(answer(bench, query), open);
	fake_list_free(other);
	bench_free(bench);
}

/* A name that is listed while upstream is asked. */
static void
a_list_that_comes_meanwhile_holds(void **state)
{
	static const struct fake_entry more[] = {
		{.name = "a.example", .category = "adult", .action = LINDUNG_BLOCK},
	};
	struct bench *bench = bench_new(&plain_config);
	struct lindung *other = fake_list_new(more, 1);

	(void)state;
	assert_string_equal(answer(bench, (struct ld_show_query){.name = "a.example", .type = A}),
			    "ask");
	ld_worker_set_list(bench->worker, other);
	assert_string_equal(
		finish(bench, good, "NOERROR | a.example A | an a.example 60 A 192.0.2.1"),
		"NXDOMAIN qr rd ra | a.example A" BLOCK_SOA("a.example"));
	fake_list_free(other);
	bench_free(bench);
}

/* ---- Rewriting ---------------------------------------------------------------------------- */

static void
names_are_rewritten(void **state)
{
#define FORGED " | opt 1232 ede 4 Rewritten by a list"
	static const struct row rows[] = {
		{{.name = "img.example", .type = A, .edns = true, .flags = LD_FLAG_AD},
		 "NOERROR qr rd ra | img.example A | an img.example 30 A 192.0.2.9" FORGED},
		{{.name = "img.example", .type = LD_TYPE_AAAA},
		 "NOERROR qr rd ra | img.example AAAA" BLOCK_SOA("img.example")},
		{{.name = "img6.example", .type = LD_TYPE_AAAA},
		 "NOERROR qr rd ra | img6.example AAAA | an img6.example 30 AAAA 2001:db8::9"},
		{{.name = "www.search.example", .type = LD_TYPE_CNAME},
		 "NOERROR qr rd ra | www.search.example CNAME | an www.search.example 30 CNAME "
		 "safe.example"},
		{{.name = "search.example", .type = A, .no_rd = true},
		 "NOERROR qr ra | search.example A | an search.example 30 CNAME safe.example"},
	};
	struct bench *bench = bench_new(&plain_config);
	struct ld_show_query query = {
		.name = "Search.Example", .type = A, .edns = true, .flags = LD_FLAG_AD};
	const char *wanted = "NOERROR qr rd ra | Search.Example A | an Search.Example 30 CNAME "
			     "safe.Example | an safe.Example 60 A 192.0.2.7" FORGED;

	(void)state;
	CHECK_ROWS(bench, rows);
	assert_string_equal(answer(bench, query), "ask");
	assert_memory_equal(bench->ask.name.wire, "\4safe\7example", 14);
	assert_memory_equal(bench->ask.rewritten.wire, "\6Search\7Example", 16);
	assert_string_equal(finish(bench, validated,
				   "NOERROR | safe.example A | an safe.example 60 A 192.0.2.7"),
			    wanted);
	assert_string_equal(answer(bench, query), wanted);
	/* What was learnt is the target's. */
	assert_string_equal(
		answer(bench, (struct ld_show_query){.name = "safe.example",
						     .type = A,
						     .flags = LD_FLAG_AD}),
		"NOERROR qr rd ra ad | safe.example A | an safe.example 60 A 192.0.2.7");
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_REWRITTEN), 7);
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_CACHED), 1);
	bench_free(bench);
}

static void
asks_are_compared_by_their_question(void **state)
{
	struct bench *bench = bench_new(&plain_config);
	struct ld_ask first;

	(void)state;
	answer(bench, (struct ld_show_query){.name = "safe.example", .type = A});
	first = bench->ask;
	answer(bench, (struct ld_show_query){
			      .name = "SAFE.example", .type = A, .edns = true, .dnssec_ok = true});
	assert_true(ld_ask_same(&first, &bench->ask));
	assert_int_equal(ld_ask_hash(&first), ld_ask_hash(&bench->ask));
	answer(bench, (struct ld_show_query){.name = "search.example", .type = A});
	assert_true(ld_ask_same(&first, &bench->ask));
	answer(bench,
	       (struct ld_show_query){.name = "safe.example", .type = A, .flags = LD_FLAG_CD});
	assert_false(ld_ask_same(&first, &bench->ask));
	answer(bench, (struct ld_show_query){.name = "safe.example", .type = LD_TYPE_AAAA});
	assert_false(ld_ask_same(&first, &bench->ask));
	answer(bench, (struct ld_show_query){.name = "safer.example", .type = A});
	assert_false(ld_ask_same(&first, &bench->ask));
	bench_free(bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closed_names_do_not_exist),
		cmocka_unit_test(modes_of_closing),
		cmocka_unit_test(only_the_categories_chosen_close),
		cmocka_unit_test(wrong_configurations_are_refused),
		cmocka_unit_test(nothing_is_let_through_without_a_list),
		cmocka_unit_test(special_names_never_leave),
		cmocka_unit_test(questions_that_nobody_needs_are_refused),
		cmocka_unit_test(odd_queries_are_answered_right),
		cmocka_unit_test(octets_that_are_no_query),
		cmocka_unit_test(an_answer_is_told_and_kept),
		cmocka_unit_test(negative_answers_hold_as_long_as_the_soa_says),
		cmocka_unit_test(failures_are_told_why_and_kept_for_seconds),
		cmocka_unit_test(what_is_no_answer_to_the_question_is_a_failure),
		cmocka_unit_test(what_upstream_says_of_itself_is_told),
		cmocka_unit_test(authentic_data_only_if_validated_and_asked_for),
		cmocka_unit_test(one_entry_serves_all_where_nothing_is_signed),
		cmocka_unit_test(the_reason_is_that_of_the_list_in_force),
		cmocka_unit_test(long_answers_are_cut_for_udp),
		cmocka_unit_test(answers_past_the_limit_are_not_kept),
		cmocka_unit_test(a_closed_answer_always_fits),
		cmocka_unit_test(targets_are_judged_too),
		cmocka_unit_test(targets_are_judged_once_a_list),
		cmocka_unit_test(a_list_that_comes_meanwhile_holds),
		cmocka_unit_test(names_are_rewritten),
		cmocka_unit_test(asks_are_compared_by_their_question),
	};

	return cmocka_run_group_tests_name("resolver", tests, NULL, NULL);
}
