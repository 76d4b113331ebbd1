/* SPDX-License-Identifier: BSD-2-Clause */
#include "log/parcel.h"

#include "log/note.h"

/* U+2014 and a blank. */
static const struct ld_span signature_start = {(const uint8_t *)"\xe2\x80\x94 ", 4};

int
ld_parcel_split(struct ld_parcel *ret, struct ld_span bytes, struct ld_report *report)
{
	struct ld_span start = ld_span_first(bytes, LD_NOTE_MAX_BYTES + 1);
	const uint8_t *blank = start.len != 0 ? memmem(start.data, start.len, "\n\n", 2) : NULL;
	size_t at = blank != NULL ? (size_t)(blank - start.data) + 2 : 0, first = at;

	if (bytes.len > LD_PARCEL_MAX_BYTES)
		return ld_fail(report, LINDUNG_ELIMIT, "longer than %d octets",
			       LD_PARCEL_MAX_BYTES);
	while (at != 0 && ld_span_starts(ld_span_from(start, at), signature_start)) {
		size_t end = ld_span_find(ld_span_from(start, at), '\n');

		if (at + end == start.len)
			return ld_fail(report, LINDUNG_ESYNTAX,
				       "a signature line that does not end: the file is cut, or "
				       "longer than a note may be (%d octets)",
				       LD_NOTE_MAX_BYTES);
		at += end + 1;
	}
	if (at == first)
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "this is no signed statement: there is no signature under it");
	ret->note = ld_span_first(bytes, at);
	ret->block = ld_span_from(bytes, at);
	return LINDUNG_OK;
}
