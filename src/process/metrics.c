/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/metrics.h"

#include <time.h>

#include "base/clock.h"

static const struct {
	const char *metric, *help;
} counters[] = {
#define LD_X(symbol, metric, help) {metric, help},
	LD_COUNTERS(LD_X)
#undef LD_X
};

/* The counters of one metric stand together in the table; its HELP and TYPE come once. */
static void
counters_write(const struct ld_metrics *metrics, struct ld_buffer *out)
{
	struct ld_span last = {NULL, 0};

	for (unsigned c = 0; c < LD_COUNTER_COUNT; c++) {
		struct ld_span metric = ld_span_str(counters[c].metric);
		struct ld_span name = ld_span_first(metric, ld_span_find(metric, '{'));
		uint64_t total = 0;

		if (!ld_span_equal(name, last))
			ld_buffer_printf(out, "# HELP %.*s %s\n# TYPE %.*s counter\n",
					 (int)name.len, (const char *)name.data, counters[c].help,
					 (int)name.len, (const char *)name.data);
		last = name;
		for (unsigned t = 0; t < metrics->thread_count; t++)
			total += ld_worker_counter(ld_thread_worker(metrics->threads[t]), c);
		ld_buffer_printf(out, "%s %llu\n", counters[c].metric, (unsigned long long)total);
	}
}

static void
number_write(struct ld_buffer *out, const char *metric, const char *type, const char *help,
	     double value)
{
	ld_buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.15g\n", metric, help, metric, type,
			 metric, value);
}

void
ld_metrics_write(const struct ld_metrics *metrics, struct ld_buffer *out)
{
	struct ld_holder_facts facts;
	size_t cache_bytes = 0;
	double date_s;

	ld_holder_facts(metrics->holder, &facts);
	date_s = (double)facts.date_day * 86400;
	for (unsigned t = 0; t < metrics->thread_count; t++)
		cache_bytes += ld_worker_cache_bytes(ld_thread_worker(metrics->threads[t]));
	counters_write(metrics, out);
	number_write(out, "lindung_list_entries", "gauge", "Names in the list in force.",
		     (double)facts.entries);
	number_write(out, "lindung_list_bytes", "gauge", "Size of the list in force.",
		     (double)facts.bytes);
	if (facts.date_day != 0) {
		number_write(out, "lindung_list_date_seconds", "gauge",
			     "Date of the list in force, in seconds since 1970.", date_s);
		number_write(out, "lindung_list_age_seconds", "gauge",
			     "Time since the date of the list in force.",
			     (double)time(NULL) - date_s);
	}
	number_write(out, "lindung_list_loaded_seconds", "gauge",
		     "Time since the list in force was loaded.",
		     (double)(ld_clock_monotonic_ms() - facts.loaded_ms) / 1000);
	number_write(out, "lindung_list_loads_total", "counter", "Lists that were taken.",
		     (double)facts.loads);
	number_write(out, "lindung_list_load_failures_total", "counter",
		     "Lists that were refused, the one before staying in force.",
		     (double)facts.load_fails);
	number_write(out, "lindung_cache_bytes", "gauge", "Memory in use by the cache.",
		     (double)cache_bytes);
	number_write(out, "lindung_threads", "gauge", "Threads that answer queries.",
		     metrics->thread_count);
	number_write(out, "lindung_uptime_seconds", "gauge", "Time since the start.",
		     (double)(ld_clock_monotonic_ms() - metrics->started_ms) / 1000);
}

int
ld_metrics_page(void *ctx, const char *path, struct ld_buffer *body, const char **ret_type)
{
	if (strcmp(path, "/metrics") != 0) {
		ld_buffer_printf(body, "See /metrics\n");
		return 404;
	}
	*ret_type = "text/plain; version=0.0.4; charset=utf-8";
	ld_metrics_write(ctx, body);
	return 200;
}
