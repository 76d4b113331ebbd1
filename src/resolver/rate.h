/* How often those from one place are answered: buckets of time, by prefix and kind of answer.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Over UDP anybody can ask in another's name, and an open resolver becomes the stone that is
 * thrown. As BIND and others do it, what goes to one prefix is counted, by kind; beyond the rate an
 * answer is held back.  Some of those held back are sent cut (TC: whoever really asked comes back
 * over TCP, "slip"), some whole ("leak").  Beside that, queries of one client may be counted,
 * whatever is answered; those who have proven where they are, by a cookie or a connection, in
 * buckets of their own, which nobody fills in their name.
 *
 * A bucket says until when what was sent is paid for: each answer adds a second / rate, from at
 * most one second back, to at most the window ahead.  While that is ahead of now, answers are held
 * back. So a second's worth goes out at once, and who keeps on asking stays shut out until it
 * rests.
 *
 * Memory: LD_RATE_ENTRIES entries of 16 octets (1 MiB), taken when made.  Four places a bucket may
 * be in; the one that has been at rest longest makes room.  The hash is keyed: nobody knows who
 * shares a place with whom.  One thread's alone. */
#ifndef LD_RESOLVER_RATE_H
#define LD_RESOLVER_RATE_H

#include "net/prefix.h"
#include "resolver/resolver.h"

enum {
	LD_RATE_ENTRIES = 65536,
	LD_RATE_WAYS = 4,
};

/** What is counted apart. */
enum ld_rate_kind {
	LD_RATE_ANSWER,
	LD_RATE_NODATA,
	LD_RATE_NXDOMAIN,
	LD_RATE_ERROR,
	LD_RATE_QUERY,        /* of a client */
	LD_RATE_QUERY_PROVEN, /* of one that receives at its address */
	LD_RATE_KINDS,
};

enum ld_rate_step {
	LD_RATE_SEND,
	LD_RATE_LEAK, /* held back, but for every n-th: send it */
	LD_RATE_SLIP, /* send it cut */
	LD_RATE_HOLD, /* send nothing */
};

struct ld_rate;

/** *ret NULL: nothing is limited.  Errors: LINDUNG_ENOMEM, LINDUNG_EIO (no random numbers). */
int ld_rate_new(struct ld_rate **ret, const struct ld_rate_config *config);
void ld_rate_free(struct ld_rate *rate);

/** Count one, and say what becomes of it.  For LD_RATE_QUERY_PROVEN all but LD_RATE_SEND means: too
 * many. */
enum ld_rate_step ld_rate_take(struct ld_rate *rate, enum ld_rate_kind kind,
			       const struct ld_from *from, int64_t now_ms);

#endif
