/* What was seen of a log: is what a mirror offers the log that was seen before?
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     ld_seen_check()   signatures, witnesses, age; not smaller, not another tree of the same
 * size ld_seen_prove()   larger: does it continue what was seen?  By the mirror's tiles
 *     ld_seen_keep()    remember it, on the disk, before it is acted on
 *
 * Who reads every entry anyway may let struct ld_tree grow by them from what was seen, and compare
 * its root instead of ld_seen_prove(); where it differs, ld_seen_prove() says whether the log
 * forked or the mirror is damaged.
 *
 * What is remembered is DIR/checkpoint, as it was served; what proves a fork is written beside it,
 * to DIR/fork-HEX (both checkpoints).  One thread's, one process's. */
#ifndef LD_LOG_SEEN_H
#define LD_LOG_SEEN_H

#include "log/checkpoint.h"

enum { LD_SEEN_FORKS_MAX = 16 }; /* files of evidence */

struct ld_seen;

/** `trust` must outlive it.  The directory is made where it is not there.
 * Errors: LINDUNG_EIO, LINDUNG_EDAMAGED, LINDUNG_ESIGNATURE (it has followed another log). */
int ld_seen_open(struct ld_seen **ret, const char *directory, const struct ld_trust *trust,
		 struct ld_report *report);
void ld_seen_close(struct ld_seen *memory);

/** What was kept last; NULL: nothing yet.  Valid until the next ld_seen_keep(). */
const struct ld_trusted *ld_seen_last(const struct ld_seen *memory);
/** As it was served; empty: nothing yet. */
struct ld_span ld_seen_checkpoint(const struct ld_seen *memory);

/** Judge a checkpoint as it was served, at `now_s`, without asking for tiles.
 * Errors, with a report: those of ld_checkpoint_check(), LINDUNG_EROLLBACK, LINDUNG_EFORK. */
int ld_seen_check(struct ld_seen *memory, struct ld_span bytes, uint64_t now_s,
		  struct ld_trusted *ret, struct ld_report *report);
/** Does the tree of that checkpoint (it passed ld_seen_check()) continue the one that was seen?
 * `bytes`: the checkpoint as it was served, for the evidence.
 * Errors, with a report: LINDUNG_EFORK (proven), LINDUNG_EDAMAGED (the mirror's tiles are not of
 * this tree: nothing is proven), those of the source. */
int ld_seen_prove(struct ld_seen *memory, struct ld_span bytes, const struct ld_tile_source *mirror,
		  struct ld_report *report);
/** Remember it; durable when it returns.  Errors: LINDUNG_EIO, LINDUNG_EROLLBACK (smaller than what
 * was seen), LINDUNG_EDAMAGED. */
int ld_seen_keep(struct ld_seen *memory, struct ld_span bytes, struct ld_report *report);

#endif
