/* The zones that other servers follow: what is in force, as response policy zones, one for each
 * category and one of all, and a catalog zone (RFC 9432) that names them.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A set is all zones as they are while one list is in force.  It is made once, by one thread, then
 * read-only, shared by all who answer for it, and freed by the last who lets go of it.  No zone is
 * kept as text or records: who wants these walks through the list (content.h).  What is kept of
 * each is its serial, its digests (ZONEMD, RFC 8976), and the differences to those before.
 *
 * Sealed entries are in no zone, as no walk through a list gives them.
 *
 * Limits: LD_ZONES_MAX zones; of each LD_ZONE_CHANGES_MAX differences at most, and as many octets
 * of them as is configured. */
#ifndef LD_ZONE_ZONE_H
#define LD_ZONE_ZONE_H

#include <stdatomic.h>

#include <lindung/lindung.h>

#include "base/bytes.h"
#include "list/rpz.h"
#include "name/name.h"
#include "net/digest.h"

enum {
	LD_ZONES_MAX = 66, /* a category each, all of them, the catalog */
	LD_ZONE_CHANGES_MAX = 256,
	LD_ZONE_TTL_S = 60,
	LD_ZONE_RETRY_S = 600,
	LD_ZONE_EXPIRE_S = 604800,
	LD_ZONE_RDATA_MAX = 320,
	LD_ZONE_MEMBER_BYTES = 32, /* hexadecimal digits that stand for a zone in the catalog */
};

/** Digests of a zone, as bits; their order is that of enum ld_zone_hash. */
enum { LD_ZONE_SHA384 = 1, LD_ZONE_SHA512 = 2 };

enum { LD_ZONE_HASHES = 2 };

/** What the configuration says; outlives all sets made by it. */
struct ld_zone_settings {
	struct ld_name merged;         /* the zone of all categories; in lower case, as all */
	struct ld_name catalog;        /* len 0: none */
	bool by_category;              /* CATEGORY.merged for each */
	const char *const *categories; /* that are in force; none: all of the list */
	unsigned category_count;
	unsigned digests; /* LD_ZONE_SHA384, LD_ZONE_SHA512 */
	uint32_t refresh_s;
	size_t journal_max_bytes; /* of each zone */
	unsigned journal_max;     /* differences of each; up to LD_ZONE_CHANGES_MAX */
};

/** The digests of one serial. */
struct ld_zone_digests {
	uint8_t octets[LD_ZONE_HASHES][LD_DIGEST_MAX_BYTES];
};

/** What makes the next serial of one: records taken out, then records put in, as
 * ld_change_record_next() reads them. */
struct ld_change {
	_Atomic unsigned refs;
	uint32_t from, to;
	struct ld_zone_digests from_digests, to_digests;
	uint64_t removed, added; /* records */
	size_t removed_len, len; /* octets: those of the records taken out, all */
	uint8_t octets[];
};

/** A record below the apex of a zone. */
struct ld_zone_record {
	struct ld_span owner; /* labels in wire form, those of the zone's name left out */
	uint16_t type;
	struct ld_span rdata; /* in wire form, names in it not compressed */
};

struct ld_zone {
	struct ld_name origin;
	char member[LD_ZONE_MEMBER_BYTES + 1];
	bool is_catalog;
	uint64_t active; /* categories */
	uint32_t serial;
	uint64_t records; /* below the apex */
	struct ld_zone_digests digests;
	struct ld_rpz_plan *plan; /* not of the catalog */
	unsigned change_count;    /* each leads to the next, the last to `serial` */
	struct ld_change *changes[LD_ZONE_CHANGES_MAX];
};

struct ld_zone_set {
	_Atomic unsigned refs;
	const struct ld_zone_settings *settings;
	struct lindung *list;
	unsigned count;
	struct ld_zone zones[LD_ZONES_MAX];
	unsigned members[LD_ZONES_MAX]; /* of the catalog: numbers of zones, in its order */
	unsigned member_count;
};

/** The zones of `list`, which is the set's from now on, also on an error.  `old`: those before, or
 * NULL.  A zone that says the same as before keeps its serial; of another it becomes `now_s`
 * (seconds since 1970), or one more than before where that is not more (RFC 1982).  Takes as long
 * as going through the list three times for each zone; it ends early, with LINDUNG_ETIMEOUT, once
 * *stop is true.  Errors: LINDUNG_ENOMEM, LINDUNG_EDAMAGED. */
int ld_zone_set_make(struct ld_zone_set **ret, const struct ld_zone_settings *settings,
		     struct lindung *list, struct ld_zone_set *old, uint32_t now_s,
		     const _Atomic bool *stop);
struct ld_zone_set *ld_zone_set_hold(struct ld_zone_set *set);
/** NULL is a no-op. */
void ld_zone_set_release(struct ld_zone_set *set);

/** The zone of exactly that name, whatever its case; NULL if there is none. */
const struct ld_zone *ld_zone_find(const struct ld_zone_set *set, const struct ld_name *name);

/** RFC 1982: `a` comes after `b`. */
static inline bool
ld_serial_is_after(uint32_t a, uint32_t b)
{
	return a != b && (int32_t)(a - b) > 0;
}

/** Rdata of the apex: its SOA with that serial, its NS, and its ZONEMD of one digest, if the
 * settings ask for that (else nothing is written). */
void ld_zone_soa(struct ld_writer *w, const struct ld_zone_settings *settings, uint32_t serial);
void ld_zone_ns(struct ld_writer *w, const struct ld_zone *zone);
void ld_zone_zonemd(struct ld_writer *w, const struct ld_zone_settings *settings, unsigned hash,
		    uint32_t serial, const struct ld_zone_digests *digests);

/* ---- The records below the apex, in canonical order (content.c) ----------------------------- */

struct ld_content;

/** Go through them; the set is held until the end.  Errors: LINDUNG_ENOMEM, LINDUNG_EDAMAGED. */
int ld_content_new(struct ld_content **ret, struct ld_zone_set *set, const struct ld_zone *zone);
/** LINDUNG_ENOTFOUND behind the last.  What it gives is valid until the next call. */
int ld_content_next(struct ld_content *content, struct ld_zone_record *ret);
/** The owner of that record, in a form whose order is that of the records. */
struct ld_span ld_content_key(const struct ld_content *content);
void ld_content_free(struct ld_content *content);

/* ---- Differences (change.c) ------------------------------------------------------------------ */

/** Add a record to those of a difference. */
void ld_change_record_put(struct ld_buffer *out, const struct ld_zone_record *record);
/** The next of them; false at the end. */
bool ld_change_record_next(struct ld_reader *r, struct ld_zone_record *ret);

struct ld_change *ld_change_hold(struct ld_change *change);
void ld_change_release(struct ld_change *change);

/** Where in zone->changes one begins with that serial; -1 if none does. */
int ld_zone_change_find(const struct ld_zone *zone, uint32_t serial);

#endif
