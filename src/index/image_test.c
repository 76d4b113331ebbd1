/* Small images, and every function of lindung.h asked about them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka.h wants those before it */
#include <cmocka.h>

#include "index/compile.h"
#include "index/test_image.h"

/* ---- Asking ------------------------------------------------------------------------------- */

static uint64_t
bit(const struct lindung *list, const char *category)
{
	int i = lindung_category_find(list, category, strlen(category));

	if (i < 0)
		fail_msg("no category %s", category);
	return UINT64_C(1) << i;
}

static void
assert_text(struct lindung_text text, const char *expected)
{
	assert_int_equal(text.len, strlen(expected));
	assert_memory_equal(text.data, expected, text.len);
}

/* ---- What a name is ------------------------------------------------------------------------ */

static void
test_limits(void **state)
{
	struct lindung *list = ld_test_open("block\tadult\texample.com\ts\n");
	struct lindung_answer answer, before;
	char name[300];

	(void)state;
	/* A label of 63 and of 64. */
	memset(name, 'a', sizeof name);
	memcpy(name + 63, ".example.com", 13);
	assert_true(ld_test_blocked(list, name));
	memset(&answer, 0x5a, sizeof answer);
	memset(&before, 0x5a, sizeof before);
	memset(name, 'a', sizeof name);
	memcpy(name + 64, ".example.com", 13);
	assert_int_equal(lindung_lookup_name(list, name, strlen(name), LINDUNG_ALL, &answer),
			 LINDUNG_ENAME);
	assert_memory_equal(&answer, &before, sizeof answer);
	/* A name of 253 octets and of 254; the last dot does not count. */
	for (size_t i = 0; i < sizeof name; i++)
		name[i] = i % 2 == 0 ? 'b' : '.';
	memcpy(name + 253 - 12, ".example.com", 13);
	assert_true(ld_test_blocked(list, name));
	memcpy(name + 253, ".", 2);
	assert_true(ld_test_blocked(list, name));
	for (size_t i = 0; i < sizeof name; i++)
		name[i] = i % 2 == 0 ? 'b' : '.';
	name[241] = 'b';
	memcpy(name + 254 - 12, ".example.com", 13);
	assert_int_equal(lindung_lookup_name(list, name, 254, LINDUNG_ALL, &answer), LINDUNG_ENAME);
	/* 127 labels. */
	for (size_t i = 0; i < 253; i++)
		name[i] = i % 2 == 0 ? 'b' : '.';
	assert_int_equal(lindung_lookup_name(list, name, 253, LINDUNG_ALL, &answer), LINDUNG_OK);
	assert_int_equal(answer.verdict, LINDUNG_ALLOW);
	lindung_close(list);
}

static void
test_texts(void **state)
{
	static const struct {
		const char *name;
		int err;
		bool blocked;
	} cases[] = {
		{"example.com", LINDUNG_OK, true},
		{"EXAMPLE.com", LINDUNG_OK, true},
		{"eXaMpLe.CoM.", LINDUNG_OK, true},
		{"www.Example.com", LINDUNG_OK, true},
		{"a.b.c.example.com.", LINDUNG_OK, true},
		{"xexample.com", LINDUNG_OK, false},
		{"example.co", LINDUNG_OK, false},
		{"example.comm", LINDUNG_OK, false},
		{"com", LINDUNG_OK, false},
		{"com.", LINDUNG_OK, false},
		{"example.com.net", LINDUNG_OK, false},
		{"", LINDUNG_ENAME, false},
		{".", LINDUNG_ENAME, false},
		{"..", LINDUNG_ENAME, false},
		{".example.com", LINDUNG_ENAME, false},
		{"www..example.com", LINDUNG_ENAME, false},
		{"example.com..", LINDUNG_ENAME, false},
		{"ex\303\244mple.com", LINDUNG_ENOTASCII, false},
		{"www.example.com\377", LINDUNG_ENOTASCII, false},
		{"b\001d.example.com", LINDUNG_OK, true},
		{"sp ace.example.com", LINDUNG_OK, true},
		{"a/b.example.com", LINDUNG_OK, true},
		{"example\001com", LINDUNG_OK, false},
		{"com\001example", LINDUNG_OK, false},
		{"example.com\002", LINDUNG_OK, false},
		{"[`{@.example.com", LINDUNG_OK, true},
	};
	struct lindung *list = ld_test_open("block\tadult\texample.com\ts\n");

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lindung_answer answer = {.verdict = LINDUNG_REWRITE};
		/* Exactly as long as the name, for a sanitizer to see one octet too many. */
		size_t len = strlen(cases[i].name);
		char *exact = malloc(len + 1);
		int err;

		assert_non_null(exact);
		memcpy(exact, cases[i].name, len);
		exact = realloc(exact, len != 0 ? len : 1);
		err = lindung_lookup_name(list, exact, len, LINDUNG_ALL, &answer);
		free(exact);
		if (err != cases[i].err)
			fail_msg("%s: %s", cases[i].name, lindung_strerror(err));
		if (err == LINDUNG_OK && (answer.verdict == LINDUNG_BLOCK) != cases[i].blocked)
			fail_msg("%s: verdict %d", cases[i].name, (int)answer.verdict);
		if (err != LINDUNG_OK)
			assert_int_equal(answer.verdict, LINDUNG_REWRITE);
	}
	lindung_close(list);
}

static void
test_wire(void **state)
{
#define WIRE(text) (const uint8_t *)(text), sizeof(text) - 1
	static const struct {
		const uint8_t *wire;
		size_t len;
		int err;
		bool blocked;
	} cases[] = {
		{WIRE("\7example\3com\0"), LINDUNG_OK, true},
		{WIRE("\3WWW\7EXAMPLE\3cOm\0"), LINDUNG_OK, true},
		{WIRE("\0"), LINDUNG_OK, false},
		{WIRE("\3com\0"), LINDUNG_OK, false},
		/* Octets that no host has, in labels below a listed name ... */
		{WIRE("\3\0\1.\7example\3com\0"), LINDUNG_OK, true},
		{WIRE("\3\377\200A\7example\3com\0"), LINDUNG_OK, true},
		{WIRE("\3a/b\7example\3com\0"), LINDUNG_OK, true},
		/* ... and in the place of what is listed. */
		{WIRE("\13example.com\0"), LINDUNG_OK, false},
		{WIRE("\13com\001example\0"), LINDUNG_OK, false},
		{WIRE("\7example\7com\001org\0"), LINDUNG_OK, false},
		{WIRE("\10example\0\3com\0"), LINDUNG_OK, false},
		{WIRE("\7example\4com\0\0"), LINDUNG_OK, false},
		{WIRE("\7exampl\305\3com\0"), LINDUNG_OK, false},
		{WIRE("\13example\001www\3com\0"), LINDUNG_OK, false},
		{WIRE(""), LINDUNG_ENAME, false},
		{WIRE("\7example\3com"), LINDUNG_ENAME, false},
		{WIRE("\7example\3co"), LINDUNG_ENAME, false},
		{WIRE("\7example\3com\0\0"), LINDUNG_ENAME, false},
		{WIRE("\7example\3com\0x"), LINDUNG_ENAME, false},
		{WIRE("\300\0"), LINDUNG_ENAME, false},
		{WIRE("\100aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0"),
		 LINDUNG_ENAME, false},
		{WIRE("\77"), LINDUNG_ENAME, false},
	};
	struct lindung *list = ld_test_open("block\tadult\texample.com\ts\n"
					    "block\tadult\texample.org/www\ts\n");

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lindung_answer answer;
		uint8_t *exact = malloc(cases[i].len != 0 ? cases[i].len : 1);
		int err;

		assert_non_null(exact);
		memcpy(exact, cases[i].wire, cases[i].len);
		err = lindung_lookup_wire(list, exact, cases[i].len, LINDUNG_ALL, &answer);
		free(exact);
		if (err != cases[i].err ||
		    (err == LINDUNG_OK && (answer.verdict == LINDUNG_BLOCK) != cases[i].blocked))
			fail_msg("wire name %zu", i);
	}
	lindung_close(list);
}

static void
test_wire_limits(void **state)
{
	struct lindung *list = ld_test_open("block\tadult\tb.b\ts\n");
	struct lindung_answer answer;
	uint8_t wire[258];

	(void)state;
	/* 127 labels of one octet: 255 octets with the zero. */
	for (size_t i = 0; i < sizeof wire; i++)
		wire[i] = i % 2 == 0 ? 1 : 'B';
	wire[254] = 0;
	assert_int_equal(lindung_lookup_wire(list, wire, 255, LINDUNG_ALL, &answer), LINDUNG_OK);
	assert_int_equal(answer.verdict, LINDUNG_BLOCK);
	assert_int_equal(answer.match_labels, 2);
	wire[254] = 1;
	wire[256] = 0;
	assert_int_equal(lindung_lookup_wire(list, wire, 257, LINDUNG_ALL, &answer), LINDUNG_ENAME);
	lindung_close(list);
}

/* ---- Judging ------------------------------------------------------------------------------- */

static void
test_scopes(void **state)
{
	struct lindung *list = ld_test_open("block\tadult\ttree.com\ts\n"
					    "block\tadult\t=self.com\ts\n"
					    "block\tadult\t*.below.com\ts\n"
					    "block\tadult\turl.com/part\ts\n"
					    "block\tadult\tall.com/\ts\n");

	(void)state;
	assert_true(ld_test_blocked(list, "tree.com"));
	assert_true(ld_test_blocked(list, "a.tree.com"));
	assert_true(ld_test_blocked(list, "a.b.tree.com"));
	assert_true(ld_test_blocked(list, "self.com"));
	assert_false(ld_test_blocked(list, "a.self.com"));
	assert_false(ld_test_blocked(list, "below.com"));
	assert_true(ld_test_blocked(list, "a.below.com"));
	assert_true(ld_test_blocked(list, "a.b.below.com"));
	/* A part of a site never closes the site. */
	assert_false(ld_test_blocked(list, "url.com"));
	assert_false(ld_test_blocked(list, "a.url.com"));
	assert_false(ld_test_blocked(list, "all.com"));
	assert_false(ld_test_blocked(list, "http://url.com/"));
	assert_false(ld_test_blocked(list, "http://url.com/par"));
	assert_false(ld_test_blocked(list, "http://url.com/partial"));
	assert_true(ld_test_blocked(list, "http://url.com/part"));
	assert_true(ld_test_blocked(list, "https://URL.com:8080/part/of/it?x=1#y"));
	assert_true(ld_test_blocked(list, "url.com/part?x"));
	assert_true(ld_test_blocked(list, "http://www.url.com/part"));
	assert_false(ld_test_blocked(list, "http://url.com/PART"));
	assert_true(ld_test_blocked(list, "http://all.com/"));
	assert_true(ld_test_blocked(list, "http://all.com/anything"));
	/* A URL of a site that is closed by name. */
	assert_true(ld_test_blocked(list, "http://a.tree.com/x"));
	assert_true(ld_test_blocked(list, "http://a.below.com/"));
	assert_false(ld_test_blocked(list, "http://192.0.2.1/part"));
	lindung_close(list);
}

/* The table: what stands at a name and at its parent, what comes out. */
static void
test_effects(void **state)
{
	static const char *const words[] = {"", "block", "allow", "block!", "allow!"};
	/* Rows: the name itself; columns: the parent.  B closed, A opened by an entry, . nothing.
	 */
	static const char *const expected[] = {
		/*           none block allow block! allow! */
		/* none   */ ".BABA",
		/* block  */ "BBBBA",
		/* allow  */ "AAABA",
		/* block! */ "BBBBB",
		/* allow! */ "AAAAA",
	};

	(void)state;
	for (int self = 0; self < 5; self++) {
		for (int parent = 0; parent < 5; parent++) {
			char text[200] = "block\tother\tother.org\ts\n";
			size_t at = strlen(text);

			if (self != 0)
				at += (size_t)snprintf(text + at, sizeof text - at,
						       "%s\tc\twww.example.com\ts\n", words[self]);
			if (parent != 0)
				snprintf(text + at, sizeof text - at, "%s\tc\texample.com\ts\n",
					 words[parent]);
			struct lindung *list = ld_test_open(text);
			struct lindung_answer answer =
				ld_test_ask(list, "www.example.com", LINDUNG_ALL);
			char got = answer.blocked != 0 ? 'B' : answer.allowed != 0 ? 'A' : '.';

			if (got != expected[self][parent])
				fail_msg("%s under %s: %c", words[self], words[parent], got);
			assert_int_equal(answer.verdict == LINDUNG_BLOCK, got == 'B');
			assert_true(answer.blocked == 0 || answer.blocked == bit(list, "c"));
			lindung_close(list);
		}
	}
}

static void
test_at_one_name(void **state)
{
	static const struct {
		const char *text;
		char expected;
	} cases[] = {
		{"block\tc\ta.com\ts\nallow\tc\ta.com\tt\n", 'A'},
		{"block!\tc\ta.com\ts\nallow\tc\ta.com\tt\n", 'B'},
		{"block!\tc\ta.com\ts\nallow!\tc\ta.com\tt\n", 'A'},
		{"block\tc\ta.com\ts\nallow!\tc\ta.com\tt\n", 'A'},
		{"block!\tc\ta.com\ts\nprotect\tc\ta.com\tt\n", 'P'},
		{"block!\tc\tb.a.com\ts\nprotect\tc\ta.com\tt\n", 'P'},
		{"block\tc\ta.com\ts\nallow\td\ta.com\tt\n", 'B'},
		{"block\tc\ta.com\ts\nrewrite\tc\ta.com\tt\tA 192.0.2.1\n", 'B'},
		{"allow\tc\ta.com\ts\nrewrite\tc\ta.com\tt\tA 192.0.2.1\n", 'R'},
		{"rewrite\tc\ta.com\tt\tA 192.0.2.1\n", 'R'},
		{"rewrite\tc\ta.com\tt\tA 192.0.2.1\nprotect\tc\ta.com\ts\n", 'P'},
		{"block\tc\t=a.com\ts\nallow\tc\t*.a.com\ts\n", 'B'},
		{"block\tc\t*.a.com\ts\nallow\tc\t=a.com\ts\n", 'A'},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lindung *list = ld_test_open(cases[i].text);
		struct lindung_answer answer = ld_test_ask(list, "a.com", LINDUNG_ALL);
		char got = answer.verdict == LINDUNG_BLOCK     ? 'B'
			   : answer.verdict == LINDUNG_REWRITE ? 'R'
			   : answer.is_protected               ? 'P'
			   : answer.allowed != 0               ? 'A'
							       : '.';

		if (got != cases[i].expected)
			fail_msg("%s: %c", cases[i].text, got);
		if (got == 'R')
			assert_text(answer.target, "A 192.0.2.1");
		else
			assert_int_equal(answer.target.len, 0);
		lindung_close(list);
	}
}

static void
test_by_category(void **state)
{
	struct lindung *list = ld_test_open("block\tadult\texample.com\ts\n"
					    "block\tgambling\texample.com\ts\n"
					    "allow\tgambling\tshop.example.com\ts\n"
					    "block\tgambling\tbet.shop.example.com\ts\n"
					    "block\tdrugs\twww.bet.shop.example.com\ts\n");
	uint64_t adult = bit(list, "adult"), gambling = bit(list, "gambling");
	uint64_t drugs = bit(list, "drugs");
	struct lindung_answer a;

	(void)state;
	assert_int_equal(lindung_category_count(list), 3);
	assert_text(lindung_category_key(list, 0), "adult");
	assert_text(lindung_category_key(list, 1), "drugs");
	assert_text(lindung_category_key(list, 2), "gambling");
	assert_null(lindung_category_key(list, 3).data);
	assert_int_equal(lindung_category_find(list, "adul", 4), -1);
	assert_int_equal(lindung_category_find(list, "adults", 6), -1);
	assert_int_equal(lindung_category_find(list, "", 0), -1);
	a = ld_test_ask(list, "www.example.com", LINDUNG_ALL);
	assert_true(a.blocked == (adult | gambling) && a.allowed == 0);
	assert_int_equal(a.match_labels, 2);
	assert_int_equal(a.category, 0);
	a = ld_test_ask(list, "www.shop.example.com", LINDUNG_ALL);
	assert_true(a.blocked == adult && a.allowed == gambling);
	assert_int_equal(a.match_labels, 2);
	a = ld_test_ask(list, "www.shop.example.com", gambling);
	assert_true(a.verdict == LINDUNG_ALLOW && a.blocked == 0 && a.allowed == gambling);
	assert_int_equal(a.category, -1);
	assert_int_equal(a.match_labels, 3);
	a = ld_test_ask(list, "bet.shop.example.com", LINDUNG_ALL);
	assert_true(a.blocked == (adult | gambling) && a.allowed == 0);
	assert_int_equal(a.category, lindung_category_find(list, "gambling", 8));
	assert_int_equal(a.match_labels, 4);
	a = ld_test_ask(list, "x.www.bet.shop.example.com", adult | drugs);
	assert_true(a.blocked == (adult | drugs));
	assert_int_equal(a.match_labels, 5);
	assert_int_equal(a.category, 1);
	a = ld_test_ask(list, "example.com", 0);
	assert_true(a.verdict == LINDUNG_ALLOW && a.blocked == 0 && a.match_labels == 0);
	/* Categories that do not exist change nothing. */
	a = ld_test_ask(list, "example.com", ~(adult | gambling | drugs));
	assert_true(a.verdict == LINDUNG_ALLOW && a.blocked == 0);
	lindung_close(list);
}

/* The entry that is named must be the one that gave the verdict. */
static void
test_match_is_what_decided(void **state)
{
	struct lindung *list = ld_test_open("block!\tc\texample.com\ts\n"
					    "block\tc\tb.example.com\ts\n"
					    "allow\tc\ta.b.example.com\ts\n"
					    "block\td\td.org\ts\n"
					    "allow!\td\tx.d.org\ts\n"
					    "block!\te\td.org\ts\n");
	struct lindung_answer a;

	(void)state;
	/* Of c the important entry decides: not a.b (allow), nor b (which a.b overrules). */
	a = ld_test_ask(list, "a.b.example.com", LINDUNG_ALL);
	assert_true(a.blocked == bit(list, "c"));
	assert_int_equal(a.match_labels, 2);
	a = ld_test_ask(list, "x.d.org", LINDUNG_ALL);
	assert_true(a.blocked == bit(list, "e") && a.allowed == bit(list, "d"));
	assert_int_equal(a.match_labels, 2);
	assert_int_equal(a.category, lindung_category_find(list, "e", 1));
	lindung_close(list);
}

/* ---- Every category at once, protection ----------------------------------------------------- */

/* Entries for every category come from ld_compile(), whose lists may say "*". */
static struct lindung *
compiled(const char *const *texts, const char *const *categories, size_t count, bool allow,
	 const struct ld_compile_options *given, int *ret_err, struct ld_compile_stats *ret)
{
	struct ld_compile_options options = {
		.memory_bytes = 32u << 20, .threads = 1, .directory = "/tmp"};
	struct ld_compile_list lists[8] = {{0}};
	char paths[8][64], image[64];
	struct lindung *list = NULL;
	struct ld_report report = {{0}};
	int err;

	if (given != NULL)
		options = *given;
	for (size_t i = 0; i < count; i++) {
		FILE *file;

		snprintf(paths[i], sizeof paths[i], "/tmp/lindung-list-%ld-%zu", (long)getpid(), i);
		file = fopen(paths[i], "w");
		assert_non_null(file);
		fputs(texts[i], file);
		fclose(file);
		lists[i] = (struct ld_compile_list){.path = paths[i],
						    .category = categories[i],
						    .format = LD_LIST_LINDUNG,
						    .source = "s",
						    .allow = allow && i == count - 1};
	}
	snprintf(image, sizeof image, "/tmp/lindung-image-%ld", (long)getpid());
	err = ld_compile(image, lists, count, &options, ret, &report);
	if (err == LINDUNG_OK) {
		assert_int_equal(lindung_open(&list, image, LINDUNG_VERIFY), LINDUNG_OK);
		assert_int_equal(lindung_verify(list), LINDUNG_OK);
		unlink(image);
	} else {
		assert_true(report.text[0] != '\0');
	}
	for (size_t i = 0; i < count; i++)
		unlink(paths[i]);
	if (ret_err != NULL)
		*ret_err = err;
	else
		assert_int_equal(err, LINDUNG_OK);
	return list;
}

static void
test_all_categories(void **state)
{
	const char *const texts[] = {"block\t\texample.com\t\n", "block\t\texample.com\t\n",
				     "block\t\tshop.example.com\t\n"};
	const char *const categories[] = {"adult", "gambling", "*"};
	struct ld_compile_stats stats;
	struct lindung *list = compiled(texts, categories, 3, true, NULL, NULL, &stats);
	struct lindung_answer a;

	(void)state;
	free(stats.lists);
	assert_int_equal(lindung_category_count(list), 2);
	a = ld_test_ask(list, "shop.example.com", LINDUNG_ALL);
	assert_true(a.verdict == LINDUNG_ALLOW && a.allowed == 3);
	a = ld_test_ask(list, "example.com", LINDUNG_ALL);
	assert_true(a.blocked == 3);
	lindung_close(list);
	/* A block for every category: only bits that mean something are told. */
	list = compiled(texts, categories, 3, false, NULL, NULL, &stats);
	free(stats.lists);
	a = ld_test_ask(list, "x.shop.example.com", LINDUNG_ALL);
	assert_true(a.verdict == LINDUNG_BLOCK && a.blocked == 3);
	assert_int_equal(a.match_labels, 3);
	lindung_close(list);
	/* Even where there is no other category at all. */
	list = compiled(texts + 2, categories + 2, 1, false, NULL, NULL, &stats);
	free(stats.lists);
	assert_int_equal(lindung_category_count(list), 0);
	a = ld_test_ask(list, "shop.example.com", LINDUNG_ALL);
	assert_true(a.verdict == LINDUNG_BLOCK);
	assert_int_equal(a.match_labels, 3);
	assert_int_equal(a.category, -1);
	lindung_close(list);
}

static void
test_protected(void **state)
{
	const char *const texts[] = {"block!\t\texample.com\t\n"
				     "block\t\thelp.example.com\t\n"
				     "block!\t\tx.help.example.com\t\n"
				     "protect\t\tlocalhelp.org\t\n"
				     "block\t\tcom\t\n"
				     "remove\t\texample.com\t\n"
				     "block\t\thelp.example.com/page\t\n"
				     "block\t\twww.only.org\t\nblock\t\tonly.org\t\n"};
	const char *const categories[] = {"adult"};
	const struct ld_protected protects[] = {{LD_SPAN("help.example.com"), false},
						{LD_SPAN("only.org"), true}};
	const struct ld_compile_options options = {.memory_bytes = 32u << 20,
						   .threads = 2,
						   .directory = "/tmp",
						   .protects = protects,
						   .protect_count = 2};
	struct ld_compile_stats stats;
	struct lindung *list = compiled(texts, categories, 1, false, &options, NULL, &stats);
	struct lindung_answer a;

	(void)state;
	assert_int_equal(stats.total.rejects[LD_REJECT_PROTECTED], 4);
	assert_int_equal(stats.total.rejects[LD_REJECT_SINGLE_LABEL], 1);
	assert_int_equal(stats.total.rejects[LD_REJECT_ACTION], 2);
	assert_int_equal(stats.total.entries, 2);
	free(stats.lists);
	assert_true(ld_test_blocked(list, "example.com"));
	a = ld_test_ask(list, "a.help.example.com", LINDUNG_ALL);
	assert_true(a.is_protected && a.verdict == LINDUNG_ALLOW && a.blocked == 0);
	assert_int_equal(a.match_labels, 3);
	assert_false(ld_test_blocked(list, "only.org"));
	assert_true(ld_test_ask(list, "only.org", 0).is_protected);
	assert_true(ld_test_blocked(list, "www.only.org"));
	assert_false(ld_test_ask(list, "www.only.org", LINDUNG_ALL).is_protected);
	lindung_close(list);
}

/* ---- Layers ---------------------------------------------------------------------------------- */

/* Nothing takes back a protection: not an overlay that blocks the name, nor one that removes it. */
static void
test_protection_shows_through(void **state)
{
	struct lindung *list = ld_test_open("protect\t*\thelp.example.com\tprotected\n"
					    "block\tadult\texample.com\ts\n");

	(void)state;
	assert_int_equal(ld_test_overlay(list, "block!\tadult\thelp.example.com\tt\n"), LINDUNG_OK);
	assert_false(ld_test_blocked(list, "help.example.com"));
	assert_true(ld_test_ask(list, "www.help.example.com", LINDUNG_ALL).is_protected);
	assert_int_equal(ld_test_overlay(list, "remove\t*\thelp.example.com\tt\n"), LINDUNG_OK);
	assert_true(ld_test_ask(list, "help.example.com", LINDUNG_ALL).is_protected);
	assert_true(ld_test_blocked(list, "other.example.com"));
	lindung_close(list);
}

static void
test_overlays(void **state)
{
	struct lindung *list = ld_test_open("block\tgambling\texample.com\ts\n"
					    "block\tadult\tgone.com\ts\n"
					    "block\tadult\twww.gone.com\ts\n");
	struct lindung_facts facts;
	struct lindung_answer a;

	(void)state;
	assert_int_equal(ld_test_overlay(list, "block\tadult\texample.com\tt\n"
					       "block\tchat\tnew.com\tt\n"
					       "remove\tadult\tgone.com\tt\n"
					       "remove\tadult\tnever.com\tt\n"),
			 LINDUNG_OK);
	/* Numbers that were given stay; new ones come behind. */
	assert_int_equal(lindung_category_find(list, "adult", 5), 0);
	assert_int_equal(lindung_category_find(list, "gambling", 8), 1);
	assert_int_equal(lindung_category_find(list, "chat", 4), 2);
	a = ld_test_ask(list, "example.com", LINDUNG_ALL);
	assert_true(a.blocked == bit(list, "adult"));
	assert_false(ld_test_blocked(list, "gone.com"));
	assert_false(ld_test_blocked(list, "x.gone.com"));
	assert_true(ld_test_blocked(list, "www.gone.com"));
	assert_true(ld_test_blocked(list, "x.new.com"));
	assert_int_equal(ld_test_overlay(list, "block\tchat\tgone.com\tu\n"
					       "remove\tchat\texample.com\tu\n"),
			 LINDUNG_OK);
	assert_true(ld_test_ask(list, "gone.com", LINDUNG_ALL).blocked == bit(list, "chat"));
	assert_true(ld_test_ask(list, "www.gone.com", LINDUNG_ALL).blocked ==
		    (bit(list, "adult") | bit(list, "chat")));
	assert_false(ld_test_blocked(list, "example.com"));
	assert_int_equal(lindung_facts(list, 2, &facts), LINDUNG_OK);
	assert_int_equal(facts.entry_count, 2);
	assert_int_equal(facts.category_count, 1);
	assert_int_equal(facts.format_version, LD_INDEX_VERSION);
	assert_int_equal(lindung_facts(list, 3, &facts), LINDUNG_EINVAL);
	assert_int_equal(lindung_verify(list), LINDUNG_OK);
	for (int i = 2; i < LINDUNG_OVERLAY_MAX; i++)
		assert_int_equal(ld_test_overlay(list, "block\tchat\tmore.com\tu\n"), LINDUNG_OK);
	assert_int_equal(ld_test_overlay(list, "block\tchat\tmore.com\tu\n"), LINDUNG_ELIMIT);
	assert_true(ld_test_blocked(list, "more.com"));
	assert_int_equal(lindung_facts(list, LINDUNG_OVERLAY_MAX, &facts), LINDUNG_OK);
	lindung_close(list);
}

static void
test_category_limit(void **state)
{
	char text[8192];
	struct lindung *list;
	size_t at = 0;
	int i;

	(void)state;
	for (i = 0; i < LINDUNG_CATEGORY_MAX; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "block\tc%d\tn%d.com\ts\n", i,
				       i);
	list = ld_test_open(text);
	assert_int_equal(lindung_category_count(list), 64);
	for (i = 0; i < LINDUNG_CATEGORY_MAX; i++) {
		char name[32], key[32];

		snprintf(name, sizeof name, "x.n%d.com", i);
		snprintf(key, sizeof key, "c%d", i);
		assert_true(ld_test_ask(list, name, LINDUNG_ALL).blocked == bit(list, key));
	}
	/* An overlay with one more is refused and changes nothing. */
	assert_int_equal(ld_test_overlay(list, "block\tnew\texample.com\ts\n"), LINDUNG_ELIMIT);
	assert_int_equal(lindung_category_count(list), 64);
	assert_false(ld_test_blocked(list, "example.com"));
	assert_int_equal(ld_test_overlay(list, "block\tc7\texample.com\ts\n"), LINDUNG_OK);
	assert_true(ld_test_blocked(list, "example.com"));
	lindung_close(list);
	/* So is an image with 65. */
	snprintf(text + at, sizeof text - at, "block\tc64\tn64.com\ts\n");
	struct ld_report report = {{0}};
	assert_int_equal(
		ld_test_build("/tmp/lindung-never", ld_span_str(text), NULL, NULL, &report),
		LINDUNG_ELIMIT);
	assert_non_null(strstr(report.text, "categories"));
	assert_int_equal(access("/tmp/lindung-never", F_OK), -1);
}

/* ---- Explaining -------------------------------------------------------------------------------
 */

struct told {
	char text[4096];
	int stop_at, count;
};

static int
on_reason(void *ctx, const struct lindung_reason *r)
{
	struct told *told = ctx;
	size_t at = strlen(told->text);

	snprintf(told->text + at, sizeof told->text - at, "%.*s %.*s %.*s %d%s%s%s %u%s%.*s\n",
		 (int)r->entry.len, r->entry.data, (int)r->category.len, r->category.data,
		 (int)r->source.len, r->source.data, (int)r->action, r->decides ? " decides" : "",
		 r->important ? " important" : "", r->is_protected ? " protected" : "", r->layer,
		 r->target.len != 0 ? " " : "", (int)r->target.len, r->target.data);
	return ++told->count == told->stop_at ? 77 : 0;
}

static void
assert_explained(const struct lindung *list, const char *name, uint64_t active,
		 const char *expected)
{
	struct told told = {.stop_at = 0};

	assert_int_equal(lindung_explain(list, name, strlen(name), active, on_reason, &told),
			 LINDUNG_OK);
	assert_string_equal(told.text, expected);
}

static void
test_explain(void **state)
{
	struct lindung *list = ld_test_open("block\tadult\texample.com\tone,two\n"
					    "allow\tadult\t=www.example.com\tthree\n"
					    "block!\tgambling\t*.example.com\tfour\n"
					    "rewrite\tadult\trw.net\tfive\tCNAME safe.rw.net\n"
					    "block\tadult\twww.example.com/bad\tsix\n"
					    "protect\tadult\thelp.example.com\tseven\n");
	struct told told = {.stop_at = 2};

	(void)state;
	assert_int_equal(ld_test_overlay(list, "block\tadult\tb.www.example.com\teight\n"),
			 LINDUNG_OK);
	assert_explained(list, "www.example.com", LINDUNG_ALL,
			 "=www.example.com adult three 0 decides 0\n"
			 "example.com adult one 1 0\n"
			 "example.com adult two 1 0\n"
			 "*.example.com gambling four 1 decides important 0\n");
	assert_explained(list, "example.com", LINDUNG_ALL,
			 "example.com adult one 1 decides 0\nexample.com adult two 1 decides 0\n");
	assert_explained(list, "b.www.example.com", bit(list, "adult"),
			 "b.www.example.com adult eight 1 decides 1\n"
			 "example.com adult one 1 0\nexample.com adult two 1 0\n");
	assert_explained(list, "x.rw.net", LINDUNG_ALL,
			 "rw.net adult five 2 decides 0 CNAME safe.rw.net\n");
	assert_explained(list, "http://www.example.com/bad/x", bit(list, "adult"),
			 "www.example.com/bad adult six 1 decides 0\n"
			 "=www.example.com adult three 0 0\n"
			 "example.com adult one 1 0\nexample.com adult two 1 0\n");
	assert_explained(list, "help.example.com", LINDUNG_ALL,
			 "help.example.com adult seven 0 decides protected 0\n"
			 "example.com adult one 1 0\nexample.com adult two 1 0\n"
			 "*.example.com gambling four 1 important 0\n");
	assert_explained(list, "nothing.org", LINDUNG_ALL, "");
	assert_int_equal(
		lindung_explain(list, "www.example.com", 15, LINDUNG_ALL, on_reason, &told), 77);
	assert_int_equal(told.count, 2);
	assert_int_equal(lindung_explain(list, "a..b", 4, LINDUNG_ALL, on_reason, &told),
			 LINDUNG_ENAME);
	lindung_close(list);
}

/* ---- Files that are none -----------------------------------------------------------------------
 */

static void
put_file(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	fclose(file);
}

static void
test_bad_files(void **state)
{
	struct lindung *list = NULL;
	char path[64];
	uint8_t *data;
	size_t len;

	(void)state;
	snprintf(path, sizeof path, "/tmp/lindung-bad-%ld", (long)getpid());
	assert_int_equal(lindung_open(&list, "/nowhere/at/all", 0), LINDUNG_EIO);
	assert_int_equal(lindung_open(&list, "/tmp", 0), LINDUNG_EIO);
	put_file(path, "", 0);
	assert_int_equal(lindung_open(&list, path, 0), LINDUNG_EFORMAT);
	put_file(path, "example.com\n", 12);
	assert_int_equal(lindung_open(&list, path, 0), LINDUNG_EFORMAT);
	assert_null(list);
	assert_int_equal(
		ld_test_build(path, LD_SPAN("block\tadult\texample.com\ts\n"), NULL, NULL, NULL),
		LINDUNG_OK);
	assert_int_equal(ld_read_file(path, 1 << 20, &data, &len, NULL), LINDUNG_OK);
	put_file(path, data, len - 1);
	assert_int_equal(lindung_open(&list, path, 0), LINDUNG_EDAMAGED);
	put_file(path, data, LD_INDEX_HEADER_BYTES - 1);
	assert_int_equal(lindung_open(&list, path, 0), LINDUNG_EFORMAT);
	data[LD_HEADER_VERSION]++;
	put_file(path, data, len);
	assert_int_equal(lindung_open(&list, path, 0), LINDUNG_EVERSION);
	data[LD_HEADER_VERSION]--;
	/* Any octet changed is found by one hash or another. */
	for (size_t i = 0; i < len; i += i < 600 ? 1 : 7) {
		int err;

		data[i] ^= 0x10;
		put_file(path, data, len);
		err = lindung_open(&list, path, LINDUNG_VERIFY);
		data[i] ^= 0x10;
		if (err == LINDUNG_OK) {
			/* What fills up to the next section says nothing. */
			assert_true(lindung_verify(list) == LINDUNG_OK && data[i] == 0 && i >= 512);
			lindung_close(list);
			list = NULL;
		}
	}
	free(data);
	unlink(path);
	lindung_close(NULL);
}

static void
test_strangest_limits(void **state)
{
	(void)state;
	assert_string_equal(lindung_version(), "0.1.0");
	struct lindung *list = ld_test_open("# nothing\n");
	assert_int_equal(lindung_category_count(list), 0);
	assert_false(ld_test_blocked(list, "example.com"));
	assert_false(ld_test_blocked(list, "http://example.com/x"));
	assert_explained(list, "example.com", LINDUNG_ALL, "");
	/* Nothing to lay over. */
	assert_int_equal(ld_test_overlay(list, "# nothing\n"), LINDUNG_OK);
	assert_int_equal(ld_test_overlay(list, "block\ta\texample.com\ts\n"), LINDUNG_OK);
	assert_true(ld_test_blocked(list, "example.com"));
	lindung_close(list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_wire),
		cmocka_unit_test(test_wire_limits),
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_effects),
		cmocka_unit_test(test_at_one_name),
		cmocka_unit_test(test_by_category),
		cmocka_unit_test(test_match_is_what_decided),
		cmocka_unit_test(test_all_categories),
		cmocka_unit_test(test_protected),
		cmocka_unit_test(test_overlays),
		cmocka_unit_test(test_protection_shows_through),
		cmocka_unit_test(test_category_limit),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_strangest_limits),
	};

	return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
