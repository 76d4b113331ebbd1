/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "name/idna.h"

static void
unicode_to_host(void **state)
{
	static const struct {
		const char *text;
		int error;
		const char *host;
	} rows[] = {
		{"www.nøgnedamer.com", LINDUNG_OK, "www.xn--ngnedamer-l8a.com"},
		{"баннек.рус", LINDUNG_OK, "xn--80abnuna.xn--p1acf"},
		{"Bücher.Example.", LINDUNG_OK, "xn--bcher-kva.example"},
		{"BU\xcc\x88"
		 "CHER.example", /* u and a combining diaeresis */
		 LINDUNG_OK, "xn--bcher-kva.example"},
		{"faß.de", LINDUNG_OK, "xn--fa-hia.de"},       /* transitional: fass.de */
		{"βόλος.com", LINDUNG_OK, "xn--nxasmm1c.com"}, /* transitional: βόλοσ.com */
		{"食狮。中国", LINDUNG_OK, "xn--85x722f.xn--fiqs8s"},
		{"a．ø｡com", LINDUNG_OK, "a.xn--pda.com"},
		{"ＷＷＷ.example", LINDUNG_OK, "www.example"},
		/* ASCII beside it passes as it is, whatever IDNA thinks of its hyphens. */
		{"r3---sn-5hne6nsz.ø.com", LINDUNG_OK, "r3---sn-5hne6nsz.xn--pda.com"},
		{"_dmarc.ø.com", LINDUNG_OK, "_dmarc.xn--pda.com"},
		{"XN--BCHER-KVA.ø", LINDUNG_OK, "xn--bcher-kva.xn--pda"},
		/* All ASCII: no conversion, no check but for the host rules. */
		{"R3---sn-xyz.googlevideo.com", LINDUNG_OK, "r3---sn-xyz.googlevideo.com"},
		{"xn--a.com", LINDUNG_OK, "xn--a.com"},
		{"", LINDUNG_ENAME, NULL},
		{"a..com", LINDUNG_ENAME, NULL},
		{"ø..com", LINDUNG_ENAME, NULL},
		{"a b.ø", LINDUNG_ENAME, NULL},
		{"-a.ø", LINDUNG_ENAME, NULL},
		{"ø.123", LINDUNG_ENAME, NULL},
		{"ø.１２３", LINDUNG_ENAME, NULL}, /* full-width digits */
		{"xn--a.ø", LINDUNG_EIDNA, NULL},  /* not what any U-label encodes to */
		{"-ø.com", LINDUNG_EIDNA, NULL},
		{"\xcc\x88ø.com", LINDUNG_EIDNA, NULL},     /* begins with a combining mark */
		{"a\xe2\x80\x8d.com", LINDUNG_EIDNA, NULL}, /* zero width joiner after a letter */
		{"\xd7\x90"
		 "a.com",
		 LINDUNG_EIDNA, NULL}, /* right to left, and left to right */
		{"\xff.com", LINDUNG_EIDNA, NULL},
		{"\xc3", LINDUNG_EIDNA, NULL},
		{"\xed\xa0\x80.com", LINDUNG_EIDNA, NULL}, /* a surrogate */
		{"\xc0\xae.com", LINDUNG_EIDNA, NULL},     /* '.' in two octets */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char host[LD_HOST_MAX + 1] = "untouched";
		size_t len = 4711;

		int err = ld_idna_to_host(host, &len, ld_span_str(rows[i].text));
		assert_string_equal(host, rows[i].host != NULL ? rows[i].host : "untouched");
		assert_int_equal(err, rows[i].error);
		assert_int_equal(len, rows[i].host != NULL ? strlen(rows[i].host) : 4711);
	}
	assert_int_equal(ld_idna_to_host(NULL, NULL, LD_SPAN("a\0b.\xc3\xb8")), LINDUNG_EIDNA);
}

static void
limits(void **state)
{
	char text[1100], host[LD_HOST_MAX + 1];
	size_t len;

	(void)state;
	/* A label of 55 'a' and an 'ø' is 63 octets long: "xn--" 55 "-" and three. */
	for (size_t letters = 1; letters <= 70; letters++) {
		memset(text, 'a', letters);
		strcpy(text + letters, "ø.com");
		int err = ld_idna_to_host(host, &len, ld_span_str(text));
		assert_int_equal(err, letters <= 55 ? LINDUNG_OK : LINDUNG_ELIMIT);
		if (letters == 55)
			assert_int_equal(len, 63 + 4);
	}
	/* "xn--pda" and 246 octets in labels of ASCII make 253 with the dots. */
	memset(text, 'a', sizeof text);
	for (size_t i = 63; i < 245; i += 64)
		text[i] = '.';
	strcpy(text + 245, ".ø");
	assert_int_equal(ld_idna_to_host(host, &len, ld_span_str(text)), LINDUNG_OK);
	assert_int_equal(len, 253);
	strcat(text, ".");
	assert_int_equal(ld_idna_to_host(host, &len, ld_span_str(text)), LINDUNG_OK);
	assert_int_equal(len, 253);
	strcpy(text + 245, "a.ø");
	assert_int_equal(ld_idna_to_host(host, &len, ld_span_str(text)), LINDUNG_ELIMIT);
	/* Soft hyphens map to nothing, so text may be longer than what comes of it; but not without
	 * end. */
	size_t at = 0;
	while (at + 2 < 4 * LD_HOST_MAX - 8) {
		memcpy(text + at, "\xc2\xad", 2);
		at += 2;
	}
	strcpy(text + at, "ab.com");
	assert_int_equal(ld_idna_to_host(host, &len, ld_span_str(text)), LINDUNG_OK);
	assert_string_equal(host, "ab.com");
	memset(text, 0xad, sizeof text);
	assert_int_equal(ld_idna_to_host(host, &len, ld_span(text, 4 * LD_HOST_MAX + 1)),
			 LINDUNG_ELIMIT);
}

static void
host_to_unicode(void **state)
{
	static const struct {
		const char *host, *text;
	} rows[] = {
		{"www.xn--ngnedamer-l8a.com", "www.nøgnedamer.com"},
		{"xn--85x722f.xn--fiqs8s", "食狮.中国"},
		{"xn--fa-hia.de", "faß.de"},
		{"www.example.com", "www.example.com"},
		{"r3---sn-xyz.googlevideo.com", "r3---sn-xyz.googlevideo.com"},
		{"", ""},
		{"a", "a"},
		/* Not decoded: not punycode, not what IDNA would have encoded. */
		{"xn--a.com", "xn--a.com"},
		{"xn--.com", "xn--.com"},
		{"xn--google.com", "䕮䕵䕶䕱.com"},
		{"xn--a-oqa.com", "xn--a-oqa.com"}, /* with U+0000..U+00A0 kind of letters */
		{"xn--bcher-kva-.com", "xn--bcher-kva-.com"},
	};
	char text[4 * LD_HOST_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t len = ld_idna_to_unicode(text, ld_span_str(rows[i].host));

		assert_string_equal(text, rows[i].text);
		assert_int_equal(len, strlen(text));
	}
}

static void
version_is_known(void **state)
{
	(void)state;
	assert_true(ld_idna_version()[0] >= '2' && ld_idna_version()[0] <= '9');
	assert_int_equal(ld_idna_version()[1], '.');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unicode_to_host),
		cmocka_unit_test(limits),
		cmocka_unit_test(host_to_unicode),
		cmocka_unit_test(version_is_known),
	};

	return cmocka_run_group_tests_name("idna", tests, NULL, NULL);
}
