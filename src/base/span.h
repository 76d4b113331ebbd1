/* Bytes with a length: how text and data are handed about.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A span never owns what it points at.  {NULL, 0} is the empty span. */
#ifndef LD_BASE_SPAN_H
#define LD_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ld_span {
	const uint8_t *data;
	size_t len;
};

/** The span of a string literal. */
#define LD_SPAN(literal) ((struct ld_span){(const uint8_t *)("" literal), sizeof(literal) - 1})

static inline struct ld_span
ld_span(const void *data, size_t len)
{
	return (struct ld_span){(const uint8_t *)data, len};
}

/** The span of a terminated string; NULL gives the empty span. */
static inline struct ld_span
ld_span_str(const char *text)
{
	return (struct ld_span){(const uint8_t *)text, text != NULL ? strlen(text) : 0};
}

static inline bool
ld_span_equal(struct ld_span a, struct ld_span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/** Order by octets; of two that agree as far as the shorter goes, the shorter first. */
static inline int
ld_span_compare(struct ld_span a, struct ld_span b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n != 0 ? memcmp(a.data, b.data, n) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static inline bool
ld_span_starts(struct ld_span s, struct ld_span prefix)
{
	return s.len >= prefix.len &&
	       (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}

static inline bool
ld_span_ends(struct ld_span s, struct ld_span suffix)
{
	return s.len >= suffix.len && (suffix.len == 0 || memcmp(s.data + s.len - suffix.len,
								 suffix.data, suffix.len) == 0);
}

/** From `start` (clipped) to the end. */
static inline struct ld_span
ld_span_from(struct ld_span s, size_t start)
{
	if (start >= s.len)
		return (struct ld_span){s.data != NULL ? s.data + s.len : NULL, 0};
	return (struct ld_span){s.data + start, s.len - start};
}

/** The first `len` octets (clipped). */
static inline struct ld_span
ld_span_first(struct ld_span s, size_t len)
{
	return (struct ld_span){s.data, len < s.len ? len : s.len};
}

/** Without blanks, tabs and carriage returns at either end. */
static inline struct ld_span
ld_span_trim(struct ld_span s)
{
	while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t' || s.data[0] == '\r')) {
		s.data++;
		s.len--;
	}
	while (s.len > 0 &&
	       (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t' || s.data[s.len - 1] == '\r'))
		s.len--;
	return s;
}

/** Where `octet` stands first, or s.len. */
static inline size_t
ld_span_find(struct ld_span s, uint8_t octet)
{
	const uint8_t *at = s.len != 0 ? memchr(s.data, octet, s.len) : NULL;

	return at != NULL ? (size_t)(at - s.data) : s.len;
}

/** Read a number of 1 to `digits_max` (at most 19) decimal digits and nothing else; zeros may lead.
 * False, and nothing changed, for anything else. */
static inline bool
ld_span_number(uint64_t *ret, struct ld_span s, size_t digits_max)
{
	uint64_t n = 0;

	if (s.len == 0 || s.len > digits_max)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] < '0' || s.data[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(s.data[i] - '0');
	}
	*ret = n;
	return true;
}

/** Whether one of the octets stands in it. */
static inline bool
ld_span_has_any(struct ld_span s, const char *octets)
{
	for (; *octets != '\0'; octets++) {
		if (ld_span_find(s, (uint8_t)*octets) != s.len)
			return true;
	}
	return false;
}

#endif
