/* A small HTTP/1.1 server for a local port: GET and HEAD of a few fixed pages.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One request a connection; whatever else it brings is not looked at.  Limits: LD_HTTP_VISITORS_MAX
 * connections (past it the oldest makes room), LD_HTTP_REQUEST_MAX_BYTES of a request,
 * LD_HTTP_LIFETIME_MS from the connection to its end, however octets trickle.  Its loop's thread
 * alone. */
#ifndef LD_NET_HTTP_H
#define LD_NET_HTTP_H

#include "base/bytes.h"
#include "base/error.h"

struct event_base;
struct ld_http;

enum {
	LD_HTTP_VISITORS_MAX = 16,
	LD_HTTP_REQUEST_MAX_BYTES = 4096,
	LD_HTTP_LIFETIME_MS = 5000,
};

/** Write the page at `path` (without the query) into `body` and set its type.  Returns the HTTP
 * status: 200, 404 ... */
typedef int ld_http_page(void *ctx, const char *path, struct ld_buffer *body,
			 const char **ret_type);

/** Serve connections to `listener`, which is the server's to close from here on, whatever the
 * outcome.  Errors: LINDUNG_ENOMEM. */
int ld_http_open(struct ld_http **ret, struct event_base *loop, int listener, ld_http_page *page,
		 void *ctx);
/** NULL is a no-op. */
void ld_http_close(struct ld_http *http);

#endif
