/* TCP with frames of a 2-octet length (RFC 1035 section 4.2.2), as a server: many frames on one
 * connection, answered in any order (RFC 7766).
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One `struct ld_tcp` is one listening socket on one loop; its thread's alone.
 *
 * Limits, so that no stranger holds more than his share: connections (past it the one idle longest
 * makes room), time without a whole frame or progress in reading answers, frames not yet answered
 * (reading rests), octets not yet taken by the peer (reading rests, then the connection ends). */
#ifndef LD_NET_TCP_H
#define LD_NET_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"

struct event_base;
struct ld_tcp;

struct ld_address;

/** Whether a connection from there is taken at all; one that is not is closed at once. */
typedef bool ld_tcp_admit(void *ctx, const struct ld_address *from);

struct ld_tcp_config {
	unsigned connections_max;
	unsigned idle_ms;
	unsigned in_flight_max; /* of one connection */
	size_t output_max;      /* octets of one connection that wait to be sent */
	ld_tcp_admit *admit;    /* called with the ctx of ld_tcp_new(); NULL: from everywhere */
};

/** A connection that may be gone by the time it is answered. */
struct ld_tcp_ref {
	uint32_t slot;
	uint32_t generation;
};

/** A whole frame came; it is valid during the call.  Answer it exactly once, now or later, by
 * ld_tcp_answer() or ld_tcp_drop(). */
typedef void ld_tcp_frame(void *ctx, struct ld_tcp_ref from, struct ld_span frame);

/** Serve connections to `listener`, which stays the caller's and is closed after this is freed.
 * Errors: LINDUNG_ENOMEM. */
int ld_tcp_new(struct ld_tcp **ret, struct event_base *loop, int listener,
	       const struct ld_tcp_config *config, ld_tcp_frame *frame, void *ctx);
/** Closes all connections.  NULL is a no-op. */
void ld_tcp_free(struct ld_tcp *tcp);

/** Send a frame of at most 65535 octets; nothing happens if the connection is gone. */
void ld_tcp_answer(struct ld_tcp *tcp, struct ld_tcp_ref to, struct ld_span frame);
/** There will be no answer. */
void ld_tcp_drop(struct ld_tcp *tcp, struct ld_tcp_ref to);

/** Where the connection comes from; NULL if it is gone. */
const struct ld_address *ld_tcp_peer(struct ld_tcp *tcp, struct ld_tcp_ref ref);

/** Connections now open. */
unsigned ld_tcp_count(const struct ld_tcp *tcp);

#endif
