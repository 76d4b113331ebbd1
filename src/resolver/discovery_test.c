/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/test_bench.h"

/* "exterr=0,3-4,6-10,12-20,22-24,29-32,35" */
#define EXTERR "266578746572723d302c332d342c362d31302c31322d32302c32322d32342c32392d33322c3335"
/* "exterr=0-35" */
#define EXTERR_FORWARD "0b6578746572723d302d3335"
#define QNAMEMIN "08716e616d656d696e"
/* "infourl=https://dns.example.net/" */
#define INFOURL "20696e666f75726c3d68747470733a2f2f646e732e6578616d706c652e6e65742f"

static struct bench *
discovery_new(uint16_t tls_port, uint16_t https_port)
{
	static const char *const names[] = {"dns.example.net 192.0.2.53 2001:db8::53 192.0.2.54"};
	struct ld_resolver_config config = bench_config;

	config.identity_name = "DNS.example.net";
	config.info_url = "https://dns.example.net/";
	config.recursive = true;
	config.tls_port = tls_port;
	config.https_port = https_port;
	config.local_names = names;
	config.local_name_count = 1;
	return bench_new(&config);
}

static void
rfc9462_designated_resolvers(void **state)
{
	static const struct ld_show_query query = {.name = "_dns.Resolver.arpa",
						   .type = LD_TYPE_SVCB};
	struct bench *bench = discovery_new(853, 443);

	(void)state;
	assert_string_equal(bench_answer(bench, query),
			    "NOERROR qr aa rd ra | _dns.Resolver.arpa SVCB"
			    " | an _dns.Resolver.arpa 300 SVCB 1 dns.example.net"
			    " | an _dns.Resolver.arpa 300 SVCB 2 dns.example.net");
	/* The second record's parameters: alpn h2, port, hints, dohpath. */
	static const char wanted[] = "\0\1\0\3\2h2\0\3\0\2\1\xbb"
				     "\0\4\0\x8\xc0\0\2\x35\xc0\0\2\x36"
				     "\0\6\0\x10\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\x53"
				     "\0\7\0\x10/dns-query{?dns}";
	size_t len = sizeof wanted - 1;
	assert_memory_equal(bench->out + bench->out_len - len, wanted, len);
	bench_free(bench);

	/* Only what is served. */
	bench = discovery_new(8853, 0);
	assert_string_equal(bench_answer(bench, query),
			    "NOERROR qr aa rd ra | _dns.Resolver.arpa SVCB"
			    " | an _dns.Resolver.arpa 300 SVCB 1 dns.example.net");
	bench_free(bench);
	bench = discovery_new(0, 0);
	assert_string_equal(bench_answer(bench, query),
			    "NOERROR qr rd ra | _dns.Resolver.arpa SVCB | au Resolver.arpa 60 SOA "
			    "Resolver.arpa 60");
	bench_free(bench);
	bench = bench_new(&bench_config);
	assert_string_equal(bench_answer(bench, query),
			    "NOERROR qr rd ra | _dns.Resolver.arpa SVCB" ZONE_SOA("Resolver.arpa"));
	bench_free(bench);
}

static void
rfc9606_resolver_information(void **state)
{
	static const struct row rows[] = {
		{{.name = "resolver.arpa", .type = LD_TYPE_RESINFO, .no_rd = true},
		 "NOERROR qr aa ra | resolver.arpa RESINFO | an resolver.arpa 300 RESINFO "
		 "#" QNAMEMIN EXTERR INFOURL},
		{{.name = "dns.EXAMPLE.net", .type = LD_TYPE_RESINFO},
		 "NOERROR qr aa rd ra | dns.EXAMPLE.net RESINFO | an dns.EXAMPLE.net 300 RESINFO "
		 "#" QNAMEMIN EXTERR INFOURL},
		{{.name = "other.example.net", .type = LD_TYPE_RESINFO}, "ask"},
		{{.name = "x.resolver.arpa", .type = LD_TYPE_RESINFO},
		 "NOERROR qr rd ra | x.resolver.arpa RESINFO | au resolver.arpa 60 SOA "
		 "resolver.arpa 60"},
		{{.name = "resolver.arpa", .type = A},
		 "NOERROR qr rd ra | resolver.arpa A | au resolver.arpa 60 SOA resolver.arpa 60"},
	};
	struct bench *bench = discovery_new(853, 0), *plain = bench_new(&bench_config);

	(void)state;
	CHECK_ROWS(bench, rows);
	/* Somebody who forwards, and has no name. */
	assert_string_equal(bench_answer(plain, rows[0].query),
			    "NOERROR qr aa ra | resolver.arpa RESINFO | an resolver.arpa 300 "
			    "RESINFO #" EXTERR_FORWARD);
	assert_string_equal(bench_answer(plain, rows[1].query), "ask");
	bench_free(bench);
	bench_free(plain);
}

static void
identity_is_checked(void **state)
{
	struct ld_resolver_config config = bench_config;
	struct ld_resolver *resolver = NULL;
	struct ld_report report;
	char url[300] = "";

	(void)state;
	config.identity_name = "192.0.2.1";
	assert_int_equal(ld_resolver_new(&resolver, &config, &report), LINDUNG_ECONFIG);
	assert_string_equal(report.text, "identity.name: \"192.0.2.1\" is not the name of a host, "
					 "as dns.example.net");
	config.identity_name = "";
	config.info_url = url;
	memset(url, 'x', sizeof url - 1);
	assert_int_equal(ld_resolver_new(&resolver, &config, &report), LINDUNG_ECONFIG);
	url[247] = '\0';
	assert_int_equal(ld_resolver_new(&resolver, &config, &report), LINDUNG_OK);
	ld_resolver_free(resolver);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc9462_designated_resolvers),
		cmocka_unit_test(rfc9606_resolver_information),
		cmocka_unit_test(identity_is_checked),
	};

	return cmocka_run_group_tests_name("discovery", tests, NULL, NULL);
}
