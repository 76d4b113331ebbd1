/* What entries decide: categories, protection, layers.
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

static void
assert_text(struct lindung_text text, const char *expected)
{
	assert_int_equal(text.len, strlen(expected));
	assert_memory_equal(text.data, expected, text.len);
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
			assert_true(answer.blocked == 0 ||
				    answer.blocked == ld_test_bit(list, "c"));
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
	uint64_t adult = ld_test_bit(list, "adult"), gambling = ld_test_bit(list, "gambling");
	uint64_t drugs = ld_test_bit(list, "drugs");
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
	assert_true(a.blocked == ld_test_bit(list, "c"));
	assert_int_equal(a.match_labels, 2);
	a = ld_test_ask(list, "x.d.org", LINDUNG_ALL);
	assert_true(a.blocked == ld_test_bit(list, "e") && a.allowed == ld_test_bit(list, "d"));
	assert_int_equal(a.match_labels, 2);
	assert_int_equal(a.category, lindung_category_find(list, "e", 1));
	lindung_close(list);
}

/* May whoever answers in DNS say that nothing is below? */
static void
test_holds_below(void **state)
{
	struct lindung *list = ld_test_open("block\tc\t=exact.org\ts\n"
					    "block\tc\ttree.org\ts\n"
					    "block\tc\t=both.org\ts\n"
					    "block\td\tboth.org\ts\n"
					    "block\tc\topen.org\ts\n"
					    "allow\tc\t*.open.org\ts\n"
					    "rewrite\tc\t=safe.org\ts\tA 192.0.2.1\n");
	uint64_t c = ld_test_bit(list, "c");
	static const struct {
		const char *name;
		bool all, only_c;
	} rows[] = {
		{"exact.org", false, false}, {"tree.org", true, true},   {"a.tree.org", true, true},
		{"both.org", true, false},   {"open.org", false, false}, {"a.open.org", true, true},
		{"safe.org", false, false},  {"none.org", true, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(ld_test_ask(list, rows[i].name, LINDUNG_ALL).holds_below,
				 rows[i].all);
		assert_int_equal(ld_test_ask(list, rows[i].name, c).holds_below, rows[i].only_c);
	}
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
	assert_true(a.blocked == ld_test_bit(list, "adult"));
	assert_false(ld_test_blocked(list, "gone.com"));
	assert_false(ld_test_blocked(list, "x.gone.com"));
	assert_true(ld_test_blocked(list, "www.gone.com"));
	assert_true(ld_test_blocked(list, "x.new.com"));
	assert_int_equal(ld_test_overlay(list, "block\tchat\tgone.com\tu\n"
					       "remove\tchat\texample.com\tu\n"),
			 LINDUNG_OK);
	assert_true(ld_test_ask(list, "gone.com", LINDUNG_ALL).blocked ==
		    ld_test_bit(list, "chat"));
	assert_true(ld_test_ask(list, "www.gone.com", LINDUNG_ALL).blocked ==
		    (ld_test_bit(list, "adult") | ld_test_bit(list, "chat")));
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
		assert_true(ld_test_ask(list, name, LINDUNG_ALL).blocked == ld_test_bit(list, key));
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

/* Two lists joined: the upper one takes nothing away that it does not open. */
static void
test_joined_lists(void **state)
{
	struct lindung *list = ld_test_open("block\tadult\tboth.com\ts\n"
					    "block\tadult\tgone.com\ts\n"
					    "block\tadult\topened.com\ts\n"
					    "block\tadult\tboth.com/page\ts\n");
	struct lindung_answer a;

	(void)state;
	assert_int_equal(ld_test_overlay(list, "remove\tadult\tgone.com\tt\n"), LINDUNG_OK);
	ld_list_join(list);
	assert_int_equal(ld_test_overlay(list, "block\tchat\tboth.com\tu\n"
					       "block\tchat\tboth.com/page\tu\n"
					       "block\tchat\tgone.com\tu\n"
					       "block\tchat\town.com\tu\n"
					       "allow\tadult\topened.com\tu\n"),
			 LINDUNG_OK);
	uint64_t adult = ld_test_bit(list, "adult"), chat = ld_test_bit(list, "chat");
	assert_true(ld_test_ask(list, "both.com", LINDUNG_ALL).blocked == (adult | chat));
	assert_true(ld_test_ask(list, "x.both.com", LINDUNG_ALL).blocked == (adult | chat));
	assert_true(ld_test_ask(list, "both.com", adult).blocked == adult);
	a = ld_test_ask(list, "http://both.com/page", LINDUNG_ALL);
	assert_true(a.blocked == (adult | chat));
	/* What an overlay of the lower one removed, the upper one may still have. */
	assert_true(ld_test_ask(list, "gone.com", LINDUNG_ALL).blocked == chat);
	assert_true(ld_test_ask(list, "own.com", LINDUNG_ALL).blocked == chat);
	assert_false(ld_test_blocked(list, "opened.com"));
	/* A removal of the upper one speaks for the upper one alone. */
	assert_int_equal(ld_test_overlay(list, "remove\tadult\tboth.com\tv\n"), LINDUNG_OK);
	assert_true(ld_test_ask(list, "both.com", LINDUNG_ALL).blocked == adult);
	lindung_close(list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_effects),
		cmocka_unit_test(test_at_one_name),
		cmocka_unit_test(test_by_category),
		cmocka_unit_test(test_match_is_what_decided),
		cmocka_unit_test(test_holds_below),
		cmocka_unit_test(test_all_categories),
		cmocka_unit_test(test_protected),
		cmocka_unit_test(test_overlays),
		cmocka_unit_test(test_joined_lists),
		cmocka_unit_test(test_protection_shows_through),
		cmocka_unit_test(test_category_limit),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
