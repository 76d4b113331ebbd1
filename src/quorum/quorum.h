/* Log to effective list: a pure function of (statements in order, policy, time, keys held).
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     statements --add--> state --settle(time)--> changes: entries that began, changed or ended
 *
 * Adding one statement costs what it touches; settling costs what was touched since, and what a
 * clock ended.  Nothing here reads files, the network or the clock.
 * Sealed entries are held as blinded hashes (name/blind.h) only.
 *
 * One thread's.  Memory: about LD_QUORUM_ENTRY_BYTES for each entry of a statement. */
#ifndef LD_QUORUM_QUORUM_H
#define LD_QUORUM_QUORUM_H

#include "list/entry.h"
#include "log/block.h"
#include "log/seal.h"
#include "name/blind.h"
#include "quorum/policy.h"

enum {
	LD_QUORUM_STATEMENTS_MAX = 4 * 1024 * 1024,
	LD_QUORUM_ENTRIES_MAX = 64 * 1024 * 1024, /* of all statements together */
	LD_QUORUM_PARTIES_MAX = 4096,
};

struct ld_quorum;

/** Where blocks come from: the stored octets of the block with this hash into `ret`.
 * LINDUNG_ENOTFOUND: not there yet; the statement then waits (ld_quorum_block()). */
struct ld_block_source {
	void *ctx;
	int (*block)(void *ctx, const uint8_t hash[32], struct ld_buffer *ret,
		     struct ld_report *report);
};

/** An empty state.  `policy` and `openers` (or NULL) must outlive it.  Errors: LINDUNG_ENOMEM. */
int ld_quorum_new(struct ld_quorum **ret, const struct ld_policy *policy,
		  const struct ld_openers *openers);
void ld_quorum_free(struct ld_quorum *quorum);

/** Take entry `index` of the log (they come in order, from 0).  A statement that is not valid is
 * kept with its reason, and changes nothing.  `ret_note` (or NULL): that reason.
 * Errors: LINDUNG_ENOMEM, LINDUNG_ELIMIT. */
int ld_quorum_add(struct ld_quorum *quorum, uint64_t index, struct ld_span note,
		  const struct ld_block_source *blocks);
uint64_t ld_quorum_size(const struct ld_quorum *quorum);

/** One entry of the effective list. */
struct ld_effective {
	struct ld_entry entry; /* action BLOCK or ALLOW; REMOVE among changes; category set;
				  source: "PARTY:INDEX" of the statements it rests on, joined by
				  ',', oldest first, at most LD_EFFECTIVE_SOURCES_MAX */
	bool is_sealed;        /* then host and path are empty, and: */
	uint8_t blind[LD_BLIND_BYTES];
};
enum { LD_EFFECTIVE_SOURCES_MAX = 4 };

typedef int ld_quorum_each(void *ctx, const struct ld_effective *effective);

/** Bring it to the time `now_s` and tell what changed since the last time (REMOVE: no longer there
 * in that category).  Times may not go backwards: LINDUNG_EINVAL.  `*ret_next_s`: when the clock
 * alone changes something next; INT64_MAX: never. */
int ld_quorum_settle(struct ld_quorum *quorum, int64_t now_s, ld_quorum_each *change, void *ctx,
		     int64_t *ret_next_s);
/** All that is in effect, in canonical order (sealed ones last, by hash). */
int ld_quorum_effective(const struct ld_quorum *quorum, ld_quorum_each *each, void *ctx);
/** What sealed names are blinded with: derived from the keys held and the log's origin. */
void ld_quorum_blind_key(const struct ld_quorum *quorum, uint8_t ret[LD_BLIND_KEY_BYTES]);

/* What is asked about it (story.h): why a name is or is not in effect; what is pending; parties,
 * disputes and their clocks; what expires soon. */

#endif
