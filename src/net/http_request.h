/* Inside src/net: what a request of RFC 8484 asks, from its path.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_NET_HTTP_REQUEST_H
#define LD_NET_HTTP_REQUEST_H

#include "base/bytes.h"

enum {
	LD_HTTP_PATH_MAX = 8192, /* octets; who asks more posts it */
	LD_HTTP_TOKEN_MAX = 64,
};

/** Read "/dns-query", "/dns-query/TOKEN", each with "?dns=" and a message in base64url without
 * padding or without; other parameters are passed over.  A token is of letters, digits, '-' and
 * '_'.  The message goes behind `message`, the token is a part of `path`.
 * Returns the HTTP status: 200; 400 for a message that is none (also if it is asked by POST, where
 * it does not matter), 404, 414. */
int ld_http_path_read(struct ld_span path, struct ld_span *ret_token, struct ld_buffer *message);

/** Whether a content type is application/dns-message; parameters do not matter. */
bool ld_http_type_is_dns(struct ld_span type);

#endif
