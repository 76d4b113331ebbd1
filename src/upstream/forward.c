/* Forwarding to named servers: over UDP, from a socket of its own for each question (RFC 5452), and
 * over TCP when the answer is cut or doubtful; or over TLS and HTTPS on connections that are kept.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A question is asked of one server at a time.  Each gets it three times at most (RFC 9520 section
 * 3.1), all together ATTEMPTS_MAX times.  A probe is a question that nobody waits for. */
#include "upstream/backend.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "net/loop.h"
#include "upstream/extended_error.h"
#include "upstream/forward_servers.h"
#include "upstream/forward_udp.h"

enum {
	ROUNDS = 3, /* so often is each server asked, at most */
	ATTEMPTS_MAX = 12,
	AGAIN_MAX = 4,     /* times that a connection may end in order under a question */
	REST_END_MS = 900, /* for a question when no server is known to be well */
	FOREIGN_MAX = 16,  /* replies to something else: somebody guesses; go over TCP */
	CASE_LOST_MAX = 3, /* then the server keeps no case: it is not asked to */
	STREAM_SLOWER = 3, /* a new connection takes more round trips */
	UDP_REPLY_MAX = 4096,
	QUESTION_AT = 12,
};

/* Why a question has no answer: the last reason that was found. */
enum failure {
	FAILED_UNREACHABLE,
	FAILED_SILENT,
	FAILED_SHORT, /* this machine had no descriptor or memory for it */
	FAILED_BUSY,
	FAILED_UNTRUSTED,
	FAILED_REFERRAL,
	FAILED_BROKEN,
};

struct question {
	LIST_ENTRY(question) link;
	struct ld_forward *forward;
	ld_upstream_done *done; /* NULL: a probe */
	void *ctx;
	struct ld_name name, sent; /* as asked for; in the case it is sent in */
	struct ld_forward_query query;
	struct ld_timer *timer;
	int64_t end_ms;
	unsigned attempts, attempts_max, again;
	unsigned rest_ms; /* the shortest rest of those passed over for it in this round; 0: none */
	uint32_t tried;   /* servers, in this round */
	enum failure failure;
	bool is_parked; /* waits until somebody can be asked */
	bool doubted;   /* an answer over UDP lacked something */
	bool recooked;  /* asked again with a new cookie */
	uint8_t *held;  /* an answer like SERVFAIL, for want of a better one */
	size_t held_len;

	/* The attempt under way. */
	int server; /* -1: none */
	bool over_udp;
	int fd; /* UDP; -1: none */
	struct ld_watch *watch;
	struct ld_link_ask ask; /* on a connection */
	int64_t asked_ms;
	unsigned foreign;
};

/* Who a pool of connections belongs to. */
struct way {
	struct ld_forward *forward;
	unsigned server;
};

struct ld_forward {
	struct event_base *loop;
	struct ld_tls_trust *trust;
	struct ld_forward_servers servers;
	struct way ways[LD_UPSTREAM_SERVERS_MAX];
	LIST_HEAD(questions, question) questions;
	unsigned in_flight;
	unsigned timeout_ms;
	ld_upstream_notice *notice;
	void *notice_ctx;
	_Atomic uint64_t counters[LD_UPSTREAM_COUNTER_COUNT];
	uint8_t reply[UDP_REPLY_MAX];
};

static void
count(struct ld_forward *forward, enum ld_upstream_counter counter)
{
	/* One thread writes. */
	uint64_t n = atomic_load_explicit(&forward->counters[counter], memory_order_relaxed);

	atomic_store_explicit(&forward->counters[counter], n + 1, memory_order_relaxed);
}

static struct ld_forward_server *
server_of(const struct question *q)
{
	return &q->forward->servers.items[q->server];
}

/* Which transport the attempt goes over: an offset from the counter of UDP. */
static unsigned
transport_of(const struct question *q)
{
	return q->over_udp ? 0 : 1 + (unsigned)server_of(q)->remote.way;
}

/* ---- The end of an attempt, and of a question --------------------------------------------- */

static void
attempt_end(struct question *q, bool late)
{
	if (q->server < 0)
		return;
	ld_link_forget(&q->ask, late);
	ld_watch_free(q->watch);
	q->watch = NULL;
	if (q->fd >= 0)
		close(q->fd);
	q->fd = -1;
	q->foreign = 0;
	server_of(q)->in_flight--;
	if (q->done == NULL)
		server_of(q)->probing = false;
	q->server = -1;
}

static void
question_free(struct question *q)
{
	attempt_end(q, false);
	ld_timer_free(q->timer);
	LIST_REMOVE(q, link);
	q->forward->in_flight--;
	free(q->held);
	free(q);
}

static void
question_end(struct question *q, const struct ld_upstream_result *result)
{
	attempt_end(q, false);
	if (q->done != NULL)
		q->done(q->ctx, result);
	question_free(q);
}

static void
question_answered(struct question *q, struct ld_span message)
{
	struct ld_upstream_result result = {.message = message, .ede = LD_UPSTREAM_EDE_NONE};

	ld_extended_errors_read(&result, message);
	question_end(q, &result);
}

/* No server is left to ask. */
static void
question_failed(struct question *q)
{
	static const struct {
		int error, ede;
		const char *text;
	} failures[] = {
		[FAILED_UNREACHABLE] = {LINDUNG_ENET, LD_EDE_NETWORK,
					"the servers forwarded to cannot be reached"},
		[FAILED_SILENT] = {LINDUNG_ETIMEOUT, LD_EDE_NO_AUTHORITY,
				   "the servers forwarded to did not answer in time"},
		[FAILED_SHORT] = {LINDUNG_ENET, LD_EDE_OTHER,
				  "this resolver has too many connections open"},
		[FAILED_BUSY] = {LINDUNG_ELIMIT, LD_EDE_OTHER,
				 "too many questions wait for the servers forwarded to"},
		[FAILED_UNTRUSTED] = {LINDUNG_ENET, LD_EDE_NETWORK,
				      "the servers forwarded to cannot prove who they are"},
		[FAILED_REFERRAL] = {LINDUNG_ENET, LD_EDE_NO_AUTHORITY,
				     "the servers forwarded to do not resolve names"},
		[FAILED_BROKEN] = {LINDUNG_ENET, LD_EDE_INVALID_DATA,
				   "the servers forwarded to sent what cannot be read"},
	};

	if (q->held != NULL) {
		question_answered(q, ld_span(q->held, q->held_len));
		return;
	}
	question_end(q, &(struct ld_upstream_result){
				.error = failures[q->failure].error,
				.ede = failures[q->failure].ede,
				.ede_text = failures[q->failure].text,
			});
}

/* What we lack ourselves is not the server's fault: it need not rest for it. */
static bool
is_ours(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void
attempt_failed(struct question *q, enum failure failure)
{
	bool ours = failure == FAILED_SHORT || failure == FAILED_BUSY;

	q->failure = failure;
	if (!ours) {
		count(q->forward, LD_UPSTREAM_COUNTER_FAILED_UDP + transport_of(q));
		ld_forward_server_failed(server_of(q), q->asked_ms, ld_clock_monotonic_ms());
	}
	attempt_end(q, failure == FAILED_SILENT);
}

/* ---- An attempt --------------------------------------------------------------------------- */

static void udp_ready(void *ctx, int fd, unsigned what);

/* What is sent differs by the server and the way to it. */
static void
query_prepare(struct question *q)
{
	const struct ld_forward_server *s = server_of(q);

	q->sent = q->name;
	q->query.id = (uint16_t)arc4random();
	q->query.padded = s->remote.way != LD_SERVER_PLAIN;
	q->query.exact_case = q->over_udp && s->case_lost < CASE_LOST_MAX;
	q->query.cookie = ld_span(s->cookie, q->over_udp ? s->cookie_len : 0);
	if (q->query.exact_case)
		ld_forward_case_randomize(&q->sent);
}

static bool
udp_start(struct question *q)
{
	uint8_t query[LD_FORWARD_QUERY_MAX];
	size_t len = ld_forward_query_write(query, &q->query);

	q->failure = FAILED_UNREACHABLE;
	q->fd = ld_forward_udp_open(&server_of(q)->remote.address);
	if (q->fd < 0 || send(q->fd, query, len, MSG_DONTWAIT) != (ssize_t)len) {
		if (is_ours(errno))
			q->failure = FAILED_SHORT;
		return false;
	}
	q->watch = ld_watch_new(q->forward->loop, q->fd, udp_ready, q);
	if (q->watch == NULL) {
		q->failure = FAILED_SHORT;
		return false;
	}
	ld_watch_set(q->watch, LD_READABLE);
	return true;
}

static bool
link_start(struct question *q)
{
	uint8_t query[LD_FORWARD_QUERY_MAX];
	size_t len = ld_forward_query_write(query, &q->query);
	int err = ld_links_ask(server_of(q)->links, &q->ask, query, len);

	/* The pool has written its own. */
	q->query.id = ld_get_be16(query);
	if (err == LINDUNG_ELIMIT)
		q->failure = FAILED_BUSY;
	else if (err == LINDUNG_ENOMEM)
		q->failure = FAILED_SHORT;
	else
		q->failure = server_of(q)->is_distrusted ? FAILED_UNTRUSTED : FAILED_UNREACHABLE;
	return err == LINDUNG_OK;
}

/* How long to wait for this attempt.  Later rounds wait longer: the way may be slow; but half of
 * the time that is left is for the attempts after it. */
static unsigned
attempt_wait_ms(const struct question *q)
{
	int64_t left_ms = q->end_ms - q->asked_ms;
	int64_t wait_ms = (int64_t)ld_forward_server_wait_ms(server_of(q))
			  << (q->attempts - 1) / q->forward->servers.count;

	if (!q->over_udp)
		wait_ms *= STREAM_SLOWER;
	if (q->attempts < q->attempts_max && wait_ms > left_ms / 2)
		wait_ms = left_ms / 2;
	if (wait_ms > left_ms)
		wait_ms = left_ms;
	return wait_ms > 0 ? (unsigned)wait_ms : 0;
}

/* Ask `server` now.  False: it cannot be reached, and `failure` says why. */
static bool
attempt_start(struct question *q, int server, bool over_tcp)
{
	struct ld_forward_server *s = &q->forward->servers.items[server];

	q->server = server;
	q->over_udp = s->remote.way == LD_SERVER_PLAIN && !over_tcp;
	q->asked_ms = ld_clock_monotonic_ms();
	s->in_flight++;
	s->probing |= q->done == NULL;
	query_prepare(q);
	if (!(q->over_udp ? udp_start(q) : link_start(q))) {
		attempt_failed(q, q->failure);
		return false;
	}
	count(q->forward, LD_UPSTREAM_COUNTER_SENT_UDP + transport_of(q));
	ld_timer_set(q->timer, attempt_wait_ms(q));
	return true;
}

/* A server to which no connection is opened at the moment may be worth waiting for. */
static bool
server_rests(struct question *q, int server)
{
	const struct ld_forward_server *s = &q->forward->servers.items[server];
	unsigned rest_ms = 0;

	if (s->remote.way != LD_SERVER_PLAIN && !s->is_distrusted)
		rest_ms = ld_links_rest_ms(s->links);
	if (rest_ms != 0 && (q->rest_ms == 0 || rest_ms < q->rest_ms))
		q->rest_ms = rest_ms;
	return rest_ms != 0;
}

/* Nobody can be asked now: wait for the first that can. */
static bool
question_park(struct question *q)
{
	ld_timer_set(q->timer, q->rest_ms);
	q->rest_ms = 0;
	q->tried = 0;
	q->is_parked = true;
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
		if (server < 0 && q->tried == 0) {
			q->failure = FAILED_BUSY;
			break;
		}
		if (server < 0) { /* the next round */
			if (q->rest_ms != 0 && now_ms + q->rest_ms < q->end_ms)
				return question_park(q);
			q->attempts += q->rest_ms != 0;
			q->rest_ms = 0;
			q->tried = 0;
			continue;
		}
		q->tried |= UINT32_C(1) << server;
		if (server_rests(q, server))
			continue;
		if (q->attempts++ != 0)
			count(forward, LD_UPSTREAM_COUNTER_RETRIED);
		if (attempt_start(q, server, false))
			return true;
		if (q->failure == FAILED_SHORT)
			break;
	}
	return false;
}

static void
question_go_on(struct question *q)
{
	if (q->done == NULL || !question_ask_next(q))
		question_failed(q);
}

/* The same server once more, otherwise. */
static void
question_ask_again(struct question *q, bool over_tcp)
{
	int server = q->server;

	attempt_end(q, false);
	count(q->forward, LD_UPSTREAM_COUNTER_RETRIED);
	if (!attempt_start(q, server, over_tcp))
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
	attempt_end(q, false);
	if (q->tried == all)
		question_failed(q);
	else
		question_go_on(q);
}

/* ---- Replies ------------------------------------------------------------------------------ */

/* What an answer that can be relied on says about the server. */
static void
server_learn(struct question *q)
{
	struct ld_forward_server *s = server_of(q);

	ld_forward_server_answered(s, q->asked_ms, ld_clock_monotonic_ms());
	if (q->query.exact_case)
		s->case_lost = 0;
	if (q->doubted && !q->over_udp) {
		/* It was the server's doing, not somebody else's. */
		s->case_lost++;
		s->cookie_len = LD_FORWARD_COOKIE_BYTES;
	}
	if (s->is_distrusted) {
		s->is_distrusted = false;
		if (q->forward->notice != NULL)
			q->forward->notice(q->forward->notice_ctx, (unsigned)q->server, NULL);
	}
}

static void
reply_use(struct question *q, enum ld_forward_kind kind, struct ld_span reply)
{
	switch (kind) {
	case LD_FORWARD_CUT:
		if (!q->over_udp) {
			question_answered(q, reply);
			break;
		}
		question_ask_again(q, true);
		break;
	case LD_FORWARD_DOUBTFUL:
		q->doubted = true;
		question_ask_again(q, true);
		break;
	case LD_FORWARD_ANSWER:
	case LD_FORWARD_FINAL:
		question_answered(q, reply);
		break;
	case LD_FORWARD_NO_EDNS:
		q->query.edns = false;
		question_ask_again(q, !q->over_udp);
		break;
	case LD_FORWARD_NEW_COOKIE:
		question_ask_again(q, q->recooked);
		q->recooked = true;
		break;
	case LD_FORWARD_UNWILLING:
		question_hold(q, reply);
		break;
	case LD_FORWARD_REFUSED:
		count(q->forward, LD_UPSTREAM_COUNTER_FAILED_UDP + transport_of(q));
		ld_forward_server_failed(server_of(q), q->asked_ms, ld_clock_monotonic_ms());
		question_hold(q, reply);
		break;
	case LD_FORWARD_REFERRAL:
	case LD_FORWARD_BROKEN:
	case LD_FORWARD_FOREIGN:
		attempt_failed(q, kind == LD_FORWARD_REFERRAL ? FAILED_REFERRAL : FAILED_BROKEN);
		question_go_on(q);
		break;
	}
}

/* False: the message was the reply to something else. */
static bool
reply_take(struct question *q, uint8_t *message, size_t len, bool cut)
{
	struct ld_forward_reply reply = ld_forward_reply_check(&q->query, ld_span(message, len));
	struct ld_forward_server *s = server_of(q);

	/* Of a connection, its keeper counts them. */
	if (q->over_udp && (reply.kind == LD_FORWARD_FOREIGN || reply.kind == LD_FORWARD_DOUBTFUL))
		count(q->forward, LD_UPSTREAM_COUNTER_FOREIGN);
	if (reply.kind == LD_FORWARD_FOREIGN)
		return false;
	if (cut)
		reply.kind = LD_FORWARD_CUT;
	if (reply.kind != LD_FORWARD_DOUBTFUL && reply.kind != LD_FORWARD_REFUSED &&
	    reply.kind != LD_FORWARD_REFERRAL && reply.kind != LD_FORWARD_BROKEN)
		server_learn(q);
	if (reply.kind != LD_FORWARD_DOUBTFUL && reply.cookie.len > LD_FORWARD_COOKIE_BYTES) {
		memcpy(s->cookie, reply.cookie.data, reply.cookie.len);
		s->cookie_len = (unsigned)reply.cookie.len;
	}
	/* The case that was asked for, for all names that point there. */
	if (q->query.exact_case && ld_get_be16(message + 4) == 1)
		memcpy(message + QUESTION_AT, q->name.wire, q->name.len);
	reply_use(q, reply.kind, ld_span(message, len));
	return true;
}

static void
udp_ready(void *ctx, int fd, unsigned what)
{
	struct question *q = ctx;
	uint8_t *reply = q->forward->reply;

	(void)what;
	for (;;) {
		ssize_t n = recv(fd, reply, UDP_REPLY_MAX, MSG_DONTWAIT | MSG_TRUNC);
		bool cut = n > UDP_REPLY_MAX;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0) { /* refused: nobody listens there */
			attempt_failed(q, FAILED_UNREACHABLE);
			question_go_on(q);
			return;
		}
		if (reply_take(q, reply, cut ? UDP_REPLY_MAX : (size_t)n, cut))
			return;
		if (++q->foreign > FOREIGN_MAX) {
			question_ask_again(q, true);
			return;
		}
	}
}

static struct question *
question_of(struct ld_link_ask *ask)
{
	return (struct question *)(void *)((char *)ask - offsetof(struct question, ask));
}

static bool
link_reply(void *ctx, struct ld_link_ask *ask, uint16_t id, uint8_t *message, size_t len)
{
	struct question *q = question_of(ask);

	(void)ctx;
	q->query.id = id;
	return reply_take(q, message, len, false);
}

static void
link_lost(void *ctx, struct ld_link_ask *ask, enum ld_link_loss why)
{
	struct question *q = question_of(ask);
	bool plain = server_of(q)->remote.way == LD_SERVER_PLAIN;

	(void)ctx;
	if (why == LD_LINK_AGAIN && q->again++ < AGAIN_MAX) {
		question_ask_again(q, plain);
		return;
	}
	attempt_failed(q, why == LD_LINK_STATUS         ? FAILED_BROKEN
			  : server_of(q)->is_distrusted ? FAILED_UNTRUSTED
							: FAILED_UNREACHABLE);
	question_go_on(q);
}

static void
link_event(void *ctx, enum ld_link_event event, const char *why)
{
	const struct way *way = ctx;
	struct ld_forward *forward = way->forward;
	struct ld_forward_server *s = &forward->servers.items[way->server];

	if (event == LD_LINK_FOREIGN) {
		count(forward, LD_UPSTREAM_COUNTER_FOREIGN);
		return;
	}
	if (event != LD_LINK_DISTRUSTED) {
		count(forward, LD_UPSTREAM_COUNTER_OPENED);
		if (event == LD_LINK_RESUMED)
			count(forward, LD_UPSTREAM_COUNTER_RESUMED);
		return;
	}
	count(forward, LD_UPSTREAM_COUNTER_DISTRUSTED);
	if (s->is_distrusted)
		return;
	s->is_distrusted = true;
	if (forward->notice != NULL)
		forward->notice(forward->notice_ctx, way->server, why);
}

static void
timer_fired(void *ctx)
{
	struct question *q = ctx;

	if (q->is_parked) {
		q->is_parked = false;
		question_go_on(q);
		return;
	}
	if (q->server < 0) { /* there was nobody to ask in the first place */
		question_failed(q);
		return;
	}
	attempt_failed(q, FAILED_SILENT);
	question_go_on(q);
}

/* ---- Asking ------------------------------------------------------------------------------- */

static struct question *
question_new(struct ld_forward *forward, const struct ld_name *name, uint16_t type,
	     bool checking_disabled)
{
	struct question *q = calloc(1, sizeof *q);

	if (q == NULL)
		return NULL;
	q->fd = q->server = -1;
	q->timer = ld_timer_new(forward->loop, timer_fired, q);
	if (q->timer == NULL) {
		free(q);
		return NULL;
	}
	q->forward = forward;
	q->name = *name;
	q->query = (struct ld_forward_query){.name = &q->sent,
					     .type = type,
					     .checking_disabled = checking_disabled,
					     .edns = true};
	LIST_INSERT_HEAD(&forward->questions, q, link);
	forward->in_flight++;
	return q;
}

/* A copy to another server, to see how it does. */
static void
probe(const struct question *asked)
{
	struct ld_forward *forward = asked->forward;
	int64_t now_ms = ld_clock_monotonic_ms();
	int server =
		ld_forward_servers_probe(&forward->servers, asked->server, arc4random(), now_ms);
	struct question *q;

	if (server < 0 || forward->in_flight >= LD_UPSTREAM_IN_FLIGHT_MAX / 2)
		return;
	q = question_new(forward, &asked->name, asked->query.type, asked->query.checking_disabled);
	if (q == NULL)
		return;
	count(forward, LD_UPSTREAM_COUNTER_PROBED);
	q->attempts = q->attempts_max = 1;
	q->end_ms = now_ms + forward->timeout_ms;
	if (!attempt_start(q, server, false))
		question_free(q);
}

int
ld_forward_ask(struct ld_forward *forward, const struct ld_name *name, uint16_t type,
	       bool checking_disabled, ld_upstream_done *done, void *ctx)
{
	int64_t now_ms = ld_clock_monotonic_ms();
	bool rest = ld_forward_servers_rest(&forward->servers, now_ms);
	unsigned attempts = forward->servers.count * (rest ? 1 : ROUNDS);
	struct question *q;

	if (forward->in_flight >= LD_UPSTREAM_IN_FLIGHT_MAX) {
		count(forward, LD_UPSTREAM_COUNTER_LIMITED);
		return LINDUNG_ELIMIT;
	}
	q = question_new(forward, name, type, checking_disabled);
	if (q == NULL)
		return LINDUNG_ENOMEM;
	q->done = done;
	q->ctx = ctx;
	q->attempts_max = attempts < ATTEMPTS_MAX ? attempts : ATTEMPTS_MAX;
	q->end_ms = now_ms +
		    (rest && forward->timeout_ms > REST_END_MS ? REST_END_MS : forward->timeout_ms);
	if (!question_ask_next(q))
		ld_timer_set(q->timer, 0);
	else if (forward->servers.count > 1 && q->server >= 0)
		probe(q);
	return LINDUNG_OK;
}

/* ---- The whole ---------------------------------------------------------------------------- */

static bool
links_make(struct ld_forward *forward, unsigned server)
{
	struct ld_forward_server *s = &forward->servers.items[server];

	forward->ways[server] = (struct way){.forward = forward, .server = server};
	s->links = ld_links_new(&(struct ld_links_config){
		.loop = forward->loop,
		.remote = &s->remote,
		.trust = forward->trust,
		.reply = link_reply,
		.lost = link_lost,
		.event = link_event,
		.ctx = &forward->ways[server],
	});
	return s->links != NULL;
}

static int
forward_begin(struct ld_forward *forward, const struct ld_upstream_config *config,
	      struct ld_report *report)
{
	int err = ld_forward_servers_init(&forward->servers, config, report);

	for (unsigned i = 0; i < forward->servers.count && err == LINDUNG_OK; i++) {
		if (forward->servers.items[i].remote.way != LD_SERVER_PLAIN &&
		    forward->trust == NULL)
			err = ld_tls_trust_new(&forward->trust, config->ca_file, report);
		if (err == LINDUNG_OK && !links_make(forward, i))
			err = ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	}
	return err;
}

int
ld_forward_new(struct ld_forward **ret, struct event_base *loop,
	       const struct ld_upstream_config *config, struct ld_report *report)
{
	struct ld_forward *forward = calloc(1, sizeof *forward);
	int err;

	if (forward == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	forward->loop = loop;
	forward->timeout_ms = config->timeout_ms;
	forward->notice = config->notice;
	forward->notice_ctx = config->notice_ctx;
	LIST_INIT(&forward->questions);
	err = forward_begin(forward, config, report);
	if (err != LINDUNG_OK) {
		ld_forward_free(forward);
		return err;
	}
	*ret = forward;
	return LINDUNG_OK;
}

uint64_t
ld_forward_counter(const struct ld_forward *forward, enum ld_upstream_counter counter)
{
	return atomic_load_explicit(&forward->counters[counter], memory_order_relaxed);
}

void
ld_forward_free(struct ld_forward *forward)
{
	if (forward == NULL)
		return;
	while (!LIST_EMPTY(&forward->questions))
		question_free(LIST_FIRST(&forward->questions));
	for (unsigned i = 0; i < forward->servers.count; i++)
		ld_links_free(forward->servers.items[i].links);
	ld_tls_trust_free(forward->trust);
	free(forward);
}
