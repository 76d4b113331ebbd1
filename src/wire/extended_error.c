/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/extended_error.h"

#include "wire/dns.h"

void
ld_ede_put(struct ld_writer *edes, uint16_t code, struct ld_span text)
{
	uint8_t *room = ld_writer_room(edes, LD_EDE_BYTES + text.len);

	if (room == NULL)
		return;
	ld_put_be16(room, LD_OPTION_EDE);
	ld_put_be16(room + 2, (uint16_t)(2 + text.len));
	ld_put_be16(room + 4, code);
	if (text.len != 0)
		memcpy(room + LD_EDE_BYTES, text.data, text.len);
}

size_t
ld_utf8_character(struct ld_span text)
{
	/* By the first octet: how many, and between what the second is. */
	static const struct {
		uint8_t first, last, octets, low, high;
	} rows[] = {
		{0x00, 0x7f, 1, 0, 0},       {0xc2, 0xdf, 2, 0x80, 0xbf},
		{0xe0, 0xe0, 3, 0xa0, 0xbf}, {0xe1, 0xec, 3, 0x80, 0xbf},
		{0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
		{0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf},
		{0xf4, 0xf4, 4, 0x80, 0x8f},
	};

	if (text.len == 0)
		return 0;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (text.data[0] < rows[i].first || text.data[0] > rows[i].last)
			continue;
		if (rows[i].octets > text.len)
			return 0;
		if (rows[i].octets > 1 &&
		    (text.data[1] < rows[i].low || text.data[1] > rows[i].high))
			return 0;
		for (size_t j = 2; j < rows[i].octets; j++) {
			if ((text.data[j] & 0xc0) != 0x80)
				return 0;
		}
		return rows[i].octets;
	}
	return 0;
}

void
ld_utf8_clean(struct ld_writer *w, struct ld_span text)
{
	while (text.len != 0) {
		size_t octets = ld_utf8_character(text);
		struct ld_span character = ld_span_first(text, octets);

		if (octets == 0)
			character = LD_SPAN("\xef\xbf\xbd");
		else if (octets == 1 && (text.data[0] < ' ' || text.data[0] == 0x7f))
			character = LD_SPAN(" ");
		if (w->failed || character.len > w->size - w->len)
			return;
		ld_writer_bytes(w, character);
		text = ld_span_from(text, octets != 0 ? octets : 1);
	}
}

void
ld_ede_put_foreign(struct ld_writer *edes, uint16_t code, struct ld_span text)
{
	uint8_t memory[LD_EDE_TEXT_MAX_BYTES];
	struct ld_writer clean = ld_writer(memory, sizeof memory);

	ld_utf8_clean(&clean, text);
	ld_ede_put(edes, code, ld_span(clean.data, clean.len));
}

bool
ld_ede_next(struct ld_span *edes, struct ld_ede_read *ret)
{
	if (edes->len < LD_EDE_BYTES)
		return false;
	size_t len = ld_get_be16(edes->data + 2);
	if (len < 2 || len > edes->len - 4)
		return false;
	ret->code = ld_get_be16(edes->data + 4);
	ret->text = ld_span(edes->data + LD_EDE_BYTES, len - 2);
	*edes = ld_span_from(*edes, 4 + len);
	return true;
}

bool
ld_ede_fit(struct ld_writer *w, struct ld_span edes, size_t room)
{
	struct ld_ede_read one;

	if (edes.len <= room) {
		ld_writer_bytes(w, edes);
		return true;
	}
	for (; room >= LD_EDE_BYTES && ld_ede_next(&edes, &one); room -= LD_EDE_BYTES)
		ld_ede_put(w, one.code, (struct ld_span){NULL, 0});
	return edes.len == 0;
}
