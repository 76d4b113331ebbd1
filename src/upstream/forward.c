/* Forwarding to named servers: over UDP, from a socket of its own for each question, so that port
 * and id must both be guessed by whoever forges a reply (RFC 5452); over TCP when the answer is
 * cut. SPDX-License-Identifier: BSD-2-Clause */
#include "upstream/backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "net/loop.h"
#include "upstream/extended_error.h"
#include "upstream/forward_message.h"
#include "upstream/forward_servers.h"

enum {
	ROUNDS = 3,        /* so often is each server asked, at most */
	REST_END_MS = 900, /* for a question when no server is known to be well */
	FOREIGN_MAX = 16,  /* replies to something else: somebody guesses; go over TCP */
	UDP_REPLY_MAX = 4096,
	FRAME_MAX = 2 + 65535,
};

struct question {
	LIST_ENTRY(question) link;
	struct ld_forward *forward;
	ld_upstream_done *done;
	void *ctx;
	struct ld_name name;
	struct ld_forward_query query;
	int64_t end_ms;
	unsigned attempts, attempts_max;
	uint32_t tried; /* servers, in this round */
	bool silent;    /* a server did not answer in time */
	bool short_of;  /* this machine had no socket for it */
	uint8_t *held;  /* an answer like SERVFAIL, for want of a better one */
	size_t held_len;

	/* The attempt under way. */
	int server; /* -1: none */
	bool over_tcp;
	int fd; /* -1: none */
	struct ld_watch *watch;
	struct ld_timer *timer;
	int64_t asked_ms;
	unsigned foreign;
	uint8_t *stream; /* TCP: what has come, with its length in front */
	size_t stream_len;
};

struct ld_forward {
	struct event_base *loop;
	struct ld_forward_servers servers;
	LIST_HEAD(questions, question) questions;
	unsigned in_flight;
	unsigned timeout_ms;
	uint8_t reply[UDP_REPLY_MAX];
};

static void
attempt_end(struct question *q)
{
	ld_watch_free(q->watch);
	q->watch = NULL;
	if (q->fd >= 0)
		close(q->fd);
	q->fd = -1;
	free(q->stream);
	q->stream = NULL;
	q->stream_len = 0;
	q->foreign = 0;
}

static void
question_free(struct question *q)
{
	attempt_end(q);
	ld_timer_free(q->timer);
	if (q->forward != NULL) {
		LIST_REMOVE(q, link);
		q->forward->in_flight--;
	}
	free(q->held);
	free(q);
}

static void
question_answered(struct question *q, struct ld_span message)
{
	struct ld_upstream_result result = {.message = message, .ede = LD_UPSTREAM_EDE_NONE};

	ld_extended_errors_read(&result, message);
	q->done(q->ctx, &result);
	question_free(q);
}

/* No server is left to ask. */
static void
question_failed(struct question *q)
{
	struct ld_upstream_result result = {.error = LINDUNG_ENET};

	if (q->held != NULL) {
		question_answered(q, ld_span(q->held, q->held_len));
		return;
	}
	if (q->short_of) {
		result.ede = LD_EDE_OTHER;
		result.ede_text = "this resolver has too many connections open";
	} else if (q->silent) {
		result.error = LINDUNG_ETIMEOUT;
		result.ede = LD_EDE_NO_AUTHORITY;
		result.ede_text = "the servers forwarded to did not answer in time";
	} else {
		result.ede = LD_EDE_NETWORK;
		result.ede_text = "the servers forwarded to cannot be reached";
	}
	q->done(q->ctx, &result);
	question_free(q);
}

/* What we lack ourselves is not the server's fault: it need not rest for it. */
static bool
is_ours(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void
attempt_failed(struct question *q)
{
	ld_forward_server_failed(&q->forward->servers.items[q->server], q->asked_ms,
				 ld_clock_monotonic_ms());
	attempt_end(q);
}

static void socket_ready(void *ctx, int fd, unsigned what);

/* Ask `server` now.  False: it cannot be reached. */
static bool
attempt_start(struct question *q, int server, bool over_tcp)
{
	const struct ld_forward_server *s = &q->forward->servers.items[server];
	int64_t now_ms = ld_clock_monotonic_ms(), left_ms = q->end_ms - now_ms, wait_ms;
	uint8_t query[LD_FORWARD_QUERY_MAX];
	size_t len;

	q->server = server;
	q->over_tcp = over_tcp;
	q->asked_ms = now_ms;
	q->short_of = false;
	q->query.id = (uint16_t)arc4random();
	q->fd = socket(s->address.any.sa_family,
		       (over_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (q->fd < 0) {
		q->short_of = is_ours(errno);
		return false;
	}
	if (connect(q->fd, &s->address.any, s->address.len) != 0 && errno != EINPROGRESS)
		return false;
	len = ld_forward_query_write(query, &q->query);
	if (!over_tcp && send(q->fd, query, len, MSG_DONTWAIT) != (ssize_t)len)
		return false;
	q->watch = ld_watch_new(q->forward->loop, q->fd, socket_ready, q);
	if (q->watch == NULL)
		return false;
	ld_watch_set(q->watch, over_tcp ? LD_WRITABLE : LD_READABLE);
	/* Later rounds wait longer: the way may be slow.  TCP needs two round trips, and may carry
	 * a long answer. */
	wait_ms = (int64_t)ld_forward_server_wait_ms(s)
		  << (q->attempts - 1) / q->forward->servers.count;
	if (over_tcp)
		wait_ms *= 3;
	ld_timer_set(q->timer, (unsigned)(left_ms < 0 ? 0 : wait_ms < left_ms ? wait_ms : left_ms));
	return true;
}

/* Ask the next server that can be reached.  False: there is none, or no time. */
static bool
question_ask_next(struct question *q)
{
	struct ld_forward *forward = q->forward;

	while (q->attempts < q->attempts_max) {
		int64_t now_ms = ld_clock_monotonic_ms();
		int server = ld_forward_servers_choose(&forward->servers, q->tried, now_ms);

		if (now_ms >= q->end_ms)
			break;
		if (server < 0) { /* the next round */
			q->tried = 0;
			continue;
		}
		q->tried |= UINT32_C(1) << server;
		q->attempts++;
		if (attempt_start(q, server, false))
			return true;
		if (q->short_of)
			break;
		attempt_failed(q);
	}
	q->server = -1;
	return false;
}

static void
question_go_on(struct question *q)
{
	if (!question_ask_next(q))
		question_failed(q);
}

/* The same server once more, otherwise. */
static void
question_ask_again(struct question *q, bool over_tcp)
{
	attempt_end(q);
	if (attempt_start(q, q->server, over_tcp))
		return;
	if (!q->short_of)
		attempt_failed(q);
	question_go_on(q);
}

/* The server cannot help: if no other can, the client gets to see its answer. */
static void
question_hold(struct question *q, struct ld_span reply)
{
	uint32_t all = (uint32_t)((UINT64_C(1) << q->forward->servers.count) - 1);

	if (q->held == NULL) {
		q->held = malloc(reply.len);
		if (q->held != NULL) {
			memcpy(q->held, reply.data, reply.len);
			q->held_len = reply.len;
		}
	}
	attempt_end(q);
	if (q->tried == all)
		question_failed(q);
	else
		question_go_on(q);
}

/* False: the reply was to something else. */
static bool
reply_take(struct question *q, struct ld_span reply, bool cut)
{
	enum ld_forward_reply kind = ld_forward_reply_check(&q->query, reply);

	if (kind == LD_FORWARD_FOREIGN)
		return false;
	ld_forward_server_answered(&q->forward->servers.items[q->server], q->asked_ms,
				   ld_clock_monotonic_ms());
	if (cut && kind == LD_FORWARD_ANSWER)
		kind = LD_FORWARD_CUT;
	switch (kind) {
	case LD_FORWARD_CUT:
		if (!q->over_tcp) {
			question_ask_again(q, true);
			break;
		}
		__attribute__((fallthrough));
	case LD_FORWARD_ANSWER:
		question_answered(q, reply);
		break;
	case LD_FORWARD_NO_EDNS:
		q->query.edns = false;
		question_ask_again(q, q->over_tcp);
		break;
	case LD_FORWARD_UNWILLING:
	case LD_FORWARD_FOREIGN:
		question_hold(q, reply);
		break;
	}
	return true;
}

static void
udp_readable(struct question *q)
{
	uint8_t *reply = q->forward->reply;

	for (;;) {
		ssize_t n = recv(q->fd, reply, UDP_REPLY_MAX, MSG_DONTWAIT | MSG_TRUNC);
		bool cut = n > UDP_REPLY_MAX;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0) { /* refused: nobody listens there */
			attempt_failed(q);
			question_go_on(q);
			return;
		}
		if (reply_take(q, ld_span(reply, cut ? UDP_REPLY_MAX : (size_t)n), cut))
			return;
		if (++q->foreign > FOREIGN_MAX) {
			question_ask_again(q, true);
			return;
		}
	}
}

/* Connected: the query with its length in one write, which an empty socket always has room for. */
static bool
tcp_send(struct question *q)
{
	uint8_t frame[2 + LD_FORWARD_QUERY_MAX];
	size_t len = ld_forward_query_write(frame + 2, &q->query);

	ld_put_be16(frame, (uint16_t)len);
	if (send(q->fd, frame, len + 2, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)len + 2)
		return false;
	q->stream = malloc(FRAME_MAX);
	ld_watch_set(q->watch, LD_READABLE);
	return q->stream != NULL;
}

/* False: the connection failed. */
static bool
tcp_receive(struct question *q)
{
	size_t want = q->stream_len < 2 ? 2 : 2 + (size_t)ld_get_be16(q->stream);
	ssize_t n;

	do
		n = recv(q->fd, q->stream + q->stream_len, want - q->stream_len, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return true;
	if (n <= 0)
		return false;
	q->stream_len += (size_t)n;
	if (q->stream_len < 2 || q->stream_len < 2 + (size_t)ld_get_be16(q->stream))
		return true;
	/* The reply must outlive the attempt that brought it. */
	uint8_t *stream = q->stream;
	size_t len = q->stream_len - 2;
	bool taken;

	q->stream = NULL;
	taken = reply_take(q, ld_span(stream + 2, len), false);
	free(stream);
	return taken;
}

static void
socket_ready(void *ctx, int fd, unsigned what)
{
	struct question *q = ctx;

	(void)fd;
	if (!q->over_tcp) {
		udp_readable(q);
		return;
	}
	if (what & LD_WRITABLE ? tcp_send(q) : tcp_receive(q))
		return;
	attempt_failed(q);
	question_go_on(q);
}

static void
timer_fired(void *ctx)
{
	struct question *q = ctx;

	if (q->server < 0) { /* there was nobody to ask in the first place */
		question_failed(q);
		return;
	}
	q->silent = true;
	attempt_failed(q);
	question_go_on(q);
}

int
ld_forward_new(struct ld_forward **ret, struct event_base *loop,
	       const struct ld_upstream_config *config, struct ld_report *report)
{
	struct ld_forward *forward = calloc(1, sizeof *forward);
	int err;

	if (forward == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	err = ld_forward_servers_init(&forward->servers, config, report);
	if (err != LINDUNG_OK) {
		free(forward);
		return err;
	}
	forward->loop = loop;
	forward->timeout_ms = config->timeout_ms;
	LIST_INIT(&forward->questions);
	*ret = forward;
	return LINDUNG_OK;
}

int
ld_forward_ask(struct ld_forward *forward, const struct ld_name *name, uint16_t type,
	       bool checking_disabled, ld_upstream_done *done, void *ctx)
{
	int64_t now_ms = ld_clock_monotonic_ms();
	bool rest = ld_forward_servers_rest(&forward->servers, now_ms);
	struct question *q;

	if (forward->in_flight >= LD_UPSTREAM_IN_FLIGHT_MAX)
		return LINDUNG_ELIMIT;
	q = calloc(1, sizeof *q);
	if (q == NULL)
		return LINDUNG_ENOMEM;
	q->fd = q->server = -1;
	q->timer = ld_timer_new(forward->loop, timer_fired, q);
	if (q->timer == NULL) {
		question_free(q);
		return LINDUNG_ENOMEM;
	}
	q->forward = forward;
	q->done = done;
	q->ctx = ctx;
	q->name = *name;
	q->query = (struct ld_forward_query){.name = &q->name,
					     .type = type,
					     .checking_disabled = checking_disabled,
					     .edns = true};
	q->attempts_max = forward->servers.count * (rest ? 1 : ROUNDS);
	q->end_ms = now_ms +
		    (rest && forward->timeout_ms > REST_END_MS ? REST_END_MS : forward->timeout_ms);
	LIST_INSERT_HEAD(&forward->questions, q, link);
	forward->in_flight++;
	if (!question_ask_next(q))
		ld_timer_set(q->timer, 0);
	return LINDUNG_OK;
}

void
ld_forward_free(struct ld_forward *forward)
{
	if (forward == NULL)
		return;
	while (!LIST_EMPTY(&forward->questions))
		question_free(LIST_FIRST(&forward->questions));
	free(forward);
}
