/* Log to effective list: a pure function of (statements in order, policy, time, keys held).
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     statements --add--> state --settle(time)--> changes: entries that began, changed or ended
 *
 * Adding one statement costs what it touches; settling costs what was touched since, and what a
 * clock ended.  Nothing here reads files, the network or the clock.
 * Sealed entries are held as blinded hashes (name/blind.h) only.
 *
 * One thread's.  Memory: about 100 octets for each entry of a statement. */
#ifndef LD_QUORUM_QUORUM_H
#define LD_QUORUM_QUORUM_H

#include "list/entry.h"
#include "log/block.h"
#include "log/seal.h"
#include "name/blind.h"
#include "name/psl.h"
#include "quorum/policy.h"

enum {
	LD_QUORUM_STATEMENTS_MAX = 4 * 1024 * 1024,
	LD_QUORUM_ENTRIES_MAX = 64 * 1024 * 1024, /* of all statements together */
	LD_QUORUM_PARTIES_MAX = 4096,
};

struct ld_quorum;

/** Where blocks come from: the stored octets of the block with this hash into `ret`.
 * LINDUNG_ENOTFOUND, LINDUNG_ELIMIT (`ret` is full), and what has another hash: not there yet; the
 * statement then waits (ld_quorum_block()). */
struct ld_block_source {
	void *ctx;
	int (*block)(void *ctx, const uint8_t hash[32], struct ld_buffer *ret,
		     struct ld_report *report);
};

/** An empty state.  `policy` and `openers` (or NULL) must outlive it.  Errors: LINDUNG_ENOMEM. */
int ld_quorum_new(struct ld_quorum **ret, const struct ld_policy *policy,
		  const struct ld_openers *openers);
void ld_quorum_free(struct ld_quorum *quorum);
/** Public suffixes, which nothing sealed may close but by a URL: later, when names are blinded,
 * nobody can see it any more.  Before the first statement; `suffixes` must outlive the state. */
void ld_quorum_set_suffixes(struct ld_quorum *quorum, const struct ld_psl *suffixes);

/** Take entry `index` of the log (they come in order, from 0).  A statement that means nothing is
 * kept with its reason (story.h), and changes nothing.  `blocks` NULL: all blocks come late.
 * Errors: LINDUNG_EINVAL (not the next index), LINDUNG_ENOMEM, LINDUNG_ELIMIT, those of the source
 * but the two above.  Nothing was taken then, but after LINDUNG_ENOMEM the state is of no use
 * any more and every call returns it. */
int ld_quorum_add(struct ld_quorum *quorum, uint64_t index, struct ld_span note,
		  const struct ld_block_source *blocks);
/** How many were taken: the next index. */
uint64_t ld_quorum_size(const struct ld_quorum *quorum);

/** A block that came late.  The outcome is the same as if it had been there.
 * Errors: LINDUNG_ENOTFOUND (nobody waits for it), LINDUNG_EDAMAGED (not of this hash: it is waited
 * for on), LINDUNG_ENOMEM. */
int ld_quorum_block(struct ld_quorum *quorum, const uint8_t hash[LD_BLOCK_HASH_BYTES],
		    struct ld_span stored, struct ld_report *report);
/** Each block that is waited for, and the statement that names it. */
int ld_quorum_waiting(const struct ld_quorum *quorum,
		      int (*each)(void *ctx, const uint8_t hash[LD_BLOCK_HASH_BYTES],
				  uint64_t index),
		      void *ctx);

enum {
	LD_QUORUM_AHEAD_MAX_S = 10 * 60,
	LD_QUORUM_BEHIND_MAX_S = 7 * 86400,
};

/** Would this note mean something as the next entry of the log, and is its time about `now_s`?
 * What an operator asks before it appends.  Blocks are not looked at.  The report says why not.
 * Errors: LINDUNG_ESYNTAX, LINDUNG_ESIGNATURE, LINDUNG_EEXISTS (it stands in the log already),
 * LINDUNG_ELIMIT (more than the policy allows a party in a day), LINDUNG_EDENIED (else). */
int ld_quorum_admits(const struct ld_quorum *quorum, struct ld_span note, int64_t now_s,
		     struct ld_report *report);

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

/** Bring it to the time `now_s` and tell `change` (or NULL) what changed since the last time
 * (REMOVE: no longer there in that category).  Times may not go backwards: LINDUNG_EINVAL.
 * `*ret_next_s`: when the clock alone may change something next; INT64_MAX: never.  Where `change`
 * returns an error it stops and returns that; what was not told comes with the next call. */
int ld_quorum_settle(struct ld_quorum *quorum, int64_t now_s, ld_quorum_each *change, void *ctx,
		     int64_t *ret_next_s);
/** All that is in effect, in canonical order (sealed ones last, by hash). */
int ld_quorum_effective(const struct ld_quorum *quorum, ld_quorum_each *each, void *ctx);
/** All that is in effect of this one name, in every category: `name`'s host and path with any
 * scope, or, if it is NULL, what is sealed as `blind`, with any scope.  As of the last
 * ld_quorum_settle(). */
int ld_quorum_about(const struct ld_quorum *quorum, const struct ld_entry *name,
		    const uint8_t *blind, ld_quorum_each *each, void *ctx);
/** What sealed names are blinded with: derived from the keys held and the log's origin. */
void ld_quorum_blind_key(const struct ld_quorum *quorum, uint8_t ret[LD_BLIND_KEY_BYTES]);

/* What is asked about it (story.h): why a name is or is not in effect; what is pending; parties,
 * disputes and their clocks; what expires soon. */

#endif
