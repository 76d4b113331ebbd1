/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/cookie.h"

#include <sys/random.h>

#include "base/bytes.h"
#include "base/error.h"

enum {
	VERSION = 1,
	/* Where in a cookie: client's part, version, reserved, time, hash. */
	VERSION_AT = LD_COOKIE_CLIENT_BYTES,
	TIME_AT = 12,
	HASH_AT = 16,
	DAY_S = 86400,
};

int
ld_cookie_secrets_init(struct ld_cookie_secrets *secrets, const uint8_t *given, unsigned count)
{
	if (count > LD_COOKIE_SECRETS_MAX)
		return LINDUNG_ELIMIT;
	secrets->daily = count == 0;
	secrets->count = count != 0 ? count : 1;
	if (count != 0)
		memcpy(secrets->secrets, given, (size_t)count * LD_COOKIE_SECRET_BYTES);
	else if (getrandom(secrets->secrets[0], LD_COOKIE_SECRET_BYTES, 0) !=
		 LD_COOKIE_SECRET_BYTES)
		return LINDUNG_EIO;
	return LINDUNG_OK;
}

/* The key of the day that this second lies in. */
static const uint8_t *
day_key(const struct ld_cookie_secrets *secrets, struct ld_cookie_day days[2], uint32_t time_s)
{
	uint32_t number = time_s / DAY_S + 1;
	struct ld_cookie_day *day = &days[number & 1];
	uint8_t text[5];

	if (day->number == number)
		return day->key;
	day->number = number;
	ld_put_be32(text, number);
	for (unsigned half = 0; half < 2; half++) {
		text[4] = (uint8_t)half;
		ld_put_le64(day->key + 8 * half,
			    ld_siphash(secrets->secrets[0], ld_span(text, sizeof text)));
	}
	return day->key;
}

/* Hash over all but itself, and the address. */
static uint64_t
cookie_hash(const uint8_t *key, const uint8_t cookie[LD_COOKIE_BYTES], struct ld_span address)
{
	uint8_t text[HASH_AT + 16];

	memcpy(text, cookie, HASH_AT);
	memcpy(text + HASH_AT, address.data, address.len);
	return ld_siphash(key, ld_span(text, HASH_AT + address.len));
}

static bool
is_ours(const struct ld_cookie_secrets *secrets, struct ld_cookie_day days[2],
	const uint8_t cookie[LD_COOKIE_BYTES], struct ld_span address)
{
	uint64_t hash = ld_get_le64(cookie + HASH_AT);

	if (secrets->daily)
		return cookie_hash(day_key(secrets, days, ld_get_be32(cookie + TIME_AT)), cookie,
				   address) == hash;
	for (unsigned i = 0; i < secrets->count; i++) {
		if (cookie_hash(secrets->secrets[i], cookie, address) == hash)
			return true;
	}
	return false;
}

bool
ld_cookie_take(const struct ld_cookie_secrets *secrets, struct ld_cookie_day days[2],
	       struct ld_span cookie, struct ld_span address, uint32_t now_s,
	       uint8_t ret[LD_COOKIE_BYTES])
{
	bool valid = false;

	LD_ASSERT(address.len <= 16);
	if (cookie.len == LD_COOKIE_BYTES && cookie.data[VERSION_AT] == VERSION) {
		/* Serial numbers (RFC 1982): the clock's 32 bits come round in 2106. */
		int32_t age_s = (int32_t)(now_s - ld_get_be32(cookie.data + TIME_AT));

		valid = age_s <= LD_COOKIE_AGE_MAX_S && age_s >= -LD_COOKIE_AHEAD_MAX_S &&
			is_ours(secrets, days, cookie.data, address);
		if (valid && age_s <= LD_COOKIE_RENEW_S) {
			memcpy(ret, cookie.data, LD_COOKIE_BYTES);
			return true;
		}
	}
	memcpy(ret, cookie.data, LD_COOKIE_CLIENT_BYTES);
	memset(ret + VERSION_AT, 0, HASH_AT - VERSION_AT);
	ret[VERSION_AT] = VERSION;
	ld_put_be32(ret + TIME_AT, now_s);
	const uint8_t *key = secrets->daily ? day_key(secrets, days, now_s) : secrets->secrets[0];
	ld_put_le64(ret + HASH_AT, cookie_hash(key, ret, address));
	return valid;
}
