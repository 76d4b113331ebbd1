/* Names that this resolver itself knows: those of a household or a school (local.names), and the
 * few by which programs ask whether they may go round a filter.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Made once, then read-only: any thread may search.  A search does not allocate; for nearly every
 * name it looks at one bit.
 * Limits: LD_HOUSE_LINES_MAX lines, LD_HOUSE_ADDRESSES_MAX addresses of a line. */
#ifndef LD_RESOLVER_HOUSE_H
#define LD_RESOLVER_HOUSE_H

#include "base/error.h"
#include "name/name.h"

enum {
	LD_HOUSE_LINES_MAX = 4096,
	LD_HOUSE_ADDRESSES_MAX = 16,
	LD_HOUSE_TTL_S = 60,
};

enum ld_house_kind {
	LD_HOUSE_DATA,   /* it has these records and no others; perhaps none */
	LD_HOUSE_CLOSED, /* it does not exist */
};

struct ld_house_record {
	struct ld_house_record *next;
	uint16_t type;
	struct ld_span rdata;
};

struct ld_house_name {
	enum ld_house_kind kind;
	struct ld_house_record *records; /* for all others read-only */
};

struct ld_house;

/** Room for `names` names, more or less.  Errors: LINDUNG_ENOMEM. */
int ld_house_new(struct ld_house **ret, unsigned names);
/** NULL is a no-op. */
void ld_house_free(struct ld_house *house);

/** Take in "NAME ADDRESS...": its addresses, and for each address that nobody had before the way
 * back (PTR).
 * Errors: LINDUNG_ECONFIG with a report, LINDUNG_ENOMEM. */
int ld_house_add(struct ld_house *house, struct ld_span line, struct ld_report *report);

/** A name without records: closed, or there and empty.  One that is known keeps what it has.
 * Errors: LINDUNG_ENOMEM. */
int ld_house_put(struct ld_house *house, const struct ld_name *lower, enum ld_house_kind kind);

/** NULL if it is not known.  `lower`: in lower case. */
const struct ld_house_name *ld_house_find(const struct ld_house *house,
					  const struct ld_name *lower);

typedef int ld_house_visit(void *ctx, const struct ld_name *lower);

/** Call it for each name that is there now; it may put others.  Ends with its first error. */
int ld_house_each(const struct ld_house *house, ld_house_visit *visit, void *ctx);

#endif
