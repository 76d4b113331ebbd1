/* A parcel: a signed statement with the block that it names, as one file and as the body of
 * POST /submit.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The note as it will stand in the log, and right behind its last signature line the stored octets
 * of the block, if it has one.  A note's signature lines follow its first blank line (a statement
 * has none itself) and begin with U+2014 and a blank; neither zstd's nor age's first octets do. */
#ifndef LD_LOG_PARCEL_H
#define LD_LOG_PARCEL_H

#include "base/error.h"
#include "base/span.h"
#include "log/statement.h"

enum { LD_PARCEL_MAX_BYTES = 65535 + 64 * 1024 * 1024 };

struct ld_parcel {
	struct ld_span note;
	struct ld_span block; /* empty: none */
};

/** Take it apart; neither part is checked.  Spans point into `bytes`.
 * Errors: LINDUNG_ESYNTAX (no note at its beginning), LINDUNG_ELIMIT, with a report. */
int ld_parcel_split(struct ld_parcel *ret, struct ld_span bytes, struct ld_report *report);

/** Whether the note is a statement, and the block what it says: there, of its hash, and (if it is
 * not sealed) with the entries it counts.  Who says it is not looked at.  `ret` points into the
 * note; `ret_id` is its id.  Errors: those of ld_note_parse(), ld_statement_parse() and
 * ld_block_read(); LINDUNG_ENOTFOUND (the block is missing). */
int ld_parcel_check(const struct ld_parcel *parcel, struct ld_statement *ret,
		    uint8_t ret_id[LD_STATEMENT_ID_BYTES], struct ld_report *report);

#endif
