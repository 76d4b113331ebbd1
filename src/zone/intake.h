/* A transfer of somebody else's zone in: answers to AXFR or IXFR, message by message, into a copy.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The messages are an enemy's until their signatures fit.  The copy is changed as they come: after
 * an error, or an end that did not come, it is of no more use, and whoever has a good one on the
 * disk reads that again.  One thread's. */
#ifndef LD_ZONE_INTAKE_H
#define LD_ZONE_INTAKE_H

#include "zone/copy.h"
#include "zone/tsig.h"

enum {
	LD_INTAKE_CHANGES_MAX = 65536, /* differences in one transfer */
	LD_INTAKE_TIME_MAX_S = 3600,   /* a transfer that does not end is ended */
};

enum ld_intake_state {
	LD_INTAKE_GOES_ON,
	LD_INTAKE_DONE,
	LD_INTAKE_CURRENT, /* the copy is up to date */
};

struct ld_intake;

/** `copy` has the zone as it is known, or is empty; `key`: NULL for nobody's.  Both outlive it.
 * Errors: LINDUNG_ENOMEM, LINDUNG_EIO (no random numbers). */
int ld_intake_new(struct ld_intake **ret, struct ld_zone_copy *copy, const struct ld_tsig_key *key);
/** NULL is a no-op. */
void ld_intake_free(struct ld_intake *intake);

/** Write the request: IXFR if the copy has a serial, unless `whole`; else AXFR.  Once. */
void ld_intake_request(struct ld_intake *intake, struct ld_writer *w, bool whole, uint64_t now_s);

/** Take a message.  Errors, with a report: LINDUNG_ESIGNATURE, LINDUNG_EMALFORMED, LINDUNG_EDENIED
 * (it says no), LINDUNG_EROLLBACK (an older zone), LINDUNG_ENOTFOUND (a change to a record that is
 * not there, or it knows no IXFR: ask for all), LINDUNG_ELIMIT, LINDUNG_ENOMEM. */
int ld_intake_take(struct ld_intake *intake, struct ld_span message, uint64_t now_s,
		   enum ld_intake_state *ret, struct ld_report *report);

/** It gave all of the zone, and not what changed. */
bool ld_intake_is_whole(const struct ld_intake *intake);

#endif
