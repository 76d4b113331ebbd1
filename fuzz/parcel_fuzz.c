/* Any bytes as a parcel: its two parts are all of it, and the note alone is a parcel without a
 * block. SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "log/note.h"
#include "log/parcel.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ld_parcel parcel, alone;
	struct ld_report report;

	if (ld_parcel_split(&parcel, ld_span(data, size), &report) != LINDUNG_OK)
		return 0;
	LD_ASSERT(parcel.note.len + parcel.block.len == size);
	LD_ASSERT(parcel.note.data == data && parcel.note.data[parcel.note.len - 1] == '\n');
	LD_ASSERT(parcel.note.len <= LD_NOTE_MAX_BYTES);
	LD_ASSERT(ld_parcel_split(&alone, parcel.note, &report) == LINDUNG_OK);
	LD_ASSERT(alone.note.len == parcel.note.len && alone.block.len == 0);
	return 0;
}
