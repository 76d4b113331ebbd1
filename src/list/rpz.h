/* The records of a response policy zone, one by one: what the writer of RPZ writes as text.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * In the canonical order of names (RFC 4034 section 6.1), each name once.  What the format cannot
 * say is left out as in the text; a plan holds which entries these are, so that each walk need not
 * find out anew.  A plan is read-only once made; a walk is one thread's, takes about 200 KB, and
 * hands out what is valid until its next step. */
#ifndef LD_LIST_RPZ_H
#define LD_LIST_RPZ_H

#include "list/list.h"

struct ld_rpz_record {
	bool is_wildcard;      /* "*." stands before the host */
	uint8_t action;        /* BLOCK (CNAME .), ALLOW (CNAME rpz-passthru.) or REWRITE */
	struct ld_span host;   /* below the zone */
	struct ld_span target; /* REWRITE: "A 192.0.2.1", "AAAA 2001:db8::1", "CNAME name" */
};

struct ld_rpz_plan;

/** For the entries of `source` in a zone of that name ("rpz.example.com.").
 * Errors: LINDUNG_ENOMEM, LINDUNG_EEXPRESS (removals), the source's. */
int ld_rpz_plan_new(struct ld_rpz_plan **ret, const struct ld_list_source *source,
		    const char *origin);
void ld_rpz_plan_free(struct ld_rpz_plan *plan);
const char *ld_rpz_plan_origin(const struct ld_rpz_plan *plan);

struct ld_rpz;

/** `source` has the entries that the plan was made for; both outlive the walk. */
int ld_rpz_new(struct ld_rpz **ret, const struct ld_list_source *source,
	       const struct ld_rpz_plan *plan);
void ld_rpz_free(struct ld_rpz *rpz);
/** The next record; LINDUNG_ENOTFOUND behind the last.  Errors: LINDUNG_ENOMEM, the source's. */
int ld_rpz_next(struct ld_rpz *rpz, struct ld_rpz_record *ret);

#endif
