/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/asker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "net/loop.h"
#include "process/channel.h"

enum {
	/* Answers that wait for a resolver that does not read; past it they are dropped. */
	QUEUE_MAX = 8 * 1024 * 1024,
	COUNTS_MS = 250, /* how often the counters are handed over, if there is something new */
	NO_LINK = -1,
};

/* A question under way. */
struct pending {
	LIST_ENTRY(pending) link;
	struct ld_asker *asker;
	unsigned link_number; /* over which it came */
	uint32_t id;
};

struct ld_asker {
	struct event_base *loop;
	struct ld_bell *bell;
	struct ld_upstream *upstream;
	struct ld_timer *counts_timer;
	struct ld_counts counts; /* as handed over last */
	LIST_HEAD(, pending) pending;
	struct ld_channel *link; /* NULL: none */
	unsigned link_number;    /* counts them */
	pthread_t thread;
	bool started;
	_Atomic int next_link; /* given by the main thread, not yet taken */
	_Atomic uint32_t ping, pong;
	_Atomic bool broken, stop;
};

static void
answer_send(struct ld_asker *asker, uint32_t id, const struct ld_upstream_result *result)
{
	uint8_t octets[LD_ANSWER_HEAD_MAX];
	struct ld_writer head = ld_writer(octets, sizeof octets);

	ld_answer_head_write(&head, id, result);
	LD_ASSERT(!head.failed);
	/* One that is not sent ends by its time. */
	(void)ld_channel_send(asker->link, LD_MESSAGE_ANSWER, ld_span(head.data, head.len),
			      result->message);
}

static void
question_done(void *ctx, const struct ld_upstream_result *result)
{
	struct pending *pending = ctx;
	struct ld_asker *asker = pending->asker;

	if (asker->link != NULL && pending->link_number == asker->link_number)
		answer_send(asker, pending->id, result);
	LIST_REMOVE(pending, link);
	free(pending);
}

static bool
question_came(void *ctx, struct ld_message *message)
{
	struct ld_asker *asker = ctx;
	struct ld_upstream_result failed = {.error = LINDUNG_ENOMEM, .ede = LD_UPSTREAM_EDE_NONE};
	struct ld_asking asking;
	struct pending *pending;

	if (message->type != LD_MESSAGE_QUESTION || !ld_asking_read(&asking, message->body))
		return false;
	pending = malloc(sizeof *pending);
	if (pending != NULL) {
		*pending = (struct pending){
			.asker = asker, .link_number = asker->link_number, .id = asking.id};
		failed.error = ld_upstream_ask(asker->upstream, &asking.name, asking.type,
					       asking.checking_disabled, question_done, pending);
		if (failed.error == LINDUNG_OK) {
			LIST_INSERT_HEAD(&asker->pending, pending, link);
			return true;
		}
		free(pending);
	}
	answer_send(asker, asking.id, &failed);
	return true;
}

static void
link_ended(void *ctx, bool violation)
{
	struct ld_asker *asker = ctx;

	ld_channel_free(asker->link);
	asker->link = NULL;
	if (violation)
		atomic_store_explicit(&asker->broken, true, memory_order_release);
}

static void
link_take(struct ld_asker *asker, int fd)
{
	struct ld_channel_config config = {
		.self = LD_ROLE_RECURSOR,
		.other = LD_ROLE_RESOLVER,
		.came = question_came,
		.ended = link_ended,
		.ctx = asker,
		.queue_max = QUEUE_MAX,
	};

	ld_channel_free(asker->link);
	asker->link = NULL;
	asker->link_number++;
	asker->counts = (struct ld_counts){0}; /* the other side knows none */
	/* Without memory for it the resolver sees its end closed. */
	(void)ld_channel_new(&asker->link, asker->loop, fd, &config);
}

static void
counts_due(void *ctx)
{
	struct ld_asker *asker = ctx;
	uint8_t octets[LD_COUNTS_BYTES];
	struct ld_writer w = ld_writer(octets, sizeof octets);
	struct ld_counts counts;

	for (unsigned i = 0; i < LD_UPSTREAM_COUNTER_COUNT; i++)
		counts.items[i] = ld_upstream_counter(asker->upstream, (enum ld_upstream_counter)i);
	ld_timer_set(asker->counts_timer, COUNTS_MS);
	if (asker->link == NULL || memcmp(&counts, &asker->counts, sizeof counts) == 0)
		return;
	ld_counts_write(&w, &counts);
	if (ld_channel_send(asker->link, LD_MESSAGE_COUNTS, ld_span(w.data, w.len),
			    ld_span(NULL, 0)) == LINDUNG_OK)
		asker->counts = counts;
}

static void
bell_rung(void *ctx)
{
	struct ld_asker *asker = ctx;
	int fd = atomic_exchange(&asker->next_link, NO_LINK);

	if (fd != NO_LINK)
		link_take(asker, fd);
	if (atomic_load_explicit(&asker->stop, memory_order_acquire))
		ld_loop_stop(asker->loop);
	atomic_store(&asker->pong, atomic_load(&asker->ping));
}

struct ld_upstream_config
ld_asker_config(const struct ld_conf *conf)
{
	return (struct ld_upstream_config){
		.forward = conf->upstream_mode == LD_CONF_MODE_FORWARD,
		.servers = conf->upstream_servers.items,
		.server_count = conf->upstream_servers.count,
		.ca_file = conf->upstream_ca_file,
		.timeout_ms = conf->upstream_timeout_ms,
		.dnssec = conf->upstream_dnssec,
		.trust_anchor = conf->upstream_trust_anchor,
		.root_hints = conf->upstream_root_hints,
	};
}

int
ld_asker_new(struct ld_asker **ret, const struct ld_upstream_config *config,
	     struct ld_report *report)
{
	struct ld_asker *asker = calloc(1, sizeof *asker);
	int err = LINDUNG_ENOMEM;

	if (asker == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory for a thread");
	LIST_INIT(&asker->pending);
	atomic_init(&asker->next_link, NO_LINK);
	asker->loop = ld_loop_new();
	if (asker->loop != NULL)
		asker->bell = ld_bell_new(asker->loop, bell_rung, asker);
	if (asker->bell != NULL)
		asker->counts_timer = ld_timer_new(asker->loop, counts_due, asker);
	if (asker->counts_timer == NULL)
		ld_fail(report, err, "not enough memory for a thread");
	else
		err = ld_upstream_new(&asker->upstream, asker->loop, config, report);
	if (err != LINDUNG_OK) {
		ld_asker_free(asker);
		return err;
	}
	*ret = asker;
	return LINDUNG_OK;
}

static void *
asker_run(void *ctx)
{
	struct ld_asker *asker = ctx;

	ld_timer_set(asker->counts_timer, COUNTS_MS);
	ld_loop_run(asker->loop);
	return NULL;
}

int
ld_asker_start(struct ld_asker *asker)
{
	asker->started = pthread_create(&asker->thread, NULL, asker_run, asker) == 0;
	return asker->started ? LINDUNG_OK : LINDUNG_ENOMEM;
}

void
ld_asker_link(struct ld_asker *asker, int fd)
{
	int before = atomic_exchange(&asker->next_link, fd);

	if (before != NO_LINK)
		close(before);
	ld_bell_ring(asker->bell);
}

void
ld_asker_ping(struct ld_asker *asker, uint32_t number)
{
	atomic_store(&asker->ping, number);
	ld_bell_ring(asker->bell);
}

uint32_t
ld_asker_pong(const struct ld_asker *asker)
{
	return atomic_load(&asker->pong);
}

bool
ld_asker_broken(struct ld_asker *asker)
{
	return atomic_exchange(&asker->broken, false);
}

void
ld_asker_stop(struct ld_asker *asker)
{
	atomic_store_explicit(&asker->stop, true, memory_order_release);
	ld_bell_ring(asker->bell);
}

void
ld_asker_free(struct ld_asker *asker)
{
	struct pending *pending;

	if (asker == NULL)
		return;
	if (asker->started)
		pthread_join(asker->thread, NULL);
	ld_upstream_free(asker->upstream);
	while ((pending = LIST_FIRST(&asker->pending)) != NULL) {
		LIST_REMOVE(pending, link);
		free(pending);
	}
	ld_channel_free(asker->link);
	if (atomic_load(&asker->next_link) != NO_LINK)
		close(atomic_load(&asker->next_link));
	ld_timer_free(asker->counts_timer);
	ld_bell_free(asker->bell);
	ld_loop_free(asker->loop);
	free(asker);
}
