/* What is asked about a quorum: why a name is in effect or not, what is pending, what ends soon.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * All of it as at the time of the last ld_quorum_settle().  Spans and pointers that are handed over
 * are valid during the call.  Texts of statements (basis, reasons, evidence) are not kept: who
 * wants them reads entry `index` of the log. */
#ifndef LD_QUORUM_STORY_H
#define LD_QUORUM_STORY_H

#include "quorum/quorum.h"

/* Why a statement means nothing, whatever the time.  What an operator answers who is asked to
 * append it: LINDUNG_ error.  X(symbol, key, error, what a person reads) */
#define LD_REFUSALS(X)                                                                             \
	X(NONE, "none", OK, "it is in order")                                                      \
	X(SYNTAX, "syntax", ESYNTAX, "it does not follow the format")                              \
	X(OTHER_LOG, "other-log", EDENIED, "it is meant for another log")                          \
	X(UNKNOWN_PARTY, "unknown-party", EDENIED, "the log does not know its party before it")    \
	X(REVOKED_PARTY, "revoked-party", EDENIED, "the key of its party is revoked")              \
	X(SIGNATURE, "signature", ESIGNATURE, "it is not signed by its party's key")               \
	X(ROOT_SIGNATURES, "root-signatures", ESIGNATURE, "too few root keys have signed it")      \
	X(REPEATED, "repeated", EEXISTS, "it stands in the log already")                           \
	X(EXPIRED_KEY, "expired-key", EDENIED, "it was made when its party had expired")           \
	X(BACKDATED, "backdated", EDENIED,                                                         \
	  "its time lies before what its party said last, or before the party's key")              \
	X(FLOOD, "flood", ELIMIT, "its party has said more on that day than the policy allows")    \
	X(NO_RULE, "no-rule", EDENIED, "the policy has no rule for its category")                  \
	X(CLEAR, "clear", EDENIED, "its category takes sealed entries only")                       \
	X(SEALED, "sealed", EDENIED, "its category takes no sealed entries")                       \
	X(UNKNOWN_TARGET, "unknown-target", EDENIED,                                               \
	  "it speaks of a statement that does not stand before it in the log")                     \
	X(WRONG_TARGET, "wrong-target", EDENIED, "it cannot speak of such a statement")            \
	X(NOT_OWN, "not-own", EDENIED, "a party withdraws its own statements only")                \
	X(OWN_FAVOUR, "own-favour", EDENIED, "a party does not decide in its own favour")          \
	X(NOT_OPERATOR, "not-operator", EDENIED, "the policy does not name its party as operator") \
	X(OTHER_SEAL, "other-seal", EDENIED,                                                       \
	  "it names entries in clear of a sealed statement, or sealed ones of a clear one")        \
	X(USED_KEY, "used-key", EDENIED, "the key was revoked, or is another party's")             \
	X(LIMIT, "limit", ELIMIT, "it goes past a limit")

enum ld_refusal {
#define LD_X(symbol, key, error, what) LD_REFUSAL_##symbol,
	LD_REFUSALS(LD_X)
#undef LD_X
		LD_REFUSAL_COUNT
};

const char *ld_refusal_key(enum ld_refusal refusal);
const char *ld_refusal_text(enum ld_refusal refusal);
int ld_refusal_error(enum ld_refusal refusal);

/* How a statement stands, at that time, for one entry or as a whole.
 * X(symbol, key, what a person reads) */
#define LD_STANDINGS(X)                                                                            \
	X(REFUSED, "refused", "it means nothing")                                                  \
	X(VOID, "void", "its party's key was revoked from before it was made")                     \
	X(FUTURE, "future", "its time has not come")                                               \
	X(WAITING, "waiting", "its block is not here yet")                                         \
	X(CLOSED, "closed", "it is sealed, and no key here opens it")                              \
	X(BROKEN, "broken", "its block does not follow the format")                                \
	X(WITHDRAWN, "withdrawn", "it was withdrawn")                                              \
	X(ENDED, "ended", "ended by a dispute or an appeal that was upheld")                       \
	X(EXPIRED, "expired", "it has expired")                                                    \
	X(PARTY, "party", "its party is not valid any more")                                       \
	X(VOID_BASE, "void-base", "what it speaks of is void")                                     \
	X(HELD_BACK, "held-back",                                                                  \
	  "more than its party may say in a day: it waits for another to endorse it")              \
	X(COUNTS, "counts", "it counts")                                                           \
	X(PENDING, "pending", "it is not decided yet")                                             \
	X(SHOWN, "shown", "it is not decided, and does not suspend")                               \
	X(OVERDUE, "overdue", "it has not been decided in time, and suspends")                     \
	X(UPHELD, "upheld", "it was upheld")                                                       \
	X(REJECTED, "rejected", "it was rejected")                                                 \
	X(DONE, "done", "it stands")

enum ld_standing {
#define LD_X(symbol, key, what) LD_STANDING_##symbol,
	LD_STANDINGS(LD_X)
#undef LD_X
		LD_STANDING_COUNT
};

const char *ld_standing_key(enum ld_standing standing);
const char *ld_standing_text(enum ld_standing standing);

/** A statement. */
struct ld_story_said {
	uint64_t index;
	const uint8_t *id; /* LD_STATEMENT_ID_BYTES; zeros where it cannot be read */
	uint8_t action;    /* enum ld_statement_action; its COUNT where it cannot be read */
	enum ld_refusal refusal;
	enum ld_standing standing;
	struct ld_span party; /* who says it, or "root"; empty: the log knows no such party */
	struct ld_span category;
	int64_t time_s;
	int64_t until_s; /* INT64_MAX: it never expires */
	bool has_target, upholds, is_sealed;
	uint64_t target, base; /* what it speaks of, and the list or allow behind that */
	uint32_t entry_count;  /* of its own; 0: of all of its target */
	uint64_t decided_at;   /* standing UPHELD or REJECTED: by which statement */
	int64_t overdue_s;     /* a dispute or appeal: from when on it suspends; INT64_MAX: never */
};

typedef int ld_story_said_each(void *ctx, const struct ld_story_said *said);

/** Errors: LINDUNG_ENOTFOUND. */
int ld_story_statement(const struct ld_quorum *quorum, uint64_t index, struct ld_story_said *ret);
/** All of them, from `index` on: disputes with their clocks, what expires soon... */
int ld_story_statements(const struct ld_quorum *quorum, uint64_t index, ld_story_said_each *each,
			void *ctx);
/** The statement whose id begins with these hex digits, 8 at least.
 * Errors, with a report: LINDUNG_ESYNTAX, LINDUNG_ENOTFOUND, LINDUNG_EEXISTS (several do). */
int ld_story_find(const struct ld_quorum *quorum, struct ld_span prefix, uint64_t *ret_index,
		  struct ld_report *report);
/** How many of the entries that a statement speaks of are in effect now, and how many there are. */
void ld_story_effect(const struct ld_quorum *quorum, uint64_t index, uint64_t *ret_in_effect,
		     uint64_t *ret_entries);

/** A party. */
struct ld_story_party {
	struct ld_span id, name;
	enum ld_party_kind kind;
	char country[4];               /* terminated */
	bool is_valid;                 /* at the time of the last settle */
	bool is_revoked;               /* it has no key */
	const struct ld_verifier *key; /* the newest */
	int64_t since_s, until_s;
	uint64_t added; /* statement that added it last */
};
int ld_story_parties(const struct ld_quorum *quorum,
		     int (*each)(void *ctx, const struct ld_story_party *party), void *ctx);

/** One side of an entry in a category. */
struct ld_story_side {
	bool is_spoken_of;
	bool agrees;                     /* enough parties */
	uint32_t agree_has, agree_needs; /* counted in the group of `agree` itself */
	bool needs_popular, popular_agrees;
	bool is_suspended;
	uint32_t disputes, disputes_need; /* that count; 0: disputes never suspend it */
	bool was_ended;
	uint64_t ended_at; /* by the decide that ended what stood before it */
};

/** An entry that covers the name or URL that was asked about. */
struct ld_story_entry {
	struct ld_effective effective; /* action REMOVE: not in effect */
	struct ld_story_side listed, allowed;
	int64_t ends_s;       /* when the next statement that counts for it expires */
	struct ld_span takes; /* lines: what it would take to change it */
};

struct ld_story_teller {
	void *ctx;
	int (*entry)(void *ctx, const struct ld_story_entry *entry);
	/** Each statement that speaks of it, oldest first, with how it stands for it. */
	int (*said)(void *ctx, const struct ld_story_said *said);
};

/** Everything that is said of this host (canonical), and of what covers it; with `path` (canonical,
 * else empty) of that URL.  Sealed entries only `with_sealed`, and where a key is held.
 * Errors: LINDUNG_ENOMEM, what the teller returns. */
int ld_story_why(struct ld_quorum *quorum, struct ld_span host, struct ld_span path,
		 bool with_sealed, const struct ld_story_teller *teller);

#endif
