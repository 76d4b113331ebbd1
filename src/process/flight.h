/* Questions in flight: the same question is asked upstream once, however many clients wait for it.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One table a thread.  Limits: LD_FLIGHTS_MAX questions, LD_WAITERS_MAX clients. */
#ifndef LD_PROCESS_FLIGHT_H
#define LD_PROCESS_FLIGHT_H

#include <sys/queue.h>

#include "net/tcp.h"
#include "net/udp.h"
#include "resolver/resolver.h"

enum {
	LD_FLIGHTS_MAX = 4096,
	LD_WAITERS_MAX = 16384,
};

struct ld_endpoint;

/** Where an answer goes: plain data. */
struct ld_client {
	struct ld_endpoint *endpoint; /* the socket it asked at */
	union {                       /* as ld_ask.from says */
		struct ld_udp_peer udp;
		struct ld_tcp_ref tcp;
	};
};

struct ld_waiter {
	STAILQ_ENTRY(ld_waiter) link;
	struct ld_ask ask;
	struct ld_client client;
};

struct ld_flight {
	LIST_ENTRY(ld_flight) link;
	STAILQ_HEAD(, ld_waiter) waiters; /* the first asked first */
	uint64_t hash;
	void *owner; /* whose table it is in */
};

struct ld_flights;

/** NULL without memory. */
struct ld_flights *ld_flights_new(void *owner);
/** Frees what is in flight, too.  NULL is a no-op. */
void ld_flights_free(struct ld_flights *flights);

enum ld_join {
	LD_JOIN_NEW,   /* nobody asked this yet: ask upstream, for *ret_flight */
	LD_JOIN_WAITS, /* it is being asked: the client will be told with the others */
	LD_JOIN_FULL,  /* too much in flight, or no memory: nothing was kept */
};

/** Let a client wait for the answer to `ask`. */
enum ld_join ld_flights_join(struct ld_flights *flights, const struct ld_ask *ask,
			     const struct ld_client *client, struct ld_flight **ret_flight);

/** Take the flight out of the table: it is over, and whoever asks this now asks anew. */
void ld_flights_land(struct ld_flights *flights, struct ld_flight *flight);
/** Free a flight that has landed, with its waiters. */
void ld_flight_free(struct ld_flights *flights, struct ld_flight *flight);

/** Questions in flight now. */
unsigned ld_flights_count(const struct ld_flights *flights);

#endif
