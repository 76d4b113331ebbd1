/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "name/prose.h"

static void
good_text(void **state)
{
	static const char *const good[] = {
		"",
		"Act No. 11 of 2008, Article 27 (1)",
		"Undang-Undang ITE, Pasal 27 ayat (1)",
		"B\xe1\xbb\x99 lu\xe1\xba\xadt H\xc3\xacnh s\xe1\xbb\xb1", /* Vietnamese, composed
									    */
		"\xe0\xb8\x81\xe0\xb8\xb2\xe0\xb8\xa3\xe0\xb8\x9e\xe0\xb8\x99\xe0\xb8\xb1", /* Thai
											     */
		"\xe0\xae\x9a\xe0\xae\x9f\xe0\xaf\x8d\xe0\xae\x9f\xe0\xae\xae\xe0\xaf\x8d", /* Tamil
											     */
		"\xe0\xa6\x86\xe0\xa6\x87\xe0\xa6\xa8\xe0\xa7\x8b",     /* Bengali, U+09CB */
		"\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xb4\xd9\x88\xd8\xaf", /* Persian with U+200C */
		"\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4",                 /* Hangul syllables */
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		const char *fault = NULL;

		if (ld_prose_check(ld_span_str(good[i]), &fault) != LINDUNG_OK)
			fail_msg("%s: %s", good[i], fault);
	}
}

static void
bad_text(void **state)
{
	static const struct {
		const char *text, *fault;
	} bad[] = {
		{"a\nb", "a character"},
		{"a\tb", "a character"},
		{"a\x7f", "a character"},
		{"a\xc2\x85", "a character"}, /* U+0085, a control */
		{"a\xc2\xa0"
		 "b",
		 "a character"}, /* no-break space */
		{"a\xc2\xad"
		 "b",
		 "a character"}, /* soft hyphen */
		{"a\xe2\x80\xae"
		 "cod.exe",
		 "a character"}, /* U+202E turns what follows */
		{"a\xe2\x81\xa6"
		 "b",
		 "a character"},                  /* U+2066 */
		{"a\xe2\x80\x8f", "a character"}, /* U+200F */
		{"a\xd8\x9c", "a character"},     /* U+061C */
		{"\xef\xbb\xbf"
		 "a",
		 "a character"},                      /* byte order mark */
		{"a\xe2\x80\x8b", "a character"},     /* zero width space */
		{"a\xe2\x80\xa8", "a character"},     /* line separator */
		{"a\xe3\x85\xa4", "a character"},     /* Hangul filler */
		{"a\xf3\xa0\x81\x81", "a character"}, /* a tag */
		{"a\xee\x80\x80", "a character"},     /* private use */
		{"a\xcd\xb8", "a character"},         /* U+0378: not assigned */
		{"a\xf0\x9f\xab\xa8", "a character"}, /* U+1FAE8: assigned by Unicode 15.0 */
		{"e\xcc\x81", "normal form C"},       /* e and an accent */
		{"\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "normal form C"}, /* Hangul in letters */
		{"\xe2\x84\xab", "normal form C"},                         /* the Angstrom sign */
		{"\xc3", "UTF-8"},
		{"\xc0\xaf", "UTF-8"},
		{"\xed\xa0\x80", "UTF-8"},
		{"\xf4\x90\x80\x80", "UTF-8"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const char *fault = NULL;

		assert_int_equal(ld_prose_check(ld_span_str(bad[i].text), &fault), LINDUNG_ESYNTAX);
		if (strstr(fault, bad[i].fault) == NULL)
			fail_msg("%zu: %s", i, fault);
	}
}

static void
longest_text(void **state)
{
	char text[LD_PROSE_MAX_BYTES + 1];
	const char *fault = NULL;

	(void)state;
	/* What grows when it is decomposed. */
	for (size_t i = 0; i + 3 <= sizeof text; i += 3)
		memcpy(text + i, "\xe1\xbb\x99", 3);
	assert_int_equal(ld_prose_check(ld_span(text, 4095), &fault), LINDUNG_OK);
	memset(text, 'a', sizeof text);
	assert_int_equal(ld_prose_check(ld_span(text, sizeof text - 1), &fault), LINDUNG_OK);
	assert_int_equal(ld_prose_check(ld_span(text, sizeof text), &fault), LINDUNG_ESYNTAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_text),
		cmocka_unit_test(bad_text),
		cmocka_unit_test(longest_text),
	};

	return cmocka_run_group_tests_name("prose", tests, NULL, NULL);
}
