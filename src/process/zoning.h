/* Our zones in the processes: their keys, read by the parent; their service, in the resolver.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * In the resolver: made and fed by the main thread; what the threads call is said so. */
#ifndef LD_PROCESS_ZONING_H
#define LD_PROCESS_ZONING_H

#include "conf/conf.h"
#include "net/tcp.h"
#include "process/access.h"
#include "zone/service.h"

struct ld_thread;

/** In the parent: the text of all files of zone.keys, as ZONE_KEYS brings it; `ret` is initialised
 * here.  Errors: those of ld_tsig_keys_read(), with a report. */
int ld_zoning_keys_load(struct ld_buffer *ret, const struct ld_conf *conf,
			struct ld_report *report);

struct ld_zoning {
	struct ld_zones *zones; /* NULL: nobody may have any */
	struct ld_tsig_keys keys;
	struct ld_prefixes *allowed;
	struct ld_address *notified;
};

/** The body of ZONE_KEYS.  False if it does not read. */
bool ld_zoning_keys_take(struct ld_zoning *zoning, struct ld_span text);
/** Start the service if somebody may have zones.  Before the walls that stand last.
 * Errors: LINDUNG_ECONFIG, LINDUNG_ENOMEM with a report. */
int ld_zoning_make(struct ld_zoning *zoning, const struct ld_conf *conf, struct ld_report *report);
/** The list in force, as its descriptors, which stay the caller's. */
void ld_zoning_put(struct ld_zoning *zoning, const int *fds, unsigned count, unsigned followed);
/** From time to time: tell those who follow, from a socket of one of the threads. */
void ld_zoning_tick(struct ld_zoning *zoning, struct ld_thread *const *threads, unsigned count);
/** All threads are gone.  Safe on a zeroed struct. */
void ld_zoning_clear(struct ld_zoning *zoning);

/* ---- For the threads ------------------------------------------------------------------------ */

/** A message of a connection: true if it is answered. */
bool ld_zoning_message(struct ld_zones *zones, struct ld_tcp *tcp, struct ld_tcp_ref connection,
		       const struct ld_from *from, struct ld_span message, struct ld_writer *w);

/** A packet: true if it is for the zones; then `w` holds the answer, or nothing. */
bool ld_zoning_packet(struct ld_zones *zones, const struct ld_access *access,
		      const struct ld_from *from, const struct ld_address *address,
		      struct ld_span packet, struct ld_writer *w);

/** For the metrics. */
void ld_zoning_metrics(struct ld_zones *zones, struct ld_buffer *out);

#endif
