/* SPDX-License-Identifier: BSD-2-Clause */
/* Vectors by the text of the protocol, section 2.2, and as dnsdist and HAProxy send them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/proxy.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define CLIENT4 "\xc0\0\2\1\xc0\0\2\xfe\x30\x39\0\x35" /* 192.0.2.1 port 12345, to .254 port 53 */
#define CLIENT6                                                                                    \
	"\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"                                                    \
	"\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2"                                                    \
	"\xff\xff\3\x55"

struct vector {
	const char *what;
	struct ld_span bytes;
	const char *from; /* "" for the proxy itself; NULL: refused */
};

static const struct vector vectors[] = {
	{"dnsdist, UDP over IPv4",
	 {(const uint8_t *)SIGNATURE "\x21\x12\0\x0c" CLIENT4, 28},
	 "192.0.2.1 port 12345"},
	{"dnsdist, TCP over IPv4",
	 {(const uint8_t *)SIGNATURE "\x21\x11\0\x0c" CLIENT4, 28},
	 "192.0.2.1 port 12345"},
	{"UDP over IPv6",
	 {(const uint8_t *)SIGNATURE "\x21\x22\0\x24" CLIENT6, 52},
	 "2001:db8::1 port 65535"},
	{"TCP over IPv6",
	 {(const uint8_t *)SIGNATURE "\x21\x21\0\x24" CLIENT6, 52},
	 "2001:db8::1 port 65535"},
	{"HAProxy, a check of health", {(const uint8_t *)SIGNATURE "\x20\0\0\0", 16}, ""},
	{"local, with addresses that do not count",
	 {(const uint8_t *)SIGNATURE "\x20\x11\0\x0c" CLIENT4, 28},
	 ""},
	{"local, with what nobody understands",
	 {(const uint8_t *)SIGNATURE "\x20\xff\0\3\xff\xff\xff", 19},
	 ""},
	{"dnsdist, with a value (type 0xe0)",
	 {(const uint8_t *)SIGNATURE "\x21\x12\0\x14" CLIENT4 "\xe0\0\5hello", 36},
	 "192.0.2.1 port 12345"},
	{"HAProxy, with ALPN, a checksum, and a no-op",
	 {(const uint8_t *)SIGNATURE "\x21\x11\0\x1e" CLIENT4 "\1\0\3dot\3\0\4\0\0\0\0\4\0\2\0\0",
	  46},
	 "192.0.2.1 port 12345"},
	{"a value that is empty",
	 {(const uint8_t *)SIGNATURE "\x21\x12\0\x0f" CLIENT4 "\4\0\0", 31},
	 "192.0.2.1 port 12345"},
	{"a value that is cut",
	 {(const uint8_t *)SIGNATURE "\x21\x12\0\x0f" CLIENT4 "\4\0\1", 31},
	 NULL},
	{"a value without its length",
	 {(const uint8_t *)SIGNATURE "\x21\x12\0\x0e" CLIENT4 "\4\0", 30},
	 NULL},
	{"addresses that are cut", {(const uint8_t *)SIGNATURE "\x21\x11\0\x0b" CLIENT4, 27}, NULL},
	{"IPv6 in the room of IPv4",
	 {(const uint8_t *)SIGNATURE "\x21\x21\0\x0c" CLIENT4, 28},
	 NULL},
	{"no address", {(const uint8_t *)SIGNATURE "\x21\x11\0\0", 16}, NULL},
	{"nobody knows whose", {(const uint8_t *)SIGNATURE "\x21\0\0\0", 16}, NULL},
	{"no transport", {(const uint8_t *)SIGNATURE "\x21\x10\0\x0c" CLIENT4, 28}, NULL},
	{"a transport that is none",
	 {(const uint8_t *)SIGNATURE "\x21\x13\0\x0c" CLIENT4, 28},
	 NULL},
	{"a family that is none", {(const uint8_t *)SIGNATURE "\x21\x41\0\x0c" CLIENT4, 28}, NULL},
	{"a command that is none", {(const uint8_t *)SIGNATURE "\x22\x11\0\x0c" CLIENT4, 28}, NULL},
	{"version 3", {(const uint8_t *)SIGNATURE "\x31\x11\0\x0c" CLIENT4, 28}, NULL},
	{"version 1", {(const uint8_t *)"PROXY TCP4 192.0.2.1 192.0.2.254 12345 53\r\n", 43}, NULL},
	{"a query", {(const uint8_t *)"\x12\x34\1\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1", 19}, NULL},
	{"too long", {(const uint8_t *)SIGNATURE "\x20\0\7\xf1", 16}, NULL},
};

static void
headers_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		const struct vector *vector = &vectors[i];
		struct ld_proxy proxy;
		char text[LD_ADDRESS_TEXT_MAX] = "";
		enum ld_proxy_step step = ld_proxy_read(&proxy, vector->bytes);

		if (step != (vector->from != NULL ? LD_PROXY_TAKEN : LD_PROXY_BAD))
			fail_msg("%s: step %d", vector->what, step);
		if (vector->from == NULL)
			continue;
		assert_int_equal(proxy.len, vector->bytes.len);
		if (!proxy.local)
			ld_address_to_text(&proxy.from, text);
		assert_string_equal(text, vector->from);
	}
}

/* However it trickles in: more is wanted until it is whole, and never more than is there. */
static void
headers_come_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		struct ld_span bytes = vectors[i].bytes;
		struct ld_proxy proxy;

		for (size_t len = 0; vectors[i].from != NULL && len < bytes.len; len++) {
			assert_int_equal(ld_proxy_read(&proxy, ld_span(bytes.data, len)),
					 LD_PROXY_MORE);
			assert_true(proxy.len > len);
			assert_true(proxy.len <= bytes.len);
		}
	}
}

static void
what_is_behind_is_left(void **state)
{
	static const uint8_t bytes[] = SIGNATURE "\x21\x12\0\x0c" CLIENT4 "a query";
	struct ld_proxy proxy;

	(void)state;
	assert_int_equal(ld_proxy_read(&proxy, ld_span(bytes, sizeof bytes - 1)), LD_PROXY_TAKEN);
	assert_string_equal(bytes + proxy.len, "a query");
}

static void
the_longest_is_taken(void **state)
{
	static const uint8_t start[] = SIGNATURE "\x20\0\7\xf0";
	uint8_t bytes[LD_PROXY_MAX_BYTES] = {0};
	struct ld_proxy proxy;

	(void)state;
	memcpy(bytes, start, LD_PROXY_START_BYTES);
	assert_int_equal(ld_proxy_read(&proxy, ld_span(bytes, sizeof bytes - 1)), LD_PROXY_MORE);
	assert_int_equal(proxy.len, sizeof bytes);
	assert_int_equal(ld_proxy_read(&proxy, ld_span(bytes, sizeof bytes)), LD_PROXY_TAKEN);
	assert_true(proxy.local);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_read),
		cmocka_unit_test(headers_come_in_pieces),
		cmocka_unit_test(what_is_behind_is_left),
		cmocka_unit_test(the_longest_is_taken),
	};

	return cmocka_run_group_tests_name("proxy", tests, NULL, NULL);
}
