/* Statements: what parties sign (formats/statement.md), text to fields and back.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Pure: no files, no keys, no clock.  A statement that was parsed points into the text it came
 * from; there is exactly one text for one statement, so that writing what was parsed gives the
 * same octets. */
#ifndef LD_LOG_STATEMENT_H
#define LD_LOG_STATEMENT_H

#include "base/bytes.h"
#include "base/error.h"
#include "base/span.h"
#include "log/key.h"

enum {
	LD_STATEMENT_ID_BYTES = 32,
	LD_STATEMENT_ID_TEXT = 2 * LD_STATEMENT_ID_BYTES, /* hex digits, without the NUL */
	LD_STATEMENT_ID_SHOWN = 12,                       /* of them, where a person reads */
	LD_STATEMENT_INLINE_MAX = 200,                    /* entries */
	LD_STATEMENT_ENTRIES_MAX = 2000000,               /* of a block */
	LD_STATEMENT_LIFE_MAX_DAYS = 3653,
	LD_STATEMENT_TIME_TEXT = 20, /* octets of "2026-11-22T07:00:00Z" */
	LD_STATEMENT_DAY_TEXT = 10,
	LD_PARTY_ID_MAX = LD_KEY_NAME_MAX,
};

/** The last second of the year 9999. */
#define LD_STATEMENT_TIME_MAX_S INT64_C(253402300799)

/* X(symbol, key, what a person reads) */
#define LD_STATEMENT_ACTIONS(X)                                                                    \
	X(LIST, "list", "lists websites in a category")                                            \
	X(ENDORSE, "endorse", "agrees with a statement")                                           \
	X(DISPUTE, "dispute", "says that a statement is wrong")                                    \
	X(WITHDRAW, "withdraw", "takes back a statement of its own")                               \
	X(ALLOW, "allow", "says that websites are not of a category")                              \
	X(APPEAL, "appeal", "a site's owner or a reader objects")                                  \
	X(DECIDE, "decide", "answers an appeal or a dispute")                                      \
	X(PARTY_ADD, "party-add", "takes a party in, or gives it a new key")                       \
	X(PARTY_REVOKE, "party-revoke", "ends a party's key")                                      \
	X(RELEASE, "release", "publishes statistics")

enum ld_statement_action {
#define LD_X(symbol, ...) LD_STATEMENT_##symbol,
	LD_STATEMENT_ACTIONS(LD_X)
#undef LD_X
		LD_STATEMENT_ACTION_COUNT
};

/* X(symbol, key) */
#define LD_PARTY_KINDS(X)                                                                          \
	X(MINISTRY, "ministry")                                                                    \
	X(HOTLINE, "hotline")                                                                      \
	X(POLICE, "police")                                                                        \
	X(NGO, "ngo")                                                                              \
	X(SCHOOL, "school")                                                                        \
	X(ISP, "isp")                                                                              \
	X(ACADEMIC, "academic")                                                                    \
	X(COMPANY, "company")                                                                      \
	X(FAMILY, "family")

enum ld_party_kind {
#define LD_X(symbol, key) LD_PARTY_##symbol,
	LD_PARTY_KINDS(LD_X)
#undef LD_X
		LD_PARTY_KIND_COUNT
};

/** How the entries of a statement follow. */
enum ld_statement_entries {
	LD_ENTRIES_NONE, /* it has none, or speaks of all of another statement */
	LD_ENTRIES_INLINE,
	LD_ENTRIES_BLOCK,
	LD_ENTRIES_SEALED,
};

struct ld_statement {
	enum ld_statement_action action;
	struct ld_span log, party;
	int64_t time_s; /* since 1970, UTC; of an appeal the beginning of its day */
	struct ld_span category, jurisdiction, basis;
	bool has_target;
	uint8_t target[LD_STATEMENT_ID_BYTES]; /* `statement:` */
	bool upholds;                          /* decide */
	struct ld_span reasons, subject, name, country;
	enum ld_party_kind kind;
	struct ld_verifier key; /* party-add */
	int64_t from_s;         /* party-revoke */
	struct ld_span evidence, note;
	int64_t expires_s; /* beginning of the day; INT64_MAX: never */
	uint8_t data_hash[32];
	uint64_t data_bytes; /* release */
	enum ld_statement_entries entries;
	uint32_t entry_count;
	struct ld_span inline_entries; /* the lines, with their blanks and LFs */
	uint8_t block_hash[32];
};

/** Read and check a whole statement (the text of a note).  The report names line, field and what is
 * wrong.  Errors: LINDUNG_ESYNTAX, LINDUNG_ELIMIT, LINDUNG_ENOMEM. */
int ld_statement_parse(struct ld_statement *ret, struct ld_span text, struct ld_report *report);
/** Append its text to `ret`.  Errors: LINDUNG_EINVAL with a report (what ld_statement_parse() would
 * not take), LINDUNG_ENOMEM. */
int ld_statement_format(struct ld_buffer *ret, const struct ld_statement *statement,
			struct ld_report *report);
/** The id of the statement with this text. */
void ld_statement_id(uint8_t ret[LD_STATEMENT_ID_BYTES], struct ld_span text);

const char *ld_statement_action_key(enum ld_statement_action action);
const char *ld_statement_action_text(enum ld_statement_action action);
const char *ld_party_kind_key(enum ld_party_kind kind);
/** Number of the kind with this key, or -1. */
int ld_party_kind_find(struct ld_span key);
/** ASCII alone, so that no two look alike by their script.  `root` is no party's id. */
bool ld_party_id_is_valid(struct ld_span id);

/** Seconds since 1970 as "2026-11-22T07:00:00Z" (21 octets with the NUL), or the day alone (11). */
void ld_statement_time_format(char *ret, int64_t time_s, bool day_alone);
/** Read either form.  Errors: LINDUNG_ESYNTAX. */
int ld_statement_time_parse(int64_t *ret, struct ld_span text, bool day_alone);

#endif
