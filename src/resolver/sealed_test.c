/* What an authority ordered to be closed is answered alike, sealed or not.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/test_bench.h"
#include "resolver/worker.h"

static const struct fake_entry entries[] = {
	{.name = "casino.example", .category = "gambling", .action = LINDUNG_BLOCK},
	{.name = "sealed.example", .action = LINDUNG_BLOCK, .is_sealed = true},
	{.name = "poker1.example", .category = "adult", .action = LINDUNG_BLOCK, .is_exact = true},
	{.name = "hidden.example", .action = LINDUNG_BLOCK, .is_exact = true, .is_sealed = true},
	{.name = "leads.example", .category = "gambling", .action = LINDUNG_ALLOW},
	{.name = "d1.cdn.example", .action = LINDUNG_BLOCK, .is_sealed = true},
	{.name = "guard.example", .category = "adult", .is_protected = true},
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

/* Put one word for another of the same length wherever it stands. */
static void
replace(struct bench *bench, const char *from, const char *to)
{
	size_t len = strlen(from);

	for (size_t at = 0; at + len <= bench->out_len; at++)
		if (memcmp(bench->out + at, from, len) == 0)
			memcpy(bench->out + at, to, len);
}

/* The two answers differ in the name asked for alone. */
static void
check_alike(struct bench *bench, struct ld_show_query query, const char *open, const char *sealed)
{
	static const char *const before[] = {"", "www.", "a.b."};

	for (unsigned i = 0; i < sizeof before / sizeof *before; i++) {
		uint8_t answer[LD_MESSAGE_MAX_BYTES];
		char name[64];
		size_t len;

		snprintf(name, sizeof name, "%s%s.example", before[i], open);
		query.name = name;
		bench_answer(bench, query);
		len = bench->out_len;
		memcpy(answer, bench->out, len);
		snprintf(name, sizeof name, "%s%s.example", before[i], sealed);
		bench_answer(bench, query);
		replace(bench, sealed, open);
		assert_int_equal(bench->out_len, len);
		assert_memory_equal(bench->out, answer, len);
	}
}

static void
sealed_names_are_answered_as_others_by_order(void **state)
{
	static const uint16_t types[] = {LD_TYPE_A, LD_TYPE_AAAA, LD_TYPE_HTTPS, LD_TYPE_MX,
					 LD_TYPE_ANY};
	static const struct ld_span asks[] = {{NULL, 0}, {(const uint8_t *)"\0\x1a\0\0", 4}};
	static const uint8_t transports[] = {LD_TRANSPORT_UDP, LD_TRANSPORT_TLS,
					     LD_TRANSPORT_HTTPS};
	struct ld_resolver_config config = bench_config;

	(void)state;
	config.block_ede = LD_EDE_CENSORED;
	config.has_address4 = true;
	memcpy(config.address4, "\xc0\0\2\x50", 4);
	for (config.block_mode = LD_BLOCK_NXDOMAIN; config.block_mode <= LD_BLOCK_ADDRESS;
	     config.block_mode++) {
		struct bench *bench = bench_with_list(&config);

		for (unsigned i = 0; i < 5 * 2 * 2 * 3; i++) {
			struct ld_show_query query = {.type = types[i % 5],
						      .edns = i / 5 % 2,
						      .options = asks[i / 10 % 2]};

			bench->from.transport = transports[i / 20];
			check_alike(bench, query, "casino", "sealed");
			if (query.type == LD_TYPE_A)
				check_alike(bench, query, "poker1", "hidden");
		}
		bench_end(bench);
	}
}

/* Whoever else decides what is closed here: with a sealed name it was an authority. */
static void
sealed_names_tell_ede_16_alone(void **state)
{
	struct ld_resolver_config config = bench_config;

	(void)state;
	for (config.block_ede = LD_EDE_BLOCKED; config.block_ede <= LD_EDE_FILTERED;
	     config.block_ede++) {
		struct bench *bench = bench_with_list(&config);

		assert_string_equal(
			bench_answer(bench, (struct ld_show_query){.name = "www.sealed.example",
								   .type = A,
								   .edns = true}),
			"NXDOMAIN qr rd ra | www.sealed.example A" BLOCK_SOA(
				"www.sealed.example") " | opt 1232 ede 16 Blocked");
		bench_end(bench);
	}
}

/* Where a name leads: an allow entry of the name opens its targets, but not those. */
static void
sealed_targets_are_closed(void **state)
{
	static const char *const shared[] = {"cdn.example"};
	struct ld_resolver_config config = bench_config;

	(void)state;
	config.shared = shared;
	config.shared_count = 1;
	struct bench *bench = bench_with_list(&config);
	bench_answer(bench,
		     (struct ld_show_query){.name = "leads.example", .type = A, .edns = true});
	assert_string_equal(
		bench_finish(
			bench, good,
			"NOERROR | leads.example A | an leads.example 60 CNAME sealed.example"),
		"NOERROR qr rd ra | leads.example A" BLOCK_SOA(
			"leads.example") " | opt 1232 ede 16 Blocked");
	bench_answer(bench, (struct ld_show_query){.name = "a.example", .type = A, .edns = true});
	assert_string_equal(
		bench_finish(bench, good,
			     "NOERROR | a.example A | an a.example 60 CNAME x.d1.cdn.example"),
		"NOERROR qr rd ra | a.example A" BLOCK_SOA(
			"a.example") " | opt 1232 ede 16 Blocked");
	bench_answer(bench, (struct ld_show_query){.name = "guard.example", .type = A});
	assert_string_equal(
		bench_finish(
			bench, good,
			"NOERROR | guard.example A | an guard.example 60 CNAME sealed.example"),
		"NOERROR qr rd ra | guard.example A | an guard.example 60 CNAME sealed.example");
	bench_end(bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed_names_are_answered_as_others_by_order),
		cmocka_unit_test(sealed_names_tell_ede_16_alone),
		cmocka_unit_test(sealed_targets_are_closed),
	};

	return cmocka_run_group_tests_name("sealed", tests, NULL, NULL);
}
