/* Images from memory: as if the same had stood in a file.
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
#include "index/make.h"
#include "index/test_image.h"

struct fixture {
	char list[64], compiled[64], made[64];
	struct ld_maker *maker;
	struct ld_build_stats stats;
	struct ld_report report;
};

static const struct ld_protected protects[] = {{LD_SPAN("help.example"), false}};

static const struct ld_compile_options base_options = {.memory_bytes = 16u << 20,
						       .threads = 1,
						       .directory = "/tmp",
						       .protects = protects,
						       .protect_count = 1};

static const struct ld_compile_options overlay_options = {
	.memory_bytes = 16u << 20, .threads = 1, .directory = "/tmp", .overlay = true};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	if (f == NULL)
		return -1;
	snprintf(f->list, sizeof f->list, "/tmp/lindung-make-%ld", (long)getpid());
	snprintf(f->compiled, sizeof f->compiled, "/tmp/lindung-make-%ld.ldx", (long)getpid());
	snprintf(f->made, sizeof f->made, "/tmp/lindung-made-%ld.ldx", (long)getpid());
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	ld_maker_free(f->maker);
	unlink(f->list);
	unlink(f->compiled);
	unlink(f->made);
	free(f);
	return 0;
}

static enum ld_reject
add(struct fixture *f, uint8_t action, uint8_t scope, const char *category, const char *host,
    const char *path, const char *sources)
{
	const struct ld_entry entry = {
		.action = action,
		.scope = scope,
		.host = ld_span_str(host),
		.path = ld_span_str(path),
		.category = ld_span_str(category),
		.source = ld_span_str(sources),
	};
	enum ld_reject reject;

	assert_int_equal(ld_maker_add(f->maker, &entry, &reject), LINDUNG_OK);
	return reject;
}

static void
finish(struct fixture *f)
{
	assert_int_equal(ld_maker_finish(f->maker, f->made, &f->stats, &f->report), LINDUNG_OK);
	ld_maker_free(f->maker);
	f->maker = NULL;
}

static void
assert_same_file(const char *a, const char *b)
{
	uint8_t *x, *y;
	size_t x_len, y_len;

	assert_int_equal(ld_read_file(a, 1u << 24, &x, &x_len, NULL), LINDUNG_OK);
	assert_int_equal(ld_read_file(b, 1u << 24, &y, &y_len, NULL), LINDUNG_OK);
	assert_int_equal(x_len, y_len);
	assert_memory_equal(x, y, x_len);
	free(x);
	free(y);
}

static void
same_set_makes_the_file_that_a_list_makes(void **state)
{
	static const char text[] = "# lindung list 1\n"
				   "block\tadult\texample.com\tngo.id:3,police.id:9\n"
				   "allow\tadult\t=shop.example.com\tngo.id:4\n"
				   "block\tgambling\texample.org/bets\tngo.id:5\n"
				   "block\tgambling\t*.example.net\tngo.id:5\n";
	struct fixture *f = *state;
	const struct ld_compile_list list = {
		.path = f->list, .category = "x", .format = LD_LIST_LINDUNG, .source = "s"};
	struct ld_compile_stats stats;
	FILE *file = fopen(f->list, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(ld_compile(f->compiled, &list, 1, &base_options, &stats, &f->report),
			 LINDUNG_OK);
	free(stats.lists);
	assert_int_equal(ld_maker_new(&f->maker, &base_options), LINDUNG_OK);
	add(f, LD_ACTION_BLOCK, LD_SCOPE_BELOW, "gambling", "example.net", "", "ngo.id:5");
	add(f, LD_ACTION_BLOCK, LD_SCOPE_TREE, "adult", "example.com", "", "ngo.id:3,police.id:9");
	add(f, LD_ACTION_BLOCK, LD_SCOPE_URL, "gambling", "example.org", "/bets", "ngo.id:5");
	add(f, LD_ACTION_ALLOW, LD_SCOPE_SELF, "adult", "shop.example.com", "", "ngo.id:4");
	finish(f);
	assert_int_equal(f->stats.keys, 5);
	assert_same_file(f->compiled, f->made);
}

static void
what_ordinary_lists_cannot_do_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ld_maker_new(&f->maker, &base_options), LINDUNG_OK);
	assert_int_equal(add(f, LD_ACTION_BLOCK, LD_SCOPE_TREE, "adult", "com", "", "s"),
			 LD_REJECT_SINGLE_LABEL);
	assert_int_equal(add(f, LD_ACTION_BLOCK, LD_SCOPE_TREE, "adult", "a.help.example", "", "s"),
			 LD_REJECT_PROTECTED);
	assert_int_equal(add(f, LD_ACTION_REMOVE, LD_SCOPE_TREE, "adult", "example.com", "", "s"),
			 LD_REJECT_ACTION);
	assert_int_equal(add(f, LD_ACTION_BLOCK, LD_SCOPE_TREE, "Adult", "example.com", "", "s"),
			 LD_REJECT_SYNTAX);
	assert_int_equal(add(f, LD_ACTION_BLOCK, LD_SCOPE_TREE, "adult", "example.com", "", "s"),
			 LD_REJECT_COUNT);
	finish(f);
	assert_int_equal(f->stats.keys, 2); /* with the protected one */
}

static void
overlays_remove(void **state)
{
	struct fixture *f = *state;
	struct lindung *list = ld_test_open("block\tadult\texample.com\ts\n"
					    "block\tgambling\texample.com\ts\n"
					    "block\tadult\texample.org\ts\n");

	assert_int_equal(ld_maker_new(&f->maker, &overlay_options), LINDUNG_OK);
	add(f, LD_ACTION_REMOVE, LD_SCOPE_TREE, "*", "example.com", "", "");
	add(f, LD_ACTION_BLOCK, LD_SCOPE_TREE, "adult", "example.net", "", "s");
	finish(f);
	assert_int_equal(lindung_overlay(list, f->made, LINDUNG_VERIFY), LINDUNG_OK);
	assert_false(ld_test_blocked(list, "www.example.com"));
	assert_true(ld_test_blocked(list, "www.example.org"));
	assert_true(ld_test_blocked(list, "www.example.net"));
	lindung_close(list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(same_set_makes_the_file_that_a_list_makes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_ordinary_lists_cannot_do_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(overlays_remove, setup, teardown),
	};

	return cmocka_run_group_tests_name("index make", tests, NULL, NULL);
}
