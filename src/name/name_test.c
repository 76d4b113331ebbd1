/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "name/name.h"

/* `count` labels of `len` letters each, with dots, terminated; returns the length. */
static size_t
labels_write(char *out, size_t count, size_t len)
{
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		if (i != 0)
			out[at++] = '.';
		memset(out + at, 'a', len);
		at += len;
	}
	out[at] = '\0';
	return at;
}

static int
name_read(struct ld_name *ret, const char *text)
{
	return ld_name_from_text(ret, ld_span_str(text));
}

static void
text_to_wire_and_back(void **state)
{
	static const struct {
		const char *text;
		struct ld_span wire;
		const char *again;
	} rows[] = {
		{".", {(const uint8_t *)"\0", 1}, "."},
		{"Www.Example", {(const uint8_t *)"\3Www\7Example\0", 13}, "Www.Example"},
		{"a.", {(const uint8_t *)"\1a\0", 3}, "a"},
		{"a\\.b.c", {(const uint8_t *)"\3a.b\1c\0", 7}, "a\\.b.c"},
		{"\\097\\000\\255", {(const uint8_t *)"\3a\0\377\0", 5}, "a\\000\\255"},
		{"\\\\\\\"\\(\\)\\;\\@\\$",
		 {(const uint8_t *)"\7\\\"();@$\0", 9},
		 "\\\\\\\"\\(\\)\\;\\@\\$"},
		{"a b\x7f\xc3", {(const uint8_t *)"\5a b\x7f\xc3\0", 7}, "a\\032b\\127\\195"},
		{"\\.", {(const uint8_t *)"\1.\0", 3}, "\\."},
		{"*._tcp", {(const uint8_t *)"\1*\4_tcp\0", 8}, "*._tcp"},
	};
	char text[LD_NAME_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct ld_name name, again;

		assert_int_equal(name_read(&name, rows[i].text), LINDUNG_OK);
		assert_true(ld_span_equal(ld_span(name.wire, name.len), rows[i].wire));
		assert_int_equal(ld_name_to_text(&name, text), strlen(rows[i].again));
		assert_string_equal(text, rows[i].again);
		assert_int_equal(name_read(&again, text), LINDUNG_OK);
		assert_true(ld_name_equal(&name, &again));
		assert_int_equal(again.labels, name.labels);
	}
}

static void
bad_text_is_refused_and_changes_nothing(void **state)
{
	static const char *const rows[] = {"",    "..",  ".a",   "a..",   "a..b",    "\\",
					   "a\\", "\\1", "\\12", "\\256", "\\1a2.b", "\\99a"};
	struct ld_name name;

	(void)state;
	memset(&name, 0x55, sizeof name);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(name_read(&name, rows[i]), LINDUNG_ENAME);
	for (size_t i = 0; i < sizeof name; i++)
		assert_int_equal(((const uint8_t *)&name)[i], 0x55);
}

static void
limits_of_names(void **state)
{
	char text[1200];
	struct ld_name name;

	(void)state;
	labels_write(text, 1, 63);
	assert_int_equal(name_read(&name, text), LINDUNG_OK);
	assert_int_equal(name.len, 65);
	labels_write(text, 1, 64);
	assert_int_equal(name_read(&name, text), LINDUNG_ENAME);

	labels_write(text, 127, 1); /* 127 labels make the longest name there is */
	assert_int_equal(name_read(&name, text), LINDUNG_OK);
	assert_int_equal(name.len, 255);
	assert_int_equal(name.labels, 127);
	labels_write(text, 128, 1);
	assert_int_equal(name_read(&name, text), LINDUNG_ENAME);

	size_t len = labels_write(text, 3, 63); /* 63 + 63 + 63 + 61 octets: 255 on the wire */
	strcpy(text + len, ".");
	labels_write(text + len + 1, 1, 61);
	assert_int_equal(name_read(&name, text), LINDUNG_OK);
	assert_int_equal(name.len, 255);
	strcat(text, ".");
	assert_int_equal(name_read(&name, text), LINDUNG_OK);
	labels_write(text + len + 1, 1, 62);
	assert_int_equal(name_read(&name, text), LINDUNG_ENAME);
}

static void
longest_text_fits(void **state)
{
	uint8_t wire[LD_NAME_WIRE_MAX] = {0};
	char text[LD_NAME_TEXT_MAX];
	struct ld_name name, again;

	(void)state;
	memset(wire, 0xff, 254);
	wire[0] = wire[64] = wire[128] = 63;
	wire[192] = 61;
	assert_int_equal(ld_name_from_wire(&name, ld_span(wire, sizeof wire)), LINDUNG_OK);
	assert_int_equal(ld_name_to_text(&name, text), 4 * 250 + 3);
	assert_int_equal(name_read(&again, text), LINDUNG_OK);
	assert_true(ld_name_equal(&name, &again));
}

static void
wire_is_checked(void **state)
{
	uint8_t wire[300];
	struct ld_name name;

	(void)state;
	assert_int_equal(ld_name_from_wire(&name, LD_SPAN("\1a\0rest")), LINDUNG_OK);
	assert_int_equal(name.len, 3);
	assert_int_equal(name.labels, 1);
	assert_int_equal(ld_name_from_wire(&name, LD_SPAN("\0")), LINDUNG_OK);
	assert_int_equal(name.len, 1);
	assert_int_equal(ld_name_from_wire(&name, LD_SPAN("")), LINDUNG_ENAME);
	assert_int_equal(ld_name_from_wire(&name, LD_SPAN("\1a")), LINDUNG_ENAME);
	assert_int_equal(ld_name_from_wire(&name, LD_SPAN("\5a\0")), LINDUNG_ENAME);
	assert_int_equal(ld_name_from_wire(&name, LD_SPAN("\xc0\0")), LINDUNG_ENAME);
	assert_int_equal(ld_name_from_wire(&name, LD_SPAN("\x40\0")), LINDUNG_ENAME);
	for (size_t i = 0; i < sizeof wire; i += 2) {
		wire[i] = 1;
		wire[i + 1] = 'a';
	}
	wire[254] = 0;
	assert_int_equal(ld_name_from_wire(&name, ld_span(wire, sizeof wire)), LINDUNG_OK);
	assert_int_equal(name.len, 255);
	wire[252] = 2; /* one octet more: its zero would be the 256th */
	wire[254] = 'a';
	wire[255] = 0;
	assert_int_equal(ld_name_from_wire(&name, ld_span(wire, sizeof wire)), LINDUNG_ENAME);
}

static void
names_are_ordered_as_rfc_4034_does(void **state)
{
	/* Section 6.1's own example. */
	static const char *const rows[] = {
		"example",         "a.example",      "yljkjljk.a.example",
		"Z.a.example",     "zABC.a.EXAMPLE", "z.example",
		"\\001.z.example", "*.z.example",    "\\200.z.example"};
	struct ld_name a, b;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (size_t j = 0; j < sizeof rows / sizeof rows[0]; j++) {
			assert_int_equal(name_read(&a, rows[i]), LINDUNG_OK);
			assert_int_equal(name_read(&b, rows[j]), LINDUNG_OK);
			int order = ld_name_compare(&a, &b);
			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
			assert_int_equal(ld_name_equal(&a, &b), i == j);
		}
	}
	assert_int_equal(name_read(&a, "WWW.Example"), LINDUNG_OK);
	ld_name_lower(&a);
	assert_memory_equal(a.wire, "\3www\7example\0", 13);
}

static void
names_within_names(void **state)
{
	static const struct {
		const char *name, *parent;
		bool within;
	} rows[] = {
		{"a.b.c", "B.C", true},  {"a.b.c", "a.b.c", true},  {"a.b.c", ".", true},
		{".", ".", true},        {".", "a", false},         {"xb.c", "b.c", false},
		{"b.c", "a.b.c", false}, {"x\\.b.c", "b.c", false},
	};
	struct ld_name name, parent;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(name_read(&name, rows[i].name), LINDUNG_OK);
		assert_int_equal(name_read(&parent, rows[i].parent), LINDUNG_OK);
		assert_int_equal(ld_name_is_within(&name, &parent), rows[i].within);
	}
}

static void
hosts_are_canonical(void **state)
{
	static const struct {
		const char *text;
		int error;
		const char *host;
	} rows[] = {
		{"WWW.Example.COM.", LINDUNG_OK, "www.example.com"},
		{"localhost", LINDUNG_OK, "localhost"},
		{"_dmarc.a_b.example", LINDUNG_OK, "_dmarc.a_b.example"},
		{"r3---sn-xyz.googlevideo.com", LINDUNG_OK, "r3---sn-xyz.googlevideo.com"},
		{"1.2.3.4x", LINDUNG_OK, "1.2.3.4x"},
		{"123.xn--p1ai", LINDUNG_OK, "123.xn--p1ai"},
		{"", LINDUNG_ENAME, NULL},
		{".", LINDUNG_ENAME, NULL},
		{"..", LINDUNG_ENAME, NULL},
		{".a", LINDUNG_ENAME, NULL},
		{"a..", LINDUNG_ENAME, NULL},
		{"a..b", LINDUNG_ENAME, NULL},
		{"-a.b", LINDUNG_ENAME, NULL},
		{"a-.b", LINDUNG_ENAME, NULL},
		{"a.-b", LINDUNG_ENAME, NULL},
		{"a.b-", LINDUNG_ENAME, NULL},
		{"a.b-.", LINDUNG_ENAME, NULL},
		{"-", LINDUNG_ENAME, NULL},
		{"1.2.3.4", LINDUNG_ENAME, NULL},
		{"example.123", LINDUNG_ENAME, NULL},
		{"123", LINDUNG_ENAME, NULL},
		{"a b.c", LINDUNG_ENAME, NULL},
		{"a.b:80", LINDUNG_ENAME, NULL},
		{"*.a.b", LINDUNG_ENAME, NULL},
		{"a.b/", LINDUNG_ENAME, NULL},
		{"n\xc3\xb8gne.com", LINDUNG_ENOTASCII, NULL},
		{"-bad..n\xc3\xb8gne.com", LINDUNG_ENOTASCII, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char host[LD_HOST_MAX + 1] = "untouched";
		size_t len = 4711;

		assert_int_equal(ld_host_from_text(host, &len, ld_span_str(rows[i].text)),
				 rows[i].error);
		assert_string_equal(host, rows[i].host != NULL ? rows[i].host : "untouched");
		assert_int_equal(len, rows[i].host != NULL ? strlen(rows[i].host) : 4711);
	}
	assert_int_equal(ld_host_from_text(NULL, NULL, LD_SPAN("a\0b.c")), LINDUNG_ENAME);
	assert_int_equal(ld_host_from_text(NULL, NULL, (struct ld_span){NULL, 0}), LINDUNG_ENAME);
}

static void
limits_of_hosts(void **state)
{
	char text[400], host[LD_HOST_MAX + 1];
	size_t len, at = labels_write(text, 3, 63);

	(void)state;
	assert_int_equal(ld_host_from_text(host, &len, ld_span(text, 63)), LINDUNG_OK);
	assert_int_equal(len, 63);
	strcpy(text + at, ".");
	at += labels_write(text + at + 1, 1, 61) + 1;
	assert_int_equal(at, 253);
	assert_int_equal(ld_host_from_text(host, &len, ld_span(text, at)), LINDUNG_OK);
	assert_int_equal(len, 253);
	assert_string_equal(host, text);
	text[253] = '.';
	assert_int_equal(ld_host_from_text(host, &len, ld_span(text, 254)), LINDUNG_OK);
	assert_int_equal(len, 253);
	text[253] = 'a';
	assert_int_equal(ld_host_from_text(host, &len, ld_span(text, 254)), LINDUNG_ELIMIT);
	text[253] = ' ';
	assert_int_equal(ld_host_from_text(host, &len, ld_span(text, 254)), LINDUNG_ENAME);
	text[253] = '-';
	assert_int_equal(ld_host_from_text(host, &len, ld_span(text, 254)), LINDUNG_ENAME);
	labels_write(text, 1, 64);
	assert_int_equal(ld_host_from_text(host, &len, ld_span(text, 64)), LINDUNG_ELIMIT);
	at = labels_write(text, 127, 1);
	assert_int_equal(ld_host_from_text(host, &len, ld_span(text, at)), LINDUNG_OK);
	assert_int_equal(ld_host_labels(ld_span(text, at)), 127);
	at = labels_write(text, 128, 1);
	assert_int_equal(ld_host_from_text(host, &len, ld_span(text, at)), LINDUNG_ELIMIT);
}

static void
hosts_within_hosts(void **state)
{
	(void)state;
	assert_true(ld_host_is_within(LD_SPAN("a.b.c"), LD_SPAN("b.c")));
	assert_true(ld_host_is_within(LD_SPAN("b.c"), LD_SPAN("b.c")));
	assert_false(ld_host_is_within(LD_SPAN("ab.c"), LD_SPAN("b.c")));
	assert_false(ld_host_is_within(LD_SPAN("c"), LD_SPAN("b.c")));
	assert_int_equal(ld_host_labels(LD_SPAN("a.b.c")), 3);
	assert_int_equal(ld_host_labels(LD_SPAN("a")), 1);
	assert_int_equal(ld_host_labels(LD_SPAN("")), 0);
}

static void
addresses_are_known(void **state)
{
	static const char *const are[] = {"1.2.3.4",
					  "255.255.255.255",
					  "::",
					  "::1",
					  "fe80::1%lo0",
					  "2001:DB8::1",
					  "::ffff:1.2.3.4",
					  "1111:2222:3333:4444:5555:6666:123.123.123.123"};
	static const char *const are_not[] = {
		"",          "1",
		"1.2.3",     "1.2.3.256",
		"1.2.3.4.5", "1.2.3.4x",
		"1.2.3.4 ",  "a.b.c",
		"fe80::1%",  "1.2.3.4%eth0",
		"0x1.2.3.4", ":",
		"1::2::3",   "[::1]",
		"::1/64",    "cafe",
		"a:80",      "1111:2222:3333:4444:5555:6666:123.123.123.1234"};

	(void)state;
	for (size_t i = 0; i < sizeof are / sizeof are[0]; i++)
		assert_true(ld_text_is_address(ld_span_str(are[i])));
	for (size_t i = 0; i < sizeof are_not / sizeof are_not[0]; i++)
		assert_false(ld_text_is_address(ld_span_str(are_not[i])));
	assert_false(ld_text_is_address(LD_SPAN("::1\0")));
	assert_false(ld_text_is_address(LD_SPAN("1.2\0.3.4")));
}

static void
keys_and_back(void **state)
{
	char longest[LD_HOST_MAX + 1], host[LD_HOST_MAX + 1];
	const char *const rows[] = {"com", "www.example.com", "a.b.c.d", longest};
	uint8_t key[LD_HOST_MAX];

	(void)state;
	labels_write(longest, 127, 1);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t len = ld_host_to_key(key, ld_span_str(rows[i]));

		assert_int_equal(len, strlen(rows[i]));
		assert_int_equal(ld_key_to_host(host, ld_span(key, len)), len);
		assert_string_equal(host, rows[i]);
	}
	ld_host_to_key(key, LD_SPAN("www.example.com"));
	assert_memory_equal(key, "com\1example\1www", 15);
	assert_int_equal(ld_host_to_key(key, LD_SPAN("")), 0);
	assert_int_equal(ld_key_to_host(host, LD_SPAN("")), 0);
	assert_string_equal(host, "");
}

static void
names_to_keys(void **state)
{
	uint8_t key[LD_HOST_MAX + 1];
	struct ld_name name;
	char text[LD_HOST_MAX + 1];

	(void)state;
	assert_int_equal(name_read(&name, "www.example.com"), LINDUNG_OK);
	assert_int_equal(ld_name_to_key(key, &name), 15);
	assert_memory_equal(key, "com\1example\1www", 15);
	assert_int_equal(name_read(&name, "."), LINDUNG_OK);
	assert_int_equal(ld_name_to_key(key, &name), 0);
	assert_int_equal(name_read(&name, "a\\001b\\002\\.c.d"), LINDUNG_OK);
	assert_int_equal(ld_name_to_key(key, &name), 8);
	assert_memory_equal(key, "d\1a\2b\2.c", 8);
	labels_write(text, 127, 1);
	assert_int_equal(name_read(&name, text), LINDUNG_OK);
	assert_int_equal(ld_name_to_key(key, &name), 253);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_to_wire_and_back),
		cmocka_unit_test(bad_text_is_refused_and_changes_nothing),
		cmocka_unit_test(limits_of_names),
		cmocka_unit_test(longest_text_fits),
		cmocka_unit_test(wire_is_checked),
		cmocka_unit_test(names_are_ordered_as_rfc_4034_does),
		cmocka_unit_test(names_within_names),
		cmocka_unit_test(hosts_are_canonical),
		cmocka_unit_test(limits_of_hosts),
		cmocka_unit_test(hosts_within_hosts),
		cmocka_unit_test(addresses_are_known),
		cmocka_unit_test(keys_and_back),
		cmocka_unit_test(names_to_keys),
	};

	return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
