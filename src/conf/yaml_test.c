/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "conf/yaml.h"

static struct ld_arena arena;
static struct ld_report report;

static int
arena_begin(void **state)
{
	(void)state;
	ld_arena_init(&arena, 16 * 1024 * 1024);
	return 0;
}

static int
arena_end(void **state)
{
	(void)state;
	ld_arena_clear(&arena);
	return 0;
}

static int
parse(const struct ld_yaml **ret, const char *text)
{
	return ld_yaml_parse(ret, "t.yaml", ld_span_str(text), &arena, &report);
}

static void
tree_with_lines(void **state)
{
	const struct ld_yaml *root, *list;

	(void)state;
	assert_int_equal(parse(&root, "# a comment\n"
				      "one: 1\n"
				      "list:\n"
				      "  - first\n"
				      "  - {deep: 'quoted', empty: }\n"
				      "  - []\n"
				      "text: |\n"
				      "  two\n"
				      "  lines\n"),
			 LINDUNG_OK);
	assert_int_equal(root->kind, LD_YAML_MAPPING);
	assert_int_equal(root->count, 3);
	assert_string_equal((const char *)ld_yaml_text(root, "one").data, "1");
	assert_int_equal(ld_yaml_find(root, "one")->line, 2);
	assert_string_equal((const char *)ld_yaml_text(root, "text").data, "two\nlines\n");
	assert_int_equal(ld_yaml_find(root, "text")->line, 7);
	list = ld_yaml_find(root, "list");
	assert_int_equal(list->kind, LD_YAML_SEQUENCE);
	assert_int_equal(list->count, 3);
	assert_string_equal((const char *)list->first->text.data, "first");
	assert_false(list->first->quoted);
	assert_int_equal(list->first->next->line, 5);
	assert_true(ld_yaml_find(list->first->next, "deep")->quoted);
	assert_int_equal(ld_yaml_text(list->first->next, "empty").len, 0);
	assert_int_equal(list->first->next->next->count, 0);
	assert_null(list->first->next->next->next);
	assert_null(ld_yaml_find(root, "none"));
	assert_null(ld_yaml_find(list, "one"));
	assert_int_equal(ld_yaml_text(root, "list").len, 0);
}

static void
nothing_is_an_empty_mapping(void **state)
{
	const struct ld_yaml *root;

	(void)state;
	assert_int_equal(parse(&root, ""), LINDUNG_OK);
	assert_int_equal(root->kind, LD_YAML_MAPPING);
	assert_int_equal(root->count, 0);
	assert_int_equal(parse(&root, "# only a comment\n"), LINDUNG_OK);
	assert_int_equal(root->count, 0);
}

static void
refused_with_a_line(void **state)
{
	static const struct {
		const char *text;
		int error;
		const char *report;
	} cases[] = {
		{"a: 1\nb: &x 2\n", LINDUNG_ESYNTAX,
		 "t.yaml:2: anchors (&name) are not taken: write the value out"},
		{"a: &x [1]\n", LINDUNG_ESYNTAX,
		 "t.yaml:1: anchors (&name) are not taken: write the value out"},
		{"a: &x {}\n", LINDUNG_ESYNTAX,
		 "t.yaml:1: anchors (&name) are not taken: write the value out"},
		{"a: 1\nb: *x\n", LINDUNG_ESYNTAX,
		 "t.yaml:2: aliases (*name) are not taken: write the value out"},
		{"a: !!int 1\n", LINDUNG_ESYNTAX, "t.yaml:1: tags (!name) are not taken"},
		{"a: !x [1]\n", LINDUNG_ESYNTAX, "t.yaml:1: tags (!name) are not taken"},
		{"a: 1\nb: 2\n\na: 3\n", LINDUNG_ESYNTAX,
		 "t.yaml:4: the key a stands here twice, first in line 1"},
		{"x:\n  - {a: 1, b: 2, 'a': 3}\n", LINDUNG_ESYNTAX,
		 "t.yaml:2: the key a stands here twice, first in line 2"},
		{"a: 1\n---\nb: 2\n", LINDUNG_ESYNTAX,
		 "t.yaml:2: a second document begins: one file is one document"},
		{"? [a]\n: 1\n", LINDUNG_ESYNTAX, "t.yaml:1: a key must be text"},
		{"a: \"x\\0y\"\n", LINDUNG_ESYNTAX, "t.yaml:1: a NUL character in a text"},
		{"a: [1\n", LINDUNG_ESYNTAX,
		 "t.yaml:2: not YAML: did not find expected ',' or ']'"},
		{"a: 1\n\tb: 2\n", LINDUNG_ESYNTAX, NULL},
		{"a: 1\nb: \xff\n", LINDUNG_ESYNTAX, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct ld_yaml *root = NULL;

		print_message("%s", cases[i].text);
		assert_int_equal(parse(&root, cases[i].text), cases[i].error);
		assert_null(root);
		if (cases[i].report != NULL)
			assert_string_equal(report.text, cases[i].report);
		else
			assert_int_equal(strncmp(report.text, "t.yaml:2: not YAML: ", 20), 0);
	}
}

static void
depth_at_and_past_the_limit(void **state)
{
	const struct ld_yaml *root;
	char text[64];

	(void)state;
	for (unsigned depth = LD_YAML_DEPTH_MAX; depth <= LD_YAML_DEPTH_MAX + 1; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		text[2 * depth] = '\0';
		assert_int_equal(parse(&root, text),
				 depth <= LD_YAML_DEPTH_MAX ? LINDUNG_OK : LINDUNG_ELIMIT);
	}
	assert_string_equal(report.text, "t.yaml:1: nested deeper than 16 levels");
}

static void
size_past_the_limit(void **state)
{
	const struct ld_yaml *root = NULL;
	char *large = malloc(LD_YAML_FILE_MAX_BYTES + 1);

	(void)state;
	assert_non_null(large);
	memset(large, ' ', LD_YAML_FILE_MAX_BYTES + 1);
	assert_int_equal(ld_yaml_parse(&root, "t.yaml", ld_span(large, LD_YAML_FILE_MAX_BYTES),
				       &arena, &report),
			 LINDUNG_OK);
	root = NULL;
	assert_int_equal(ld_yaml_parse(&root, "t.yaml", ld_span(large, LD_YAML_FILE_MAX_BYTES + 1),
				       &arena, &report),
			 LINDUNG_ELIMIT);
	assert_null(root);
	free(large);
}

static void
many_keys_do_not_take_long(void **state)
{
	struct ld_arena big;
	struct ld_buffer text;
	const struct ld_yaml *root;

	(void)state;
	ld_arena_init(&big, (size_t)256 * 1024 * 1024);
	ld_buffer_init(&text, LD_YAML_FILE_MAX_BYTES);
	for (unsigned i = 0; i < 200000; i++)
		ld_buffer_printf(&text, "k%u: \n", i);
	assert_false(text.failed);
	assert_int_equal(ld_yaml_parse(&root, "t.yaml", ld_buffer_span(&text), &big, &report),
			 LINDUNG_OK);
	assert_int_equal(root->count, 200000);
	ld_buffer_printf(&text, "k7: \n");
	assert_int_equal(ld_yaml_parse(&root, "t.yaml", ld_buffer_span(&text), &big, &report),
			 LINDUNG_ESYNTAX);
	assert_string_equal(report.text,
			    "t.yaml:200001: the key k7 stands here twice, first in line 8");
	ld_buffer_free(&text);
	ld_arena_clear(&big);
}

static void
small_arena_is_an_error(void **state)
{
	const char text[] = "a: 1\nb: [2, 3]\nc: {d: 4}\n";

	(void)state;
	/* Every allocation fails once. */
	for (size_t limit = 0; limit < 4096; limit += 8) {
		const struct ld_yaml *root = NULL;
		struct ld_arena small;
		int err;

		ld_arena_init(&small, limit);
		err = ld_yaml_parse(&root, "t.yaml", ld_span_str(text), &small, &report);
		assert_true(err == LINDUNG_OK || err == LINDUNG_ENOMEM);
		assert_int_equal(err == LINDUNG_OK, root != NULL);
		assert_true(limit != 0 || err == LINDUNG_ENOMEM);
		assert_true(limit < 4000 || err == LINDUNG_OK);
		ld_arena_clear(&small);
	}
}

static void
files_that_are_not_there(void **state)
{
	const struct ld_yaml *root = NULL;

	(void)state;
	assert_int_equal(ld_yaml_load(&root, "/nowhere/x.yaml", &arena, &report), LINDUNG_EIO);
	assert_string_equal(report.text, "/nowhere/x.yaml: No such file or directory");
	assert_int_equal(ld_yaml_load(&root, "/", &arena, &report), LINDUNG_EIO);
	assert_null(root);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tree_with_lines),
		cmocka_unit_test(nothing_is_an_empty_mapping),
		cmocka_unit_test(refused_with_a_line),
		cmocka_unit_test(depth_at_and_past_the_limit),
		cmocka_unit_test(size_past_the_limit),
		cmocka_unit_test(many_keys_do_not_take_long),
		cmocka_unit_test(small_arena_is_an_error),
		cmocka_unit_test(files_that_are_not_there),
	};

	return cmocka_run_group_tests(tests, arena_begin, arena_end);
}
