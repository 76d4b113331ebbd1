/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/siphash.h"
#include "name/blind.h"
#include "name/key.h"
#include "name/name.h"

static const uint8_t secret[LD_BLIND_KEY_BYTES] = "sixteen octets!";

static void
blinded(uint8_t ret[LD_BLIND_BYTES], const uint8_t key[LD_BLIND_KEY_BYTES], uint8_t scope,
	const char *host, const char *path)
{
	uint8_t name_key[LD_HOST_MAX];
	size_t len = ld_host_to_key(name_key, ld_span_str(host));

	ld_blind(ret, key, scope, ld_span(name_key, len), ld_span_str(path));
}

static void
blinding_is_a_keyed_hash_of_the_key(void **state)
{
	static const char text[] = "com\001example\001www/a/b";
	uint8_t got[LD_BLIND_BYTES], expected[LD_SIPHASH_128_BYTES];
	unsigned labels;

	(void)state;
	blinded(got, secret, 4, "www.example.com", "/a/b");
	ld_siphash_128(expected, secret, ld_span_str(text), ld_span(NULL, 0));
	assert_memory_equal(got, expected, LD_BLIND_HASH_BYTES);
	assert_true(ld_get_le64(got + LD_BLIND_FILTER_AT) ==
		    ld_key_hash(ld_span_str(text), &labels));
	assert_int_equal(got[LD_BLIND_LABELS_AT], 3);
	assert_int_equal(got[LD_BLIND_SCOPE_AT], 4);
}

static void
blinding_depends_on_name_and_key_alone(void **state)
{
	static const uint8_t other[LD_BLIND_KEY_BYTES] = "sixteen octets?";
	uint8_t tree[LD_BLIND_BYTES], exact[LD_BLIND_BYTES], elsewhere[LD_BLIND_BYTES];

	(void)state;
	blinded(tree, secret, 3, "example.com", "");
	blinded(exact, secret, 1, "example.com", "");
	assert_memory_equal(tree, exact, LD_BLIND_SCOPE_AT);
	blinded(elsewhere, other, 3, "example.com", "");
	assert_memory_not_equal(tree, elsewhere, LD_BLIND_HASH_BYTES);
	assert_memory_equal(tree + LD_BLIND_FILTER_AT, elsewhere + LD_BLIND_FILTER_AT, 10);
	blinded(elsewhere, secret, 3, "example.org", "");
	assert_memory_not_equal(tree, elsewhere, LD_BLIND_HASH_BYTES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blinding_is_a_keyed_hash_of_the_key),
		cmocka_unit_test(blinding_depends_on_name_and_key_alone),
	};

	return cmocka_run_group_tests_name("blind", tests, NULL, NULL);
}
