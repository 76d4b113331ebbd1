/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "net/address.h"
#include "net/shares.h"

static struct ld_address
address_of(const char *text)
{
	struct ld_address address;

	assert_int_equal(ld_address_from_text(&address, ld_span_str(text), 1, NULL), LINDUNG_OK);
	return address;
}

static void
each_client_has_its_share(void **state)
{
	struct ld_shares *shares = ld_shares_new(100, 2);
	struct ld_address a = address_of("192.0.2.1@1"), b = address_of("192.0.2.1@2"),
			  other = address_of("192.0.2.2");

	(void)state;
	assert_true(ld_shares_enter(shares, &a));
	assert_true(ld_shares_enter(shares, &b)); /* another port is no other client */
	assert_false(ld_shares_enter(shares, &a));
	assert_true(ld_shares_enter(shares, &other));
	ld_shares_leave(shares, &b);
	assert_true(ld_shares_enter(shares, &a));
	assert_false(ld_shares_enter(shares, &b));
	ld_shares_free(shares);
}

static void
a_network_of_ipv6_is_one_client(void **state)
{
	struct ld_shares *shares = ld_shares_new(100, 1);
	struct ld_address a = address_of("2001:db8:1:2::1"), b = address_of("2001:db8:1:2:ff::2"),
			  next = address_of("2001:db8:1:3::1"), four = address_of("32.1.13.184");

	(void)state;
	assert_true(ld_shares_same(&a, &b));
	assert_false(ld_shares_same(&a, &next));
	assert_true(ld_shares_enter(shares, &a));
	assert_false(ld_shares_enter(shares, &b));
	assert_true(ld_shares_enter(shares, &next));
	assert_true(ld_shares_enter(shares, &four)); /* 20.01.0d.b8, as an address of IPv4 */
	ld_shares_free(shares);
}

static void
places_come_back(void **state)
{
	struct ld_shares *shares = ld_shares_new(64, 1);
	struct ld_address address = address_of("10.0.0.0");

	(void)state;
	for (unsigned round = 0; round < 50; round++) {
		for (uint32_t i = 0; i < 65; i++) {
			ld_put_be32((uint8_t *)&address.v4.sin_addr, 0x0a000000 + round * 7 + i);
			assert_int_equal(ld_shares_enter(shares, &address), i < 64);
		}
		for (uint32_t i = 64; i-- > 0;) {
			ld_put_be32((uint8_t *)&address.v4.sin_addr, 0x0a000000 + round * 7 + i);
			ld_shares_leave(shares, &address);
		}
	}
	ld_shares_free(shares);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_client_has_its_share),
		cmocka_unit_test(a_network_of_ipv6_is_one_client),
		cmocka_unit_test(places_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
