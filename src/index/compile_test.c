/* Lists that are made to break the compiler.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
/* cmocka.h wants those before it */
#include <cmocka.h>

#include "index/compile.h"
#include "index/test_image.h"

struct fixture {
	char list[64], image[64];
	FILE *file;
	struct ld_compile_stats stats;
	struct ld_report report;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	if (f == NULL)
		return -1;
	snprintf(f->list, sizeof f->list, "/tmp/lindung-hostile-%ld", (long)getpid());
	snprintf(f->image, sizeof f->image, "/tmp/lindung-hostile-%ld.ldx", (long)getpid());
	f->file = fopen(f->list, "w");
	*state = f;
	return f->file != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->list);
	unlink(f->image);
	free(f->stats.lists);
	free(f);
	return 0;
}

static int
compile(struct fixture *f, enum ld_list_format format, unsigned threads)
{
	const struct ld_compile_list list = {
		.path = f->list, .category = "adult", .format = format, .source = "s"};
	const struct ld_compile_options options = {
		.memory_bytes = 16u << 20, .threads = threads, .directory = "/tmp"};

	if (f->file != NULL)
		fclose(f->file);
	f->file = NULL;
	free(f->stats.lists);
	memset(&f->stats, 0, sizeof f->stats);
	return ld_compile(f->image, &list, 1, &options, &f->stats, &f->report);
}

static bool
blocked(const struct fixture *f, const char *name)
{
	struct lindung_answer answer;
	struct lindung *list;

	assert_int_equal(lindung_open(&list, f->image, LINDUNG_VERIFY), LINDUNG_OK);
	assert_int_equal(lindung_verify(list), LINDUNG_OK);
	assert_int_equal(lindung_lookup_name(list, name, strlen(name), LINDUNG_ALL, &answer),
			 LINDUNG_OK);
	lindung_close(list);
	return answer.verdict == LINDUNG_BLOCK;
}

/* One name for ever: all but one are duplicates, and memory does not grow with them. */
static void
test_equal_names(void **state)
{
	enum { COUNT = 1500000 };
	struct fixture *f = *state;
	struct rusage before, after;

	for (int i = 0; i < COUNT; i++)
		fputs("same.example.com\n", f->file);
	getrusage(RUSAGE_SELF, &before);
	assert_int_equal(compile(f, LD_LIST_DOMAINS, 2), LINDUNG_OK);
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(f->stats.total.entries, 1);
	assert_int_equal(f->stats.total.rejects[LD_REJECT_DUPLICATE], COUNT - 1);
	assert_int_equal(f->stats.build.keys, 1);
	assert_true(blocked(f, "x.same.example.com"));
#ifndef __SANITIZE_ADDRESS__
	/* 24 octets for each would be 36 MB. */
	assert_in_range(after.ru_maxrss - before.ru_maxrss, 0, 30 * 1024);
#endif
}

/* Taken back as often as said: not each against each. */
static void
test_badfilters(void **state)
{
	enum { COUNT = 100000 };
	struct fixture *f = *state;

	for (int i = 0; i < COUNT; i++)
		fputs("||same.example.com^\n||same.example.com^$badfilter\n", f->file);
	fputs("||other.example.com^\n", f->file);
	assert_int_equal(compile(f, LD_LIST_ADBLOCK, 1), LINDUNG_OK);
	assert_int_equal(f->stats.build.keys, 1);
	assert_false(blocked(f, "same.example.com"));
	assert_true(blocked(f, "other.example.com"));
}

/* Each of these is a limit of the format: told, and nothing is written. */
static void
check_limit(struct fixture *f, const char *word)
{
	assert_int_equal(compile(f, LD_LIST_AUTO, 2), LINDUNG_ELIMIT);
	if (strstr(f->report.text, word) == NULL)
		fail_msg("%s", f->report.text);
	assert_int_equal(access(f->image, F_OK), -1);
}

static void
test_many_sources(void **state)
{
	struct fixture *f = *state;

	fputs("# lindung list 1\n", f->file);
	for (unsigned i = 0; i < LD_INDEX_TUPLE_RULES_MAX; i++)
		fprintf(f->file, "block\tadult\tone.example.com\ts%u\n", i);
	fflush(f->file);
	FILE *file = f->file;
	f->file = NULL;
	assert_int_equal(compile(f, LD_LIST_AUTO, 1), LINDUNG_OK);
	assert_true(blocked(f, "one.example.com"));
	unlink(f->image);
	fputs("block\tadult\tone.example.com\tone-too-many\n", file);
	fclose(file);
	check_limit(f, "rules for one name");
}

static void
test_many_targets(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 70000; i++)
		fprintf(f->file, "93.%u.%u.%u n%u.example.com\n", i >> 16, i >> 8 & 255, i & 255,
			i);
	check_limit(f, "addresses to answer with");
}

static void
test_many_categories(void **state)
{
	struct fixture *f = *state;

	fputs("# lindung list 1\n", f->file);
	for (unsigned i = 0; i < 65; i++)
		fprintf(f->file, "block\tc%u\tn%u.example.com\ts\n", i, i);
	check_limit(f, "64 categories");
}

/* What is wrong with one line does not cost the others. */
static void
test_long_source(void **state)
{
	struct fixture *f = *state;

	fprintf(f->file, "# lindung list 1\nblock\tadult\ta.example.com\t%0600d\n", 1);
	fprintf(f->file, "block\tadult\tb.example.com\t%0512d\n", 2);
	assert_int_equal(compile(f, LD_LIST_AUTO, 1), LINDUNG_OK);
	assert_int_equal(f->stats.total.rejects[LD_REJECT_TOO_LONG], 1);
	assert_false(blocked(f, "a.example.com"));
	assert_true(blocked(f, "b.example.com"));
}

static void
test_long_keys(void **state)
{
	struct fixture *f = *state;
	char path[4080];
	uint64_t seed = ld_test_seed(40);

	fputs("# lindung list 1\n", f->file);
	for (unsigned i = 0; i < 400; i++) {
		for (size_t j = 0; j + 1 < sizeof path; j++)
			path[j] = "abcXYZ019-_"[ld_test_random(&seed) % 11];
		path[sizeof path - 1] = '\0';
		fprintf(f->file, "block\tadult\tu%u.com/%s\ts\n", i, path);
		fprintf(f->file, "block\tadult\tu%u.example.com/%s\ts\n", i, path);
	}
	fputs("block\tadult\tb.example.com\ts\n", f->file);
	assert_int_equal(compile(f, LD_LIST_AUTO, 2), LINDUNG_OK);
	/* Those past 4095 octets are told: from u100.example.com on. */
	assert_int_equal(f->stats.total.rejects[LD_REJECT_TOO_LONG], 300);
	assert_int_equal(f->stats.build.urls, 500);
	assert_true(blocked(f, "b.example.com"));
}

/* An order that makes the median of three as bad as it can be (Musser 1997). */
static void
test_spoiled_pivots(void **state)
{
	enum { HALF = 100000 };
	struct fixture *f = *state;
	unsigned *names = calloc(2 * HALF + 1, sizeof *names);

	assert_non_null(names);
	for (unsigned i = 1; i <= HALF; i++) {
		names[i] = i % 2 == 1 ? i : HALF + i - 1;
		names[HALF + i] = 2 * i;
	}
	for (unsigned i = 2 * HALF; i > 0; i--)
		fprintf(f->file, "n%06u.com\n", names[i]);
	free(names);
	assert_int_equal(compile(f, LD_LIST_DOMAINS, 1), LINDUNG_OK);
	assert_int_equal(f->stats.build.keys, 2 * HALF);
	assert_true(blocked(f, "n000001.com"));
}

static void
test_errors(void **state)
{
	struct fixture *f = *state;
	struct ld_compile_list list = {.path = "/nowhere/at/all", .category = "a", .source = "s"};
	struct ld_compile_options options = {
		.memory_bytes = 16u << 20, .threads = 1, .directory = "/tmp"};

	assert_int_equal(ld_compile(f->image, &list, 1, &options, &f->stats, &f->report),
			 LINDUNG_EIO);
	assert_non_null(strstr(f->report.text, "/nowhere/at/all"));
	assert_int_equal(ld_compile(f->image, &list, LD_COMPILE_LISTS_MAX + 1, &options, &f->stats,
				    &f->report),
			 LINDUNG_ELIMIT);
	/* What stood there stands there still. */
	fputs("a.example.com\n", f->file);
	assert_int_equal(compile(f, LD_LIST_DOMAINS, 1), LINDUNG_OK);
	list.path = f->list;
	options.directory = "/nowhere/scratch";
	assert_int_equal(ld_compile(f->image, &list, 1, &options, &f->stats, &f->report),
			 LINDUNG_EIO);
	assert_non_null(strstr(f->report.text, "/nowhere/scratch"));
	assert_true(blocked(f, "a.example.com"));
	options.directory = "/tmp";
	assert_int_equal(ld_compile("/nowhere/image", &list, 1, &options, &f->stats, &f->report),
			 LINDUNG_EIO);
	assert_non_null(strstr(f->report.text, "/nowhere"));
	assert_false(ld_category_key_is_valid(LD_SPAN("")));
	assert_false(ld_category_key_is_valid(LD_SPAN("Adult")));
	assert_false(ld_category_key_is_valid(LD_SPAN("012345678901234567890123456789012")));
	assert_true(ld_category_key_is_valid(LD_SPAN("01234567890123456789012345678901")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_equal_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_badfilters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_sources, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_targets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_categories, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_source, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_spoiled_pivots, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
	};

	return cmocka_run_group_tests_name("compile", tests, NULL, NULL);
}
