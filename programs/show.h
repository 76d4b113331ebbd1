/* What people read on a terminal: text of strangers made harmless, numbers made readable.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROGRAMS_SHOW_H
#define LD_PROGRAMS_SHOW_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "base/span.h"

enum { LD_SHOW_MAX_BYTES = 400 }; /* of a stranger's line, before escaping */

/** Print text that a stranger wrote: control characters (those of a terminal, too) and what is not
 * UTF-8 as \xHH, a backslash as \\; at most LD_SHOW_MAX_BYTES of it. */
void ld_show_text(FILE *to, struct ld_span text);

/** "1,707,530" */
struct ld_number {
	char text[32];
};
struct ld_number ld_show_number(uint64_t n);
/** "3.9 MB" (powers of 1000) */
struct ld_number ld_show_bytes(uint64_t n);
/** "2026-11-22"; "none" for day 0 */
struct ld_number ld_show_day(uint32_t days);

/** A JSON string; octets that are not UTF-8 are replaced, so that it always is one. */
json_t *ld_show_json(struct ld_span text);
/** Print the object on a line of its own, and give it back.  False: no memory, or no output. */
bool ld_show_object(FILE *to, json_t *object);

/** Everything that was printed on standard output has arrived; else say so. */
bool ld_show_end(const char *program);

#endif
