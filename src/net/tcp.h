/* Messages over TCP, as a server: with a length before each (RFC 1035 section 4.2.2), many on one
 * connection, answered in any order (RFC 7766), in the clear or in TLS (RFC 7858); or as HTTP/2
 * (RFC 8484).
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One `struct ld_tcp` is one listening socket on one loop; its thread's alone, but for its
 * counters.
 *
 * Limits, so that no stranger holds more than his share:
 *
 *   connections      past it the one idle longest makes room; those that are still shaking hands
 *                    have half of the places, and make room for one another
 *   of one client    past it that client's own that idles longest makes room, or it is refused
 *   handshake        from the connection to the end of the TLS handshake, and of the PROXY header
 *                    before it, however they trickle
 *   idle             without a whole message, or an answer taken
 *   in flight        messages not yet answered: reading rests
 *   output           octets not yet taken by the peer: reading rests at half of it; past it the
 *                    connection ends
 *   HTTP/2           see net/http2.c */
#ifndef LD_NET_TCP_H
#define LD_NET_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"

struct event_base;
struct ld_shares;
struct ld_tcp;
struct ld_tls;

enum ld_tcp_speech { LD_TCP_FRAMES, LD_TCP_HTTP2 };

struct ld_address;

/** Whether a connection from there is taken at all; one that is not is closed at once. */
typedef bool ld_tcp_admit(void *ctx, const struct ld_address *from);

struct ld_tcp_config {
	enum ld_tcp_speech speech;
	struct ld_tls *tls;       /* NULL: in the clear; outlives the server */
	struct ld_shares *shares; /* connections of each client; NULL: not counted */
	unsigned connections_max;
	unsigned handshake_ms;
	unsigned idle_ms;
	unsigned in_flight_max; /* of one connection; of HTTP/2 also streams at a time */
	size_t output_max;      /* octets of one connection that wait to be sent */
	ld_tcp_admit *admit;    /* called with the ctx of ld_tcp_new(); NULL: from everywhere */
	/* Each connection begins with a PROXY header, and this is asked of the client it names;
	 * NULL: none does. */
	ld_tcp_admit *admit_behind;
};

/** A message of a connection that may be gone by the time it is answered. */
struct ld_tcp_ref {
	uint32_t slot;
	uint32_t generation;
	uint32_t stream; /* of HTTP/2 */
};

/** A whole message came, with the token of its URL (HTTP/2 alone; else empty); both are valid
 * during the call.  Answer it exactly once, now or later, by ld_tcp_answer() or ld_tcp_drop(). */
typedef void ld_tcp_message(void *ctx, struct ld_tcp_ref from, struct ld_span message,
			    struct ld_span token);

/** Serve connections to `listener`, which stays the caller's and is closed after this is freed.
 * Errors: LINDUNG_ENOMEM. */
int ld_tcp_new(struct ld_tcp **ret, struct event_base *loop, int listener,
	       const struct ld_tcp_config *config, ld_tcp_message *message, void *ctx);
/** Closes all connections.  NULL is a no-op. */
void ld_tcp_free(struct ld_tcp *tcp);

/** Send an answer of at most 65535 octets, which others may keep for `lifetime_s` (said in HTTP
 * alone); nothing happens if the connection is gone. */
void ld_tcp_answer(struct ld_tcp *tcp, struct ld_tcp_ref to, struct ld_span answer,
		   uint32_t lifetime_s);
/** There will be no answer. */
void ld_tcp_drop(struct ld_tcp *tcp, struct ld_tcp_ref to);

/** Messages that answer one together. */
struct ld_tcp_source {
	/** The next message, of at most 65535 octets, valid until the next call; empty behind the
	 * last.  On an error the connection is closed. */
	int (*next)(void *ctx, struct ld_span *ret);
	/** Called once, whatever the end. */
	void (*free)(void *ctx);
	void *ctx;
};

/** Answer with all messages of the source, each made when the peer has taken those before it; until
 * then nothing is read of the connection, and a peer who takes none of them in the idle time is
 * sent away.  Not for HTTP/2.  The source is ours from here on. */
void ld_tcp_stream(struct ld_tcp *tcp, struct ld_tcp_ref to, const struct ld_tcp_source *source);

/** Where the connection comes from; NULL if it is gone. */
const struct ld_address *ld_tcp_peer(struct ld_tcp *tcp, struct ld_tcp_ref ref);

/** Connections now open; from any thread. */
unsigned ld_tcp_count(const struct ld_tcp *tcp);

/* Counters: X(symbol, metric name, help).  Each is a total since the start. */
#define LD_TCP_COUNTERS(X)                                                                         \
	X(ACCEPTED, "lindung_connections_accepted_total", "Connections taken.")                    \
	X(REFUSED, "lindung_connections_refused_total",                                            \
	  "Connections closed at once, as all places, or those of their client, were busy.")       \
	X(EVICTED, "lindung_connections_evicted_total",                                            \
	  "Idle connections closed to make room for others.")                                      \
	X(EXPIRED, "lindung_connections_expired_total",                                            \
	  "Connections closed because nothing happened on them.")                                  \
	X(BROKEN, "lindung_connections_broken_total",                                              \
	  "Connections closed because the peer broke a rule, a limit, or the line.")               \
	X(HANDSHAKE_FAILED, "lindung_handshakes_failed_total",                                     \
	  "TLS handshakes and PROXY headers that failed, or took too long.")                       \
	X(RESUMED, "lindung_handshakes_resumed_total", "TLS handshakes that resumed a session.")   \
	X(CALMED, "lindung_http2_calmed_total",                                                    \
	  "Connections closed for too many resets, or frames that ask nothing.")

enum ld_tcp_counter {
#define LD_X(symbol, metric, help) LD_TCP_##symbol,
	LD_TCP_COUNTERS(LD_X)
#undef LD_X
		LD_TCP_COUNTER_COUNT
};

/** Read a counter, from any thread. */
uint64_t ld_tcp_counter(const struct ld_tcp *tcp, enum ld_tcp_counter counter);

#endif
