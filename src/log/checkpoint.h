/* Checkpoints (C2SP tlog-checkpoint): what a log says of itself, signed by it and by witnesses.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_LOG_CHECKPOINT_H
#define LD_LOG_CHECKPOINT_H

#include "log/merkle.h"
#include "log/note.h"

enum {
	LD_CHECKPOINT_MAX_BYTES = 16 * 1024,
	LD_WITNESS_AHEAD_MAX_S = 600, /* a cosignature of a later time does not count */
	LD_WITNESSES_MAX = LD_NOTE_KEYS_MAX - 1,
};

struct ld_checkpoint {
	struct ld_span origin;
	uint64_t size;
	struct ld_hash root;
};

/** Read the text of a note.  Extension lines are allowed, and mean nothing.  Errors:
 * LINDUNG_ESYNTAX. */
int ld_checkpoint_parse(struct ld_checkpoint *ret, struct ld_span text, struct ld_report *report);
int ld_checkpoint_format(struct ld_buffer *ret, const struct ld_checkpoint *checkpoint);

/** Who must have signed it: the log, and enough witnesses. */
struct ld_trust {
	struct ld_verifier log;
	unsigned witness_count;              /* at most LD_WITNESSES_MAX */
	const struct ld_verifier *witnesses; /* LD_KEY_COSIGNATURE */
	/** Do these witnesses (bit i: witnesses[i]) suffice?  NULL: none is needed. */
	bool (*suffices)(const void *ctx, uint64_t witnesses);
	const void *ctx;
	uint32_t age_max_s; /* of the newest that the quorum rests on; 0: no limit */
};

struct ld_trusted {
	struct ld_checkpoint checkpoint; /* origin points into the octets handed over */
	uint64_t witnesses;
	/** When, by the cosignatures on which it rests: the latest time of which enough witnesses
	 * say that it was seen then, or later; 0 where none is needed. */
	uint64_t time_s;
};

/** Check a checkpoint as it was served, at the time `now_s`.  Its origin must be the name of the
 * log's key.
 * Errors, with a report: LINDUNG_ESYNTAX, LINDUNG_ESIGNATURE (the log's), LINDUNG_EWITNESS (too
 * few), LINDUNG_EFROZEN (older than age_max_s). */
int ld_checkpoint_check(struct ld_trusted *ret, struct ld_span bytes, const struct ld_trust *trust,
			uint64_t now_s, struct ld_report *report);

/** What changed from what was seen before.  Errors: LINDUNG_EROLLBACK (smaller), LINDUNG_EFORK (the
 * same size and another root; or larger, and the proof does not show that it is a continuation:
 * only who made the proof knows whether that is the log's fault). */
int ld_checkpoint_follows(const struct ld_checkpoint *seen, const struct ld_checkpoint *now,
			  const struct ld_proof *proof, struct ld_report *report);
/** The same, by the tiles of a mirror that nobody need believe, not even that it answers alike when
 * it is asked twice.  Errors, with a report: LINDUNG_EROLLBACK, LINDUNG_EFORK (proven against the
 * log), LINDUNG_EDAMAGED (the tiles are not of the tree of `now`: nothing is proven), those of the
 * source. */
int ld_checkpoint_continues(const struct ld_checkpoint *seen, const struct ld_checkpoint *now,
			    const struct ld_tile_source *mirror, struct ld_report *report);

#endif
