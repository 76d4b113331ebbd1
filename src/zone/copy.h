/* A copy of somebody else's zone: its records, changed by transfers, written as a zone file and
 * read from it again. SPDX-License-Identifier: BSD-2-Clause
 *
 * One thread's.  Memory: about 40 octets a record besides its own; limits on records and octets, as
 * whoever sends the zone can make it grow. */
#ifndef LD_ZONE_COPY_H
#define LD_ZONE_COPY_H

#include "base/bytes.h"
#include "base/error.h"
#include "name/name.h"

struct ld_copy_limits {
	uint64_t records_max, octets_max;
};

struct ld_zone_copy;

/** Empty: without a SOA.  Errors: LINDUNG_ENOMEM, LINDUNG_EIO (no random numbers).
 */
int ld_zone_copy_new(struct ld_zone_copy **ret, const struct ld_name *origin,
		     const struct ld_copy_limits *limits);
/** NULL is a no-op. */
void ld_zone_copy_free(struct ld_zone_copy *copy);
/** Without records, and without a SOA. */
void ld_zone_copy_clear(struct ld_zone_copy *copy);

/** A record of class IN; names in its rdata not compressed. */
struct ld_zone_copy_record {
	const struct ld_name *owner; /* the zone's name, or below it; any case */
	uint16_t type;
	uint32_t ttl;
	struct ld_span rdata;
};

/** The SOA is set, any other record added: one that is there is left alone, but for its TTL.
 * Errors: LINDUNG_EMALFORMED (not of this zone, or no SOA's rdata), LINDUNG_ELIMIT, LINDUNG_ENOMEM.
 */
int ld_zone_copy_add(struct ld_zone_copy *copy, const struct ld_zone_copy_record *record);
/** Errors: LINDUNG_ENOTFOUND if it is not there. */
int ld_zone_copy_remove(struct ld_zone_copy *copy, const struct ld_zone_copy_record *record);

const struct ld_name *ld_zone_copy_origin(const struct ld_zone_copy *copy);
/** False: it has none yet. */
bool ld_zone_copy_serial(const struct ld_zone_copy *copy, uint32_t *ret);
/** Seconds from the SOA: 0 without one. */
void ld_zone_copy_times(const struct ld_zone_copy *copy, uint32_t *ret_refresh, uint32_t *ret_retry,
			uint32_t *ret_expire);
uint64_t ld_zone_copy_count(const struct ld_zone_copy *copy);

/** The digests that it has of itself (ZONEMD) fit; *ret_digests: how many of them could be checked.
 * Errors: LINDUNG_ESIGNATURE, LINDUNG_ENOMEM with a report. */
int ld_zone_copy_verify(struct ld_zone_copy *copy, unsigned *ret_digests, struct ld_report *report);

/** Write it as a zone file, in canonical order.  Errors: LINDUNG_EIO, LINDUNG_ENOMEM. */
int ld_zone_copy_write(struct ld_zone_copy *copy, int fd);
/** Read what ld_zone_copy_write() wrote, into an empty copy.
 * Errors: LINDUNG_ESYNTAX, LINDUNG_ELIMIT, LINDUNG_ENOMEM; the copy may then hold a part. */
int ld_zone_copy_read(struct ld_zone_copy *copy, struct ld_span text);

#endif
