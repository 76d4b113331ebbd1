/* Vectors of FIPS 180-4 (NIST's examples) and RFC 4231.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "net/digest.h"

static void
expect(enum ld_digest_kind kind, struct ld_span key, struct ld_span text, unsigned len,
       const char *hex)
{
	struct ld_digest *d;
	uint8_t got[LD_DIGEST_MAX_BYTES];
	char shown[2 * LD_DIGEST_MAX_BYTES + 1];

	assert_int_equal(ld_digest_new(&d, kind, key), LINDUNG_OK);
	for (int again = 0; again < 2; again++) {
		ld_digest_begin(d);
		for (size_t i = 0; i < text.len; i++)
			ld_digest_add(d, ld_span(text.data + i, 1));
		assert_int_equal(ld_digest_end(d, got), LINDUNG_OK);
		for (unsigned i = 0; i < len; i++)
			snprintf(shown + 2 * (size_t)i, 3, "%02x", got[i]);
		assert_string_equal(shown, hex);
	}
	ld_digest_free(d);
}

static void
test_hashes(void **state)
{
	(void)state;
	expect(LD_DIGEST_SHA256, LD_SPAN(""), LD_SPAN("abc"), LD_DIGEST_SHA256_BYTES,
	       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	expect(LD_DIGEST_SHA384, LD_SPAN(""), LD_SPAN("abc"), LD_DIGEST_SHA384_BYTES,
	       "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
	       "8086072ba1e7cc2358baeca134c825a7");
	expect(LD_DIGEST_SHA512, LD_SPAN(""), LD_SPAN("abc"), LD_DIGEST_SHA512_BYTES,
	       "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	       "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

static void
test_hmac(void **state)
{
	(void)state;
	expect(LD_DIGEST_HMAC_SHA256, LD_SPAN("Jefe"), LD_SPAN("what do ya want for nothing?"),
	       LD_DIGEST_SHA256_BYTES,
	       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void
test_same(void **state)
{
	(void)state;
	assert_true(ld_digest_same(LD_SPAN("abc"), LD_SPAN("abc")));
	assert_false(ld_digest_same(LD_SPAN("abc"), LD_SPAN("abd")));
	assert_false(ld_digest_same(LD_SPAN("abc"), LD_SPAN("ab")));
	assert_true(ld_digest_same(LD_SPAN(""), LD_SPAN("")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
