/* A copy of a log in HOME/mirror, fetched from a URL and verified before it is kept.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * It has the layout of log/log.h, and is read as one.  What was seen of the log before is
 * remembered there: a rollback and a fork are found. */
#ifndef LD_PROGRAMS_MIRROR_H
#define LD_PROGRAMS_MIRROR_H

#include "home.h"
#include "log/checkpoint.h"

/** Bring it up to date.  Errors: LINDUNG_ENET, LINDUNG_ETIMEOUT, LINDUNG_EDAMAGED (what the server
 * has is not the log), those of ld_checkpoint_check() and ld_checkpoint_follows(). */
int ld_mirror_update(const char **ret_folder, struct ld_home *home, const char *url,
		     const struct ld_trust *trust, int64_t now_s, struct ld_report *report);

#endif
