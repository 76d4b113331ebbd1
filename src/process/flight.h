/* Questions in flight: the same question is asked upstream once, however many clients wait for it.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One table a thread.  A client is one IPv4 address, or 64 bits of an IPv6 one, which is what a
 * household or a server gets.  So that no client and no question takes what is there for all, each
 * has a limit of its own; nor does a client that waits get more than half of what is free, so that
 * several who take all they can leave room, too.  Over it, it is the new one that is turned away:
 * making room by dropping old ones would let one client ask upstream as much as it likes. */
#ifndef LD_PROCESS_FLIGHT_H
#define LD_PROCESS_FLIGHT_H

#include <sys/queue.h>

#include "net/tcp.h"
#include "net/udp.h"
#include "resolver/resolver.h"

enum {
	LD_FLIGHTS_MAX = 4096,          /* questions */
	LD_WAITERS_MAX = 16384,         /* queries that wait for them, of all clients */
	LD_WAITERS_CLIENT_MAX = 1024,   /* ... of one client */
	LD_WAITERS_QUESTION_MAX = 4096, /* ... for one question */
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

struct ld_requester;

struct ld_waiter {
	TAILQ_ENTRY(ld_waiter) link;
	TAILQ_ENTRY(ld_waiter) late_link; /* if `deadline_ms` is set */
	struct ld_flight *flight;
	struct ld_requester *requester; /* NULL if nobody knows who it is */
	int64_t deadline_ms;            /* when it gets a stale answer; 0: never */
	struct ld_ask ask;
	struct ld_client client;
};

struct ld_flight {
	LIST_ENTRY(ld_flight) link;
	TAILQ_HEAD(, ld_waiter) waiters; /* the first asked first; none if it is a refresh */
	unsigned waiter_count;
	bool is_late; /* somebody was given a stale answer meanwhile */
	void *owner;  /* whose table it is in */
	struct ld_ask ask;
};

struct ld_flights;

/** NULL without memory or random numbers. */
struct ld_flights *ld_flights_new(void *owner);
/** Frees what is in flight, too.  NULL is a no-op. */
void ld_flights_free(struct ld_flights *flights);

enum ld_join {
	LD_JOIN_NEW,   /* nobody asked this yet: ask upstream, for *ret_flight */
	LD_JOIN_WAITS, /* it is being asked: the client will be told with the others */
	/* Nothing was kept: */
	LD_JOIN_LATE,          /* it takes long, and there is a stale answer: give that */
	LD_JOIN_FULL_CLIENT,   /* this client waits for too much */
	LD_JOIN_FULL_QUESTION, /* too many wait for this */
	LD_JOIN_FULL,          /* too much in flight, or no memory */
};

/** Let a client wait for the answer to `ask`. */
enum ld_join ld_flights_join(struct ld_flights *flights, int64_t now_ms, const struct ld_ask *ask,
			     const struct ld_client *client, struct ld_flight **ret_flight);

/** Ask without anybody who waits: NEW, WAITS (it is being asked already) or FULL. */
enum ld_join ld_flights_refresh(struct ld_flights *flights, const struct ld_ask *ask,
				struct ld_flight **ret_flight);

/** The next client whose time for a stale answer (LD_STALE_WAIT_MS) has come, or NULL.  It waits on
 * all the same, unless it is freed. */
struct ld_waiter *ld_flights_late(struct ld_flights *flights, int64_t now_ms);
/** When that of the first one comes; INT64_MAX: none waits for that. */
int64_t ld_flights_late_ms(const struct ld_flights *flights);
/** It has its answer. */
void ld_waiter_free(struct ld_flights *flights, struct ld_waiter *waiter);

/** Take the flight out of the table: it is over, and whoever asks this now asks anew. */
void ld_flights_land(struct ld_flights *flights, struct ld_flight *flight);
/** Free a flight that has landed, with its waiters. */
void ld_flight_free(struct ld_flights *flights, struct ld_flight *flight);

/** Questions in flight now. */
unsigned ld_flights_count(const struct ld_flights *flights);

#endif
