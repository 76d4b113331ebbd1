/* Our zones as a service: made anew in a thread of their own when the list changes, asked for by
 * the threads that have the sockets, and told of to those who follow (NOTIFY, RFC 1996).
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Going through a large list takes seconds: that thread is of low priority, makes one set after
 * the other, and rests between two of them for as long as the last one took, a second at least; so
 * serials, which are seconds, never overtake the clock, and do not go back when the server starts
 * again.  Until a new set is there, the one before is given out.
 *
 * Threads: put, notify_run and free are the main thread's; all else may be called by any. */
#ifndef LD_ZONE_SERVICE_H
#define LD_ZONE_SERVICE_H

#include "net/address.h"
#include "zone/request.h"

struct ld_zones;

enum {
	LD_ZONE_NOTIFY_FIRST_MS =
		2000, /* without an answer: again after this, then twice as long */
	LD_ZONE_NOTIFY_TRIES = 7,
	LD_ZONE_TRANSFER_MAX_MS = 3600 * 1000,
};

struct ld_zones_config {
	struct ld_zone_settings settings;
	struct ld_zone_access access;      /* what it points at outlives all this */
	const struct ld_address *notified; /* who is told; outlives all this */
	unsigned notified_count;
	unsigned transfers_max; /* at a time */
};

/** Starts the thread.  Errors: LINDUNG_ENOMEM. */
int ld_zones_new(struct ld_zones **ret, const struct ld_zones_config *config);
/** Ends it.  All transfers are freed before.  NULL is a no-op. */
void ld_zones_free(struct ld_zones *zones);

/** Make zones of this list, which is theirs from now on. */
void ld_zones_put(struct ld_zones *zones, struct lindung *list);

/** Whether a message is for ld_zones_take(); NULL `zones`: it is not. */
bool ld_zones_are_asked(const struct ld_zones *zones, struct ld_span message);

/** A transfer that goes out over a connection. */
struct ld_zone_stream;

/** As ld_zone_take(); the stream is the caller's to free. */
enum ld_zone_step ld_zones_take(struct ld_zones *zones, const struct ld_from *from,
				struct ld_span message, struct ld_writer *answer,
				struct ld_zone_stream **ret);

/** The next message, valid until the next call; empty behind the last.  Errors: those of
 * ld_transfer_next(), LINDUNG_ETIMEOUT. */
int ld_zone_stream_next(struct ld_zone_stream *stream, struct ld_span *ret);
/** NULL is a no-op. */
void ld_zone_stream_free(struct ld_zone_stream *stream);

/** An answer to NOTIFY may have come. */
void ld_zones_notify_answered(struct ld_zones *zones, const struct ld_address *from,
			      struct ld_span message);
/** Tell whoever is to be told by now. */
void ld_zones_notify_run(struct ld_zones *zones, int64_t now_ms,
			 void (*send)(void *ctx, const struct ld_address *to,
				      struct ld_span packet),
			 void *ctx);

uint64_t ld_zones_counter(const struct ld_zones *zones, enum ld_zone_counter counter);

/** How things are, for the metrics. */
struct ld_zones_facts {
	unsigned zones, transfers; /* that there are, that go out */
	uint64_t records, journal_bytes;
	uint32_t serial;  /* of the zone of all categories; 0: none yet */
	uint64_t made_ms; /* how long making the last set took */
};

void ld_zones_facts(struct ld_zones *zones, struct ld_zones_facts *ret);

#endif
