/* SPDX-License-Identifier: BSD-2-Clause */
#include "log/text.h"

#include <sodium.h>

/* One code point from the front of `text`; its length, or 0 where it is not well-formed. */
static size_t
code_point(struct ld_span text, uint32_t *ret)
{
	static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = text.data[0];
	size_t len = first < 0x80 ? 1 : (first >> 5) == 6 ? 2 : (first >> 4) == 14 ? 3 : 4;
	uint32_t point = len == 1 ? first : first & (0xffU >> (len + 1));

	if (len == 4 && (first >> 3) != 30)
		return 0;
	if (len > text.len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((text.data[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (text.data[i] & 0x3f);
	}
	if (point < smallest[len] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*ret = point;
	return len;
}

bool
ld_text_is_utf8(struct ld_span text)
{
	uint32_t point;

	while (text.len != 0) {
		size_t len = code_point(text, &point);

		if (len == 0)
			return false;
		text = ld_span_from(text, len);
	}
	return true;
}

static bool
is_space(uint32_t point)
{
	return (point >= 0x09 && point <= 0x0d) || point == 0x20 || point == 0x85 ||
	       point == 0xa0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200a) ||
	       point == 0x2028 || point == 0x2029 || point == 0x202f || point == 0x205f ||
	       point == 0x3000;
}

bool
ld_text_has_space(struct ld_span text)
{
	uint32_t point;

	while (text.len != 0) {
		size_t len = code_point(text, &point);

		if (len == 0 || is_space(point))
			return true;
		text = ld_span_from(text, len);
	}
	return false;
}

bool
ld_text_has_control(struct ld_span text, uint8_t but)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < 0x20 && (but == 0 || text.data[i] != but))
			return true;
	}
	return false;
}

bool
ld_text_line(struct ld_span *rest, struct ld_span *ret_line)
{
	size_t len = ld_span_find(*rest, '\n');

	if (len == rest->len)
		return false;
	*ret_line = ld_span_first(*rest, len);
	*rest = ld_span_from(*rest, len + 1);
	return true;
}

bool
ld_text_number(uint64_t *ret, struct ld_span text)
{
	uint64_t n;

	/* 19 digits do not overflow 64 bits. */
	if ((text.len > 1 && text.data[0] == '0') || !ld_span_number(&n, text, 19) || n > INT64_MAX)
		return false;
	*ret = n;
	return true;
}

static bool
from_base64(uint8_t *ret, size_t size, size_t *ret_len, struct ld_span text, int variant)
{
	size_t len;
	const char *end;

	/* libsodium 1.0.18 takes some octets above 0x7f for digits. */
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] >= 0x80)
			return false;
	}
	if (sodium_base642bin(ret, size, (const char *)text.data, text.len, NULL, &len, &end,
			      variant) != 0 ||
	    end != (const char *)text.data + text.len)
		return false;
	*ret_len = len;
	return true;
}

bool
ld_text_from_base64(uint8_t *ret, size_t size, size_t *ret_len, struct ld_span text)
{
	return from_base64(ret, size, ret_len, text, sodium_base64_VARIANT_ORIGINAL);
}

bool
ld_text_from_bare_base64(uint8_t *ret, size_t size, size_t *ret_len, struct ld_span text)
{
	return from_base64(ret, size, ret_len, text, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
}

void
ld_text_to_base64(struct ld_buffer *ret, struct ld_span bytes)
{
	size_t size = sodium_base64_ENCODED_LEN(bytes.len, sodium_base64_VARIANT_ORIGINAL);
	uint8_t *room = ld_buffer_room(ret, size);

	if (room == NULL)
		return;
	sodium_bin2base64((char *)room, size, bytes.data, bytes.len,
			  sodium_base64_VARIANT_ORIGINAL);
	ret->len--; /* the NUL */
}

bool
ld_text_from_hex(uint8_t *ret, size_t len, struct ld_span text)
{
	if (text.len != 2 * len)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		uint8_t v;

		if (c >= '0' && c <= '9')
			v = (uint8_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = (uint8_t)(c - 'a' + 10);
		else
			return false;
		ret[i / 2] = (uint8_t)(i % 2 == 0 ? v << 4 : ret[i / 2] | v);
	}
	return true;
}

void
ld_text_to_hex(char *ret, struct ld_span bytes)
{
	sodium_bin2hex(ret, 2 * bytes.len + 1, bytes.data, bytes.len);
}
