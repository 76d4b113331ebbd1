/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "net/prefix.h"

static struct ld_prefix
prefix_of(const char *text)
{
	struct ld_prefix prefix;

	assert_int_equal(ld_prefix_from_text(&prefix, ld_span_str(text), NULL), LINDUNG_OK);
	return prefix;
}

static void
prefixes_are_read(void **state)
{
	static const struct {
		const char *text;
		uint8_t len, bits;
		const char *fault; /* NULL: none */
	} cases[] = {
		{"192.0.2.0/24", 4, 24, NULL},
		{"192.0.2.1", 4, 32, NULL},
		{"0.0.0.0/0", 4, 0, NULL},
		{"::/0", 16, 0, NULL},
		{"2001:DB8::/32", 16, 32, NULL},
		{"2001:db8::1", 16, 128, NULL},
		{"::ffff:192.0.2.0/120", 4, 24, NULL},
		{"::ffff:0:0/96", 4, 0, NULL},
		{"::fffe:0:0/95", 16, 95, NULL},
		{"192.0.2.1/24", 0, 0, "behind the length"},
		{"2001:db8::1/64", 0, 0, "behind the length"},
		{"128.0.0.0/0", 0, 0, "behind the length"},
		{"192.0.2.0/33", 0, 0, "from 0 to 32"},
		{"192.0.2.0/", 0, 0, "from 0 to 32"},
		{"192.0.2.0/2a", 0, 0, "from 0 to 32"},
		{"192.0.2.0/0024", 0, 0, "from 0 to 32"},
		{"192.0.2.0/24/24", 0, 0, "from 0 to 32"},
		{"::/129", 0, 0, "from 0 to 128"},
		{"::/256", 0, 0, "from 0 to 128"},
		{"/24", 0, 0, "expected a prefix"},
		{"", 0, 0, "expected a prefix"},
		{"192.0.2/24", 0, 0, "expected a prefix"},
		{"localhost", 0, 0, "expected a prefix"},
		{"fe80::1%lo", 0, 0, "expected a prefix"},
		{"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/8", 0, 0, "expected a"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ld_report report = {""};
		struct ld_prefix prefix = {.len = 99};
		int err = ld_prefix_from_text(&prefix, ld_span_str(cases[i].text), &report);

		if (cases[i].fault != NULL) {
			assert_int_equal(err, LINDUNG_ESYNTAX);
			assert_non_null(strstr(report.text, cases[i].fault));
			assert_int_equal(prefix.len, 99);
			continue;
		}
		assert_int_equal(err, LINDUNG_OK);
		assert_int_equal(prefix.len, cases[i].len);
		assert_int_equal(prefix.bits, cases[i].bits);
	}
	assert_memory_equal(prefix_of("::ffff:192.0.2.0/120").octets, "\xc0\0\2\0", 4);
}

static bool
holds(const struct ld_prefixes *set, const char *text)
{
	struct ld_prefix address = prefix_of(text);

	return ld_prefixes_hold(set, address.octets, address.len);
}

static void
longest_prefix_decides(void **state)
{
	struct ld_prefix in[] = {prefix_of("10.0.0.0/8"), prefix_of("10.1.2.0/24"),
				 prefix_of("192.0.2.0/24"), prefix_of("2001:db8::/32"),
				 prefix_of("255.255.255.255")};
	struct ld_prefix out[] = {prefix_of("10.1.0.0/16"), prefix_of("10.1.2.3"),
				  prefix_of("192.0.2.0/24"), prefix_of("2001:db8:1::/48")};
	struct ld_prefixes *set;

	(void)state;
	assert_int_equal(ld_prefixes_new(&set, in, 5, out, 4), LINDUNG_OK);
	assert_true(holds(set, "10.0.0.0"));
	assert_true(holds(set, "10.255.255.255"));
	assert_false(holds(set, "9.255.255.255"));
	assert_false(holds(set, "11.0.0.0"));
	assert_false(holds(set, "10.1.0.0"));
	assert_false(holds(set, "10.1.1.255"));
	assert_true(holds(set, "10.1.2.0"));
	assert_false(holds(set, "10.1.2.3"));
	assert_true(holds(set, "10.1.2.4"));
	assert_false(holds(set, "10.1.3.0"));
	assert_true(holds(set, "10.2.0.0"));
	assert_false(holds(set, "192.0.2.1")); /* a tie: out */
	assert_true(holds(set, "255.255.255.255"));
	assert_false(holds(set, "255.255.255.254"));
	assert_true(holds(set, "2001:db8::1"));
	assert_false(holds(set, "2001:db8:1::1"));
	assert_true(holds(set, "2001:db8:2::"));
	assert_false(holds(set, "2001:db9::"));
	assert_false(holds(set, "::1"));
	assert_false(ld_prefixes_hold(set, (const uint8_t *)"", 0));
	assert_false(ld_prefixes_hold(NULL, (const uint8_t *)"\12\0\0\0", 4));
	ld_prefixes_free(set);
}

static void
all_and_nothing(void **state)
{
	struct ld_prefix all[] = {prefix_of("0.0.0.0/0"), prefix_of("::/0")};
	struct ld_prefixes *set;

	(void)state;
	assert_int_equal(ld_prefixes_new(&set, all, 2, NULL, 0), LINDUNG_OK);
	assert_true(holds(set, "0.0.0.0"));
	assert_true(holds(set, "255.255.255.255"));
	assert_true(holds(set, "::"));
	assert_true(holds(set, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
	ld_prefixes_free(set);
	assert_int_equal(ld_prefixes_new(&set, NULL, 0, all, 2), LINDUNG_OK);
	assert_false(holds(set, "127.0.0.1"));
	assert_false(holds(set, "::1"));
	ld_prefixes_free(set);
	/* All of IPv6 is nothing of IPv4. */
	assert_int_equal(ld_prefixes_new(&set, all + 1, 1, NULL, 0), LINDUNG_OK);
	assert_false(holds(set, "127.0.0.1"));
	ld_prefixes_free(set);
}

/* What the set does, from its definition. */
static bool
holds_slowly(const struct ld_prefix *prefixes, unsigned in, unsigned total, const uint8_t *octets,
	     unsigned len)
{
	int longest = -1;
	bool held = false;

	for (unsigned i = 0; i < total; i++) {
		unsigned common = 0;

		if (prefixes[i].len != len)
			continue;
		while (common < len * 8 && !((prefixes[i].octets[common / 8] ^ octets[common / 8]) &
					     0x80 >> common % 8))
			common++;
		if (common < prefixes[i].bits || (int)prefixes[i].bits < longest)
			continue;
		held = i < in && ((int)prefixes[i].bits > longest || held);
		longest = prefixes[i].bits;
	}
	return held;
}

/* Few different bits, so that prefixes nest, touch and are the same. */
static void
random_octets(uint8_t octets[16], unsigned len)
{
	memset(octets, 0, 16);
	for (unsigned i = 0; i < len; i++)
		octets[i] = (uint8_t)(rand() % 3 == 0 ? 0xff : rand() % 3 == 0 ? rand() : 0);
}

static void
sets_are_what_they_are_by_definition(void **state)
{
	(void)state;
	srand(1);
	for (unsigned round = 0; round < 3000; round++) {
		struct ld_prefix prefixes[24];
		unsigned total = (unsigned)rand() % 24,
			 in = total != 0 ? (unsigned)rand() % total : 0;
		struct ld_prefixes *set;

		for (unsigned i = 0; i < total; i++) {
			prefixes[i].len = rand() % 2 ? 4 : 16;
			prefixes[i].bits = (uint8_t)(rand() % (prefixes[i].len * 8 + 1));
			random_octets(prefixes[i].octets, prefixes[i].len);
			for (unsigned bit = prefixes[i].bits; bit < 128; bit++)
				prefixes[i].octets[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
		}
		assert_int_equal(ld_prefixes_new(&set, prefixes, in, prefixes + in, total - in),
				 LINDUNG_OK);
		for (unsigned i = 0; i < 200; i++) {
			unsigned len = i % 2 ? 4 : 16;
			uint8_t octets[16];

			random_octets(octets, len);
			assert_int_equal(ld_prefixes_hold(set, octets, len),
					 holds_slowly(prefixes, in, total, octets, len));
		}
		ld_prefixes_free(set);
	}
}

static void
limit_holds(void **state)
{
	struct ld_prefix *many = calloc(LD_PREFIXES_MAX, sizeof *many);
	struct ld_prefix one = prefix_of("::1");
	struct ld_prefixes *set = NULL;

	(void)state;
	assert_non_null(many);
	for (unsigned i = 0; i < LD_PREFIXES_MAX; i++) {
		many[i] = (struct ld_prefix){.len = 4, .bits = 24};
		many[i].octets[0] = (uint8_t)(i >> 8);
		many[i].octets[1] = (uint8_t)i;
	}
	assert_int_equal(ld_prefixes_new(&set, many, LD_PREFIXES_MAX, &one, 1), LINDUNG_ELIMIT);
	assert_null(set);
	assert_int_equal(ld_prefixes_new(&set, many, LD_PREFIXES_MAX, NULL, 0), LINDUNG_OK);
	for (unsigned i = 0; i < LD_PREFIXES_MAX; i++) {
		uint8_t octets[4] = {(uint8_t)(i >> 8), (uint8_t)i, 0, (uint8_t)i};

		assert_true(ld_prefixes_hold(set, octets, 4));
		octets[2] = 1;
		assert_false(ld_prefixes_hold(set, octets, 4));
	}
	ld_prefixes_free(set);
	free(many);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_are_read),
		cmocka_unit_test(longest_prefix_decides),
		cmocka_unit_test(all_and_nothing),
		cmocka_unit_test(sets_are_what_they_are_by_definition),
		cmocka_unit_test(limit_holds),
	};

	return cmocka_run_group_tests_name("prefix", tests, NULL, NULL);
}
