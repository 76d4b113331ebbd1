/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/prefix.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* ---- Text --------------------------------------------------------------------------------- */

static int
fail_text(struct ld_report *report, struct ld_span text, const char *what)
{
	return ld_fail(report, LINDUNG_ESYNTAX, "\"%.*s\": %s",
		       (int)(text.len < 64 ? text.len : 64), (const char *)text.data, what);
}

static bool
bits_from_text(struct ld_span text, unsigned max, uint8_t *ret)
{
	unsigned value = 0;

	if (text.len == 0 || text.len > 3)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		value = value * 10 + (text.data[i] - '0');
	}
	*ret = (uint8_t)value;
	return value <= max;
}

/* Whether no bit is set behind the prefix. */
static bool
is_clean(const struct ld_prefix *prefix)
{
	for (unsigned i = prefix->bits; i < prefix->len * 8u; i++)
		if (prefix->octets[i / 8] & 0x80 >> i % 8)
			return false;
	return true;
}

int
ld_prefix_from_text(struct ld_prefix *ret, struct ld_span text, struct ld_report *report)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct ld_prefix prefix = {0};
	size_t slash = ld_span_find(text, '/');
	char host[INET6_ADDRSTRLEN] = "";

	if (slash < sizeof host && slash != 0)
		memcpy(host, text.data, slash);
	if (inet_pton(AF_INET, host, prefix.octets) == 1)
		prefix.len = 4;
	else if (inet_pton(AF_INET6, host, prefix.octets) == 1)
		prefix.len = 16;
	else
		return fail_text(report, text,
				 "expected a prefix, as 192.0.2.0/24 or 2001:db8::/32");
	prefix.bits = (uint8_t)(prefix.len * 8);
	if (slash < text.len &&
	    !bits_from_text(ld_span_from(text, slash + 1), prefix.bits, &prefix.bits))
		return fail_text(report, text,
				 prefix.len == 4 ? "expected a length from 0 to 32 behind the /"
						 : "expected a length from 0 to 128 behind the /");
	if (!is_clean(&prefix))
		return fail_text(report, text,
				 "the address has bits set behind the length: clear them, or make "
				 "the prefix longer");
	if (prefix.len == 16 && prefix.bits >= 96 &&
	    memcmp(prefix.octets, mapped, sizeof mapped) == 0) {
		memmove(prefix.octets, prefix.octets + 12, 4);
		memset(prefix.octets + 4, 0, 12);
		prefix.len = 4;
		prefix.bits = (uint8_t)(prefix.bits - 96);
	}
	*ret = prefix;
	return LINDUNG_OK;
}

/* ---- Sets --------------------------------------------------------------------------------- */

/* All addresses of a family in order are out, up to the first turn; in, from there to the second;
 * out again, and so on.  So an address is in if the number of turns up to it is odd. */
struct turns {
	unsigned __int128 *at;
	unsigned count;
	/* How many lie before the addresses with this first octet: the search begins there. */
	uint32_t before[257];
};

struct ld_prefixes {
	struct turns v4, v6;
};

/* A prefix as a range of numbers. */
struct range {
	unsigned __int128 first, last;
	bool in;
};

/* What a set is made in, and freed after. */
struct making {
	struct range *ranges;
	const struct range **open;
	struct turns turns;
};

/* By where it begins, the wider first; of the same two the one that is out comes last, and wins. */
static int
range_compare(const void *left, const void *right)
{
	const struct range *a = left, *b = right;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	if (a->last != b->last)
		return a->last > b->last ? -1 : 1;
	return b->in - a->in;
}

static unsigned __int128
number_of(const uint8_t *octets, unsigned len)
{
	unsigned __int128 number = 0;

	for (unsigned i = 0; i < len; i += 4)
		number = number << 32 | ld_get_be32(octets + i);
	return number;
}

static unsigned
ranges_add(struct range *ranges, unsigned at, const struct ld_prefix *prefixes, unsigned count,
	   unsigned len, bool in)
{
	for (unsigned i = 0; i < count; i++) {
		unsigned __int128 first = number_of(prefixes[i].octets, len);
		unsigned rest = len * 8 - prefixes[i].bits;
		/* All of IPv6: 0 - 1 is the last number. */
		unsigned __int128 size = rest >= 128 ? 0 : (unsigned __int128)1 << rest;

		if (prefixes[i].len == len)
			ranges[at++] = (struct range){first, first + (size - 1), in};
	}
	return at;
}

/* From `at` on it is `in`; what was said of `at` before does not count. */
static void
turn(struct turns *turns, unsigned __int128 at, bool in)
{
	if (turns->count != 0 && turns->at[turns->count - 1] == at)
		turns->count--;
	if (in != (turns->count % 2 != 0))
		turns->at[turns->count++] = at;
}

/* Prefixes nest or are apart: `open` is a stack of those that we are inside of. */
static void
turns_make(struct making *m, unsigned count, unsigned __int128 end)
{
	unsigned depth = 0;

	m->turns.count = 0;
	for (unsigned i = 0; i <= count; i++) {
		while (depth > 0 && (i == count || m->open[depth - 1]->last < m->ranges[i].first)) {
			unsigned __int128 last = m->open[--depth]->last;

			if (last != end)
				turn(&m->turns, last + 1, depth > 0 && m->open[depth - 1]->in);
		}
		if (i == count)
			break;
		m->open[depth++] = &m->ranges[i];
		turn(&m->turns, m->ranges[i].first, m->ranges[i].in);
	}
}

static int
turns_copy(struct turns *ret, const struct turns *turns, unsigned len)
{
	/* One more, so that an empty set is not a failed allocation. */
	ret->at = calloc(turns->count + 1u, sizeof ret->at[0]);
	if (ret->at == NULL)
		return LINDUNG_ENOMEM;
	memcpy(ret->at, turns->at, turns->count * sizeof ret->at[0]);
	ret->count = turns->count;
	for (unsigned i = 0, octet = 0; octet < 257; octet++) {
		while (i < ret->count && ret->at[i] >> (len * 8 - 8) < octet)
			i++;
		ret->before[octet] = i;
	}
	return LINDUNG_OK;
}

int
ld_prefixes_new(struct ld_prefixes **ret, const struct ld_prefix *in, unsigned in_count,
		const struct ld_prefix *out, unsigned out_count)
{
	size_t total = (size_t)in_count + out_count;
	struct making m = {0};
	struct ld_prefixes *set;
	int err = LINDUNG_ENOMEM;

	if (total > LD_PREFIXES_MAX)
		return LINDUNG_ELIMIT;
	set = calloc(1, sizeof *set);
	m.ranges = calloc(total + 1, sizeof m.ranges[0]);
	m.open = calloc(total + 1, sizeof m.open[0]);
	m.turns.at = calloc(2 * total + 1, sizeof m.turns.at[0]);
	if (set != NULL && m.ranges != NULL && m.open != NULL && m.turns.at != NULL)
		err = LINDUNG_OK;
	for (unsigned len = 4; len <= 16 && err == LINDUNG_OK; len += 12) {
		unsigned count = ranges_add(m.ranges, 0, in, in_count, len, true);

		count = ranges_add(m.ranges, count, out, out_count, len, false);
		qsort(m.ranges, count, sizeof m.ranges[0], range_compare);
		turns_make(&m, count, len == 4 ? UINT32_MAX : ~(unsigned __int128)0);
		err = turns_copy(len == 4 ? &set->v4 : &set->v6, &m.turns, len);
	}
	free(m.ranges);
	free(m.open);
	free(m.turns.at);
	if (err != LINDUNG_OK) {
		ld_prefixes_free(set);
		return err;
	}
	*ret = set;
	return LINDUNG_OK;
}

void
ld_prefixes_free(struct ld_prefixes *set)
{
	if (set == NULL)
		return;
	free(set->v4.at);
	free(set->v6.at);
	free(set);
}

bool
ld_prefixes_hold(const struct ld_prefixes *set, const uint8_t *octets, unsigned len)
{
	const struct turns *turns;
	unsigned __int128 key;
	unsigned base, left;

	if (set == NULL || (len != 4 && len != 16))
		return false;
	turns = len == 4 ? &set->v4 : &set->v6;
	key = number_of(octets, len);
	base = turns->before[octets[0]];
	/* Each step halves what is left, without a branch that depends on the key. */
	for (left = turns->before[octets[0] + 1] - base; left > 1; left -= left / 2)
		base += -(unsigned)(turns->at[base + left / 2 - 1] <= key) & (left / 2);
	return (base + (left == 1 && turns->at[base] <= key)) % 2 != 0;
}
