/* A connection that begins with a PROXY header (net/proxy.h): the header is read, and then it is
 * the stream that the client has spoken of behind it, in the clear or in TLS.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Not an octet behind the header is read with it.  Until it is whole the stream is greeting. */
#ifndef LD_NET_PROXY_STREAM_H
#define LD_NET_PROXY_STREAM_H

#include "net/address.h"
#include "net/stream.h"

/** The header is there: who the client is, NULL for the proxy itself.  Gives the stream that goes
 * on from here, which is freed with this one; NULL to refuse it. */
typedef struct ld_stream *ld_proxy_met(void *ctx, const struct ld_address *client);

/** NULL without memory. */
struct ld_stream *ld_stream_proxied(int fd, ld_proxy_met *met, void *ctx);

#endif
