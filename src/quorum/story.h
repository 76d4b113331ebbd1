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
	X(LIMIT, "limit", ELIMIT, "too many parties, keys or categories")

enum ld_refusal {
#define LD_X(symbol, key, error, what) LD_REFUSAL_##symbol,
	LD_REFUSALS(LD_X)
#undef LD_X
		LD_REFUSAL_COUNT
};

const char *ld_refusal_key(enum ld_refusal refusal);
const char *ld_refusal_text(enum ld_refusal refusal);
int ld_refusal_error(enum ld_refusal refusal);

#endif
