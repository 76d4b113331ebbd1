/* Inside src/upstream: a UDP socket for one question.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Connected, so that only the server's own address and port get through, and bound to a port chosen
 * by chance: whoever forges an answer must guess it (RFC 5452 section 9.2). */
#ifndef LD_UPSTREAM_FORWARD_UDP_H
#define LD_UPSTREAM_FORWARD_UDP_H

#include "net/address.h"

/** -1 with `errno`. */
int ld_forward_udp_open(const struct ld_address *server);

#endif
