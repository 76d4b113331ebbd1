/* How keys lie in blocks and groups: every name that was put in must be found, wherever it falls.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants those before it */
#include <cmocka.h>

#include "index/test_image.h"

static char *
names_text(char *text, size_t size, unsigned count, const char *before, const char *after)
{
	size_t at = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < count; i++) {
		at += (size_t)snprintf(text + at, size - at, "block\tc%u\t%s%u%s\ts\n", i % 3,
				       before, i, after);
		assert_true(at < size);
	}
	return text;
}

static void
check_names(const struct lindung *list, unsigned count, const char *before, const char *after)
{
	struct lindung_answer a;
	char name[4200];

	for (unsigned i = 0; i < count + 3; i++) {
		snprintf(name, sizeof name, "%s%u%s", before, i, after);
		a = ld_test_ask(list, name, LINDUNG_ALL);
		if ((a.verdict == LINDUNG_BLOCK) != (i < count))
			fail_msg("%s: verdict %d", name, (int)a.verdict);
	}
}

/* Where blocks, halves and groups begin and end. */
static void
test_edges(void **state)
{
	static const unsigned counts[] = {0,   1,   2,   15,  16,   17,   31,   32,   33,  47,
					  48,  49,  63,  64,  65,   511,  512,  513,  527, 528,
					  529, 543, 544, 545, 1023, 1024, 1025, 1536, 1537};
	size_t size = 1 << 20;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		struct lindung *list =
			ld_test_open(names_text(text, size, counts[i], "name", ".example.com"));
		struct lindung_facts facts;

		assert_int_equal(lindung_facts(list, 0, &facts), LINDUNG_OK);
		assert_int_equal(facts.entry_count, counts[i]);
		assert_int_equal(facts.source_count, counts[i] != 0);
		check_names(list, counts[i], "name", ".example.com");
		check_names(list, counts[i], "www.name", ".example.com");
		lindung_close(list);
	}
	free(text);
}

/* Keys that agree for long, so that fences and steps do not tell them apart. */
static void
test_shared_prefixes(void **state)
{
	static const char *const names[][2] = {
		{"", ".c12345678.com"},                        /* 12 octets and more before it */
		{"", ".d23456789012345678901.com"},            /* 24 */
		{"", ".e2345678901234567890123456789012.com"}, /* 36 */
		{"", ".f23456789012345678901234567890123456.com"},   /* 40 */
		{"a-", ".sub.f2345678901234567890123456789012.com"}, /* and a label between */
		{"site", ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
			 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
			 "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc.com"},
	};
	enum { COUNT = 5000 };
	size_t size = 4 << 20;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct lindung *list =
			ld_test_open(names_text(text, size, COUNT, names[i][0], names[i][1]));

		check_names(list, COUNT, names[i][0], names[i][1]);
		lindung_close(list);
	}
	free(text);
}

/* A group whose keys share more than its steps tell, and before it keys that share just that much:
 * what its fences say holds for its own keys alone. */
static void
test_groups_that_share_more(void **state)
{
	static const char site[] = "e2345678901234567890123456789012345.com";
	size_t size = 1 << 20, at = 0;
	char *text = malloc(size), name[256];

	(void)state;
	assert_non_null(text);
	for (unsigned before = 480; before < 512; before += 3) {
		struct lindung *list;

		at = 0;
		for (unsigned i = 0; i < before; i++)
			at += (size_t)snprintf(text + at, size - at, "block\tc\ta%u.dd.com\ts\n",
					       i);
		for (unsigned i = 0; i < 32; i++)
			at += (size_t)snprintf(text + at, size - at,
					       "block\tc\tzzzzzzzzzzzzzzzzzzzzzzzz.a%02u.%s\ts\n",
					       i, site);
		for (unsigned i = 0; i < 600; i++)
			at += (size_t)snprintf(text + at, size - at,
					       "block\tc\tn%u.zlonglonglonglong.%s\ts\n", i, site);
		list = ld_test_open(text);
		for (unsigned i = 0; i < 32; i++) {
			snprintf(name, sizeof name, "zzzzzzzzzzzzzzzzzzzzzzzz.a%02u.%s", i, site);
			if (!ld_test_blocked(list, name))
				fail_msg("%u: %s is not found", before, name);
		}
		lindung_close(list);
	}
	free(text);
}

/* Blocks that share much with each other and little with those before them in their group. */
static void
test_fences_level_by_level(void **state)
{
	static const char site[] =
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
		"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
		"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc.e.com";
	enum { COUNT = 400 };
	size_t size = 1 << 20;
	char *text = malloc(size), name[256];

	(void)state;
	assert_non_null(text);
	for (unsigned before = 30; before < 160; before += 13) {
		size_t at = 0;

		for (unsigned i = 0; i < before; i++)
			at += (size_t)snprintf(text + at, size - at, "block\tc\ta%u.dd.com\ts\n",
					       i);
		for (unsigned i = 0; i < COUNT; i++)
			at += (size_t)snprintf(text + at, size - at, "block\tc\tn%u.%s\ts\n", i,
					       site);
		struct lindung *list = ld_test_open(text);
		for (unsigned i = 0; i < COUNT; i++) {
			snprintf(name, sizeof name, "n%u.%s", i, site);
			if (!ld_test_blocked(list, name))
				fail_msg("%u: %s is not found", before, name);
			snprintf(name, sizeof name, "n%ux.%s", i, site);
			assert_false(ld_test_blocked(list, name));
		}
		lindung_close(list);
	}
	free(text);
}

/* Paths have octets that names have not, in an order of their own: '-' < '/' < '0' < 'A' < 'a'. */
static void
test_urls_among_names(void **state)
{
	static const char octets[] = "-_.!~()*+,;:@=&$0123456789AZazBYby";
	enum { COUNT = 6000 };
	size_t size = 4 << 20, at = 0;
	char *text = malloc(size);
	uint64_t seed = ld_test_seed(20);
	char(*urls)[80] = malloc(COUNT * sizeof *urls);

	(void)state;
	assert_non_null(text);
	assert_non_null(urls);
	for (unsigned i = 0; i < COUNT; i++) {
		size_t len = (size_t)snprintf(urls[i], sizeof urls[i],
					      i % 3 == 0   ? "a-%c.b.com"
					      : i % 3 == 1 ? "a-%c.b.com/"
							   : "a.b-%c.com/",
					      "abz"[ld_test_random(&seed) % 3]);
		size_t more = ld_test_random(&seed) % 20;

		if (i % 3 == 0) {
			/* a name: a-x0123.b.com */
			snprintf(urls[i], sizeof urls[i], "a%c%u.b.com",
				 "-0a"[ld_test_random(&seed) % 3], i);
		} else {
			urls[i][len++] = 'x';
			for (size_t j = 0; j < more; j++)
				urls[i][len++] =
					octets[ld_test_random(&seed) % (sizeof octets - 1)];
			urls[i][len++] = 'x';
			urls[i][len] = '\0';
		}
		at += (size_t)snprintf(text + at, size - at, "block\tadult\t%s\ts\n", urls[i]);
	}
	struct lindung *list = ld_test_open(text);
	for (unsigned i = 0; i < COUNT; i++)
		if (!ld_test_blocked(list, urls[i]))
			fail_msg("%s is not found", urls[i]);
	lindung_close(list);
	free(urls);
	free(text);
}

/* Paths so long that a group takes more than 64 KiB, and single halves more than 255 octets. */
static void
test_wide_groups(void **state)
{
	enum { COUNT = 700, LONG = 3800 };
	size_t size = (size_t)COUNT * (LONG + 100), at = 0;
	char *text = malloc(size), *url = malloc(LONG + 100);
	uint64_t seed = ld_test_seed(21);

	(void)state;
	assert_non_null(text);
	assert_non_null(url);
	for (int pass = 0; pass < 2; pass++) {
		struct lindung *list = pass == 1 ? ld_test_open(text) : NULL;
		uint64_t state_now = seed;

		for (unsigned i = 0; i < COUNT; i++) {
			size_t len = (size_t)sprintf(url, "h%u.example.com/", i / 2);
			size_t path = i % 5 == 0 ? 3 : LONG - i;

			for (size_t j = 0; j < path; j++)
				url[len++] = (char)('!' + ld_test_random(&state_now) % 90);
			for (size_t j = 0; j < len; j++)
				if (strchr("#%/?\\\"<>^`{|}.", url[j]) != NULL && j > 16)
					url[j] = 'Q';
			url[len] = '\0';
			if (pass == 0)
				at += (size_t)snprintf(text + at, size - at,
						       "block\tadult\t%s\ts\n", url);
			else if (!ld_test_blocked(list, url))
				fail_msg("%.60s... is not found", url);
		}
		lindung_close(list);
	}
	free(url);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_shared_prefixes),
		cmocka_unit_test(test_groups_that_share_more),
		cmocka_unit_test(test_fences_level_by_level),
		cmocka_unit_test(test_urls_among_names),
		cmocka_unit_test(test_wide_groups),
	};

	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
