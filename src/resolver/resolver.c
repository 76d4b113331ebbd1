/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/resolver.h"

#include <stdatomic.h>
#include <stdlib.h>

struct ld_resolver {
	struct ld_resolver_config config;
};

struct ld_worker {
	const struct ld_resolver *resolver;
	const struct lindung *list;
	_Atomic uint64_t counters[LD_COUNTER_COUNT];
};

int
ld_resolver_new(struct ld_resolver **ret, const struct ld_resolver_config *config,
		struct ld_report *report)
{
	struct ld_resolver *resolver = calloc(1, sizeof *resolver);

	if (resolver == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "no memory for the resolver");
	resolver->config = *config;
	*ret = resolver;
	return LINDUNG_OK;
}

void
ld_resolver_free(struct ld_resolver *resolver)
{
	free(resolver);
}

int
ld_worker_new(struct ld_worker **ret, const struct ld_resolver *resolver)
{
	struct ld_worker *worker = calloc(1, sizeof *worker);

	if (worker == NULL)
		return LINDUNG_ENOMEM;
	worker->resolver = resolver;
	*ret = worker;
	return LINDUNG_OK;
}

void
ld_worker_free(struct ld_worker *worker)
{
	free(worker);
}

void
ld_worker_set_list(struct ld_worker *worker, const struct lindung *list)
{
	worker->list = list;
}

uint64_t
ld_ask_hash(const struct ld_ask *ask)
{
	return ask->type;
}

bool
ld_ask_same(const struct ld_ask *a, const struct ld_ask *b)
{
	return a == b;
}

enum ld_step
ld_worker_query(struct ld_worker *worker, enum ld_transport transport, int64_t now_ms,
		struct ld_span query, struct ld_writer *answer, struct ld_ask *ret_ask)
{
	(void)now_ms;
	(void)answer;
	(void)ret_ask;
	(void)query;
	ld_worker_count(worker, transport == LD_TRANSPORT_UDP ? LD_COUNTER_QUERIES_UDP
							      : LD_COUNTER_QUERIES_TCP);
	return LD_STEP_DROP;
}

void
ld_worker_learn(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
		const struct ld_upstream_result *result)
{
	(void)worker;
	(void)now_ms;
	(void)ask;
	(void)result;
}

void
ld_worker_finish(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
		 const struct ld_upstream_result *result, struct ld_writer *answer)
{
	(void)worker;
	(void)now_ms;
	(void)ask;
	(void)result;
	(void)answer;
}

void
ld_worker_count(struct ld_worker *worker, enum ld_counter counter)
{
	/* One writer: no locked addition is needed, only that readers see whole numbers. */
	uint64_t now = atomic_load_explicit(&worker->counters[counter], memory_order_relaxed);

	atomic_store_explicit(&worker->counters[counter], now + 1, memory_order_relaxed);
}

uint64_t
ld_worker_counter(const struct ld_worker *worker, enum ld_counter counter)
{
	return atomic_load_explicit(&worker->counters[counter], memory_order_relaxed);
}

size_t
ld_worker_cache_bytes(const struct ld_worker *worker)
{
	(void)worker;
	return 0;
}
