/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/http2_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include <nghttp2/nghttp2.h>

#include "base/bytes.h"

struct request {
	TAILQ_ENTRY(request) link;
	struct ld_http2_client *client;
	int32_t id;
	unsigned status;
	bool is_media;
	bool whole; /* the response ended as it should */
	bool untouched;
	bool too_long;
	struct ld_buffer response;
	size_t body_len, body_at;
	uint8_t body[LD_HTTP2_BODY_MAX_BYTES];
};

TAILQ_HEAD(requests, request);

struct ld_http2_client {
	nghttp2_session *session;
	char *authority, *path, *media_type;
	size_t body_max;
	struct requests open, ended;
	struct request *told; /* that ld_http2_client_next() gave out */
	unsigned count;       /* of the open ones */
	bool is_ending;
};

static void
request_free(struct request *request)
{
	if (request == NULL)
		return;
	ld_buffer_free(&request->response);
	free(request);
}

/* ---- What nghttp2 tells ------------------------------------------------------------------- */

static int
header_came(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
	    size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *ctx)
{
	struct request *r = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	struct ld_span key = ld_span(name, name_len), text = ld_span(value, value_len);

	(void)flags;
	(void)ctx;
	if (r == NULL)
		return 0;
	if (ld_span_equal(key, LD_SPAN(":status")) && text.len == 3) {
		r->status = (text.data[0] - '0') * 100u + (text.data[1] - '0') * 10u +
			    (text.data[2] - '0');
	} else if (ld_span_equal(key, LD_SPAN("content-type"))) {
		text = ld_span_trim(ld_span_first(text, ld_span_find(text, ';')));
		r->is_media =
			text.len == strlen(r->client->media_type) &&
			strncasecmp((const char *)text.data, r->client->media_type, text.len) == 0;
	}
	return 0;
}

static int
data_came(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t len,
	  void *ctx)
{
	struct request *r = nghttp2_session_get_stream_user_data(session, stream);

	(void)flags;
	(void)ctx;
	if (r == NULL || r->too_long)
		return 0;
	ld_buffer_bytes(&r->response, ld_span(data, len));
	if (r->response.failed) {
		r->too_long = true;
		nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
	}
	return 0;
}

static int
frame_came(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct ld_http2_client *client = ctx;
	struct request *r;

	if (frame->hd.type == NGHTTP2_GOAWAY)
		client->is_ending = true;
	if ((frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
	    (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
		r = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
		if (r != NULL)
			r->whole = true;
	}
	return 0;
}

static int
stream_ended(nghttp2_session *session, int32_t stream, uint32_t error, void *ctx)
{
	struct ld_http2_client *client = ctx;
	struct request *r = nghttp2_session_get_stream_user_data(session, stream);

	if (r == NULL)
		return 0;
	r->untouched = error == NGHTTP2_REFUSED_STREAM;
	nghttp2_session_set_stream_user_data(session, stream, NULL);
	TAILQ_REMOVE(&client->open, r, link);
	client->count--;
	TAILQ_INSERT_TAIL(&client->ended, r, link);
	return 0;
}

static ssize_t
body_wanted(nghttp2_session *session, int32_t stream, uint8_t *out, size_t size, uint32_t *flags,
	    nghttp2_data_source *source, void *ctx)
{
	/* Not source->ptr: a request that was cancelled is gone before its frames are. */
	struct request *r = nghttp2_session_get_stream_user_data(session, stream);
	size_t n;

	(void)source;
	(void)ctx;
	if (r == NULL)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	n = r->body_len - r->body_at < size ? r->body_len - r->body_at : size;
	memcpy(out, r->body + r->body_at, n);
	r->body_at += n;
	if (r->body_at == r->body_len)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

/* ---- The session -------------------------------------------------------------------------- */

static bool
session_new(struct ld_http2_client *client)
{
	static const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, 16384},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 65535},
	};
	nghttp2_session_callbacks *callbacks;
	int err;

	if (nghttp2_session_callbacks_new(&callbacks) != 0)
		return false;
	nghttp2_session_callbacks_set_on_header_callback(callbacks, header_came);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, data_came);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frame_came);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, stream_ended);
	err = nghttp2_session_client_new(&client->session, callbacks, client);
	nghttp2_session_callbacks_del(callbacks);
	return err == 0 && nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, settings,
						   sizeof settings / sizeof settings[0]) == 0;
}

struct ld_http2_client *
ld_http2_client_new(const struct ld_http2_client_config *config)
{
	struct ld_http2_client *client = calloc(1, sizeof *client);

	if (client == NULL)
		return NULL;
	TAILQ_INIT(&client->open);
	TAILQ_INIT(&client->ended);
	client->authority = strdup(config->authority);
	client->path = strdup(config->path);
	client->media_type = strdup(config->media_type);
	client->body_max = config->body_max;
	if (client->authority == NULL || client->path == NULL || client->media_type == NULL ||
	    !session_new(client)) {
		ld_http2_client_free(client);
		return NULL;
	}
	return client;
}

void
ld_http2_client_free(struct ld_http2_client *client)
{
	struct request *r;

	if (client == NULL)
		return;
	nghttp2_session_del(client->session);
	while ((r = TAILQ_FIRST(&client->open)) != NULL) {
		TAILQ_REMOVE(&client->open, r, link);
		request_free(r);
	}
	while ((r = TAILQ_FIRST(&client->ended)) != NULL) {
		TAILQ_REMOVE(&client->ended, r, link);
		request_free(r);
	}
	request_free(client->told);
	free(client->authority);
	free(client->path);
	free(client->media_type);
	free(client);
}

/* ---- Requests ----------------------------------------------------------------------------- */

static nghttp2_nv
header(const char *name, const char *value)
{
	/* nghttp2 copies both, and writes to neither. */
	return (nghttp2_nv){
		.name = (uint8_t *)(uintptr_t)name,
		.value = (uint8_t *)(uintptr_t)value,
		.namelen = strlen(name),
		.valuelen = strlen(value),
		.flags = NGHTTP2_NV_FLAG_NONE,
	};
}

static int32_t
request_submit(struct ld_http2_client *client, struct request *r)
{
	nghttp2_data_provider provider = {.read_callback = body_wanted};
	char length[16];

	snprintf(length, sizeof length, "%zu", r->body_len);
	const nghttp2_nv headers[] = {
		header(":method", "POST"),
		header(":scheme", "https"),
		header(":authority", client->authority),
		header(":path", client->path),
		header("accept", client->media_type),
		header("content-type", client->media_type),
		header("content-length", length),
	};
	return nghttp2_submit_request(client->session, NULL, headers,
				      sizeof headers / sizeof headers[0], &provider, r);
}

int32_t
ld_http2_client_post(struct ld_http2_client *client, struct ld_span body)
{
	uint32_t granted = nghttp2_session_get_remote_settings(
		client->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
	struct request *r;
	int32_t id;

	LD_ASSERT(body.len <= LD_HTTP2_BODY_MAX_BYTES);
	if (client->is_ending || nghttp2_session_check_request_allowed(client->session) == 0)
		return LINDUNG_ENET;
	if (client->count >= LD_HTTP2_REQUESTS_MAX || client->count >= granted)
		return LINDUNG_ELIMIT;
	r = calloc(1, sizeof *r);
	if (r == NULL)
		return LINDUNG_ENOMEM;
	r->client = client;
	ld_buffer_init(&r->response, client->body_max);
	memcpy(r->body, body.data, body.len);
	r->body_len = body.len;
	id = request_submit(client, r);
	if (id <= 0) {
		request_free(r);
		return id == NGHTTP2_ERR_NOMEM ? LINDUNG_ENOMEM : LINDUNG_ENET;
	}
	r->id = id;
	TAILQ_INSERT_TAIL(&client->open, r, link);
	client->count++;
	return id;
}

void
ld_http2_client_cancel(struct ld_http2_client *client, int32_t request)
{
	struct request *r;

	TAILQ_FOREACH(r, &client->open, link)
	{
		if (r->id != request)
			continue;
		/* Not yet sent, nghttp2 takes it back; else the server is told. */
		nghttp2_session_set_stream_user_data(client->session, request, NULL);
		nghttp2_submit_rst_stream(client->session, NGHTTP2_FLAG_NONE, request,
					  NGHTTP2_CANCEL);
		TAILQ_REMOVE(&client->open, r, link);
		client->count--;
		request_free(r);
		return;
	}
	TAILQ_FOREACH(r, &client->ended, link)
	{
		if (r->id != request)
			continue;
		TAILQ_REMOVE(&client->ended, r, link);
		request_free(r);
		return;
	}
}

/* ---- Octets ------------------------------------------------------------------------------- */

int
ld_http2_client_receive(struct ld_http2_client *client, struct ld_span octets)
{
	ssize_t n = nghttp2_session_mem_recv(client->session, octets.data, octets.len);

	if (n < 0 || (size_t)n != octets.len)
		return LINDUNG_EMALFORMED;
	/* The session wants neither to read nor to write: it is over. */
	if (nghttp2_session_want_read(client->session) == 0)
		client->is_ending = true;
	return LINDUNG_OK;
}

struct ld_span
ld_http2_client_output(struct ld_http2_client *client)
{
	const uint8_t *data;
	ssize_t n = nghttp2_session_mem_send(client->session, &data);

	return n > 0 ? ld_span(data, (size_t)n) : ld_span(NULL, 0);
}

bool
ld_http2_client_next(struct ld_http2_client *client, struct ld_http2_response *ret)
{
	struct request *r = TAILQ_FIRST(&client->ended);

	request_free(client->told);
	client->told = r;
	if (r == NULL)
		return false;
	TAILQ_REMOVE(&client->ended, r, link);
	*ret = (struct ld_http2_response){
		.request = r->id,
		.status = r->whole && !r->too_long ? r->status : 0,
		.untouched = r->untouched,
		.is_media = r->is_media,
		.body = r->response.data,
		.body_len = r->response.len,
	};
	return true;
}

bool
ld_http2_client_is_ending(const struct ld_http2_client *client)
{
	return client->is_ending;
}
