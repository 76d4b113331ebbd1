/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/metrics.h"

#include "process/zoning.h"

#include <time.h>

#include "base/clock.h"

struct counter {
	const char *metric, *help;
};

#define LD_X(symbol, metric, help) {metric, help},
static const struct counter counters[] = {LD_COUNTERS(LD_X)};
static const struct counter forward_counters[] = {LD_UPSTREAM_COUNTERS(LD_X)};
#undef LD_X

static uint64_t
worker_counter(const struct ld_thread *thread, unsigned c)
{
	return ld_worker_counter(ld_thread_worker(thread), c);
}

static uint64_t
forward_counter(const struct ld_thread *thread, unsigned c)
{
	return ld_thread_upstream_counter(thread, c);
}

/* The counters of one metric stand together in the table; its HELP and TYPE come once. */
static void
counters_write(const struct ld_metrics *metrics, const struct counter *table, unsigned count,
	       uint64_t (*read)(const struct ld_thread *thread, unsigned c), struct ld_buffer *out)
{
	struct ld_span last = {NULL, 0};

	for (unsigned c = 0; c < count; c++) {
		struct ld_span metric = ld_span_str(table[c].metric);
		struct ld_span name = ld_span_first(metric, ld_span_find(metric, '{'));
		uint64_t total = 0;

		if (!ld_span_equal(name, last))
			ld_buffer_printf(out, "# HELP %.*s %s\n# TYPE %.*s counter\n",
					 (int)name.len, (const char *)name.data, table[c].help,
					 (int)name.len, (const char *)name.data);
		last = name;
		for (unsigned t = 0; t < metrics->thread_count; t++)
			total += read(metrics->threads[t], c);
		ld_buffer_printf(out, "%s %llu\n", table[c].metric, (unsigned long long)total);
	}
}

/* Of connections, by transport. */
static void
connections_write(const struct ld_metrics *metrics, struct ld_buffer *out)
{
	static const char *const totals[][2] = {
#define LD_X(symbol, metric, help) {metric, help},
		LD_TCP_COUNTERS(LD_X)
#undef LD_X
	};
	static const char *const names[] = {
		[LD_TRANSPORT_TCP] = "tcp",
		[LD_TRANSPORT_TLS] = "tls",
		[LD_TRANSPORT_HTTPS] = "https",
	};

	ld_buffer_printf(out, "# HELP lindung_connections Connections now open.\n"
			      "# TYPE lindung_connections gauge\n");
	for (enum ld_transport s = LD_TRANSPORT_TCP; s <= LD_TRANSPORT_HTTPS; s++) {
		unsigned open = 0;

		for (unsigned t = 0; t < metrics->thread_count; t++)
			open += ld_thread_connections(metrics->threads[t], s);
		ld_buffer_printf(out, "lindung_connections{transport=\"%s\"} %u\n", names[s], open);
	}
	for (unsigned c = 0; c < LD_TCP_COUNTER_COUNT; c++) {
		ld_buffer_printf(out, "# HELP %s %s\n# TYPE %s counter\n", totals[c][0],
				 totals[c][1], totals[c][0]);
		for (enum ld_transport s = LD_TRANSPORT_TCP; s <= LD_TRANSPORT_HTTPS; s++) {
			uint64_t total = 0;

			for (unsigned t = 0; t < metrics->thread_count; t++)
				total += ld_thread_counter(metrics->threads[t], s, c);
			ld_buffer_printf(out, "%s{transport=\"%s\"} %llu\n", totals[c][0], names[s],
					 (unsigned long long)total);
		}
	}
}

static double
seconds_since(uint64_t monotonic_ms)
{
	return (double)(ld_clock_monotonic_ms() - (int64_t)monotonic_ms) / 1000;
}

static void
number_write(struct ld_buffer *out, const char *metric, const char *type, const char *help,
	     double value)
{
	ld_buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.15g\n", metric, help, metric, type,
			 metric, value);
}

static void
certificate_write(const struct ld_status *status, struct ld_buffer *out)
{
	if (status->certificate_loads == 0)
		return;
	number_write(out, "lindung_certificate_expires_seconds", "gauge",
		     "When the certificate shown expires, in seconds since 1970.",
		     (double)status->certificate_expires_s);
	number_write(out, "lindung_certificate_loads_total", "counter",
		     "Certificates that were taken.", (double)status->certificate_loads);
	number_write(out, "lindung_certificate_load_failures_total", "counter",
		     "Certificates that were refused, the one before still being shown.",
		     (double)status->certificate_load_fails);
}

static void
list_write(const struct ld_status *status, struct ld_buffer *out)
{
	const struct ld_list_facts *facts = &status->facts;
	double date_s = (double)facts->date_day * 86400;

	number_write(out, "lindung_list_entries", "gauge", "Names in the list in force.",
		     (double)facts->entries);
	number_write(out, "lindung_list_bytes", "gauge", "Size of the list in force.",
		     (double)facts->bytes);
	if (facts->date_day != 0) {
		number_write(out, "lindung_list_date_seconds", "gauge",
			     "Date of the list in force, in seconds since 1970.", date_s);
		number_write(out, "lindung_list_age_seconds", "gauge",
			     "Time since the date of the list in force.",
			     (double)time(NULL) - date_s);
	}
	number_write(out, "lindung_list_loaded_seconds", "gauge",
		     "Time since the list in force was loaded.", seconds_since(status->loaded_ms));
	number_write(out, "lindung_list_loads_total", "counter", "Lists that were taken.",
		     (double)facts->loads);
	number_write(out, "lindung_list_load_failures_total", "counter",
		     "Lists that were refused, the one before staying in force.",
		     (double)facts->load_fails);
}

/* Where a log is followed.  Ages are told even where nothing comes any more: then they rise. */
static void
follow_write(const struct ld_follow_facts *follow, struct ld_buffer *out)
{
	if (follow->on == 0)
		return;
	number_write(out, "lindung_follow_statements", "gauge",
		     "Statements of the log that the list in force follows from.",
		     (double)follow->size);
	if (follow->checkpoint_s != 0)
		number_write(out, "lindung_follow_checkpoint_age_seconds", "gauge",
			     "Time since enough witnesses saw the log as it is in force.",
			     (double)time(NULL) - (double)follow->checkpoint_s);
	if (follow->checked_s != 0)
		number_write(out, "lindung_follow_checked_age_seconds", "gauge",
			     "Time since the log was last fetched and found good.",
			     (double)time(NULL) - (double)follow->checked_s);
	if (follow->max_age_s != 0)
		number_write(out, "lindung_follow_max_age_seconds", "gauge",
			     "Age of the checkpoint past which the log is called frozen.",
			     (double)follow->max_age_s);
	number_write(out, "lindung_follow_polls_total", "counter", "Looks at the log.",
		     (double)follow->polls);
	number_write(out, "lindung_follow_failures_total", "counter",
		     "Looks at the log that failed; what was in force stayed.",
		     (double)follow->failures);
	number_write(out, "lindung_follow_updates_total", "counter", "Lists that came of it.",
		     (double)follow->updates);
	number_write(out, "lindung_follow_news_total", "counter", "NOTIFY that were taken.",
		     (double)follow->news);
	ld_buffer_printf(out,
			 "# HELP lindung_follow_trouble 1 for what is wrong with the log now.\n"
			 "# TYPE lindung_follow_trouble gauge\n");
	static const struct {
		const char *name;
		int error;
	} troubles[] = {
		{"rollback", LINDUNG_EROLLBACK}, {"fork", LINDUNG_EFORK},
		{"frozen", LINDUNG_EFROZEN},     {"signature", LINDUNG_ESIGNATURE},
		{"witnesses", LINDUNG_EWITNESS}, {"damaged", LINDUNG_EDAMAGED},
		{"network", LINDUNG_ENET},       {"timeout", LINDUNG_ETIMEOUT},
		{"disk", LINDUNG_EIO},
	};
	for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++)
		ld_buffer_printf(out, "lindung_follow_trouble{kind=\"%s\"} %d\n", troubles[i].name,
				 follow->trouble == (uint64_t)-troubles[i].error);
}

static void
processes_write(const struct ld_status *status, struct ld_buffer *out)
{
	ld_buffer_printf(out,
			 "# HELP lindung_process_restarts_total Processes that ended by "
			 "themselves and were started again.\n"
			 "# TYPE lindung_process_restarts_total counter\n"
			 "lindung_process_restarts_total{process=\"resolver\"} %llu\n"
			 "lindung_process_restarts_total{process=\"recursor\"} %llu\n"
			 "lindung_process_restarts_total{process=\"sync\"} %llu\n",
			 (unsigned long long)status->resolver_restarts,
			 (unsigned long long)status->recursor_restarts,
			 (unsigned long long)status->sync_restarts);
	number_write(out, "lindung_recursor_up", "gauge",
		     "1 if the process that asks the Internet runs, 0 while it is started again.",
		     (double)status->recursor_up);
}

void
ld_metrics_write(const struct ld_metrics *metrics, struct ld_buffer *out)
{
	size_t cache_bytes = 0;

	for (unsigned t = 0; t < metrics->thread_count; t++)
		cache_bytes += ld_worker_cache_bytes(ld_thread_worker(metrics->threads[t]));
	counters_write(metrics, counters, LD_COUNTER_COUNT, worker_counter, out);
	counters_write(metrics, forward_counters, LD_UPSTREAM_COUNTER_COUNT, forward_counter, out);
	connections_write(metrics, out);
	certificate_write(&metrics->status, out);
	list_write(&metrics->status, out);
	follow_write(&metrics->status.follow, out);
	processes_write(&metrics->status, out);
	ld_zoning_metrics(metrics->zones, out);
	number_write(out, "lindung_cache_bytes", "gauge", "Memory in use by the cache.",
		     (double)cache_bytes);
	number_write(out, "lindung_threads", "gauge", "Threads that answer queries.",
		     metrics->thread_count);
	number_write(out, "lindung_uptime_seconds", "gauge", "Time since the start.",
		     seconds_since(metrics->status.started_ms));
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
