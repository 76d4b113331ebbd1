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

/* The octets of `text` from `at` on, up to eight of them, zeros behind the end. */
static inline uint64_t
word_load(const uint8_t *text, size_t len, size_t at)
{
	uint64_t word = 0;
	size_t left = len - at;

	if (left >= 8)
		return ld_get_le64(text + at);
	/* The last eight octets, moved down: no loop, whose end could not be foretold. */
	if (len >= 8)
		return ld_get_le64(text + len - 8) >> (8 * (8 - left));
	for (size_t i = 0; i < left; i++)
		word |= (uint64_t)text[at + i] << (8 * i);
	return word;
}

int
ld_question_from_text(struct ld_question *q, const char *name, size_t len)
{
	uint8_t ends[LD_NAME_LABELS_MAX + 2];
	unsigned labels = 0;
	size_t start = 0;
	uint64_t odd = 0;

	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len == 0 || len > LD_HOST_MAX)
		return LINDUNG_ENAME;
	for (size_t at = 0; at < len; at += 8) {
		uint64_t word = word_load((const uint8_t *)name, len, at);

		if ((word & EACH_OCTET * 0x80) != 0)
			return LINDUNG_ENOTASCII;
		odd |= word_has(word, LD_KEY_SEPARATOR);
		ld_put_le64(q->text + at, word_lower(word));
		for (uint64_t dots = word_dots(word); dots != 0; dots &= dots - 1) {
			size_t end = at + (unsigned)__builtin_ctzll(dots) / 8;

			if (end - start - 1 >= LD_LABEL_MAX)
				return LINDUNG_ENAME;
			ends[labels++] = (uint8_t)end;
			start = end + 1;
		}
	}
	if (len - start - 1 >= LD_LABEL_MAX)
		return LINDUNG_ENAME;
	ends[labels++] = (uint8_t)len;
	q->odd = odd != 0;
	q->has_key = false;
	q->labels = labels;
	for (unsigned i = 0; i < labels; i++) {
		unsigned from = labels - 1 - i;
		unsigned begin = from > 0 ? ends[from - 1] + 1u : 0;

		q->start[i] = (uint8_t)begin;
		q->len[i] = (uint8_t)(ends[from] - begin);
	}
	return LINDUNG_OK;
}

int
ld_question_from_wire(struct ld_question *q, const uint8_t *wire, size_t len)
{
	uint8_t starts[LD_NAME_LABELS_MAX + 1];
	unsigned labels = 0;
	size_t at = 0;
	uint64_t odd = 0;

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
	for (size_t i = 0; i < at; i += 8) {
		uint64_t word = word_load(wire, at, i);

		odd |= word_has(word, LD_KEY_SEPARATOR);
		ld_put_le64(q->text + i, word_lower(word));
	}
	q->odd = odd != 0;
	q->has_key = false;
	q->labels = labels;
	for (unsigned i = 0; i < labels; i++) {
		q->start[i] = (uint8_t)(starts[labels - 1 - i] + 1);
		q->len[i] = wire[starts[labels - 1 - i]];
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

void
ld_question_hash(const struct ld_question *q, uint64_t hashes[LD_NAME_LABELS_MAX + 1])
{
	uint64_t hash = LD_KEY_HASH_ROOT;

	for (unsigned i = 0; i < q->labels; i++) {
		hash = ld_key_hash_label(hash, q->text + q->start[i], q->len[i]);
		hashes[i + 1] = hash;
	}
}
