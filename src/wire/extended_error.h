/* Extended DNS errors (RFC 8914), as they stand in an OPT record: one behind the other, each with
 * its option's code and length in front.  So they are made, kept and sent.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Limits: a text has at most LD_EDE_TEXT_MAX_BYTES, a row of them LD_EDES_MAX_BYTES. */
#ifndef LD_WIRE_EXTENDED_ERROR_H
#define LD_WIRE_EXTENDED_ERROR_H

#include "base/bytes.h"

enum {
	LD_EDE_BYTES = 6, /* code and length of the option, and the error's code */
	LD_EDE_TEXT_MAX_BYTES = 120,
	LD_EDES_MAX = 4,
	LD_EDES_MAX_BYTES = LD_EDES_MAX * (LD_EDE_BYTES + LD_EDE_TEXT_MAX_BYTES),
};

/** One of them; its text points to where it stands. */
struct ld_ede_read {
	uint16_t code;
	struct ld_span text;
};

/** Put one behind those in `edes`: the text as it is, or nothing at all if it does not fit. */
void ld_ede_put(struct ld_writer *edes, uint16_t code, struct ld_span text);

/** The same with a text of whatever octets (RFC 8914 section 2: UTF-8), cleaned, and cut to
 * LD_EDE_TEXT_MAX_BYTES. */
void ld_ede_put_foreign(struct ld_writer *edes, uint16_t code, struct ld_span text);

/** Take the first one off.  False if there is none. */
bool ld_ede_next(struct ld_span *edes, struct ld_ede_read *ret);

/** Write of `edes` what fits into `room` octets: whole; else without their texts; else those that
 * fit, from the first on.  True if none was left out. */
bool ld_ede_fit(struct ld_writer *w, struct ld_span edes, size_t room);

/** Octets of the character at the front of `text` if it is one of UTF-8 (RFC 3629), else 0. */
size_t ld_utf8_character(struct ld_span text);

/** Write a text of whatever octets: what is not UTF-8 becomes U+FFFD, control characters become
 * blanks, and what does not fit is left out behind a whole character. */
void ld_utf8_clean(struct ld_writer *w, struct ld_span text);

#endif
