/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/test_bench.h"

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

const struct ld_resolver_config bench_config = {
	.block_mode = LD_BLOCK_NXDOMAIN,
	.block_ttl_s = 30,
	.block_ede = 17,
	.cache_bytes = 1 << 20,
	.cache_ttl_max_s = 86400,
	.cache_negative_ttl_max_s = 900,
	.cache_stale_s = 86400,
	.cache_failure_ttl_max_s = 5,
	.cache_prefetch = true,
	.udp_payload_bytes = 1232,
};

struct bench *
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

void
bench_free(struct bench *bench)
{
	ld_worker_free(bench->worker);
	ld_resolver_free(bench->resolver);
	fake_list_free(bench->list);
	free(bench);
}

const char *
bench_answer_bytes(struct bench *bench, struct ld_span query)
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

const char *
bench_answer(struct bench *bench, struct ld_show_query query)
{
	uint8_t memory[512];
	struct ld_writer w = ld_writer(memory, sizeof memory);

	ld_show_build_query(&w, &query);
	assert_false(w.failed);
	return bench_answer_bytes(bench, ld_span(w.data, w.len));
}

const char *
bench_finish(struct bench *bench, struct ld_upstream_result result, const char *response)
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

void
bench_check_rows(struct bench *bench, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *got = bench_answer(bench, rows[i].query);

		if (strcmp(got, rows[i].answer) != 0)
			fail_msg("row %zu, %s:\n   got %s\nwanted %s", i, rows[i].query.name, got,
				 rows[i].answer);
	}
}
