/* SPDX-License-Identifier: BSD-2-Clause */
#include "name/prose.h"

#include <stdlib.h>

#include <uninorm.h>
#include <unistr.h>

static const struct {
	uint32_t first, last;
} ranges[] = {
#include "name/prose_table.h"
};

static bool
is_taken(uint32_t code)
{
	size_t low = 0, high = sizeof ranges / sizeof ranges[0];

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (code > ranges[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	return low < sizeof ranges / sizeof ranges[0] && code >= ranges[low].first;
}

static bool
is_printable_ascii(struct ld_span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < 0x20 || text.data[i] > 0x7e)
			return false;
	}
	return true;
}

static int
form_check(struct ld_span text, const char **ret_fault)
{
	uint8_t room[LD_PROSE_MAX_BYTES];
	size_t len = sizeof room;
	uint8_t *normal = u8_normalize(UNINORM_NFC, text.data, text.len, room, &len);

	if (normal == NULL)
		return LINDUNG_ENOMEM;
	bool same = ld_span_equal(ld_span(normal, len), text);
	if (normal != room)
		free(normal);
	if (!same)
		*ret_fault = "is not in Unicode normal form C";
	return same ? LINDUNG_OK : LINDUNG_ESYNTAX;
}

int
ld_prose_check(struct ld_span text, const char **ret_fault)
{
	if (text.len > LD_PROSE_MAX_BYTES) {
		*ret_fault = "is too long";
		return LINDUNG_ESYNTAX;
	}
	if (is_printable_ascii(text))
		return LINDUNG_OK;
	if (u8_check(text.data, text.len) != NULL) {
		*ret_fault = "is not UTF-8";
		return LINDUNG_ESYNTAX;
	}
	for (size_t at = 0; at < text.len;) {
		ucs4_t code;

		at += (size_t)u8_mbtouc(&code, text.data + at, text.len - at);
		if (!is_taken(code)) {
			*ret_fault =
				"has a character that may not stand in it: a control, one that "
				"turns or hides text, a blank other than U+0020, or one that "
				"Unicode 14.0 does not have";
			return LINDUNG_ESYNTAX;
		}
	}
	return form_check(text, ret_fault);
}
