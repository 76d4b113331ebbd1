/* Following a log: is what a mirror offers the log that was seen before?
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     ld_follow_check()   signatures, witnesses, age; not smaller, not another tree of the same
 * size ld_follow_prove()   larger: does it continue what was seen?  By the mirror's tiles
 *     ld_follow_keep()    remember it, on the disk, before it is acted on
 *
 * Who reads every entry anyway may let struct ld_tree grow by them from what was seen, and compare
 * its root instead of ld_follow_prove(); where it differs, ld_follow_prove() says whether the log
 * forked or the mirror is damaged.
 *
 * What is remembered is DIR/checkpoint, as it was served; what proves a fork is written beside it,
 * to DIR/fork-HEX (both checkpoints).  One thread's, one process's. */
#ifndef LD_LOG_FOLLOW_H
#define LD_LOG_FOLLOW_H

#include "log/checkpoint.h"

enum { LD_FOLLOW_FORKS_MAX = 16 }; /* files of evidence */

struct ld_follow;

/** `trust` must outlive it.  The directory is made where it is not there.
 * Errors: LINDUNG_EIO, LINDUNG_EDAMAGED, LINDUNG_ESIGNATURE (it has followed another log). */
int ld_follow_open(struct ld_follow **ret, const char *directory, const struct ld_trust *trust,
		   struct ld_report *report);
void ld_follow_close(struct ld_follow *follow);

/** What was kept last; NULL: nothing yet.  Valid until the next ld_follow_keep(). */
const struct ld_trusted *ld_follow_seen(const struct ld_follow *follow);
/** As it was served; empty: nothing yet. */
struct ld_span ld_follow_checkpoint(const struct ld_follow *follow);

/** Judge a checkpoint as it was served, at `now_s`, without asking for tiles.
 * Errors, with a report: those of ld_checkpoint_check(), LINDUNG_EROLLBACK, LINDUNG_EFORK. */
int ld_follow_check(struct ld_follow *follow, struct ld_span bytes, uint64_t now_s,
		    struct ld_trusted *ret, struct ld_report *report);
/** Does the tree of that checkpoint (it passed ld_follow_check()) continue the one that was seen?
 * `bytes`: the checkpoint as it was served, for the evidence.
 * Errors, with a report: LINDUNG_EFORK (proven), LINDUNG_EDAMAGED (the mirror's tiles are not of
 * this tree: nothing is proven), those of the source. */
int ld_follow_prove(struct ld_follow *follow, struct ld_span bytes,
		    const struct ld_tile_source *mirror, struct ld_report *report);
/** Remember it; durable when it returns.  Errors: LINDUNG_EIO, LINDUNG_EROLLBACK (smaller than what
 * was seen), LINDUNG_EDAMAGED. */
int ld_follow_keep(struct ld_follow *follow, struct ld_span bytes, struct ld_report *report);

#endif
