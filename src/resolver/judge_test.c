/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/test_bench.h"
#include "resolver/worker.h"

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
	struct bench *bench = bench_new(&bench_config);

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
	struct ld_resolver_config config = bench_config;
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
	struct ld_resolver_config config = bench_config;
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
		bench_answer(bench, (struct ld_show_query){.name = "adult.example", .type = A}),
		"ask");
	bench_free(bench);
}

/* It is remembered, but no longer than the list. */
static void
the_reason_is_that_of_the_list_in_force(void **state)
{
	static const struct fake_entry others[] = {
		{.name = "adult.example", .category = "gambling", .action = LINDUNG_BLOCK},
	};
	struct bench *bench = bench_new(&bench_config);
	struct lindung *other = fake_list_new(others, 1);
	struct ld_show_query query = {.name = "Adult.example", .type = A, .edns = true};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_non_null(strstr(bench_answer(bench, query), "Blocked: adult (list fake)"));
		assert_non_null(strstr(bench_answer(bench, query), "Blocked: adult (list fake)"));
		ld_worker_set_list(bench->worker, other);
		assert_non_null(
			strstr(bench_answer(bench, query), "Blocked: gambling (list fake)"));
		assert_non_null(
			strstr(bench_answer(bench, query), "Blocked: gambling (list fake)"));
		ld_worker_set_list(bench->worker, bench->list);
	}
	fake_list_free(other);
	bench_free(bench);
}

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
	struct bench *bench = bench_new(&bench_config);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ld_show_query query = {
			.name = rows[i].name, .type = rows[i].type, .edns = true};
		char first[1024];

		assert_string_equal(bench_answer(bench, query), "ask");
		snprintf(first, sizeof first, "%s", bench_finish(bench, good, rows[i].response));
		if ((strstr(first, " ede 17 Blocked: ") != NULL) != rows[i].closed)
			fail_msg("row %zu: %s", i, first);
		/* And out of the cache, as often as one likes. */
		for (int j = 0; j < 3; j++)
			assert_string_equal(bench_answer(bench, query), first);
	}
	assert_string_equal(
		bench_answer(bench,
			     (struct ld_show_query){.name = "a1.example", .type = A, .edns = true}),
		"NOERROR qr rd ra | a1.example A" BLOCK_SOA("a1.example") " | opt 1232" GAMBLING);
	bench_free(bench);
}

/* What a list says of a whole network that strangers share closes nobody who uses it. */
static void
shared_targets_close_nobody_else(void **state)
{
	static const struct fake_entry listed[] = {
		{.name = "cdn.example", .category = "adult", .action = LINDUNG_BLOCK},
		{.name = "d1.cdn.example", .category = "adult", .action = LINDUNG_BLOCK},
		{.name = "edge.example",
		 .category = "adult",
		 .action = LINDUNG_BLOCK,
		 .is_exact = true},
		{.name = "net.example", .category = "gambling", .action = LINDUNG_BLOCK},
	};
	static const char *const shared[] = {"cdn.example", "edge.example", "a.net.example"};
	static const struct {
		const char *target;
		bool closed;
	} rows[] = {
		{"d2.cdn.example", false},  {"cdn.example", false},   {"D1.cdn.Example", true},
		{"x.d1.cdn.example", true}, {"edge.example", true},   {"b.edge.example", false},
		{"x.a.net.example", false}, {"a.net.example", false}, {"b.net.example", true},
	};
	static const char *const records[] = {"CNAME", "HTTPS 0", "SVCB 1"};
	struct ld_resolver_config config = bench_config;

	(void)state;
	config.shared = shared;
	config.shared_count = 3;
	struct bench *bench = bench_new(&config);
	struct lindung *other = fake_list_new(listed, 4);
	ld_worker_set_list(bench->worker, other);
	for (size_t i = 0; i < sizeof rows / sizeof *rows * 3; i++) {
		char name[32], response[256], record[64];
		bool closed = rows[i / 3].closed;
		unsigned type = i % 3 == 0 ? A : i % 3 == 1 ? LD_TYPE_HTTPS : LD_TYPE_SVCB;

		snprintf(name, sizeof name, "n%zu.example", i);
		snprintf(record, sizeof record, "%s %s", records[i % 3], rows[i / 3].target);
		snprintf(response, sizeof response,
			 "NOERROR | %s %s | an %s 60 %s | an x.example "
			 "60 A 192.0.2.1",
			 name,
			 i % 3 == 0   ? "A"
			 : i % 3 == 1 ? "HTTPS"
				      : "SVCB",
			 name, record);
		struct ld_show_query query = {.name = name, .type = (uint16_t)type, .edns = true};
		assert_string_equal(bench_answer(bench, query), "ask");
		/* From upstream, then from the cache, which keeps no alias that leads nowhere. */
		for (unsigned pass = 0; pass < (i % 3 == 0 ? 1 : 2); pass++) {
			const char *shown = pass == 0 ? bench_finish(bench, good, response)
						      : bench_answer(bench, query);
			if ((strstr(shown, "Blocked: ") != NULL) != closed)
				fail_msg("%s: %s", rows[i / 3].target, shown);
		}
	}
	/* Who asks for the network itself is told what the list says. */
	assert_non_null(strstr(bench_answer(bench, (struct ld_show_query){.name = "d2.cdn.example",
									  .type = A,
									  .edns = true}),
			       "Blocked: adult"));
	fake_list_free(other);
	bench_free(bench);
}

/* HTTPS and SVCB (RFC 9460): a closed name has no such records, and so no hints, whichever side of
 * the record it stands on. */
static void
rfc9460_hints_of_closed_names_are_not_told(void **state)
{
	static const struct {
		const char *name, *type, *records;
		bool closed;
	} rows[] = {
		/* AliasMode. */
		{"b1.example", "HTTPS", "an b1.example 60 HTTPS 0 casino.example", true},
		{"b2.example", "SVCB", "an b2.example 60 SVCB 0 x.casino.example", true},
		/* ServiceMode with a hint: 192.0.2.66. */
		{"b3.example", "HTTPS",
		 "an b3.example 60 HTTPS #000106636173696e6f076578616d706c650000040004c0000242",
		 true},
		/* The second of several records; behind an alias; in a chain. */
		{"b4.example", "HTTPS",
		 "an b4.example 60 HTTPS 1 . | an b4.example 60 HTTPS 2 casino.example", true},
		{"b5.example", "HTTPS",
		 "an b5.example 60 CNAME c5.example | an c5.example 60 HTTPS 0 casino.example",
		 true},
		/* "." is the owner: that of the chain's end. */
		{"b6.example", "HTTPS",
		 "an b6.example 60 CNAME casino.example | an casino.example 60 HTTPS "
		 "#00010000040004c0000242",
		 true},
		{"b7.example", "HTTPS", "an b7.example 60 HTTPS 1 .", false},
	};
	struct bench *bench = bench_new(&bench_config);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint16_t type = rows[i].type[0] == 'H' ? LD_TYPE_HTTPS : LD_TYPE_SVCB;
		struct ld_show_query query = {.name = rows[i].name, .type = type};
		char response[512], wanted[512];

		assert_string_equal(bench_answer(bench, query), "ask");
		snprintf(response, sizeof response,
			 "NOERROR | %s %s | %s | ad casino.example 60 A "
			 "192.0.2.66",
			 rows[i].name, rows[i].type, rows[i].records);
		snprintf(wanted, sizeof wanted,
			 "NOERROR qr rd ra | %s %s | au %s 30 SOA "
			 "lindung.invalid 30",
			 rows[i].name, rows[i].type, rows[i].name);
		const char *shown = bench_finish(bench, good, response);
		assert_null(strstr(shown, "192.0.2.66"));
		if (rows[i].closed)
			assert_string_equal(shown, wanted);
		else
			assert_non_null(strstr(shown, " HTTPS 1 ."));
	}
	bench_free(bench);
}

static void
targets_are_judged_once_a_list(void **state)
{
	static const struct fake_entry more[] = {
		{.name = "cdn.example", .category = "adult", .action = LINDUNG_BLOCK},
	};
	struct bench *bench = bench_new(&bench_config);
	struct lindung *other = fake_list_new(more, 1);
	struct ld_show_query query = {.name = "a.example", .type = A};
	unsigned before;

	(void)state;
	assert_string_equal(bench_answer(bench, query), "ask");
	bench_finish(
		bench, good,
		"NOERROR | a.example A | an a.example 60 CNAME cdn.example | an cdn.example 60 A "
		"192.0.2.1");
	const char *open = "NOERROR qr rd ra | a.example A | an a.example 60 CNAME cdn.example | "
			   "an cdn.example 60 A 192.0.2.1";
	assert_string_equal(bench_answer(bench, query), open);
	before = fake_list_lookups(bench->list);
	assert_string_equal(bench_answer(bench, query), open);
	assert_int_equal(fake_list_lookups(bench->list), before + 1); /* the name alone */

	ld_worker_set_list(bench->worker, other);
	assert_string_equal(bench_answer(bench, query),
			    "NOERROR qr rd ra | a.example A" BLOCK_SOA("a.example"));
	ld_worker_set_list(bench->worker, bench->list);
	assert_string_equal(bench_answer(bench, query), open);
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
	struct bench *bench = bench_new(&bench_config);
	struct lindung *other = fake_list_new(more, 1);

	(void)state;
	assert_string_equal(
		bench_answer(bench, (struct ld_show_query){.name = "a.example", .type = A}), "ask");
	ld_worker_set_list(bench->worker, other);
	assert_string_equal(
		bench_finish(bench, good, "NOERROR | a.example A | an a.example 60 A 192.0.2.1"),
		"NXDOMAIN qr rd ra | a.example A" BLOCK_SOA("a.example"));
	fake_list_free(other);
	bench_free(bench);
}

#define HOUSE_SOA(zone) " | au " zone " 60 SOA " zone " 60"

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
	struct bench *bench = bench_new(&bench_config);
	struct ld_show_query query = {
		.name = "Search.Example", .type = A, .edns = true, .flags = LD_FLAG_AD};
	const char *wanted = "NOERROR qr rd ra | Search.Example A | an Search.Example 30 CNAME "
			     "safe.Example | an safe.Example 60 A 192.0.2.7" FORGED;

	(void)state;
	CHECK_ROWS(bench, rows);
	assert_string_equal(bench_answer(bench, query), "ask");
	assert_memory_equal(bench->ask.name.wire, "\4safe\7example", 14);
	assert_memory_equal(bench->ask.rewritten.wire, "\6Search\7Example", 16);
	assert_string_equal(
		bench_finish(bench, validated,
			     "NOERROR | safe.example A | an safe.example 60 A 192.0.2.7"),
		wanted);
	assert_string_equal(bench_answer(bench, query), wanted);
	/* What was learnt is the target's. */
	assert_string_equal(
		bench_answer(bench, (struct ld_show_query){.name = "safe.example",
							   .type = A,
							   .flags = LD_FLAG_AD}),
		"NOERROR qr rd ra ad | safe.example A | an safe.example 60 A 192.0.2.7");
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_REWRITTEN), 7);
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_CACHED), 1);
	bench_free(bench);
}

/* What is closed stays so, and what never leaves does not, where a list itself leads there. */
static void
rewritten_names_are_judged_where_they_lead(void **state)
{
	static const struct fake_entry entries[] = {
		{"closed.example", "adult", LINDUNG_BLOCK, .target = NULL},
		{"a.example", "safesearch", LINDUNG_REWRITE, .target = "CNAME www.closed.example"},
		{"b.example", "safesearch", LINDUNG_REWRITE, .target = "CNAME open.example"},
		{"c.example", "safesearch", LINDUNG_REWRITE, .target = "CNAME tv.local"},
		{"d.example", "safesearch", LINDUNG_REWRITE, .target = "CNAME nas.home.arpa"},
		{"e.example", "safesearch", LINDUNG_REWRITE, .target = "CNAME nas.example"},
		{"f.example", "safesearch", LINDUNG_REWRITE, .target = "CNAME help.example"},
		{"help.example", "adult", LINDUNG_ALLOW, .is_protected = true},
	};
	static const struct fake_entry later[] = {
		{"open.example", "adult", LINDUNG_BLOCK, .target = NULL},
		{"b.example", "safesearch", LINDUNG_REWRITE, .target = "CNAME open.example"},
	};
	static const char *const names[] = {"nas.home.arpa 192.0.2.10", "nas.example 192.0.2.11",
					    "help.example 192.0.2.12"};
	static const struct row rows[] = {
		{{.name = "a.example", .type = A, .edns = true},
		 "NOERROR qr rd ra | a.example A" BLOCK_SOA("a.example") " | opt 1232 ede 17 "
									 "Blocked: adult (list "
									 "fake)"},
		{{.name = "b.example", .type = A}, "ask"},
		{{.name = "c.example", .type = A, .edns = true},
		 "NXDOMAIN qr rd ra | c.example A | an c.example 30 CNAME tv.local" HOUSE_SOA(
			 "local") FORGED},
		{{.name = "d.example", .type = A, .edns = true},
		 "NOERROR qr rd ra | d.example A | an d.example 30 CNAME nas.home.arpa | "
		 "an nas.home.arpa 60 A 192.0.2.10" FORGED},
		{{.name = "d.example", .type = LD_TYPE_AAAA},
		 "NOERROR qr rd ra | d.example AAAA | an d.example 30 CNAME "
		 "nas.home.arpa" HOUSE_SOA("home.arpa")},
		{{.name = "e.example", .type = A},
		 "NOERROR qr rd ra | e.example A | an e.example 30 CNAME nas.example | "
		 "an nas.example 60 A 192.0.2.11"},
		{{.name = "f.example", .type = A}, "ask"},
		{{.name = "b.example", .type = A}, "ask"},
	};
	struct ld_resolver_config config = bench_config;
	struct lindung *list = fake_list_new(entries, sizeof entries / sizeof *entries);
	struct lindung *next = fake_list_new(later, 2);

	(void)state;
	config.local_names = names;
	config.local_name_count = 3;
	struct bench *bench = bench_new(&config);
	ld_worker_set_list(bench->worker, list);
	CHECK_ROWS(bench, rows);
	/* It may be closed while upstream is asked. */
	ld_worker_set_list(bench->worker, next);
	assert_string_equal(bench_finish(bench, good,
					 "NOERROR | open.example A | an open.example 60 A "
					 "192.0.2.7"),
			    "NOERROR qr rd ra | b.example A" BLOCK_SOA("b.example"));
	bench_free(bench);
	fake_list_free(list);
	fake_list_free(next);
}

/* Each octet at each place, in names of every length around eight. */
static void
octets_are_lowered_one_by_one(void **state)
{
	(void)state;
	for (size_t len = 1; len < 28; len++) {
		for (unsigned c = 0; c < 256 * len; c++) {
			uint8_t from[32], to[32];
			size_t at = c / 256;

			memset(from, 'M', sizeof from);
			memset(to, 0xee, sizeof to);
			from[at] = (uint8_t)c;
			ld_lower_wire(to, from, len);
			for (size_t i = 0; i < len; i++) {
				bool is_upper = from[i] >= 'A' && from[i] <= 'Z';

				assert_int_equal(to[i], is_upper ? from[i] + 32 : from[i]);
			}
			assert_int_equal(to[len], 0xee);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(octets_are_lowered_one_by_one),
		cmocka_unit_test(closed_names_do_not_exist),
		cmocka_unit_test(modes_of_closing),
		cmocka_unit_test(only_the_categories_chosen_close),
		cmocka_unit_test(the_reason_is_that_of_the_list_in_force),
		cmocka_unit_test(targets_are_judged_too),
		cmocka_unit_test(shared_targets_close_nobody_else),
		cmocka_unit_test(rfc9460_hints_of_closed_names_are_not_told),
		cmocka_unit_test(targets_are_judged_once_a_list),
		cmocka_unit_test(a_list_that_comes_meanwhile_holds),
		cmocka_unit_test(names_are_rewritten),
		cmocka_unit_test(rewritten_names_are_judged_where_they_lead),
	};

	return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}
