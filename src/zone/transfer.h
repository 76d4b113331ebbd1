/* One transfer of a zone out: all of it (AXFR, RFC 5936), or what changed (IXFR, RFC 1995), message
 * by message, each signed if the request was.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The messages are made as they are asked for, from the list that the set holds: a transfer takes
 * about 300 KB however large the zone, and keeps its set until it is freed.  One thread's. */
#ifndef LD_ZONE_TRANSFER_H
#define LD_ZONE_TRANSFER_H

#include "zone/tsig.h"
#include "zone/zone.h"

enum {
	LD_TRANSFER_MESSAGE_MAX = 16000, /* octets, so that a pointer reaches all of a message */
};

struct ld_transfer_request {
	uint16_t id, flags;   /* of the request */
	struct ld_name name;  /* as it was asked for */
	uint16_t type;        /* AXFR or IXFR */
	uint32_t serial;      /* IXFR: that the client has */
	bool edns;            /* it gets an OPT record, too */
	unsigned message_max; /* octets; up to LD_TRANSFER_MESSAGE_MAX */
};

struct ld_transfer;

/** An IXFR of a serial that the journal does not know becomes all of the zone; of one that is not
 * before the zone's, its SOA alone.  `chain`: what verified the request; moved into the transfer,
 * also on an error.  Errors: LINDUNG_ENOMEM, LINDUNG_EDAMAGED. */
int ld_transfer_new(struct ld_transfer **ret, struct ld_zone_set *set, const struct ld_zone *zone,
		    const struct ld_transfer_request *request, struct ld_tsig_chain *chain);
/** NULL is a no-op. */
void ld_transfer_free(struct ld_transfer *transfer);

/** The next message, valid until the next call; empty behind the last.
 * Errors: LINDUNG_ENOMEM, LINDUNG_EDAMAGED, LINDUNG_ESPACE (a record is longer than a message). */
int ld_transfer_next(struct ld_transfer *transfer, uint64_t now_s, struct ld_span *ret);

/** That was the last message. */
bool ld_transfer_is_done(const struct ld_transfer *transfer);
/** It gives all of the zone. */
bool ld_transfer_is_whole(const struct ld_transfer *transfer);

#endif
