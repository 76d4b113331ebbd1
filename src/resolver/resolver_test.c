/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/test_bench.h"

static void
wrong_configurations_are_refused(void **state)
{
	struct ld_resolver_config config = bench_config;
	struct ld_resolver *resolver = NULL;
	struct ld_report report;

	(void)state;
	config.udp_payload_bytes = 511;
	assert_int_equal(ld_resolver_new(&resolver, &config, &report), LINDUNG_ECONFIG);
	config = bench_config;
	config.cache_bytes = 1000;
	assert_int_equal(ld_resolver_new(&resolver, &config, &report), LINDUNG_ECONFIG);
	config = bench_config;
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
	struct bench *bench = bench_new(&bench_config);

	(void)state;
	assert_string_equal(
		bench_answer(bench, (struct ld_show_query){.name = "a.example", .type = A}), "ask");
	ld_worker_set_list(bench->worker, NULL);
	assert_string_equal(
		bench_finish(bench, good, "NOERROR | a.example A | an a.example 60 A 192.0.2.1"),
		"SERVFAIL qr rd ra | a.example A");
	CHECK_ROWS(bench, rows);
	bench_free(bench);
}

static void
asks_are_compared_by_their_question(void **state)
{
	struct bench *bench = bench_new(&bench_config);
	struct ld_ask first;

	(void)state;
	bench_answer(bench, (struct ld_show_query){.name = "safe.example", .type = A});
	first = bench->ask;
	bench_answer(bench,
		     (struct ld_show_query){
			     .name = "SAFE.example", .type = A, .edns = true, .dnssec_ok = true});
	assert_true(ld_ask_same(&first, &bench->ask));
	assert_int_equal(ld_ask_hash(&first), ld_ask_hash(&bench->ask));
	bench_answer(bench, (struct ld_show_query){.name = "search.example", .type = A});
	assert_true(ld_ask_same(&first, &bench->ask));
	bench_answer(bench, (struct ld_show_query){
				    .name = "safe.example", .type = A, .flags = LD_FLAG_CD});
	assert_false(ld_ask_same(&first, &bench->ask));
	bench_answer(bench, (struct ld_show_query){.name = "safe.example", .type = LD_TYPE_AAAA});
	assert_false(ld_ask_same(&first, &bench->ask));
	bench_answer(bench, (struct ld_show_query){.name = "safer.example", .type = A});
	assert_false(ld_ask_same(&first, &bench->ask));
	bench_free(bench);
}

static void
long_answers_are_cut_for_udp(void **state)
{
	struct bench *bench = bench_new(&bench_config);
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
			const char *shown = bench_answer(bench, query);

			/* First from upstream each time, then from the cache each time. */
			assert_int_equal(strcmp(shown, "ask") == 0, pass == 0);
			if (pass == 0)
				shown = bench_finish(bench, good, (const char *)response.data);
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

/* The longest name, the longest reason: they fit into 512 octets. */
static void
a_closed_answer_always_fits(void **state)
{
	struct bench *bench = bench_new(&bench_config);
	char name[300];
	int len = 0;

	(void)state;
	/* 3 labels of 63, one of 45, casino.example: 255 octets in wire form. */
	for (int i = 0; i < 3; i++)
		len += snprintf(name + len, sizeof name - len, "%063d.", 0);
	snprintf(name + len, sizeof name - len, "%045d.casino.example", 0);
	const char *shown = bench_answer(
		bench,
		(struct ld_show_query){.name = name, .type = A, .edns = true, .udp_size = 512});
	assert_non_null(strstr(shown, GAMBLING));
	assert_int_equal(strncmp(shown, "NXDOMAIN qr rd ra | ", 20), 0);
	assert_in_range(bench->out_len, 300, 512);
	bench_free(bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_configurations_are_refused),
		cmocka_unit_test(nothing_is_let_through_without_a_list),
		cmocka_unit_test(asks_are_compared_by_their_question),
		cmocka_unit_test(long_answers_are_cut_for_udp),
		cmocka_unit_test(a_closed_answer_always_fits),
	};

	return cmocka_run_group_tests_name("resolver", tests, NULL, NULL);
}
