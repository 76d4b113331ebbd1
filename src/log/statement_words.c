/* What statements are made of: words, ids, times.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <time.h>

#include "log/merkle.h"
#include "log/statement.h"

static const struct {
	const char *key, *text;
} actions[] = {
#define LD_X(symbol, key, text) [LD_STATEMENT_##symbol] = {key, text},
	LD_STATEMENT_ACTIONS(LD_X)
#undef LD_X
};

static const char *const kinds[] = {
#define LD_X(symbol, key) [LD_PARTY_##symbol] = (key),
	LD_PARTY_KINDS(LD_X)
#undef LD_X
};

const char *
ld_statement_action_key(enum ld_statement_action action)
{
	return actions[action].key;
}

const char *
ld_statement_action_text(enum ld_statement_action action)
{
	return actions[action].text;
}

const char *
ld_party_kind_key(enum ld_party_kind kind)
{
	return kinds[kind];
}

int
ld_party_kind_find(struct ld_span key)
{
	for (int i = 0; i < LD_PARTY_KIND_COUNT; i++) {
		if (ld_span_equal(key, ld_span_str(kinds[i])))
			return i;
	}
	return -1;
}

/* ---- Ids and times -------------------------------------------------------------------------- */

void
ld_statement_id(uint8_t ret[LD_STATEMENT_ID_BYTES], struct ld_span text)
{
	struct ld_hash hash;

	ld_hash_of(&hash, text);
	memcpy(ret, hash.bytes, LD_STATEMENT_ID_BYTES);
}

void
ld_statement_time_format(char *ret, int64_t time_s, bool day_alone)
{
	struct tm tm;
	time_t t = time_s < 0                         ? 0
		   : time_s > LD_STATEMENT_TIME_MAX_S ? LD_STATEMENT_TIME_MAX_S
						      : time_s;

	gmtime_r(&t, &tm);
	strftime(ret, day_alone ? LD_STATEMENT_DAY_TEXT + 1 : LD_STATEMENT_TIME_TEXT + 1,
		 day_alone ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* The digits of "2026-11-22T07:00:00Z" at that place. */
static int
digits(struct ld_span text, size_t at, size_t len)
{
	int n = 0;

	for (size_t i = at; i < at + len; i++)
		n = n * 10 + (text.data[i] - '0');
	return n;
}

int
ld_statement_time_parse(int64_t *ret, struct ld_span text, bool day_alone)
{
	char again[LD_STATEMENT_TIME_TEXT + 1];
	struct tm tm = {0};

	if (text.len != (day_alone ? LD_STATEMENT_DAY_TEXT : LD_STATEMENT_TIME_TEXT))
		return LINDUNG_ESYNTAX;
	tm.tm_year = digits(text, 0, 4) - 1900;
	tm.tm_mon = digits(text, 5, 2) - 1;
	tm.tm_mday = digits(text, 8, 2);
	if (!day_alone) {
		tm.tm_hour = digits(text, 11, 2);
		tm.tm_min = digits(text, 14, 2);
		tm.tm_sec = digits(text, 17, 2);
	}
	/* What is no digit, and what is no day, comes out as something else. */
	time_t t = timegm(&tm);
	if (t < 0 || t > LD_STATEMENT_TIME_MAX_S)
		return LINDUNG_ESYNTAX;
	ld_statement_time_format(again, t, day_alone);
	if (!ld_span_equal(ld_span_str(again), text))
		return LINDUNG_ESYNTAX;
	*ret = t;
	return LINDUNG_OK;
}
