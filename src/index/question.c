/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/question.h"

#define EACH_OCTET 0x0101010101010101u

/* Eight octets at once, ASCII letters to lower case. */
static inline uint64_t
word_lower(uint64_t word)
{
	uint64_t low = word & EACH_OCTET * 0x7f;
	uint64_t from_a = low + EACH_OCTET * (0x80 - 'A');
	uint64_t past_z = low + EACH_OCTET * (0x80 - 'Z' - 1);

	return word | (from_a & ~past_z & ~word & EACH_OCTET * 0x80) >> 2;
}

/* Bit 7 of each octet that is this one (and perhaps of one above such an octet). */
static inline uint64_t
word_has(uint64_t word, uint8_t octet)
{
	uint64_t differ = word ^ EACH_OCTET * octet;

	return (differ - EACH_OCTET) & ~differ & EACH_OCTET * 0x80;
}

/* Bit 7 of each octet that is a dot, if none has bit 7. */
static inline uint64_t
word_dots(uint64_t word)
{
	uint64_t differ = word ^ EACH_OCTET * '.';

	return ~(differ + EACH_OCTET * 0x7f) & EACH_OCTET * 0x80;
}

/* The last `left` < 8 octets of `text`, zeros behind. */
static inline uint64_t
word_last(const uint8_t *text, size_t len, size_t left)
{
	uint64_t word = 0;

	/* The last eight octets, moved down: no loop, whose end could not be foretold. */
	if (__builtin_expect(len >= 8, 1))
		return ld_get_le64(text + len - 8) >> (8 * (8 - left));
	for (size_t i = 0; i < left; i++)
		word |= (uint64_t)text[i] << (8 * i);
	return word;
}

/* What was seen in a text, over all of its words. */
struct seen {
	uint64_t octets, separators;
};

/* Eight octets to lower case into the question.  Returns them as they were. */
static inline uint64_t
word_take(struct ld_question *q, size_t at, uint64_t word, struct seen *seen)
{
	seen->octets |= word;
	seen->separators |= word_has(word, LD_KEY_SEPARATOR);
	ld_put_le64(q->text + at, word_lower(word));
	return word;
}

/* Bit 7 of each octet to the bits of one octet. */
static inline uint8_t
dots_pack(uint64_t word)
{
	return (uint8_t)((word_dots(word) >> 7) * 0x0102040810204080 >> 56);
}

/* Label number `i`, the last one being 0.  False: no label is so long, or empty. */
static inline bool
label_add(struct ld_question *q, unsigned i, size_t start, size_t end)
{
	size_t len = end - start;

	q->start[i] = (uint8_t)start;
	q->len[i] = (uint8_t)len;
	q->hashes[i + 1] = ld_key_hash_label(q->hashes[i], q->text + start, len);
	return len - 1 < LD_LABEL_MAX;
}

int
ld_question_from_text(struct ld_question *q, const char *name, size_t len)
{
	uint8_t dots[LD_NAME_WIRE_MAX / 8 + 1 + 8]; /* a bit for each octet */
	const uint8_t *text = (const uint8_t *)name;
	struct seen seen = {0, 0};
	unsigned labels = 0;
	size_t at = 0;

	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len == 0 || len > LD_HOST_MAX)
		return LINDUNG_ENAME;
	for (; len - at >= 8; at += 8)
		dots[at / 8] = dots_pack(word_take(q, at, ld_get_le64(text + at), &seen));
	if (at < len)
		dots[at / 8] = dots_pack(word_take(q, at, word_last(text, len, len - at), &seen));
	if ((seen.octets & EACH_OCTET * 0x80) != 0)
		return LINDUNG_ENOTASCII;
	q->odd = seen.separators != 0;
	q->has_key = false;
	q->hashes[0] = LD_KEY_HASH_ROOT;
	size_t end = len;
	ld_put_le64(dots + (len + 7) / 8, 0);
	for (at = (len - 1) / 64 * 64;; at -= 64) {
		for (uint64_t mask = ld_get_le64(dots + at / 8); mask != 0;) {
			size_t dot = at + 63 - (unsigned)__builtin_clzll(mask);

			if (!label_add(q, labels++, dot + 1, end))
				return LINDUNG_ENAME;
			end = dot;
			mask ^= UINT64_C(1) << (dot & 63);
		}
		if (at == 0)
			break;
	}
	if (!label_add(q, labels++, 0, end))
		return LINDUNG_ENAME;
	q->labels = labels;
	return LINDUNG_OK;
}

int
ld_question_from_wire(struct ld_question *q, const uint8_t *wire, size_t len)
{
	uint8_t starts[LD_NAME_LABELS_MAX + 1];
	struct seen seen = {0, 0};
	unsigned labels = 0;
	size_t at = 0;

	if (len == 0 || len > LD_NAME_WIRE_MAX)
		return LINDUNG_ENAME;
	while (wire[at] != 0) {
		if (wire[at] > LD_LABEL_MAX || at + wire[at] + 1u >= len)
			return LINDUNG_ENAME;
		starts[labels++] = (uint8_t)at;
		at += wire[at] + 1u;
	}
	if (at + 1 != len)
		return LINDUNG_ENAME;
	/* Lengths are below 'A', so that they pass through unchanged. */
	size_t i = 0;
	for (; at - i >= 8; i += 8)
		word_take(q, i, ld_get_le64(wire + i), &seen);
	if (i < at)
		word_take(q, i, word_last(wire, at, at - i), &seen);
	q->odd = seen.separators != 0;
	q->has_key = false;
	q->hashes[0] = LD_KEY_HASH_ROOT;
	q->labels = labels;
	for (unsigned label = 0; label < labels; label++) {
		size_t start = starts[labels - 1 - label];

		label_add(q, label, start + 1, start + 1 + wire[start]);
	}
	return LINDUNG_OK;
}

/* Copy a label, eight octets at a time: both ends have room behind them. */
static size_t
label_copy(uint8_t *to, const uint8_t *from, size_t len, bool odd)
{
	for (size_t i = 0; i < len; i += 8)
		ld_put_le64(to + i, ld_get_le64(from + i));
	/* A separator within a label must not pass for the end of one. */
	for (size_t i = 0; odd && i < len; i++)
		if (to[i] == LD_KEY_SEPARATOR)
			to[i] = LD_KEY_SEPARATOR + 1;
	return len;
}

struct ld_span
ld_question_key(struct ld_question *q, unsigned labels)
{
	if (!q->has_key) {
		size_t at = 0;

		q->has_key = true;
		for (unsigned i = 0; i < q->labels; i++) {
			if (i != 0)
				q->key[at++] = LD_KEY_SEPARATOR;
			at += label_copy(q->key + at, q->text + q->start[i], q->len[i], q->odd);
			q->key_len[i + 1] = (uint16_t)at;
		}
	}
	return ld_span(q->key, q->key_len[labels]);
}
