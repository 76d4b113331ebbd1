/* Inside `lindung transfer`: one transfer, and following a zone for as long as it is let.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROGRAMS_TRANSFER_H
#define LD_PROGRAMS_TRANSFER_H

#include "net/address.h"
#include "zone/intake.h"

struct transfer {
	const char *path;
	struct ld_name zone;
	struct ld_address server;
	struct ld_tsig_keys keys;
	bool whole, needs_digest, quiet;
	struct ld_zone_copy *copy;
	bool was_whole, had_copy;
	uint32_t before; /* serial of the copy that there was */
	unsigned digests;
	struct ld_report report;
};

/** Bring the file up to date.  LINDUNG_EEXISTS if it was; another error with t->report.  The copy
 * stays until transfer_forget(). */
int transfer_once(struct transfer *t);
void transfer_forget(struct transfer *t);

/** Follow the zone: transfer it now, when its SOA says so, and when its server says that there is
 * news, to the socket at `listen` (NULL: none); after each change run `then` by the shell (NULL:
 * nothing).  Does not return but for what is wrong at the start, which is said. */
int transfer_follow(struct transfer *t, const char *listen, const char *then);

#endif
