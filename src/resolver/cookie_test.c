/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/error.h"
#include "resolver/cookie.h"

#define SECRET_1 "e5e973e5a6b2a43f48e7dc849e37bfcf"
#define SECRET_OLD "dd3bdf9344b678b185a6f5cb60fca715"
#define SECRET_NEW "445536bcd2513298075a5d379663c962"

static size_t
from_hex(const char *text, uint8_t *ret)
{
	size_t len = strlen(text) / 2;

	for (size_t i = 0; i < len; i++) {
		unsigned octet;

		assert_int_equal(sscanf(text + 2 * i, "%2x", &octet), 1);
		ret[i] = (uint8_t)octet;
	}
	return len;
}

static struct ld_span
address_of(const char *text, uint8_t memory[16])
{
	bool is_ipv6 = strchr(text, ':') != NULL;

	assert_int_equal(inet_pton(is_ipv6 ? AF_INET6 : AF_INET, text, memory), 1);
	return ld_span(memory, is_ipv6 ? 16 : 4);
}

struct row {
	const char *secrets[2];
	const char *address;
	uint32_t now_s;
	const char *cookie, *answer;
	bool valid;
};

static void
check(const struct row *row)
{
	struct ld_cookie_secrets secrets;
	struct ld_cookie_day days[2] = {0};
	uint8_t given[2][LD_COOKIE_SECRET_BYTES], cookie[40], wanted[LD_COOKIE_BYTES],
		got[LD_COOKIE_BYTES], memory[16];
	unsigned count = 0;

	for (; count < 2 && row->secrets[count] != NULL; count++)
		assert_int_equal(from_hex(row->secrets[count], given[count]), 16);
	assert_int_equal(ld_cookie_secrets_init(&secrets, given[0], count), LINDUNG_OK);
	size_t len = from_hex(row->cookie, cookie);
	assert_int_equal(from_hex(row->answer, wanted), LD_COOKIE_BYTES);
	assert_int_equal(ld_cookie_take(&secrets, days, ld_span(cookie, len),
					address_of(row->address, memory), row->now_s, got),
			 row->valid);
	assert_memory_equal(got, wanted, sizeof got);
}

/* Appendix A.  In A.3 the client's cookie is valid at the time it was made; by the time of the
 * answer it is older than an hour. */
static void
rfc9018_vectors(void **state)
{
	static const struct row rows[] = {
		/* A.1: learning a new one. */
		{{SECRET_1},
		 "198.51.100.100",
		 1559731985,
		 "2464c4abcf10c957",
		 "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
		 false},
		/* A.2: the same client, 40 minutes later. */
		{{SECRET_1},
		 "198.51.100.100",
		 1559734385,
		 "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
		 "2464c4abcf10c957010000005cf7a871d4a564a1442aca77",
		 true},
		/* A.3: reserved octets that are not 0. */
		{{SECRET_1},
		 "203.0.113.203",
		 1559727985,
		 "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
		 "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
		 true},
		{{SECRET_1},
		 "203.0.113.203",
		 1559734700,
		 "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
		 "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e",
		 false},
		/* A.4: IPv6, and a secret that has been replaced.  The cookie is young enough to
		 * be answered as it is. */
		{{SECRET_NEW, SECRET_OLD},
		 "2001:db8:220:1:59de:d0f4:8769:82b8",
		 1559741961,
		 "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
		 "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
		 true},
		{{SECRET_NEW},
		 "2001:db8:220:1:59de:d0f4:8769:82b8",
		 1559741961,
		 "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
		 "22681ab97d52c298010000005cf7c609a6bb79d16625507a",
		 false},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		check(&rows[i]);
}

static struct ld_cookie_secrets random_secrets;

static bool
take(struct ld_span cookie, const char *address, uint32_t now_s, uint8_t ret[LD_COOKIE_BYTES])
{
	struct ld_cookie_day days[2] = {0};
	uint8_t memory[16];

	return ld_cookie_take(&random_secrets, days, cookie, address_of(address, memory), now_s,
			      ret);
}

static void
lifetime_and_address(void **state)
{
	static const uint32_t made_s[] = {1700000000, 1700006400 /* the first second of a day */,
					  UINT32_MAX - 10, 5};
	uint8_t cookie[LD_COOKIE_BYTES], next[LD_COOKIE_BYTES];

	(void)state;
	assert_int_equal(ld_cookie_secrets_init(&random_secrets, NULL, 0), LINDUNG_OK);
	for (unsigned i = 0; i < sizeof made_s / sizeof *made_s; i++) {
		uint32_t t = made_s[i];
		struct ld_span ours = ld_span(cookie, sizeof cookie);

		assert_false(take(LD_SPAN("abcdefgh"), "192.0.2.1", t, cookie));
		assert_memory_equal(cookie, "abcdefgh\1\0\0\0", 12);
		assert_true(take(ours, "192.0.2.1", t, next));
		assert_memory_equal(next, cookie, sizeof next);
		assert_true(take(ours, "192.0.2.1", t + LD_COOKIE_RENEW_S, next));
		assert_memory_equal(next, cookie, sizeof next);
		/* Renewed, and the new one is good in its turn. */
		assert_true(take(ours, "192.0.2.1", t + LD_COOKIE_RENEW_S + 1, next));
		assert_memory_not_equal(next, cookie, sizeof next);
		assert_true(take(ld_span(next, sizeof next), "192.0.2.1", t + 5000, next));
		assert_true(take(ours, "192.0.2.1", t + LD_COOKIE_AGE_MAX_S, next));
		assert_false(take(ours, "192.0.2.1", t + LD_COOKIE_AGE_MAX_S + 1, next));
		assert_true(take(ours, "192.0.2.1", t - LD_COOKIE_AHEAD_MAX_S, next));
		assert_false(take(ours, "192.0.2.1", t - LD_COOKIE_AHEAD_MAX_S - 1, next));
		assert_false(take(ours, "192.0.2.2", t, next));
		assert_false(take(ours, "2001:db8::1", t, next));
	}
}

static void
every_bit_counts(void **state)
{
	uint8_t cookie[40] = "abcdefgh", next[LD_COOKIE_BYTES];

	(void)state;
	assert_int_equal(ld_cookie_secrets_init(&random_secrets, NULL, 0), LINDUNG_OK);
	take(ld_span(cookie, 8), "2001:db8::1", 1700000000, cookie);
	for (unsigned bit = 0; bit < 8 * LD_COOKIE_BYTES; bit++) {
		cookie[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(
			take(ld_span(cookie, LD_COOKIE_BYTES), "2001:db8::1", 1700000000, next));
		cookie[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_true(take(ld_span(cookie, LD_COOKIE_BYTES), "2001:db8::1", 1700000000, next));
	/* Longer and shorter ones may be another server's. */
	for (size_t len = 16; len <= sizeof cookie; len++)
		assert_int_equal(take(ld_span(cookie, len), "2001:db8::1", 1700000000, next),
				 len == LD_COOKIE_BYTES);
}

static void
secrets_are_random_and_limited(void **state)
{
	struct ld_cookie_secrets a, b;
	uint8_t given[LD_COOKIE_SECRETS_MAX + 1][LD_COOKIE_SECRET_BYTES] = {0};

	(void)state;
	assert_int_equal(ld_cookie_secrets_init(&a, NULL, 0), LINDUNG_OK);
	assert_int_equal(ld_cookie_secrets_init(&b, NULL, 0), LINDUNG_OK);
	assert_memory_not_equal(a.secrets[0], b.secrets[0], LD_COOKIE_SECRET_BYTES);
	assert_int_equal(ld_cookie_secrets_init(&a, given[0], LD_COOKIE_SECRETS_MAX), LINDUNG_OK);
	assert_int_equal(ld_cookie_secrets_init(&a, given[0], LD_COOKIE_SECRETS_MAX + 1),
			 LINDUNG_ELIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc9018_vectors),
		cmocka_unit_test(lifetime_and_address),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(secrets_are_random_and_limited),
	};

	return cmocka_run_group_tests_name("cookie", tests, NULL, NULL);
}
