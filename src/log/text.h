/* What the texts of a log are made of: lines, decimal numbers, base64, UTF-8.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Pure.  Each thing has exactly one text: no leading zeros, no bits left over in base64, its
 * padding required. */
#ifndef LD_LOG_TEXT_H
#define LD_LOG_TEXT_H

#include "base/bytes.h"
#include "base/span.h"

/** Well-formed UTF-8 (no surrogates, nothing overlong), whatever the code points. */
bool ld_text_is_utf8(struct ld_span text);
/** Whether a code point of Unicode's White_Space stands in well-formed UTF-8. */
bool ld_text_has_space(struct ld_span text);
/** Whether an octet below 0x20 stands in it, other than `but` (LF, or 0 for none). */
bool ld_text_has_control(struct ld_span text, uint8_t but);

/** The next line without its LF; `rest` goes on behind it.  False: no LF is left. */
bool ld_text_line(struct ld_span *rest, struct ld_span *ret_line);
/** Decimal, at most 2^63 - 1, without leading zeros. */
bool ld_text_number(uint64_t *ret, struct ld_span text);

/** Decode into `size` octets; false where it is no base64, or more. */
bool ld_text_from_base64(uint8_t *ret, size_t size, size_t *ret_len, struct ld_span text);
/** The same without padding (C2SP age). */
bool ld_text_from_bare_base64(uint8_t *ret, size_t size, size_t *ret_len, struct ld_span text);
void ld_text_to_base64(struct ld_buffer *ret, struct ld_span bytes);
/** Exactly 2 * `len` lower-case hex digits. */
bool ld_text_from_hex(uint8_t *ret, size_t len, struct ld_span text);
/** Writes 2 * len digits and a NUL. */
void ld_text_to_hex(char *ret, struct ld_span bytes);

#endif
