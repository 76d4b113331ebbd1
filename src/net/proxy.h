/* The PROXY protocol, version 2 (HAProxy's proxy-protocol.txt): who stands behind a proxy, said in
 * front of what he sends, once for a connection, or in each datagram.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Believe it only from a proxy that is trusted, and there want it: nothing is guessed.  Version 1,
 * which is text, is refused, and so is a client that has no address of IPv4 or IPv6: what is
 * allowed to whom could not be decided.  What else a proxy tells (TLVs) is stepped over, if it is
 * well formed.  Limit: LD_PROXY_MAX_BYTES for the whole header. */
#ifndef LD_NET_PROXY_H
#define LD_NET_PROXY_H

#include <stdbool.h>

#include "base/span.h"
#include "net/address.h"

enum {
	LD_PROXY_START_BYTES = 16, /* from so many it is known how long the header is */
	LD_PROXY_MAX_BYTES = 2048,
};

enum ld_proxy_step {
	LD_PROXY_MORE, /* well so far, and not yet whole */
	LD_PROXY_BAD,
	LD_PROXY_TAKEN,
};

struct ld_proxy {
	/* Octets of the header; what the client sends is behind.  With LD_PROXY_MORE how many are
	 * needed to go on. */
	size_t len;
	bool local;             /* the proxy speaks for itself: the connection says who it is */
	struct ld_address from; /* the client, unless local */
};

enum ld_proxy_step ld_proxy_read(struct ld_proxy *ret, struct ld_span bytes);

#endif
