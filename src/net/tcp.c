/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "net/address.h"
#include "net/loop.h"

enum {
	FRAME_MAX = 2 + 65535,
	INPUT_FIRST =
		1024, /* enough for many queries; grows to FRAME_MAX for a peer that needs it */
	SWEEP_MS = 500,
	ACCEPT_BATCH = 32,
};

struct connection {
	struct ld_tcp *tcp;
	struct ld_watch *watch;
	struct ld_buffer output;
	uint8_t *input;
	size_t input_len, input_size;
	int64_t active_ms;
	unsigned in_flight;
	uint32_t slot;
	uint32_t generation;
	struct ld_address peer;
	int fd;       /* -1: the slot is free */
	bool ended;   /* the peer sends no more */
	bool running; /* inside connection_run(): answers are gathered, and sent at its end */
};

struct ld_tcp {
	struct ld_tcp_config config;
	struct event_base *loop;
	struct ld_watch *listener;
	struct ld_timer *sweep;
	ld_tcp_frame *frame;
	void *ctx;
	unsigned count;
	struct connection connections[]; /* config.connections_max */
};

static void
connection_close(struct connection *c)
{
	struct ld_tcp *tcp = c->tcp;
	uint32_t generation = c->generation + 1, slot = c->slot;

	ld_watch_free(c->watch);
	close(c->fd);
	free(c->input);
	ld_buffer_free(&c->output);
	*c = (struct connection){.tcp = tcp, .slot = slot, .generation = generation, .fd = -1};
	tcp->count--;
}

/* A peer that does not take its answers, or asks faster than it is answered, waits. */
static bool
may_take(const struct connection *c)
{
	return c->in_flight < c->tcp->config.in_flight_max &&
	       c->output.len <= c->tcp->config.output_max / 2;
}

/* Send what waits.  False: the connection is closed. */
static bool
output_flush(struct connection *c)
{
	size_t sent = 0;

	while (sent < c->output.len) {
		ssize_t n = send(c->fd, c->output.data + sent, c->output.len - sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n <= 0) {
			connection_close(c);
			return false;
		}
		sent += (size_t)n;
		c->active_ms = ld_clock_monotonic_ms();
	}
	if (sent == c->output.len) {
		ld_buffer_free(&c->output);
	} else if (sent > 0) {
		memmove(c->output.data, c->output.data + sent, c->output.len - sent);
		c->output.len -= sent;
	}
	return true;
}

/* Hand out the whole frames that have come, as far as the limits let us: how many, -1 if that
 * closed the connection. */
static int
frames_deliver(struct connection *c)
{
	uint32_t generation = c->generation;
	size_t at = 0;
	int delivered = 0;

	while (c->input_len - at >= 2 && may_take(c)) {
		size_t len = ld_get_be16(c->input + at);

		if (c->input_len - at - 2 < len)
			break;
		c->in_flight++;
		c->active_ms = ld_clock_monotonic_ms();
		c->tcp->frame(c->tcp->ctx, (struct ld_tcp_ref){c->slot, generation},
			      ld_span(c->input + at + 2, len));
		if (c->generation != generation)
			return -1;
		at += 2 + len;
		delivered++;
	}
	if (at > 0)
		memmove(c->input, c->input + at, c->input_len - at);
	c->input_len -= at;
	if (c->input_len == 0) {
		free(c->input);
		c->input = NULL;
		c->input_size = 0;
	}
	return delivered;
}

/* Take frames and send answers until neither goes on; then wait for what is missing. */
static void
connection_run(struct connection *c)
{
	int delivered;

	if (c->running)
		return;
	c->running = true;
	do {
		if (!output_flush(c))
			return;
		delivered = frames_deliver(c);
		if (delivered < 0)
			return;
	} while (delivered > 0);
	c->running = false;
	if (c->ended && c->in_flight == 0 && c->output.len == 0) {
		connection_close(c);
		return;
	}
	ld_watch_set(c->watch, (c->output.len > 0 ? (unsigned)LD_WRITABLE : 0) |
				       (!c->ended && may_take(c) ? (unsigned)LD_READABLE : 0));
}

static bool
input_grow(struct connection *c)
{
	size_t size = c->input_size < INPUT_FIRST ? INPUT_FIRST : FRAME_MAX;
	uint8_t *grown;

	if (c->input_len < c->input_size)
		return true;
	/* It is never full at FRAME_MAX: whole frames were taken before we read on. */
	LD_ASSERT(c->input_size < FRAME_MAX);
	grown = realloc(c->input, size);
	if (grown == NULL)
		return false;
	c->input_size = size;
	c->input = grown;
	return true;
}

/* False: the connection is closed. */
static bool
input_read(struct connection *c)
{
	ssize_t n = -1;

	if (input_grow(c)) {
		do
			n = recv(c->fd, c->input + c->input_len, c->input_size - c->input_len,
				 MSG_DONTWAIT);
		while (n < 0 && errno == EINTR);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return true;
	}
	if (n < 0) {
		connection_close(c);
		return false;
	}
	c->ended = n == 0;
	c->input_len += (size_t)n;
	return true;
}

static void
connection_ready(void *ctx, int fd, unsigned what)
{
	struct connection *c = ctx;

	(void)fd;
	if ((what & LD_READABLE) && !input_read(c))
		return;
	connection_run(c);
}

static struct connection *
connection_find(struct ld_tcp *tcp, struct ld_tcp_ref ref)
{
	struct connection *c = &tcp->connections[ref.slot];

	return c->fd >= 0 && c->generation == ref.generation ? c : NULL;
}

void
ld_tcp_answer(struct ld_tcp *tcp, struct ld_tcp_ref to, struct ld_span frame)
{
	struct connection *c = connection_find(tcp, to);
	uint8_t *room;

	if (c == NULL)
		return;
	LD_ASSERT(c->in_flight > 0 && frame.len <= 65535);
	c->in_flight--;
	room = ld_buffer_room(&c->output, 2 + frame.len);
	if (room == NULL) { /* the peer does not take its answers */
		connection_close(c);
		return;
	}
	/* One write for the length and the message (RFC 7766 section 8). */
	ld_put_be16(room, (uint16_t)frame.len);
	if (frame.len != 0)
		memcpy(room + 2, frame.data, frame.len);
	connection_run(c);
}

void
ld_tcp_drop(struct ld_tcp *tcp, struct ld_tcp_ref to)
{
	struct connection *c = connection_find(tcp, to);

	if (c == NULL)
		return;
	LD_ASSERT(c->in_flight > 0);
	c->in_flight--;
	connection_run(c);
}

/* A free slot; at the limit, that of the connection which nothing is owed and idled longest. */
static struct connection *
slot_find(struct ld_tcp *tcp)
{
	struct connection *oldest = NULL;

	for (unsigned i = 0; i < tcp->config.connections_max; i++) {
		struct connection *c = &tcp->connections[i];

		if (c->fd < 0)
			return c;
		if (c->in_flight == 0 && (oldest == NULL || c->active_ms < oldest->active_ms))
			oldest = c;
	}
	if (oldest != NULL)
		connection_close(oldest);
	return oldest;
}

static void
connection_open(struct ld_tcp *tcp, int fd, const struct ld_address *from)
{
	struct connection *c = slot_find(tcp);
	int one = 1;

	if (c == NULL) {
		close(fd);
		return;
	}
	c->watch = ld_watch_new(tcp->loop, fd, connection_ready, c);
	if (c->watch == NULL) {
		close(fd);
		return;
	}
	c->fd = fd;
	c->peer = *from;
	c->active_ms = ld_clock_monotonic_ms();
	ld_buffer_init(&c->output, tcp->config.output_max);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	tcp->count++;
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

static void
sweep_fired(void *ctx)
{
	struct ld_tcp *tcp = ctx;
	int64_t before = ld_clock_monotonic_ms() - tcp->config.idle_ms;

	for (unsigned i = 0; i < tcp->config.connections_max; i++) {
		struct connection *c = &tcp->connections[i];

		/* A peer whose answer is not ready yet is not idle. */
		if (c->fd >= 0 && c->active_ms < before && (c->in_flight == 0 || c->output.len > 0))
			connection_close(c);
	}
	ld_watch_set(tcp->listener, LD_READABLE);
	ld_timer_set(tcp->sweep, SWEEP_MS);
}

int
ld_tcp_new(struct ld_tcp **ret, struct event_base *loop, int listener,
	   const struct ld_tcp_config *config, ld_tcp_frame *frame, void *ctx)
{
	struct ld_tcp *tcp =
		calloc(1, sizeof *tcp + config->connections_max * sizeof tcp->connections[0]);

	if (tcp == NULL)
		return LINDUNG_ENOMEM;
	tcp->config = *config;
	tcp->loop = loop;
	tcp->frame = frame;
	tcp->ctx = ctx;
	for (unsigned i = 0; i < config->connections_max; i++)
		tcp->connections[i] = (struct connection){.tcp = tcp, .slot = i, .fd = -1};
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
	return tcp->count;
}
