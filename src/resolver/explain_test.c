/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/test_bench.h"
#include "resolver/worker.h"

/* The option by which a client asks for structured errors; what is in it does not count. */
#define ASKS                                                                                       \
	{                                                                                          \
		(const uint8_t *)"\0\x1a\0\0", 4                                                   \
	}
#define ASKS_WITH_DATA                                                                             \
	{                                                                                          \
		(const uint8_t *)"\0\x1a\0\3{x}", 7                                                \
	}

static const char *const contacts[] = {"mailto:help@school.example", "tel:+62-21-500-000"};

static const struct fake_entry entries[] = {
	{.name = "casino.example", .category = "gambling", .action = LINDUNG_BLOCK},
	{.name = "bank.example", .category = "phishing", .action = LINDUNG_BLOCK},
	{.name = "both.example", .category = "phishing", .action = LINDUNG_BLOCK},
	{.name = "both.example", .category = "adult", .action = LINDUNG_BLOCK},
	{.name = "host.example", .category = "gambling", .action = LINDUNG_BLOCK, .is_exact = true},
	{.name = "img.example",
	 .category = "safesearch",
	 .action = LINDUNG_REWRITE,
	 .target = "A 192.0.2.9"},
	{.name = "search.example",
	 .category = "safesearch",
	 .action = LINDUNG_REWRITE,
	 .target = "CNAME safe.example"},
};

static struct lindung *list;

static struct bench *
bench_with_list(const struct ld_resolver_config *config)
{
	struct bench *bench = bench_new(config);

	list = fake_list_new(entries, sizeof entries / sizeof *entries);
	ld_worker_set_list(bench->worker, list);
	return bench;
}

static void
bench_end(struct bench *bench)
{
	bench_free(bench);
	fake_list_free(list);
}

/* The text of the first extended error in the last answer. */
static const char *
told(const char *shown, unsigned ede)
{
	static char text[2048];
	char mark[32];

	snprintf(mark, sizeof mark, " ede %u ", ede);
	const char *at = strstr(shown, mark);
	snprintf(text, sizeof text, "%s", at != NULL ? at + strlen(mark) : "");
	return text;
}

static void
check_told(struct bench *bench, const char *name, unsigned ede, const char *text)
{
	struct ld_show_query query = {.name = name, .type = A, .edns = true, .options = ASKS};

	assert_string_equal(told(bench_answer(bench, query), ede), text);
	query.options = (struct ld_span)ASKS_WITH_DATA;
	assert_string_equal(told(bench_answer(bench, query), ede), text);
}

static void
sde_is_one_object_of_json(void **state)
{
	struct ld_resolver_config config = bench_config;
	struct bench *bench = bench_with_list(&config);

	(void)state;
	check_told(bench, "www.casino.example", 17,
		   "{\"j\":\"Blocked: gambling (list fake)\",\"l\":\"en\"}");
	/* Who does not ask for it gets text. */
	assert_string_equal(
		told(bench_answer(bench, (struct ld_show_query){.name = "casino.example",
								.type = A,
								.edns = true}),
		     17),
		"Blocked: gambling (list fake)");
	bench_end(bench);
	config.explain = (struct ld_explain_config){
		.text = "Diblokir",
		.contacts = contacts,
		.contact_count = 2,
		.organisation = "SD \"Harapan\" \\ Jakarta",
		.language = "id",
	};
	bench = bench_with_list(&config);
	check_told(bench, "casino.example", 17,
		   "{\"c\":[\"mailto:help@school.example\",\"tel:+62-21-500-000\"],"
		   "\"j\":\"Diblokir: gambling (list fake)\","
		   "\"o\":\"SD \\\"Harapan\\\" \\\\ Jakarta\",\"l\":\"id\"}");
	bench_end(bench);
}

/* The registry's table: 1 to 4 with 15, 17 and 35, 5 and 6 with 15 alone, none with 16; and there
 * is none for what harms children. */
static void
sde_suberrors_are_those_that_the_table_allows(void **state)
{
	static const struct {
		uint16_t ede;
		const char *name, *text;
	} rows[] = {
		{17, "casino.example", "{\"j\":\"Blocked: gambling (list fake)\",\"l\":\"en\"}"},
		{17, "bank.example",
		 "{\"j\":\"Blocked: phishing (list fake)\",\"s\":2,\"l\":\"en\"}"},
		{15, "bank.example",
		 "{\"j\":\"Blocked: phishing (list fake)\",\"s\":2,\"l\":\"en\"}"},
		{15, "casino.example",
		 "{\"j\":\"Blocked: gambling (list fake)\",\"s\":6,\"l\":\"en\"}"},
		{16, "bank.example", "{\"j\":\"Blocked\",\"l\":\"en\"}"},
		{16, "casino.example", "{\"j\":\"Blocked\",\"l\":\"en\"}"},
		/* Several causes: `s` is that of the first, `j` names all. */
		{17, "both.example",
		 "{\"j\":\"Blocked: adult, phishing (list fake)\",\"l\":\"en\"}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ld_resolver_config config = bench_config;

		config.block_ede = rows[i].ede;
		struct bench *bench = bench_with_list(&config);
		check_told(bench, rows[i].name, rows[i].ede, rows[i].text);
		bench_end(bench);
	}
}

/* Where UDP has no room `j` and `o` go first, then the whole text; never the code. */
static void
sde_fields_are_dropped_in_order(void **state)
{
#define BEGINS                                                                                     \
	"{\"c\":[\"mailto:help@school.example\",\"tel:+62-21-500-000\","                           \
	"\"mailto:a-longer-address-of-the-district@district.school.example\","                     \
	"\"mailto:another-address-of-the-ministry@ministry.example\"],"
	static const char *const four[] = {
		"mailto:help@school.example", "tel:+62-21-500-000",
		"mailto:a-longer-address-of-the-district@district.school.example",
		"mailto:another-address-of-the-ministry@ministry.example"};
	static const struct {
		uint16_t udp_size;
		unsigned label; /* octets of labels in front */
		const char *text;
	} rows[] = {
		{1232, 240,
		 BEGINS "\"j\":\"Blocked: phishing (list fake)\",\"s\":2,"
			"\"o\":\"A school\",\"l\":\"en\"}"},
		{512, 0,
		 BEGINS "\"j\":\"Blocked: phishing (list fake)\",\"s\":2,"
			"\"o\":\"A school\",\"l\":\"en\"}"},
		{512, 180, BEGINS "\"s\":2}"},
		{512, 240, ""},
	};
	struct ld_resolver_config config = bench_config;

	(void)state;
	config.explain = (struct ld_explain_config){
		.contacts = four,
		.contact_count = 4,
		.organisation = "A school",
	};
	struct bench *bench = bench_with_list(&config);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char name[300];
		unsigned len = 0;

		while (len < rows[i].label)
			len += (unsigned)snprintf(name + len, sizeof name - len, "%059d.", 0);
		snprintf(name + len, sizeof name - len, "bank.example");
		if (rows[i].label == 240)
			memmove(name, name + 13, strlen(name + 13) + 1);
		const char *shown =
			bench_answer(bench, (struct ld_show_query){.name = name,
								   .type = A,
								   .edns = true,
								   .udp_size = rows[i].udp_size,
								   .options = ASKS});
		assert_non_null(strstr(shown, "NXDOMAIN qr rd ra |"));
		assert_non_null(strstr(shown, " ede 17"));
		assert_string_equal(told(shown, 17), rows[i].text);
		assert_true(bench->out_len <= rows[i].udp_size);
	}
	bench_end(bench);
}

static void
sde_text_is_i_json_whatever_is_put_in(void **state)
{
	static const struct {
		struct ld_explanation what;
		const char *whole, *brief;
	} rows[] = {
		/* Nothing to say: no object. */
		{{.sub_error = 0}, "", ""},
		{{.justification = LD_SPAN("a\"b\\c\n\x1f\x7f")},
		 "{\"j\":\"a\\\"b\\\\c\\u000a\\u001f\x7f\",\"l\":\"en\"}",
		 ""},
		/* Not UTF-8; a surrogate; noncharacters. */
		{{.justification =
			  LD_SPAN("\xff\xed\xa0\x80|\xef\xbf\xbe|\xef\xb7\x90|\xf0\x9f\xbf\xbf|"
				  "\xf0\x9f\x94\x92")},
		 "{\"j\":\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|\xef\xbf\xbd|"
		 "\xef\xbf\xbd|"
		 "\xef\xbf\xbd|\xf0\x9f\x94\x92\",\"l\":\"en\"}",
		 ""},
		{{.justification = LD_SPAN("x"), .sub_error = 1},
		 "{\"j\":\"x\",\"s\":1,\"l\":\"en\"}",
		 "{\"s\":1}"},
		/* The entry of a public log. */
		{{.sub_error = 2, .log = LD_SPAN("log.example"), .log_id = LD_SPAN("42")},
		 "{\"s\":2,\"fdbs\":[{\"db\":\"log.example\",\"id\":\"42\"}]}",
		 "{\"s\":2,\"fdbs\":[{\"db\":\"log.example\",\"id\":\"42\"}]}"},
	};
	struct ld_explain explain;
	struct ld_explain_config config = {0};
	struct ld_report report;
	char text[512];

	(void)state;
	assert_int_equal(ld_explain_init(&explain, &config, &report), LINDUNG_OK);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		for (unsigned is_short = 0; is_short < 2; is_short++) {
			struct ld_writer w = ld_writer(text, sizeof text - 1);

			ld_explain_json(&explain, &rows[i].what, is_short, &w);
			assert_false(w.failed);
			text[w.len] = '\0';
			assert_string_equal(text, is_short ? rows[i].brief : rows[i].whole);
		}
	}
	char longer[300];
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	config.organisation = longer;
	assert_int_equal(ld_explain_init(&explain, &config, &report), LINDUNG_ECONFIG);
}

/* 4 Forged Answer never goes to a client that takes structured errors. */
static void
sde_never_with_forged_answer(void **state)
{
	struct ld_upstream_result result = good;
	struct bench *bench = bench_with_list(&bench_config);
	struct ld_show_query query = {
		.name = "img.example", .type = A, .edns = true, .options = ASKS};
	const char *rewritten = "NOERROR qr rd ra | search.example A | an search.example 30 CNAME "
				"safe.example | an safe.example 60 A 192.0.2.7 | opt 1232 ede 29 "
				"Rewritten by a list";

	(void)state;
	assert_string_equal(bench_answer(bench, query),
			    "NOERROR qr rd ra | img.example A | an img.example 30 A 192.0.2.9 | "
			    "opt 1232 ede 29 Rewritten by a list");
	query.name = "search.example";
	assert_string_equal(bench_answer(bench, query), "ask");
	result.edes[0] = (struct ld_upstream_ede){4, LD_SPAN("forged")};
	result.ede_count = 1;
	assert_string_equal(
		bench_finish(bench, result,
			     "NOERROR | safe.example A | an safe.example 60 A 192.0.2.7"),
		rewritten);
	assert_string_equal(bench_answer(bench, query), rewritten);
	query.name = "safe.example";
	assert_string_equal(bench_answer(bench, query),
			    "NOERROR qr rd ra | safe.example A | an safe.example 60 A 192.0.2.7 | "
			    "opt 1232");
	query.options.len = 0;
	assert_string_equal(bench_answer(bench, query),
			    "NOERROR qr rd ra | safe.example A | an safe.example 60 A 192.0.2.7 | "
			    "opt 1232 ede 4 forged");
	bench_end(bench);
}

/* What upstream closed is 35, from the cache too; with JSON for a client that takes it. */
static void
sde_of_what_upstream_closed(void **state)
{
	struct ld_upstream_result result = good;
	struct bench *bench = bench_with_list(&bench_config);
	struct ld_show_query query = {
		.name = "a.example", .type = A, .edns = true, .options = ASKS};
	const char *response = "NXDOMAIN | a.example A | au example 60 SOA ns.example 60";
	const char *json = "{\"j\":\"Blocked: \\\"malware\\\"\",\"l\":\"en\"} ede 22 slow";

	(void)state;
	result.edes[0] = (struct ld_upstream_ede){16, LD_SPAN("\"malware\"")};
	result.edes[1] = (struct ld_upstream_ede){17, LD_SPAN("again")};
	result.edes[2] = (struct ld_upstream_ede){22, LD_SPAN("slow")};
	result.ede_count = 3;
	assert_string_equal(bench_answer(bench, query), "ask");
	assert_string_equal(told(bench_finish(bench, result, response), 35), json);
	assert_string_equal(told(bench_answer(bench, query), 35), json);
	query.options.len = 0;
	assert_string_equal(told(bench_answer(bench, query), 35),
			    "\"malware\" ede 35 again ede 22 slow");
	bench_end(bench);
}

/* Over DoH, without option 26, 15 and 16 come with an address: else Firefox asks elsewhere. */
static void
doh_gets_an_address_with_15_and_16(void **state)
{
#define PLAIN(type, rest) "NOERROR qr rd ra | casino.example " type rest
#define ORDERED " | opt 1232 ede 16 Blocked"
#define WHY(ede) " | opt 1232 ede " ede " Blocked: gambling (list fake)"
	static const struct {
		enum ld_transport transport;
		uint16_t ede;
		bool structured, has_page;
		uint16_t type;
		const char *start;
	} rows[] = {
		{LD_TRANSPORT_HTTPS, 15, false, false, A,
		 PLAIN("A", " | an casino.example 30 A 0.0.0.0" WHY("15"))},
		{LD_TRANSPORT_HTTPS, 16, false, false, LD_TYPE_AAAA,
		 PLAIN("AAAA", " | an casino.example 30 AAAA ::" ORDERED)},
		{LD_TRANSPORT_HTTPS, 15, false, true, A,
		 PLAIN("A", " | an casino.example 30 A 192.0.2.80" WHY("15"))},
		{LD_TRANSPORT_HTTPS, 15, false, true, LD_TYPE_AAAA,
		 PLAIN("AAAA", BLOCK_SOA("casino.example") WHY("15"))},
		{LD_TRANSPORT_HTTPS, 15, false, false, LD_TYPE_HTTPS,
		 PLAIN("HTTPS", BLOCK_SOA("casino.example") WHY("15"))},
		{LD_TRANSPORT_HTTPS, 17, false, false, A,
		 "NXDOMAIN qr rd ra | casino.example A" BLOCK_SOA("casino.example") WHY("17")},
		{LD_TRANSPORT_HTTPS, 15, true, false, A,
		 "NXDOMAIN qr rd ra | casino.example A" BLOCK_SOA("casino.example")},
		{LD_TRANSPORT_TLS, 15, false, false, A,
		 "NXDOMAIN qr rd ra | casino.example A" BLOCK_SOA("casino.example") WHY("15")},
		{LD_TRANSPORT_UDP, 16, false, false, A,
		 "NXDOMAIN qr rd ra | casino.example A" BLOCK_SOA("casino.example") ORDERED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ld_resolver_config config = bench_config;
		struct ld_show_query query = {
			.name = "casino.example", .type = rows[i].type, .edns = true};

		config.block_ede = rows[i].ede;
		config.has_address4 = rows[i].has_page;
		memcpy(config.address4, "\xc0\0\2\x50", 4);
		if (rows[i].structured)
			query.options = (struct ld_span)ASKS;
		struct bench *bench = bench_with_list(&config);
		bench->from.transport = (uint8_t)rows[i].transport;
		const char *shown = bench_answer(bench, query);
		if (strncmp(shown, rows[i].start, strlen(rows[i].start)) != 0)
			fail_msg("row %zu:\n   got %s\nwanted %s", i, shown, rows[i].start);
		bench_end(bench);
	}
}

/* Who takes the reason itself gets no address in its place. */
static void
sde_answers_have_no_forged_address(void **state)
{
	struct ld_resolver_config config = bench_config;

	(void)state;
	config.block_mode = LD_BLOCK_ZERO;
	struct bench *bench = bench_with_list(&config);
	const char *shown = bench_answer(
		bench, (struct ld_show_query){
			       .name = "casino.example", .type = A, .edns = true, .options = ASKS});
	const char *wanted = "NOERROR qr rd ra | casino.example A" BLOCK_SOA("casino.example");
	assert_int_equal(strncmp(shown, wanted, strlen(wanted)), 0);
	bench_end(bench);
}

/* NXDOMAIN denies the names below: not where these may be open. */
static void
rfc8020_one_host_is_not_denied_with_what_is_below(void **state)
{
	static const struct row rows[] = {
		{{.name = "host.example", .type = A},
		 "NOERROR qr rd ra | host.example A" BLOCK_SOA("host.example")},
		{{.name = "www.host.example", .type = A}, "ask"},
		{{.name = "casino.example", .type = A},
		 "NXDOMAIN qr rd ra | casino.example A" BLOCK_SOA("casino.example")},
	};
	struct bench *bench = bench_with_list(&bench_config);

	(void)state;
	CHECK_ROWS(bench, rows);
	/* A name that leads to a closed one is not closed with what is below it. */
	bench_answer(bench, (struct ld_show_query){.name = "a.example", .type = A});
	assert_string_equal(
		bench_finish(bench, good,
			     "NOERROR | a.example A | an a.example 60 CNAME casino.example"),
		"NOERROR qr rd ra | a.example A" BLOCK_SOA("a.example"));
	bench_end(bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sde_is_one_object_of_json),
		cmocka_unit_test(sde_suberrors_are_those_that_the_table_allows),
		cmocka_unit_test(sde_fields_are_dropped_in_order),
		cmocka_unit_test(sde_text_is_i_json_whatever_is_put_in),
		cmocka_unit_test(sde_never_with_forged_answer),
		cmocka_unit_test(sde_of_what_upstream_closed),
		cmocka_unit_test(doh_gets_an_address_with_15_and_16),
		cmocka_unit_test(sde_answers_have_no_forged_address),
		cmocka_unit_test(rfc8020_one_host_is_not_denied_with_what_is_below),
	};

	return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
