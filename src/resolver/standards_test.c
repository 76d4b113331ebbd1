/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/test_bench.h"

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
		{{.name = "x.default.service.arpa", .type = LD_TYPE_PTR},
		 "NXDOMAIN qr rd ra | x.default.service.arpa PTR" ZONE_SOA("service.arpa")},
		/* Whether a zone is signed, the zone above it says; of names in it, the zone. */
		{{.name = "home.arpa", .type = LD_TYPE_DS}, "ask"},
		{{.name = "10.in-addr.arpa", .type = LD_TYPE_DS}, "ask"},
		{{.name = "nas.home.arpa", .type = LD_TYPE_DS},
		 "NXDOMAIN qr rd ra | nas.home.arpa DS" ZONE_SOA("home.arpa")},
		/* RFC 8880: who looks for NAT64 asks the servers behind us. */
		{{.name = "ipv4only.arpa", .type = LD_TYPE_AAAA}, "ask"},
		{{.name = "170.0.0.192.in-addr.arpa", .type = LD_TYPE_PTR}, "ask"},
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
	struct bench *bench = bench_new(&bench_config);

	(void)state;
	CHECK_ROWS(bench, rows);
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_LOCAL), 20);
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
		{{.name = "www.example", .type = LD_TYPE_NXNAME, .edns = true},
		 "FORMERR qr rd ra | www.example NXNAME | opt 1232 ede 30"},
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
	struct bench *bench = bench_new(&bench_config);

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
	struct bench *bench = bench_new(&bench_config);

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
	struct bench *bench = bench_new(&bench_config);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_string_equal(bench_answer_bytes(bench, ld_span(rows[i].bytes, rows[i].len)),
				    rows[i].answer);
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_FORMERR), 9);
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_DROPPED), 3);
	bench_free(bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(special_names_never_leave),
		cmocka_unit_test(questions_that_nobody_needs_are_refused),
		cmocka_unit_test(odd_queries_are_answered_right),
		cmocka_unit_test(octets_that_are_no_query),
	};

	return cmocka_run_group_tests_name("standards", tests, NULL, NULL);
}
