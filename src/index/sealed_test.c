/* Sealed entries: closed like others, told of by nobody, and nowhere to be read.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka.h wants those before it */
#include <cmocka.h>

#include "base/file.h"
#include "index/export.h"
#include "index/test_image.h"
#include "index/test_seal.h"

static const uint8_t key[LD_BLIND_KEY_BYTES] = "sixteen octets!";
static const uint8_t other_key[LD_BLIND_KEY_BYTES] = "sixteen others!";

static bool
is_sealed(const struct lindung *list, const char *name)
{
	struct lindung_answer a = ld_test_ask(list, name, LINDUNG_ALL);

	if (a.is_sealed) {
		assert_int_equal(a.verdict, LINDUNG_BLOCK);
		assert_int_equal(a.category, -1);
		assert_int_equal(a.blocked, 0);
		assert_int_equal(a.allowed, 0);
		assert_int_equal(a.source.len, 0);
		assert_int_equal(a.target.len, 0);
	}
	return a.is_sealed;
}

static void
scopes_are_those_of_other_entries(void **state)
{
	struct lindung *list = ld_test_make_open("seal\tcsam\ttree.example\th\n"
						 "seal\tcsam\t=exact.example\th\n"
						 "seal\tcsam\t*.below.example\th\n"
						 "seal\tcsam\turl.example/bad/\th\n",
						 key, 0);
	struct lindung_facts facts;

	(void)state;
	assert_true(is_sealed(list, "tree.example"));
	assert_true(is_sealed(list, "a.b.TREE.example"));
	assert_true(is_sealed(list, "exact.example"));
	assert_false(is_sealed(list, "www.exact.example"));
	assert_false(is_sealed(list, "below.example"));
	assert_true(is_sealed(list, "www.below.example"));
	assert_false(is_sealed(list, "url.example"));
	assert_true(is_sealed(list, "http://url.example/bad/x"));
	assert_true(is_sealed(list, "http://www.url.example/bad/x"));
	assert_false(is_sealed(list, "http://url.example/good/"));
	assert_true(is_sealed(list, "http://tree.example/"));
	assert_false(is_sealed(list, "example"));
	assert_false(is_sealed(list, "other.example"));
	assert_true(ld_test_ask(list, "www.tree.example", LINDUNG_ALL).holds_below);
	assert_false(ld_test_ask(list, "exact.example", LINDUNG_ALL).holds_below);
	assert_int_equal(ld_test_ask(list, "www.tree.example", LINDUNG_ALL).match_labels, 2);
	assert_int_equal(lindung_facts(list, 0, &facts), LINDUNG_OK);
	assert_int_equal(facts.sealed_count, 4);
	assert_int_equal(facts.entry_count, 1); /* the protected one */
	lindung_close(list);
}

static void
nothing_but_a_protection_opens_them(void **state)
{
	struct lindung *list = ld_test_make_open("seal\tcsam\ttree.example\th\n"
						 "seal\tcsam\t" LD_TEST_PROTECTED "\th\n"
						 "seal\tcsam\texample.org\th\n"
						 "allow!\t*\ttree.example\ts\n",
						 key, 0);

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(is_sealed(list, "tree.example"));
		assert_true(is_sealed(list, "www.tree.example"));
		assert_true(ld_test_ask(list, "www.tree.example", 0).is_sealed);
		assert_true(is_sealed(list, "example.org"));
		assert_false(is_sealed(list, LD_TEST_PROTECTED));
		assert_true(ld_test_ask(list, "www." LD_TEST_PROTECTED, LINDUNG_ALL).is_protected);
		/* And the same with what is laid over it. */
		assert_int_equal(
			ld_test_overlay(list, "allow!\t*\ttree.example\ts\n"
					      "allow\tcsam\twww.tree.example\ts\n"
					      "remove\t*\texample.org\ts\n"
					      "rewrite\tsafe\twww.tree.example\ts\tA 192.0.2.1\n"),
			LINDUNG_OK);
	}
	lindung_close(list);
}

/* A locked category that is listed openly is told of as a sealed one is; only who closes by order
 * opens by order. */
static void
locked_categories_are_alike(void **state)
{
	struct lindung *list = ld_test_make_open("block\tcsam\topen.example\ts\n"
						 "allow!\tadult\topen.example\ts\n"
						 "allow!\t*\topen.example\ts\n"
						 "allow\tcsam\tfreed.open.example\ts\n",
						 key, 0);

	(void)state;
	assert_true(is_sealed(list, "open.example"));
	assert_true(is_sealed(list, "www.open.example"));
	assert_true(ld_test_ask(list, "www.open.example", 0).is_sealed);
	assert_false(is_sealed(list, "www.freed.open.example"));
	assert_int_equal(ld_test_overlay(list, "allow!\t*\twww.open.example\ts\n"), LINDUNG_OK);
	assert_true(is_sealed(list, "www.open.example"));
	lindung_close(list);
}

/* So many that a search must look further than beside its first guess. */
static void
many_are_found_and_no_others(void **state)
{
	enum { COUNT = 4000, LINE_BYTES = 48 };
	char *text = calloc(COUNT, LINE_BYTES), *at = text, name[32];
	struct lindung *list;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; i < COUNT; i++)
		at += snprintf(at, LINE_BYTES, "seal\tcsam\tn%u.example\th.id:%u\n", 2 * i, i % 9);
	list = ld_test_make_open(text, key, 0);
	for (unsigned i = 0; i < 2 * COUNT; i++) {
		snprintf(name, sizeof name, "www.n%u.example", i);
		assert_int_equal(is_sealed(list, name), i % 2 == 0);
	}
	lindung_close(list);
	free(text);
}

static void
overlays_seal_and_unseal(void **state)
{
	struct lindung *list = ld_test_make_open("seal\tcsam\told.example\th\n"
						 "seal\tcsam\tstays.example\th\n"
						 "seal\tcsam\tshrinks.example\th\n"
						 "seal\tcsam\turl.example/a\th\n",
						 key, 0);

	(void)state;
	/* Each image has a key of its own. */
	ld_test_make_overlay(list,
			     "seal\tcsam\tnew.example\th\n"
			     "unseal\t*\told.example\th\n"
			     "unseal\t*\turl.example/a\th\n"
			     "seal\tcsam\t=shrinks.example\th\n",
			     other_key);
	assert_true(is_sealed(list, "new.example"));
	assert_true(is_sealed(list, "stays.example"));
	assert_false(is_sealed(list, "old.example"));
	assert_false(is_sealed(list, "http://url.example/a"));
	assert_true(is_sealed(list, "shrinks.example"));
	assert_false(is_sealed(list, "www.shrinks.example"));
	ld_test_make_overlay(list, "seal\tcsam\told.example\th\n", key);
	assert_true(is_sealed(list, "old.example"));
	lindung_close(list);
}

static void
the_open_and_the_sealed_do_not_meet(void **state)
{
	struct lindung *list = ld_test_make_open("seal\tcsam\tboth.example\th\n"
						 "block\tgambling\tboth.example\ts\n",
						 key, 0);

	(void)state;
	assert_true(is_sealed(list, "both.example"));
	ld_test_make_overlay(list, "unseal\t*\tboth.example\th\n", key);
	assert_false(is_sealed(list, "both.example"));
	assert_true(ld_test_blocked(list, "both.example"));
	lindung_close(list);
}

static void
the_order_of_entries_is_not_told(void **state)
{
	static const char *const texts[] = {
		"seal\tcsam\ta.example\th,g\nseal\tcsam\tb.example\th\nblock\tx\tc.example\ts\n",
		"seal\tcsam\tb.example\th\nblock\tx\tc.example\ts\nseal\tcsam\ta.example\tg\n"
		"seal\tcsam\ta.example\th\nseal\tcsam\t=a.example\th\n",
	};
	uint8_t *bytes[2];
	size_t lens[2];
	char path[64];

	(void)state;
	snprintf(path, sizeof path, "/tmp/lindung-order-%ld.ldx", (long)getpid());
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ld_test_make(path, texts[i], key, false, NULL), LINDUNG_OK);
		assert_int_equal(ld_read_file(path, 1u << 24, &bytes[i], &lens[i], NULL),
				 LINDUNG_OK);
	}
	assert_int_equal(lens[0], lens[1]);
	assert_memory_equal(bytes[0], bytes[1], lens[0]);
	free(bytes[0]);
	free(bytes[1]);
	unlink(path);
}

static void
what_makes_no_sense_is_refused(void **state)
{
	static const struct ld_compile_options options = {
		.memory_bytes = 16u << 20, .threads = 1, .directory = "/tmp"};
	uint8_t blind[LD_BLIND_BYTES];
	struct ld_maker *maker;

	(void)state;
	ld_blind(blind, key, LD_SCOPE_TREE, LD_SPAN("com\001example"), ld_span(NULL, 0));
	assert_int_equal(ld_maker_new(&maker, &options), LINDUNG_OK);
	assert_int_equal(ld_maker_seal(maker, blind, LD_SPAN("csam"), LD_SPAN("h"), false),
			 LINDUNG_EINVAL);
	ld_maker_blind_key(maker, key);
	assert_int_equal(ld_maker_seal(maker, blind, LD_SPAN("csam"), LD_SPAN("h"), true),
			 LINDUNG_EINVAL);
	assert_int_equal(ld_maker_seal(maker, blind, LD_SPAN("*"), LD_SPAN("h"), false),
			 LINDUNG_EINVAL);
	assert_int_equal(ld_maker_seal(maker, blind, LD_SPAN("csam"), LD_SPAN("h"), false),
			 LINDUNG_OK);
	blind[LD_BLIND_SCOPE_AT] = 0;
	assert_int_equal(ld_maker_seal(maker, blind, LD_SPAN("csam"), LD_SPAN("h"), false),
			 LINDUNG_EINVAL);
	ld_maker_free(maker);
}

/* ---- What is told --------------------------------------------------------------------------- */

struct told {
	unsigned count, sealed;
	char text[256];
};

static int
reason_note(void *ctx, const struct lindung_reason *reason)
{
	struct told *told = ctx;

	told->count++;
	told->sealed += reason->is_sealed;
	if (reason->is_sealed)
		snprintf(told->text, sizeof told->text, "%.*s %.*s %.*s", (int)reason->category.len,
			 reason->category.data, (int)reason->entry.len, reason->entry.data,
			 (int)reason->source.len, reason->source.data);
	return 0;
}

static struct told
explain(const struct lindung *list, const char *name)
{
	struct told told = {0};

	assert_int_equal(lindung_explain(list, name, strlen(name), LINDUNG_ALL, reason_note, &told),
			 LINDUNG_OK);
	return told;
}

static void
why_is_for_the_operator(void **state)
{
	static const char text[] = "seal\tcsam\ttree.example\thotline.id:7\n"
				   "seal\tcsam\t=www.tree.example\thotline.id:7\n"
				   "block\tgambling\ttree.example\ts\n";
	struct lindung *list = ld_test_make_open(text, key, 0);
	struct told told = explain(list, "www.tree.example");

	(void)state;
	assert_int_equal(told.count, 2);
	assert_int_equal(told.sealed, 1);
	assert_string_equal(told.text, "  ");
	assert_int_equal(explain(list, "other.example").count, 0);
	lindung_close(list);
	list = ld_test_make_open(text, key, LINDUNG_OPERATOR);
	told = explain(list, "www.tree.example");
	assert_int_equal(told.count, 3);
	assert_int_equal(told.sealed, 2);
	assert_string_equal(told.text, "csam tree.example hotline.id:7");
	lindung_close(list);
}

static int
entry_protects(void *ctx, const struct ld_entry *entry)
{
	(void)ctx;
	assert_true((entry->flags & LD_ENTRY_PROTECTED) != 0);
	return LINDUNG_OK;
}

static void
they_stand_nowhere_in_the_file(void **state)
{
	static const char *const names[] = {"secretname", "hiddenplace"};
	char path[64];
	struct lindung *list;
	uint8_t *bytes;
	size_t len;

	(void)state;
	snprintf(path, sizeof path, "/tmp/lindung-nowhere-%ld.ldx", (long)getpid());
	assert_int_equal(ld_test_make(path,
				      "seal\tcsam\twww.secretname.example\th\n"
				      "seal\tcsam\t=hiddenplace.example\th\n",
				      key, false, NULL),
			 LINDUNG_OK);
	assert_int_equal(lindung_open(&list, path, 0), LINDUNG_OK);
	assert_true(is_sealed(list, "hiddenplace.example"));
	assert_int_equal(ld_export_each(list, entry_protects, NULL), LINDUNG_OK);
	lindung_close(list);
	assert_int_equal(ld_read_file(path, 1u << 24, &bytes, &len, NULL), LINDUNG_OK);
	/* Neither whole nor in part. */
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		for (size_t at = 0; at + 5 <= strlen(names[i]); at++)
			assert_null(memmem(bytes, len, names[i] + at, 5));
	free(bytes);
	unlink(path);
}

/* ---- Any set, against the plainest way to judge it ------------------------------------------- */

enum { LAYERS = 3, LINES_MAX = 60, NAMES = 40 };

/* What is sealed: a name as its labels are chosen, and the scope; 0: no longer. */
struct sealed {
	char host[32];
	uint8_t scope;
};

struct world {
	struct sealed sealed[LAYERS][LINES_MAX];
	unsigned counts[LAYERS];
	char text[LAYERS][2][LINES_MAX * 64]; /* without and with what is sealed */
};

static void
host_draw(char host[32], uint64_t *random)
{
	static const char *const labels[] = {"a", "b", "c"};
	unsigned depth = (unsigned)(ld_test_random(random) % 4);

	host[0] = '\0';
	for (unsigned i = 0; i < depth; i++) {
		strcat(host, labels[ld_test_random(random) % 3]);
		strcat(host, ".");
	}
	strcat(host, ld_test_random(random) % 2 ? "x.test" : "y.test");
}

static void
world_draw(struct world *w, uint64_t *random)
{
	static const char *const marks[] = {"", "=", "*.", ""};

	memset(w, 0, sizeof *w);
	for (unsigned layer = 0; layer < LAYERS; layer++) {
		unsigned lines = (unsigned)(ld_test_random(random) % LINES_MAX);

		for (unsigned i = 0; i < lines; i++) {
			char host[32], line[64];
			unsigned scope = (unsigned)(1 + ld_test_random(random) % 3);
			bool ends = layer > 0 && ld_test_random(random) % 3 == 0;

			host_draw(host, random);
			if (ld_test_random(random) % 2) {
				static const char *const actions[] = {"block", "allow", "block!",
								      "allow!"};
				const char *action = actions[ld_test_random(random) % 4];

				snprintf(line, sizeof line, "%s\t%s\t%s%s\ts\n",
					 ends ? "remove" : action, ends ? "*" : "adult",
					 ends ? "" : marks[scope % 3], host);
				strcat(w->text[layer][0], line);
			} else {
				struct sealed *s = &w->sealed[layer][w->counts[layer]++];

				strcpy(s->host, host);
				s->scope = ends ? 0 : (uint8_t)scope;
				snprintf(line, sizeof line, "%s\t%s\t%s%s\ts\n",
					 ends ? "unseal" : "seal", ends ? "*" : "csam",
					 ends ? "" : marks[scope % 3], host);
			}
			strcat(w->text[layer][1], line);
		}
	}
}

/* The topmost layer that speaks of the name says whether it is sealed, for itself or below. */
static bool
oracle_speaks(const struct world *w, const char *host, uint8_t scope)
{
	for (unsigned layer = LAYERS; layer-- > 0;) {
		bool speaks = false, seals = false;

		for (unsigned i = 0; i < w->counts[layer]; i++) {
			if (strcmp(w->sealed[layer][i].host, host) != 0)
				continue;
			speaks = true;
			seals |= (w->sealed[layer][i].scope & scope) != 0;
		}
		if (speaks)
			return seals;
	}
	return false;
}

static bool
oracle_is_sealed(const struct world *w, const char *host)
{
	bool sealed = oracle_speaks(w, host, LD_SCOPE_SELF);

	for (const char *dot = strchr(host, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
		sealed |= oracle_speaks(w, dot + 1, LD_SCOPE_BELOW);
	return sealed;
}

static void
any_set_is_judged_as_the_oracle_does(void **state)
{
	uint64_t random = ld_test_seed(20261122);
	struct world *w = malloc(sizeof *w);

	(void)state;
	assert_non_null(w);
	for (unsigned round = 0; round < 60; round++) {
		struct lindung *lists[2];

		world_draw(w, &random);
		for (int with = 0; with < 2; with++) {
			lists[with] = ld_test_make_open(w->text[0][with], key, 0);
			for (unsigned layer = 1; layer < LAYERS; layer++)
				ld_test_make_overlay(lists[with], w->text[layer][with],
						     layer == 1 ? other_key : key);
		}
		for (unsigned i = 0; i < NAMES; i++) {
			char host[32];

			host_draw(host, &random);
			/* What is not sealed is judged as if nothing were. */
			struct lindung_answer a = ld_test_ask(lists[0], host, LINDUNG_ALL);
			struct lindung_answer b = ld_test_ask(lists[1], host, LINDUNG_ALL);
			assert_int_equal(is_sealed(lists[1], host), oracle_is_sealed(w, host));
			if (b.is_sealed)
				continue;
			assert_int_equal(a.verdict, b.verdict);
			assert_int_equal(a.match_labels, b.match_labels);
		}
		lindung_close(lists[0]);
		lindung_close(lists[1]);
	}
	free(w);
}

/* What is in effect, as an export tells it. */
static char *
exported(struct lindung *list)
{
	struct ld_export *export;
	struct ld_list_source source;
	struct ld_entry entry;
	struct ld_buffer text;

	ld_buffer_init(&text, 1u << 16);
	assert_int_equal(ld_export_new(&export, list, true, LINDUNG_ALL), LINDUNG_OK);
	source = ld_export_source(export);
	assert_int_equal(source.rewind(source.ctx), LINDUNG_OK);
	while (source.next(source.ctx, &entry) == LINDUNG_OK)
		ld_buffer_printf(&text, "%d %d %.*s%.*s\n", entry.action, entry.scope,
				 (int)entry.host.len, (const char *)entry.host.data,
				 (int)entry.path.len, (const char *)entry.path.data);
	ld_buffer_bytes(&text, ld_span("", 1));
	assert_false(text.failed);
	ld_export_free(export);
	lindung_close(list);
	return (char *)text.data;
}

/* A hole among open entries would show where a sealed one lies: at their names, above and below
 * them, with and without a path. */
static void
an_export_is_the_same_without_them(void **state)
{
#define OPEN                                                                                       \
	"block\tadult\thost.example/page/\ts\n"                                                    \
	"block\tadult\twww.host.example\ts\n"                                                      \
	"block\tadult\tclosed.example\ts\n"                                                        \
	"allow\tadult\tclosed.example/page/\ts\n"                                                  \
	"allow\tadult\topen.closed.example\ts\n"                                                   \
	"block\tadult\turl.example/bad/\ts\n"
	char *with = exported(ld_test_make_open(OPEN "seal\tcsam\thost.example\th\n"
						     "seal\tcsam\tclosed.example\th\n"
						     "seal\tcsam\topen.closed.example\th\n"
						     "seal\tcsam\turl.example/bad/\th\n",
						key, 0));
	char *without = exported(ld_test_open(OPEN));

	(void)state;
	assert_non_null(strstr(without, "host.example/page/"));
	assert_non_null(strstr(without, "closed.example/page/"));
	assert_string_equal(with, without);
	free(with);
	free(without);
#undef OPEN
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scopes_are_those_of_other_entries),
		cmocka_unit_test(nothing_but_a_protection_opens_them),
		cmocka_unit_test(locked_categories_are_alike),
		cmocka_unit_test(many_are_found_and_no_others),
		cmocka_unit_test(overlays_seal_and_unseal),
		cmocka_unit_test(the_open_and_the_sealed_do_not_meet),
		cmocka_unit_test(the_order_of_entries_is_not_told),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(why_is_for_the_operator),
		cmocka_unit_test(they_stand_nowhere_in_the_file),
		cmocka_unit_test(an_export_is_the_same_without_them),
		cmocka_unit_test(any_set_is_judged_as_the_oracle_does),
	};

	return cmocka_run_group_tests_name("index sealed", tests, NULL, NULL);
}
