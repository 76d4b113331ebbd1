/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/thread.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/loop.h"
#include "net/proxy.h"
#include "net/steer.h"
#include "net/udp.h"
#include "process/flight.h"
#include "process/lifetime.h"
#include "process/remote.h"
#include "process/zoning.h"
#include "wire/dns.h"

enum {
	ANSWER_MAX = 65535,
	BATCHES_A_TURN = 8, /* then the others on the loop have theirs */
	FLAG_CD = 0x0010,
	NO_LINK = -1,
};

/* One address that is listened on. */
struct ld_endpoint {
	struct ld_thread *thread;
	struct ld_watch *watch; /* of `udp` */
	struct ld_tcp *tcp;
	enum ld_transport stream; /* what `tcp` is */
	bool proxied;             /* a PROXY header comes before all that clients say */
	int udp, listener;        /* -1: none */
};

struct ld_thread {
	struct ld_thread_config config;
	struct event_base *loop;
	struct ld_bell *bell;
	struct ld_worker *worker;
	struct ld_remote *upstream;
	struct ld_flights *flights;
	struct ld_timer *late; /* for stale answers */
	bool late_is_set;
	struct ld_udp_batch *batch;
	pthread_t thread;
	bool started;
	sem_t list_is_up;      /* there is a list to answer by */
	_Atomic int next_link; /* given by the main thread, not yet taken */
	_Atomic uint32_t ping, pong;
	_Atomic bool broken, stop;
	_Atomic uint64_t generation;
	unsigned endpoint_count;
	struct ld_endpoint *endpoints;
	uint8_t answer[ANSWER_MAX];
};

static void
stream_answer(struct ld_endpoint *endpoint, struct ld_tcp_ref to, const struct ld_writer *w)
{
	struct ld_span answer = ld_span(w->data, w->len);

	if (w->failed || w->len == 0)
		ld_tcp_drop(endpoint->tcp, to);
	else
		ld_tcp_answer(endpoint->tcp, to, answer,
			      endpoint->stream == LD_TRANSPORT_HTTPS ? ld_lifetime_s(answer) : 0);
}

static void
client_answer(const struct ld_ask *ask, const struct ld_client *client, const struct ld_writer *w)
{
	struct ld_endpoint *endpoint = client->endpoint;

	if (ask->from.transport != LD_TRANSPORT_UDP)
		stream_answer(endpoint, client->tcp, w);
	else if (!w->failed && w->len != 0)
		ld_udp_send(endpoint->udp, &client->udp, ld_span(w->data, w->len));
}

static void
answer_send(struct ld_thread *thread, const struct ld_ask *ask, const struct ld_client *client,
	    const struct ld_upstream_result *result)
{
	struct ld_writer w = ld_writer(thread->answer, sizeof thread->answer);

	ld_worker_finish(thread->worker, ld_clock_coarse_ms(), ask, result, &w);
	client_answer(ask, client, &w);
}

/* False if there is none any more. */
static bool
stale_send(struct ld_thread *thread, const struct ld_ask *ask, const struct ld_client *client)
{
	struct ld_writer w = ld_writer(thread->answer, sizeof thread->answer);

	if (!ld_worker_stale(thread->worker, ld_clock_coarse_ms(), ask, &w))
		return false;
	client_answer(ask, client, &w);
	return true;
}

static void
late_timer_set(struct ld_thread *thread, int64_t now_ms)
{
	int64_t next_ms = ld_flights_late_ms(thread->flights);

	thread->late_is_set = next_ms != INT64_MAX;
	if (thread->late_is_set)
		ld_timer_set(thread->late, next_ms > now_ms ? (unsigned)(next_ms - now_ms) : 1);
}

/* Some have waited long enough for better than a stale answer. */
static void
late_fired(void *ctx)
{
	struct ld_thread *thread = ctx;
	int64_t now_ms = ld_clock_coarse_ms();
	struct ld_waiter *waiter;

	while ((waiter = ld_flights_late(thread->flights, now_ms)) != NULL) {
		if (stale_send(thread, &waiter->ask, &waiter->client))
			ld_waiter_free(thread->flights, waiter);
	}
	late_timer_set(thread, now_ms);
}

/* Upstream has spoken: into the cache once, then to all who wait. */
static void
flight_done(void *ctx, const struct ld_upstream_result *result)
{
	struct ld_flight *flight = ctx;
	struct ld_thread *thread = flight->owner;
	const struct ld_waiter *waiter;

	if (result->error != LINDUNG_OK)
		ld_worker_count(thread->worker, LD_COUNTER_ASK_FAILED);
	ld_worker_learn(thread->worker, ld_clock_coarse_ms(), &flight->ask, result);
	/* First out of the table: an answer over TCP may bring the next query at once. */
	ld_flights_land(thread->flights, flight);
	TAILQ_FOREACH(waiter, &flight->waiters, link)
	answer_send(thread, &waiter->ask, &waiter->client, result);
	ld_flight_free(thread->flights, flight);
}

static int
flight_start(struct ld_thread *thread, struct ld_flight *flight)
{
	const struct ld_ask *ask = &flight->ask;
	int err = ld_remote_ask(thread->upstream, &ask->name, ask->type,
				(ask->flags & FLAG_CD) != 0, flight_done, flight);

	ld_worker_count(thread->worker, LD_COUNTER_ASKED);
	if (err == LINDUNG_OK)
		return LINDUNG_OK;
	ld_worker_count(thread->worker, LD_COUNTER_ASK_FAILED);
	ld_flights_land(thread->flights, flight);
	ld_flight_free(thread->flights, flight);
	return err;
}

/* One that cannot wait. */
static void
waiter_refuse(struct ld_thread *thread, enum ld_join join, const struct ld_ask *ask,
	      const struct ld_client *client)
{
	struct ld_upstream_result failed = {.error = LINDUNG_ELIMIT, .ede = LD_EDE_OTHER};
	enum ld_counter counter = LD_COUNTER_WAIT_REFUSED;

	failed.ede_text = "Too many queries are waiting";
	if (join == LD_JOIN_FULL_CLIENT) {
		failed.ede = LD_EDE_OVER_QUOTA;
		failed.ede_text = "Too many of your queries are waiting";
		counter = LD_COUNTER_WAIT_REFUSED_CLIENT;
	} else if (join == LD_JOIN_FULL_QUESTION) {
		counter = LD_COUNTER_WAIT_REFUSED_QUESTION;
	}
	if (join != LD_JOIN_LATE)
		ld_worker_count(thread->worker, counter);
	answer_send(thread, ask, client, &failed);
}

static void
upstream_ask(struct ld_thread *thread, const struct ld_ask *ask, const struct ld_client *client)
{
	struct ld_upstream_result failed = {.error = LINDUNG_OK, .ede = LD_UPSTREAM_EDE_NONE};
	int64_t now_ms = ld_clock_coarse_ms();
	enum ld_join join;
	struct ld_flight *flight;

	join = ld_flights_join(thread->flights, now_ms, ask, client, &flight);
	switch (join) {
	case LD_JOIN_NEW:
		failed.error = flight_start(thread, flight);
		if (failed.error == LINDUNG_ENET)
			failed.ede = LD_EDE_NETWORK; /* nobody is there to ask */
		if (failed.error != LINDUNG_OK)
			answer_send(thread, ask, client, &failed);
		break;
	case LD_JOIN_WAITS:
		ld_worker_count(thread->worker, LD_COUNTER_ASK_JOINED);
		break;
	case LD_JOIN_LATE:
		if (stale_send(thread, ask, client))
			break;
		/* fall through */
	case LD_JOIN_FULL_CLIENT:
	case LD_JOIN_FULL_QUESTION:
	case LD_JOIN_FULL:
		waiter_refuse(thread, join, ask, client);
		break;
	}
	if (!thread->late_is_set)
		late_timer_set(thread, now_ms);
}

/* Ask ahead of the end of what is in the cache; nobody waits for it. */
static void
upstream_refresh(struct ld_thread *thread, const struct ld_ask *ask)
{
	struct ld_flight *flight;

	if (ld_flights_refresh(thread->flights, ask, &flight) != LD_JOIN_NEW)
		return;
	ld_worker_count(thread->worker, LD_COUNTER_PREFETCHED);
	(void)flight_start(thread, flight);
}

static enum ld_step
query_take(struct ld_thread *thread, const struct ld_from *from, int64_t now_ms,
	   struct ld_span query, struct ld_writer *w, struct ld_ask *ask)
{
	const struct ld_news *news = thread->config.news;
	enum ld_step step;

	ask->refresh = false;
	if (news != NULL && ld_news_take(news, from, query, w))
		return LD_STEP_ANSWER;
	step = ld_worker_query(thread->worker, from, now_ms, query, w, ask);
	if (ask->refresh)
		upstream_refresh(thread, ask);
	return step;
}

static struct ld_from
client_from(enum ld_transport transport, const struct ld_address *address)
{
	struct ld_from from = {.transport = (uint8_t)transport};

	from.address_len = (uint8_t)ld_address_octets(address, from.address);
	return from;
}

/* False: it is no proxy's, or has no PROXY header.  Else *packet is what the client sent. */
static bool
udp_proxied(struct ld_thread *thread, struct ld_from *from, struct ld_span *packet)
{
	struct ld_proxy proxy;

	if (!ld_prefixes_hold(thread->config.access->proxies, from->address, from->address_len) ||
	    ld_proxy_read(&proxy, *packet) != LD_PROXY_TAKEN) {
		ld_worker_count(thread->worker, LD_COUNTER_PROXY_REJECTED);
		return false;
	}
	if (!proxy.local)
		*from = client_from(LD_TRANSPORT_UDP, &proxy.from);
	*packet = ld_span_from(*packet, proxy.len);
	return true;
}

static void
udp_packet(struct ld_endpoint *endpoint, unsigned i, int64_t now_ms)
{
	struct ld_thread *thread = endpoint->thread;
	struct ld_span packet = ld_udp_batch_packet(thread->batch, i);
	struct ld_writer w = ld_writer(ld_udp_batch_room(thread->batch), LD_UDP_PACKET_MAX);
	struct ld_client client = {.endpoint = endpoint};
	struct ld_from from;
	struct ld_ask ask;

	if (packet.len == 0)
		return;
	from = client_from(LD_TRANSPORT_UDP, ld_udp_batch_from(thread->batch, i));
	if (endpoint->proxied && !udp_proxied(thread, &from, &packet))
		return;
	if (ld_zoning_packet(thread->config.zones, thread->config.access, &from,
			     ld_udp_batch_from(thread->batch, i), packet, &w)) {
		if (w.len != 0 && ld_worker_may_answer(thread->worker, &from, now_ms, &w))
			ld_udp_batch_answer(thread->batch, i, w.len);
		return;
	}
	switch (query_take(thread, &from, now_ms, packet, &w, &ask)) {
	case LD_STEP_ANSWER:
		if (!w.failed)
			ld_udp_batch_answer(thread->batch, i, w.len);
		break;
	case LD_STEP_ASK:
		ld_udp_batch_peer(thread->batch, i, &client.udp);
		upstream_ask(thread, &ask, &client);
		break;
	case LD_STEP_DROP:
		break;
	}
}

static void
udp_foresee(struct ld_thread *thread, unsigned first, unsigned count)
{
	struct ld_span queries[LD_FORESEE_MAX];
	unsigned n = 0;

	for (unsigned i = first; i < count && n < LD_FORESEE_MAX; i++)
		queries[n++] = ld_udp_batch_packet(thread->batch, i);
	ld_worker_foresee(thread->worker, queries, n);
}

static void
udp_readable(void *ctx, int fd, unsigned what)
{
	struct ld_endpoint *endpoint = ctx;
	struct ld_udp_batch *batch = endpoint->thread->batch;

	(void)what;
	for (unsigned turn = 0; turn < BATCHES_A_TURN; turn++) {
		unsigned count = ld_udp_batch_receive(batch, fd);
		int64_t now_ms = ld_clock_coarse_ms();

		for (unsigned i = 0; i < count; i++) {
			if (!endpoint->proxied && i % LD_FORESEE_MAX == 0)
				udp_foresee(endpoint->thread, i, count);
			udp_packet(endpoint, i, now_ms);
		}
		ld_udp_batch_send(batch, fd);
		if (count < LD_UDP_BATCH_MAX)
			return;
	}
}

static bool
address_is_in(const struct ld_address *address, const struct ld_prefixes *set)
{
	uint8_t octets[16];
	unsigned len = ld_address_octets(address, octets);

	return ld_prefixes_hold(set, octets, len);
}

/* Whether to take a connection from this client ... */
static bool
client_admit(void *ctx, const struct ld_address *from)
{
	const struct ld_endpoint *endpoint = ctx;

	if (address_is_in(from, endpoint->thread->config.access->allowed))
		return true;
	ld_worker_count(endpoint->thread->worker, LD_COUNTER_DENIED);
	return false;
}

/* ... or from this proxy. */
static bool
proxy_admit(void *ctx, const struct ld_address *from)
{
	const struct ld_endpoint *endpoint = ctx;

	if (address_is_in(from, endpoint->thread->config.access->proxies))
		return true;
	ld_worker_count(endpoint->thread->worker, LD_COUNTER_PROXY_REJECTED);
	return false;
}

static void
stream_message(void *ctx, struct ld_tcp_ref connection, struct ld_span message,
	       struct ld_span token)
{
	struct ld_endpoint *endpoint = ctx;
	struct ld_thread *thread = endpoint->thread;
	struct ld_writer w = ld_writer(thread->answer, sizeof thread->answer);
	struct ld_client client = {.endpoint = endpoint, .tcp = connection};
	struct ld_from from = client_from(endpoint->stream, ld_tcp_peer(endpoint->tcp, connection));
	enum ld_step step;
	struct ld_ask ask;

	if (ld_zoning_message(thread->config.zones, endpoint->tcp, connection, &from, message, &w))
		return;
	(void)token; /* every one means the same, until there are profiles */
	step = query_take(thread, &from, ld_clock_coarse_ms(), message, &w, &ask);
	if (step == LD_STEP_ASK)
		upstream_ask(thread, &ask, &client);
	else if (step == LD_STEP_ANSWER)
		stream_answer(endpoint, connection, &w);
	else
		ld_tcp_drop(endpoint->tcp, connection);
}

static void
board_read(struct ld_thread *thread)
{
	/* The number first: with a list newer than that, the bell rings once more. */
	uint64_t generation =
		atomic_load_explicit(&thread->config.board->generation, memory_order_acquire);

	if (generation == atomic_load_explicit(&thread->generation, memory_order_relaxed))
		return;
	ld_worker_set_list(thread->worker,
			   atomic_load_explicit(&thread->config.board->list, memory_order_acquire));
	atomic_store_explicit(&thread->generation, generation, memory_order_release);
}

static void
link_broken(void *ctx)
{
	struct ld_thread *thread = ctx;

	atomic_store_explicit(&thread->broken, true, memory_order_release);
}

static void
bell_rung(void *ctx)
{
	struct ld_thread *thread = ctx;
	int link = atomic_exchange(&thread->next_link, NO_LINK);

	if (atomic_load_explicit(&thread->stop, memory_order_acquire))
		ld_loop_stop(thread->loop);
	if (link != NO_LINK)
		ld_remote_connect(thread->upstream, link);
	board_read(thread);
	atomic_store(&thread->pong, atomic_load(&thread->ping));
}

int
ld_thread_new(struct ld_thread **ret, const struct ld_thread_config *config,
	      struct ld_report *report)
{
	struct ld_thread *thread = calloc(1, sizeof *thread);

	if (thread == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory for a thread");
	thread->config = *config;
	atomic_init(&thread->next_link, NO_LINK);
	sem_init(&thread->list_is_up, 0, 0);
	thread->endpoints = calloc(config->addresses, sizeof thread->endpoints[0]);
	thread->loop = ld_loop_new();
	thread->flights = ld_flights_new(thread);
	thread->batch = ld_udp_batch_new();
	if (thread->loop != NULL) {
		thread->bell = ld_bell_new(thread->loop, bell_rung, thread);
		thread->late = ld_timer_new(thread->loop, late_fired, thread);
	}
	if (thread->endpoints == NULL || thread->flights == NULL || thread->batch == NULL ||
	    thread->bell == NULL || thread->late == NULL ||
	    ld_worker_new(&thread->worker, config->resolver) != LINDUNG_OK ||
	    ld_remote_new(&thread->upstream, thread->loop, config->upstream_timeout_ms, link_broken,
			  thread) != LINDUNG_OK) {
		ld_thread_free(thread);
		return ld_fail(report, LINDUNG_ENOMEM,
			       "not enough memory for a thread (cache.size-bytes?)");
	}
	*ret = thread;
	return LINDUNG_OK;
}

int
ld_thread_listen(struct ld_thread *thread, enum ld_transport stream, int udp, int listener)
{
	struct ld_endpoint *endpoint = &thread->endpoints[thread->endpoint_count];
	struct ld_tcp_config tcp_config = thread->config.streams[stream];

	bool proxied = ld_access_proxied(thread->config.access, listener);

	tcp_config.admit = proxied ? proxy_admit : client_admit;
	tcp_config.admit_behind = proxied ? client_admit : NULL;
	LD_ASSERT(thread->endpoint_count < thread->config.addresses);
	thread->endpoint_count++;
	*endpoint = (struct ld_endpoint){.thread = thread,
					 .stream = stream,
					 .proxied = proxied,
					 .udp = udp,
					 .listener = listener};
	if (udp >= 0) {
		endpoint->watch = ld_watch_new(thread->loop, udp, udp_readable, endpoint);
		if (endpoint->watch == NULL)
			return LINDUNG_ENOMEM;
		ld_watch_set(endpoint->watch, LD_READABLE);
	}
	return ld_tcp_new(&endpoint->tcp, thread->loop, listener, &tcp_config, stream_message,
			  endpoint);
}

int
ld_thread_socket(const struct ld_thread *thread, int family)
{
	for (unsigned i = 0; i < thread->endpoint_count; i++) {
		struct ld_address address = {.len = sizeof address.v6};
		const struct ld_endpoint *endpoint = &thread->endpoints[i];

		if (endpoint->udp >= 0 && !endpoint->proxied &&
		    getsockname(endpoint->udp, &address.any, &address.len) == 0 &&
		    address.any.sa_family == family)
			return endpoint->udp;
	}
	return -1;
}

static void *
thread_run(void *ctx)
{
	struct ld_thread *thread = ctx;

	/* What waits at the sockets by then is answered. */
	while (sem_wait(&thread->list_is_up) != 0)
		;
	board_read(thread);
	ld_loop_run(thread->loop);
	return NULL;
}

int
ld_thread_start(struct ld_thread *thread)
{
	pthread_attr_t attributes;

	/* Its core is chosen here: once it runs, the walls may stand. */
	if (pthread_attr_init(&attributes) != 0)
		return LINDUNG_ENOMEM;
	if (thread->config.core >= 0)
		ld_steer_attributes(&attributes, (unsigned)thread->config.core);
	thread->started = pthread_create(&thread->thread, &attributes, thread_run, thread) == 0;
	pthread_attr_destroy(&attributes);
	return thread->started ? LINDUNG_OK : LINDUNG_ENOMEM;
}

void
ld_thread_begin(struct ld_thread *thread)
{
	sem_post(&thread->list_is_up);
}

void
ld_thread_link(struct ld_thread *thread, int fd)
{
	int before = atomic_exchange(&thread->next_link, fd);

	if (before != NO_LINK)
		close(before);
	ld_bell_ring(thread->bell);
}

bool
ld_thread_broken(struct ld_thread *thread)
{
	return atomic_exchange(&thread->broken, false);
}

void
ld_thread_ping(struct ld_thread *thread, uint32_t number)
{
	atomic_store(&thread->ping, number);
	ld_bell_ring(thread->bell);
}

uint32_t
ld_thread_pong(const struct ld_thread *thread)
{
	return atomic_load(&thread->pong);
}

void
ld_thread_ring(struct ld_thread *thread)
{
	ld_bell_ring(thread->bell);
}

uint64_t
ld_thread_generation(const struct ld_thread *thread)
{
	return atomic_load_explicit(&thread->generation, memory_order_acquire);
}

void
ld_thread_stop(struct ld_thread *thread)
{
	atomic_store_explicit(&thread->stop, true, memory_order_release);
	sem_post(&thread->list_is_up); /* should it wait still */
	ld_bell_ring(thread->bell);
}

void
ld_thread_free(struct ld_thread *thread)
{
	if (thread == NULL)
		return;
	if (thread->started)
		pthread_join(thread->thread, NULL);
	for (unsigned i = 0; i < thread->endpoint_count; i++) {
		struct ld_endpoint *endpoint = &thread->endpoints[i];

		ld_watch_free(endpoint->watch);
		ld_tcp_free(endpoint->tcp);
		if (endpoint->udp >= 0)
			close(endpoint->udp);
		close(endpoint->listener);
	}
	ld_remote_free(thread->upstream);
	if (atomic_load(&thread->next_link) != NO_LINK)
		close(atomic_load(&thread->next_link));
	ld_flights_free(thread->flights);
	ld_worker_free(thread->worker);
	ld_udp_batch_free(thread->batch);
	ld_timer_free(thread->late);
	ld_bell_free(thread->bell);
	ld_loop_free(thread->loop);
	sem_destroy(&thread->list_is_up);
	free(thread->endpoints);
	free(thread);
}

const struct ld_worker *
ld_thread_worker(const struct ld_thread *thread)
{
	return thread->worker;
}

unsigned
ld_thread_connections(const struct ld_thread *thread, enum ld_transport stream)
{
	unsigned total = 0;

	for (unsigned i = 0; i < thread->endpoint_count; i++)
		if (thread->endpoints[i].stream == stream)
			total += ld_tcp_count(thread->endpoints[i].tcp);
	return total;
}

uint64_t
ld_thread_counter(const struct ld_thread *thread, enum ld_transport stream,
		  enum ld_tcp_counter counter)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < thread->endpoint_count; i++)
		if (thread->endpoints[i].stream == stream)
			total += ld_tcp_counter(thread->endpoints[i].tcp, counter);
	return total;
}

uint64_t
ld_thread_upstream_counter(const struct ld_thread *thread, enum ld_upstream_counter counter)
{
	return ld_remote_counter(thread->upstream, counter);
}
