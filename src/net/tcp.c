/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/tcp.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/speech.h"
#include "net/stream.h"
#include "net/proxy_stream.h"
#include "net/shares.h"
#include "net/tls.h"

enum {
	SWEEP_MS = 250,
	ACCEPT_BATCH = 32,
	ROUNDS_A_TURN = 8, /* then the others on the loop have theirs */
	READS_A_TURN = 64,
	LINGER_MS = 1000,    /* for a peer to read why it is sent away */
	OWN_LOOKED_AT = 256, /* connections, to find one of a client that has its share */
	THROWN_AWAY = 4096,  /* octets at a time */
};

TAILQ_HEAD(queue, connection);

struct connection {
	TAILQ_ENTRY(connection) link;
	struct queue *queue; /* that it stands in */
	struct ld_tcp *tcp;
	struct ld_watch *watch;
	struct ld_stream *stream;
	void *speech;
	struct ld_buffer output;     /* what the peer did not take at once */
	struct ld_tcp_source source; /* of messages, while `streams` */
	int64_t active_ms;
	unsigned in_flight;
	uint32_t slot;
	uint32_t generation;
	struct ld_address peer;
	int fd;
	bool shared;   /* its client's share counts it */
	bool readable; /* the descriptor said so, and nothing else since */
	bool ended;    /* the peer sends no more */
	bool running;  /* inside connection_run(): answers are gathered, and sent at its end */
	bool active;   /* something worth a place happened in this turn */
	bool streams;  /* a source gives what is sent next */
	bool again;    /* there is more to do, and no descriptor that shows it */
	bool broken;   /* of no more use ... */
	bool polite;   /* ... but there are last words */
};

struct ld_tcp {
	struct ld_tcp_config config;
	const struct ld_speech_ops *ops;
	struct event_base *loop;
	struct ld_watch *listener;
	struct ld_timer *sweep;
	ld_tcp_message *message;
	void *ctx;
	_Atomic unsigned count;
	_Atomic uint64_t counters[LD_TCP_COUNTER_COUNT];

	/* Where a connection stands.  Each queue is in the order in which patience ends. */
	struct queue vacant, greeting, idle, busy, leaving;
	unsigned greeters;

	struct connection *turn;   /* whose answers `gathered` holds */
	struct ld_buffer gathered; /* its memory is kept from turn to turn */
	uint8_t input[LD_SPEECH_TAKE_MAX];
	struct connection connections[]; /* config.connections_max */
};

static void
count(struct ld_tcp *tcp, enum ld_tcp_counter counter)
{
	/* One thread writes: no need for an atomic addition. */
	uint64_t value = atomic_load_explicit(&tcp->counters[counter], memory_order_relaxed);

	atomic_store_explicit(&tcp->counters[counter], value + 1, memory_order_relaxed);
}

static void
queue_move(struct connection *c, struct queue *to)
{
	TAILQ_REMOVE(c->queue, c, link);
	c->tcp->greeters -= c->queue == &c->tcp->greeting;
	c->tcp->greeters += to == &c->tcp->greeting;
	c->queue = to;
	TAILQ_INSERT_TAIL(to, c, link);
}

static void
source_free(struct connection *c)
{
	if (c->streams)
		c->source.free(c->source.ctx);
	c->streams = false;
}

static void
connection_close(struct connection *c)
{
	struct ld_tcp *tcp = c->tcp;

	LD_ASSERT(!c->running);
	source_free(c);
	if (c->speech != NULL)
		tcp->ops->free(c->speech);
	ld_stream_free(c->stream);
	ld_watch_free(c->watch);
	close(c->fd);
	ld_buffer_free(&c->output);
	if (c->shared)
		ld_shares_leave(tcp->config.shares, &c->peer);
	queue_move(c, &tcp->vacant);
	c->speech = NULL;
	c->stream = NULL;
	c->watch = NULL;
	c->fd = -1;
	c->generation++;
	atomic_fetch_sub_explicit(&tcp->count, 1, memory_order_relaxed);
}

static size_t
output_waits(const struct connection *c)
{
	return c->output.len + (c->tcp->turn == c ? c->tcp->gathered.len : 0);
}

/* A peer that does not take its answers, or asks faster than it is answered, waits. */
static bool
may_take(const struct connection *c)
{
	return !c->broken && !c->streams && c->in_flight < c->tcp->config.in_flight_max &&
	       output_waits(c) <= c->tcp->config.output_max / 2;
}

/* ---- What the speech says to us ---------------------------------------------------------- */

static void
host_message(void *ctx, uint32_t stream, struct ld_span message, struct ld_span token)
{
	struct connection *c = ctx;
	struct ld_tcp_ref ref = {c->slot, c->generation, stream};

	c->in_flight++;
	c->active = true;
	c->tcp->message(c->tcp->ctx, ref, message, token);
}

static bool
host_full(void *ctx)
{
	return !may_take(ctx);
}

static void
host_done(void *ctx)
{
	((struct connection *)ctx)->active = true;
}

static void
host_ended(void *ctx)
{
	((struct connection *)ctx)->ended = true;
}

static void
host_calmed(void *ctx)
{
	count(((struct connection *)ctx)->tcp, LD_TCP_CALMED);
}

/* ---- One turn of a connection ------------------------------------------------------------ */

/* Answers go to `gathered`, and out with one write, unless another connection's turn is on. */
static struct ld_buffer *
output_of(struct connection *c)
{
	return c->tcp->turn == c ? &c->tcp->gathered : &c->output;
}

/* Write as much of `data` as the peer takes. */
static size_t
output_write(struct connection *c, struct ld_span data)
{
	size_t sent = 0;

	while (sent < data.len) {
		ssize_t n = c->stream->ops->write(c->stream, data.data + sent, data.len - sent);

		if (n < 0)
			c->broken = true;
		if (n <= 0)
			break;
		sent += (size_t)n;
	}
	return sent;
}

/* Send what waits.  What the peer does not take is kept. */
static void
output_flush(struct connection *c)
{
	struct ld_buffer *gathered = &c->tcp->gathered;
	bool own = c->tcp->turn == c;
	size_t sent;

	if (own && c->output.len == 0) {
		sent = output_write(c, ld_buffer_span(gathered));
		ld_buffer_bytes(&c->output, ld_span_from(ld_buffer_span(gathered), sent));
	} else {
		if (own)
			ld_buffer_bytes(&c->output, ld_buffer_span(gathered));
		sent = output_write(c, ld_buffer_span(&c->output));
		if (sent == c->output.len) {
			c->active |= sent > 0;
			ld_buffer_free(&c->output);
		} else if (sent > 0) {
			memmove(c->output.data, c->output.data + sent, c->output.len - sent);
			c->output.len -= sent;
		}
	}
	c->broken |= c->output.failed || (own && gathered->failed);
	if (own)
		gathered->len = 0;
}

/* Ask the speech for what it has to say, and send it: true if there is more to do. */
static bool
output_run(struct connection *c)
{
	bool could_take = may_take(c);
	/* What it gives must have room behind what waits already. */
	bool more = c->output.len > c->tcp->config.output_max / 4;

	if (c->stream->greeting)
		return false;
	if (c->speech != NULL && !more && !c->tcp->ops->give(c->speech, output_of(c), &more))
		c->broken = c->polite = true;
	output_flush(c);
	return (more && c->output.len == 0) || (!could_take && may_take(c));
}

/* Send the source's next message, if the peer has taken those before: true if there was one, or no
 * more. */
static bool
source_run(struct connection *c)
{
	struct ld_span message;

	if (!c->streams || c->output.len > 0)
		return false;
	if (c->source.next(c->source.ctx, &message) != LINDUNG_OK) {
		c->broken = true;
		return false;
	}
	if (message.len == 0)
		source_free(c);
	else
		c->broken |= !c->tcp->ops->answer(c->speech, 0, message, 0, output_of(c));
	return true;
}

/* Whatever was found out by reading: hands were shaken, or were not. */
static void
greeting_look(struct connection *c)
{
	struct ld_tcp *tcp = c->tcp;

	if (c->queue != &tcp->greeting || c->stream->greeting)
		return;
	if (c->stream->resumed)
		count(tcp, LD_TCP_RESUMED);
	c->active = true;
	queue_move(c, &tcp->idle);
}

/* Read once: true if something came. */
static bool
input_read(struct connection *c)
{
	struct ld_tcp *tcp = c->tcp;
	ssize_t n = c->stream->ops->read(c->stream, tcp->input, sizeof tcp->input);

	greeting_look(c);
	/* Less than there was room for: that was all, and one system call is saved. */
	c->readable = n == sizeof tcp->input;
	if (n == LD_STREAM_FAILED)
		c->broken = true;
	if (n == LD_STREAM_ENDED)
		c->ended = true;
	if (n <= 0)
		return false;
	if (!tcp->ops->take(c->speech, ld_span(tcp->input, (size_t)n), ld_clock_coarse_ms()))
		c->broken = c->polite = true;
	return true;
}

/* Not while another's turn is on: what that one took is read where it stands. */
static bool
may_read(const struct connection *c)
{
	return may_take(c) && !c->ended && c->tcp->turn == c &&
	       (c->readable || c->stream->ops->pending(c->stream));
}

/* Take messages and send answers until neither goes on. */
static void
connection_turn(struct connection *c)
{
	struct ld_tcp *tcp = c->tcp;
	unsigned reads = 0;
	bool streamed = false;

	c->running = true;
	if (tcp->turn == NULL)
		tcp->turn = c;
	for (unsigned round = 0; round < ROUNDS_A_TURN; round++) {
		c->again = false;
		/* What was kept while there was no room for it. */
		if (may_take(c) &&
		    !tcp->ops->take(c->speech, (struct ld_span){NULL, 0}, ld_clock_coarse_ms()))
			c->broken = c->polite = true;
		/* All that is at hand, so that the answers leave together. */
		while (may_read(c) && reads++ < READS_A_TURN)
			c->again |= input_read(c);
		/* One a turn: others on the loop wait while it is made. */
		if (!streamed && !c->broken) {
			bool streams = c->streams;

			streamed = source_run(c);
			c->active |= streamed;
			/* What was kept meanwhile is taken now. */
			c->again |= streams && !c->streams;
		}
		if (c->broken)
			break;
		c->again |= output_run(c);
		if (c->broken || !c->again)
			break;
	}
	if (c->polite)
		(void)output_run(c);
	if (tcp->turn == c) {
		tcp->gathered.len = 0;
		tcp->gathered.failed = false;
		tcp->turn = NULL;
	}
	c->running = false;
}

/* Where it stands now, and what it waits for. */
static void
connection_settle(struct connection *c)
{
	struct ld_tcp *tcp = c->tcp;
	bool takes = !c->ended && may_take(c);
	unsigned what = 0;

	if (c->in_flight > 0 && c->queue != &tcp->busy) {
		queue_move(c, &tcp->busy);
	} else if (c->in_flight == 0 && (c->active || c->queue == &tcp->busy)) {
		c->active_ms = ld_clock_coarse_ms();
		queue_move(c, &tcp->idle);
	}
	c->active = false;
	if (takes)
		what |= c->stream->read_waits;
	if (c->output.len > 0)
		what |= c->stream->write_waits;
	/* No descriptor shows it: come back at once, when the others had their turns. */
	if (c->again || (c->streams && c->output.len == 0) ||
	    (takes && c->stream->ops->pending(c->stream)))
		what |= LD_WRITABLE;
	ld_watch_set(c->watch, what);
}

/* The last words are sent; the end is said; what the peer still sends is read and thrown away, as
 * a close with octets unread would destroy what it has not read yet. */
static void
leaving_run(struct connection *c)
{
	uint8_t thrown_away[THROWN_AWAY]; /* tcp->input may be another's, whose turn is on */
	ssize_t n;

	if (c->output.len > 0)
		output_flush(c);
	if (c->output.len == 0 && !c->ended) {
		c->stream->ops->leave(c->stream);
		(void)shutdown(c->fd, SHUT_WR);
		c->ended = true;
	}
	do
		n = recv(c->fd, thrown_away, sizeof thrown_away, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) || c->broken) {
		connection_close(c);
		return;
	}
	ld_watch_set(c->watch, LD_READABLE | (c->output.len > 0 ? (unsigned)LD_WRITABLE : 0));
}

static void
connection_end(struct connection *c)
{
	struct ld_tcp *tcp = c->tcp;

	count(tcp, c->queue == &tcp->greeting ? LD_TCP_HANDSHAKE_FAILED : LD_TCP_BROKEN);
	if (!c->polite) {
		connection_close(c);
		return;
	}
	/* Answers that are still to come go nowhere. */
	source_free(c);
	tcp->ops->free(c->speech);
	c->speech = NULL;
	c->generation++;
	c->ended = c->broken = false;
	c->active_ms = ld_clock_coarse_ms();
	queue_move(c, &tcp->leaving);
	leaving_run(c);
}

static void
connection_run(struct connection *c)
{
	if (c->running)
		return;
	connection_turn(c);
	if (c->broken)
		connection_end(c);
	else if (c->ended && !c->again && c->in_flight == 0 && c->output.len == 0 && !c->streams)
		connection_close(c);
	else
		connection_settle(c);
}

static void
connection_ready(void *ctx, int fd, unsigned what)
{
	struct connection *c = ctx;

	(void)fd;
	if (c->queue == &c->tcp->leaving) {
		leaving_run(c);
		return;
	}
	c->readable |= (what & c->stream->read_waits) != 0;
	connection_run(c);
}

/* ---- Answers ----------------------------------------------------------------------------- */

static struct connection *
connection_find(struct ld_tcp *tcp, struct ld_tcp_ref ref)
{
	struct connection *c = &tcp->connections[ref.slot];

	return c->fd >= 0 && c->generation == ref.generation ? c : NULL;
}

/* The message is dealt with, well or not. */
static void
message_over(struct connection *c, bool well)
{
	LD_ASSERT(c->in_flight > 0);
	c->in_flight--;
	c->broken |= !well;
	connection_run(c);
}

void
ld_tcp_answer(struct ld_tcp *tcp, struct ld_tcp_ref to, struct ld_span answer, uint32_t lifetime_s)
{
	struct connection *c = connection_find(tcp, to);

	if (c == NULL)
		return;
	LD_ASSERT(answer.len <= LD_SPEECH_MESSAGE_MAX);
	if (tcp->turn == NULL) /* a late one; its turn begins here */
		tcp->turn = c;
	message_over(c, tcp->ops->answer(c->speech, to.stream, answer, lifetime_s, output_of(c)));
}

void
ld_tcp_drop(struct ld_tcp *tcp, struct ld_tcp_ref to)
{
	struct connection *c = connection_find(tcp, to);

	if (c != NULL)
		message_over(c, tcp->ops->drop(c->speech, to.stream));
}

void
ld_tcp_stream(struct ld_tcp *tcp, struct ld_tcp_ref to, const struct ld_tcp_source *source)
{
	struct connection *c = connection_find(tcp, to);

	if (c == NULL || tcp->config.speech == LD_TCP_HTTP2) {
		source->free(source->ctx);
		ld_tcp_drop(tcp, to);
		return;
	}
	LD_ASSERT(!c->streams);
	c->source = *source;
	c->streams = true;
	message_over(c, true);
}

/* ---- Connections come and go ------------------------------------------------------------- */

/* Good-bye to one of whom nothing is awaited. */
static void
connection_dismiss(struct connection *c, enum ld_tcp_counter why)
{
	struct ld_tcp *tcp = c->tcp;

	if (c->queue == &tcp->idle) {
		tcp->ops->leave(c->speech);
		(void)output_run(c);
		if (!c->broken)
			c->stream->ops->leave(c->stream);
	}
	if (c->queue != &tcp->leaving)
		count(tcp, why);
	connection_close(c);
}

/* Make a place: true if there is one. */
static bool
place_make(struct ld_tcp *tcp)
{
	struct connection *c;

	if (!TAILQ_EMPTY(&tcp->vacant))
		return true;
	c = TAILQ_FIRST(&tcp->leaving);
	if (c == NULL && tcp->greeters > tcp->config.connections_max / 2)
		c = TAILQ_FIRST(&tcp->greeting);
	if (c == NULL)
		c = TAILQ_FIRST(&tcp->idle);
	if (c == NULL)
		c = TAILQ_FIRST(&tcp->greeting);
	if (c == NULL)
		return false;
	connection_dismiss(c, LD_TCP_EVICTED);
	return true;
}

/* A client that has its share gives up one of its own. */
static bool
share_make(struct ld_tcp *tcp, const struct ld_address *client)
{
	struct queue *queues[] = {&tcp->leaving, &tcp->greeting, &tcp->idle};
	struct connection *c;
	unsigned looked_at = 0;

	if (tcp->config.shares == NULL || ld_shares_enter(tcp->config.shares, client))
		return true;
	for (unsigned i = 0; i < sizeof queues / sizeof queues[0]; i++) {
		TAILQ_FOREACH(c, queues[i], link)
		{
			if (looked_at++ == OWN_LOOKED_AT)
				return false;
			/* Not one whose share is not counted, and not the one that asks. */
			if (!c->shared || c->running || !ld_shares_same(&c->peer, client))
				continue;
			connection_dismiss(c, LD_TCP_EVICTED);
			return ld_shares_enter(tcp->config.shares, client);
		}
	}
	return false;
}

static struct ld_stream *
stream_make(struct connection *c)
{
	const struct ld_tcp_config *config = &c->tcp->config;

	return config->tls != NULL ? ld_tls_accept(config->tls, c->fd,
						   config->speech == LD_TCP_HTTP2 ? "h2" : "dot")
				   : ld_stream_plain(c->fd);
}

/* The proxy has said who stands behind it: from here on, that is the peer. */
static struct ld_stream *
proxy_met(void *ctx, const struct ld_address *client)
{
	struct connection *c = ctx;
	struct ld_tcp *tcp = c->tcp;

	if (client == NULL)
		client = &c->peer;
	if (!tcp->config.admit_behind(tcp->ctx, client))
		return NULL;
	if (!share_make(tcp, client)) {
		count(tcp, LD_TCP_REFUSED);
		return NULL;
	}
	c->peer = *client;
	c->shared = tcp->config.shares != NULL;
	return stream_make(c);
}

/* All that it needs, or nothing. */
static bool
connection_make(struct connection *c, int fd)
{
	struct ld_tcp *tcp = c->tcp;
	struct ld_speech_host host = {
		.message = host_message,
		.full = host_full,
		.done = host_done,
		.ended = host_ended,
		.calmed = host_calmed,
		.ctx = c,
		.streams_max = tcp->config.in_flight_max,
	};

	c->fd = fd;
	c->stream = tcp->config.admit_behind != NULL ? ld_stream_proxied(fd, proxy_met, c)
						     : stream_make(c);
	c->speech = tcp->ops->new (&host);
	c->watch = ld_watch_new(tcp->loop, fd, connection_ready, c);
	if (c->stream != NULL && c->speech != NULL && c->watch != NULL)
		return true;
	ld_watch_free(c->watch);
	if (c->speech != NULL)
		tcp->ops->free(c->speech);
	ld_stream_free(c->stream);
	c->watch = NULL;
	c->speech = NULL;
	c->stream = NULL;
	c->fd = -1;
	return false;
}

static void
connection_open(struct ld_tcp *tcp, int fd, const struct ld_address *from)
{
	/* A proxy has many clients: each has its share, once it is known. */
	bool shared = tcp->config.shares != NULL && tcp->config.admit_behind == NULL;
	struct connection *c;
	int one = 1;

	if (shared && !share_make(tcp, from)) {
		count(tcp, LD_TCP_REFUSED);
		close(fd);
		return;
	}
	c = place_make(tcp) ? TAILQ_FIRST(&tcp->vacant) : NULL;
	if (c == NULL || !connection_make(c, fd)) {
		count(tcp, LD_TCP_REFUSED);
		if (shared)
			ld_shares_leave(tcp->config.shares, from);
		close(fd);
		return;
	}
	c->peer = *from;
	c->shared = shared;
	c->active_ms = ld_clock_coarse_ms();
	c->in_flight = 0;
	c->readable = c->ended = c->running = c->active = c->again = c->streams = false;
	c->broken = c->polite = false;
	ld_buffer_init(&c->output, tcp->config.output_max);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	atomic_fetch_add_explicit(&tcp->count, 1, memory_order_relaxed);
	count(tcp, LD_TCP_ACCEPTED);
	queue_move(c, c->stream->greeting ? &tcp->greeting : &tcp->idle);
	ld_watch_set(c->watch, LD_READABLE);
}

static void
listener_ready(void *ctx, int fd, unsigned what)
{
	struct ld_tcp *tcp = ctx;

	(void)what;
	for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
		struct ld_address from = {.len = sizeof from.v6};
		int peer = accept4(fd, &from.any, &from.len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (peer >= 0) {
			if (tcp->config.admit != NULL && !tcp->config.admit(tcp->ctx, &from))
				close(peer);
			else
				connection_open(tcp, peer, &from);
			continue;
		}
		/* Out of descriptors: accept no more until the next sweep, or we would spin. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			ld_watch_set(tcp->listener, 0);
		if (errno != EINTR && errno != ECONNABORTED)
			break;
	}
}

/* Close those of a queue with whom patience has ended. */
static void
queue_sweep(struct queue *queue, int64_t before_ms, enum ld_tcp_counter why)
{
	struct connection *c;

	while ((c = TAILQ_FIRST(queue)) != NULL && c->active_ms < before_ms)
		connection_dismiss(c, why);
}

static void
sweep_fired(void *ctx)
{
	struct ld_tcp *tcp = ctx;
	int64_t now_ms = ld_clock_coarse_ms();

	/* A peer whose answer is not ready yet is not idle. */
	queue_sweep(&tcp->idle, now_ms - tcp->config.idle_ms, LD_TCP_EXPIRED);
	queue_sweep(&tcp->greeting, now_ms - tcp->config.handshake_ms, LD_TCP_HANDSHAKE_FAILED);
	queue_sweep(&tcp->leaving, now_ms - LINGER_MS, LD_TCP_EXPIRED);
	ld_watch_set(tcp->listener, LD_READABLE);
	ld_timer_set(tcp->sweep, SWEEP_MS);
}

int
ld_tcp_new(struct ld_tcp **ret, struct event_base *loop, int listener,
	   const struct ld_tcp_config *config, ld_tcp_message *message, void *ctx)
{
	struct ld_tcp *tcp =
		calloc(1, sizeof *tcp + config->connections_max * sizeof tcp->connections[0]);

	if (tcp == NULL)
		return LINDUNG_ENOMEM;
	tcp->config = *config;
	tcp->ops = config->speech == LD_TCP_HTTP2 ? &ld_speech_http2 : &ld_speech_frames;
	tcp->loop = loop;
	tcp->message = message;
	tcp->ctx = ctx;
	TAILQ_INIT(&tcp->vacant);
	TAILQ_INIT(&tcp->greeting);
	TAILQ_INIT(&tcp->idle);
	TAILQ_INIT(&tcp->busy);
	TAILQ_INIT(&tcp->leaving);
	ld_buffer_init(&tcp->gathered, config->output_max);
	for (unsigned i = 0; i < config->connections_max; i++) {
		struct connection *c = &tcp->connections[i];

		*c = (struct connection){.tcp = tcp, .slot = i, .fd = -1, .queue = &tcp->vacant};
		TAILQ_INSERT_TAIL(&tcp->vacant, c, link);
	}
	tcp->listener = ld_watch_new(loop, listener, listener_ready, tcp);
	tcp->sweep = ld_timer_new(loop, sweep_fired, tcp);
	if (tcp->listener == NULL || tcp->sweep == NULL) {
		ld_tcp_free(tcp);
		return LINDUNG_ENOMEM;
	}
	ld_watch_set(tcp->listener, LD_READABLE);
	ld_timer_set(tcp->sweep, SWEEP_MS);
	*ret = tcp;
	return LINDUNG_OK;
}

void
ld_tcp_free(struct ld_tcp *tcp)
{
	if (tcp == NULL)
		return;
	for (unsigned i = 0; i < tcp->config.connections_max; i++)
		if (tcp->connections[i].fd >= 0)
			connection_close(&tcp->connections[i]);
	ld_buffer_free(&tcp->gathered);
	ld_timer_free(tcp->sweep);
	ld_watch_free(tcp->listener);
	free(tcp);
}

const struct ld_address *
ld_tcp_peer(struct ld_tcp *tcp, struct ld_tcp_ref ref)
{
	const struct connection *c = connection_find(tcp, ref);

	return c != NULL ? &c->peer : NULL;
}

unsigned
ld_tcp_count(const struct ld_tcp *tcp)
{
	return atomic_load_explicit(&tcp->count, memory_order_relaxed);
}

uint64_t
ld_tcp_counter(const struct ld_tcp *tcp, enum ld_tcp_counter counter)
{
	return atomic_load_explicit(&tcp->counters[counter], memory_order_relaxed);
}
