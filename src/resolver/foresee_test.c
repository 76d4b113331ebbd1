/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/test_bench.h"

static const struct ld_show_query queries[] = {
	{.name = "casino.example", .type = A, .edns = true},
	{.name = "www.CASINO.example", .type = A},
	{.name = "shop.casino.example", .type = A},
	{.name = "localhost", .type = A}, /* answered unjudged */
	{.name = "help.adult.example", .type = A},
	{.name = "adult.example", .type = LD_TYPE_HTTPS, .edns = true},
	{.name = "casino.example", .type = A, .class_ = 3}, /* refused */
	{.name = "open.example", .type = A},
	{.name = ".", .type = LD_TYPE_NS},
	{.name = "adult.example", .type = A},
};

enum { COUNT = sizeof queries / sizeof *queries, UNJUDGED = 2 };

static uint8_t memory[COUNT][512];

static void
queries_build(struct ld_span spans[COUNT])
{
	for (unsigned i = 0; i < COUNT; i++) {
		struct ld_writer w = ld_writer(memory[i], sizeof memory[i]);

		ld_show_build_query(&w, &queries[i]);
		spans[i] = ld_span(w.data, w.len);
	}
}

static void
answers_are_the_same_and_are_looked_up_once(void **state)
{
	struct bench *plain = bench_new(&bench_config), *ahead = bench_new(&bench_config);
	struct ld_span spans[COUNT];
	char wanted[1024];

	(void)state;
	queries_build(spans);
	ld_worker_foresee(ahead->worker, spans, COUNT);
	assert_int_equal(fake_list_lookups(ahead->list), COUNT);
	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(wanted, sizeof wanted, "%s", bench_answer_bytes(plain, spans[i]));
		assert_string_equal(bench_answer_bytes(ahead, spans[i]), wanted);
	}
	assert_int_equal(fake_list_lookups(plain->list), COUNT - UNJUDGED);
	assert_int_equal(fake_list_lookups(ahead->list), COUNT);
	bench_free(plain);
	bench_free(ahead);
}

static void
what_was_not_foreseen_is_looked_up(void **state)
{
	struct bench *bench = bench_new(&bench_config);
	struct ld_span spans[COUNT];

	(void)state;
	queries_build(spans);
	/* Of another name, and asked out of turn. */
	ld_worker_foresee(bench->worker, spans, 2);
	assert_string_equal(bench_answer_bytes(bench, spans[7]), "ask");
	assert_int_equal(fake_list_lookups(bench->list), 3);
	(void)bench_answer_bytes(bench, spans[1]);
	(void)bench_answer_bytes(bench, spans[0]);
	assert_int_equal(fake_list_lookups(bench->list), 4);
	bench_free(bench);
}

static void
another_list_forgets_what_was_foreseen(void **state)
{
	struct bench *bench = bench_new(&bench_config);
	struct lindung *empty = fake_list_new(NULL, 0);
	struct ld_span spans[COUNT];

	(void)state;
	queries_build(spans);
	ld_worker_foresee(bench->worker, spans, COUNT);
	ld_worker_set_list(bench->worker, empty);
	assert_string_equal(bench_answer_bytes(bench, spans[1]), "ask");
	/* Without a list nothing is asked of it. */
	ld_worker_set_list(bench->worker, NULL);
	ld_worker_foresee(bench->worker, spans, COUNT);
	assert_int_equal(fake_list_lookups(empty), 1);
	fake_list_free(empty);
	bench_free(bench);
}

static void
what_is_no_query_is_passed_over(void **state)
{
	struct bench *bench = bench_new(&bench_config);
	uint8_t long_name[12 + 300], pointer[20] = {0}, cut[16] = {0};
	struct ld_span spans[] = {
		{NULL, 0},
		LD_SPAN("\0\0\1\0\0\1\0\0\0\0\0\0"),
		ld_span(cut, sizeof cut),
		ld_span(pointer, sizeof pointer),
		ld_span(long_name, sizeof long_name),
	};

	(void)state;
	cut[12] = 3; /* more octets than there are */
	pointer[12] = 0xc0;
	memset(long_name, 1, sizeof long_name); /* labels without an end */
	ld_worker_foresee(bench->worker, spans, sizeof spans / sizeof *spans);
	assert_int_equal(fake_list_lookups(bench->list), 0);
	bench_free(bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_the_same_and_are_looked_up_once),
		cmocka_unit_test(what_was_not_foreseen_is_looked_up),
		cmocka_unit_test(another_list_forgets_what_was_foreseen),
		cmocka_unit_test(what_is_no_query_is_passed_over),
	};

	return cmocka_run_group_tests_name("foresee", tests, NULL, NULL);
}
