/* DNS messages over HTTP/2 (RFC 8484, RFC 9113), on nghttp2: octets in, octets out.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Limits of one connection, beside those in tcp.h:
 *
 *   streams       at a time: host.streams_max
 *   header        HEADER_MAX octets of a request, else 431; of its path LD_HTTP_PATH_MAX, else 414
 *   body          LD_SPEECH_MESSAGE_MAX octets, else 413
 *   held          octets of all requests and answers that are not done with: past HELD_REFUSE new
 *                 requests are refused; an answer that would lead past HELD_MAX goes nowhere, and
 *                 its request is refused, too; with octets of requests past it the connection ends
 *   resets        requests that end before they are answered: RESETS_MAX at once, and RESETS_PER_S
 *                 each second; past it the connection ends with ENHANCE_YOUR_CALM
 *   noise         frames since the last request: NOISE_MAX, then the same
 *   acknowledgements (SETTINGS, PING) that wait to be sent: ACKS_MAX, then the same */
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include <nghttp2/nghttp2.h>

#include "base/error.h"
#include "net/http_request.h"
#include "net/speech.h"

enum {
	HEADER_MAX = 16384,
	HELD_REFUSE = 128 * 1024,
	HELD_MAX = 512 * 1024,
	RESETS_MAX = 100,
	RESETS_PER_S = 10,
	NOISE_MAX = 1000,
	ACKS_MAX = 100,
	SPARE_MAX = 4096,              /* octets of memory kept for the next message */
	SETTINGS_MAX = 32,             /* in one frame */
	FRAME_ROOM = 16384 + 9 + 1024, /* nghttp2 makes none that is larger */
	FIELD_COST = 32,               /* of a header field beside its octets (RFC 9113) */
};

enum status {
	STATUS_NONE = 0,
	STATUS_OK = 200,
	STATUS_BAD_REQUEST = 400,
	STATUS_METHOD_NOT_ALLOWED = 405,
	STATUS_CONTENT_TOO_LARGE = 413,
	STATUS_UNSUPPORTED_TYPE = 415,
	STATUS_HEADER_TOO_LARGE = 431,
};

enum method { METHOD_OTHER, METHOD_GET, METHOD_POST };

struct stream {
	LIST_ENTRY(stream) link;
	int32_t id;
	enum method method;
	int path_status;
	unsigned header_octets;
	bool type_is_dns;
	bool responded; /* an answer was submitted */
	bool sent;      /* all of it */
	bool refused;   /* by us: no fault of the peer */
	uint8_t token_len;
	uint8_t token[LD_HTTP_TOKEN_MAX];
	struct ld_buffer data; /* the message, and later the answer */
	size_t data_at;        /* of the answer: sent */
};

struct http2 {
	struct ld_speech_host host;
	nghttp2_session *session;
	LIST_HEAD(, stream) streams;
	struct ld_buffer spare; /* memory of a message that was handed out */
	size_t held;
	int64_t now_ms;
	int64_t resets_ms; /* `resets` is as of then */
	unsigned resets;
	unsigned noise;
	bool calmed;
	bool goes; /* the peer said good-bye */
};

/* ---- Going too far ------------------------------------------------------------------------ */

static void
calm(struct http2 *h)
{
	if (h->calmed)
		return;
	h->calmed = true;
	h->host.calmed(h->host.ctx);
	(void)nghttp2_session_terminate_session(h->session, NGHTTP2_ENHANCE_YOUR_CALM);
}

/* A request was taken back, or was not one: work for nothing.  A bucket that leaks. */
static void
reset_count(struct http2 *h)
{
	int64_t forgiven = (h->now_ms - h->resets_ms) * RESETS_PER_S / 1000;

	if (forgiven > 0) {
		h->resets = forgiven < h->resets ? h->resets - (unsigned)forgiven : 0;
		h->resets_ms = h->now_ms;
	}
	if (++h->resets > RESETS_MAX)
		calm(h);
}

/* ---- Streams ------------------------------------------------------------------------------ */

static struct stream *
stream_find(struct http2 *h, int32_t id)
{
	return nghttp2_session_get_stream_user_data(h->session, id);
}

static struct stream *
stream_new(struct http2 *h, int32_t id)
{
	struct stream *s = calloc(1, sizeof *s);

	if (s == NULL || nghttp2_session_set_stream_user_data(h->session, id, s) != 0) {
		free(s);
		return NULL;
	}
	s->id = id;
	s->data = h->spare;
	ld_buffer_init(&h->spare, LD_SPEECH_MESSAGE_MAX);
	LIST_INSERT_HEAD(&h->streams, s, link);
	return s;
}

static void
stream_free(struct http2 *h, struct stream *s)
{
	LIST_REMOVE(s, link);
	h->held -= s->data.len;
	ld_buffer_free(&s->data);
	free(s);
}

/* Append to what the stream holds: false if that is too much, or there is no memory. */
static bool
data_add(struct http2 *h, struct stream *s, struct ld_span octets)
{
	ld_buffer_bytes(&s->data, octets);
	if (s->data.failed)
		return false;
	h->held += octets.len;
	return true;
}

/* ---- Answers ------------------------------------------------------------------------------ */

#define FIELD(name, value)                                                                         \
	{                                                                                          \
		(uint8_t *)(uintptr_t)(name), (uint8_t *)(uintptr_t)(value), sizeof(name) - 1,     \
			sizeof(value) - 1,                                                         \
			NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE               \
	}

/* A field whose value is copied. */
static nghttp2_nv
field_text(const char *name, const char *value)
{
	return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
			    strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static ssize_t
data_read(nghttp2_session *session, int32_t id, uint8_t *out, size_t len, uint32_t *ret_flags,
	  nghttp2_data_source *source, void *ctx)
{
	struct stream *s = source->ptr;
	size_t left = s->data.len - s->data_at;

	(void)session;
	(void)id;
	(void)ctx;
	if (len > left)
		len = left;
	if (len != 0)
		memcpy(out, s->data.data + s->data_at, len);
	s->data_at += len;
	if (s->data_at == s->data.len)
		*ret_flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)len;
}

static void
respond_message(struct http2 *h, struct stream *s, uint32_t lifetime_s)
{
	char length[16] = "", lifetime[32] = "";
	nghttp2_data_provider body = {.source.ptr = s, .read_callback = data_read};
	nghttp2_nv fields[] = {
		FIELD(":status", "200"),
		FIELD("content-type", "application/dns-message"),
		field_text("content-length", length),
		field_text("cache-control", lifetime),
	};

	snprintf(length, sizeof length, "%zu", s->data.len);
	snprintf(lifetime, sizeof lifetime, "max-age=%u", lifetime_s);
	fields[2].valuelen = strlen(length);
	fields[3].valuelen = strlen(lifetime);
	s->responded = true;
	(void)nghttp2_submit_response(h->session, s->id, fields, 4, &body);
}

static void
respond_status(struct http2 *h, struct stream *s, int status)
{
	char text[16] = "";
	nghttp2_nv fields[] = {
		field_text(":status", text),
		FIELD("content-length", "0"),
		FIELD("cache-control", "no-store"),
		FIELD("allow", "GET, POST"),
	};

	if (s->responded)
		return;
	snprintf(text, sizeof text, "%d", status);
	fields[0].valuelen = strlen(text);
	s->responded = true;
	(void)nghttp2_submit_response(h->session, s->id, fields,
				      status == STATUS_METHOD_NOT_ALLOWED ? 4 : 3, NULL);
}

/* The peer may ask again (RFC 9113 section 8.7: nothing was done that could not be done twice). */
static void
stream_refuse(struct http2 *h, struct stream *s)
{
	s->refused = true;
	(void)nghttp2_submit_rst_stream(h->session, NGHTTP2_FLAG_NONE, s->id,
					NGHTTP2_REFUSED_STREAM);
}

static bool
http2_answer(void *speech, uint32_t stream, struct ld_span message, uint32_t lifetime_s,
	     struct ld_buffer *out)
{
	struct http2 *h = speech;
	struct stream *s = stream_find(h, (int32_t)stream);

	(void)out;
	if (s == NULL) /* taken back in the meantime */
		return true;
	if (h->held + message.len > HELD_MAX) {
		stream_refuse(h, s);
		return true;
	}
	if (!data_add(h, s, message))
		return false;
	respond_message(h, s, lifetime_s);
	return true;
}

static bool
http2_drop(void *speech, uint32_t stream)
{
	struct http2 *h = speech;
	struct stream *s = stream_find(h, (int32_t)stream);

	/* What is not answered was no query. */
	if (s != NULL)
		respond_status(h, s, STATUS_BAD_REQUEST);
	return true;
}

/* ---- Requests ----------------------------------------------------------------------------- */

static int
request_status(const struct stream *s)
{
	if (s->header_octets > HEADER_MAX)
		return STATUS_HEADER_TOO_LARGE;
	if (s->method == METHOD_OTHER)
		return STATUS_METHOD_NOT_ALLOWED;
	/* A bad message in the path of a POST does not matter. */
	if (s->path_status != STATUS_OK &&
	    (s->path_status != STATUS_BAD_REQUEST || s->method == METHOD_GET))
		return s->path_status;
	if (s->method == METHOD_POST && !s->type_is_dns)
		return STATUS_UNSUPPORTED_TYPE;
	return s->data.len == 0 ? STATUS_BAD_REQUEST : STATUS_OK;
}

static void
request_whole(struct http2 *h, struct stream *s)
{
	struct ld_buffer message = s->data;
	int status = request_status(s);

	if (s->responded) /* before it was whole */
		return;
	h->noise = 0;
	if (status != STATUS_OK) {
		respond_status(h, s, status);
		return;
	}
	if (h->held > HELD_REFUSE) {
		stream_refuse(h, s);
		return;
	}
	/* The answer may come in this call: it has memory of its own. */
	h->held -= message.len;
	s->data = h->spare;
	ld_buffer_init(&h->spare, LD_SPEECH_MESSAGE_MAX);
	h->host.message(h->host.ctx, (uint32_t)s->id, ld_buffer_span(&message),
			ld_span(s->token, s->token_len));
	message.len = 0;
	if (message.size <= SPARE_MAX)
		h->spare = message;
	else
		ld_buffer_free(&message);
}

static void
path_take(struct http2 *h, struct stream *s, struct ld_span path)
{
	struct ld_span token;

	s->path_status = ld_http_path_read(path, &token, &s->data);
	if (token.len != 0)
		memcpy(s->token, token.data, token.len);
	s->token_len = (uint8_t)token.len;
	if (s->path_status != STATUS_OK)
		s->data.len = 0;
	s->data.failed = false;
	h->held += s->data.len;
}

static void
method_take(struct stream *s, struct ld_span method)
{
	if (ld_span_equal(method, LD_SPAN("GET")))
		s->method = METHOD_GET;
	else if (ld_span_equal(method, LD_SPAN("POST")))
		s->method = METHOD_POST;
}

/* ---- What nghttp2 tells us ---------------------------------------------------------------- */

static int
on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *frame, void *ctx)
{
	struct http2 *h = ctx;

	(void)session;
	(void)frame;
	if (++h->noise > NOISE_MAX)
		calm(h);
	return 0;
}

static int
on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	(void)session;
	if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	return stream_new(ctx, frame->hd.stream_id) != NULL ? 0
							    : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int
on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
	  size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *ctx)
{
	struct ld_span field = ld_span(name, name_len), text = ld_span(value, value_len);
	struct stream *s = stream_find(ctx, frame->hd.stream_id);

	(void)session;
	(void)flags;
	if (s == NULL || frame->hd.type != NGHTTP2_HEADERS ||
	    frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	if (s->header_octets > HEADER_MAX)
		return 0;
	s->header_octets += (unsigned)(name_len + value_len + FIELD_COST);
	if (ld_span_equal(field, LD_SPAN(":path")))
		path_take(ctx, s, text);
	else if (ld_span_equal(field, LD_SPAN(":method")))
		method_take(s, text);
	else if (ld_span_equal(field, LD_SPAN("content-type")))
		s->type_is_dns = ld_http_type_is_dns(text);
	return 0;
}

static int
on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t len,
	void *ctx)
{
	struct http2 *h = ctx;
	struct stream *s = stream_find(h, id);

	(void)session;
	(void)flags;
	if (s == NULL || s->responded)
		return 0;
	if (s->method != METHOD_POST)
		respond_status(h, s,
			       s->method == METHOD_GET ? STATUS_BAD_REQUEST
						       : STATUS_METHOD_NOT_ALLOWED);
	else if (!data_add(h, s, ld_span(data, len)) || h->held > HELD_MAX)
		respond_status(h, s, STATUS_CONTENT_TOO_LARGE);
	return 0;
}

static int
on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct http2 *h = ctx;
	struct stream *s;

	(void)session;
	if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code == NGHTTP2_NO_ERROR)
		h->goes = true;
	if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
		return 0;
	s = stream_find(h, frame->hd.stream_id);
	if (s == NULL)
		return 0;
	/* What came with the path is for GET alone. */
	if (frame->hd.type == NGHTTP2_HEADERS && s->method != METHOD_GET &&
	    frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
		h->held -= s->data.len;
		s->data.len = 0;
	}
	if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
		request_whole(h, s);
	return 0;
}

/* Who was answered before all was said need not say the rest. */
static int
on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct stream *s = stream_find(ctx, frame->hd.stream_id);

	if (s == NULL || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
		return 0;
	s->sent = true;
	if (nghttp2_session_get_stream_remote_close(session, s->id) == 0)
		(void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, s->id,
						NGHTTP2_NO_ERROR);
	return 0;
}

static int
on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *ctx)
{
	struct http2 *h = ctx;
	struct stream *s = stream_find(h, id);

	(void)session;
	(void)error;
	if (s == NULL)
		return 0;
	if (s->sent)
		h->host.done(h->host.ctx);
	else if (!s->refused)
		reset_count(h);
	stream_free(h, s);
	return 0;
}

/* ---- The speech --------------------------------------------------------------------------- */

static bool
take(struct http2 *h, struct ld_span octets)
{
	ssize_t taken = nghttp2_session_mem_recv(h->session, octets.data, octets.len);

	if (taken == NGHTTP2_ERR_FLOODED)
		calm(h);
	return taken >= 0 && !h->calmed;
}

static bool
http2_take(void *speech, struct ld_span octets, int64_t now_ms)
{
	struct http2 *h = speech;

	h->now_ms = now_ms;
	return octets.len == 0 ? !h->calmed : take(h, octets);
}

static bool
http2_give(void *speech, struct ld_buffer *out, bool *ret_more)
{
	struct http2 *h = speech;

	*ret_more = false;
	for (;;) {
		const uint8_t *data;
		ssize_t len;

		if (out->limit - out->len < FRAME_ROOM || out->len > out->limit / 2) {
			*ret_more = nghttp2_session_want_write(h->session) != 0;
			return true;
		}
		len = nghttp2_session_mem_send(h->session, &data);
		if (len < 0)
			return false;
		if (len == 0)
			break;
		ld_buffer_bytes(out, ld_span(data, (size_t)len));
	}
	if (nghttp2_session_want_read(h->session) != 0 ||
	    nghttp2_session_want_write(h->session) != 0)
		return true;
	if (h->goes)
		h->host.ended(h->host.ctx);
	return h->goes;
}

static void
http2_leave(void *speech)
{
	struct http2 *h = speech;

	(void)nghttp2_session_terminate_session(h->session, NGHTTP2_NO_ERROR);
}

static void
http2_free(void *speech)
{
	struct http2 *h = speech;
	struct stream *s;

	while ((s = LIST_FIRST(&h->streams)) != NULL)
		stream_free(h, s);
	nghttp2_session_del(h->session);
	ld_buffer_free(&h->spare);
	free(h);
}

static nghttp2_session *
session_new(struct http2 *h)
{
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_session *session = NULL;
	nghttp2_option *option = NULL;

	if (nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0) {
		nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
		nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks,
									on_begin_headers);
		nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
		nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
		nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
		nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
		nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
		nghttp2_option_set_no_closed_streams(option, 1);
		nghttp2_option_set_max_settings(option, SETTINGS_MAX);
		nghttp2_option_set_max_outbound_ack(option, ACKS_MAX);
		if (nghttp2_session_server_new2(&session, callbacks, h, option) != 0)
			session = NULL;
	}
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_option_del(option);
	return session;
}

static void *
http2_new(const struct ld_speech_host *host)
{
	const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, host->streams_max},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HEADER_MAX},
	};
	struct http2 *h = calloc(1, sizeof *h);

	if (h == NULL)
		return NULL;
	h->host = *host;
	LIST_INIT(&h->streams);
	ld_buffer_init(&h->spare, LD_SPEECH_MESSAGE_MAX);
	h->session = session_new(h);
	if (h->session == NULL ||
	    nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings, 2) != 0) {
		http2_free(h);
		return NULL;
	}
	return h;
}

const struct ld_speech_ops ld_speech_http2 = {http2_new,  http2_take,  http2_give, http2_answer,
					      http2_drop, http2_leave, http2_free};
