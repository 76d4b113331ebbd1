/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/test_bench.h"

#include "resolver/house.h"

#define HOUSE_SOA(zone) " | au " zone " 60 SOA " zone " 60"

static const char *const names[] = {
	"nas.home.arpa 192.168.1.10 fd00::10 192.168.1.11",
	"Printer.LOCAL 192.168.1.20",
	"deep.below.the.roof.home.arpa 192.168.1.30",
	"learn.school.example 203.0.113.7",
	"nas 192.168.1.10",
	/* What a list says stands above these. */
	"www.casino.example 192.168.1.40",
	"help.adult.example 192.168.1.41",
	"search.example 192.168.1.42",
	"shop.casino.example 192.168.1.43",
};

static struct bench *
house_new(void)
{
	struct ld_resolver_config config = bench_config;

	config.local_names = names;
	config.local_name_count = sizeof names / sizeof *names;
	config.canaries = true;
	return bench_new(&config);
}

static void
names_of_a_household(void **state)
{
	static const struct row rows[] = {
		{{.name = "nas.home.arpa", .type = A},
		 "NOERROR qr rd ra | nas.home.arpa A | an nas.home.arpa 60 A 192.168.1.10 | an "
		 "nas.home.arpa 60 A 192.168.1.11"},
		{{.name = "NAS.Home.arpa", .type = LD_TYPE_AAAA, .edns = true, .dnssec_ok = true},
		 "NOERROR qr rd ra | NAS.Home.arpa AAAA | an NAS.Home.arpa 60 AAAA fd00::10 | opt "
		 "1232 do"},
		{{.name = "nas.home.arpa", .type = A, .no_rd = true},
		 "NOERROR qr ra | nas.home.arpa A | an nas.home.arpa 60 A 192.168.1.10 | an "
		 "nas.home.arpa 60 A 192.168.1.11"},
		{{.name = "nas.home.arpa", .type = LD_TYPE_MX},
		 "NOERROR qr rd ra | nas.home.arpa MX" HOUSE_SOA("home.arpa")},
		/* RFC 8482: of one type. */
		{{.name = "printer.local", .type = LD_TYPE_ANY},
		 "NOERROR qr rd ra | printer.local ANY | an printer.local 60 A 192.168.1.20"},
		{{.name = "printer.local", .type = LD_TYPE_HTTPS},
		 "NOERROR qr rd ra | printer.local HTTPS" HOUSE_SOA("local")},
		/* Their neighbours are not there; what stands above them is (RFC 8020). */
		{{.name = "tv.home.arpa", .type = A},
		 "NXDOMAIN qr rd ra | tv.home.arpa A" HOUSE_SOA("home.arpa")},
		{{.name = "a.nas.home.arpa", .type = A},
		 "NXDOMAIN qr rd ra | a.nas.home.arpa A" HOUSE_SOA("home.arpa")},
		{{.name = "the.roof.home.arpa", .type = A},
		 "NOERROR qr rd ra | the.roof.home.arpa A" HOUSE_SOA("home.arpa")},
		{{.name = "x.roof.home.arpa", .type = A},
		 "NXDOMAIN qr rd ra | x.roof.home.arpa A" HOUSE_SOA("home.arpa")},
		{{.name = "local", .type = A}, "NOERROR qr rd ra | local A" HOUSE_SOA("local")},
		{{.name = "tv.local", .type = A},
		 "NXDOMAIN qr rd ra | tv.local A" HOUSE_SOA("local")},
		{{.name = "home.arpa", .type = LD_TYPE_NS},
		 "NOERROR qr rd ra | home.arpa NS" HOUSE_SOA("home.arpa")},
		/* A name of the public DNS: itself, and nothing above or below it. */
		{{.name = "learn.school.example", .type = A},
		 "NOERROR qr rd ra | learn.school.example A | an learn.school.example 60 A "
		 "203.0.113.7"},
		{{.name = "learn.school.example", .type = LD_TYPE_AAAA},
		 "NOERROR qr rd ra | learn.school.example AAAA" HOUSE_SOA("learn.school.example")},
		{{.name = "learn.school.example", .type = LD_TYPE_DS}, "ask"},
		{{.name = "school.example", .type = A}, "ask"},
		{{.name = "www.learn.school.example", .type = A}, "ask"},
		{{.name = "nas", .type = A}, "NOERROR qr rd ra | nas A | an nas 60 A 192.168.1.10"},
	};
	struct bench *bench = house_new();

	(void)state;
	CHECK_ROWS(bench, rows);
	bench_free(bench);
}

static void
the_way_back(void **state)
{
	static const struct row rows[] = {
		/* The first name that had the address. */
		{{.name = "10.1.168.192.in-addr.arpa", .type = LD_TYPE_PTR},
		 "NOERROR qr rd ra | 10.1.168.192.in-addr.arpa PTR | an "
		 "10.1.168.192.in-addr.arpa 60 PTR nas.home.arpa"},
		{{.name = "20.1.168.192.IN-ADDR.arpa", .type = LD_TYPE_PTR},
		 "NOERROR qr rd ra | 20.1.168.192.IN-ADDR.arpa PTR | an "
		 "20.1.168.192.IN-ADDR.arpa 60 PTR printer.local"},
		{{.name = "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6."
			  "arpa",
		  .type = LD_TYPE_PTR},
		 "NOERROR qr rd ra | "
		 "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa PTR | "
		 "an 0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa 60 "
		 "PTR nas.home.arpa"},
		/* In no zone of ours: only the address itself. */
		{{.name = "7.113.0.203.in-addr.arpa", .type = LD_TYPE_PTR},
		 "NOERROR qr rd ra | 7.113.0.203.in-addr.arpa PTR | an 7.113.0.203.in-addr.arpa 60 "
		 "PTR learn.school.example"},
		{{.name = "12.1.168.192.in-addr.arpa", .type = LD_TYPE_PTR},
		 "NXDOMAIN qr rd ra | 12.1.168.192.in-addr.arpa PTR" HOUSE_SOA(
			 "168.192.in-addr.arpa")},
		{{.name = "1.168.192.in-addr.arpa", .type = LD_TYPE_PTR},
		 "NOERROR qr rd ra | 1.168.192.in-addr.arpa PTR" HOUSE_SOA("168.192.in-addr.arpa")},
	};
	struct bench *bench = house_new();

	(void)state;
	CHECK_ROWS(bench, rows);
	bench_free(bench);
}

/* A list closes a name that is nobody's own; what is protected is answered by its owner. */
static void
lists_come_first(void **state)
{
	static const struct row rows[] = {
		{{.name = "www.casino.example", .type = A},
		 "NXDOMAIN qr rd ra | www.casino.example A" BLOCK_SOA("casino.example")},
		{{.name = "help.adult.example", .type = A}, "ask"},
		{{.name = "shop.casino.example", .type = A},
		 "NOERROR qr rd ra | shop.casino.example A | an shop.casino.example 60 A "
		 "192.168.1.43"},
		{{.name = "search.example", .type = A},
		 "NOERROR qr rd ra | search.example A | an search.example 60 A 192.168.1.42"},
	};
	struct bench *bench = house_new();

	(void)state;
	CHECK_ROWS(bench, rows);
	/* Names that no list can speak of need none. */
	ld_worker_set_list(bench->worker, NULL);
	assert_string_equal(
		bench_answer(bench, (struct ld_show_query){.name = "printer.local", .type = A}),
		"NOERROR qr rd ra | printer.local A | an printer.local 60 A 192.168.1.20");
	assert_string_equal(bench_answer(bench, (struct ld_show_query){.name = "nas", .type = A}),
			    "SERVFAIL qr rd ra | nas A");
	bench_free(bench);
}

static void
canaries(void **state)
{
#define CLOSED(name)                                                                               \
	"NXDOMAIN qr rd ra | " name                                                                \
	" A" HOUSE_SOA(name) " | opt 1232 ede 17 Devices here keep to this resolver"
	static const struct row rows[] = {
		{{.name = "use-application-dns.net", .type = A, .edns = true},
		 CLOSED("use-application-dns.net")},
		{{.name = "Use-Application-DNS.net", .type = LD_TYPE_AAAA},
		 "NXDOMAIN qr rd ra | Use-Application-DNS.net AAAA" HOUSE_SOA(
			 "Use-Application-DNS.net")},
		{{.name = "mask.icloud.com", .type = A, .edns = true}, CLOSED("mask.icloud.com")},
		{{.name = "mask-h2.icloud.com", .type = A, .edns = true},
		 CLOSED("mask-h2.icloud.com")},
		{{.name = "icloud.com", .type = A}, "ask"},
		{{.name = "mask-api.icloud.com", .type = A}, "ask"},
	};
	struct bench *bench = house_new(), *without = bench_new(&bench_config);

	(void)state;
	CHECK_ROWS(bench, rows);
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_string_equal(bench_answer(without, rows[i].query), "ask");
	bench_free(bench);
	bench_free(without);
}

static void
lines_that_are_refused(void **state)
{
	static const struct {
		const char *line, *told;
	} rows[] = {
		{"", "local.names: \"\" does not begin with the name of a host, as nas.home.arpa"},
		{"192.168.1.1 nas", "local.names: \"192.168.1.1 nas\" does not begin with the name "
				    "of a host, as nas.home.arpa"},
		{"nas", "local.names: nas has no address: give one behind the name"},
		{"nas 192.168.1", "local.names: nas: \"192.168.1\" is not an address"},
		{"nas ::1 router", "local.names: nas: \"router\" is not an address"},
		{"nas ::1 ::2 ::3 ::4 ::5 ::6 ::7 ::8 ::9 ::a ::b ::c ::d ::e ::f ::10 ::11",
		 "local.names: nas: \"::11\" is one address too many"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ld_resolver_config config = bench_config;
		struct ld_resolver *resolver = NULL;
		struct ld_report report;

		config.local_names = &rows[i].line;
		config.local_name_count = 1;
		assert_int_equal(ld_resolver_new(&resolver, &config, &report), LINDUNG_ECONFIG);
		assert_null(resolver);
		assert_string_equal(report.text, rows[i].told);
	}
}

static void
as_many_as_there_may_be(void **state)
{
	static char texts[LD_HOUSE_LINES_MAX][64];
	static const char *lines[LD_HOUSE_LINES_MAX + 1];
	struct ld_resolver_config config = bench_config;
	struct ld_resolver *resolver = NULL;
	struct ld_report report;

	(void)state;
	for (unsigned i = 0; i < LD_HOUSE_LINES_MAX; i++) {
		snprintf(texts[i], sizeof texts[i], "pc%u.home.arpa 10.1.%u.%u", i, i / 256,
			 i % 256);
		lines[i] = texts[i];
	}
	lines[LD_HOUSE_LINES_MAX] = "one.home.arpa 10.2.0.1";
	config.local_names = lines;
	config.local_name_count = LD_HOUSE_LINES_MAX + 1;
	assert_int_equal(ld_resolver_new(&resolver, &config, &report), LINDUNG_ECONFIG);
	assert_string_equal(report.text, "local.names: more than 4096 names");
	config.local_name_count = LD_HOUSE_LINES_MAX;
	struct bench *bench = bench_new(&config);
	for (unsigned i = 0; i < LD_HOUSE_LINES_MAX; i++) {
		char name[32], wanted[128];

		snprintf(name, sizeof name, "pc%u.home.arpa", i);
		snprintf(wanted, sizeof wanted, "NOERROR qr rd ra | %s A | an %s 60 A 10.1.%u.%u",
			 name, name, i / 256, i % 256);
		assert_string_equal(
			bench_answer(bench, (struct ld_show_query){.name = name, .type = A}),
			wanted);
	}
	bench_free(bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_a_household),   cmocka_unit_test(the_way_back),
		cmocka_unit_test(lists_come_first),       cmocka_unit_test(canaries),
		cmocka_unit_test(lines_that_are_refused), cmocka_unit_test(as_many_as_there_may_be),
	};

	return cmocka_run_group_tests_name("house", tests, NULL, NULL);
}
