/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/web.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/shares.h"
#include "net/stream.h"
#include "net/tls.h"

enum {
	CHUNK_BYTES = 65536, /* of an answer, in memory at a time */
	OUT_MAX_BYTES = CHUNK_BYTES + 4096,
	LINGER_MS = 2000,
	SWEEP_MS = 250,
	ACCEPT_AT_ONCE = 16,
	STEPS_AT_ONCE = 32, /* of a guest who sends requests without waiting for answers */
};

enum phase {
	PHASE_HEAD, /* reading a head, or waiting for one */
	PHASE_BODY,
	PHASE_WAIT, /* for the answer */
	PHASE_SEND,
	PHASE_LINGER, /* all is said; what still comes is thrown away */
};

struct guest {
	struct ld_web *web;
	struct ld_stream *stream; /* NULL: nobody */
	struct ld_watch *watch;
	int fd;
	uint32_t generation;
	enum phase phase;
	struct ld_address from;
	bool counted;
	int64_t until_ms, moved_ms; /* when it must be done; when octets last moved */
	int64_t began_ms;           /* when the phase did */
	size_t have;                /* octets in `head` */
	size_t head_len;            /* of them, the request that is dealt with */
	struct ld_web_request request;
	struct ld_buffer body;
	uint64_t body_counted; /* in web->bodies_bytes: what came, whatever is still to come */
	struct ld_buffer out;
	size_t out_sent;
	struct ld_web_answer answer; /* what is left of it comes from `answer_at` on */
	uint64_t answer_at, answer_len, answer_left;
	bool keep;
	uint8_t head[LD_WEB_HEAD_MAX_BYTES];
};

struct ld_web {
	struct event_base *loop;
	struct ld_web_config config;
	struct ld_timer *sweep;
	unsigned listener_count, open;
	struct listener {
		struct ld_web *web;
		struct ld_watch *watch;
	} listeners[LD_WEB_LISTENERS_MAX];
	uint64_t bodies_bytes;
	struct guest **guests;
};

const char *
ld_web_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{200, "OK"},
		{202, "Accepted"},
		{206, "Partial Content"},
		{304, "Not Modified"},
		{400, "Bad Request"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{411, "Length Required"},
		{413, "Content Too Large"},
		{414, "URI Too Long"},
		{416, "Range Not Satisfiable"},
		{417, "Expectation Failed"},
		{422, "Unprocessable Content"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{501, "Not Implemented"},
		{503, "Service Unavailable"},
		{505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Internal Server Error";
}

/* ---- Guests --------------------------------------------------------------------------------- */

static void
answer_free(struct ld_web_answer *answer)
{
	if (answer->fd >= 0)
		close(answer->fd);
	ld_buffer_free(&answer->body);
	*answer = (struct ld_web_answer){.fd = -1};
}

/* The request is done with. */
static void
request_end(struct guest *g)
{
	g->web->bodies_bytes -= g->body_counted;
	g->body_counted = 0;
	ld_buffer_free(&g->body);
	ld_buffer_free(&g->out);
	answer_free(&g->answer);
}

static void
guest_close(struct guest *g)
{
	request_end(g);
	ld_watch_free(g->watch);
	ld_stream_free(g->stream);
	close(g->fd);
	if (g->counted)
		ld_shares_leave(g->web->config.shares, &g->from);
	g->watch = NULL;
	g->stream = NULL;
	g->counted = false;
	g->generation++;
	g->web->open--;
}

static void
phase_begin(struct guest *g, enum phase phase, int64_t lasts_ms)
{
	g->phase = phase;
	g->began_ms = g->moved_ms = ld_clock_coarse_ms();
	g->until_ms = g->moved_ms + lasts_ms;
}

static int64_t
transfer_ms(uint64_t octets)
{
	return LD_WEB_STALL_MS + (int64_t)(octets / (LD_WEB_RATE_MIN / 1000));
}

/* Whether so few octets have moved since the phase began that it is time to end it: one who sends
 * an octet now and then must not hold what others need as long as a large body may take. */
static bool
is_too_slow(const struct guest *g, int64_t now_ms)
{
	uint64_t done = g->phase == PHASE_BODY ? g->body.len : g->answer_len - g->answer_left;
	int64_t late_ms = now_ms - g->began_ms - LD_WEB_STALL_MS;

	if (g->phase != PHASE_BODY && g->phase != PHASE_SEND)
		return false;
	return now_ms > g->moved_ms + LD_WEB_STALL_MS ||
	       (late_ms > 0 && done < (uint64_t)late_ms * (LD_WEB_RATE_MIN / 1000));
}

static struct guest *
guest_of(struct ld_web *web, struct ld_web_ref ref)
{
	struct guest *g = ref.slot < web->config.connections_max ? web->guests[ref.slot] : NULL;

	return g != NULL && g->stream != NULL && g->generation == ref.generation &&
			       g->phase == PHASE_WAIT
		       ? g
		       : NULL;
}

/* ---- Answers -------------------------------------------------------------------------------- */

static void
date_write(struct ld_buffer *out)
{
	time_t now = time(NULL);
	char text[64];
	struct tm tm;

	if (gmtime_r(&now, &tm) != NULL &&
	    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm) != 0)
		ld_buffer_printf(out, "Date: %s\r\n", text);
}

/* What part of it goes, by the conditions of the request. */
static int
answer_choose(struct guest *g, uint64_t size, uint64_t *ret_first, uint64_t *ret_len)
{
	const struct ld_web_request *r = &g->request;
	struct ld_span tag = ld_span_str(g->answer.tag);

	*ret_first = 0;
	*ret_len = size;
	if (g->answer.status != 200 || r->method == LD_WEB_POST)
		return g->answer.status;
	if (tag.len != 0 && ld_web_tag_listed(r->if_none_match, tag))
		return 304;
	if (tag.len == 0 || r->range.len == 0 || r->method != LD_WEB_GET ||
	    (r->if_range.len != 0 && !ld_span_equal(r->if_range, tag)))
		return 200;
	switch (ld_web_range_read(ret_first, ret_len, r->range, size)) {
	case LD_WEB_RANGE_ONE:
		return 206;
	case LD_WEB_RANGE_OUTSIDE:
		return 416;
	case LD_WEB_RANGE_NONE:
	default:
		return 200;
	}
}

static void
answer_head(struct guest *g, int status, uint64_t first, uint64_t len, uint64_t size)
{
	const struct ld_web_answer *a = &g->answer;
	struct ld_buffer *out = &g->out;

	ld_buffer_init(out, OUT_MAX_BYTES);
	ld_buffer_printf(out, "HTTP/1.1 %d %s\r\n", status, ld_web_reason(status));
	date_write(out);
	if (status != 304)
		ld_buffer_printf(out, "Content-Length: %llu\r\n", (unsigned long long)len);
	if (status != 304 && a->type != NULL)
		ld_buffer_printf(out, "Content-Type: %s\r\n", a->type);
	if (a->tag[0] != '\0')
		ld_buffer_printf(out, "ETag: %s\r\nAccept-Ranges: bytes\r\n", a->tag);
	if (status == 206)
		ld_buffer_printf(out, "Content-Range: bytes %llu-%llu/%llu\r\n",
				 (unsigned long long)first, (unsigned long long)(first + len - 1),
				 (unsigned long long)size);
	if (status == 416)
		ld_buffer_printf(out, "Content-Range: bytes */%llu\r\n", (unsigned long long)size);
	if (status == 405)
		ld_buffer_printf(out, "Allow: %s\r\n",
				 g->request.method == LD_WEB_POST ? "GET, HEAD" : "POST");
	if (a->retry_after_s != 0)
		ld_buffer_printf(out, "Retry-After: %u\r\n", a->retry_after_s);
	if (a->extra != NULL)
		ld_buffer_printf(out, "%s", a->extra);
	ld_buffer_printf(out,
			 "Cache-Control: %s\r\nX-Content-Type-Options: nosniff\r\n"
			 "Content-Security-Policy: default-src 'none'\r\n%s\r\n",
			 a->cache != NULL ? a->cache : "no-store",
			 g->keep ? "" : "Connection: close\r\n");
}

/* From the answer, conditions kept, to octets that are sent. */
static void
answer_begin(struct guest *g)
{
	uint64_t size = g->answer.fd >= 0 ? g->answer.size : g->answer.body.len, first, len;
	int status = answer_choose(g, size, &first, &len);
	bool has_body = status != 304 && status != 416;

	if (status == 416)
		len = 0;
	answer_head(g, status, first, len, size);
	g->answer_at = first;
	g->answer_len = g->answer_left = has_body && g->request.method != LD_WEB_HEAD ? len : 0;
	g->out_sent = 0;
	phase_begin(g, PHASE_SEND, transfer_ms(g->answer_left));
}

void
ld_web_answer(struct ld_web *web, struct ld_web_ref to, struct ld_web_answer *answer)
{
	struct guest *g = guest_of(web, to);

	if (g == NULL) {
		answer_free(answer);
		return;
	}
	g->answer = *answer;
	*answer = (struct ld_web_answer){.fd = -1};
	if (g->answer.body.failed) {
		answer_free(&g->answer);
		g->answer.status = 503;
	}
	answer_begin(g);
	/* Not at once: this may be called by the handler that `g` is in. */
	ld_watch_set(g->watch, g->stream->write_waits);
}

static void
answer_note(struct ld_web_answer *ret, int status, const char *text)
{
	*ret = (struct ld_web_answer){
		.status = status, .type = "text/plain; charset=utf-8", .fd = -1};
	ld_buffer_init(&ret->body, LD_WEB_NOTE_MAX + 64);
	ld_buffer_printf(&ret->body, "%.*s\n", LD_WEB_NOTE_MAX,
			 text != NULL ? text : ld_web_reason(status));
}

void
ld_web_say(struct ld_web *web, struct ld_web_ref to, int status, const char *text)
{
	struct ld_web_answer answer;

	answer_note(&answer, status, text);
	ld_web_answer(web, to, &answer);
}

/* Refuse what came; if not `keep`, whatever follows it, too. */
static void
guest_refuse(struct guest *g, int status, bool keep)
{
	request_end(g);
	answer_note(&g->answer, status, NULL);
	if (status == 503 || status == 429)
		g->answer.retry_after_s = 5;
	g->keep = keep;
	answer_begin(g);
}

/* The next octets of the answer into `out`.  False: they are not there. */
static bool
out_fill(struct guest *g)
{
	size_t len = g->answer_left < CHUNK_BYTES ? (size_t)g->answer_left : CHUNK_BYTES;
	uint8_t *room;
	ssize_t n;

	g->out.len = g->out_sent = 0;
	room = ld_buffer_room(&g->out, len);
	if (room == NULL)
		return false;
	if (g->answer.fd < 0) {
		memcpy(room, g->answer.body.data + g->answer_at, len);
		n = (ssize_t)len;
	} else {
		n = pread(g->answer.fd, room, len, (off_t)g->answer_at);
	}
	if (n <= 0)
		return false; /* somebody cut the file: what was promised cannot be kept */
	g->out.len = (size_t)n;
	g->answer_at += (uint64_t)n;
	g->answer_left -= (uint64_t)n;
	return true;
}

/* False: the connection is of no more use. */
static bool
answer_send(struct guest *g)
{
	for (;;) {
		if (g->out_sent == g->out.len) {
			if (g->answer_left == 0)
				break;
			if (!out_fill(g))
				return false;
		}
		ssize_t n = g->stream->ops->write(g->stream, g->out.data + g->out_sent,
						  g->out.len - g->out_sent);
		if (n == LD_STREAM_AGAIN)
			return true;
		if (n < 0)
			return false;
		g->out_sent += (size_t)n;
		g->moved_ms = ld_clock_coarse_ms();
	}
	request_end(g);
	if (!g->keep) {
		/* To close with octets unread would destroy what the peer has not read yet. */
		g->stream->ops->leave(g->stream);
		phase_begin(g, PHASE_LINGER, LINGER_MS);
		return shutdown(g->fd, SHUT_WR) == 0;
	}
	memmove(g->head, g->head + g->head_len, g->have - g->head_len);
	g->have -= g->head_len;
	g->head_len = 0;
	phase_begin(g, PHASE_HEAD, g->have != 0 ? LD_WEB_HEAD_MS : LD_WEB_IDLE_MS);
	return true;
}

/* ---- Requests ------------------------------------------------------------------------------- */

static void
request_give(struct guest *g)
{
	struct ld_web_ref ref = {0, g->generation};

	while (g->web->guests[ref.slot] != g)
		ref.slot++;
	phase_begin(g, PHASE_WAIT, INT64_MAX / 4);
	g->web->config.asked(g->web->config.ctx, ref, &g->request, &g->body);
	/* Taken over or not, it is counted until the answer. */
}

static void
body_count(struct guest *g, size_t more)
{
	g->body_counted += more;
	g->web->bodies_bytes += more;
}

/* Octets of the body that came with the head. */
static void
body_begin(struct guest *g)
{
	size_t more = g->have - g->head_len;

	if (more > g->request.length)
		more = (size_t)g->request.length;
	ld_buffer_bytes(&g->body, ld_span(g->head + g->head_len, more));
	body_count(g, more);
	memmove(g->head + g->head_len, g->head + g->head_len + more, g->have - g->head_len - more);
	g->have -= more;
}

/* What a whole head asks. */
static void
head_take(struct guest *g, size_t len)
{
	struct ld_web *web = g->web;
	uint64_t body_max = 0;
	int status;

	g->head_len = len;
	g->request = (struct ld_web_request){.method = LD_WEB_GET};
	status = ld_web_request_read(&g->request, ld_span(g->head, len));
	if (status == 200)
		status = web->config.admit(web->config.ctx, &g->from, &g->request, &body_max);
	if (status == 200 && g->request.length > body_max)
		status = 413;
	if (status == 200 && g->request.length > web->config.bodies_max_bytes - web->bodies_bytes)
		status = 503;
	if (status != 200) {
		bool clear = g->request.path.len != 0 && g->request.length == 0;

		/* Where no body follows it is clear what does; a head that was not understood says
		 * nothing of that. */
		guest_refuse(g, status, clear && g->request.keep);
		return;
	}
	g->keep = g->request.keep;
	ld_buffer_init(&g->body, (size_t)g->request.length);
	if (g->request.length == 0) {
		request_give(g);
		return;
	}
	body_begin(g);
	phase_begin(g, PHASE_BODY, transfer_ms(g->request.length));
	if (g->request.awaits && g->body.len == 0) {
		static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

		/* Into an empty socket buffer: all of it fits, or the peer waits a while, and then
		 * sends (RFC 9110 section 10.1.1). */
		(void)g->stream->ops->write(g->stream, go_on, sizeof go_on - 1);
	}
}

/* False: the connection is of no more use. */
static bool
head_read(struct guest *g)
{
	size_t len = ld_web_head_len(ld_span(g->head, g->have));
	ssize_t n;

	while (len == 0) {
		if (g->have == sizeof g->head) {
			g->head_len = g->have;
			g->request = (struct ld_web_request){.method = LD_WEB_GET};
			guest_refuse(g, 431, false);
			return true;
		}
		n = g->stream->ops->read(g->stream, g->head + g->have, sizeof g->head - g->have);
		if (n == LD_STREAM_AGAIN)
			return true;
		if (n < 0)
			return false;
		if (g->have == 0)
			phase_begin(g, PHASE_HEAD, LD_WEB_HEAD_MS);
		g->have += (size_t)n;
		/* An empty line before a request is passed over (RFC 9112 section 2.2). */
		while (g->have >= 2 && g->head[0] == '\r' && g->head[1] == '\n') {
			g->have -= 2;
			memmove(g->head, g->head + 2, g->have);
		}
		len = ld_web_head_len(ld_span(g->head, g->have));
	}
	head_take(g, len);
	return true;
}

static bool
body_read(struct guest *g)
{
	while (g->body.len < g->request.length) {
		uint64_t left = g->request.length - g->body.len;
		size_t len = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
		bool fits = len <= g->web->config.bodies_max_bytes - g->web->bodies_bytes;
		uint8_t *room = fits ? ld_buffer_room(&g->body, len) : NULL;
		ssize_t n;

		if (room == NULL) {
			guest_refuse(g, 503, false);
			return true;
		}
		n = g->stream->ops->read(g->stream, room, len);
		g->body.len -= n > 0 ? len - (size_t)n : len;
		if (n == LD_STREAM_AGAIN)
			return true;
		if (n < 0)
			return false;
		body_count(g, (size_t)n);
		g->moved_ms = ld_clock_coarse_ms();
	}
	request_give(g);
	return true;
}

/* Throw away what still comes. */
static bool
linger(struct guest *g)
{
	uint8_t octets[4096];
	ssize_t n;

	do
		n = g->stream->ops->read(g->stream, octets, sizeof octets);
	while (n > 0);
	return n == LD_STREAM_AGAIN;
}

/* As far as it goes now, whatever phase it is in. */
static void
guest_go(struct guest *g)
{
	bool goes_on = true;
	unsigned steps = 0;
	enum phase before;

	do {
		before = g->phase;
		switch (g->phase) {
		case PHASE_HEAD:
			goes_on = head_read(g);
			break;
		case PHASE_BODY:
			goes_on = body_read(g);
			break;
		case PHASE_SEND:
			goes_on = answer_send(g);
			break;
		case PHASE_LINGER:
			goes_on = linger(g);
			break;
		case PHASE_WAIT:
		default:
			break;
		}
	} while (goes_on && g->phase != before && ++steps < STEPS_AT_ONCE);
	if (!goes_on) {
		guest_close(g);
		return;
	}
	if (steps == STEPS_AT_ONCE)
		ld_watch_set(g->watch, LD_READABLE | LD_WRITABLE); /* others first */
	else if (g->phase == PHASE_WAIT)
		ld_watch_set(g->watch, 0);
	else
		ld_watch_set(g->watch, g->phase == PHASE_SEND ? g->stream->write_waits
							      : g->stream->read_waits);
}

static void
guest_ready(void *ctx, int fd, unsigned what)
{
	(void)fd;
	(void)what;
	guest_go(ctx);
}

/* ---- Connections ---------------------------------------------------------------------------- */

/* A free place; else that of the guest who idles longest; NULL: all are at work. */
static struct guest *
place_make(struct ld_web *web)
{
	struct guest *idle = NULL;

	for (unsigned i = 0; i < web->config.connections_max; i++) {
		struct guest *g = web->guests[i];

		if (g == NULL) {
			g = web->guests[i] = calloc(1, sizeof *g);
			if (g != NULL)
				*g = (struct guest){.web = web, .answer = {.fd = -1}};
			return g;
		}
		if (g->stream == NULL)
			return g;
		if (g->phase == PHASE_LINGER || (g->phase == PHASE_HEAD && g->have == 0))
			if (idle == NULL || g->until_ms < idle->until_ms)
				idle = g;
	}
	if (idle != NULL)
		guest_close(idle);
	return idle;
}

static void
guest_welcome(struct ld_web *web, int fd, const struct ld_address *from)
{
	bool counted = web->config.shares != NULL;
	struct guest *g;

	if (counted && !ld_shares_enter(web->config.shares, from)) {
		close(fd);
		return;
	}
	g = place_make(web);
	if (g != NULL) {
		uint32_t generation = g->generation;

		*g = (struct guest){
			.web = web, .generation = generation, .fd = fd, .answer = {.fd = -1}};
		g->from = *from;
		g->stream = web->config.tls != NULL ? ld_tls_accept(web->config.tls, fd, "http/1.1")
						    : ld_stream_plain(fd);
		g->watch = g->stream != NULL ? ld_watch_new(web->loop, fd, guest_ready, g) : NULL;
	}
	if (g == NULL || g->watch == NULL) {
		if (g != NULL)
			ld_stream_free(g->stream);
		if (g != NULL)
			g->stream = NULL;
		if (counted)
			ld_shares_leave(web->config.shares, from);
		close(fd);
		return;
	}
	g->counted = counted;
	web->open++;
	phase_begin(g, PHASE_HEAD, LD_WEB_HEAD_MS);
	ld_watch_set(g->watch, g->stream->read_waits);
}

static void
listener_ready(void *ctx, int fd, unsigned what)
{
	struct listener *listener = ctx;

	(void)what;
	for (unsigned i = 0; i < ACCEPT_AT_ONCE; i++) {
		struct ld_address from = {.len = sizeof from.v6};
		int peer = accept4(fd, &from.any, &from.len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (peer < 0) {
			/* Out of descriptors: no more until the next sweep, or we would spin. */
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			    errno == ENOBUFS)
				ld_watch_set(listener->watch, 0);
			return;
		}
		guest_welcome(listener->web, peer, &from);
	}
}

static void
sweep_fired(void *ctx)
{
	struct ld_web *web = ctx;
	int64_t now_ms = ld_clock_coarse_ms();

	for (unsigned i = 0; i < web->config.connections_max; i++) {
		struct guest *g = web->guests[i];

		if (g == NULL || g->stream == NULL || g->phase == PHASE_WAIT)
			continue;
		if (now_ms <= g->until_ms && !is_too_slow(g, now_ms))
			continue;
		if (g->phase == PHASE_BODY || (g->phase == PHASE_HEAD && g->have != 0)) {
			g->head_len = g->have;
			guest_refuse(g, 408, false);
			guest_go(g);
		} else {
			guest_close(g);
		}
	}
	for (unsigned i = 0; i < web->listener_count; i++)
		ld_watch_set(web->listeners[i].watch, LD_READABLE);
	ld_timer_set(web->sweep, SWEEP_MS);
}

int
ld_web_new(struct ld_web **ret, struct event_base *loop, const struct ld_web_config *config)
{
	struct ld_web *web = calloc(1, sizeof *web);

	LD_ASSERT(config->connections_max > 0);
	if (web == NULL)
		return LINDUNG_ENOMEM;
	web->loop = loop;
	web->config = *config;
	web->guests = calloc(config->connections_max, sizeof(struct guest *));
	web->sweep = ld_timer_new(loop, sweep_fired, web);
	if (web->guests == NULL || web->sweep == NULL) {
		ld_web_free(web);
		return LINDUNG_ENOMEM;
	}
	ld_timer_set(web->sweep, SWEEP_MS);
	*ret = web;
	return LINDUNG_OK;
}

int
ld_web_listen(struct ld_web *web, int listener)
{
	struct listener *l = &web->listeners[web->listener_count];

	if (web->listener_count == LD_WEB_LISTENERS_MAX)
		return LINDUNG_ELIMIT;
	*l = (struct listener){web, ld_watch_new(web->loop, listener, listener_ready, l)};
	if (l->watch == NULL)
		return LINDUNG_ENOMEM;
	web->listener_count++;
	ld_watch_set(l->watch, LD_READABLE);
	return LINDUNG_OK;
}

void
ld_web_free(struct ld_web *web)
{
	if (web == NULL)
		return;
	for (unsigned i = 0; i < web->config.connections_max && web->guests != NULL; i++) {
		if (web->guests[i] != NULL && web->guests[i]->stream != NULL)
			guest_close(web->guests[i]);
		free(web->guests[i]);
	}
	for (unsigned i = 0; i < web->listener_count; i++)
		ld_watch_free(web->listeners[i].watch);
	ld_timer_free(web->sweep);
	free(web->guests);
	free(web);
}

unsigned
ld_web_count(const struct ld_web *web)
{
	return web->open;
}
