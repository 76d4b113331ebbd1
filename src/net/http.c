/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/http.h"

#include <stdlib.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/http.h>

enum {
	HEADERS_MAX_BYTES = 4096,
	BODY_MAX_BYTES = 1024,
	TIMEOUT_S = 5,
	PAGE_MAX_BYTES = 1 << 20,
};

struct ld_http {
	struct evhttp *server;
	ld_http_page *page;
	void *ctx;
};

static void
request_came(struct evhttp_request *request, void *ctx)
{
	struct ld_http *http = ctx;
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
	const char *type = "text/plain; charset=utf-8";
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	struct ld_buffer body;
	int status;

	ld_buffer_init(&body, PAGE_MAX_BYTES);
	status = http->page(http->ctx, path != NULL ? path : "", &body, &type);
	if (body.failed)
		status = 500;
	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "Cache-Control", "no-store");
	evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
	if (!body.failed && body.len != 0)
		evbuffer_add(evhttp_request_get_output_buffer(request), body.data, body.len);
	evhttp_send_reply(request, status, NULL, NULL);
	ld_buffer_free(&body);
}

int
ld_http_open(struct ld_http **ret, struct event_base *loop, int listener, ld_http_page *page,
	     void *ctx)
{
	struct ld_http *http = calloc(1, sizeof *http);

	if (http != NULL)
		http->server = evhttp_new(loop);
	if (http == NULL || http->server == NULL ||
	    evhttp_accept_socket(http->server, listener) != 0) {
		close(listener);
		ld_http_close(http);
		return LINDUNG_ENOMEM;
	}
	http->page = page;
	http->ctx = ctx;
	evhttp_set_allowed_methods(http->server, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(http->server, HEADERS_MAX_BYTES);
	evhttp_set_max_body_size(http->server, BODY_MAX_BYTES);
	evhttp_set_timeout(http->server, TIMEOUT_S);
	evhttp_set_gencb(http->server, request_came, http);
	*ret = http;
	return LINDUNG_OK;
}

void
ld_http_close(struct ld_http *http)
{
	if (http == NULL)
		return;
	if (http->server != NULL)
		evhttp_free(http->server);
	free(http);
}
