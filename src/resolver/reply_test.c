/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/test_bench.h"

static void
an_answer_is_told_and_kept(void **state)
{
	struct bench *bench = bench_new(&bench_config);
	const struct ld_show_query query = {.name = "wWw.Example", .type = A};

	(void)state;
	assert_string_equal(bench_answer(bench, query), "ask");
	assert_string_equal(bench_finish(bench, good,
					 "NOERROR | www.example A | an www.example 60 A 192.0.2.1"),
			    "NOERROR qr rd ra | wWw.Example A | an wWw.Example 60 A 192.0.2.1");
	assert_string_equal(bench_answer(bench, query),
			    "NOERROR qr rd ra | wWw.Example A | an wWw.Example 60 A 192.0.2.1");
	bench->now_ms += 59999;
	assert_string_equal(
		bench_answer(
			bench,
			(struct ld_show_query){.name = "www.eXample", .type = A, .edns = true}),
		"NOERROR qr rd ra | www.eXample A | an www.eXample 1 A 192.0.2.1 | opt 1232");
	/* Of another type, class, or with CD, it is another question. */
	assert_string_equal(bench_answer(bench, (struct ld_show_query){.name = "www.example",
								       .type = LD_TYPE_AAAA}),
			    "ask");
	assert_string_equal(bench_answer(bench, (struct ld_show_query){.name = "www.example",
								       .type = A,
								       .flags = LD_FLAG_CD}),
			    "ask");
	bench->now_ms += 1;
	assert_string_equal(bench_answer(bench, query), "ask");
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_CACHED), 2);
	assert_int_equal(ld_worker_counter(bench->worker, LD_COUNTER_RESOLVED), 1);
	bench_free(bench);
}

static void
negative_answers_hold_as_long_as_the_soa_says(void **state)
{
	struct bench *bench = bench_new(&bench_config);
	const struct ld_show_query query = {.name = "no.example", .type = A};

	(void)state;
	assert_string_equal(bench_answer(bench, query), "ask");
	assert_string_equal(
		bench_finish(bench, good,
			     "NXDOMAIN | no.example A | au example 3600 SOA ns.example 5"),
		"NXDOMAIN qr rd ra | no.example A | au example 5 SOA ns.example 5");
	bench->now_ms += 4000;
	assert_string_equal(bench_answer(bench, query),
			    "NXDOMAIN qr rd ra | no.example A | au example 1 SOA ns.example 5");
	bench->now_ms += 1000;
	assert_string_equal(bench_answer(bench, query), "ask");
	/* Without an SOA it is told, and not kept. */
	assert_string_equal(bench_finish(bench, good, "NXDOMAIN | no.example A"),
			    "NXDOMAIN qr rd ra | no.example A");
	assert_string_equal(bench_answer(bench, query), "ask");
	/* So is an answer whose TTL is 0, and a chain that leads nowhere. */
	bench_finish(bench, good, "NOERROR | no.example A | an no.example 0 A 192.0.2.1");
	assert_string_equal(bench_answer(bench, query), "ask");
	bench_finish(bench, good, "NOERROR | no.example A | an no.example 60 CNAME a.example");
	assert_string_equal(bench_answer(bench, query), "ask");
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
	struct bench *bench = bench_new(&bench_config);
	const struct ld_show_query query = {.name = "a.example", .type = A, .edns = true};

	(void)state;
	for (size_t i = 0; i < sizeof responses / sizeof *responses; i++) {
		bench->now_ms += 20000;
		assert_string_equal(bench_answer(bench, query), "ask");
		assert_int_equal(
			strncmp(bench_finish(bench, good, responses[i]), "SERVFAIL qr rd ra ", 18),
			0);
		assert_int_equal(strncmp(bench_answer(bench, query), "SERVFAIL qr rd ra ", 18), 0);
	}
	bench_free(bench);
}

static void
what_upstream_says_of_itself_is_told(void **state)
{
#define TOLD(ede) "SERVFAIL qr rd ra | a.example A | opt 1232 ede " ede
#define SAID(code, text)                                                                           \
	{                                                                                          \
		code,                                                                              \
		{                                                                                  \
			(const uint8_t *)(text), sizeof(text) - 1                                  \
		}                                                                                  \
	}
	static const struct {
		const char *response, *told;
		struct ld_upstream_ede edes[LD_UPSTREAM_EDE_MAX];
		unsigned ede_count;
	} rows[] = {
		/* REFUSED speaks of us, not of the client; it need not repeat the question. */
		{"REFUSED | a.example A", TOLD("22 Upstream could not answer"), {SAID(0, "")}, 0},
		{"SERVFAIL", TOLD("22 Upstream could not answer"), {SAID(0, "")}, 0},
		{"SERVFAIL | a.example A", TOLD("6"), {SAID(6, "")}, 1},
		{"SERVFAIL | a.example A",
		 TOLD("6 ooo ede 22 x"),
		 {SAID(6, "ooo"), SAID(22, "x")},
		 2},
		{"SERVFAIL | a.example A", TOLD("6  [31m"), {SAID(6, "\x1b[31m")}, 1},
		{"SERVFAIL | a.example A", TOLD("6 \xef\xbf\xbd"), {SAID(6, "\xff")}, 1},
		{"NOERROR | a.example A | an a.example 1 A 192.0.2.1",
		 "NOERROR qr rd ra | a.example A | an a.example 1 A 192.0.2.1 | opt 1232 ede 3 old",
		 {SAID(3, "old")},
		 1},
		/* It filtered: for our client that is upstream's doing. */
		{"NOERROR | a.example A | an a.example 1 A 0.0.0.0",
		 "NOERROR qr rd ra | a.example A | an a.example 1 A 0.0.0.0 | opt 1232 ede 35 no "
		 "ede 35 ede 35",
		 {SAID(15, "no"), SAID(16, ""), SAID(17, "")},
		 3},
	};
	struct bench *bench = bench_new(&bench_config);
	const struct ld_show_query query = {.name = "a.example", .type = A, .edns = true};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ld_upstream_result result = good;

		memcpy(result.edes, rows[i].edes, sizeof result.edes);
		result.ede_count = rows[i].ede_count;
		bench->now_ms += 20000;
		assert_string_equal(bench_answer(bench, query), "ask");
		assert_string_equal(bench_finish(bench, result, rows[i].response), rows[i].told);
		/* From the cache the same, and that a failure is remembered. */
		char kept[512];
		snprintf(kept, sizeof kept, "%s%s", rows[i].told,
			 strncmp(rows[i].told, "SERVFAIL", 8) == 0 ? " ede 13" : "");
		assert_string_equal(bench_answer(bench, query), kept);
	}
	bench_free(bench);
}

/* However much upstream says, there is room for what we have to say. */
static void
what_upstream_says_leaves_room_for_our_word(void **state)
{
	struct bench *bench = bench_new(&bench_config);
	struct ld_upstream_result result = {.ede = 23, .ede_count = LD_UPSTREAM_EDE_MAX};
	char text[LD_EDE_TEXT_MAX_BYTES + 1];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	result.ede_text = text;
	for (unsigned i = 0; i < LD_UPSTREAM_EDE_MAX; i++)
		result.edes[i] = (struct ld_upstream_ede){.code = 3, .text = ld_span_str(text)};
	assert_string_equal(
		bench_answer(bench,
			     (struct ld_show_query){.name = "a.example", .type = A, .edns = true}),
		"ask");
	assert_string_equal(
		bench_finish(bench, result, "NOERROR | b.example A | an b.example 1 A 192.0.2.1"),
		"SERVFAIL qr rd ra | a.example A | opt 1232 ede 0 The answer from upstream is "
		"malformed");
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
		struct bench *bench = bench_new(&bench_config);
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
		assert_string_equal(bench_answer(bench, query), "ask");
		assert_string_equal(
			bench_finish(bench, rows[i].secure ? validated : good, response), wanted);
		assert_string_equal(bench_answer(bench, query), wanted);
		/* One without signatures serves only those who want none, and the reverse. */
		query.edns = true;
		query.dnssec_ok = !query.dnssec_ok;
		assert_string_equal(bench_answer(bench, query), "ask");
		bench_free(bench);
	}
}

static void
one_entry_serves_all_where_nothing_is_signed(void **state)
{
	struct bench *bench = bench_new(&bench_config);

	(void)state;
	assert_string_equal(
		bench_answer(bench, (struct ld_show_query){.name = "a.example", .type = A}), "ask");
	bench_finish(bench, good, "NOERROR | a.example A | an a.example 60 A 192.0.2.1");
	assert_string_equal(
		bench_answer(bench, (struct ld_show_query){.name = "a.example",
							   .type = A,
							   .edns = true,
							   .dnssec_ok = true}),
		"NOERROR qr rd ra | a.example A | an a.example 60 A 192.0.2.1 | opt 1232 do");
	bench_free(bench);
}

static void
answers_past_the_limit_are_not_kept(void **state)
{
	struct bench *bench = bench_new(&bench_config);
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
		assert_string_equal(
			bench_answer(bench, (struct ld_show_query){.name = name, .type = A}),
			"ask");
		bench_finish(bench, good, (const char *)response.data);
		assert_int_equal(bench->out_len, 12 + 18 + 16 * records);
		assert_int_equal(
			strcmp(bench_answer(bench, (struct ld_show_query){.name = name, .type = A}),
			       "ask") != 0,
			12 + 18 + 16 * records <= 4096);
		ld_buffer_free(&response);
	}
	bench_free(bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_told_and_kept),
		cmocka_unit_test(negative_answers_hold_as_long_as_the_soa_says),
		cmocka_unit_test(what_is_no_answer_to_the_question_is_a_failure),
		cmocka_unit_test(what_upstream_says_of_itself_is_told),
		cmocka_unit_test(what_upstream_says_leaves_room_for_our_word),
		cmocka_unit_test(authentic_data_only_if_validated_and_asked_for),
		cmocka_unit_test(one_entry_serves_all_where_nothing_is_signed),
		cmocka_unit_test(answers_past_the_limit_are_not_kept),
	};

	return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
