/* What a statement says, in sentences for people and as JSON.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROGRAMS_TELL_H
#define LD_PROGRAMS_TELL_H

#include <stdio.h>

#include <jansson.h>

#include "ledger.h"
#include "list/canonical.h"
#include "quorum/story.h"

/** A statement of the log, taken apart; valid until the next one is read, or ld_tale_free(). */
struct ld_tale {
	struct ld_buffer bytes;
	struct ld_note note;
	struct ld_statement statement;
	bool is_readable; /* else only the bytes are there */
};

void ld_tale_init(struct ld_tale *tale);
/** Errors: those of ld_log_entry().  That it cannot be read is none. */
int ld_tale_read(struct ld_tale *tale, struct ld_log *log, uint64_t index,
		 struct ld_report *report);
void ld_tale_free(struct ld_tale *tale);

/** "2026-11-22 07:00:00 UTC" */
struct ld_tell_time {
	char text[32];
};
struct ld_tell_time ld_tell_time(int64_t time_s);
/** "2026-11-22" */
struct ld_tell_time ld_tell_day(int64_t time_s);

/** "hotline.example (Hotline of Examples, hotline, ID)"; the id alone where nobody knows it. */
void ld_tell_party(FILE *to, const struct ld_quorum *quorum, struct ld_span id);

/** "No. 5, 2026-11-03 08:00:00 UTC, 3f7c1d65db55: ngo.example (...) lists 3 websites in the
 * category gambling." and below it ground, reasons, evidence, until when: each line with `indent`
 * blanks. */
void ld_tell_said(FILE *to, const struct ld_quorum *quorum, const struct ld_story_said *said,
		  const struct ld_tale *tale, int indent);
/** How it stands: "It counts.", "It means nothing: ..." without a line end. */
void ld_tell_standing(FILE *to, const struct ld_story_said *said);
/** The same as an object; NULL without memory. */
json_t *ld_tell_json(const struct ld_story_said *said, const struct ld_tale *tale);

/** An entry of a statement that is not in effect, and what it would take. */
struct ld_missing {
	struct ld_quorum *quorum;
	struct ld_span category;
	char entry[LD_ENTRY_TEXT_MAX_BYTES + 1], takes[2048]; /* terminated; lines */
};

/** Find the first one; `block`: of the statement, if it has one that is not sealed.  False: there
 * is none, or it cannot be read. */
bool ld_missing_find(struct ld_missing *ret, struct ld_quorum *quorum,
		     const struct ld_statement *statement, struct ld_span block);
/** Print it, each line with `indent` blanks. */
void ld_missing_print(const struct ld_missing *missing, int indent);

/** 12 digits of an id, terminated. */
void ld_tell_id(char ret[LD_STATEMENT_ID_SHOWN + 1], const uint8_t id[LD_STATEMENT_ID_BYTES]);

#endif
