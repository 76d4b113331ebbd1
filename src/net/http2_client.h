/* HTTP/2 as a client, in memory: POST requests with a small body to one resource, many at a time.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Octets of the connection go in and come out; there are no sockets here.  On nghttp2, which holds
 * a server to RFC 9113 (frames, floods of settings and pings, header blocks of at most 64 KB).
 * Nothing that tells one client from another is sent: no user agent, no cookies.
 * Limits: as many requests at a time as the server grants, LD_HTTP2_REQUESTS_MAX at most; body_max
 * octets of a response; nothing is pushed.  One thread. */
#ifndef LD_NET_HTTP2_CLIENT_H
#define LD_NET_HTTP2_CLIENT_H

#include "base/error.h"
#include "base/span.h"

struct ld_http2_client;

enum { LD_HTTP2_REQUESTS_MAX = 256, LD_HTTP2_BODY_MAX_BYTES = 1024 };

struct ld_http2_client_config {
	/* All terminated, and copied. */
	const char *authority;
	const char *path;
	const char *media_type; /* of the body out, and of the response */
	size_t body_max;        /* of a response */
};

/** NULL without memory. */
struct ld_http2_client *ld_http2_client_new(const struct ld_http2_client_config *config);
/** NULL is a no-op. */
void ld_http2_client_free(struct ld_http2_client *client);

/** Send `body` (at most LD_HTTP2_BODY_MAX_BYTES, copied): the number of the request, above 0.
 * Errors: LINDUNG_ELIMIT (as many as may be at a time), LINDUNG_ENET (this connection takes no
 * more: open another), LINDUNG_ENOMEM. */
int32_t ld_http2_client_post(struct ld_http2_client *client, struct ld_span body);
/** Nobody waits for it any more. */
void ld_http2_client_cancel(struct ld_http2_client *client, int32_t request);

/** What came.  Errors: LINDUNG_EMALFORMED: close the connection. */
int ld_http2_client_receive(struct ld_http2_client *client, struct ld_span octets);
/** What to send next, valid until the next call; empty: nothing now. */
struct ld_span ld_http2_client_output(struct ld_http2_client *client);

struct ld_http2_response {
	int32_t request;
	unsigned status; /* 0: there was none; ask again elsewhere */
	bool untouched;  /* status 0: the server did not begin with it (RFC 9113 section 8.7) */
	bool is_media;   /* the body is of the media type */
	uint8_t *body;   /* may be written to */
	size_t body_len;
};

/** The next response of those that are whole; it is valid until the next call.  False: none. */
bool ld_http2_client_next(struct ld_http2_client *client, struct ld_http2_response *ret);

/** It takes no more requests; those under way may still end well. */
bool ld_http2_client_is_ending(const struct ld_http2_client *client);

#endif
