/* A thread that answers queries: its own sockets, cache, link to the recursor; shared is the list.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The main thread makes it, starts it, rings it, gives it links, reads its counters, joins and
 * frees it; all else is the thread's own. */
#ifndef LD_PROCESS_THREAD_H
#define LD_PROCESS_THREAD_H

#include <stdatomic.h>

#include "net/tcp.h"
#include "process/access.h"
#include "process/news.h"
#include "resolver/resolver.h"
#include "upstream/upstream.h"
#include "upstream/upstream.h"

/** The list in force, as all threads see it. */
struct ld_board {
	_Atomic(const struct lindung *) list;
	_Atomic uint64_t generation; /* counts the lists put up */
};

struct ld_thread;

struct ld_thread_config {
	const struct ld_resolver *resolver;
	unsigned upstream_timeout_ms;
	struct ld_tcp_config streams[LD_TRANSPORT_HTTPS + 1]; /* of each address; not of UDP */
	struct ld_zones *zones;                               /* that are given out; NULL: none */
	const struct ld_access *access; /* outlives the thread, as all of this */
	const struct ld_board *board;
	const struct ld_news *news; /* or NULL */
	int core;                   /* to stay on; -1: any */
	unsigned addresses;         /* at most so many ld_thread_listen() */
};

int ld_thread_new(struct ld_thread **ret, const struct ld_thread_config *config,
		  struct ld_report *report);

/** Serve a listening socket for a stream transport, and with plain TCP a UDP socket (else -1); they
 * are the thread's to close from here on, whatever the outcome.  Before ld_thread_start(). */
int ld_thread_listen(struct ld_thread *thread, enum ld_transport stream, int udp, int listener);

/** A UDP socket of this address family, to send from at any time; -1 if it has none. */
int ld_thread_socket(const struct ld_thread *thread, int family);

/** Start it; it waits for ld_thread_begin().  Errors: LINDUNG_ENOMEM. */
int ld_thread_start(struct ld_thread *thread);
/** Now there is a list on the board.  Once. */
void ld_thread_begin(struct ld_thread *thread);
/** Ask what no list closes over this link from now on; it is the thread's to close. */
void ld_thread_link(struct ld_thread *thread, int fd);
/** What came over the link was no message; true once for each time. */
bool ld_thread_broken(struct ld_thread *thread);
/** Ask for a sign of life ... */
void ld_thread_ping(struct ld_thread *thread, uint32_t number);
/** ... and the number of the last one given. */
uint32_t ld_thread_pong(const struct ld_thread *thread);
/** Look at the board soon. */
void ld_thread_ring(struct ld_thread *thread);
/** Uses nothing older than this generation of the list. */
uint64_t ld_thread_generation(const struct ld_thread *thread);
/** End soon: rings, too. */
void ld_thread_stop(struct ld_thread *thread);
/** Waits for a started thread to end.  NULL is a no-op. */
void ld_thread_free(struct ld_thread *thread);

/** Its counters and cache, to be read at any time. */
const struct ld_worker *ld_thread_worker(const struct ld_thread *thread);
/** Its connections of a transport, and their counters; to be read at any time. */
unsigned ld_thread_connections(const struct ld_thread *thread, enum ld_transport stream);
uint64_t ld_thread_counter(const struct ld_thread *thread, enum ld_transport stream,
			   enum ld_tcp_counter counter);
/** A counter of the thread that asks for it. */
uint64_t ld_thread_upstream_counter(const struct ld_thread *thread,
				    enum ld_upstream_counter counter);

#endif
