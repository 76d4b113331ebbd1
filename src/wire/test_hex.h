/* Octets as tests write them.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_WIRE_TEST_HEX_H
#define LD_WIRE_TEST_HEX_H

#include <stdlib.h>

#include "base/bytes.h"
#include "base/error.h"

/** Octets from hex, blanks left out; valid until the next call. */
static inline struct ld_span
hex(const char *text)
{
	static uint8_t memory[4096];
	struct ld_writer w = ld_writer(memory, sizeof memory);

	for (; *text != '\0'; text++) {
		if (*text == ' ')
			continue;
		char octet[3] = {text[0], text[1], '\0'};
		ld_writer_u8(&w, (uint8_t)strtoul(octet, NULL, 16));
		text++;
	}
	LD_ASSERT(!w.failed);
	return ld_span(w.data, w.len);
}

#endif
