/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/loop.h"

enum {
	PAGE_MAX_BYTES = 1 << 20,
	HEAD_MAX_BYTES = 512, /* of an answer */
	SWEEP_MS = 250,
};

struct visitor {
	struct ld_http *http;
	struct ld_watch *watch;
	int fd; /* -1: nobody */
	int64_t until_ms;
	size_t len;
	char request[LD_HTTP_REQUEST_MAX_BYTES];
	struct ld_buffer answer; /* empty: the request is not whole */
	size_t sent;
	bool left; /* all is said: what still comes is thrown away, until it ends */
};

struct ld_http {
	struct event_base *loop;
	struct ld_watch *watch;
	struct ld_timer *sweep;
	int listener;
	ld_http_page *page;
	void *ctx;
	struct visitor visitors[LD_HTTP_VISITORS_MAX];
};

static void
visitor_close(struct visitor *v)
{
	ld_watch_free(v->watch);
	close(v->fd);
	ld_buffer_free(&v->answer);
	v->watch = NULL;
	v->fd = -1;
}

/* ---- Requests and answers ----------------------------------------------------------------- */

static const char *
reason_of(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 431:
		return "Request Header Fields Too Large";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Internal Server Error";
	}
}

static void
answer_write(struct visitor *v, int status, const char *type, struct ld_span body, bool with_body)
{
	ld_buffer_init(&v->answer, PAGE_MAX_BYTES + HEAD_MAX_BYTES);
	ld_buffer_printf(&v->answer,
			 "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s"
			 "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
			 "Connection: close\r\n\r\n",
			 status, reason_of(status), type, body.len,
			 status == 405 ? "Allow: GET, HEAD\r\n" : "");
	if (with_body)
		ld_buffer_bytes(&v->answer, body);
}

static void
answer_fault(struct visitor *v, int status)
{
	answer_write(v, status, "text/plain", (struct ld_span){NULL, 0}, true);
}

static void
answer_page(struct visitor *v, const char *path, bool with_body)
{
	const char *type = "text/plain; charset=utf-8";
	struct ld_buffer body;
	int status;

	ld_buffer_init(&body, PAGE_MAX_BYTES);
	status = v->http->page(v->http->ctx, path, &body, &type);
	if (body.failed)
		answer_fault(v, 500);
	else
		answer_write(v, status, type, ld_span(body.data, body.len), with_body);
	ld_buffer_free(&body);
}

/* The path of "/path?query" or "http://host/path": cut out of the request, where it stands. */
static const char *
path_of(char *target)
{
	if (strncasecmp(target, "http://", 7) == 0)
		target = strchr(target + 7, '/');
	if (target == NULL || target[0] != '/')
		return NULL;
	target[strcspn(target, "?#")] = '\0';
	return target;
}

/* The first line and the rest, without the empty line at the end; no NUL is in them. */
static void
request_answer(struct visitor *v)
{
	char *rest = strstr(v->request, "\r\n"), *target = strchr(v->request, ' '), *version;
	const char *path;
	bool is_head;

	*rest = '\0';
	version = target != NULL ? strchr(target + 1, ' ') : NULL;
	if (version == NULL || strncmp(version + 1, "HTTP/", 5) != 0) {
		answer_fault(v, 400);
		return;
	}
	*target++ = '\0';
	*version++ = '\0';
	is_head = strcmp(v->request, "HEAD") == 0;
	if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
		answer_fault(v, 505);
	else if (strcmp(version, "HTTP/1.1") == 0 && strcasestr(rest + 1, "\nHost:") == NULL)
		answer_fault(v, 400); /* RFC 9112 section 3.2 */
	else if (!is_head && strcmp(v->request, "GET") != 0)
		answer_fault(v, 405);
	else if ((path = path_of(target)) == NULL)
		answer_fault(v, 400);
	else
		answer_page(v, path, !is_head);
}

/* ---- One connection ----------------------------------------------------------------------- */

/* Read what came.  False: there is no more of it, or it failed. */
static bool
request_read(struct visitor *v)
{
	ssize_t n;

	do
		n = recv(v->fd, v->request + v->len, sizeof v->request - 1 - v->len, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK;
	if (n == 0)
		return false;
	if (v->left)
		return true;
	v->len += (size_t)n;
	v->request[v->len] = '\0';
	if (memchr(v->request, '\0', v->len) != NULL)
		answer_fault(v, 400);
	else if (strstr(v->request, "\r\n\r\n") != NULL)
		request_answer(v);
	else if (v->len == sizeof v->request - 1)
		answer_fault(v, 431);
	return true;
}

/* False: it failed. */
static bool
answer_send(struct visitor *v)
{
	while (v->sent < v->answer.len) {
		ssize_t n = send(v->fd, v->answer.data + v->sent, v->answer.len - v->sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
		v->sent += (size_t)n;
	}
	/* To close with octets unread would destroy what the peer has not read yet. */
	v->left = true;
	return shutdown(v->fd, SHUT_WR) == 0;
}

static void
visitor_ready(void *ctx, int fd, unsigned what)
{
	struct visitor *v = ctx;
	bool goes_on;

	(void)fd;
	(void)what;
	if (v->left)
		v->len = 0; /* room for what is thrown away */
	goes_on = v->answer.len == 0 || v->left ? request_read(v) : true;
	if (goes_on && v->answer.len != 0 && !v->left)
		goes_on = answer_send(v);
	if (!goes_on || v->answer.failed)
		visitor_close(v);
	else
		ld_watch_set(v->watch, v->answer.len == 0 || v->left ? LD_READABLE : LD_WRITABLE);
}

/* A free place; else that of the oldest. */
static struct visitor *
place_make(struct ld_http *http)
{
	struct visitor *oldest = &http->visitors[0];

	for (unsigned i = 0; i < LD_HTTP_VISITORS_MAX; i++) {
		struct visitor *v = &http->visitors[i];

		if (v->fd < 0)
			return v;
		if (v->until_ms < oldest->until_ms)
			oldest = v;
	}
	visitor_close(oldest);
	return oldest;
}

static void
listener_ready(void *ctx, int fd, unsigned what)
{
	struct ld_http *http = ctx;
	int peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct visitor *v;

	(void)what;
	if (peer < 0) {
		/* Out of descriptors: no more until the next sweep, or we would spin. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			ld_watch_set(http->watch, 0);
		return;
	}
	v = place_make(http);
	v->watch = ld_watch_new(http->loop, peer, visitor_ready, v);
	if (v->watch == NULL) {
		close(peer);
		return;
	}
	v->fd = peer;
	v->until_ms = ld_clock_coarse_ms() + LD_HTTP_LIFETIME_MS;
	v->len = v->sent = 0;
	v->left = false;
	ld_buffer_init(&v->answer, 0);
	ld_watch_set(v->watch, LD_READABLE);
}

static void
sweep_fired(void *ctx)
{
	struct ld_http *http = ctx;
	int64_t now_ms = ld_clock_coarse_ms();

	for (unsigned i = 0; i < LD_HTTP_VISITORS_MAX; i++)
		if (http->visitors[i].fd >= 0 && http->visitors[i].until_ms < now_ms)
			visitor_close(&http->visitors[i]);
	ld_watch_set(http->watch, LD_READABLE);
	ld_timer_set(http->sweep, SWEEP_MS);
}

int
ld_http_open(struct ld_http **ret, struct event_base *loop, int listener, ld_http_page *page,
	     void *ctx)
{
	struct ld_http *http = calloc(1, sizeof *http);

	if (http == NULL) {
		close(listener);
		return LINDUNG_ENOMEM;
	}
	http->loop = loop;
	http->listener = listener;
	http->page = page;
	http->ctx = ctx;
	for (unsigned i = 0; i < LD_HTTP_VISITORS_MAX; i++)
		http->visitors[i] = (struct visitor){.http = http, .fd = -1};
	http->watch = ld_watch_new(loop, listener, listener_ready, http);
	http->sweep = ld_timer_new(loop, sweep_fired, http);
	if (http->watch == NULL || http->sweep == NULL) {
		ld_http_close(http);
		return LINDUNG_ENOMEM;
	}
	ld_watch_set(http->watch, LD_READABLE);
	ld_timer_set(http->sweep, SWEEP_MS);
	*ret = http;
	return LINDUNG_OK;
}

void
ld_http_close(struct ld_http *http)
{
	if (http == NULL)
		return;
	for (unsigned i = 0; i < LD_HTTP_VISITORS_MAX; i++)
		if (http->visitors[i].fd >= 0)
			visitor_close(&http->visitors[i]);
	ld_timer_free(http->sweep);
	ld_watch_free(http->watch);
	close(http->listener);
	free(http);
}
